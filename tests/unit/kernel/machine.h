// SPDX-License-Identifier: Apache-2.0
// A few megabytes of physical memory with page tables and just enough of a kernel in it to be found, built by hand so that a
// test can break any byte of it.
#ifndef INV_TEST_KERNEL_MACHINE_H
#define INV_TEST_KERNEL_MACHINE_H

#include "facts/facts.h"
#include "kernel/kernel.h"

#define MACHINE_MEMORY (24u << 20)
#define MACHINE_BASE 0xfffff80411200000ull
#define MACHINE_IMAGE_SIZE 0x1400000u // room for the RVAs of every kernel in the tables
#define MACHINE_SYSTEM 0xffffe00011223080ull
#define MACHINE_SELF_MAP 0x1edu

struct machine {
	uint8_t *memory;
	uint64_t next; // the first physical page that is free
	uint64_t dtb;
	unsigned levels;
	uint64_t base;
	const struct inv_kernel_facts *facts;
};

struct machine_options {
	const struct inv_kernel_facts *facts;
	unsigned levels;        // 0: 4
	uint64_t dtb;           // 0: 0x1ad000
	bool no_stub;           // no PROCESSOR_START_BLOCK
	bool no_self_map;       //
	bool encoded;           // KDBG
	bool unknown_pdb;       // a GUID that no table has
	uint16_t size_eprocess; // what KDBG says; 0: what the layout says
};

void machine_new(struct machine *machine, const struct machine_options *options);
void machine_free(struct machine *machine);

uint64_t machine_symbol(const struct machine *machine, enum inv_symbol symbol); // fails the test if there is none
// The byte at a virtual address; maps a fresh page if there is none.
uint8_t *machine_at(struct machine *machine, uint64_t address);
void machine_put(struct machine *machine, uint64_t address, const void *bytes, size_t size);
void machine_put64(struct machine *machine, uint64_t address, uint64_t value);
void machine_put32(struct machine *machine, uint64_t address, uint32_t value);
// A field of an object, by the layout of the machine's kernel; nothing if it has none.
void machine_field(struct machine *machine, uint64_t object, enum inv_field field, uint64_t value);
void machine_pe(struct machine *machine, uint64_t base, uint32_t size, const char *pdb, const uint8_t guid[16],
                uint32_t age);
// Links LIST_ENTRYs in a ring, the head first.
void machine_ring(struct machine *machine, const uint64_t *entries, size_t count);
// An entry of PsLoadedModuleList at `entry`, not yet linked.
void machine_module(struct machine *machine, uint64_t entry, uint64_t base, uint32_t size, const char *name);

// Identifies over the machine's memory as a raw image. Both are to be freed by the caller, also on failure.
enum inv_code machine_identify(const struct machine *machine, struct inv_image **image, struct inv_kernel **kernel,
                               struct inv_error *error);

#endif
