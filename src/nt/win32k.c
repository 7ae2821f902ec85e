// SPDX-License-Identifier: Apache-2.0
#include "nt/win32k.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/bytes.h"
#include "nt/object.h"

#define POOL_HEADER_SIZE 0x10u
#define W32_PID 0x38u
#define W32_DXPROCESS 0xf8u
#define INFO_END 0x400u // members of tagTHREADINFO are looked for below this
#define INFO_SLOTS (INFO_END / 8)
#define MOST_EYES 256u
#define EYES_OF_SESSION 4u
#define MOST_LOST 4096u // blocks that are looked for with the eyes of all sessions
#define MOST_RECORDS ((size_t)1 << 20)
#define MOST_DESKTOPS 4096u
#define MOST_MEMBERS ((size_t)1 << 18)

// Published: 7 SP1, 8, and 15063 and later.
static const uint32_t ppi_offsets[] = {0x158, 0x170, 0x190};
// Published: 8, and 15063 and later.
static const uint32_t link_offsets[] = {0x280, 0x2c8};
static const uint32_t list_offsets[] = {0xa0, 0xa8};

struct inv_eye {
	uint64_t session; // EPROCESS.Session, 0: of a process that names none
	uint64_t process; // whose page tables these are
	struct inv_user *user;
};

struct inv_win32k *inv_win32k_new(const struct inv_kernel *kernel)
{
	struct inv_win32k *win32k = inv_alloc(sizeof *win32k);
	win32k->kernel = kernel;
	win32k->ppi_votes = inv_alloc(INFO_SLOTS * sizeof *win32k->ppi_votes);
	win32k->room = MOST_RECORDS;
	return win32k;
}

void inv_win32k_free(struct inv_win32k *win32k)
{
	if (!win32k)
		return;
	for (size_t i = 0; i < inv_count(win32k->eyes); i++)
		inv_user_close(win32k->eyes[i].user);
	inv_array_free(win32k->eyes);
	inv_array_free(win32k->blocks);
	inv_array_free(win32k->processes);
	inv_array_free(win32k->threads);
	inv_array_free(win32k->desktops);
	inv_array_free(win32k->members);
	free(win32k->ppi_votes);
	free(win32k);
}

static bool take_room(struct inv_win32k *win32k)
{
	if (win32k->room == 0)
		win32k->full = true;
	else
		win32k->room--;
	return !win32k->full;
}

static bool is_kernel_pointer(uint64_t value)
{
	return value >> 56 == 0xff && value % 8 == 0;
}

void inv_vote_count(struct inv_vote *vote, size_t agree, size_t voters, uint32_t offset, bool published)
{
	bool won = agree >= INV_VOTE_LEAST && (published ? agree > voters / 2 : agree == voters);
	if (!won || (vote->known && (vote->published || (!published && vote->agree >= agree))))
		return;
	*vote = (struct inv_vote){.known = true, .offset = offset, .published = published};
	vote->agree = agree;
	vote->voters = voters;
}

// -- eyes -------------------------------------------------------------------------------------------------------------------

static uint64_t session_of(const struct inv_kernel *kernel, uint64_t process)
{
	struct inv_value session = inv_field(kernel, process, INV_F_EPROCESS_Session);
	return session.ok ? session.u : 0;
}

// The page tables of one more process of a session, which showed what was asked for: `user` is theirs. Some may be spoilt, so that a
// session may have a few.
static void keep_eyes(struct inv_win32k *win32k, uint64_t process, struct inv_user *user)
{
	struct inv_eye eye = {.session = session_of(win32k->kernel, process), .process = process, .user = user};
	size_t count = 0;
	for (size_t i = 0; i < inv_count(win32k->eyes); i++)
		count += win32k->eyes[i].session == eye.session;
	if (count < EYES_OF_SESSION && inv_count(win32k->eyes) < MOST_EYES)
		inv_push(win32k->eyes, eye);
	else
		inv_user_close(user);
}

struct inv_value inv_win32k_read(struct inv_win32k *win32k, uint64_t process, uint64_t address,
                                 const uint64_t *expected, uint64_t *eyes)
{
	uint64_t session = session_of(win32k->kernel, process);
	struct inv_value best = {.address = address, .why = {.reason = INV_NOT_MAPPED, .address = address}};
	bool asked = false;
	*eyes = 0;
	for (size_t i = 0; i < inv_count(win32k->eyes); i++) {
		const struct inv_eye *eye = &win32k->eyes[i];
		if (eye->session != session)
			continue;
		struct inv_value value = inv_user_u64(eye->user, address);
		asked = asked || eye->process == process;
		if (!best.ok) {
			best = value;
			*eyes = value.ok ? eye->process : 0;
		}
		if (value.ok && (!expected || value.u == *expected)) {
			*eyes = eye->process;
			return value;
		}
	}
	struct inv_why why;
	struct inv_user *own = asked ? NULL : inv_user_open(win32k->kernel, process, &why);
	if (!own) // where there are no page tables, memory is the same for all
		return best.ok || asked ? best : inv_read_u64(win32k->kernel, address);
	struct inv_value seen = inv_user_u64(own, address);
	bool good = seen.ok && (!expected || seen.u == *expected);
	if (good)
		keep_eyes(win32k, process, own);
	else
		inv_user_close(own);
	if (!good && best.ok)
		return best;
	*eyes = seen.ok ? process : 0;
	return seen;
}

static bool shows(const struct inv_user *user, uint64_t address, uint64_t physical)
{
	uint64_t found;
	return inv_space_translate(inv_user_space(user), address, &found, NULL) && found == physical;
}

// Do eyes of the session (`any`: of whatever session), or the process' own page tables, have this address there in physical memory?
static bool translate(struct inv_win32k *win32k, uint64_t process, uint64_t address, uint64_t physical, bool any,
                      uint64_t *eyes)
{
	uint64_t session = session_of(win32k->kernel, process);
	for (size_t i = 0; i < inv_count(win32k->eyes); i++)
		if ((any || win32k->eyes[i].session == session) && shows(win32k->eyes[i].user, address, physical)) {
			*eyes = win32k->eyes[i].process;
			return true;
		}
	struct inv_why why;
	struct inv_user *own = any ? NULL : inv_user_open(win32k->kernel, process, &why);
	if (!own || !shows(own, address, physical)) {
		inv_user_close(own);
		return false;
	}
	*eyes = process;
	keep_eyes(win32k, process, own);
	return true;
}

// Reads session space with the eyes that were found to show it.
static size_t read_info(struct inv_win32k *win32k, uint64_t eyes, uint64_t address, uint8_t *raw, size_t size)
{
	for (size_t i = 0; i < inv_count(win32k->eyes); i++)
		if (win32k->eyes[i].process == eyes)
			return inv_space_read(inv_user_space(win32k->eyes[i].user), address, raw, size, NULL);
	struct inv_why why;
	struct inv_user *own = eyes ? inv_user_open(win32k->kernel, eyes, &why) : NULL;
	struct inv_space *space = own ? inv_user_space(own) : win32k->kernel->space;
	size_t read = space ? inv_space_read(space, address, raw, size, NULL) : 0;
	inv_user_close(own);
	return read;
}

static struct inv_value read_beside(struct inv_win32k *win32k, uint64_t eyes, uint64_t address)
{
	uint8_t raw[8];
	if (read_info(win32k, eyes, address, raw, sizeof raw) == sizeof raw)
		return (struct inv_value){.ok = true, .u = inv_le64(raw), .address = address};
	return (struct inv_value){.address = address, .why = {.reason = INV_NOT_MAPPED, .address = address}};
}

// -- W32PROCESS -------------------------------------------------------------------------------------------------------------

const struct inv_w32_block *inv_win32k_add_block(struct inv_win32k *win32k, uint64_t physical)
{
	uint8_t raw[POOL_HEADER_SIZE + 8];
	if (!win32k->kernel->image || inv_image_read(win32k->kernel->image, physical, raw, sizeof raw) < sizeof raw)
		return NULL;
	struct inv_w32_block block = {
	    .physical = physical, .process = inv_le64(raw + POOL_HEADER_SIZE), .used = raw[3] != 0};
	if (!is_kernel_pointer(block.process) || !take_room(win32k))
		return NULL;
	struct inv_value slot = inv_field(win32k->kernel, block.process, INV_F_EPROCESS_Win32Process);
	if (slot.ok && is_kernel_pointer(slot.u) &&
	    translate(win32k, block.process, slot.u, physical + POOL_HEADER_SIZE, false, &block.eyes))
		block.address = slot.u;
	inv_push(win32k->blocks, block);
	return &win32k->blocks[inv_count(win32k->blocks) - 1];
}

void inv_win32k_match_blocks(struct inv_win32k *win32k)
{
	size_t tried = 0;
	for (size_t i = 0; i < inv_count(win32k->blocks) && tried < MOST_LOST; i++) {
		struct inv_w32_block *block = &win32k->blocks[i];
		struct inv_value slot = {0};
		if (!block->address)
			slot = inv_field(win32k->kernel, block->process, INV_F_EPROCESS_Win32Process);
		if (!slot.ok || !is_kernel_pointer(slot.u))
			continue;
		tried++;
		if (translate(win32k, block->process, slot.u, block->physical + POOL_HEADER_SIZE, true, &block->eyes))
			block->address = slot.u;
	}
}

void inv_win32k_add_process(struct inv_win32k *win32k, uint64_t process)
{
	struct inv_w32_process record = {.process = process,
	                                 .slot = inv_field(win32k->kernel, process, INV_F_EPROCESS_Win32Process)};
	if (!record.slot.ok || record.slot.u == 0 || !take_room(win32k))
		return;
	uint64_t at = record.slot.u;
	record.back = inv_win32k_read(win32k, process, at, &process, &record.eyes);
	record.pid = read_beside(win32k, record.eyes, at + W32_PID);
	record.block = read_beside(win32k, record.eyes, at - POOL_HEADER_SIZE);
	inv_push(win32k->processes, record);
}

struct inv_value inv_win32k_dx(struct inv_win32k *win32k, uint64_t process)
{
	struct inv_value slot = inv_field(win32k->kernel, process, INV_F_EPROCESS_Win32Process);
	uint64_t eyes;
	if (!inv_knows(win32k->kernel, INV_W32_DXPROCESS_PLACE))
		return (struct inv_value){.why = {.reason = INV_NO_FIELD, .name = "W32PROCESS.DxProcess"}};
	if (!slot.ok)
		return slot;
	if (slot.u == 0) // System's, too, is led to by something else
		return (struct inv_value){.address = slot.address, .why = {.reason = INV_NO_POINTER, .address = slot.address}};
	struct inv_value back = inv_win32k_read(win32k, process, slot.u, &process, &eyes);
	if (!back.ok || back.u != process)
		return back.ok ? (struct inv_value){.address = slot.u, .why = {.reason = INV_NO_POINTER, .address = slot.u}}
		               : back;
	return read_beside(win32k, eyes, slot.u + W32_DXPROCESS);
}

// -- THREADINFO -------------------------------------------------------------------------------------------------------------

static void vote_on_ppi(struct inv_win32k *win32k, const struct inv_w32_thread *thread)
{
	uint8_t raw[INFO_END];
	size_t size = read_info(win32k, thread->eyes, thread->slot.u, raw, sizeof raw);
	win32k->voters++;
	for (size_t i = 1; i < size / 8; i++)
		win32k->ppi_votes[i] += inv_le64(raw + i * 8) == thread->win32.u;
}

void inv_win32k_add_thread(struct inv_win32k *win32k, uint64_t thread, uint64_t process)
{
	struct inv_w32_thread record = {
	    .thread = thread, .process = process, .slot = inv_field(win32k->kernel, thread, INV_F_KTHREAD_Win32Thread)};
	if (!record.slot.ok || record.slot.u == 0 || !take_room(win32k))
		return;
	record.back = inv_win32k_read(win32k, process, record.slot.u, &thread, &record.eyes);
	record.win32 = inv_field(win32k->kernel, process, INV_F_EPROCESS_Win32Process);
	if (record.back.ok && record.back.u == thread && record.win32.ok && record.win32.u)
		vote_on_ppi(win32k, &record);
	inv_push(win32k->threads, record);
}

void inv_win32k_settle(struct inv_win32k *win32k)
{
	for (size_t i = 0; i < sizeof ppi_offsets / sizeof *ppi_offsets; i++)
		inv_vote_count(&win32k->ppi, win32k->ppi_votes[ppi_offsets[i] / 8], win32k->voters, ppi_offsets[i], true);
	for (uint32_t i = 1; i < INFO_SLOTS && !win32k->ppi.published; i++)
		inv_vote_count(&win32k->ppi, win32k->ppi_votes[i], win32k->voters, i * 8, false);
	for (size_t i = 0; i < inv_count(win32k->threads) && win32k->ppi.known; i++) {
		struct inv_w32_thread *thread = &win32k->threads[i];
		thread->ppi = read_beside(win32k, thread->eyes, thread->slot.u + win32k->ppi.offset);
	}
}

// -- desktops ---------------------------------------------------------------------------------------------------------------

void inv_win32k_add_desktop(struct inv_win32k *win32k, uint64_t desktop, const char *name)
{
	struct inv_desktop record = {.address = desktop, .name = name, .session = inv_read_u32(win32k->kernel, desktop)};
	if (inv_count(win32k->desktops) < MOST_DESKTOPS)
		inv_push(win32k->desktops, record);
}

// A list that leads into session space returns only in the eyes of its own session.
static const struct inv_eye *eye_for_list(const struct inv_win32k *win32k, uint64_t head)
{
	struct inv_value first = inv_read_u64(win32k->kernel, head);
	for (size_t i = 0; first.ok && i < inv_count(win32k->eyes); i++) {
		struct inv_value back = inv_user_u64(win32k->eyes[i].user, first.u + 8);
		if (back.ok && back.u == head)
			return &win32k->eyes[i];
	}
	return NULL;
}

// Is a THREADINFO there: does its thread lead back to it?
static bool is_info(const struct inv_win32k *win32k, const struct inv_eye *eye, uint64_t info)
{
	struct inv_value thread = inv_user_u64(eye->user, info);
	if (!thread.ok || !is_kernel_pointer(thread.u))
		return false;
	struct inv_value slot = inv_field(win32k->kernel, thread.u, INV_F_KTHREAD_Win32Thread);
	return slot.ok && slot.u == info;
}

struct ballot {
	size_t links[INFO_SLOTS]; // by offset of the link
	size_t lists[sizeof list_offsets / sizeof *list_offsets];
	size_t entries, published;
	size_t left; // of the entries that may be looked at
};

// The offsets at which the entry could be PtiLink: those that are published first, any other only if none of these is right.
static bool vote_on_link(const struct inv_win32k *win32k, const struct inv_eye *eye, uint64_t entry,
                         struct ballot *ballot)
{
	for (size_t i = 0; i < sizeof link_offsets / sizeof *link_offsets; i++)
		if (is_info(win32k, eye, entry - link_offsets[i])) {
			ballot->links[link_offsets[i] / 8]++;
			return true;
		}
	bool found = false;
	for (uint32_t i = 1; i < INFO_SLOTS; i++) {
		bool here = is_info(win32k, eye, entry - i * 8ull);
		ballot->links[i] += here;
		found = found || here;
	}
	return found;
}

static void ask_desktop(const struct inv_win32k *win32k, const struct inv_desktop *desktop, struct ballot *ballot)
{
	for (size_t i = 0; i < sizeof list_offsets / sizeof *list_offsets; i++) {
		uint64_t head = desktop->address + list_offsets[i];
		const struct inv_eye *eye = eye_for_list(win32k, head);
		struct inv_value entry = inv_read_u64(win32k->kernel, head);
		size_t found = 0;
		for (; eye && entry.ok && entry.u != head && ballot->left > 0; ballot->left--) {
			ballot->entries++;
			found += vote_on_link(win32k, eye, entry.u, ballot);
			entry = inv_user_u64(eye->user, entry.u);
		}
		ballot->lists[i] += found;
	}
}

static void follow(struct inv_win32k *win32k, size_t index)
{
	struct inv_desktop *desktop = &win32k->desktops[index];
	uint64_t head = desktop->address + win32k->list.offset;
	const struct inv_eye *eye = eye_for_list(win32k, head);
	struct inv_value entry = inv_read_u64(win32k->kernel, head);
	if (entry.ok && entry.u == head)
		desktop->closed = true; // empty
	if (!eye)
		return;
	desktop->eyes = eye->process;
	uint64_t before = head;
	while (entry.ok && entry.u != head && inv_count(win32k->members) < MOST_MEMBERS) {
		struct inv_value back = inv_user_u64(eye->user, entry.u + 8);
		if (!back.ok || back.u != before)
			return; // torn: what follows is not the list's
		struct inv_desktop_thread member = {.desktop = index, .info = entry.u - win32k->link.offset, .at = entry.u};
		member.thread = inv_user_u64(eye->user, member.info);
		if (member.thread.ok)
			member.slot = inv_field(win32k->kernel, member.thread.u, INV_F_KTHREAD_Win32Thread);
		inv_push(win32k->members, member);
		before = entry.u;
		entry = inv_user_u64(eye->user, entry.u);
	}
	desktop->closed = entry.ok && entry.u == head;
}

void inv_win32k_follow_desktops(struct inv_win32k *win32k)
{
	struct ballot ballot = {.left = 4096};
	for (size_t i = 0; i < inv_count(win32k->desktops); i++)
		ask_desktop(win32k, &win32k->desktops[i], &ballot);
	for (size_t i = 0; i < sizeof link_offsets / sizeof *link_offsets; i++)
		inv_vote_count(&win32k->link, ballot.links[link_offsets[i] / 8], ballot.entries, link_offsets[i], true);
	for (uint32_t i = 1; i < INFO_SLOTS && !win32k->link.published; i++)
		inv_vote_count(&win32k->link, ballot.links[i], ballot.entries, i * 8, false);
	for (size_t i = 0; i < sizeof list_offsets / sizeof *list_offsets; i++)
		inv_vote_count(&win32k->list, ballot.lists[i], ballot.entries, list_offsets[i], true);
	for (size_t i = 0; win32k->link.known && win32k->list.known && i < inv_count(win32k->desktops); i++)
		follow(win32k, i);
}
