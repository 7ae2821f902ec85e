// SPDX-License-Identifier: Apache-2.0
// The writers of image formats, and what they write to.
#ifndef INV_FORGE_WRITE_H
#define INV_FORGE_WRITE_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "forge/forge.h"
#include "forge/machine.h"
#include "forge/put.h"

// A file or a block of memory; what is never put reads as zero. The first error stays and stops all writing.
struct inv_sink {
	const char *path; // NULL: memory
	int file;
	uint8_t *bytes;
	uint64_t size;
	enum inv_code code;
	struct inv_error *error;
};
#define INV_SINK_MEMORY_MAX (4ull << 30)

void inv_sink_open(struct inv_sink *sink, const char *path, struct inv_error *error);
void inv_sink_set_size(struct inv_sink *sink, uint64_t size); // once, before anything is put
void inv_sink_put(struct inv_sink *sink, uint64_t offset, const void *bytes, size_t size);
enum inv_code inv_sink_close(struct inv_sink *sink);

// Puts the written pages of a run of physical memory at `offset` of the file.
void inv_sink_put_run(struct inv_sink *sink, const struct inv_ram *ram, const struct inv_ram_run *run, uint64_t offset);

void inv_write_raw(struct inv_sink *sink, const struct inv_machine *machine);
void inv_write_lime(struct inv_sink *sink, const struct inv_machine *machine);
void inv_write_elf(struct inv_sink *sink, const struct inv_machine *machine);
void inv_write_crash_full(struct inv_sink *sink, const struct inv_machine *machine);
void inv_write_crash_bitmap(struct inv_sink *sink, const struct inv_machine *machine, enum inv_forge_format format);
void inv_write_crash_triage(struct inv_sink *sink, const struct inv_machine *machine);

// The header of a crash dump (write_crash.c), 0x2000 bytes.
#define INV_CRASH_HEADER 0x2000u
void inv_crash_header(uint8_t *header, const struct inv_machine *machine, uint32_t dump_type, uint64_t file_size);

#endif
