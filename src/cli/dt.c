// SPDX-License-Identifier: Apache-2.0
#include <inttypes.h>

#include "cli/command.h"

struct dump {
	const struct inv_kernel *kernel;
	struct inv_table *table;
	bool has_address;
	uint64_t address;
	uint32_t size;
};

static const char *const columns_plain[] = {"offset", "bits", "member", "type"};
static const char *const columns_value[] = {"offset", "bits", "member", "type", "value"};

// The value of a member as an integer of its own width; members wider than 8 bytes have none to show.
static void add_value(const struct dump *dump, const struct inv_member *member)
{
	uint8_t bytes[8] = {0};
	struct inv_why why;
	size_t size = member->place.bits ? member->place.width : member->size;
	if (size == 0 || size > sizeof bytes) {
		inv_table_text(dump->table, NULL);
		return;
	}
	if (inv_space_read(dump->kernel->space, dump->address + member->place.offset, bytes, size, &why) < size) {
		inv_table_absent(dump->table, &why);
		return;
	}
	uint64_t value = 0;
	for (size_t i = size; i-- > 0;)
		value = value << 8 | bytes[i];
	if (member->place.bits) {
		value >>= member->place.bit;
		if (member->place.bits < 64)
			value &= ((uint64_t)1 << member->place.bits) - 1;
	}
	inv_table_address(dump->table, value);
}

static void add_member(void *context, const struct inv_member *member)
{
	const struct dump *dump = context;
	char bits[16] = "";
	if (member->place.bits)
		snprintf(bits, sizeof bits, "%u+%u", member->place.bit, member->place.bits);
	inv_table_address(dump->table, member->place.offset);
	inv_table_text(dump->table, bits);
	inv_table_text(dump->table, member->name);
	inv_table_text(dump->table, member->type);
	if (dump->has_address)
		add_value(dump, member);
}

enum inv_exit inv_run_dt(struct inv_session *session, struct inv_error *error)
{
	const struct inv_options *options = session->options;
	const char *type = options->arguments[1];
	struct dump dump = {.kernel = session->kernel, .has_address = options->argument_count > 2};
	if (dump.has_address && !inv_parse_number(options->arguments[2], &dump.address)) {
		inv_fail(error, INV_E_USAGE, "'%s' is no address", options->arguments[2]);
		return INV_EXIT_USAGE;
	}
	if (!session->kernel->layout) {
		inv_fail(error, INV_E_UNSUPPORTED, "no layout is known for this kernel");
		return INV_EXIT_IMAGE;
	}
	dump.table = dump.has_address ? inv_table_new(columns_value, sizeof columns_value / sizeof columns_value[0])
	                              : inv_table_new(columns_plain, sizeof columns_plain / sizeof columns_plain[0]);
	bool found = session->symbols && inv_symbols_members(session->symbols, type, &dump.size, add_member, &dump);
	if (!found)
		found = inv_layout_members(session->kernel->layout, type, &dump.size, add_member, &dump);
	if (found && options->output == INV_OUTPUT_TEXT) {
		inv_write_safe(session->out, type);
		if (dump.size)
			fprintf(session->out, ", 0x%x bytes", dump.size);
		putc('\n', session->out);
	}
	if (found)
		inv_table_write(dump.table, options->output, session->out);
	else
		inv_fail(error, INV_E_USAGE, "no type '%s' is known of this kernel%s", type,
		         session->symbols ? "" : "; a symbol table given with --symbols has all of them");
	inv_table_free(dump.table);
	return found ? INV_EXIT_OK : INV_EXIT_USAGE;
}
