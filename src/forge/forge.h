// SPDX-License-Identifier: Apache-2.0
// The forge: a machine laid out in physical memory by a scenario, byte for byte, and written as an image with the truth
// beside it. Nothing here shares code with what reads images.
//
// A test makes an image in memory with
//
//	struct inv_forge *forge = inv_forge_run("process{name='notepad.exe'}", NULL, &error);
//	uint8_t *bytes; size_t size;
//	inv_forge_write_memory(forge, INV_FORGE_RAW, &bytes, &size, &error);
#ifndef INV_FORGE_FORGE_H
#define INV_FORGE_FORGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "facts/facts.h"

enum inv_forge_format {
	INV_FORGE_RAW,
	INV_FORGE_CRASH_FULL,          // "dmp": crash dump type 1
	INV_FORGE_CRASH_BITMAP,        // "bitmap": type 5, every page
	INV_FORGE_CRASH_KERNEL,        // "kernel": type 2, summary dump: written pages of the kernel
	INV_FORGE_CRASH_BITMAP_KERNEL, // "bitmap-kernel": type 6, the same pages
	INV_FORGE_CRASH_TRIAGE,        // "triage": type 4
	INV_FORGE_ELF,                 // core file with QEMU's notes
	INV_FORGE_LIME,
	INV_FORGE_FORMAT_COUNT,
};
const char *inv_forge_format_name(enum inv_forge_format format);
// false: no such format.
bool inv_forge_format_parse(const char *name, enum inv_forge_format *format);

// What is given here wins over the scenario's own machine{}. All zero: the scenario's wishes, else defaults.
struct inv_forge_options {
	const char *kernel; // a PDB's GUID (32 digits), or a version: "10.0.19041.1415", "19041.1415", "19041"
	// Facts to use instead of the built-in table's (e.g. loaded from an ISF); must outlive the forge.
	const struct inv_kernel_facts *facts;
	uint64_t memory; // bytes
	uint64_t seed;
	bool seed_given;
	const char *name; // of the scenario, for messages; NULL: "scenario"
};

struct inv_forge;

// Runs a scenario (Lua 5.4). `options` may be NULL. NULL on failure: INV_E_USAGE for an unknown kernel or a scenario that is
// wrong, with its line in the text.
INV_MUST_USE struct inv_forge *inv_forge_run(const char *scenario, const struct inv_forge_options *options,
                                             struct inv_error *error);
void inv_forge_free(struct inv_forge *forge); // NULL is allowed

// Writes an image. The file is sparse where the machine's memory was never written.
INV_MUST_USE enum inv_code inv_forge_write(struct inv_forge *forge, enum inv_forge_format format, const char *path,
                                           struct inv_error *error);
// The same into memory; release *bytes with free(). Images of more than 4 GiB are refused with INV_E_UNSUPPORTED.
INV_MUST_USE enum inv_code inv_forge_write_memory(struct inv_forge *forge, enum inv_forge_format format,
                                                  uint8_t **bytes, size_t *size, struct inv_error *error);

// The truth as JSON (see INTERFACE.md), with a line end; belongs to the forge.
const char *inv_forge_truth(struct inv_forge *forge);

// The kernel that a text names, as in inv_forge_options.kernel; NULL text: the default. NULL: there is none that can be forged.
const struct inv_kernel_facts *inv_forge_find_kernel(const char *text);
// What a text that names no kernel was probably meant to be, in the text's own form: the revision of the same build that is nearest;
// else what is spelt nearly so; else the nearest build. false: the text has no form of a version or GUID.
#define INV_KERNEL_NAME 40
bool inv_forge_nearest_kernel(const char *text, char near[INV_KERNEL_NAME]);
// Only kernels of x64 with symbols and a whole layout can be forged.
bool inv_forge_can(const struct inv_kernel_facts *facts);

// What a scenario can call, for `--list`. A NULL name ends the list.
struct inv_forge_word {
	const char *name;
	const char *form; // "unlink(process)"
	const char *text; // what it does
	bool attack;
};
extern const struct inv_forge_word inv_forge_words[];

// "256M", "64G", "4096": bytes; false if it is no size.
bool inv_forge_parse_size(const char *text, uint64_t *size);

// Where things are, for unit tests: the address of a global (0 if the kernel has none), physical memory, addresses in System's
// page tables.
uint64_t inv_forge_symbol(const struct inv_forge *forge, enum inv_symbol symbol);
uint64_t inv_forge_dtb(const struct inv_forge *forge);
uint64_t inv_forge_base(const struct inv_forge *forge);
const struct inv_kernel_facts *inv_forge_facts(const struct inv_forge *forge);
bool inv_forge_translate(const struct inv_forge *forge, uint64_t address, uint64_t *physical);
bool inv_forge_read(const struct inv_forge *forge, uint64_t address, void *buffer, size_t size);

#endif
