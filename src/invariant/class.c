// SPDX-License-Identifier: Apache-2.0
#include "invariant/class.h"

#include <stdlib.h>

#include "base/array.h"
#include "base/numbers.h"
#include "base/search.h"
#include "nt/token.h"

#define PE_HEADER_AT 0x3cu
#define PE_HEADER_MOST 0xfffu // headers are no larger than a page in any image of Windows
#define SUBSYSTEM_AT 0x5cu    // from the signature; at the same place in both kinds of optional header
#define FAST_REF 0xfu         // EX_FAST_REF: the low bits of a pointer to a token count references
#define NT_AUTHORITY 5u
#define SERVICE 6u     // S-1-5-6: whoever was logged on as a service (learn.microsoft.com, "Well-known SIDs")
#define SERVICE_ID 80u // S-1-5-80-...: one service (the same)

const char *inv_class_name(unsigned bit_number)
{
	static const char *const names[INV_CLASS_BITS] = {"minimal",  "native",   "console", "gui",
	                                                  "headless", "graphics", "service", "container"};
	return names[bit_number];
}

const char *inv_claim_name(enum inv_claim_id id)
{
	static const char *const names[INV_CLAIM_COUNT] = {"image",   "header", "peb",    "console", "routines",
	                                                   "loader",  "ranges", "win32k", "threads", "desktops",
	                                                   "dxgkrnl", "csrss",  "token",  "silo"};
	return names[id];
}

enum inv_tier inv_claim_tier(enum inv_claim_id id)
{
	switch (id) {
	case INV_CLAIM_IMAGE:
	case INV_CLAIM_RANGES:
		return INV_TIER_MEMORY_MANAGER;
	case INV_CLAIM_HEADER:
	case INV_CLAIM_PEB:
	case INV_CLAIM_CONSOLE:
	case INV_CLAIM_ROUTINES:
	case INV_CLAIM_LOADER:
		return INV_TIER_USER_MODE;
	case INV_CLAIM_TOKEN:
	case INV_CLAIM_SILO:
		return INV_TIER_EXECUTIVE;
	case INV_CLAIM_WIN32K:
	case INV_CLAIM_THREADS:
	case INV_CLAIM_DESKTOPS:
	case INV_CLAIM_DXGKRNL:
	case INV_CLAIM_CSRSS:
	case INV_CLAIM_COUNT:
		break;
	}
	return INV_TIER_SUBSYSTEM;
}

const char *inv_class_text(unsigned is, struct inv_arena *arena)
{
	const char *text = "";
	for (unsigned i = 0; i < INV_CLASS_BITS; i++)
		if (is & 1u << i)
			text = inv_arena_printf(arena, "%s%s%s", text, *text ? " " : "", inv_class_name(i));
	return text;
}

// -- desktops ---------------------------------------------------------------------------------------------------------------

static int by_process(const void *a, const void *b)
{
	const struct inv_desktop_count *left = a, *right = b;
	return (left->process > right->process) - (left->process < right->process);
}

void inv_class_books_read(const struct inv_dossiers *dossiers, struct inv_class_books *books)
{
	const struct inv_win32k *win32k = dossiers->testimony->win32k;
	struct inv_desktop_count *all = NULL;
	*books = (struct inv_class_books){.dossiers = dossiers,
	                                  .desktops_known =
	                                      inv_count(win32k->desktops) && win32k->link.known && win32k->list.known};
	for (size_t i = 0; i < inv_count(win32k->desktops); i++)
		books->desktops_known = books->desktops_known && win32k->desktops[i].closed;
	for (size_t i = 0; i < inv_count(win32k->members); i++) {
		const struct inv_value *thread = &win32k->members[i].thread;
		const struct inv_thread_dossier *known = thread->ok ? inv_thread_dossier_at(dossiers, thread->u) : NULL;
		if (known && known->process.ok)
			inv_push(all, ((struct inv_desktop_count){known->process.u, 1}));
	}
	if (all)
		qsort(all, inv_count(all), sizeof *all, by_process);
	for (size_t i = 0; i < inv_count(all); i++) {
		size_t last = inv_count(books->desktops);
		if (last && books->desktops[last - 1].process == all[i].process)
			books->desktops[last - 1].threads++;
		else
			inv_push(books->desktops, all[i]);
	}
	inv_array_free(all);
}

void inv_class_books_free(struct inv_class_books *books)
{
	inv_array_free(books->desktops);
}

// -- user mode --------------------------------------------------------------------------------------------------------------

struct inv_value inv_mapped_subsystem(const struct inv_inside *inside)
{
	struct inv_value base = inside->image.base;
	if (!base.ok || !inside->user)
		return (struct inv_value){.address = base.address, .why = base.ok ? inside->why : base.why};
	struct inv_value header = inv_user_u32(inside->user, base.u + PE_HEADER_AT);
	if (!header.ok)
		return header;
	struct inv_value subsystem = inv_user_u32(inside->user, base.u + (header.u & PE_HEADER_MOST) + SUBSYSTEM_AT);
	subsystem.u &= UINT16_MAX;
	return subsystem;
}

struct inv_value inv_section_subsystem(const struct inv_inside *inside)
{
	const struct inv_value *object = &inside->image.section_object;
	if (!object->ok)
		return *object;
	if (!inside->image.section)
		return (struct inv_value){.address = inside->image.area.address, .why = inside->image.area.why};
	return inside->image.section->image.subsystem;
}

static struct inv_value no_peb(const struct inv_inside *inside)
{
	return (struct inv_value){.why = inside->user ? (struct inv_why){.reason = INV_NOT_CAPTURED} : inside->why};
}

struct inv_value inv_window_table(const struct inv_inside *inside)
{
	if (!inside->user || !inside->peb.address)
		return no_peb(inside);
	return inv_user_field(inside->user, inside->peb.address, INV_F_PEB_KernelCallbackTable);
}

struct inv_value inv_console_handle(const struct inv_inside *inside)
{
	if (!inside->user || !inside->peb.address)
		return no_peb(inside);
	const struct inv_value *parameters = &inside->peb.parameters;
	if (!parameters->ok || !parameters->u)
		return *parameters;
	return inv_user_field(inside->user, parameters->u, INV_F_RTL_USER_PROCESS_PARAMETERS_ConsoleHandle);
}

const struct inv_vad *inv_range_among(const struct inv_inside *inside, const uint64_t *images, uint64_t not_this)
{
	for (size_t i = 0; i < inv_count(inside->vads.vads); i++) {
		const struct inv_vad *vad = &inside->vads.vads[i];
		bool around = not_this >= vad->start && not_this < vad->end;
		if (vad->type == INV_VAD_IMAGE && !around && inv_numbers_have(images, vad->control_area))
			return vad;
	}
	return NULL;
}

// `own` may be NULL: the range in which the process' own table lies.
static bool is_loaded(const struct inv_inside *inside, const struct inv_peb *peb, const struct inv_vad *own)
{
	for (size_t i = 0; i < inv_count(peb->modules); i++) {
		const struct inv_value *base = &peb->modules[i].base;
		const struct inv_vad *vad = base->ok ? inv_vad_at(&inside->vads, base->u) : NULL;
		if (vad && vad->type == INV_VAD_IMAGE &&
		    (vad == own || inv_numbers_have(inside->dossiers->views->window_images, vad->control_area)))
			return true;
	}
	return false;
}

static const char *subsystem_name(const struct inv_value *subsystem)
{
	static const char *const names[] = {"none", "native", "windows", "console"};
	if (!subsystem->ok)
		return NULL;
	return subsystem->u < sizeof names / sizeof *names ? names[subsystem->u] : "other";
}

static void claim(struct inv_class_claim *claims, enum inv_claim_id id, const char *says, const struct inv_value *value)
{
	claims[id] = (struct inv_class_claim){.says = says, .value = *value};
}

static void claim_if_set(struct inv_class_claim *claims, enum inv_claim_id id, const struct inv_value *value,
                         const char *says)
{
	claim(claims, id, !value->ok ? NULL : value->u ? says : "none", value);
}

// Which images have such tables, enough processes must show: of 32-bit processes there may be too few.
static void ask_modules(const struct inv_inside *inside, const struct inv_views *views, const struct inv_value *table,
                        struct inv_class_claim *claims)
{
	const struct inv_vad *own = table->ok && table->u ? inv_vad_at(&inside->vads, table->u) : NULL;
	if (own && own->type != INV_VAD_IMAGE)
		own = NULL;
	const struct inv_vad *vad = own ? own : inv_range_among(inside, views->window_images, 0);
	bool enough = inv_count(views->window_images) && !inside->peb32.address;
	struct inv_value range = {.ok = vad || (enough && inside->vads.complete),
	                          .u = vad ? vad->start : 0,
	                          .address = vad ? vad->address : 0,
	                          .why = inside->vads.why};
	bool loaded = is_loaded(inside, &inside->peb, own) || is_loaded(inside, &inside->peb32, own);
	struct inv_value lists = {.ok = loaded || (enough && inside->peb.closed[INV_LOAD_ORDER]), .u = loaded};
	claim_if_set(claims, INV_CLAIM_RANGES, &range, "gui");
	claim_if_set(claims, INV_CLAIM_LOADER, &lists, "gui");
}

static void ask_user_mode(const struct inv_inside *inside, const struct inv_views *views,
                          struct inv_class_claim *claims)
{
	struct inv_value header = inv_mapped_subsystem(inside), peb = no_peb(inside);
	if (inside->user && inside->peb.address)
		peb = inv_user_field(inside->user, inside->peb.address, INV_F_PEB_ImageSubsystem);
	struct inv_value console = inv_console_handle(inside), table = inv_window_table(inside);
	claim(claims, INV_CLAIM_HEADER, subsystem_name(&header), &header);
	claim(claims, INV_CLAIM_PEB, subsystem_name(&peb), &peb);
	claim_if_set(claims, INV_CLAIM_CONSOLE, &console, "console");
	claim_if_set(claims, INV_CLAIM_ROUTINES, &table, "gui");
	if (views)
		ask_modules(inside, views, &table, claims);
}

// -- the kernel's books -----------------------------------------------------------------------------------------------------

static struct inv_value section_subsystem(const struct inv_kernel *kernel, uint64_t process,
                                          struct inv_control_areas *sections)
{
	struct inv_value object = inv_field(kernel, process, INV_F_EPROCESS_SectionObject);
	if (!object.ok || !object.u)
		return object;
	struct inv_value area = inv_section_object_area(kernel, object.u);
	const struct inv_control_area *image = area.ok ? inv_control_area_at(sections, area.u) : NULL;
	return image ? image->image.subsystem : area;
}

static void ask_threads(const struct inv_class_books *books, const struct inv_dossier *process,
                        struct inv_class_claim *claims)
{
	const struct inv_kernel *kernel = books->dossiers->kernel;
	uint64_t offset;
	struct inv_value count = {.ok = process->threads.closed};
	if (!inv_field_address(kernel, 0, INV_F_ETHREAD_ThreadListEntry, &offset))
		return;
	for (size_t i = 0; i < process->threads.count; i++) {
		struct inv_value info = inv_field(kernel, process->threads.nodes[i].entry - offset, INV_F_KTHREAD_Win32Thread);
		count.ok = count.ok && info.ok;
		count.u += info.ok && info.u;
	}
	claim_if_set(claims, INV_CLAIM_THREADS, &count, "gui");
	size_t low = INV_LOWER_BOUND(books->desktops, inv_count(books->desktops), process, process->address);
	bool on_some = low < inv_count(books->desktops) && books->desktops[low].process == process->address;
	struct inv_value desktops = {.ok = on_some || books->desktops_known,
	                             .u = on_some ? books->desktops[low].threads : 0};
	claim_if_set(claims, INV_CLAIM_DESKTOPS, &desktops, "gui");
}

static const struct inv_csrss *csrss_of(const struct inv_csrsses *all, const struct inv_value *session,
                                        const struct inv_value *port)
{
	for (size_t i = 0; port->ok && port->u && i < inv_count(all->csrsses); i++)
		if (all->csrsses[i].port == (port->u & ~INV_EXCEPTION_PORT_STATE))
			return &all->csrsses[i];
	return session->ok ? inv_csrss_of(all, session->u) : NULL;
}

static void ask_csrss(const struct inv_class_books *books, const struct inv_dossier *process,
                      struct inv_class_claim *claims)
{
	const struct inv_kernel *kernel = books->dossiers->kernel;
	const struct inv_csrsses *all = &books->dossiers->testimony->csrsses;
	struct inv_value port = inv_field(kernel, process->address, INV_F_EPROCESS_ExceptionPortData);
	struct inv_value session = inv_field(kernel, process->address, INV_F_EPROCESS_Session);
	const struct inv_csrss *csrss = csrss_of(all, &session, &port);
	const struct inv_csr_process *record = csrss && process->pid.ok ? inv_csr_record(csrss, process->pid.u) : NULL;
	const char *says = NULL;
	if (inv_csrss_at(all, process->address))
		says = "csrss";
	else if (record && record->process == process->address)
		says = "client";
	else if ((csrss && !csrss->unknown && csrss->complete) || (session.ok && session.u == 0 && port.ok && port.u == 0))
		says = "none";
	claim(claims, INV_CLAIM_CSRSS, says, &port);
}

// Logged on as a service, or with the SID of one. (Those of LocalSystem may have neither.)
static void ask_token(const struct inv_kernel *kernel, uint64_t process, struct inv_arena *arena,
                      struct inv_class_claim *claims)
{
	struct inv_value token = inv_field(kernel, process, INV_F_EPROCESS_Token);
	struct inv_token read;
	if (!token.ok || !(token.u & ~(uint64_t)FAST_REF))
		return;
	inv_token_read(kernel, token.u & ~(uint64_t)FAST_REF, arena, &read);
	bool service = false;
	for (size_t i = 0; i < read.groups.read && !service; i++) {
		const struct inv_sid *sid = &read.groups.sids[i].sid;
		service = read.groups.sids[i].ok && sid->authority == NT_AUTHORITY &&
		          ((sid->count == 1 && sid->sub[0] == SERVICE) || (sid->count > 1 && sid->sub[0] == SERVICE_ID));
	}
	claim(claims, INV_CLAIM_TOKEN, service ? "service" : read.groups.complete ? "none" : NULL, &token);
}

static bool runs_no_program(enum inv_role role)
{
	return role >= INV_ROLE_REGISTRY && role <= INV_ROLE_MINIMAL;
}

static bool is_claimed(const struct inv_class_claim *claims, enum inv_claim_id id)
{
	return claims[id].value.ok && claims[id].value.u;
}

static unsigned decide(const struct inv_class_claim *claims, enum inv_role role)
{
	const struct inv_value *subsystem = &claims[INV_CLAIM_IMAGE].value;
	const struct inv_class_claim *win32k = &claims[INV_CLAIM_WIN32K];
	unsigned is = runs_no_program(role) ? INV_CLASS_MINIMAL : 0, of = subsystem->ok ? (unsigned)subsystem->u : 0;
	is |= of == INV_SUBSYSTEM_IS_NATIVE ? INV_CLASS_NATIVE : of == INV_SUBSYSTEM_IS_CONSOLE ? INV_CLASS_CONSOLE : 0;
	if (is_claimed(claims, INV_CLAIM_WIN32K))
		is |= INV_CLASS_GUI;
	else if (of == INV_SUBSYSTEM_IS_WINDOWS && win32k->value.ok)
		is |= INV_CLASS_HEADLESS;
	is |= is_claimed(claims, INV_CLAIM_DXGKRNL) ? INV_CLASS_GRAPHICS : 0;
	is |= claims[INV_CLAIM_TOKEN].says && *claims[INV_CLAIM_TOKEN].says == 's' ? INV_CLASS_SERVICE : 0;
	return is | (is_claimed(claims, INV_CLAIM_SILO) ? INV_CLASS_CONTAINER : 0);
}

unsigned inv_class_read(const struct inv_class_books *books, const struct inv_dossier *process,
                        struct inv_control_areas *sections, const struct inv_inside *inside, struct inv_arena *arena,
                        struct inv_class_claim claims[INV_CLAIM_COUNT])
{
	const struct inv_kernel *kernel = books->dossiers->kernel;
	uint64_t at = process->address;
	for (unsigned i = 0; i < INV_CLAIM_COUNT; i++)
		claims[i] = (struct inv_class_claim){0};
	struct inv_value subsystem = section_subsystem(kernel, at, sections);
	struct inv_value windows = inv_field(kernel, at, INV_F_EPROCESS_Win32Process);
	struct inv_value graphics = inv_field(kernel, at, INV_F_EPROCESS_DxgProcess);
	struct inv_value silo = inv_field(kernel, at, INV_F_EPROCESS_ServerSilo);
	claim(claims, INV_CLAIM_IMAGE, subsystem_name(&subsystem), &subsystem);
	claim_if_set(claims, INV_CLAIM_WIN32K, &windows, "gui");
	claim_if_set(claims, INV_CLAIM_DXGKRNL, &graphics, "graphics");
	claim_if_set(claims, INV_CLAIM_SILO, &silo, "container");
	ask_threads(books, process, claims);
	ask_csrss(books, process, claims);
	ask_token(kernel, at, arena, claims);
	if (inside)
		ask_user_mode(inside, books->dossiers->views, claims);
	return decide(claims, process->role);
}
