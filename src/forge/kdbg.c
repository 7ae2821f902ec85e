// SPDX-License-Identifier: Apache-2.0
// KDDEBUGGER_DATA64 (wdbgexts.h of the Windows SDK; offsets compared with the blocks in four real triage dumps) and
// DBGKD_GET_VERSION64.
#include <string.h>

#include "base/bytes.h"
#include "forge/machine.h"
#include "forge/put.h"

// A variable of ours that holds zero, as CmNtCSDVersion does without a service pack.
#define CM_NT_CSD_VERSION 0x20u

static void put(struct inv_machine *machine, unsigned offset, uint64_t value)
{
	inv_put64(machine->kdbg_plain + offset, value);
}

static void put_symbol(struct inv_machine *machine, unsigned offset, enum inv_symbol symbol)
{
	put(machine, offset, inv_machine_symbol(machine, symbol));
}

static void put_field(struct inv_machine *machine, unsigned offset, enum inv_field field, unsigned added)
{
	const struct inv_place *place = &machine->layout->place[field];
	if (place->offset != INV_NO_OFFSET)
		inv_put16(machine->kdbg_plain + offset, (uint16_t)(place->offset + added));
}

static void put_size(struct inv_machine *machine, unsigned offset, enum inv_type type)
{
	inv_put16(machine->kdbg_plain + offset, (uint16_t)inv_machine_size(machine, type, 0));
}

static void put_offsets(struct inv_machine *machine)
{
	put_field(machine, 0x29a, INV_F_KTHREAD_Teb, 0);
	put_field(machine, 0x29c, INV_F_KTHREAD_KernelStack, 0);
	put_field(machine, 0x29e, INV_F_KTHREAD_InitialStack, 0);
	put_field(machine, 0x2a0, INV_F_KTHREAD_ApcStateProcess, 0);
	put_field(machine, 0x2a2, INV_F_KTHREAD_State, 0);
	put_size(machine, 0x2a8, INV_T_EPROCESS);
	put_field(machine, 0x2aa, INV_F_EPROCESS_Peb, 0);
	put_field(machine, 0x2ac, INV_F_EPROCESS_InheritedFromUniqueProcessId, 0);
	put_field(machine, 0x2ae, INV_F_KPROCESS_DirectoryTableBase, 0);
	put_size(machine, 0x2b0, INV_T_KPRCB);
	put_field(machine, 0x2b4, INV_F_KPRCB_CurrentThread, 0);
	// ContextFrame follows SpecialRegisters, whose size grew with Windows 10 1809 (0xe0, 0xf0).
	put_field(machine, 0x2bc, INV_F_KPRCB_ProcessorState, machine->build >= 17763 ? 0xf0 : 0xe0);
	put_field(machine, 0x2be, INV_F_KPRCB_Number, 0);
	put_size(machine, 0x2c0, INV_T_ETHREAD);
	put_size(machine, 0x2e0, INV_T_KPCR);
	put_field(machine, 0x2e2, INV_F_KPCR_Self, 0);
	put_field(machine, 0x2e4, INV_F_KPCR_CurrentPrcb, 0);
	put_field(machine, 0x2e6, INV_F_KPCR_Prcb, 0);
	put_field(machine, 0x2f2, INV_F_KPRCB_ProcessorState, 0);
	// The selectors of the GDT: R0 code, data and PCR, R3 code and data, TSS, R3 code and data of WOW64.
	static const uint16_t selectors[] = {0x10, 0x18, 0, 0x33, 0x2b, 0, 0, 0x40, 0x23, 0x53};
	for (unsigned i = 0; i < sizeof selectors / sizeof *selectors; i++)
		inv_put16(machine->kdbg_plain + 0x2f4 + (size_t)2 * i, selectors[i]);
}

static void put_version_block(struct inv_machine *machine)
{
	uint64_t block = inv_machine_symbol(machine, INV_S_KdVersionBlock);
	if (!block)
		return;
	uint8_t version[0x28] = {0};
	inv_put16(version, 15); // free build
	inv_put16(version + 2, machine->build);
	version[4] = 6; // ProtocolVersion
	inv_put16(version + 6, 0x47);
	inv_put16(version + 8, 0x8664);
	version[10] = 12; // MaxPacketType
	inv_put64(version + 0x10, machine->base);
	inv_put64(version + 0x18, inv_machine_symbol(machine, INV_S_PsLoadedModuleList));
	inv_put64(version + 0x20, machine->base + machine->data_rva); // KdpDebuggerDataListHead
	inv_machine_write(machine, block, version, sizeof version);
}

void inv_machine_make_kdbg(struct inv_machine *machine)
{
	machine->kdbg = inv_machine_symbol(machine, INV_S_KdDebuggerDataBlock);
	machine->kdbg_size = machine->build < 9200 ? 0x340 : machine->build < 10240 ? 0x360 : 0x380;
	uint64_t head = machine->base + machine->data_rva;
	inv_machine_put64(machine, head, machine->kdbg ? machine->kdbg : head);
	inv_machine_put64(machine, head + 8, machine->kdbg ? machine->kdbg : head);
	put(machine, 0x00, head);
	put(machine, 0x08, head);
	inv_put_text(machine->kdbg_plain + 0x10, "KDBG");
	inv_put32(machine->kdbg_plain + 0x14, machine->kdbg_size);
	put(machine, 0x18, machine->base);
	inv_put16(machine->kdbg_plain + 0x36, 1); // PaeEnabled
	put_symbol(machine, 0x48, INV_S_PsLoadedModuleList);
	put_symbol(machine, 0x50, INV_S_PsActiveProcessHead);
	put_symbol(machine, 0x58, INV_S_PspCidTable);
	put_symbol(machine, 0x98, INV_S_ObpRootDirectoryObject);
	put_symbol(machine, 0xc0, INV_S_MmPfnDatabase);
	put(machine, 0x138, INV_RAM_PAGE);
	put_symbol(machine, 0x1b8, INV_S_PoolTrackTable);
	put_symbol(machine, 0x208, INV_S_NtBuildLabEx); // where the real ones point, though the member is named NtBuildLab
	put_symbol(machine, 0x218, INV_S_KiProcessorBlock);
	put_symbol(machine, 0x220, INV_S_MmUnloadedDrivers);
	put(machine, 0x268, machine->base + machine->data_rva + CM_NT_CSD_VERSION);
	put_symbol(machine, 0x270, INV_S_MmPhysicalMemoryBlock);
	put_offsets(machine);
	put_version_block(machine);
	uint64_t never = inv_machine_symbol(machine, INV_S_KiWaitNever);
	uint64_t always = inv_machine_symbol(machine, INV_S_KiWaitAlways);
	if (never)
		inv_machine_put64(machine, never, inv_random_next(&machine->random));
	if (always)
		inv_machine_put64(machine, always, inv_random_next(&machine->random));
}

static uint64_t byte_swap(uint64_t value)
{
	uint64_t swapped = 0;
	for (unsigned i = 0; i < 8; i++)
		swapped = swapped << 8 | (value >> 8 * i & 0xff);
	return swapped;
}

static uint64_t rotate_right(uint64_t value, unsigned by)
{
	by &= 63;
	return by ? value >> by | value << (64 - by) : value;
}

// The inverse of what a debugger does: v ^ KiWaitNever, rotated left by its low byte, ^ address of KdpDataBlockEncoded,
// bytes swapped, ^ KiWaitAlways.
static uint64_t encode(uint64_t value, uint64_t never, uint64_t always, uint64_t flag)
{
	return rotate_right(byte_swap(value ^ always) ^ flag, (unsigned)(never & 0xff)) ^ never;
}

void inv_machine_store_kdbg(struct inv_machine *machine, bool encoded)
{
	uint64_t flag = inv_machine_symbol(machine, INV_S_KdpDataBlockEncoded);
	uint64_t never = inv_machine_symbol(machine, INV_S_KiWaitNever);
	uint64_t always = inv_machine_symbol(machine, INV_S_KiWaitAlways);
	if (!machine->kdbg)
		return;
	encoded = encoded && flag && never && always;
	uint8_t bytes[INV_FORGE_KDBG_MAX];
	memcpy(bytes, machine->kdbg_plain, sizeof bytes);
	if (encoded) {
		uint64_t key = inv_machine_get64(machine, never), other = inv_machine_get64(machine, always);
		for (size_t i = 0; i + 8 <= machine->kdbg_size; i += 8)
			inv_put64(bytes + i, encode(inv_le64(bytes + i), key, other, flag));
	}
	inv_machine_write(machine, machine->kdbg, bytes, machine->kdbg_size);
	uint8_t mark = encoded;
	if (flag)
		inv_machine_write(machine, flag, &mark, 1);
}
