// SPDX-License-Identifier: Apache-2.0
#include "kernel/exports.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/text.h"
#include "kernel/pe.h"

#define MOST_KEPT ((size_t)1 << 20) // exports of all modules together: a whole Windows has a tenth of it
#define NAME_SIZE 128u

struct table {
	struct inv_pe pe;
	struct inv_pe_exported *exports; // by RVA; NULL: none
	size_t count;
};

struct inv_export_names {
	const struct inv_kernel *kernel;
	struct table **tables; // by module; NULL: not asked for yet
	size_t kept;
};

struct inv_export_names *inv_export_names_new(const struct inv_kernel *kernel)
{
	struct inv_export_names *names = inv_alloc(sizeof *names);
	names->kernel = kernel;
	names->tables = inv_alloc((kernel->module_count + 1) * sizeof *names->tables);
	return names;
}

void inv_export_names_free(struct inv_export_names *names)
{
	if (!names)
		return;
	for (size_t i = 0; i < names->kernel->module_count; i++) {
		if (names->tables[i])
			free(names->tables[i]->exports);
		free(names->tables[i]);
	}
	free(names->tables);
	free(names);
}

static struct table *table_of(struct inv_export_names *names, const struct inv_module *module)
{
	size_t index = (size_t)(module - names->kernel->modules);
	if (names->tables[index])
		return names->tables[index];
	struct table *table = names->tables[index] = inv_alloc(sizeof *table);
	if (names->kept < MOST_KEPT && inv_pe_read(names->kernel->space, module->base, &table->pe, NULL))
		table->exports = inv_pe_exports(names->kernel->space, &table->pe, &table->count);
	names->kept += table->count;
	return table;
}

static const struct inv_pe_section *section_at(const struct inv_pe *pe, uint64_t rva)
{
	for (size_t i = 0; i < pe->section_count; i++)
		if (rva >= pe->section[i].rva && rva - pe->section[i].rva < pe->section[i].size)
			return &pe->section[i];
	return NULL;
}

const char *inv_export_name(struct inv_export_names *names, const struct inv_module *module, uint64_t address,
                            struct inv_arena *arena)
{
	const struct table *table = table_of(names, module);
	uint64_t rva = address - module->base;
	size_t low = 0, high = table->count; // how many stand at the address or beneath it
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (table->exports[middle].rva <= rva)
			low = middle + 1;
		else
			high = middle;
	}
	const struct inv_pe_section *section = section_at(&table->pe, rva);
	if (low == 0 || !section || section != section_at(&table->pe, table->exports[low - 1].rva))
		return NULL;
	char name[NAME_SIZE];
	if (!inv_pe_text(names->kernel->space, &table->pe, table->exports[low - 1].name_rva, name, sizeof name) || !*name)
		return NULL;
	const char *shown = inv_bytes_to_utf8(arena, name, sizeof name);
	uint64_t offset = rva - table->exports[low - 1].rva;
	return offset ? inv_arena_printf(arena, "%s!%s+0x%" PRIx64, module->name, shown, offset)
	              : inv_arena_printf(arena, "%s!%s", module->name, shown);
}
