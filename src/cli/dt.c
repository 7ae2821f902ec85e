// SPDX-License-Identifier: Apache-2.0
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/memory.h"
#include "cli/command.h"
#include "cli/structure.h"

#define MOST_OF_A_LIST 65536u

static const char *const columns_plain[] = {"offset", "bits", "member", "type"};
static const char *const columns_value[] = {"offset", "bits", "member", "type", "value", "means"};
static const char *const columns_nested[] = {"address", "offset", "bits", "member", "type", "value", "means"};
#define COLUMNS(names) names, sizeof(names) / sizeof(names)[0]

struct showing {
	const struct inv_session *session;
	struct inv_structures *structures;
	struct inv_structure_request request;
	struct inv_table *table;
	bool addresses; // the rows have their own, for they are of several structures
};

static void add_row(const struct showing *showing, const struct inv_structure_row *row)
{
	struct inv_table *table = showing->table;
	char bits[16] = "";
	if (row->place.bits)
		snprintf(bits, sizeof bits, "%u+%u", row->place.bit, row->place.bits);
	if (showing->addresses)
		inv_table_address(table, row->address);
	inv_table_address(table, row->offset);
	inv_table_text(table, bits);
	inv_table_text(table, row->path);
	inv_table_text(table, row->type);
	if (!showing->request.has_address)
		return;
	if (row->is_number)
		inv_table_value(table, &row->value, INV_CELL_ADDRESS);
	else
		inv_table_text(table, NULL);
	inv_table_text(table, row->means);
}

// "_EPROCESS at 0xffffe28c1a2b3080, 0xa40 bytes"
static void write_head(const struct showing *showing, const char *name, uint32_t size, uint64_t at)
{
	FILE *file = showing->session->out;
	if (showing->session->options->output != INV_OUTPUT_TEXT)
		return;
	inv_write_safe(file, name);
	if (showing->request.has_address)
		fprintf(file, " at 0x%" PRIx64, at);
	if (size)
		fprintf(file, ", 0x%x bytes", size);
	putc('\n', file);
}

static enum inv_code add_structure(struct showing *showing, bool headed, struct inv_error *error)
{
	const char *name;
	uint32_t size;
	uint64_t at;
	bool cut;
	struct inv_structure_row *rows =
	    inv_structure_read(showing->structures, &showing->request, &name, &size, &at, &cut, error);
	if (error->code == INV_OK && headed)
		write_head(showing, name, size, at);
	for (size_t i = 0; error->code == INV_OK && i < inv_count(rows); i++)
		add_row(showing, &rows[i]);
	if (cut)
		inv_log(showing->session->log, INV_LOG_WARNING, "only the first %u members are shown", INV_STRUCTURE_ROWS);
	inv_array_free(rows);
	return error->code;
}

// -- Lists ------------------------------------------------------------------------------------------------------------------

struct walk {
	struct showing *showing;
	const char *link;    // "_EPROCESS.ActiveProcessLinks"
	uint64_t first;      // address of the structure that was asked for
	uint64_t offset;     // of the link in it
	const char *stopped; // NULL: came back to the first
};

// Where the link stands, as a pointer's place in memory.
static enum inv_code find_link(struct walk *walk, struct inv_error *error)
{
	const struct showing *showing = walk->showing;
	struct inv_structure_request request = {.type = walk->link, .has_address = true, .address = walk->first};
	const char *name;
	uint32_t size;
	uint64_t at;
	bool cut;
	struct inv_structure_row *rows = inv_structure_read(showing->structures, &request, &name, &size, &at, &cut, error);
	if (error->code == INV_OK && strcmp(name, "_LIST_ENTRY") != 0 &&
	    (inv_count(rows) != 1 || strcmp(rows[0].type, "_LIST_ENTRY") != 0))
		inv_fail(error, INV_E_USAGE, "%s is no _LIST_ENTRY", walk->link);
	else if (error->code == INV_OK)
		walk->offset = rows[0].address - walk->first;
	inv_array_free(rows);
	return error->code;
}

// The structure behind the one at `address`; false at the end of the list, or where it breaks off.
static bool next_of(struct walk *walk, uint64_t *address)
{
	const struct inv_kernel *kernel = walk->showing->session->kernel;
	struct inv_value flink = inv_structures_pointer(walk->showing->structures, *address + walk->offset);
	if (flink.ok && inv_kernel_module_at(kernel, flink.u)) // its head is a variable of the kernel
		flink = inv_structures_pointer(walk->showing->structures, flink.u);
	if (!flink.ok)
		walk->stopped = inv_absence_name(flink.why.reason);
	*address = flink.u - walk->offset;
	return flink.ok && *address != walk->first;
}

static enum inv_code add_list(struct walk *walk, struct inv_error *error)
{
	struct showing *showing = walk->showing;
	uint64_t address = walk->first;
	size_t count = 0;
	bool more = find_link(walk, error) == INV_OK;
	while (more && add_structure(showing, count == 0, error) == INV_OK) {
		more = next_of(walk, &address);
		showing->request.address = address;
		if (more && ++count == MOST_OF_A_LIST) {
			walk->stopped = "too long";
			more = false;
		}
	}
	if (walk->stopped)
		inv_log(showing->session->log, INV_LOG_WARNING, "the list stops behind %zu structures: %s", count + 1,
		        walk->stopped);
	return error->code;
}

static enum inv_code show(struct showing *showing, struct inv_error *error)
{
	const struct inv_options *options = showing->session->options;
	if (!options->list)
		return add_structure(showing, true, error);
	if (!showing->request.has_address)
		return inv_fail(error, INV_E_USAGE, "--list needs the address of a structure on the list");
	size_t length = strcspn(showing->request.type, ".");
	char *link = inv_alloc(length + strlen(options->list) + 2);
	memcpy(link, showing->request.type, length);
	link[length] = '.';
	memcpy(link + length + 1, options->list, strlen(options->list) + 1);
	struct walk walk = {.showing = showing, .link = link, .first = showing->request.address};
	enum inv_code code = add_list(&walk, error);
	free(link);
	return code;
}

// -- The command ------------------------------------------------------------------------------------------------------------

static enum inv_code enter(const struct showing *showing, struct inv_error *error)
{
	const struct inv_session *session = showing->session;
	struct inv_check_options how = {.threads = session->options->threads};
	struct inv_check *check;
	struct inv_why why;
	const struct inv_dossier *process = inv_pick_process(session, session->options->process, &how, &check, error);
	if (process && !inv_structures_enter(showing->structures, process->address, &why))
		inv_fail(error, INV_E_USAGE, "the memory of process %s cannot be read: %s", session->options->process,
		         inv_absence_name(why.reason));
	inv_check_free(check);
	return error->code;
}

static struct inv_table *table_for(const struct showing *showing)
{
	if (!showing->request.has_address)
		return inv_table_new(COLUMNS(columns_plain));
	return showing->addresses ? inv_table_new(COLUMNS(columns_nested)) : inv_table_new(COLUMNS(columns_value));
}

enum inv_exit inv_run_dt(struct inv_session *session, struct inv_error *error)
{
	const struct inv_options *options = session->options;
	struct showing showing = {
	    .session = session,
	    .request = {.type = options->arguments[1], .depth = options->depth, .follow = options->follow}};
	struct inv_structure_request *request = &showing.request;
	request->has_address = options->argument_count > 2;
	showing.addresses = request->has_address && (options->depth > 0 || options->list);
	if (request->has_address && !inv_parse_address(options->arguments[2], &request->address)) {
		inv_fail(error, INV_E_USAGE,
		         "'%s' is no address: they are hexadecimal with 0x; 'invar ps' has those of processes",
		         options->arguments[2]);
		return INV_EXIT_USAGE;
	}
	if (!session->kernel->layout) {
		inv_fail(error, INV_E_UNSUPPORTED, "no layout is known for this kernel");
		return INV_EXIT_IMAGE;
	}
	showing.structures = inv_structures_new(session->kernel, session->symbols);
	showing.table = table_for(&showing);
	if ((!options->process || enter(&showing, error) == INV_OK) && show(&showing, error) == INV_OK)
		inv_table_write(showing.table, options->output, session->out);
	inv_table_free(showing.table);
	inv_structures_free(showing.structures);
	return error->code == INV_OK ? INV_EXIT_OK : INV_EXIT_USAGE;
}
