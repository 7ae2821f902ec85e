// SPDX-License-Identifier: Apache-2.0
#include "nt/peb.h"

#include "base/array.h"

static const struct {
	const char *name;
	enum inv_field head, links;
} lists[INV_LOADER_LISTS] = {
    [INV_LOAD_ORDER] = {"load", INV_F_PEB_LDR_DATA_InLoadOrderModuleList, INV_F_LDR_MODULE_InLoadOrderLinks},
    [INV_MEMORY_ORDER] = {"memory", INV_F_PEB_LDR_DATA_InMemoryOrderModuleList, INV_F_LDR_MODULE_InMemoryOrderLinks},
    [INV_INITIALIZATION_ORDER] = {"initialization", INV_F_PEB_LDR_DATA_InInitializationOrderModuleList,
                                  INV_F_LDR_MODULE_InInitializationOrderLinks},
};

const char *inv_loader_list_name(enum inv_loader_list list)
{
	return (unsigned)list < INV_LOADER_LISTS ? lists[list].name : "";
}

struct place {
	uint64_t key; // address of a module's entry
	size_t value; // its index
};

struct reading {
	const struct inv_user *user;
	const struct inv_layout *layout; // of the structures of this half
	struct inv_arena *arena;
	struct inv_peb *peb;
	struct place *places; // stb_ds
	size_t letters;       // bytes of names that may still be read
};

// Of the names of all modules: more than 16384 paths of usual length, and far less than as many of the greatest.
#define MOST_LETTERS ((size_t)8 << 20)

static struct inv_value field(const struct reading *reading, uint64_t address, enum inv_field field)
{
	return inv_user_field_by(reading->user, reading->layout, address, field);
}

static struct inv_value pointer(const struct reading *reading, uint64_t address)
{
	return reading->peb->narrow ? inv_user_u32(reading->user, address) : inv_user_u64(reading->user, address);
}

// -- text -------------------------------------------------------------------------------------------------------------------

static struct inv_text read_text(const struct reading *reading, uint64_t object, enum inv_field text_field)
{
	struct inv_text text = {.text = ""};
	struct inv_value where = field(reading, object, text_field);
	if (!where.ok) {
		text.length = text.maximum = text.buffer = where;
		return text;
	}
	text.length = text.maximum = inv_user_u32(reading->user, where.u); // Length, MaximumLength
	text.length.u &= 0xffff;
	text.maximum.u >>= 16;
	text.maximum.address += 2;
	text.buffer = pointer(reading, where.u + (reading->peb->narrow ? 4 : 8));
	struct inv_value whole;
	text.text = inv_user_unicode(reading->user, where.u, reading->peb->narrow, reading->arena, &whole);
	text.ok = whole.ok;
	if (!whole.ok && text.length.ok)
		text.length.why = whole.why;
	return text;
}

static const char *read_name(struct reading *reading, uint64_t module, enum inv_field name_field,
                             struct inv_value *value)
{
	*value = field(reading, module, name_field);
	if (!value->ok)
		return "";
	struct inv_value length = inv_user_u32(reading->user, value->u);
	if (length.ok && (length.u & 0xffff) > reading->letters) {
		*value = (struct inv_value){.address = value->u, .why = {.reason = INV_NOT_CAPTURED, .address = value->u}};
		return "";
	}
	reading->letters -= length.ok ? length.u & 0xffff : 0;
	return inv_user_unicode(reading->user, value->u, reading->peb->narrow, reading->arena, value);
}

static void read_parameters(const struct reading *reading)
{
	struct inv_peb *peb = reading->peb;
	uint64_t at = peb->parameters.ok ? peb->parameters.u : 0;
	peb->parameters_length = field(reading, at, INV_F_RTL_USER_PROCESS_PARAMETERS_Length);
	peb->parameters_maximum = field(reading, at, INV_F_RTL_USER_PROCESS_PARAMETERS_MaximumLength);
	peb->image_path = read_text(reading, at, INV_F_RTL_USER_PROCESS_PARAMETERS_ImagePathName);
	peb->command_line = read_text(reading, at, INV_F_RTL_USER_PROCESS_PARAMETERS_CommandLine);
	peb->current_directory = read_text(reading, at, INV_F_RTL_USER_PROCESS_PARAMETERS_CurrentDirectory);
}

// -- the loader's lists -----------------------------------------------------------------------------------------------------

static void read_module(struct reading *reading, uint64_t address, struct inv_loaded *module)
{
	*module = (struct inv_loaded){
	    .address = address,
	    .narrow = reading->peb->narrow,
	    .base = field(reading, address, INV_F_LDR_MODULE_DllBase),
	    .size = field(reading, address, INV_F_LDR_MODULE_SizeOfImage),
	    .entry = field(reading, address, INV_F_LDR_MODULE_EntryPoint),
	    .time_stamp = field(reading, address, INV_F_LDR_MODULE_TimeDateStamp),
	};
	module->path = read_name(reading, address, INV_F_LDR_MODULE_FullDllName, &module->path_value);
	module->name = read_name(reading, address, INV_F_LDR_MODULE_BaseDllName, &module->name_value);
}

enum noting { NEW_THERE, KNOWN_THERE, TOO_MANY };

// Notes that a module stands on a list.
static enum noting note(struct reading *reading, uint64_t address, enum inv_loader_list list)
{
	struct inv_peb *peb = reading->peb;
	ptrdiff_t known = stbds_hmgeti(reading->places, address);
	size_t at = known >= 0 ? reading->places[known].value : inv_count(peb->modules);
	if (known < 0) {
		if (at >= INV_LOADED_BOUND)
			return TOO_MANY;
		struct inv_loaded module;
		read_module(reading, address, &module);
		inv_push(peb->modules, module);
		stbds_hmput(reading->places, address, at);
	}
	unsigned bit = 1u << list;
	if (peb->modules[at].lists & bit)
		return KNOWN_THERE;
	peb->modules[at].lists |= bit;
	return NEW_THERE;
}

// One way along a list, until it comes back to the head, meets what it knows, or cannot go on. `linked_back` is cleared where a
// neighbour does not lead back.
static bool follow(struct reading *reading, enum inv_loader_list list, uint64_t head, bool backward, bool *linked_back)
{
	struct inv_value *broken = &reading->peb->broken[list];
	uint64_t width = reading->peb->narrow ? 4 : 8, from = head;
	uint64_t onward = backward ? width : 0, back = width - onward;
	uint64_t offset = reading->layout->place[lists[list].links].offset;
	for (size_t steps = 0; steps <= INV_LOADED_BOUND; steps++) {
		struct inv_value next = pointer(reading, from + onward);
		if (!next.ok) {
			*broken = next;
			return false;
		}
		struct inv_value answer = pointer(reading, next.u + back);
		if (answer.ok && answer.u != from)
			*linked_back = false;
		if (next.u == head)
			return true;
		if (!answer.ok || next.u < offset) {
			*broken = answer.ok ? next : answer;
			return false;
		}
		enum noting noting = note(reading, next.u - offset, list);
		if (noting == TOO_MANY || (noting == KNOWN_THERE && !backward)) {
			*broken = next; // more than there can be, or a cycle
			return false;
		}
		from = next.u;
	}
	return false;
}

static void read_list(struct reading *reading, enum inv_loader_list list)
{
	struct inv_peb *peb = reading->peb;
	struct inv_value head = field(reading, peb->ldr.u, lists[list].head);
	uint64_t where;
	if (head.ok && reading->layout->place[lists[list].links].offset == INV_NO_OFFSET)
		head = field(reading, peb->ldr.u, lists[list].links); // says that the field is not known
	if (!head.ok) {
		peb->broken[list] = head;
		return;
	}
	where = head.address;
	bool linked_back = true;
	bool whole = follow(reading, list, where, false, &linked_back);
	peb->closed[list] = whole && linked_back;
	if (peb->closed[list])
		return;
	if (whole)
		peb->broken[list] = head; // torn: its two directions differ
	// Whatever stands behind the break is reached from the other end.
	struct inv_value kept = peb->broken[list];
	(void)follow(reading, list, where, true, &linked_back);
	peb->broken[list] = kept;
}

static void read_lists(struct reading *reading)
{
	struct inv_peb *peb = reading->peb;
	for (unsigned list = 0; list < INV_LOADER_LISTS; list++) {
		if (peb->ldr.ok && peb->ldr.u)
			read_list(reading, (enum inv_loader_list)list);
		else
			peb->broken[list] = peb->ldr;
	}
}

// -- PEB --------------------------------------------------------------------------------------------------------------------

static void read_peb(const struct inv_user *user, uint64_t peb, bool narrow, bool loader, struct inv_arena *arena,
                     struct inv_peb *result)
{
	const struct inv_layout *own = inv_user_kernel(user)->layout;
	const struct inv_layout *layout = narrow && own ? inv_layout_for_wow64(own) : own;
	struct reading reading = {.user = user, .layout = layout, .arena = arena, .peb = result, .letters = MOST_LETTERS};
	*result = (struct inv_peb){.narrow = narrow};
	if (!peb || !layout) // address 0 says that there is none
		return;
	result->address = peb;
	result->image_base = field(&reading, peb, INV_F_PEB_ImageBaseAddress);
	result->ldr = field(&reading, peb, INV_F_PEB_Ldr);
	result->parameters = field(&reading, peb, INV_F_PEB_ProcessParameters);
	result->being_debugged = field(&reading, peb, INV_F_PEB_BeingDebugged);
	result->session = field(&reading, peb, INV_F_PEB_SessionId);
	read_parameters(&reading);
	if (loader)
		read_lists(&reading);
	stbds_hmfree(reading.places);
}

void inv_peb_read(const struct inv_user *user, uint64_t peb, bool narrow, struct inv_arena *arena,
                  struct inv_peb *result)
{
	read_peb(user, peb, narrow, true, arena, result);
}

void inv_peb_read_parameters(const struct inv_user *user, uint64_t peb, bool narrow, struct inv_arena *arena,
                             struct inv_peb *result)
{
	read_peb(user, peb, narrow, false, arena, result);
}

void inv_peb_free(struct inv_peb *peb)
{
	inv_array_free(peb->modules);
	peb->modules = NULL;
}

struct inv_value inv_process_peb32(const struct inv_kernel *kernel, uint64_t process)
{
	struct inv_value wow64 = inv_field(kernel, process, INV_F_EPROCESS_WoW64Process);
	bool has_structure = kernel->layout && kernel->layout->place[INV_F_EWOW64PROCESS_Peb].offset != INV_NO_OFFSET;
	if (!wow64.ok || wow64.u == 0 || !has_structure)
		return wow64;
	return inv_field(kernel, wow64.u, INV_F_EWOW64PROCESS_Peb);
}
