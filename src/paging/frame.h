// SPDX-License-Identifier: Apache-2.0
#ifndef INV_PAGING_FRAME_H
#define INV_PAGING_FRAME_H

#include <stdint.h>

// CR3, DirectoryTableBase and page table entries hold a physical address in bits 12..51 (Intel SDM vol. 3, 4.5); the bits around it
// are flags, a PCID, or protection.
#define INV_FRAME_MASK UINT64_C(0x000ffffffffff000)

// Bits of a page table entry that the CPU uses (ibid., 4.5.4). Bits 52..62 belong to software.
#define INV_ENTRY_VALID (UINT64_C(1) << 0)
#define INV_ENTRY_WRITE (UINT64_C(1) << 1)
#define INV_ENTRY_USER (UINT64_C(1) << 2)
#define INV_ENTRY_LARGE (UINT64_C(1) << 7)
#define INV_ENTRY_NO_EXECUTE (UINT64_C(1) << 63)

// A page table of any level is a page of such entries; the upper half of the root is the kernel's (ibid., 4.5.2).
#define INV_ENTRY_SIZE 8u
#define INV_TABLE_ENTRIES 512u

// From here on addresses are the kernel's: what lies between the halves is not canonical.
#define INV_KERNEL_HALF (UINT64_C(1) << 63)

#endif
