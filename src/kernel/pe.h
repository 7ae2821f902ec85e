// SPDX-License-Identifier: Apache-2.0
// PE files as mapped in memory, read through a space. Format: Microsoft, "PE Format" (learn.microsoft.com).
#ifndef INV_KERNEL_PE_H
#define INV_KERNEL_PE_H

#include "kernel/kernel.h"

#define INV_PE_MAX_SECTIONS 96
#define INV_PE_MAX_SIZE (256u << 20) // no Windows driver comes near; a bound for what follows from SizeOfImage

struct inv_pe_section {
	char name[9];
	uint32_t rva;
	uint32_t size; // in memory, clipped to the image
	bool writable, executable;
};

struct inv_pe {
	uint64_t base;
	uint64_t image_base; // as the header says
	bool narrow;         // PE32, of a 32-bit program
	uint16_t machine, characteristics, subsystem, dll_characteristics;
	uint32_t time_stamp, size_of_image, checksum, entry;
	uint32_t export_rva, export_size;   // 0: none
	uint32_t import_rva, import_size;   // 0: none
	uint32_t debug_rva, debug_size;     // 0: none
	uint32_t managed_rva, managed_size; // IMAGE_DIRECTORY_ENTRY_COM_DESCRIPTOR: code of .NET; 0: none
	size_t section_count;
	struct inv_pe_section section[INV_PE_MAX_SECTIONS];
	struct inv_pdb pdb; // filled by inv_pe_read_pdb()
};

// Reads and checks the headers. false: there is no PE32+ for x64 or ARM64 at `base`; `why` (may be NULL) then has a
// reason other than INV_PRESENT if it could not be read.
bool inv_pe_read(struct inv_space *space, uint64_t base, struct inv_pe *pe, struct inv_why *why);

// The same of any program or DLL: PE32 too, for any machine, and up to 2 GiB.
bool inv_pe_read_image(struct inv_space *space, uint64_t base, struct inv_pe *pe, struct inv_why *why);

// The RSDS record of the debug directory. false: none that can be read; `why` as above.
bool inv_pe_read_pdb(struct inv_space *space, struct inv_pe *pe, struct inv_why *why);

// The name that the export directory gives to the file ("ntoskrnl.exe"), up to 63 bytes.
bool inv_pe_export_name(struct inv_space *space, const struct inv_pe *pe, char name[64]);

// The RVA that the file exports under `name`: binary search as the names are sorted. false: no such export, a
// forwarder, or not readable.
bool inv_pe_export(struct inv_space *space, const struct inv_pe *pe, const char *name, uint32_t *rva);

// A function or variable that a file exports under a name.
struct inv_pe_exported {
	uint32_t rva, name_rva;
};
// All of them but forwarders, by RVA, for the caller to free(); NULL: none, or not all can be read. Bounded: at most 65536, for the
// index that stands beside a name has 16 bits.
struct inv_pe_exported *inv_pe_exports(struct inv_space *space, const struct inv_pe *pe, size_t *count);

// Text at an RVA, cut to `size` - 1 bytes. false: it cannot be read.
bool inv_pe_text(struct inv_space *space, const struct inv_pe *pe, uint32_t rva, char *text, size_t size);

// A PDB that Microsoft uses for the kernel: ntkrnlmp.pdb, ntkrnlpa.pdb, ntkrpamp.pdb, ntoskrnl.pdb, ntkrla57.pdb.
bool inv_pdb_is_kernel(const char *name);

// A kernel: a PE whose RSDS record names a kernel PDB or, where that cannot be read, whose export directory does.
bool inv_pe_read_kernel(struct inv_space *space, uint64_t base, struct inv_pe *pe);

#endif
