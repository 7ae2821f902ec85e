// SPDX-License-Identifier: Apache-2.0
#ifndef INV_PAGING_FRAME_H
#define INV_PAGING_FRAME_H

#include <stdint.h>

// CR3, DirectoryTableBase and page table entries hold a physical address in bits 12..51 (Intel SDM vol. 3, 4.5); the bits around it
// are flags, a PCID, or protection.
#define INV_FRAME_MASK UINT64_C(0x000ffffffffff000)

#endif
