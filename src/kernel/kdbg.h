// SPDX-License-Identifier: Apache-2.0
// KDDEBUGGER_DATA64: finding out whether bytes are one, and decoding it. Structure: wdbgexts.h of the Windows SDK; the
// offsets below agree with what four real triage dumps (9600, 19041 and 22000, x64 and ARM64) hold.
#ifndef INV_KERNEL_KDBG_H
#define INV_KERNEL_KDBG_H

#include "kernel/kernel.h"

// Every version since XP has at least the fields up to SizeEThread.
#define INV_KDBG_MIN 0x2c8u

enum inv_kdbg_at {
	INV_KDBG_OWNER_TAG = 0x10, // u32, "KDBG"
	INV_KDBG_SIZE = 0x14,      // u32
	INV_KDBG_KERN_BASE = 0x18,
	INV_KDBG_PS_LOADED_MODULE_LIST = 0x48,
	INV_KDBG_PS_ACTIVE_PROCESS_HEAD = 0x50,
	INV_KDBG_PSP_CID_TABLE = 0x58,
	INV_KDBG_OBP_ROOT_DIRECTORY_OBJECT = 0x98,
	INV_KDBG_MM_PFN_DATABASE = 0xc0,
	INV_KDBG_POOL_TRACK_TABLE = 0x1b8,
	INV_KDBG_NT_BUILD_LAB = 0x208, // named so; holds the address of NtBuildLabEx on 9600, 19041 and 22000
	INV_KDBG_KI_PROCESSOR_BLOCK = 0x218,
	INV_KDBG_MM_UNLOADED_DRIVERS = 0x220,
	INV_KDBG_MM_PHYSICAL_MEMORY_BLOCK = 0x270,
	// u16 each, up to SIZE_ETHREAD
	INV_KDBG_KTHREAD_TEB = 0x29a,
	INV_KDBG_KTHREAD_KERNEL_STACK = 0x29c,
	INV_KDBG_KTHREAD_INITIAL_STACK = 0x29e,
	INV_KDBG_KTHREAD_APC_PROCESS = 0x2a0,
	INV_KDBG_KTHREAD_STATE = 0x2a2,
	INV_KDBG_SIZE_EPROCESS = 0x2a8,
	INV_KDBG_EPROCESS_PEB = 0x2aa,
	INV_KDBG_EPROCESS_PARENT_CID = 0x2ac,
	INV_KDBG_EPROCESS_DIRECTORY_TABLE_BASE = 0x2ae,
	INV_KDBG_SIZE_PRCB = 0x2b0,
	INV_KDBG_PRCB_CURRENT_THREAD = 0x2b4,
	INV_KDBG_PRCB_NUMBER = 0x2be,
	INV_KDBG_SIZE_ETHREAD = 0x2c0,
	INV_KDBG_PCR_SELF = 0x2e2,
	INV_KDBG_PCR_CURRENT_PRCB = 0x2e4,
	INV_KDBG_PCR_CONTAINED_PRCB = 0x2e6,
	INV_KDBG_KTHREAD_STACK_LIMIT = 0x340, // from Windows 8 on
	INV_KDBG_KTHREAD_STACK_BASE = 0x344,
	INV_KDBG_PRCB_IDLE_THREAD = 0x350,
};

// The keys of the encoding that Windows 8 and later use while no debugger is enabled.
struct inv_kdbg_keys {
	uint64_t wait_never;  // value of KiWaitNever
	uint64_t wait_always; // value of KiWaitAlways
	uint64_t encoded_at;  // address of KdpDataBlockEncoded
};
uint64_t inv_kdbg_decode(uint64_t value, const struct inv_kdbg_keys *keys);

// Fills `kdbg` from the bytes of a block. They are taken as they are if they bear the tag, else decoded when `keys` is
// not NULL. false: neither gives a block. `address` is only noted.
bool inv_kdbg_parse(const uint8_t *bytes, size_t size, const struct inv_kdbg_keys *keys, uint64_t address,
                    struct inv_kdbg *kdbg);

// The u64 of KDBG that is the address of this global; 0 if it has none. Offsets above.
unsigned inv_kdbg_symbol_at(enum inv_symbol symbol);

#endif
