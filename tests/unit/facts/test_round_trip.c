// SPDX-License-Identifier: Apache-2.0
// Every symbol table of the collection, read by the C reader, must say what the built-in tables say of its kernel. The two
// ways share no code: the tables were distilled by a Python program. Exit status 77: the collection is absent.
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/text.h"
#include "facts/facts.h"

#define MAX_WORKERS 16
#define SKIPPED 77

struct counts {
	unsigned tables, sizes, fields, symbols, differences;
};

static bool same_place(struct inv_place a, struct inv_place b)
{
	return a.offset == b.offset && a.bit == b.bit && a.bits == b.bits && a.width == b.width;
}

static void compare_layouts(const char *path, const struct inv_layout *read, const struct inv_layout *built_in,
                            struct counts *counts)
{
	for (unsigned i = 0; i < INV_TYPE_COUNT; i++, counts->sizes++) {
		// The tables leave out the size of this one: it differs between layouts that are the same otherwise (tools/distil.py).
		bool unsized = i == INV_T_CMHIVE && built_in->size[i] == 0;
		if (read->size[i] == built_in->size[i] || unsized)
			continue;
		printf("%s: %s: size 0x%" PRIx32 ", built in 0x%" PRIx32 "\n", path, inv_type_info((enum inv_type)i)->name,
		       read->size[i], built_in->size[i]);
		counts->differences++;
	}
	for (unsigned i = 0; i < INV_FIELD_COUNT; i++, counts->fields++) {
		struct inv_place a = read->place[i];
		struct inv_place b = built_in->place[i];
		if (same_place(a, b))
			continue;
		printf("%s: %s: 0x%x:%u+%u/%u, built in 0x%x:%u+%u/%u\n", path, inv_field_full_name((enum inv_field)i),
		       a.offset, a.bit, a.bits, a.width, b.offset, b.bit, b.bits, b.width);
		counts->differences++;
	}
}

static void compare_facts(const char *path, const struct inv_kernel_facts *read,
                          const struct inv_kernel_facts *built_in, struct counts *counts)
{
	compare_layouts(path, read->layout, built_in->layout, counts);
	for (unsigned i = 0; i < INV_SYMBOL_COUNT; i++, counts->symbols++) {
		if (read->rva[i] == built_in->rva[i])
			continue;
		printf("%s: %s: 0x%" PRIx32 ", built in 0x%" PRIx32 "\n", path, inv_symbol_name((enum inv_symbol)i),
		       read->rva[i], built_in->rva[i]);
		counts->differences++;
	}
	if (read->arch != built_in->arch || strcmp(read->pdb, built_in->pdb) != 0) {
		printf("%s: another architecture or PDB name than built in\n", path);
		counts->differences++;
	}
}

static void check_kernel(const char *data, const struct inv_kernel_facts *built_in, struct counts *counts)
{
	char path[4096];
	snprintf(path, sizeof path, "%s/%s", data, built_in->source);
	struct inv_symbols *symbols = NULL;
	const struct inv_kernel_facts *read = NULL;
	struct inv_error error = {0};
	counts->tables++;
	if (inv_symbols_open(path, NULL, &symbols, &error) ||
	    inv_symbols_load(symbols, built_in->guid, built_in->age, &read, &error)) {
		printf("%s\n", error.text);
		counts->differences++;
	} else if (!read) {
		printf("%s: is not the table of its PDB\n", path);
		counts->differences++;
	} else {
		compare_facts(path, read, built_in, counts);
	}
	inv_symbols_close(symbols);
}

// One process of several takes every n-th kernel and writes its counts to the pipe.
static _Noreturn void work(const char *data, size_t first, size_t step, int pipe_end)
{
	struct counts counts = {0};
	for (size_t i = first; i < inv_facts_kernel_count(); i += step)
		check_kernel(data, inv_facts_kernel(i), &counts);
	fflush(stdout);
	_exit(write(pipe_end, &counts, sizeof counts) == (ssize_t)sizeof counts ? 0 : 1);
}

// false if a worker died.
static bool run(const char *data, size_t workers, struct counts *total)
{
	int ends[2];
	if (pipe(ends) != 0)
		return false;
	fflush(stdout);
	size_t started = 0;
	for (; started < workers; started++) {
		pid_t child = fork();
		if (child == 0)
			work(data, started, workers, ends[1]);
		if (child < 0)
			break;
	}
	close(ends[1]);
	struct counts counts;
	size_t finished = 0;
	while (read(ends[0], &counts, sizeof counts) == (ssize_t)sizeof counts) {
		total->tables += counts.tables;
		total->sizes += counts.sizes;
		total->fields += counts.fields;
		total->symbols += counts.symbols;
		total->differences += counts.differences;
		finished++;
	}
	close(ends[0]);
	while (wait(NULL) > 0)
		continue;
	return finished == workers;
}

static void data_folder(char *path, size_t size)
{
	const char *shared = getenv("INVAR_SHARED");
	const char *root = getenv("INVAR_SOURCE_ROOT");
	if (shared)
		snprintf(path, size, "%s/data", shared);
	else
		snprintf(path, size, "%s/../shared/data", root ? root : ".");
}

int main(void)
{
	char data[2048];
	char isf[4096];
	data_folder(data, sizeof data);
	snprintf(isf, sizeof isf, "%s/isf", data);
	if (access(isf, R_OK) != 0) {
		printf("skipped: %s is absent\n", isf);
		return SKIPPED;
	}
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	size_t workers = cpus < 1 ? 1 : cpus > MAX_WORKERS ? MAX_WORKERS : (size_t)cpus;
	struct counts total = {0};
	bool complete = run(data, workers, &total);
	printf("%u tables: %u sizes, %u fields, %u symbols compared, %u differences\n", total.tables, total.sizes,
	       total.fields, total.symbols, total.differences);
	if (!complete || total.tables != inv_facts_kernel_count()) {
		printf("not every table was read\n");
		return 1;
	}
	return total.differences ? 1 : 0;
}
