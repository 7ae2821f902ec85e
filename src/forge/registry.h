// SPDX-License-Identifier: Apache-2.0
// The registry: keys that are open, and hives with their cells.
#ifndef INV_FORGE_REGISTRY_H
#define INV_FORGE_REGISTRY_H

#include "forge/machine.h"

struct inv_forge_hive_value {
	const char *name;
	uint32_t type; // REG_...
	const uint8_t *data;
	uint32_t size;
	const char *text; // NULL: it is a number
	struct inv_forge_hive_value *next;
};

// A key of a hive. The keys beneath it stand in the order of their names.
struct inv_forge_hive_key {
	const char *name;
	struct inv_forge_hive_key *first, *next;
	struct inv_forge_hive_value *values;
	uint32_t cell;
};

struct inv_forge_hive {
	uint64_t address; // CMHIVE
	const char *path; // the key that it is mounted as: "\REGISTRY\MACHINE\SOFTWARE"
	const char *file; // "\Device\HarddiskVolume3\Windows\System32\config\SOFTWARE"
	struct inv_forge_hive_key *root;
	uint64_t bins;                     // where offset 0 stands
	uint32_t length;                   // of the bins
	struct inv_forge_process *process; // whose user half they are mapped into; NULL: they are the kernel's
};

// What stands at a path of the machine's registry: a key control block.
struct inv_forge_kcb {
	char *key; // path, in upper case
	uint64_t value;
};

// An empty list of hives.
void inv_machine_make_registry(struct inv_machine *machine);
// A Key object, to which no handle leads yet, of the key at this path ("\REGISTRY\MACHINE\..."), with the key control blocks of all
// above it. `wide`: its own name has two bytes a character. The body's address; 0: this kernel's are not known.
uint64_t inv_machine_make_key(struct inv_machine *machine, const char *path, bool wide);
bool inv_machine_is_wide(const struct inv_machine *machine, uint64_t key);
// The key control block of a path, made when it is first asked for.
uint64_t inv_machine_kcb(struct inv_machine *machine, const char *path, bool wide);

// The key at a path beneath another, made when it is first asked for.
struct inv_forge_hive_key *inv_forge_hive_key(struct inv_machine *machine, struct inv_forge_hive_key *from,
                                              const char *path);
void inv_forge_hive_text(struct inv_machine *machine, struct inv_forge_hive_key *key, const char *name,
                         const char *text); // REG_EXPAND_SZ
void inv_forge_hive_number(struct inv_machine *machine, struct inv_forge_hive_key *key, const char *name,
                           uint32_t number);
// Whether this kernel's hives are known.
bool inv_machine_has_hives(const struct inv_machine *machine);
// Lays a hive out and puts it on the list of hives. From Windows 10 1803 on its bins are mapped into the user half of the Registry
// process, which is made when there is none; before, they are the kernel's. NULL: this kernel's are not known.
struct inv_forge_hive *inv_machine_mount_hive(struct inv_machine *machine, const char *path,
                                              struct inv_forge_hive_key *root, struct inv_error *error);
// Writes to a hive, by the offset within it. false: it has no such bytes.
bool inv_machine_write_hive(struct inv_machine *machine, const struct inv_forge_hive *hive, uint32_t offset,
                            const void *bytes, size_t size);
void inv_forge_free_registry(struct inv_machine *machine);

#endif
