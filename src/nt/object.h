// SPDX-License-Identifier: Apache-2.0
// OBJECT_HEADER and OBJECT_TYPE. The header ends where the object's body begins. Its TypeIndex tells the type: plain up to
// Windows 8.1, from Windows 10 on XORed with ObHeaderCookie and with the second byte of the header's own address (layouts.md
// B.3.7; read in the kernel's code: PspExitThread).
#ifndef INV_NT_OBJECT_H
#define INV_NT_OBJECT_H

#include "kernel/kernel.h"

// What decodes type indices, read once. `why` is static text.
struct inv_object_types {
	const char *unknown; // why no index can be decoded; NULL if they can
	bool encoded;
	uint8_t cookie;
	uint64_t table;                         // ObTypeIndexTable
	struct inv_value process, thread;       // the OBJECT_TYPEs
	struct inv_value process_id, thread_id; // their Index
	struct inv_value token, job, token_id, job_id;
	struct inv_value port_id, registration_id, timer_id; // of the types ALPC Port, EtwRegistration and Timer
};

// `system` is the address of System's EPROCESS, or 0. The decoding is believed only if it is right for the header of
// PsProcessType, which is an object of type Type, or for that of System; a liar would have to forge both.
void inv_object_types_read(const struct inv_kernel *kernel, uint64_t system, struct inv_object_types *types);

// The header of a body; 0 if the layout does not know where the body stands in it.
uint64_t inv_object_header(const struct inv_kernel *kernel, uint64_t body);
uint64_t inv_object_body(const struct inv_kernel *kernel, uint64_t header);

// The decoded type index of the object with this header. Not ok if it, or the way to decode it, is not known.
struct inv_value inv_object_type_index(const struct inv_kernel *kernel, const struct inv_object_types *types,
                                       uint64_t header);
// The same for a raw byte that was read at this header.
uint8_t inv_object_decode_index(const struct inv_object_types *types, uint64_t header, uint8_t raw);

// The bytes of optional headers that stand before this header, by InfoMask. false: it cannot be read, or names one that is not
// known.
bool inv_object_optional_size(const struct inv_kernel *kernel, uint64_t header, uint64_t *size);

// The name that an object has in its directory, from the optional header NAME_INFO. Empty with length->ok and 0 if it has none, empty
// with the reason if it could not be read. A file has its name in the FILE_OBJECT, not here.
const char *inv_object_name(const struct inv_kernel *kernel, uint64_t header, struct inv_arena *arena,
                            struct inv_value *length);

// The same with the directories that it stands in: "\Device\HarddiskVolume3". Where no way leads up to the root, that is what could be
// read, and begins without a backslash. (That the root's own name is "\" and it stands in no directory: public practice, as debuggers
// show it.)
const char *inv_object_path(const struct inv_kernel *kernel, uint64_t header, struct inv_arena *arena,
                            struct inv_value *length);
// The bit of InfoMask for OBJECT_HEADER_HANDLE_INFO: the object counts the handles to it by process, as its type asks for
// (TypeInfo.MaintainHandleCount).
#define INV_INFO_HANDLES 0x04u
// One process' handles to such an object, as the object has it: OBJECT_HANDLE_COUNT_ENTRY. Nothing is believed of `process`.
struct inv_holding {
	uint64_t process;
	uint64_t count;
	uint64_t at; // the address of the entry
};
// One object may have so many entries, used or not: each process has one at most.
#define INV_HOLDING_BOUND ((size_t)1 << 16)
// Appends the entries in use of the object with this header to `holdings` (stb_ds), and takes all that were looked at from
// `budget`. Where
// OBJECT_HEADER.Flags has SingleHandleEntry the one entry stands in OBJECT_HEADER_HANDLE_INFO itself, else that leads to a table of
// them. (Type information of the kernel's PDB, which names that flag from 8.1 on; that it is the same bit in Windows 7, and where the
// information stands before the header, is public practice.) false: not all of them could be read. An object that keeps none has
// none.
bool inv_object_holdings(const struct inv_kernel *kernel, uint64_t header, size_t *budget,
                         struct inv_holding **holdings);

// The OBJECT_TYPE of an index, by ObTypeIndexTable.
struct inv_value inv_object_type_at(const struct inv_kernel *kernel, const struct inv_object_types *types,
                                    uint8_t index);

// What the types of the system allow, by index.
struct inv_type_rights {
	enum {
		INV_TYPE_NONE,
		INV_TYPE_UNREAD,
		INV_TYPE_KNOWN
	} state;        // ObTypeIndexTable has none there; it could not be read
	uint32_t valid; // TypeInfo.ValidAccessMask
};
#define INV_TYPE_INDICES 256u
// Reads them all. A type is one only if its own Index is that under which it stands. `rights` has INV_TYPE_INDICES elements.
void inv_object_rights_read(const struct inv_kernel *kernel, const struct inv_object_types *types,
                            struct inv_type_rights *rights);

// A field of the header of a body: HandleCount, PointerCount.
struct inv_value inv_object_field(const struct inv_kernel *kernel, uint64_t body, enum inv_field field);

#endif
