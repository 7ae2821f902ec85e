// SPDX-License-Identifier: Apache-2.0
#include "forge/forge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/nearest.h"
#include "base/text.h"
#include "forge/scenario.h"
#include "forge/write.h"

#define DEFAULT_BUILD "19041"

static const char *const format_names[INV_FORGE_FORMAT_COUNT] = {
    [INV_FORGE_RAW] = "raw",
    [INV_FORGE_CRASH_FULL] = "dmp",
    [INV_FORGE_CRASH_BITMAP] = "bitmap",
    [INV_FORGE_CRASH_KERNEL] = "kernel",
    [INV_FORGE_CRASH_BITMAP_KERNEL] = "bitmap-kernel",
    [INV_FORGE_CRASH_TRIAGE] = "triage",
    [INV_FORGE_ELF] = "elf",
    [INV_FORGE_LIME] = "lime",
};

const char *inv_forge_format_name(enum inv_forge_format format)
{
	return format < INV_FORGE_FORMAT_COUNT ? format_names[format] : "unknown";
}

bool inv_forge_format_parse(const char *name, enum inv_forge_format *format)
{
	for (int i = 0; i < INV_FORGE_FORMAT_COUNT; i++) {
		if (strcmp(name, format_names[i]) == 0) {
			*format = (enum inv_forge_format)i;
			return true;
		}
	}
	return false;
}

bool inv_forge_parse_size(const char *text, uint64_t *size)
{
	if (*text < '0' || *text > '9')
		return false;
	char *end;
	unsigned long long value = strtoull(text, &end, 10);
	static const char units[] = "KMGT";
	unsigned shift = 0;
	if (*end) {
		const char *unit = strchr(units, *end);
		if (!unit || end[1])
			return false;
		shift = 10 * (unsigned)(unit - units + 1);
	}
	if (value > UINT64_MAX >> shift)
		return false;
	*size = (uint64_t)value << shift;
	return true;
}

bool inv_forge_can(const struct inv_kernel_facts *facts)
{
	if (!facts || facts->arch != INV_ARCH_X64 || !facts->layout || facts->layout->partial || !facts->rva)
		return false;
	for (int i = 0; i < INV_FIELD_COUNT; i++)
		if (inv_field_info((enum inv_field)i)->needed && facts->layout->place[i].offset == INV_NO_OFFSET)
			return false;
	return facts->rva[INV_S_PsActiveProcessHead] != INV_NO_RVA;
}

// The numbers of a version that a text gives: 1 (build), 2 (build and revision), 3 or 4. 0: it is no version.
static unsigned parse_version(const char *text, unsigned number[4])
{
	unsigned count = 0;
	while (count < 4) {
		char *end;
		if (*text < '0' || *text > '9')
			return 0;
		unsigned long value = strtoul(text, &end, 10);
		if (value > UINT16_MAX)
			return 0;
		number[count++] = (unsigned)value;
		if (!*end)
			return count;
		if (*end != '.')
			return 0;
		text = end + 1;
	}
	return 0;
}

static bool matches(const struct inv_version *version, const unsigned number[4], unsigned count)
{
	switch (count) {
	case 1:
		return version->build == number[0];
	case 2:
		return version->build == number[0] && version->revision == number[1];
	case 3:
	case 4:
		return version->major == number[0] && version->minor == number[1] && version->build == number[2] &&
		       (count == 3 || version->revision == number[3]);
	default:
		return false;
	}
}

const struct inv_kernel_facts *inv_forge_find_kernel(const char *text)
{
	if (!text)
		text = DEFAULT_BUILD;
	uint8_t guid[16];
	bool by_guid = inv_parse_guid(text, guid);
	unsigned number[4] = {0};
	unsigned count = by_guid ? 0 : parse_version(text, number);
	const struct inv_kernel_facts *found = NULL;
	for (size_t i = 0; i < inv_facts_kernel_count(); i++) {
		const struct inv_kernel_facts *facts = inv_facts_kernel(i);
		bool fits = by_guid ? memcmp(facts->guid, guid, sizeof guid) == 0 : matches(&facts->version, number, count);
		if (!fits || !inv_forge_can(facts))
			continue;
		found = facts; // the table is sorted: the newest of those that fit
		if (by_guid)
			break;
	}
	return found;
}

// A kernel as the text is spelt: a GUID (count 0), or the last numbers of its version.
static void spell(const struct inv_kernel_facts *facts, unsigned count, char name[INV_KERNEL_NAME])
{
	const struct inv_version *v = &facts->version;
	if (count == 0)
		inv_format_guid(facts->guid, name);
	else if (count == 1)
		snprintf(name, INV_KERNEL_NAME, "%u", v->build);
	else if (count == 2)
		snprintf(name, INV_KERNEL_NAME, "%u.%u", v->build, v->revision);
	else if (count == 3)
		snprintf(name, INV_KERNEL_NAME, "%u.%u.%u", v->major, v->minor, v->build);
	else
		snprintf(name, INV_KERNEL_NAME, "%u.%u.%u.%u", v->major, v->minor, v->build, v->revision);
}

static unsigned apart(unsigned a, unsigned b)
{
	return a < b ? b - a : a - b;
}

// By build first, then by revision; only of this build if it is not 0.
static const struct inv_kernel_facts *nearest_by_number(unsigned build, unsigned revision, bool same_build)
{
	const struct inv_kernel_facts *best = NULL;
	for (size_t i = 0; i < inv_facts_kernel_count(); i++) {
		const struct inv_kernel_facts *facts = inv_facts_kernel(i);
		if (!inv_forge_can(facts) || (same_build && facts->version.build != build))
			continue;
		unsigned builds = apart(facts->version.build, build), revisions = apart(facts->version.revision, revision);
		unsigned best_builds = best ? apart(best->version.build, build) : 0;
		if (!best || builds < best_builds ||
		    (builds == best_builds && revisions < apart(best->version.revision, revision)))
			best = facts;
	}
	return best;
}

static bool nearest_by_spelling(const char *text, unsigned count, char near[INV_KERNEL_NAME])
{
	char(*names)[INV_KERNEL_NAME] = inv_alloc(inv_facts_kernel_count() * sizeof *names);
	const char **list = inv_alloc(inv_facts_kernel_count() * sizeof *list);
	for (size_t i = 0; i < inv_facts_kernel_count(); i++) {
		if (!inv_forge_can(inv_facts_kernel(i)))
			continue;
		spell(inv_facts_kernel(i), count, names[i]);
		list[i] = names[i];
	}
	const char *found = inv_nearest(text, list, inv_facts_kernel_count());
	if (found)
		snprintf(near, INV_KERNEL_NAME, "%s", found);
	free(list);
	free(names);
	return found != NULL;
}

bool inv_forge_nearest_kernel(const char *text, char near[INV_KERNEL_NAME])
{
	unsigned number[4] = {0}, count = parse_version(text, number);
	unsigned build = count > 2 ? number[2] : number[0], revision = count == 2 ? number[1] : number[3];
	const struct inv_kernel_facts *facts = count ? nearest_by_number(build, revision, true) : NULL;
	// Of numbers, two changes lead anywhere.
	if (!facts && nearest_by_spelling(text, count, near) && (count == 0 || inv_changes(text, near) < 2))
		return true;
	if (!facts && count)
		facts = nearest_by_number(build, revision, false);
	if (facts)
		spell(facts, count, near);
	return facts != NULL;
}

enum inv_code inv_forge_no_kernel(const char *text, struct inv_error *error)
{
	char near[INV_KERNEL_NAME];
	bool known = inv_forge_nearest_kernel(text, near);
	return inv_fail(error, INV_E_USAGE, "%s: no kernel that can be forged is known by this name%s%s", text,
	                known ? "; the nearest is " : "", known ? near : "");
}

struct inv_forge *inv_forge_run(const char *scenario, const struct inv_forge_options *options, struct inv_error *error)
{
	if (options && options->kernel && !options->facts && !inv_forge_find_kernel(options->kernel)) {
		(void)inv_forge_no_kernel(options->kernel, error); // not the scenario's fault
		return NULL;
	}
	struct inv_forge *forge = inv_alloc(sizeof *forge);
	if (options)
		forge->options = *options;
	if (!forge->options.name)
		forge->options.name = "scenario";
	forge->config.encoded_kdbg = -1;
	forge->config.large_pages = -1;
	forge->config.seed = 1;
	if (inv_scenario_run(forge, scenario, error) != INV_OK) {
		inv_forge_free(forge);
		return NULL;
	}
	return forge;
}

void inv_forge_free(struct inv_forge *forge)
{
	if (!forge)
		return;
	inv_machine_free(forge->machine);
	free(forge->truth);
	free(forge);
}

static void write_image(struct inv_sink *sink, struct inv_machine *machine, enum inv_forge_format format)
{
	bool dump = format != INV_FORGE_RAW && format != INV_FORGE_ELF && format != INV_FORGE_LIME;
	// Windows 8 and later keep the block encoded while they run and decode it when they stop to write a dump.
	int wish = machine->config.encoded_kdbg;
	inv_machine_store_kdbg(machine, wish >= 0 ? wish != 0 : machine->build >= 9200 && !dump);
	switch (format) {
	case INV_FORGE_RAW:
		inv_write_raw(sink, machine);
		break;
	case INV_FORGE_LIME:
		inv_write_lime(sink, machine);
		break;
	case INV_FORGE_ELF:
		inv_write_elf(sink, machine);
		break;
	case INV_FORGE_CRASH_FULL:
		inv_write_crash_full(sink, machine);
		break;
	case INV_FORGE_CRASH_BITMAP:
	case INV_FORGE_CRASH_KERNEL:
	case INV_FORGE_CRASH_BITMAP_KERNEL:
		inv_write_crash_bitmap(sink, machine, format);
		break;
	case INV_FORGE_CRASH_TRIAGE:
		inv_write_crash_triage(sink, machine);
		break;
	case INV_FORGE_FORMAT_COUNT:
		break;
	}
}

enum inv_code inv_forge_write(struct inv_forge *forge, enum inv_forge_format format, const char *path,
                              struct inv_error *error)
{
	struct inv_sink sink;
	inv_sink_open(&sink, path, error);
	if (sink.code == INV_OK)
		write_image(&sink, forge->machine, format);
	return inv_sink_close(&sink);
}

enum inv_code inv_forge_write_memory(struct inv_forge *forge, enum inv_forge_format format, uint8_t **bytes,
                                     size_t *size, struct inv_error *error)
{
	struct inv_sink sink;
	inv_sink_open(&sink, NULL, error);
	write_image(&sink, forge->machine, format);
	enum inv_code code = inv_sink_close(&sink);
	*bytes = sink.bytes;
	*size = sink.bytes ? (size_t)sink.size : 0;
	return code;
}

const char *inv_forge_truth(struct inv_forge *forge)
{
	if (!forge->truth)
		forge->truth = inv_truth_json(forge->machine);
	return forge->truth;
}

uint64_t inv_forge_symbol(const struct inv_forge *forge, enum inv_symbol symbol)
{
	return inv_machine_symbol(forge->machine, symbol);
}

uint64_t inv_forge_dtb(const struct inv_forge *forge)
{
	return forge->machine->maps.root;
}

uint64_t inv_forge_base(const struct inv_forge *forge)
{
	return forge->machine->base;
}

const struct inv_kernel_facts *inv_forge_facts(const struct inv_forge *forge)
{
	return forge->machine->facts;
}

bool inv_forge_translate(const struct inv_forge *forge, uint64_t address, uint64_t *physical)
{
	return inv_maps_translate(&forge->machine->maps, address, physical);
}

bool inv_forge_read(const struct inv_forge *forge, uint64_t address, void *buffer, size_t size)
{
	return inv_machine_read(forge->machine, address, buffer, size);
}
