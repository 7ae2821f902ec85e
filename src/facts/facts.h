// SPDX-License-Identifier: Apache-2.0
// What is known of Windows builds. fields.def and symbols.def list everything that the program depends on;
// the tables under facts/ at the root of the tree give the values, and the build turns them into constants.
#ifndef INV_FACTS_FACTS_H
#define INV_FACTS_FACTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/log.h"
#include "image/image.h"

enum inv_type {
#define INV_TYPE(type, names) INV_T_##type,
#include "facts/fields.def"
	INV_TYPE_COUNT
};

enum inv_field {
#define INV_FIELD(type, field, names, kind, need) INV_F_##type##_##field,
#include "facts/fields.def"
	INV_FIELD_COUNT
};

enum inv_symbol {
#define INV_SYMBOL(symbol, need) INV_S_##symbol,
#include "facts/symbols.def"
	INV_SYMBOL_COUNT
};

// The kind of a field's value, which gives its width unless it is a bit field.
enum inv_kind { INV_U8, INV_U16, INV_U32, INV_U64, INV_PTR, INV_LIST, INV_STRUCT, INV_BITS, INV_UNICODE, INV_FASTREF };

struct inv_type_info {
	const char *name;  // "_EPROCESS"
	const char *names; // alternatives in older or newer builds, separated by '|'
};

struct inv_field_info {
	enum inv_type type;
	const char *name;  // "UniqueProcessId"
	const char *names; // the paths to look for, best first, separated by '|'; a path has dots: "u4.PteFrame"
	enum inv_kind kind;
	bool needed; // without it no process can be read; else its absence gives "unknown" where it matters
};

const struct inv_type_info *inv_type_info(enum inv_type type);
const struct inv_field_info *inv_field_info(enum inv_field field);
const char *inv_symbol_name(enum inv_symbol symbol);
const char *inv_field_full_name(enum inv_field field); // "_EPROCESS.UniqueProcessId"; static

// Where a field stands. `bits` is 0 unless the field is a bit field; then `bit` counts from the least
// significant bit of the little-endian integer at `offset`, and `width` is that integer's size in bytes. (Before Windows
// Vista two fields of kind INV_BITS were whole integers, KTHREAD.KernelStackResident and MMPAGING_FILE.PageFileNumber:
// `bits` is 0 for them there.)
#define INV_NO_OFFSET UINT16_MAX
struct inv_place {
	uint16_t offset; // INV_NO_OFFSET: this build has no such field, or it is not known
	uint8_t bit;
	uint8_t bits;
	uint8_t width;
};

struct inv_layout {
	const char *id;      // the name of its column in facts/layouts.tsv; "isf" when loaded at run time
	const char *source;  // where the values come from, in words
	const char *version; // the build range it was read from: "10.0.19041.1826 to 10.0.19041.3570"
	enum inv_arch arch;
	uint16_t build;                // e.g. 19041
	bool partial;                  // from a supplement that lists only some fields
	uint32_t size[INV_TYPE_COUNT]; // 0: not known
	struct inv_place place[INV_FIELD_COUNT];
};

struct inv_version {
	uint16_t major, minor, build, revision;
};

#define INV_NO_RVA UINT32_MAX

// One kernel with symbols.
struct inv_kernel_facts {
	struct inv_version version;
	uint8_t guid[16];
	uint32_t age;
	const char *pdb; // "ntkrnlmp.pdb"
	enum inv_arch arch;
	const struct inv_layout *layout;
	const uint32_t *rva; // INV_SYMBOL_COUNT values, INV_NO_RVA where the kernel has no such symbol
	const char *source;
};

// The built-in table.
size_t inv_facts_kernel_count(void);
const struct inv_kernel_facts *inv_facts_kernel(size_t index); // sorted by version, then GUID
size_t inv_facts_layout_count(void);
const struct inv_layout *inv_facts_layout(size_t index);
const struct inv_kernel_facts *inv_facts_by_guid(const uint8_t guid[16], uint32_t age); // NULL: not in the table
// By version: every kernel of this exact version (more than one PDB may share it). Returns the first, sets
// *count.
const struct inv_kernel_facts *inv_facts_by_version(const struct inv_version *version, size_t *count);

// Identification by the PE header's time stamp and size of image (source: kphdyn.xml of System Informer).
struct inv_build_row {
	enum inv_arch arch;
	struct inv_version version;
	uint32_t time_stamp;
	uint32_t size_of_image;
	uint16_t object_table;   // EPROCESS.ObjectTable, INV_NO_OFFSET if not given
	uint16_t section_object; // EPROCESS.SectionObject
};
size_t inv_facts_builds(enum inv_arch arch, uint32_t time_stamp, uint32_t size_of_image,
                        const struct inv_build_row **first); // number of consecutive rows that match

// The layouts worth trying on a kernel that the table does not have, likeliest first: those of its build by nearness of
// revision, full ones before partial ones; then those of other builds, first the ones that put
// EPROCESS.ObjectTable and SectionObject where the table of builds knows them for this build, by nearness of build.
// Editions that share a kernel (19041 to 19045; 18362 and 18363; 22621 and 22631) count as one build. Writes at most
// `max` and returns how many.
size_t inv_facts_candidates(enum inv_arch arch, uint16_t build, uint16_t revision, const struct inv_layout **out,
                            size_t max);

// What is known of some builds only, and stands neither in a layout nor among symbols; known.c says of which, and from where.
enum inv_known {
	INV_CSRSS_SETS_PORT,     // csrss sets EPROCESS.ExceptionPortData of its clients
	INV_W32_PID_PLACE,       // where W32PROCESS.W32Pid stands
	INV_W32_DXPROCESS_PLACE, // where W32PROCESS.DxProcess stands, which leads to the DXGPROCESS
	INV_POOL_HEADERS_TELL,   // the header of a block of pool tells whether that is in use: there is no heap of segments
	INV_PRIVILEGES_DEFINED,  // which privileges are defined
	INV_TEB_HAS_THREADINFO,  // TEB.Win32ThreadInfo is the address of the THREADINFO
	INV_KNOWN_COUNT,
};
// Of build 0, which means that the build is not known, nothing is.
bool inv_facts_known(uint16_t build, enum inv_known what);

// How the 32-bit half of a WOW64 process on this x64 kernel lays out what user mode keeps (PEB, TEB, loader, parameters): as the
// x86 kernel of the same build, or of the nearest build below that is known. NULL: none is. (That an x64 kernel's WOW64 has the
// structures of the x86 kernel of its build: public practice.)
const struct inv_layout *inv_layout_for_wow64(const struct inv_layout *layout);

// Facts loaded at run time. A source is a file, or a folder whose files are all opened at once (so that the
// sandbox can close behind them); content is read only by inv_symbols_load(). Only ISF (.json, .json.xz) is
// read now; a PDB is recognised and refused with INV_E_UNSUPPORTED.
struct inv_symbols;
INV_MUST_USE enum inv_code inv_symbols_open(const char *path, const struct inv_log *log, struct inv_symbols **symbols,
                                            struct inv_error *error);
// Looks for the table of this PDB among the opened files (by metadata, not only by file name). *facts is NULL when there is
// none. A broken file that is passed over is named in the log. The result belongs to `symbols`.
INV_MUST_USE enum inv_code inv_symbols_load(struct inv_symbols *symbols, const uint8_t guid[16], uint32_t age,
                                            const struct inv_kernel_facts **facts, struct inv_error *error);
void inv_symbols_close(struct inv_symbols *symbols); // NULL is allowed

// One ISF document from memory (`name` for messages). The result belongs to *symbols, made by this call.
INV_MUST_USE enum inv_code inv_symbols_parse_isf(const char *name, const void *bytes, size_t size,
                                                 struct inv_symbols **symbols, const struct inv_kernel_facts **facts,
                                                 struct inv_error *error);

// A structure as a debugger shows it needs all fields, not only ours: from an ISF given at run time, else
// our own list. Calls `each` for every member in order of offset; false: the type is not known there.
struct inv_member {
	const char *name;
	const char *type; // in words: "unsigned long", "_LIST_ENTRY", "pointer to _EPROCESS"
	struct inv_place place;
	uint32_t offset; // of the member; place.offset is INV_NO_OFFSET where this does not fit 16 bits
	uint32_t size;   // in bytes, of the whole member; 0 unknown
};
bool inv_symbols_members(struct inv_symbols *symbols, const char *type, uint32_t *size,
                         void (*each)(void *context, const struct inv_member *member), void *context);
// The same from our own list. `type` is one of the type's names, in our spelling or a symbol file's. *size is 0 when the
// layout does not know it. false: not one of our types, or the layout says nothing of it.
bool inv_layout_members(const struct inv_layout *layout, const char *type, uint32_t *size,
                        void (*each)(void *context, const struct inv_member *member), void *context);
// What a member of one of our types leads to by our own list (targets.def): "_TEB" for ("_KTHREAD", "Teb"), which symbol tables
// leave untyped. NULL: not known.
const char *inv_member_target(const char *type, const char *member);

#endif
