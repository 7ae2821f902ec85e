// SPDX-License-Identifier: Apache-2.0
// A structure of Windows in memory, member by member: what stands nested in it, and what its pointers lead to, on demand.
#ifndef INV_CLI_STRUCTURE_H
#define INV_CLI_STRUCTURE_H

#include "base/memory.h"
#include "kernel/kernel.h"

// Where structures are read, and by what they are known.
struct inv_structures;

// `symbols` may be NULL: then by our own list. `kernel` and `symbols` must outlive it.
struct inv_structures *inv_structures_new(const struct inv_kernel *kernel, struct inv_symbols *symbols);
void inv_structures_free(struct inv_structures *structures); // NULL is allowed
// From now on user addresses are those of this process (the address of its EPROCESS). Without it they are those of the first
// _EPROCESS that is shown. false with `why` when it has no page tables to read.
bool inv_structures_enter(struct inv_structures *structures, uint64_t process, struct inv_why *why);
// The pointer that stands at `address`.
struct inv_value inv_structures_pointer(const struct inv_structures *structures, uint64_t address);

// One member as it stands in memory. Texts live as long as the structures.
struct inv_structure_row {
	unsigned depth;   // 0: of the structure that was asked for
	const char *path; // "Pcb.Header.Type", "Peb->ProcessParameters->CommandLine"
	const char *type; // of the member, in words
	struct inv_place place;
	uint32_t offset;        // in the structure of its depth
	uint64_t address;       // of the member; 0 without an address
	struct inv_value value; // of one of at most 8 bytes; bits already cut out
	bool is_number;         // there is a value to show, or a reason why it is absent
	const char *means; // NULL; or what it says to a person: a string's text, a list's ends, a time, a place in a module
	const char *target_type; // NULL; or the type of what a pointer leads to
	uint64_t target;         // and where that stands; 0: nowhere
};

struct inv_structure_request {
	const char *type; // "_EPROCESS", or with a path: "_EPROCESS.Peb->ProcessParameters"
	bool has_address;
	uint64_t address;
	unsigned depth; // how many levels of what is nested are shown
	bool follow;    // what typed pointers lead to counts as nested
};

// At most so many rows are made.
#define INV_STRUCTURE_ROWS 100000u

// The rows in the order in which a debugger shows them, as an stb_ds array that the caller frees; `*name` and `*size` get the type that
// they are of (size 0: not known), `*at` its address (0 without one). NULL with `error`: no such type or member, or a pointer on the path that could not be read.
// `*cut` tells that INV_STRUCTURE_ROWS was reached.
struct inv_structure_row *inv_structure_read(struct inv_structures *structures,
                                             const struct inv_structure_request *request, const char **name,
                                             uint32_t *size, uint64_t *at, bool *cut, struct inv_error *error);

#endif
