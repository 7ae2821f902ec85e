// SPDX-License-Identifier: Apache-2.0
// Hives of the registry as the configuration manager has them in memory: _CMHIVE on the list CmpHiveListHead, in it _HHIVE, whose
// Storage maps offsets within the hive (cell indices) to addresses by a directory of tables of entries, one for each 4 KiB. (Where fields
// stand: type information of the kernel's PDB. Cells: Suhanov's "Windows registry file format specification". How an entry gives an
// address, and that there are hives mapped into the user half of a process since Windows 10 1803: public practice, Volatility's.)
//
// Most of a hive is paged memory: what is not there is said, and never an error.
#ifndef INV_NT_HIVE_H
#define INV_NT_HIVE_H

#include "kernel/kernel.h"

#define INV_HIVE_BOUND 4096u               // hives that are read
#define INV_HIVE_BUDGET ((size_t)1 << 18)  // cells that are read of one hive
#define INV_HIVE_LETTERS ((size_t)4 << 20) // bytes of the names of all hives; the names of those beyond are not read
#define INV_HIVE_TEXT 4096u                // bytes of a value's data that are read
#define INV_HIVE_KEYS 65536u               // keys beneath one, and INV_HIVE_VALUES values of one key
#define INV_HIVE_VALUES 4096u

struct inv_hive {
	uint64_t address; // _CMHIVE
	// UTF-8 in the arena, "" where there is none: "\REGISTRY\MACHINE\SOFTWARE", "\SystemRoot\System32\Config\SOFTWARE", "\Device\...".
	const char *root_path, *user_name, *file;
	bool is_signed;           // Signature is that of a hive
	struct inv_value process; // the EPROCESS whose user half its bins may stand in; `u` 0: none
};

struct inv_hives {
	const char *unknown;    // why none could be read; NULL if the list was. Static text
	struct inv_hive *hives; // stb_ds, in the order of the list
	size_t letters;         // bytes of names that were read
	bool complete;          // the list came back to its head
	const char *odd;        // what is wrong with the list: NULL if nothing is, or it could not be read. Static text
	struct inv_why why;     // what could not be read of the list
};
// The names live in `arena`. Walked forwards, and from the other end when that way is broken.
void inv_hives_read(const struct inv_kernel *kernel, struct inv_arena *arena, struct inv_hives *hives);
void inv_hives_free(struct inv_hives *hives);

// How far a hive could be read.
struct inv_hive_coverage {
	size_t read;        // cells
	size_t unreadable;  // cells that are not there
	size_t odd;         // cells that are not what leads to them says, or stand outside of the hive
	bool bounded;       // the budget ended it
	struct inv_why why; // of the first cell that is not there
};

// The cells of one hive.
struct inv_cells;
// Never NULL. `hive` and the kernel must outlive it.
struct inv_cells *inv_cells_open(const struct inv_kernel *kernel, const struct inv_hive *hive);
void inv_cells_close(struct inv_cells *cells); // NULL is allowed
const struct inv_hive_coverage *inv_cells_coverage(const struct inv_cells *cells);

// The address of a byte of the hive by its offset (bit 31: of the volatile part). Not ok, with INV_PRESENT for a reason: outside of it.
struct inv_value inv_cells_address(const struct inv_cells *cells, uint32_t offset);

// A key (cell "nk").
struct inv_hive_key {
	uint32_t cell;
	const char *name; // UTF-8, in the arena
	uint16_t flags;
	uint32_t counts[2], lists[2]; // of keys beneath it, those on disk and the volatile ones
	uint32_t value_count, value_list;
};
// false: it is not there, or is none; the coverage counts it.
bool inv_hive_root(struct inv_cells *cells, struct inv_arena *arena, struct inv_hive_key *key);
// Calls `each` for the keys right beneath one until it returns false. What cannot be read is passed over.
void inv_hive_keys(struct inv_cells *cells, const struct inv_hive_key *key, struct inv_arena *arena,
                   bool (*each)(void *context, const struct inv_hive_key *key), void *context);
// The key at a path beneath one: "Microsoft\Windows NT". Letters of ASCII are the same in both cases.
bool inv_hive_find(struct inv_cells *cells, const struct inv_hive_key *from, const char *path, struct inv_arena *arena,
                   struct inv_hive_key *key);

// A value of a key (cell "vk") by its name.
struct inv_hive_value {
	uint32_t type; // REG_SZ...
	size_t size;   // of its data, as far as they are in `data`
	bool whole;    // it has no more
	uint8_t data[INV_HIVE_TEXT];
};
bool inv_hive_value(struct inv_cells *cells, const struct inv_hive_key *key, const char *name,
                    struct inv_hive_value *value);

#endif
