// SPDX-License-Identifier: Apache-2.0
#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/memory.h"
#include "cli/dossier.h"
#include "cli/explore.h"
#include "nt/user.h"

#define BYTES_A_LINE 16u
#define SMALL_PAGE 4096u

static struct inv_page *new_page(const char *title)
{
	struct inv_page *page = inv_alloc(sizeof *page);
	*page = (struct inv_page){.arena = inv_arena_new()};
	page->title = inv_arena_printf(page->arena, "%s", title);
	return page;
}

void inv_page_free(struct inv_page *page)
{
	if (!page)
		return;
	inv_array_free(page->lines);
	inv_arena_free(page->arena);
	free(page);
}

// Text that a report wrote, one line of the page for each of its own.
static void add_text(struct inv_page *page, char *text)
{
	char *rest = text;
	for (char *line = strsep(&rest, "\n"); line; line = strsep(&rest, "\n")) {
		if (!*line && !rest)
			return; // behind the last line end
		struct inv_page_line added = {.text = inv_arena_printf(page->arena, "%s", line)};
		inv_push(page->lines, added);
	}
}

// What `write` writes, as a page.
struct text_writer {
	FILE *file;
	char *text;
	size_t size;
};

static FILE *start_text(struct text_writer *writer)
{
	*writer = (struct text_writer){0};
	writer->file = open_memstream(&writer->text, &writer->size);
	if (!writer->file)
		inv_out_of_memory();
	return writer->file;
}

static void end_text(struct text_writer *writer, struct inv_page *page)
{
	if (fclose(writer->file) == 0)
		add_text(page, writer->text);
	free(writer->text);
}

// As inv_write_safe() would write it.
static const char *safe(struct inv_page *page, const char *text)
{
	struct text_writer writer;
	inv_write_safe(start_text(&writer), text);
	const char *kept = fclose(writer.file) == 0 ? inv_arena_printf(page->arena, "%s", writer.text) : "";
	free(writer.text);
	return kept;
}

// -- Processes --------------------------------------------------------------------------------------------------------------

// One letter for each witness, in the order of the catalogue; there are far more letters than witnesses.
static char letter_of(unsigned witness)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
	return letters[witness % (sizeof letters - 1)];
}

static bool is_void(const struct inv_explorer *explorer, unsigned witness)
{
	return explorer->check->testimony->coverage[witness].voided != NULL;
}

// A letter where the witness saw the process, '!' where it should have, '.' where it had no need to, ' ' where it says nothing.
static void write_matrix(const struct inv_explorer *explorer, const struct inv_dossier *process, FILE *file)
{
	for (unsigned i = 0; i < INV_WITNESS_COUNT; i++) {
		char cell = '.';
		if (process->seen_by & INV_BIT(i))
			cell = letter_of(i);
		else if (process->missing_from & INV_BIT(i))
			cell = '!';
		else if (is_void(explorer, i))
			cell = ' ';
		putc(cell, file);
	}
}

static size_t findings_about(const struct inv_explorer *explorer, const struct inv_dossier *process)
{
	struct inv_finding *const *findings = explorer->check->judge.findings;
	size_t count = 0;
	for (size_t i = 0; i < inv_count(findings); i++)
		count += findings[i]->subject.process == process;
	return count;
}

// "missing from: active list, CID table"
static const char *missing_text(struct inv_page *page, const struct inv_dossier *process)
{
	const char *text = "";
	for (unsigned i = 0; i < INV_WITNESS_COUNT; i++)
		if (process->missing_from & INV_BIT(i))
			text = inv_arena_printf(page->arena, "%s%s%s", text,
			                        *text ? ", " : "missing from: ", inv_witness((enum inv_witness_id)i)->name);
	return *text ? text : NULL;
}

static enum inv_look look_of(const struct inv_dossier *process, size_t findings)
{
	if (findings > 0 || process->missing_from)
		return INV_LOOK_BAD;
	return inv_is_live(process) ? INV_LOOK_PLAIN : INV_LOOK_DIM;
}

static void add_process(const struct inv_explorer *explorer, struct inv_page *page, const struct inv_dossier *process)
{
	struct text_writer writer;
	FILE *file = start_text(&writer);
	size_t findings = findings_about(explorer, process);
	if (process->pid.ok)
		fprintf(file, "%6" PRIu64 "  ", process->pid.u);
	else
		fprintf(file, "%6s  ", "?");
	fprintf(file, "%-16s  %-8s  ", safe(page, process->name_value.ok ? process->name : "?"),
	        inv_state_name(process->state));
	if (findings > 0)
		fprintf(file, "%8zu  ", findings);
	else
		fprintf(file, "%8s  ", "");
	write_matrix(explorer, process, file);
	struct inv_page_line line = {.leads = INV_LEADS_TO_PROCESS, .address = process->address};
	line.text = fclose(file) == 0 ? inv_arena_printf(page->arena, "%s", writer.text) : "";
	line.note = missing_text(page, process);
	line.look = look_of(process, findings);
	inv_push(page->lines, line);
	free(writer.text);
}

// That nothing was found means little then.
static const char *incomplete(const struct inv_check *check)
{
	return check->cut_short ? "; stopped before the end" : "";
}

struct inv_page *inv_page_processes(const struct inv_explorer *explorer)
{
	const struct inv_check *check = explorer->check;
	struct inv_page *page = new_page("Processes by witnesses");
	page->title = inv_arena_printf(page->arena, "Processes by witnesses: %zu, %zu findings%s",
	                               check->dossiers.process_count, inv_count(check->judge.findings), incomplete(check));
	char letters[INV_WITNESS_COUNT + 1] = {0};
	for (unsigned i = 0; i < INV_WITNESS_COUNT; i++) {
		letters[i] = letter_of(i);
		if (is_void(explorer, i))
			letters[i] = ' ';
	}
	page->head =
	    inv_arena_printf(page->arena, "%6s  %-16s  %-8s  %8s  %s", "pid", "name", "state", "findings", letters);
	for (size_t i = 0; i < check->dossiers.process_count; i++)
		add_process(explorer, page, &check->dossiers.processes[i]);
	return page;
}

// -- Findings ---------------------------------------------------------------------------------------------------------------

static void add_findings(struct inv_page *page, struct inv_finding *const *findings, const char *word,
                         enum inv_look look)
{
	for (size_t i = 0; i < inv_count(findings); i++) {
		const struct inv_finding *finding = findings[i];
		const char *subject = inv_subject_text(page->arena, &finding->subject);
		struct inv_page_line line = {.look = look, .leads = INV_LEADS_TO_FINDING, .finding = finding};
		line.text = inv_arena_printf(page->arena, "%-4s  %-8s  %s", finding->invariant->id,
		                             word ? word : inv_certainty_name(finding->certainty), safe(page, subject));
		line.note = finding->invariant->statement;
		inv_push(page->lines, line);
	}
}

struct inv_page *inv_page_findings(const struct inv_explorer *explorer)
{
	const struct inv_judge *judge = &explorer->check->judge;
	struct inv_page *page = new_page("");
	page->title = inv_arena_printf(page->arena, "Findings: %zu, observations: %zu%s", inv_count(judge->findings),
	                               inv_count(judge->observations), incomplete(explorer->check));
	page->head = inv_arena_printf(page->arena, "%-4s  %-8s  %s", "id", "how sure", "about");
	add_findings(page, judge->findings, NULL, INV_LOOK_BAD);
	add_findings(page, judge->observations, "observed", INV_LOOK_ODD);
	return page;
}

static const char *process_of(struct inv_page *page, const struct inv_dossier *process)
{
	return inv_arena_printf(page->arena, "%s %s",
	                        process->pid.ok ? inv_arena_printf(page->arena, "%" PRIu64, process->pid.u) : "?",
	                        safe(page, process->name));
}

struct inv_page *inv_page_finding(const struct inv_explorer *explorer, const struct inv_finding *finding)
{
	struct inv_page *page = new_page("");
	struct inv_style style = {0};
	struct text_writer writer;
	page->title = inv_arena_printf(page->arena, "%s: %s", finding->invariant->id,
	                               safe(page, inv_subject_text(page->arena, &finding->subject)));
	page->process = finding->subject.process;
	inv_report_finding(explorer->check, finding, &style, start_text(&writer));
	end_text(&writer, page);
	for (size_t i = 0; i < inv_count(finding->evidence); i++) {
		const struct inv_evidence *evidence = &finding->evidence[i];
		struct inv_page_line line = {.leads = INV_LEADS_TO_MEMORY, .address = evidence->address};
		line.text = inv_arena_printf(page->arena, "Memory at 0x%" PRIx64 ": %s", evidence->address, evidence->field);
		if (evidence->address)
			inv_push(page->lines, line);
	}
	if (!page->process)
		return page;
	struct inv_page_line line = {.leads = INV_LEADS_TO_PROCESS, .address = page->process->address};
	line.text = inv_arena_printf(page->arena, "Dossier of process %s", process_of(page, page->process));
	inv_push(page->lines, line);
	return page;
}

struct inv_page *inv_page_report(const struct inv_explorer *explorer)
{
	struct inv_page *page = new_page("Report");
	struct inv_style style = {0};
	struct text_writer writer;
	inv_report_check(explorer->check, INV_VERSION, INV_OUTPUT_TEXT, &style, start_text(&writer));
	end_text(&writer, page);
	return page;
}

struct inv_page *inv_page_dossier(const struct inv_explorer *explorer, const struct inv_dossier *process)
{
	struct inv_page *page = new_page("");
	struct text_writer writer;
	page->title =
	    inv_arena_printf(page->arena, "Process %s at 0x%" PRIx64, process_of(page, process), process->address);
	page->process = process;
	struct inv_page_line line = {.leads = INV_LEADS_TO_STRUCTURE, .address = process->address, .type = "_EPROCESS"};
	line.text = inv_arena_printf(page->arena, "_EPROCESS at 0x%" PRIx64, process->address);
	inv_push(page->lines, line);
	inv_dossier_write_text(explorer->session, explorer->check, process, start_text(&writer));
	end_text(&writer, page);
	return page;
}

// -- Structures -------------------------------------------------------------------------------------------------------------

static void add_member(struct inv_page *page, const struct inv_structure_row *row)
{
	char bits[16] = "";
	char value[32] = "";
	if (row->place.bits)
		snprintf(bits, sizeof bits, " %u+%u", row->place.bit, row->place.bits);
	if (row->is_number && row->value.ok)
		snprintf(value, sizeof value, "0x%" PRIx64, row->value.u);
	else if (row->is_number)
		snprintf(value, sizeof value, "?");
	struct inv_page_line line = {0};
	line.text = inv_arena_printf(page->arena, "+0x%-5x%-6s  %-34s  %-20s  %s", row->offset, bits, row->path, value,
	                             row->means ? safe(page, row->means) : "");
	line.note = inv_arena_printf(page->arena, "%s%s%s", row->type, row->is_number && !row->value.ok ? ", absent: " : "",
	                             row->is_number && !row->value.ok ? inv_absence_name(row->value.why.reason) : "");
	if (row->is_number && !row->value.ok)
		line.look = INV_LOOK_DIM;
	if (row->target_type && row->target) {
		line.leads = INV_LEADS_TO_STRUCTURE;
		line.address = row->target;
		line.type = inv_arena_printf(page->arena, "%s", row->target_type);
	} else if (row->type[0] == '_' && strcmp(row->type, "_LIST_ENTRY") != 0 &&
	           strcmp(row->type, "_UNICODE_STRING") != 0 && !row->place.bits && row->address) {
		line.leads = INV_LEADS_TO_STRUCTURE;
		line.address = row->address;
		line.type = inv_arena_printf(page->arena, "%s", row->type);
	}
	inv_push(page->lines, line);
}

struct inv_page *inv_page_structure(const struct inv_explorer *explorer, const struct inv_dossier *process,
                                    const char *type, uint64_t address, struct inv_error *error)
{
	struct inv_structures *structures = inv_structures_new(explorer->session->kernel, explorer->session->symbols);
	struct inv_structure_request request = {.type = type, .has_address = true, .address = address};
	struct inv_why why;
	const char *name;
	uint32_t size;
	uint64_t at;
	bool cut;
	if (process)
		(void)inv_structures_enter(structures, process->address, &why); // else user memory is shown as absent
	struct inv_structure_row *rows = inv_structure_read(structures, &request, &name, &size, &at, &cut, error);
	struct inv_page *page = NULL;
	if (error->code == INV_OK) {
		page = new_page("");
		page->title = inv_arena_printf(page->arena, "%s at 0x%" PRIx64, name, at);
		page->process = process;
		for (size_t i = 0; i < inv_count(rows); i++)
			add_member(page, &rows[i]);
	}
	inv_array_free(rows);
	inv_structures_free(structures);
	return page;
}

// -- Memory -----------------------------------------------------------------------------------------------------------------

static void add_bytes(struct inv_page *page, uint64_t address, const uint8_t bytes[BYTES_A_LINE])
{
	char hex[BYTES_A_LINE * 3 + 2] = "";
	char text[BYTES_A_LINE + 1] = "";
	size_t at = 0;
	for (unsigned i = 0; i < BYTES_A_LINE; i++) {
		at += (size_t)snprintf(hex + at, sizeof hex - at, "%s%02x", i == BYTES_A_LINE / 2 ? "  " : (i ? " " : ""),
		                       bytes[i]);
		text[i] = (char)(bytes[i] >= ' ' && bytes[i] < 0x7f ? bytes[i] : '.');
	}
	struct inv_page_line line = {0};
	line.text = inv_arena_printf(page->arena, "%016" PRIx64 "  %s  %s", address, hex, text);
	inv_push(page->lines, line);
}

// One line of bytes, or one for the rest of a page that is absent. Returns how many bytes that is.
static uint64_t add_memory(struct inv_page *page, struct inv_space *space, uint64_t address)
{
	uint8_t bytes[BYTES_A_LINE];
	struct inv_why why;
	if (inv_space_read(space, address, bytes, sizeof bytes, &why) == sizeof bytes) {
		add_bytes(page, address, bytes);
		return sizeof bytes;
	}
	struct inv_page_line line = {.look = INV_LOOK_DIM};
	line.text = inv_arena_printf(page->arena, "%016" PRIx64 "  %s", address, inv_absence_name(why.reason));
	inv_push(page->lines, line);
	return SMALL_PAGE - (address & (SMALL_PAGE - 1));
}

struct inv_page *inv_page_memory(const struct inv_explorer *explorer, const struct inv_dossier *process,
                                 uint64_t address)
{
	struct inv_why why;
	struct inv_user *user = process ? inv_user_open(explorer->session->kernel, process->address, &why) : NULL;
	struct inv_space *space = user ? inv_user_space(user) : explorer->session->kernel->space;
	struct inv_page *page = new_page("");
	address &= ~(uint64_t)(BYTES_A_LINE - 1);
	page->title = inv_arena_printf(page->arena, "Memory at 0x%" PRIx64 "%s%s", address,
	                               user ? " of process " : " of the kernel", user ? process_of(page, process) : "");
	page->process = process;
	page->memory = address;
	page->is_memory = true;
	for (uint64_t at = 0; at < INV_PAGE_OF_MEMORY && address <= UINT64_MAX - at;)
		at += add_memory(page, space, address + at);
	inv_user_close(user);
	return page;
}

// -- Help and search --------------------------------------------------------------------------------------------------------

struct inv_page *inv_page_help(const struct inv_explorer *explorer)
{
	struct inv_page *page = new_page("Help");
	struct text_writer writer;
	FILE *file = start_text(&writer);
	fputs("1              processes by witnesses\n"
	      "2              findings and observations\n"
	      "3              the whole report\n"
	      "Enter          open what the chosen line leads to\n"
	      "Esc, Backspace back to the page before; q the same, and at the first page the end; Q ends at once\n"
	      "arrows, j k    up and down; h l: left and right; PgUp PgDn, Home End (g G)\n"
	      "/ n N          search; again; again upwards\n"
	      "d              a structure: TYPE[.PATH] ADDRESS, as 'invar dt' takes them\n"
	      "m              memory: ADDRESS, as the process of this page or line sees it; [ ] go on\n"
	      "?              this help\n\n"
	      "The matrix of witnesses: a letter where one has the process, ! where one has not and should, . where none "
	      "is due.\n\n",
	      file);
	for (unsigned i = 0; i < INV_WITNESS_COUNT; i++)
		fprintf(file, "%c  %-18s %s%s%s\n", letter_of(i), inv_witness((enum inv_witness_id)i)->name,
		        inv_tier_name(inv_witness((enum inv_witness_id)i)->tier),
		        is_void(explorer, i) ? "; says nothing here: " : "",
		        is_void(explorer, i) ? explorer->check->testimony->coverage[i].voided : "");
	end_text(&writer, page);
	return page;
}

static bool has_text(const char *line, const char *text)
{
	size_t length = strlen(text);
	for (; *line; line++) {
		size_t i = 0;
		while (i < length && tolower((unsigned char)line[i]) == tolower((unsigned char)text[i]))
			i++;
		if (i == length)
			return true;
	}
	return false;
}

size_t inv_page_find(const struct inv_page *page, const char *text, size_t from, bool back)
{
	size_t count = inv_count(page->lines);
	for (size_t i = 0; i < count; i++) {
		size_t at = back ? (from + count - 1 - i) % count : (from + i) % count;
		if (has_text(page->lines[at].text, text))
			return at;
	}
	return SIZE_MAX;
}
