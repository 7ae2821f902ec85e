// SPDX-License-Identifier: Apache-2.0
// W32PROCESS, THREADINFO, desktops and DXGPROCESS. None of them is in the kernel's symbol tables: heads, tags and sizes are published
// (Chappell; pooltag.txt of the debugger), members of tagTHREADINFO and tagDESKTOP for 7, 8 and from 15063 on (Volatility 2). What
// stands here for builds between these, or past them, is the forge's own choice and not verified; so is the content beside what is named.
#include "forge/win32k.h"

#include <string.h>

#include "base/bytes.h"
#include "forge/parts.h"
#include "forge/peb.h"
#include "forge/user.h"

#define PAGE INV_RAM_PAGE
#define POOL_HEADER_SIZE 0x10u
#define SESSION_SLOT_7 0x1f2u // fffff900'00000000, where session space was until it was placed by chance
#define SESSION_SLOT 0x1e8u   // from here on four slots that no other region uses
#define SESSION_SPACE_57 0xff01000000000000u
#define SESSION_POOL 0xc0000000u // of the space: where Windows 7 has its paged pool
#define TABLE (INV_PTE_VALID | INV_PTE_WRITE | INV_PTE_ACCESSED | INV_PTE_DIRTY)

// W32PROCESS
#define W32_REF_COUNT 0x08u
#define W32_NEXT_START 0x20u
#define W32_PID 0x38u
#define W32_DXPROCESS 0xf8u // until 8.1
#define W32_FLAGS_GUI 0x01u
// tagTHREADINFO; rpdesk: from 15063 on 1b8, before that not verified
#define THREADINFO_SIZE 0x400u
#define THREADINFO_RPDESK 0x1b8u
// tagDESKTOP
#define DESKTOP_SIZE 0x100u
#define DXGPROCESS_SIZE 0x180u

// -- session space ----------------------------------------------------------------------------------------------------------

static unsigned session_slot(const struct inv_machine *machine)
{
	if (machine->maps.levels == 5)
		return 0x101;
	return machine->build < 14393 ? SESSION_SLOT_7 : SESSION_SLOT + (unsigned)(machine->config.seed % 4);
}

static uint64_t session_space(const struct inv_machine *machine)
{
	if (machine->maps.levels == 5)
		return SESSION_SPACE_57;
	return 0xffff000000000000u | (uint64_t)session_slot(machine) << 39;
}

void inv_machine_map_session(struct inv_machine *machine, const struct inv_forge_process *process)
{
	struct inv_forge_session *session = process->session;
	if (!process->maps.root || !session)
		return;
	if (!session->space.root) // all tables beneath the roots are the session's own
		inv_maps_init(&session->space, machine->ram, inv_ram_take(machine->ram, INV_RAM_KERNEL),
		              machine->maps.levels - 1);
	inv_ram_put64(machine->ram, process->maps.root + 8ull * session_slot(machine), session->space.root | TABLE);
}

static bool is_of_session(const struct inv_machine *machine, const struct inv_forge_session *session, uint64_t address)
{
	uint64_t space = session_space(machine);
	return session && session->space.root && address - space < 1ull << 39;
}

static bool find(const struct inv_machine *machine, const struct inv_forge_session *session, uint64_t address,
                 uint64_t *physical)
{
	const struct inv_maps *maps = is_of_session(machine, session, address) ? &session->space : &machine->maps;
	return inv_maps_translate(maps, address, physical);
}

uint64_t inv_session_get64(const struct inv_machine *machine, const struct inv_forge_session *session, uint64_t address)
{
	uint64_t physical;
	return find(machine, session, address, &physical) ? inv_ram_get64(machine->ram, physical) : 0;
}

void inv_session_put64(struct inv_machine *machine, const struct inv_forge_session *session, uint64_t address,
                       uint64_t value)
{
	uint64_t physical;
	if (find(machine, session, address, &physical)) {
		inv_ram_put64(machine->ram, physical, value);
		return;
	}
	if (!machine->fault)
		machine->fault_address = address;
	machine->fault = true;
}

// A block of the session's paged pool; the address of its body. None crosses a page.
static uint64_t session_pool(struct inv_machine *machine, struct inv_forge_session *session, uint32_t size,
                             const char tag[5])
{
	if (!session || !session->space.root)
		return inv_machine_pool(machine, &machine->paged, size, tag);
	uint64_t whole = (POOL_HEADER_SIZE + (uint64_t)size + 15) / 16 * 16;
	if (!session->next)
		session->next = session->mapped = session_space(machine) + SESSION_POOL;
	if (session->next / PAGE != (session->next + whole - 1) / PAGE)
		session->next = (session->next / PAGE + 1) * PAGE;
	uint64_t at = session->next;
	session->next += whole;
	for (; session->mapped < session->next; session->mapped += PAGE)
		inv_maps_map(&session->space, session->mapped, inv_ram_take(machine->ram, INV_RAM_KERNEL),
		             INV_PTE_WRITE | INV_PTE_NX);
	uint64_t used = 2; // PoolType
	uint64_t header = whole / 16 << 16 | used << 24 | (uint64_t)inv_le32((const uint8_t *)tag) << 32;
	inv_session_put64(machine, session, at, header);
	inv_session_put64(machine, session, at + 8, 0);
	return at + POOL_HEADER_SIZE;
}

static void free_block(struct inv_machine *machine, const struct inv_forge_session *session, uint64_t body)
{
	uint64_t header = body - POOL_HEADER_SIZE;
	uint64_t pool_type = 0xffull << 24;
	inv_session_put64(machine, session, header, inv_session_get64(machine, session, header) & ~pool_type);
}

// -- W32PROCESS -------------------------------------------------------------------------------------------------------------

static uint32_t w32_size(const struct inv_machine *machine)
{
	static const struct {
		uint16_t build, size; // from this build on
	} sizes[] = {{17134, 0x420}, {16299, 0x410}, {15063, 0x3f8}, {10586, 0x3d8},
	             {10240, 0x3e8}, {9600, 0x360},  {9200, 0x358}};
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
		if (machine->build >= sizes[i].build)
			return sizes[i].size;
	return 0x320;
}

static void put32(struct inv_machine *machine, const struct inv_forge_session *session, uint64_t at, uint32_t low,
                  uint32_t high)
{
	inv_session_put64(machine, session, at, (uint64_t)high << 32 | low);
}

void inv_machine_give_win32(struct inv_machine *machine, struct inv_forge_process *process)
{
	struct inv_forge_session *session = process->session;
	uint64_t win32 = session_pool(machine, session, w32_size(machine), "Uspi");
	process->win32 = win32;
	inv_session_put64(machine, session, win32, process->address);
	put32(machine, session, win32 + W32_REF_COUNT, 1, W32_FLAGS_GUI);
	inv_session_put64(machine, session, win32 + W32_PID, process->pid & ~3ull);
	if (session) {
		inv_session_put64(machine, session, win32 + W32_NEXT_START, session->first_win32);
		session->first_win32 = win32;
	}
	inv_machine_put(machine, process->address, INV_F_EPROCESS_Win32Process, win32);
}

uint64_t inv_win32_copy(struct inv_machine *machine, const struct inv_forge_process *process)
{
	if (!process->win32)
		return 0;
	uint64_t copy = session_pool(machine, process->session, w32_size(machine), "Uspi");
	for (uint32_t at = 0; at < w32_size(machine); at += 8)
		inv_session_put64(machine, process->session, copy + at,
		                  inv_session_get64(machine, process->session, process->win32 + at));
	return copy;
}

// Off the process start list.
static void leave_start_list(struct inv_machine *machine, struct inv_forge_session *session, uint64_t win32)
{
	uint64_t next = inv_session_get64(machine, session, win32 + W32_NEXT_START), at = session->first_win32;
	if (at == win32)
		session->first_win32 = next;
	for (unsigned i = 0; at && at != win32 && i < INV_FORGE_MAX_PROCESSES; i++) {
		uint64_t following = inv_session_get64(machine, session, at + W32_NEXT_START);
		if (following == win32)
			inv_session_put64(machine, session, at + W32_NEXT_START, next);
		at = following;
	}
}

void inv_machine_drop_win32(struct inv_machine *machine, struct inv_forge_process *process)
{
	inv_machine_put(machine, process->address, INV_F_EPROCESS_Win32Process, 0);
	inv_machine_put(machine, process->address, INV_F_EPROCESS_DxgProcess, 0);
	if (process->dxg)
		inv_machine_free_pool(machine, process->dxg);
	if (process->win32 && process->session)
		leave_start_list(machine, process->session, process->win32);
	if (process->win32)
		free_block(machine, process->session, process->win32);
	process->win32 = process->dxg = 0;
}

// -- THREADINFO and desktops ------------------------------------------------------------------------------------------------

uint32_t inv_win32_ppi(const struct inv_machine *machine)
{
	return machine->build < 9200 ? 0x158 : machine->build < 10240 ? 0x170 : 0x190;
}

uint32_t inv_win32_pti_link(const struct inv_machine *machine)
{
	return machine->build < 9200 ? 0x1b0 : machine->build < 10240 ? 0x280 : 0x2c8;
}

uint32_t inv_win32_pti_list(const struct inv_machine *machine)
{
	return machine->build < 10240 ? 0xa0 : 0xa8;
}

static void unlink_thread(struct inv_machine *machine, const struct inv_forge_session *session, uint64_t entry)
{
	uint64_t next = inv_session_get64(machine, session, entry);
	uint64_t previous = inv_session_get64(machine, session, entry + 8);
	if (!next || !previous)
		return;
	inv_session_put64(machine, session, previous, next);
	inv_session_put64(machine, session, next + 8, previous);
}

void inv_win32_set_desktop(struct inv_machine *machine, struct inv_forge_thread *thread, uint64_t desktop)
{
	const struct inv_forge_session *session = thread->process->session;
	uint64_t entry = thread->win32 + inv_win32_pti_link(machine);
	if (!thread->win32)
		return;
	unlink_thread(machine, session, entry);
	inv_session_put64(machine, session, thread->win32 + THREADINFO_RPDESK, desktop);
	uint64_t head = desktop ? desktop + inv_win32_pti_list(machine) : entry;
	uint64_t last = desktop ? inv_session_get64(machine, session, head + 8) : entry;
	inv_session_put64(machine, session, entry, head);
	inv_session_put64(machine, session, entry + 8, last);
	inv_session_put64(machine, session, last, entry);
	inv_session_put64(machine, session, head + 8, entry);
}

static uint64_t named_object(struct inv_machine *machine, enum inv_forge_type type, const char *type_name,
                             const char tag[5], enum inv_symbol symbol, const char *name)
{
	if (!machine->types[type]) {
		uint64_t made = inv_machine_make_type(machine, type_name, (uint8_t)type);
		if (inv_machine_symbol(machine, symbol))
			inv_machine_put64(machine, inv_machine_symbol(machine, symbol), made);
	}
	uint64_t object =
	    inv_machine_named_object(machine, DESKTOP_SIZE, tag, (uint8_t)type, INV_HEADER_NAME | INV_HEADER_QUOTA, name);
	inv_machine_put(machine, inv_machine_header(machine, object), INV_F_OBJECT_HEADER_HandleCount, 0);
	return object;
}

// tagDESKTOP: dwSessionId at 0, rpdeskNext and rpwinstaParent, PtiList.
static uint64_t make_desktop(struct inv_machine *machine, const struct inv_forge_session *session, uint64_t station,
                             const char *name, uint64_t next)
{
	uint64_t desktop = named_object(machine, INV_FORGE_DESKTOP, "Desktop", machine->build < 9200 ? "Des\xeb" : "Desk",
	                                INV_S_ExDesktopObjectType, name);
	uint32_t links = machine->build < 9200 || machine->build >= 10240 ? 0x20 : 0x10;
	inv_machine_put64(machine, desktop, session->id);
	inv_machine_put64(machine, desktop + links, next);
	inv_machine_put64(machine, desktop + links + 8, station);
	inv_machine_list_init(machine, desktop + inv_win32_pti_list(machine));
	inv_push(machine->desktops,
	         ((struct inv_forge_desktop){desktop, station, session->id, inv_arena_strdup(machine->arena, name)}));
	return desktop;
}

static uint64_t make_station(struct inv_machine *machine, const struct inv_forge_session *session, const char *name)
{
	uint64_t station = named_object(machine, INV_FORGE_WINDOW_STATION, "WindowStation",
	                                machine->build < 9200 ? "Win\xe4" : "Wind", INV_S_ExWindowStationObjectType, name);
	inv_machine_put64(machine, station, session->id);
	return station;
}

#define STATION_ACCESS 0xf037fu
#define DESKTOP_ACCESS 0xf01ffu

static void make_desktops(struct inv_machine *machine, struct inv_forge_session *session)
{
	if (session->desktops)
		return;
	session->desktops = true;
	if (session->id == 0) // where services are that have no user's desktop
		(void)make_desktop(machine, session, make_station(machine, session, "Service-0x0-3e7$"), "Default", 0);
	uint64_t station = make_station(machine, session, "WinSta0"), next = 0;
	static const char *const names[] = {"Disconnect", "Default", "Winlogon"};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		next = make_desktop(machine, session, station, names[i], next);
}

uint64_t inv_win32_desktop(const struct inv_machine *machine, uint32_t session, const char *name)
{
	for (size_t i = 0; i < inv_count(machine->desktops); i++)
		if (machine->desktops[i].session == session && strcmp(machine->desktops[i].name, name) == 0)
			return machine->desktops[i].address;
	return 0;
}

void inv_machine_give_win32_thread(struct inv_machine *machine, struct inv_forge_thread *thread)
{
	struct inv_forge_process *process = thread->process;
	struct inv_forge_session *session = process->session;
	uint64_t win32 = session_pool(machine, session, THREADINFO_SIZE, "Usti");
	thread->win32 = win32;
	inv_session_put64(machine, session, win32, thread->address); // pEThread
	inv_session_put64(machine, session, win32 + inv_win32_ppi(machine), process->win32);
	inv_machine_put(machine, thread->address, INV_F_KTHREAD_Win32Thread, win32);
	inv_machine_put(machine, thread->address, INV_F_KTHREAD_GuiThread, 1);
	// Until 1607 user mode could read where it stands (public practice; what stands there since is not verified).
	if (process->user && thread->teb && machine->build < 15063)
		inv_machine_put_half(machine, process, &process->user->half[0], thread->teb, INV_F_TEB_Win32ThreadInfo, win32);
	if (!session)
		return;
	make_desktops(machine, session);
	inv_win32_set_desktop(machine, thread, inv_win32_desktop(machine, session->id, "Default"));
}

static void open_once(struct inv_machine *machine, struct inv_forge_process *process, uint64_t object, uint32_t access)
{
	for (size_t i = 0; i < inv_count(process->handles); i++)
		if (process->handles[i].object == object)
			return;
	(void)inv_machine_open(machine, process, object, access, 0);
}

void inv_machine_join_desktop(struct inv_machine *machine, struct inv_forge_thread *thread)
{
	struct inv_forge_process *process = thread->process;
	inv_machine_give_win32_thread(machine, thread);
	for (size_t i = 0; process->session && i < inv_count(machine->desktops); i++) {
		const struct inv_forge_desktop *desktop = &machine->desktops[i];
		if (desktop->session != process->session->id || strcmp(desktop->name, "Default") != 0)
			continue;
		open_once(machine, process, desktop->station, STATION_ACCESS);
		open_once(machine, process, desktop->address, DESKTOP_ACCESS);
		return;
	}
}

void inv_machine_drop_win32_thread(struct inv_machine *machine, struct inv_forge_thread *thread)
{
	inv_machine_put(machine, thread->address, INV_F_KTHREAD_Win32Thread, 0);
	if (!thread->win32)
		return;
	unlink_thread(machine, thread->process->session, thread->win32 + inv_win32_pti_link(machine));
	free_block(machine, thread->process->session, thread->win32);
	thread->win32 = 0;
}

// -- DXGPROCESS -------------------------------------------------------------------------------------------------------------

uint32_t inv_dxg_process(const struct inv_machine *machine)
{
	return machine->build >= 10240 && machine->build < 15063 ? 0x30 : 0x38;
}

uint64_t inv_dxg_make(struct inv_machine *machine, const struct inv_forge_process *process)
{
	uint64_t dxg = inv_machine_pool(machine, &machine->paged, DXGPROCESS_SIZE, "DxgP");
	uint32_t slot = inv_dxg_process(machine);
	inv_machine_put64(machine, dxg, 1); // references, as the forge chooses
	inv_machine_put64(machine, dxg + slot, process->address);
	if (machine->build < 22000) // later builds leave the next slot empty
		inv_machine_put64(machine, dxg + slot + 8, process->pid);
	return dxg;
}

// 8.1 and earlier lead there from W32PROCESS; of 1507 and 1511 it is not known from where.
static void lead_to_graphics(struct inv_machine *machine, const struct inv_forge_process *process)
{
	inv_machine_put(machine, process->address, INV_F_EPROCESS_DxgProcess, process->dxg);
	if (machine->build < 10240 && process->win32)
		inv_session_put64(machine, process->session, process->win32 + W32_DXPROCESS, process->dxg);
}

void inv_machine_give_graphics(struct inv_machine *machine, struct inv_forge_process *process)
{
	struct inv_forge_process *system = machine->processes[1];
	if (!system->dxg && process != system)
		inv_machine_give_graphics(machine, system); // dxgkrnl makes System's when it starts
	process->dxg = inv_dxg_make(machine, process);
	lead_to_graphics(machine, process);
}
