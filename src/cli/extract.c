// SPDX-License-Identifier: Apache-2.0
// Memory of a process to files. Absent pages become zeros, which the side file tells from zeros that were read.
#include "cli/extract.h"

#include <errno.h>
#include <inttypes.h>
#include <nettle/sha2.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/array.h"
#include "cli/inside.h"
#include "cli/sandbox.h"
#include "report/json.h"

#define PAGE 4096u
#define BLOCK ((size_t)1 << 20)
#define PROBE ((uint64_t)2 << 20)         // one page table: what is absent in it without an entry is so for one reason
#define MOST_IN_FILE ((uint64_t)16 << 30) // a range that was asked for
#define WINDOW ((uint64_t)1 << 30)        // --all: larger ranges are written in pieces
#define MOST_IN_FOLDER ((uint64_t)64 << 30) // --all, holes included
#define MOST_FILES 65536u
#define MOST_RUNS 65536u // told of one file

struct inv_extract_files {
	const char *path; // as it was given
	int folder;       // -1: a file
	int file;
	FILE *side;
};

// -- before the sandbox -----------------------------------------------------------------------------------------------------

static enum inv_code cannot_write(const char *path, struct inv_error *error)
{
	return inv_fail(error, INV_E_USAGE, "cannot write %s: %s", path, strerror(errno));
}

static bool is_folder(const char *path)
{
	struct stat status;
	size_t length = strlen(path);
	return (length > 0 && path[length - 1] == '/') || (stat(path, &status) == 0 && S_ISDIR(status.st_mode));
}

static enum inv_code open_folder(struct inv_extract_files *files, struct inv_error *error)
{
	if (mkdir(files->path, 0777) != 0 && errno != EEXIST)
		return cannot_write(files->path, error);
	files->folder = open(files->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (files->folder < 0)
		return cannot_write(files->path, error);
	return INV_OK;
}

// Nothing is emptied before there is something to write.
static enum inv_code open_file(struct inv_extract_files *files, struct inv_error *error)
{
	char side[4096];
	if (snprintf(side, sizeof side, "%s.json", files->path) >= (int)sizeof side)
		return inv_fail(error, INV_E_USAGE, "the name of the output is too long");
	files->file = open(files->path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
	if (files->file < 0)
		return cannot_write(files->path, error);
	int descriptor = open(side, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
	if (descriptor < 0)
		return cannot_write(side, error);
	files->side = fdopen(descriptor, "w");
	return INV_OK;
}

enum inv_code inv_extract_open(const struct inv_options *options, struct inv_extract_files **files,
                               struct inv_error *error)
{
	struct inv_extract_files *opened = inv_alloc(sizeof *opened);
	*opened = (struct inv_extract_files){.path = options->file, .folder = -1, .file = -1};
	*files = opened;
	return options->all || is_folder(options->file) ? open_folder(opened, error) : open_file(opened, error);
}

int inv_extract_folder(const struct inv_extract_files *files)
{
	return files->folder;
}

void inv_extract_close(struct inv_extract_files *files)
{
	if (!files)
		return;
	if (files->folder >= 0)
		close(files->folder);
	if (files->file >= 0)
		close(files->file);
	if (files->side)
		fclose(files->side);
	free(files);
}

// -- names and numbers ------------------------------------------------------------------------------------------------------

void inv_extract_safe_name(const char *name, char safe[64])
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";
	size_t length = 0;
	for (; *name && length < 63; name++, length++) {
		safe[length] = '_';
		if (strchr(allowed, *name))
			safe[length] = *name;
	}
	safe[length] = 0;
	if (safe[0] == '.')
		safe[0] = '_';
}

bool inv_extract_parse_range(const char *text, uint64_t *start, uint64_t *end)
{
	const char *dash = strchr(text, '-');
	char first[32];
	if (!dash || (size_t)(dash - text) >= sizeof first)
		return false;
	memcpy(first, text, (size_t)(dash - text));
	first[dash - text] = 0;
	return inv_parse_address(first, start) && inv_parse_address(dash + 1, end) && *start < *end;
}

// -- one range --------------------------------------------------------------------------------------------------------------

struct run {
	struct inv_span span;
	struct inv_why why; // reason INV_PRESENT: its pages were there
};

struct piece {
	struct inv_span span;
	const struct inv_vad *vad; // NULL: none covers it
	const char *file;          // its name
	uint64_t present;          // bytes
	struct run *runs;          // stb_ds
	bool runs_cut;
	char digest[65], digest_of_present[65];
};

struct extract {
	const struct inv_session *session;
	const struct inv_opened *opened;
	struct inv_control_areas *sections;
	struct inv_arena *arena;
	struct piece *pieces;      // stb_ds
	struct inv_span *left_out; // stb_ds: ranges of which memory has no page
	const char *cut_short;     // a bound that was reached
	uint64_t total;
};

struct output {
	int file;
	uint8_t *block;
	struct sha256_ctx all, present;
};

// Does what is absent at `why` go on from what is absent at the end of the run?
static bool continues(const struct run *run, const struct inv_why *why)
{
	if (run->why.reason != why->reason || run->why.page_file != why->page_file)
		return false;
	return why->reason != INV_PAGED_OUT || run->why.offset + (run->span.end - run->span.start) == why->offset;
}

static void add_run(struct piece *piece, uint64_t start, uint64_t end, const struct inv_why *why)
{
	size_t count = inv_count(piece->runs);
	struct run run = {{start, end}, *why};
	if (why->reason == INV_PRESENT)
		piece->present += end - start;
	if (count > 0 && piece->runs[count - 1].span.end == start && continues(&piece->runs[count - 1], why))
		piece->runs[count - 1].span.end = end;
	else if (count < MOST_RUNS)
		inv_push(piece->runs, run);
	else
		piece->runs_cut = true;
}

// How far from `address` on there is nothing: 0 if a page table has an entry for it.
static uint64_t hole_at(const struct inv_ranges *ranges, uint64_t address, uint64_t end)
{
	size_t next = inv_entries_from(ranges, address);
	if (next == inv_count(ranges->entries))
		return end - address;
	if (ranges->entries[next].start <= address)
		return 0;
	return (ranges->entries[next].start < end ? ranges->entries[next].start : end) - address;
}

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

// Fills the block with what stands from `address` on; false: nothing of it is there.
static bool fill(const struct extract *extract, struct piece *piece, struct output *output, uint64_t address,
                 size_t size)
{
	struct inv_space *space = inv_user_space(extract->opened->inside.user);
	bool any = false;
	for (size_t at = 0; at < size;) {
		struct inv_why why = {.reason = INV_PRESENT};
		uint64_t here = address + at;
		uint64_t hole = hole_at(&extract->opened->ranges, here, address + size);
		uint64_t unit = hole ? PROBE : PAGE;
		size_t length = (size_t)least(unit - here % unit, hole ? hole : size - at);
		uint8_t *bytes = output->block + at;
		size_t asked = hole ? 1 : length; // one byte says why all of a hole is absent
		if (inv_space_read(space, here, bytes, asked, &why) < asked) {
			memset(bytes, 0, length);
		} else if (hole) { // through a page table that is itself in transition: read it page by page
			length = (size_t)least(PAGE - here % PAGE, length);
			if (inv_space_read(space, here, bytes, length, &why) < length)
				memset(bytes, 0, length);
		}
		add_run(piece, here, here + length, &why);
		if (why.reason == INV_PRESENT) {
			sha256_update(&output->present, length, bytes);
			any = true;
		}
		at += length;
	}
	return any;
}

static void hex(const struct sha256_ctx *from, char text[65])
{
	struct sha256_ctx context = *from;
	uint8_t digest[SHA256_DIGEST_SIZE];
	sha256_digest(&context, sizeof digest, digest);
	for (size_t i = 0; i < sizeof digest; i++)
		snprintf(text + 2 * i, 3, "%02x", digest[i]);
}

static bool write_at(int file, const uint8_t *bytes, size_t size, uint64_t offset)
{
	while (size > 0) {
		ssize_t written = pwrite(file, bytes, size, (off_t)offset);
		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
			return false;
		bytes += written;
		size -= (size_t)written;
		offset += (uint64_t)written;
	}
	return true;
}

// Blocks of which nothing is there are left as holes of the file.
static bool write_blocks(const struct extract *extract, struct piece *piece, struct output *output)
{
	static const uint8_t last = 0;
	uint64_t size = piece->span.end - piece->span.start;
	bool any = false;
	for (uint64_t offset = 0; offset < size; offset += BLOCK) {
		size_t length = (size_t)least(BLOCK, size - offset);
		any = fill(extract, piece, output, piece->span.start + offset, length);
		sha256_update(&output->all, length, output->block);
		if (any && !write_at(output->file, output->block, length, offset))
			return false;
	}
	return any || write_at(output->file, &last, 1, size - 1); // a hole at the end has no length of its own
}

static enum inv_code write_piece(struct extract *extract, struct piece *piece, int file, struct inv_error *error)
{
	struct output output = {.file = file, .block = inv_alloc(BLOCK)};
	sha256_init(&output.all);
	sha256_init(&output.present);
	bool written = write_blocks(extract, piece, &output);
	hex(&output.all, piece->digest);
	hex(&output.present, piece->digest_of_present);
	free(output.block);
	if (!written)
		return inv_fail(error, INV_E_INTERNAL, "cannot write %s: %s", piece->file, strerror(errno));
	extract->total += piece->span.end - piece->span.start;
	inv_push(extract->pieces, *piece);
	return INV_OK;
}

// -- which ranges -----------------------------------------------------------------------------------------------------------

static const char *label_of(const struct extract *extract, const struct inv_vad *vad)
{
	const char *file = vad ? inv_vad_file(extract->sections, vad, NULL) : NULL;
	if (file && *file)
		return inv_base_name(file);
	return vad ? inv_vad_kind(vad, extract->arena) : "no-vad";
}

static enum inv_code to_folder(struct extract *extract, struct piece *piece, struct inv_error *error)
{
	char safe[64];
	inv_extract_safe_name(label_of(extract, piece->vad), safe);
	piece->file = inv_arena_printf(extract->arena, "%016" PRIx64 "-%016" PRIx64 ".%s.bin", piece->span.start,
	                               piece->span.end, safe);
	int file = openat(extract->session->files->folder, piece->file, INV_SANDBOX_NEW_FILE, 0666);
	if (file < 0 && errno == EEXIST) {
		inv_log(extract->session->log, INV_LOG_WARNING, "%s is there already and is left as it is", piece->file);
		return INV_OK;
	}
	if (file < 0)
		return inv_fail(error, INV_E_INTERNAL, "cannot write %s: %s", piece->file, strerror(errno));
	enum inv_code code = write_piece(extract, piece, file, error);
	close(file);
	return code;
}

static enum inv_code take(struct extract *extract, struct inv_span span, const struct inv_vad *vad,
                          struct inv_error *error)
{
	struct piece piece = {.span = span, .vad = vad, .file = extract->session->files->path};
	if (extract->session->files->folder >= 0)
		return to_folder(extract, &piece, error);
	if (ftruncate(extract->session->files->file, 0) != 0)
		return inv_fail(error, INV_E_INTERNAL, "cannot empty %s: %s", piece.file, strerror(errno));
	return write_piece(extract, &piece, extract->session->files->file, error);
}

static enum inv_code take_one(struct extract *extract, struct inv_span span, const struct inv_vad *vad,
                              struct inv_error *error)
{
	if (span.end - span.start > MOST_IN_FILE)
		return inv_fail(error, INV_E_USAGE,
		                "0x%" PRIx64 "-0x%" PRIx64 " is more than 16 GiB: choose a part with --range, or --all, which "
		                "leaves out what is not there",
		                span.start, span.end);
	return take(extract, span, vad, error);
}

// In pieces of at most WINDOW, without those of which no page table has an entry.
static enum inv_code take_window(struct extract *extract, const struct inv_range *range, struct inv_span window,
                                 struct inv_error *error)
{
	if (hole_at(&extract->opened->ranges, window.start, window.end) == window.end - window.start) {
		if (inv_count(extract->left_out) < MOST_RUNS)
			inv_push(extract->left_out, window);
		return INV_OK;
	}
	if (inv_count(extract->pieces) >= MOST_FILES)
		extract->cut_short = "more than 65536 ranges";
	else if (extract->total + (window.end - window.start) > MOST_IN_FOLDER)
		extract->cut_short = "more than 64 GiB";
	return extract->cut_short ? INV_OK : take(extract, window, range->vad, error);
}

static enum inv_code take_all(struct extract *extract, struct inv_error *error)
{
	const struct inv_ranges *ranges = &extract->opened->ranges;
	enum inv_code code = INV_OK;
	for (size_t i = 0; i < inv_count(ranges->ranges) && code == INV_OK && !extract->cut_short; i++) {
		struct inv_span span = ranges->ranges[i].span;
		while (span.start < span.end && code == INV_OK && !extract->cut_short) {
			size_t next = inv_entries_from(ranges, span.start);
			uint64_t entry = next < inv_count(ranges->entries) ? ranges->entries[next].start : UINT64_MAX;
			struct inv_span window = span;
			if (entry >= span.start + WINDOW && span.end - span.start > WINDOW) // passed over in one step
				window.end = least(span.end, entry - entry % WINDOW);
			else
				window.end = least(span.end, span.start + WINDOW);
			code = take_window(extract, &ranges->ranges[i], window, error);
			span.start = window.end;
		}
	}
	return code;
}

static enum inv_code take_vad(struct extract *extract, const char *text, struct inv_error *error)
{
	const struct inv_ranges *ranges = &extract->opened->ranges;
	uint64_t address;
	if (!inv_parse_address(text, &address))
		return inv_fail(error, INV_E_USAGE, "'%s' is no address: they are hexadecimal with 0x; 'invar vads' has them",
		                text);
	for (size_t i = 0; i < inv_count(ranges->ranges); i++) {
		const struct inv_range *range = &ranges->ranges[i];
		if ((range->vad && range->vad->address == address) ||
		    (range->span.start <= address && address < range->span.end))
			return take_one(extract, range->span, range->vad, error);
	}
	return inv_fail(error, INV_E_USAGE, "no range of the process holds %s; 'invar vads' lists them", text);
}

static bool is_named(const char *name, const char *wanted)
{
	return strcasecmp(inv_base_name(name), wanted) == 0;
}

// The image VADs whose file has this name, and the modules of the loader; without doubles.
struct found {
	size_t count;
	struct inv_span span; // of the first
	const struct inv_vad *vad;
	const char *bases; // of all, for people
};

static void find(const struct extract *extract, struct found *found, struct inv_span span, const struct inv_vad *vad)
{
	if (found->count > 0 && found->span.start == span.start)
		return;
	if (found->count++ == 0) {
		found->span = span;
		found->vad = vad;
	}
	if (found->count < 8)
		found->bases = inv_arena_printf(extract->arena, "%s%s0x%" PRIx64, found->bases ? found->bases : "",
		                                found->bases ? ", " : "", span.start);
}

static void find_loaded(const struct extract *extract, struct found *found, const struct inv_peb *peb, const char *name)
{
	const struct inv_vad_tree *vads = &extract->opened->inside.vads;
	for (size_t i = 0; i < inv_count(peb->modules); i++) {
		const struct inv_loaded *loaded = &peb->modules[i];
		if (!loaded->base.ok || !is_named(loaded->name, name))
			continue;
		const struct inv_vad *vad = inv_vad_at(vads, loaded->base.u);
		struct inv_span span = {loaded->base.u, loaded->base.u + (loaded->size.ok ? loaded->size.u : 0)};
		if (vad && vad->start == loaded->base.u)
			span.end = vad->end;
		if (span.end > span.start)
			find(extract, found, span, vad);
	}
}

static enum inv_code take_module(struct extract *extract, const char *text, struct inv_error *error)
{
	const struct inv_inside *inside = &extract->opened->inside;
	struct found found = {0};
	uint64_t base;
	bool by_base = inv_parse_address(text, &base);
	for (size_t i = 0; i < inv_count(inside->vads.vads); i++) {
		const struct inv_vad *vad = &inside->vads.vads[i];
		const char *file = inv_vad_file(extract->sections, vad, NULL);
		struct inv_span span = {vad->start, vad->end};
		if (by_base ? vad->start == base : vad->type == INV_VAD_IMAGE && file && is_named(file, text))
			find(extract, &found, span, vad);
	}
	if (!by_base) {
		find_loaded(extract, &found, &inside->peb, text);
		find_loaded(extract, &found, &inside->peb32, text);
	}
	if (found.count == 0)
		return inv_fail(error, INV_E_USAGE, "the process has no module '%s'; 'invar modules' lists them", text);
	if (found.count > 1)
		return inv_fail(error, INV_E_USAGE, "%zu modules are named '%s': name one by its base: %s", found.count, text,
		                found.bases);
	return take_one(extract, found.span, found.vad, error);
}

static enum inv_code take_wanted(struct extract *extract, struct inv_error *error)
{
	const struct inv_options *options = extract->session->options;
	struct inv_span span;
	if (!extract->opened->inside.user)
		return inv_fail(error, INV_E_UNSUPPORTED, "the memory of the process cannot be read: %s",
		                inv_why_text(extract->arena, &extract->opened->inside.why));
	if (options->all)
		return take_all(extract, error);
	if (options->vad)
		return take_vad(extract, options->vad, error);
	if (options->module)
		return take_module(extract, options->module, error);
	if (!inv_extract_parse_range(options->range, &span.start, &span.end))
		return inv_fail(error, INV_E_USAGE,
		                "'%s' is no range: START-END, in hexadecimal with 0x, END behind the last byte",
		                options->range);
	return take_one(extract, span, inv_vad_at(&extract->opened->inside.vads, span.start), error);
}

// -- what is said of it -----------------------------------------------------------------------------------------------------

static json_t *span_json(const struct inv_span *span)
{
	json_t *object = json_object();
	json_object_set_new(object, "start", inv_json_address(span->start));
	json_object_set_new(object, "end", inv_json_address(span->end));
	return object;
}

static json_t *run_json(const struct run *run)
{
	json_t *object = span_json(&run->span);
	bool present = run->why.reason == INV_PRESENT;
	json_object_set_new(object, "present", json_boolean(present));
	if (!present)
		json_object_set_new(object, "reason", json_string(inv_absence_name(run->why.reason)));
	if (run->why.reason == INV_PAGED_OUT) {
		json_object_set_new(object, "page_file",
		                    run->why.page_file == UINT32_MAX ? json_null() : json_integer(run->why.page_file));
		json_object_set_new(object, "offset", inv_json_address(run->why.offset));
	}
	return object;
}

static json_t *piece_json(const struct extract *extract, const struct piece *piece)
{
	json_t *object = span_json(&piece->span);
	json_t *runs = json_array();
	const struct inv_vad *vad = piece->vad;
	json_object_set_new(object, "file", inv_json_text(piece->file));
	json_object_set_new(object, "bytes", inv_json_number(piece->span.end - piece->span.start));
	json_object_set_new(object, "present_bytes", inv_json_number(piece->present));
	json_object_set_new(object, "sha256", json_string(piece->digest));
	json_object_set_new(object, "sha256_present", json_string(piece->digest_of_present));
	json_object_set_new(object, "vad", vad ? inv_json_address(vad->address) : json_null());
	json_object_set_new(object, "kind", json_string(vad ? inv_vad_kind(vad, extract->arena) : "no VAD"));
	json_object_set_new(object, "mapped_file", inv_json_text(vad ? inv_vad_file(extract->sections, vad, NULL) : NULL));
	for (size_t i = 0; i < inv_count(piece->runs); i++)
		json_array_append_new(runs, run_json(&piece->runs[i]));
	json_object_set_new(object, "runs", runs);
	if (piece->runs_cut)
		json_object_set_new(object, "runs_cut_short", json_true());
	return object;
}

static json_t *side_json(const struct extract *extract)
{
	const struct inv_dossier *process = extract->opened->inside.process;
	json_t *object = json_object(), *of = json_object(), *pieces = json_array(), *left_out = json_array();
	json_object_set_new(object, "invar", json_string(INV_VERSION));
	json_object_set_new(object, "image", inv_json_text(inv_image_info(extract->session->image)->path));
	json_object_set_new(of, "address", inv_json_address(process->address));
	json_object_set_new(of, "pid", inv_json_value(&process->pid));
	json_object_set_new(of, "name", process->name_value.ok ? inv_json_text(process->name) : json_null());
	json_object_set_new(object, "process", of);
	for (size_t i = 0; i < inv_count(extract->pieces); i++)
		json_array_append_new(pieces, piece_json(extract, &extract->pieces[i]));
	for (size_t i = 0; i < inv_count(extract->left_out); i++)
		json_array_append_new(left_out, span_json(&extract->left_out[i]));
	json_object_set_new(object, "files", pieces);
	json_object_set_new(object, "without_a_page", left_out);
	json_object_set_new(object, "cut_short", inv_json_text(extract->cut_short));
	return object;
}

// That of a folder is made before anything else, and tells by being there that the folder holds memory already.
static enum inv_code begin_side(const struct extract *extract, struct inv_error *error)
{
	struct inv_extract_files *files = extract->session->files;
	if (files->folder < 0)
		return INV_OK;
	int side = openat(files->folder, "extract.json", INV_SANDBOX_NEW_FILE, 0666);
	if (side >= 0)
		files->side = fdopen(side, "w");
	if (side < 0 || !files->side)
		return inv_fail(error, INV_E_USAGE, "cannot write extract.json in %s: %s; choose a folder without one",
		                files->path, strerror(errno));
	return INV_OK;
}

static enum inv_code write_side(const struct extract *extract, struct inv_error *error)
{
	FILE *side = extract->session->files->side;
	json_t *object = side_json(extract);
	bool emptied = extract->session->files->folder >= 0 || ftruncate(fileno(side), 0) == 0;
	bool written =
	    emptied && json_dumpf(object, side, JSON_INDENT(2)) == 0 && putc('\n', side) != EOF && fflush(side) == 0;
	json_decref(object);
	return written ? INV_OK
	               : inv_fail(error, INV_E_INTERNAL, "the side file could not be written: %s", strerror(errno));
}

static void write_table(const struct extract *extract)
{
	static const char *const columns[] = {"start", "end", "bytes", "present", "kind", "sha256", "file"};
	struct inv_table *table = inv_table_new(columns, sizeof columns / sizeof columns[0]);
	for (size_t i = 0; i < inv_count(extract->pieces); i++) {
		const struct piece *piece = &extract->pieces[i];
		inv_table_address(table, piece->span.start);
		inv_table_address(table, piece->span.end);
		inv_table_number(table, piece->span.end - piece->span.start);
		inv_table_number(table, piece->present);
		inv_table_text(table, piece->vad ? inv_vad_kind(piece->vad, extract->arena) : "no VAD");
		inv_table_text(table, piece->digest);
		inv_table_text(table, piece->file);
	}
	inv_table_write(table, extract->session->options->output, extract->session->out);
	inv_table_free(table);
}

static enum inv_exit extract_of(struct extract *extract, struct inv_error *error)
{
	if (begin_side(extract, error) == INV_OK && take_wanted(extract, error) == INV_OK &&
	    write_side(extract, error) == INV_OK)
		write_table(extract);
	if (extract->cut_short)
		inv_log(extract->session->log, INV_LOG_WARNING, "stopped before the end: %s", extract->cut_short);
	for (size_t i = 0; i < inv_count(extract->pieces); i++)
		inv_array_free(extract->pieces[i].runs);
	inv_array_free(extract->pieces);
	inv_array_free(extract->left_out);
	return extract->cut_short ? INV_EXIT_STOPPED : INV_EXIT_OK;
}

enum inv_exit inv_run_extract(struct inv_session *session, struct inv_error *error)
{
	struct inv_check_options how = {.threads = session->options->threads};
	struct inv_check *check;
	enum inv_exit status = INV_EXIT_USAGE;
	const struct inv_dossier *process = inv_pick_process(session, session->options->arguments[1], &how, &check, error);
	if (process) {
		struct inv_opener opener;
		struct inv_opened opened;
		inv_opener_start(&opener, session, check);
		inv_open_inside(&opener, process, &opened);
		inv_warn_of_gaps(session, &opened);
		struct extract extract = {
		    .session = session, .opened = &opened, .sections = opener.sections, .arena = opened.inside.arena};
		status = extract_of(&extract, error);
		inv_close_inside(&opened);
		inv_opener_end(&opener);
	}
	inv_check_free(check);
	return status;
}
