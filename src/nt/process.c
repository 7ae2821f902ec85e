// SPDX-License-Identifier: Apache-2.0
#include "nt/process.h"

#include "base/text.h"

// sizeof(EPROCESS.ImageFileName) in every layout: UCHAR[15].
#define IMAGE_FILE_NAME_SIZE 15

const char *inv_process_name(const struct inv_kernel *kernel, uint64_t process, struct inv_arena *arena,
                             struct inv_value *value)
{
	uint8_t name[IMAGE_FILE_NAME_SIZE];
	*value = (struct inv_value){0};
	if (!inv_field_address(kernel, process, INV_F_EPROCESS_ImageFileName, &value->address)) {
		value->why =
		    (struct inv_why){.reason = INV_NO_FIELD, .name = inv_field_full_name(INV_F_EPROCESS_ImageFileName)};
		return "";
	}
	if (inv_space_read(kernel->space, value->address, name, sizeof name, &value->why) < sizeof name)
		return "";
	value->ok = true;
	return inv_bytes_to_utf8(arena, name, sizeof name);
}

const char *inv_process_path(const struct inv_kernel *kernel, uint64_t process, struct inv_arena *arena,
                             struct inv_value *value)
{
	*value = inv_field(kernel, process, INV_F_EPROCESS_SeAuditProcessCreationInfo);
	if (!value->ok || value->u == 0)
		return "";
	uint64_t information = value->u;
	uint64_t name;
	if (!inv_field_address(kernel, information, INV_F_OBJECT_NAME_INFORMATION_Name, &name))
		name = information; // OBJECT_NAME_INFORMATION is a UNICODE_STRING and nothing else (wdm.h)
	return inv_read_unicode(kernel, name, arena, value);
}

uint64_t inv_process_of_entry(const struct inv_kernel *kernel, uint64_t entry, enum inv_field field)
{
	uint64_t offset;
	return inv_field_address(kernel, 0, field, &offset) ? entry - offset : 0;
}

const char *inv_role_name(enum inv_role role)
{
	switch (role) {
	case INV_ROLE_ORDINARY:
		return "ordinary";
	case INV_ROLE_IDLE:
		return "idle";
	case INV_ROLE_SYSTEM:
		return "system";
	case INV_ROLE_REGISTRY:
		return "registry";
	case INV_ROLE_MEMORY_COMPRESSION:
		return "memory compression";
	case INV_ROLE_SECURE_SYSTEM:
		return "secure system";
	case INV_ROLE_VM:
		return "virtual machine";
	case INV_ROLE_PICO:
		return "pico";
	case INV_ROLE_MINIMAL:
		return "minimal";
	case INV_ROLE_UNKNOWN:
		break;
	}
	return "unknown";
}

// A global that holds a pointer to a process.
static struct inv_value pointer_in(const struct inv_kernel *kernel, enum inv_symbol symbol)
{
	struct inv_value at = inv_kernel_symbol(kernel, symbol, NULL);
	return at.ok ? inv_read_u64(kernel, at.u) : at;
}

void inv_role_anchors_read(const struct inv_kernel *kernel, struct inv_role_anchors *anchors)
{
	*anchors = (struct inv_role_anchors){
	    .idle = pointer_in(kernel, INV_S_PsIdleProcess),
	    .initial_process = inv_kernel_symbol(kernel, INV_S_KiInitialProcess, NULL),
	    .system = pointer_in(kernel, INV_S_PsInitialSystemProcess),
	    .registry = pointer_in(kernel, INV_S_CmpRegistryProcess),
	    .secure_system = pointer_in(kernel, INV_S_PsSecureSystemProcess),
	};
	anchors->store = inv_kernel_symbol(kernel, INV_S_MiSystemPartition, NULL);
	if (anchors->store.ok)
		anchors->store = inv_field(kernel, anchors->store.u, INV_F_MI_PARTITION_StoreProcess);
	struct inv_value head = inv_kernel_symbol(kernel, INV_S_PsActiveProcessHead, NULL);
	if (!head.ok) {
		anchors->active_first = head;
		return;
	}
	anchors->active_head = head.u;
	anchors->active_first = inv_read_u64(kernel, head.u);
	if (anchors->active_first.ok)
		anchors->active_first.u =
		    inv_process_of_entry(kernel, anchors->active_first.u, INV_F_EPROCESS_ActiveProcessLinks);
}

static bool is(const struct inv_value *anchor, uint64_t process)
{
	return anchor->ok && anchor->u == process && process != 0;
}

static bool flag(const struct inv_kernel *kernel, uint64_t process, enum inv_field field)
{
	struct inv_value value = inv_field(kernel, process, field);
	return value.ok && value.u != 0;
}

// Idle's EPROCESS is a variable of the kernel's image; every other process is allocated from pool.
static bool inside_kernel_image(const struct inv_kernel *kernel, uint64_t address)
{
	return kernel->base != 0 && kernel->size != 0 && address >= kernel->base && address - kernel->base < kernel->size;
}

static bool is_system(const struct inv_role_anchors *anchors, uint64_t process)
{
	if (anchors->system.ok)
		return is(&anchors->system, process);
	return is(&anchors->active_first, process);
}

enum inv_role inv_process_role(const struct inv_kernel *kernel, const struct inv_role_anchors *anchors,
                               uint64_t process)
{
	if (is(&anchors->idle, process) || is(&anchors->initial_process, process) || inside_kernel_image(kernel, process))
		return INV_ROLE_IDLE;
	if (is_system(anchors, process))
		return INV_ROLE_SYSTEM;
	if (is(&anchors->secure_system, process))
		return INV_ROLE_SECURE_SYSTEM;
	if (is(&anchors->store, process))
		return INV_ROLE_MEMORY_COMPRESSION;
	bool minimal = flag(kernel, process, INV_F_EPROCESS_Minimal);
	if (is(&anchors->registry, process) && minimal)
		return INV_ROLE_REGISTRY;
	if (flag(kernel, process, INV_F_EPROCESS_VmProcessorHost))
		return INV_ROLE_VM;
	if (flag(kernel, process, INV_F_EPROCESS_PicoContext) && flag(kernel, process, INV_F_EPROCESS_PicoCreated))
		return INV_ROLE_PICO;
	if (minimal && flag(kernel, process, INV_F_DISPATCHER_HEADER_Minimal))
		return INV_ROLE_MINIMAL;
	bool undecided = !anchors->system.ok && !anchors->active_first.ok;
	return undecided ? INV_ROLE_UNKNOWN : INV_ROLE_ORDINARY;
}
