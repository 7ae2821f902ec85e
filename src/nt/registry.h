// SPDX-License-Identifier: Apache-2.0
// Open keys of the registry. The body of a Key object (_CM_KEY_BODY) leads to a key control block, which has one part of the name
// in a name control block and leads on to the block of the key above it. (Where fields stand: type information of the kernel's PDB.
// What they hold: public practice, as readers of memory have it.)
#ifndef INV_NT_REGISTRY_H
#define INV_NT_REGISTRY_H

#include "kernel/kernel.h"

#define INV_KEY_DEPTH                                                                                                  \
	512u // levels of keys that the registry allows (learn.microsoft.com, "Registry Element Size Limits")
#define INV_KEY_NAME 255u      // characters of the name of one key (the same page)
#define INV_KEY_HIVE_EXIT 0x2u // CM_KEY_NODE.Flags, which the key control block has again: leads into another hive
#define INV_KEY_HIVE_ENTRY 0x4u
#define INV_KEY_COMP_NAME 0x20u // the name has one byte a character

struct inv_key_name {
	// "\REGISTRY\MACHINE\SOFTWARE"; what could be read of it begins with "..." where the parts above could not be; "" when nothing could.
	// In the arena.
	const char *path;
	bool ok; // all of it was read
	const char
	    *odd; // what stands there is no name: "the way up leads back to itself". NULL when it is one. Static text
	struct inv_why why; // what could not be read, when not ok and not odd
};

// The full name of a Key object by its body. Bounded by INV_KEY_DEPTH. From Windows 10 14393 on, where a hive is mounted there are two
// blocks of the same name, of which that of the hive's own root (KEY_HIVE_ENTRY) is passed over; the member Trans of the body came
// with it (public practice, Volatility's).
void inv_key_name_read(const struct inv_kernel *kernel, uint64_t body, struct inv_arena *arena,
                       struct inv_key_name *name);

#endif
