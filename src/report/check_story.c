// SPDX-License-Identifier: Apache-2.0
// One finding for people: what must hold, who says what, what could have excused it, what it means, and where to look on.
#include <inttypes.h>
#include <string.h>

#include "base/array.h"
#include "report/export.h"
#include "report/prose.h"
#include "report/wrap.h"

#define INDENT 5u
#define TEXT 17u // the column of what stands behind a label

void inv_prose_colored(const struct inv_prose *prose, const char *color, const char *text)
{
	if (prose->style->color)
		fprintf(prose->file, "%s%s%s", color, text, INV_PLAIN);
	else
		fputs(text, prose->file);
}

void inv_prose_heading(const struct inv_prose *prose, const char *text)
{
	putc('\n', prose->file);
	inv_prose_colored(prose, INV_BOLD, text);
	putc('\n', prose->file);
}

void inv_prose_labelled(const struct inv_prose *prose, unsigned indent, unsigned column, const char *label,
                        const char *text)
{
	fprintf(prose->file, "%*s", (int)indent, "");
	inv_prose_colored(prose, INV_DIM, label);
	unsigned at = indent + (unsigned)strlen(label);
	fprintf(prose->file, "%*s", at < column ? (int)(column - at) : 1, "");
	inv_write_wrapped(prose->file, text, at < column ? column : at + 1, column, prose->style->width);
}

// What many witnesses say alike, and each of itself: a line for all of them.
static bool is_common(const struct inv_evidence *a, const struct inv_evidence *b)
{
	return !a->address && !b->address && a->value == b->value && strcmp(a->says, b->says) == 0 &&
	       strcmp(a->field, a->witness) == 0 && strcmp(b->field, b->witness) == 0;
}

// "hardware: self-map; memory manager: mm-list, session-list": those that say what number `first` says.
static const char *in_common(const struct inv_prose *prose, const struct inv_evidence *evidence, size_t first,
                             size_t *count)
{
	const char *list = "";
	*count = 0;
	for (int tier = INV_TIER_HARDWARE; tier <= INV_TIER_USER_MODE; tier++) {
		size_t before = *count;
		for (size_t i = first; i < inv_count(evidence); i++) {
			if ((int)evidence[i].tier != tier || !is_common(&evidence[first], &evidence[i]))
				continue;
			if (*count == before)
				list = inv_arena_printf(prose->arena, "%s%s%s: %s", list, *list ? "; " : "",
				                        inv_tier_name(evidence[i].tier), evidence[i].witness);
			else
				list = inv_arena_printf(prose->arena, "%s, %s", list, evidence[i].witness);
			++*count;
		}
	}
	return list;
}

static bool was_shown(const struct inv_evidence *evidence, size_t index)
{
	for (size_t i = 0; i < index; i++)
		if (is_common(&evidence[i], &evidence[index]))
			return true;
	return false;
}

static void write_evidence(const struct inv_prose *prose, const struct inv_finding *finding)
{
	const struct inv_evidence *evidence = finding->evidence;
	for (size_t i = 0; i < inv_count(evidence); i++) {
		const struct inv_evidence *e = &evidence[i];
		size_t count;
		const char *common = in_common(prose, evidence, i, &count), *text;
		if (was_shown(evidence, i))
			continue;
		if (count > 1)
			text = inv_arena_printf(prose->arena, "0x%" PRIx64 " [%zu witnesses; %s]: %s", e->value, count, common,
			                        e->says);
		else if (e->address)
			text = inv_arena_printf(prose->arena, "%s = 0x%" PRIx64 " at 0x%" PRIx64 " [%s, %s]: %s", e->field,
			                        e->value, e->address, e->witness, inv_tier_name(e->tier), e->says);
		else
			text = inv_arena_printf(prose->arena, "%s = 0x%" PRIx64 " [%s, %s]: %s", e->field, e->value, e->witness,
			                        inv_tier_name(e->tier), e->says);
		fprintf(prose->file, "%*s- ", (int)INDENT, "");
		inv_write_wrapped(prose->file, text, INDENT + 2, INDENT + 4, prose->style->width);
	}
}

struct names {
	const struct inv_prose *prose;
	const char *text;
};

static void add_name(void *context, const char *id)
{
	struct names *names = context;
	const char *name = inv_technique_name(id);
	names->text = inv_arena_printf(names->prose->arena, "%s%s%s%s%s", names->text, *names->text ? ", " : "", id,
	                               name ? " " : "", name ? name : "");
}

// The path as a shell takes it.
static const char *quoted(const struct inv_prose *prose, const char *path)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./+:@%,-=";
	if (path[strspn(path, plain)] == 0 && *path != '-')
		return path;
	const char *text = *path == '-' ? "./'" : "'";
	text = inv_arena_strdup(prose->arena, text);
	for (; *path; path++)
		text = *path == '\'' ? inv_arena_printf(prose->arena, "%s'\\''", text)
		                     : inv_arena_printf(prose->arena, "%s%c", text, *path);
	return inv_arena_printf(prose->arena, "%s'", text);
}

static const char *next_command(const struct inv_prose *prose, const struct inv_finding *finding)
{
	const char *id = finding->invariant->id;
	const char *image = quoted(prose, inv_image_info(prose->check->kernel->image)->path);
	const struct inv_dossier *process = finding->subject.process;
	if (!process)
		return inv_arena_printf(prose->arena, "invar explain %s", id);
	return inv_arena_printf(prose->arena, "invar process %s 0x%" PRIx64, image, process->address);
}

void inv_prose_story(const struct inv_prose *prose, const struct inv_finding *finding, bool certainty)
{
	const struct inv_invariant *invariant = finding->invariant;
	unsigned width = prose->style->width;
	struct names names = {prose, ""};
	inv_prose_colored(prose, invariant->weight == INV_HINT ? INV_BOLD : INV_RED, invariant->id);
	fputs("  ", prose->file);
	inv_write_wrapped(prose->file, inv_subject_text(prose->arena, &finding->subject), INDENT, INDENT, width);
	fprintf(prose->file, "%*s", (int)INDENT, "");
	inv_write_wrapped(prose->file, invariant->statement, INDENT, INDENT, width);
	write_evidence(prose, finding);
	for (size_t i = 0; i < inv_count(finding->tried); i++) {
		fprintf(prose->file, "%*s", (int)INDENT, "");
		inv_write_wrapped(prose->file,
		                  inv_arena_printf(prose->arena, "not excused by %s: %s", finding->tried[i].exception,
		                                   finding->tried[i].why_not),
		                  INDENT, INDENT + 4, width);
	}
	if (certainty)
		inv_prose_labelled(
		    prose, INDENT, TEXT, "certainty",
		    inv_arena_printf(prose->arena, "%s: %s", inv_certainty_name(finding->certainty), finding->certainty_why));
	inv_prose_labelled(prose, INDENT, TEXT, "accused",
	                   inv_arena_printf(prose->arena, "the %s record; broken by %s", inv_tier_name(finding->tier),
	                                    invariant->broken_by));
	inv_each_technique(invariant->attack, add_name, &names);
	inv_prose_labelled(prose, INDENT, TEXT, "ATT&CK", names.text);
	inv_prose_labelled(prose, INDENT, TEXT, "next", next_command(prose, finding));
}

void inv_report_finding(const struct inv_check *check, const struct inv_finding *finding, const struct inv_style *style,
                        FILE *file)
{
	struct inv_prose prose = {file, check, style, inv_arena_new()};
	inv_prose_story(&prose, finding, true);
	inv_arena_free(prose.arena);
}
