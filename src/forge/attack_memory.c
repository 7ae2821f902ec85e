// SPDX-License-Identifier: Apache-2.0
// Words that lie about user memory: about VADs, page tables and sections, as a driver with access to kernel memory does. And a few
// that are honest and rare.
#include <string.h>

#include "forge/parts.h"
#include "forge/pfn.h"
#include "forge/user.h"
#include "forge/words.h"

#define PAGE INV_RAM_PAGE
#define ENTRIES 512u
#define KERNEL_START 0xffff800000000000ull
#define DEVICE_PHYSICAL 1u // MI_VAD_TYPE: VadDevicePhysicalMemory
#define LOCKED 1u          // EX_PUSH_LOCK.Locked

static struct inv_forge_vad *check_vad(lua_State *lua, const struct inv_forge_process *process, int index)
{
	struct inv_forge_vad *vad = inv_machine_vad_of(process, inv_word_value(lua, index));
	if (!vad)
		luaL_error(lua, "no range is there");
	else if (!vad->address)
		luaL_error(lua, "the VADs of this kernel are not known");
	return vad;
}

static int finish(lua_State *lua, const char *operation, const struct inv_forge_process *process, bool lie)
{
	inv_word_note(lua, operation, process->address, lie);
	inv_word_check(lua);
	return 0;
}

// -- VADs -------------------------------------------------------------------------------------------------------------------

static void unlink_view(struct inv_machine *machine, const struct inv_forge_vad *vad)
{
	inv_machine_count_view(machine, vad->area, -1);
	if (!inv_machine_has(machine, INV_F_MMVAD_ViewLinks) || !inv_machine_has(machine, INV_F_CONTROL_AREA_ViewList))
		return;
	uint64_t links = inv_machine_at(machine, vad->address, INV_F_MMVAD_ViewLinks);
	uint64_t next = inv_machine_get64(machine, links), previous = inv_machine_get64(machine, links + 8);
	if (!next || !previous)
		return;
	inv_machine_put64(machine, previous, next);
	inv_machine_put64(machine, next + 8, previous);
}

static int word_unlink_vad(lua_State *lua)
{
	static const char *const known[] = {"count", "hint", "view", NULL};
	struct inv_machine *machine = inv_word_machine(lua);
	struct inv_forge_process *process = inv_word_user_process(lua, 1);
	const struct inv_forge_vad *found = check_vad(lua, process, 2);
	struct inv_forge_vad vad = *found;
	bool options = !lua_isnoneornil(lua, 3), count = false, hint = false, view = false;
	if (options) {
		inv_word_check_keys(lua, 3, known);
		count = inv_word_key_flag(lua, 3, "count", false);
		hint = inv_word_key_flag(lua, 3, "hint", false);
		view = inv_word_key_flag(lua, 3, "view", false);
	}
	inv_machine_sync_pfn(machine);
	uint64_t old_count = inv_count(process->vads);
	stbds_arrdel(process->vads, (size_t)(found - process->vads));
	inv_machine_link_vads(machine, process);
	if (!count) {
		inv_machine_put(machine, process->address, INV_F_EPROCESS_VadCount, old_count);
		inv_machine_put(machine, process->address, INV_F_EPROCESS_VadRootElements, old_count);
	}
	if (!hint)
		inv_machine_put(machine, process->address, INV_F_EPROCESS_VadHint, vad.address);
	if (view && vad.area)
		unlink_view(machine, &vad);
	return finish(lua, "unlink_vad", process, true);
}

static void put_vpn(struct inv_machine *machine, uint64_t vad, enum inv_field low, enum inv_field high,
                    uint64_t address)
{
	inv_machine_put(machine, vad, low, address / PAGE & 0xffffffff);
	inv_machine_put(machine, vad, high, address / PAGE >> 32);
}

static int word_set_vad(lua_State *lua)
{
	static const char *const known[] = {"protect", "type", "start", "last", "owner", "parent", NULL};
	struct inv_machine *machine = inv_word_machine(lua);
	struct inv_forge_process *process = inv_word_user_process(lua, 1);
	uint64_t vad = check_vad(lua, process, 2)->address;
	inv_word_check_keys(lua, 3, known);
	inv_machine_sync_pfn(machine);
	const char *protect = inv_word_key_text(lua, 3, "protect");
	uint64_t start = inv_word_key_value(lua, 3, "start", 0), last = inv_word_key_value(lua, 3, "last", 0);
	uint64_t owner = inv_word_key_value(lua, 3, "owner", 0), parent = inv_word_key_value(lua, 3, "parent", 0);
	uint64_t type = inv_word_key_value(lua, 3, "type", UINT64_MAX);
	if (protect)
		inv_machine_put(machine, vad, INV_F_MMVAD_SHORT_Protection, inv_word_protection(lua, protect));
	if (type != UINT64_MAX)
		inv_machine_put(machine, vad, INV_F_MMVAD_SHORT_VadType, type);
	if (start)
		put_vpn(machine, vad, INV_F_MMVAD_SHORT_StartingVpn, INV_F_MMVAD_SHORT_StartingVpnHigh, start);
	if (last)
		put_vpn(machine, vad, INV_F_MMVAD_SHORT_EndingVpn, INV_F_MMVAD_SHORT_EndingVpnHigh, last);
	if (owner)
		inv_machine_put(machine, vad, INV_F_MMVAD_VadsProcess, owner);
	if (parent)
		inv_machine_put(machine, vad, INV_F_MMVAD_SHORT_ParentValue, parent);
	return finish(lua, "set_vad", process, true);
}

static int word_lock_ranges(lua_State *lua)
{
	struct inv_machine *machine = inv_word_machine(lua);
	struct inv_forge_process *process = inv_word_user_process(lua, 1);
	inv_machine_put(machine, process->address, INV_F_EPROCESS_AddressCreationLock, LOCKED);
	return finish(lua, "lock_ranges", process, false);
}

static int word_count_views(lua_State *lua)
{
	struct inv_machine *machine = inv_word_machine(lua);
	struct inv_forge_process *process = inv_word_user_process(lua, 1);
	const struct inv_forge_vad *vad = check_vad(lua, process, 2);
	if (!vad->area)
		return luaL_error(lua, "private memory has no section");
	inv_machine_add_to(machine, vad->area->address, INV_F_CONTROL_AREA_NumberOfMappedViews,
	                   (int64_t)luaL_checkinteger(lua, 3));
	return finish(lua, "count_views", process, true);
}

// -- page tables ------------------------------------------------------------------------------------------------------------

// The frame that a process, or the kernel, sees at an address.
static uint64_t frame_at(lua_State *lua, const struct inv_maps *maps, uint64_t address)
{
	uint64_t physical;
	if (!inv_maps_translate(maps, address, &physical))
		luaL_error(lua, "nothing is mapped there");
	return physical & INV_PTE_FRAME;
}

// What the PTE shall lead to; 0: what it does already.
static uint64_t wanted_frame(lua_State *lua, const struct inv_machine *machine, int table)
{
	uint64_t physical = inv_word_key_value(lua, table, "physical", 0), at = inv_word_key_value(lua, table, "at", 0);
	if (physical || !at)
		return physical & INV_PTE_FRAME;
	if (at >= KERNEL_START)
		return frame_at(lua, &machine->maps, at);
	lua_getfield(lua, table, "to");
	const struct inv_forge_process *other = inv_word_user_process(lua, lua_gettop(lua));
	lua_pop(lua, 1);
	return frame_at(lua, &other->maps, at);
}

static uint64_t with_flag(lua_State *lua, int table, const char *key, uint64_t pte, uint64_t set, uint64_t clear)
{
	if (lua_getfield(lua, table, key) != LUA_TNIL)
		pte = lua_toboolean(lua, -1) ? (pte | set) & ~clear : (pte | clear) & ~set;
	lua_pop(lua, 1);
	return pte;
}

static int word_set_pte(lua_State *lua)
{
	static const char *const known[] = {"write", "execute", "user", "to", "at", "physical", "large", NULL};
	struct inv_machine *machine = inv_word_machine(lua);
	struct inv_forge_process *process = inv_word_user_process(lua, 1);
	uint64_t address = inv_word_value(lua, 2), pte = inv_maps_get_pte(&process->maps, address);
	inv_word_check_keys(lua, 3, known);
	if (inv_word_key_flag(lua, 3, "large", false)) {
		inv_machine_sync_pfn(machine);
		uint64_t around = wanted_frame(lua, machine, 3) / INV_LARGE_PAGE * INV_LARGE_PAGE;
		inv_maps_map(&process->maps, address / INV_LARGE_PAGE * INV_LARGE_PAGE, around,
		             INV_PTE_LARGE | INV_PTE_USER | INV_PTE_WRITE | INV_PTE_MAY_WRITE | INV_PTE_NX);
		return finish(lua, "set_pte", process, true);
	}
	if (!(pte & INV_PTE_VALID))
		return luaL_error(lua, "no page is mapped there");
	inv_machine_sync_pfn(machine);
	uint64_t frame = wanted_frame(lua, machine, 3);
	pte = with_flag(lua, 3, "write", pte, INV_PTE_WRITE | INV_PTE_MAY_WRITE | INV_PTE_DIRTY, INV_PTE_COPY_ON_WRITE);
	pte = with_flag(lua, 3, "execute", pte, 0, INV_PTE_NX);
	pte = with_flag(lua, 3, "user", pte, INV_PTE_USER, 0);
	if (frame)
		pte = (pte & ~INV_PTE_FRAME) | frame;
	inv_maps_set_pte(&process->maps, address, pte);
	return finish(lua, "set_pte", process, true);
}

static void put_user_pte(struct inv_machine *machine, struct inv_forge_process *process, uint64_t address, uint64_t pte)
{
	inv_maps_set_pte(&process->maps, address, pte);
	if (process->user_dtb)
		inv_machine_make_shadow(machine, process); // the entry of the root may be new
}

static int word_map_page(lua_State *lua)
{
	static const char *const known[] = {"protect", "bytes", NULL};
	struct inv_machine *machine = inv_word_machine(lua);
	struct inv_forge_process *process = inv_word_user_process(lua, 1);
	uint64_t address = inv_word_value(lua, 2) & ~(uint64_t)(PAGE - 1);
	inv_word_check_keys(lua, 3, known);
	if (inv_machine_vad_of(process, address))
		return luaL_error(lua, "a range is there");
	const char *protect = inv_word_key_text(lua, 3, "protect"), *bytes = inv_word_key_text(lua, 3, "bytes");
	unsigned protection = protect ? inv_word_protection(lua, protect) : INV_MM_EXECUTE_READWRITE;
	uint64_t frame = inv_ram_take(machine->ram, INV_RAM_USER);
	uint64_t pte = inv_pte_user(frame, protection);
	put_user_pte(machine, process, address, pte & INV_PTE_MAY_WRITE ? pte | INV_PTE_WRITE | INV_PTE_DIRTY : pte);
	if (bytes)
		inv_ram_write(machine->ram, frame, bytes, strlen(bytes) < PAGE ? strlen(bytes) : PAGE);
	return finish(lua, "map_page", process, true);
}

static uint64_t entry_place(uint64_t table, uint64_t address, unsigned level)
{
	return table + (address >> (12 + 9 * (level - 1)) & (ENTRIES - 1)) * 8;
}

// The tables above are those of all processes, but for the entry of the root.
static int word_open_kernel(lua_State *lua)
{
	struct inv_machine *machine = inv_word_machine(lua);
	struct inv_forge_process *process = inv_word_user_process(lua, 1);
	uint64_t address = inv_word_value(lua, 2), table = process->maps.root;
	for (unsigned level = process->maps.levels; level > 0; level--) {
		uint64_t at = entry_place(table, address, level), entry = inv_ram_get64(machine->ram, at);
		if (address < KERNEL_START || !(entry & INV_PTE_VALID))
			return luaL_error(lua, "the kernel has nothing there");
		inv_ram_put64(machine->ram, at, entry | INV_PTE_USER);
		if (level > 1 && entry & INV_PTE_LARGE)
			break;
		table = entry & INV_PTE_FRAME;
	}
	return finish(lua, "open_kernel", process, true);
}

static int word_fork_table(lua_State *lua)
{
	struct inv_machine *machine = inv_word_machine(lua);
	struct inv_forge_process *process = inv_word_user_process(lua, 1);
	uint64_t address = inv_word_value(lua, 2);
	uint64_t at = entry_place(process->maps.root, address, process->maps.levels);
	uint64_t entry = inv_ram_get64(machine->ram, at), copy = inv_ram_take(machine->ram, INV_RAM_KERNEL);
	if (address < KERNEL_START)
		return luaL_error(lua, "that is no address of the kernel half");
	uint8_t bytes[PAGE] = {0};
	if (entry & INV_PTE_VALID)
		inv_ram_read(machine->ram, entry & INV_PTE_FRAME, bytes, sizeof bytes);
	inv_ram_write(machine->ram, copy, bytes, sizeof bytes);
	inv_ram_put64(machine->ram, at, (entry & ~INV_PTE_FRAME) | copy | INV_PTE_VALID);
	return finish(lua, "fork_table", process, true);
}

// -- honest and rare --------------------------------------------------------------------------------------------------------

// The prototype PTE of a combined page stands in a block of pool of its own. (That it is one of paged pool, and its tag, were not
// verified.)
static int word_combine(lua_State *lua)
{
	struct inv_machine *machine = inv_word_machine(lua);
	struct inv_forge_process *processes[2] = {inv_word_user_process(lua, 1), inv_word_user_process(lua, 3)};
	uint64_t addresses[2] = {inv_word_value(lua, 2), inv_word_value(lua, 4)}, ptes[2];
	for (unsigned i = 0; i < 2; i++) {
		ptes[i] = inv_maps_get_pte(&processes[i]->maps, addresses[i]);
		const struct inv_forge_vad *vad = inv_machine_vad_of(processes[i], addresses[i]);
		if (!(ptes[i] & INV_PTE_VALID) || !vad || vad->area)
			return luaL_error(lua, "no private page is there");
	}
	inv_machine_sync_pfn(machine);
	uint64_t frame = ptes[0] & INV_PTE_FRAME, prototype = inv_machine_pool(machine, &machine->pool, 0x20, "MmPc");
	inv_machine_put64(machine, prototype,
	                  frame | INV_PTE_VALID | INV_PTE_ACCESSED | INV_PTE_COPY_ON_WRITE | INV_PTE_NX);
	for (unsigned i = 0; i < 2; i++) {
		uint64_t flags = (ptes[i] & ~(INV_PTE_FRAME | INV_PTE_WRITE | INV_PTE_MAY_WRITE | INV_PTE_DIRTY));
		inv_maps_set_pte(&processes[i]->maps, addresses[i], flags | frame | INV_PTE_COPY_ON_WRITE);
	}
	uint64_t entry = inv_machine_pfn_of(machine, frame);
	if (entry) {
		inv_machine_put(machine, entry, INV_F_MMPFN_PrototypePte, 1);
		inv_machine_put(machine, entry, INV_F_MMPFN_PteAddress, prototype);
		inv_machine_put(machine, entry, INV_F_MMPFN_PteFrame, frame_at(lua, &machine->maps, prototype) / PAGE);
		inv_machine_put(machine, entry, INV_F_MMPFN_ShareCount, 2);
	}
	inv_machine_move_frame(machine, ptes[1] & INV_PTE_FRAME, INV_PFN_FREE);
	return finish(lua, "combine", processes[0], false);
}

static int word_show(lua_State *lua)
{
	static const char *const known[] = {"kernel", "at", "write", NULL};
	struct inv_machine *machine = inv_word_machine(lua);
	struct inv_forge_process *process = inv_word_user_process(lua, 1);
	inv_word_check_keys(lua, 2, known);
	uint64_t kernel = inv_word_key_value(lua, 2, "kernel", 0), at = inv_word_key_value(lua, 2, "at", 0);
	uint64_t frame = frame_at(lua, &machine->maps, kernel);
	bool write = inv_word_key_flag(lua, 2, "write", false);
	inv_machine_sync_pfn(machine);
	uint64_t start = inv_machine_reserve(machine, process, at, PAGE, write ? INV_MM_READWRITE : INV_MM_READONLY);
	if (!start)
		return luaL_error(lua, "a range is there");
	const struct inv_forge_vad *vad = inv_machine_vad_of(process, start);
	if (vad && vad->address && !at)
		inv_machine_put(machine, vad->address, INV_F_MMVAD_SHORT_VadType, DEVICE_PHYSICAL);
	uint64_t pte = inv_pte_user(frame, write ? INV_MM_READWRITE : INV_MM_READONLY);
	put_user_pte(machine, process, start, write ? pte | INV_PTE_WRITE | INV_PTE_DIRTY : pte);
	inv_word_note(lua, "show", process->address, false);
	inv_word_check(lua);
	lua_pushinteger(lua, (lua_Integer)start);
	return 1;
}

const luaL_Reg inv_memory_attacks[] = {
    {"unlink_vad", word_unlink_vad},
    {"set_vad", word_set_vad},
    {"lock_ranges", word_lock_ranges},
    {"count_views", word_count_views},
    {"set_pte", word_set_pte},
    {"map_page", word_map_page},
    {"open_kernel", word_open_kernel},
    {"fork_table", word_fork_table},
    {"combine", word_combine},
    {"show", word_show},
    {NULL, NULL},
};
