// SPDX-License-Identifier: Apache-2.0
// Whether a layout that is not known to be this kernel's fits it all the same.
//
// A check is firm when only a wrong layout can fail it (sizes that KDBG gives, the type byte of an object), and loose when a
// rootkit that writes into an object could too: one loose failure does not refuse a layout, or changing one field would blind
// the program.
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "kernel/parts.h"

enum firmness { LOOSE, FIRM };

struct trial {
	struct inv_work *work;
	const struct inv_layout *layout;
	struct inv_check_result *result;
	unsigned loose_failures;
};

static void judge(struct trial *trial, enum firmness firmness, bool ok, const char *format, ...) INV_PRINTF(4, 5);

static void judge(struct trial *trial, enum firmness firmness, bool ok, const char *format, ...)
{
	char text[256];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	const char *sentence = inv_arena_printf(trial->work->kernel.arena, "%s%s", text, ok ? "" : " (does not fit)");
	inv_push(trial->result->texts, sentence);
	if (ok) {
		trial->result->passed++;
		return;
	}
	if (firmness == LOOSE && ++trial->loose_failures <= 1)
		return;
	if (!trial->result->why_not)
		trial->result->why_not = sentence;
}

static void check_size(struct trial *trial, enum inv_type type, unsigned at)
{
	uint16_t said = 0;
	uint32_t size = trial->layout->size[type];
	if (size && inv_kdbg_u16(&trial->work->kernel.kdbg, at, &said) && said)
		judge(trial, FIRM, size == said, "size of %s: KDBG says 0x%x, the layout 0x%x", inv_type_info(type)->name, said,
		      size);
}

static void check_offset(struct trial *trial, enum inv_field field, unsigned at)
{
	uint16_t said = 0, offset = trial->layout->place[field].offset;
	if (offset != INV_NO_OFFSET && inv_kdbg_u16(&trial->work->kernel.kdbg, at, &said) && said)
		judge(trial, FIRM, offset == said, "%s: KDBG says 0x%x, the layout 0x%x", inv_field_full_name(field), said,
		      offset);
}

static void check_kdbg(struct trial *trial)
{
	check_size(trial, INV_T_EPROCESS, INV_KDBG_SIZE_EPROCESS);
	check_size(trial, INV_T_ETHREAD, INV_KDBG_SIZE_ETHREAD);
	check_size(trial, INV_T_KPRCB, INV_KDBG_SIZE_PRCB);
	check_offset(trial, INV_F_EPROCESS_Peb, INV_KDBG_EPROCESS_PEB);
	check_offset(trial, INV_F_EPROCESS_InheritedFromUniqueProcessId, INV_KDBG_EPROCESS_PARENT_CID);
	check_offset(trial, INV_F_KPROCESS_DirectoryTableBase, INV_KDBG_EPROCESS_DIRECTORY_TABLE_BASE);
	check_offset(trial, INV_F_KTHREAD_Teb, INV_KDBG_KTHREAD_TEB);
	check_offset(trial, INV_F_KTHREAD_KernelStack, INV_KDBG_KTHREAD_KERNEL_STACK);
	check_offset(trial, INV_F_KTHREAD_InitialStack, INV_KDBG_KTHREAD_INITIAL_STACK);
	check_offset(trial, INV_F_KTHREAD_ApcStateProcess, INV_KDBG_KTHREAD_APC_PROCESS);
	check_offset(trial, INV_F_KTHREAD_State, INV_KDBG_KTHREAD_STATE);
	check_offset(trial, INV_F_KPRCB_CurrentThread, INV_KDBG_PRCB_CURRENT_THREAD);
	check_offset(trial, INV_F_KPRCB_Number, INV_KDBG_PRCB_NUMBER);
}

static void check_row_field(struct trial *trial, enum inv_field field, uint16_t said)
{
	uint16_t offset = trial->layout->place[field].offset;
	if (said != INV_NO_OFFSET && offset != INV_NO_OFFSET)
		judge(trial, FIRM, offset == said, "%s: the table of builds says 0x%x, the layout 0x%x",
		      inv_field_full_name(field), said, offset);
}

static void check_row(struct trial *trial)
{
	const struct inv_build_row *row = trial->work->row;
	if (!row)
		return;
	check_row_field(trial, INV_F_EPROCESS_ObjectTable, row->object_table);
	check_row_field(trial, INV_F_EPROCESS_SectionObject, row->section_object);
}

static struct inv_value field(const struct trial *trial, uint64_t object, enum inv_field name)
{
	return inv_layout_field(&trial->work->kernel, trial->layout, object, name);
}

// The low seven bits of a dispatcher object's first byte are its type: 3 process, 6 thread (the kernel tests them as (byte & 0x7f)).
static void check_type(struct trial *trial, const char *what, uint64_t object, unsigned type)
{
	struct inv_value value = inv_read_sized(&trial->work->kernel, object, 1);
	if (value.ok)
		judge(trial, FIRM, (value.u & 0x7f) == type, "Header.Type of the %s at 0x%llx: expected %u, found %u", what,
		      (unsigned long long)object, type, (unsigned)(value.u & 0x7f));
}

static void check_name(struct trial *trial, uint64_t process)
{
	struct inv_value at = field(trial, process, INV_F_EPROCESS_ImageFileName);
	uint8_t name[15];
	if (!at.ok || inv_space_read(trial->work->kernel.space, at.u, name, sizeof(name), NULL) != sizeof(name))
		return;
	size_t length = strnlen((const char *)name, sizeof(name));
	bool text = length != 0;
	for (size_t i = 0; i < length; i++)
		text = text && name[i] >= 0x20 && name[i] != 0x7f;
	judge(trial, LOOSE, text, "ImageFileName of the process at 0x%llx: expected printable text, found %zu bytes",
	      (unsigned long long)process, length);
}

static void check_pid(struct trial *trial, uint64_t process)
{
	struct inv_value pid = field(trial, process, INV_F_EPROCESS_UniqueProcessId);
	if (pid.ok)
		judge(trial, LOOSE, pid.u <= UINT32_MAX && pid.u % 4 == 0,
		      "UniqueProcessId of the process at 0x%llx: expected a multiple of four, found 0x%llx",
		      (unsigned long long)process, (unsigned long long)pid.u);
}

static void check_create_time(struct trial *trial, uint64_t process)
{
	const uint64_t year_2000 = 0x01bf53eb256d4000ull, year_2100 = 0x0236f46c6e9c4000ull;
	struct inv_value time = field(trial, process, INV_F_EPROCESS_CreateTime);
	if (time.ok)
		judge(trial, LOOSE, time.u >= year_2000 && time.u < year_2100,
		      "CreateTime of the process at 0x%llx: expected a time of this century, found 0x%llx",
		      (unsigned long long)process, (unsigned long long)time.u);
}

static void check_table(struct trial *trial, uint64_t process)
{
	struct inv_value table = field(trial, process, INV_F_EPROCESS_ObjectTable);
	if (table.ok)
		judge(trial, LOOSE, table.u == 0 || inv_is_kernel_address(table.u),
		      "ObjectTable of the process at 0x%llx: expected a kernel address or 0, found 0x%llx",
		      (unsigned long long)process, (unsigned long long)table.u);
}

static void check_links(struct trial *trial, uint64_t process)
{
	struct inv_value flink = field(trial, process, INV_F_EPROCESS_ActiveProcessLinks);
	struct inv_value back = flink.ok ? inv_read_u64(&trial->work->kernel, flink.u + 8) : flink;
	if (back.ok)
		judge(trial, LOOSE, back.u == flink.address,
		      "ActiveProcessLinks of the process at 0x%llx: expected 0x%llx behind its successor, found 0x%llx",
		      (unsigned long long)process, (unsigned long long)flink.address, (unsigned long long)back.u);
}

static void check_root(struct trial *trial, uint64_t process, uint64_t dtb)
{
	struct inv_value root = field(trial, process, INV_F_KPROCESS_DirectoryTableBase);
	if (root.ok && dtb)
		judge(trial, LOOSE, (root.u & INV_FRAME_MASK) == dtb,
		      "DirectoryTableBase of the process at 0x%llx: expected 0x%llx, found 0x%llx", (unsigned long long)process,
		      (unsigned long long)dtb, (unsigned long long)root.u);
}

static void check_process(struct trial *trial, uint64_t process)
{
	check_type(trial, "process", process, 3);
	check_name(trial, process);
	check_pid(trial, process);
	check_create_time(trial, process);
	check_table(trial, process);
	check_links(trial, process);
}

static void check_thread(struct trial *trial, uint64_t thread)
{
	check_type(trial, "thread", thread, 6);
	struct inv_value process = field(trial, thread, INV_F_KTHREAD_Process);
	if (process.ok)
		check_type(trial, "thread's process", process.u, 3);
	struct inv_value attached = field(trial, thread, INV_F_KTHREAD_ApcStateIndex);
	struct inv_value apc = field(trial, thread, INV_F_KTHREAD_ApcStateProcess);
	if (process.ok && apc.ok && attached.ok && attached.u == 0)
		judge(trial, LOOSE, process.u == apc.u,
		      "Process of the thread at 0x%llx: expected ApcState.Process 0x%llx, found 0x%llx",
		      (unsigned long long)thread, (unsigned long long)apc.u, (unsigned long long)process.u);
}

// The thread that the first CPU runs.
static struct inv_value running_thread(const struct trial *trial)
{
	const struct inv_kernel *kernel = &trial->work->kernel;
	struct inv_value at = inv_kernel_symbol(kernel, INV_S_KiProcessorBlock, NULL);
	struct inv_value prcb = at.ok ? inv_read_u64(kernel, at.u) : at;
	return prcb.ok ? field(trial, prcb.u, INV_F_KPRCB_CurrentThread) : prcb;
}

static void check_memory(struct trial *trial)
{
	const struct inv_kernel *kernel = &trial->work->kernel;
	if (kernel->fragments) {
		if (kernel->current_process) {
			check_process(trial, kernel->current_process);
			check_root(trial, kernel->current_process, kernel->dtb);
		}
		if (kernel->current_thread)
			check_thread(trial, kernel->current_thread);
		return;
	}
	struct inv_value system = inv_find_system(kernel, trial->layout);
	if (system.ok)
		check_process(trial, system.u);
	struct inv_value thread = running_thread(trial);
	if (thread.ok && thread.u)
		check_thread(trial, thread.u);
}

void inv_check_layout(struct inv_work *work, const struct inv_layout *layout, struct inv_check_result *result)
{
	*result = (struct inv_check_result){0};
	struct trial trial = {.work = work, .layout = layout, .result = result};
	check_kdbg(&trial);
	check_row(&trial);
	check_memory(&trial);
}
