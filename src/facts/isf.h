// SPDX-License-Identifier: Apache-2.0
// One symbol table in the Intermediate Symbol Format (the JSON of Volatility 3's pdbconv; its schemas 4 to 6), read
// for our fields and symbols and kept for `dt`.
#ifndef INV_FACTS_ISF_H
#define INV_FACTS_ISF_H

#include <jansson.h>

#include "facts/facts.h"

// A file may hold this much, packed or unpacked. Tables of kernels are around 10 MiB.
#define INV_ISF_MAX_SIZE ((size_t)512 * 1024 * 1024)

struct inv_isf {
	char *name;   // of the file, for messages
	json_t *root; // without "symbols", which nothing needs later
	struct inv_layout layout;
	uint32_t rva[INV_SYMBOL_COUNT];
	struct inv_kernel_facts facts;
	char pdb[64];
	char source[320];
	char version[32];
};

// The JSON text in a file's bytes: *text points into them, or to *owned (release with free()) if they were packed.
// A PDB gives INV_E_UNSUPPORTED. `name` is for messages.
INV_MUST_USE enum inv_code inv_isf_unpack(const char *name, const uint8_t *bytes, size_t size, const char **text,
                                          size_t *length, char **owned, struct inv_error *error);

// Which PDB the text is of, without reading it as JSON; false if it takes a full reading to know.
bool inv_isf_peek_guid(const char *text, size_t length, uint8_t guid[16]);

INV_MUST_USE enum inv_code inv_isf_read(const char *name, const char *text, size_t length, struct inv_isf **isf,
                                        struct inv_error *error);
void inv_isf_free(struct inv_isf *isf); // NULL is allowed

bool inv_isf_members(const struct inv_isf *isf, const char *type, uint32_t *size,
                     void (*each)(void *context, const struct inv_member *member), void *context);

#endif
