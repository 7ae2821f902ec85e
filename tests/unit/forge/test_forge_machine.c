// SPDX-License-Identifier: Apache-2.0
// The forged machine, read back from a raw image with nothing but page tables and the layout.
#include "forged.h"

#define MAX_PROCESSES 64

static const char desktop[] = "local e = process{name='explorer.exe', session=1, threads=4, gui=true, parent=find(4)}\n"
                              "process{name='a-rather-long-name.exe', pid=1236, session=1, threads=2, parent=e}\n"
                              "process{name='Registry', minimal=true, threads=1, parent=find(4), role='registry'}\n"
                              "process{name='gone.exe', session=1, state='zombie', parent=e}\n";

static size_t active(const struct forged *f, uint64_t *processes)
{
	return walk_list(f, inv_forge_symbol(f->forge, INV_S_PsActiveProcessHead),
	                 f->layout->place[INV_F_EPROCESS_ActiveProcessLinks].offset, processes, MAX_PROCESSES);
}

static void check_process(const struct forged *f, uint64_t process)
{
	assert_int_equal(process % 16, 0);
	assert_int_equal(field64(f, process, INV_F_DISPATCHER_HEADER_Type) & 0xff, 3);
	uint64_t dtb = field64(f, process, INV_F_KPROCESS_DirectoryTableBase);
	// The same kernel half in every address space.
	assert_int_equal(walk(f, dtb, process), walk(f, inv_forge_dtb(f->forge), process));
	assert_int_equal(bits(f, process, INV_F_EPROCESS_ProcessInserted), 1);
	assert_int_equal(field64(f, process, INV_F_EPROCESS_UniqueProcessId) % 4, 0);
	uint64_t threads[MAX_PROCESSES], same[MAX_PROCESSES];
	size_t count = walk_list(f, field_address(f, process, INV_F_EPROCESS_ThreadListHead),
	                         f->layout->place[INV_F_ETHREAD_ThreadListEntry].offset, threads, MAX_PROCESSES);
	assert_int_equal(count, field64(f, process, INV_F_EPROCESS_ActiveThreads) & 0xffffffff);
	assert_int_equal(walk_list(f, field_address(f, process, INV_F_KPROCESS_ThreadListHead),
	                           f->layout->place[INV_F_KTHREAD_ThreadListEntry].offset, same, MAX_PROCESSES),
	                 count);
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(threads[i], same[i]);
		assert_int_equal(field64(f, threads[i], INV_F_DISPATCHER_HEADER_Type) & 0x7f, 6);
		assert_int_equal(field64(f, threads[i], INV_F_KTHREAD_Process), process);
		assert_int_equal(field64(f, threads[i], INV_F_ETHREAD_CidUniqueProcess),
		                 field64(f, process, INV_F_EPROCESS_UniqueProcessId));
		uint64_t stack = field64(f, threads[i], INV_F_KTHREAD_KernelStack);
		assert_true(stack >= field64(f, threads[i], INV_F_KTHREAD_StackLimit));
		assert_true(stack < field64(f, threads[i], INV_F_KTHREAD_InitialStack));
		assert_true(field64(f, threads[i], INV_F_ETHREAD_CreateTime) >= field64(f, process, INV_F_EPROCESS_CreateTime));
	}
}

static void check_lists(const struct forged *f)
{
	uint64_t processes[MAX_PROCESSES] = {0}, running[MAX_PROCESSES] = {0};
	size_t count = active(f, processes);
	assert_int_equal(count, 5);
	assert_int_equal(virtual64(f, inv_forge_symbol(f->forge, INV_S_PsInitialSystemProcess)), processes[0]);
	assert_int_equal(field64(f, processes[0], INV_F_EPROCESS_UniqueProcessId), 4);
	uint64_t last = 0;
	for (size_t i = 0; i < count; i++) {
		check_process(f, processes[i]);
		if (!has_field(f, INV_F_EPROCESS_SequenceNumber))
			continue;
		uint64_t sequence = field64(f, processes[i], INV_F_EPROCESS_SequenceNumber);
		assert_true(sequence > last);
		last = sequence;
	}
	assert_int_equal(virtual64(f, inv_forge_symbol(f->forge, INV_S_PspProcessSequenceNumber)), last);
	// All but the zombie, which has no threads, are the scheduler's.
	size_t scheduled = walk_list(f, inv_forge_symbol(f->forge, INV_S_KiProcessListHead),
	                             f->layout->place[INV_F_KPROCESS_ProcessListEntry].offset, running, MAX_PROCESSES);
	assert_int_equal(scheduled, count - 1);
	assert_memory_equal(running, processes, scheduled * sizeof *running);
}

static void check_kernel(const struct forged *f)
{
	const struct inv_kernel_facts *facts = inv_forge_facts(f->forge);
	uint64_t base = inv_forge_base(f->forge);
	assert_int_equal(virtual32(f, base) & 0xffff, 0x5a4d);
	uint64_t pe = base + virtual32(f, base + 0x3c);
	assert_int_equal(virtual32(f, pe), 0x4550);
	uint32_t debug = virtual32(f, pe + 24 + 112 + 6ull * 8);
	uint64_t rsds = base + virtual32(f, base + debug + 20);
	assert_int_equal(virtual32(f, rsds), 0x53445352);
	assert_int_equal(virtual64(f, rsds + 4), inv_le64(facts->guid));
	assert_int_equal(virtual64(f, rsds + 12), inv_le64(facts->guid + 8));
	assert_int_equal(virtual32(f, rsds + 20), facts->age);
	assert_int_equal(virtual32(f, inv_forge_symbol(f->forge, INV_S_NtBuildNumber)), 0xf0000000u | facts->version.build);
	// Every symbol lies inside SizeOfImage, and the self-map entry is where MmPteBase says.
	uint32_t size = virtual32(f, pe + 24 + 56);
	for (int i = 0; i < INV_SYMBOL_COUNT; i++)
		assert_true(facts->rva[i] == INV_NO_RVA || facts->rva[i] < size);
	uint64_t slot = 0x1ed;
	if (facts->rva[INV_S_MmPteBase] != INV_NO_RVA)
		slot = virtual64(f, inv_forge_symbol(f->forge, INV_S_MmPteBase)) >> 39 & 0x1ff;
	uint64_t dtb = inv_forge_dtb(f->forge);
	assert_int_equal(physical64(f, dtb + 8 * slot) & 0xffffffffff000u, dtb);
}

static void all_kernels(void **state)
{
	(void)state;
	size_t forged_count = 0;
	for (size_t i = 0; i < inv_facts_kernel_count(); i++) {
		const struct inv_kernel_facts *facts = inv_facts_kernel(i);
		if (!inv_forge_can(facts))
			continue;
		struct inv_forge_options options = {.facts = facts, .memory = 64u << 20, .seed = i, .seed_given = true};
		struct forged f = forge_raw(desktop, &options);
		check_kernel(&f);
		check_lists(&f);
		forged_free(&f);
		forged_count++;
	}
	assert_true(forged_count >= 200);
}

static uint64_t find_low_stub(const struct forged *f)
{
	for (uint64_t page = 0x1000; page < 0xa0000; page += 0x1000)
		if ((physical64(f, page) & 0xffffffffffff00ff) == 0x1000600e9)
			return page;
	return 0;
}

static void low_stub(void **state)
{
	(void)state;
	struct forged f = forge_raw("", NULL);
	uint64_t stub = find_low_stub(&f);
	assert_int_not_equal(stub, 0);
	assert_int_equal(physical64(&f, stub + 0xa0), inv_forge_dtb(f.forge));
	assert_true(physical64(&f, stub + 0x70) - inv_forge_base(f.forge) < 0x2000000);
	forged_free(&f);
}

static void encoded_block(void **state)
{
	(void)state;
	struct forged f = forge_raw("machine{encoded_kdbg=true}", NULL);
	uint64_t block = inv_forge_symbol(f.forge, INV_S_KdDebuggerDataBlock);
	uint64_t flag = inv_forge_symbol(f.forge, INV_S_KdpDataBlockEncoded);
	uint64_t never = virtual64(&f, inv_forge_symbol(f.forge, INV_S_KiWaitNever));
	uint64_t always = virtual64(&f, inv_forge_symbol(f.forge, INV_S_KiWaitAlways));
	assert_int_equal(virtual64(&f, flag) & 0xff, 1);
	uint64_t plain[4];
	static const unsigned offsets[] = {0x10, 0x18, 0x48, 0x50};
	for (size_t i = 0; i < 4; i++) {
		uint64_t v = virtual64(&f, block + offsets[i]) ^ never;
		unsigned by = (unsigned)(never & 0x3f);
		v = by ? v << by | v >> (64 - by) : v;
		plain[i] = __builtin_bswap64(v ^ flag) ^ always;
	}
	assert_int_equal(plain[0], 0x000003804742444b);
	assert_int_equal(plain[1], inv_forge_base(f.forge));
	assert_int_equal(plain[2], inv_forge_symbol(f.forge, INV_S_PsLoadedModuleList));
	assert_int_equal(plain[3], inv_forge_symbol(f.forge, INV_S_PsActiveProcessHead));
	forged_free(&f);
}

static void plain_block(void **state)
{
	(void)state;
	struct forged f = forge_raw("machine{encoded_kdbg=false}", NULL);
	uint64_t block = inv_forge_symbol(f.forge, INV_S_KdDebuggerDataBlock);
	assert_int_equal(virtual32(&f, block + 0x10), 0x4742444b);
	assert_int_equal(virtual64(&f, block + 0x18), inv_forge_base(f.forge));
	assert_int_equal(virtual32(&f, block + 0x2a8) & 0xffff, f.layout->size[INV_T_EPROCESS]);
	assert_int_equal(virtual64(&f, inv_forge_symbol(f.forge, INV_S_KdpDataBlockEncoded)) & 0xff, 0);
	forged_free(&f);
}

static void cpus(void **state)
{
	(void)state;
	struct forged f = forge_raw("machine{cpus=3}\n"
	                            "local a = process{name='a.exe', threads=2, session=1}\n"
	                            "local b = process{name='b.exe', threads=2, session=1}\n"
	                            "run(0, a.threads[2]) run(1, nil)\n"
	                            "attach(a.threads[2], b)\n" // while it runs
	                            "attach(b.threads[1], a) run(2, b.threads[1])\n",
	                            NULL);
	uint64_t processes[MAX_PROCESSES] = {0};
	assert_int_equal(active(&f, processes), 3);
	uint64_t blocks = inv_forge_symbol(f.forge, INV_S_KiProcessorBlock);
	uint64_t idle = virtual64(&f, inv_forge_symbol(f.forge, INV_S_PsIdleProcess));
	assert_int_equal(virtual64(&f, inv_forge_symbol(f.forge, INV_S_KeNumberProcessors)) & 0xff, 3);
	uint64_t owners[] = {processes[1], idle, processes[2]};
	uint64_t used[] = {processes[2], idle, processes[1]};
	for (unsigned i = 0; i < 3; i++) {
		uint64_t prcb = virtual64(&f, blocks + 8ull * i);
		uint64_t thread = field64(&f, prcb, INV_F_KPRCB_CurrentThread);
		assert_int_equal(field64(&f, thread, INV_F_KTHREAD_Process), owners[i]);
		assert_int_equal(field64(&f, thread, INV_F_KTHREAD_ApcStateProcess), used[i]);
		assert_int_equal(field64(&f, thread, INV_F_KTHREAD_State) & 0xff, 2);
		assert_int_equal(field64(&f, prcb, INV_F_KPRCB_Cr3), field64(&f, used[i], INV_F_KPROCESS_DirectoryTableBase));
		uint64_t idle_thread = field64(&f, prcb, INV_F_KPRCB_IdleThread);
		assert_int_equal(field64(&f, idle_thread, INV_F_KTHREAD_Process), idle);
	}
	forged_free(&f);
}

static void handle_tables(void **state)
{
	(void)state;
	struct forged f = forge_raw(desktop, NULL);
	uint64_t processes[MAX_PROCESSES] = {0}, tables[MAX_PROCESSES] = {0};
	size_t count = active(&f, processes);
	size_t table_count = walk_list(&f, inv_forge_symbol(f.forge, INV_S_HandleTableListHead),
	                               f.layout->place[INV_F_HANDLE_TABLE_HandleTableList].offset, tables, MAX_PROCESSES);
	assert_int_equal(table_count, count - 1); // the zombie has none
	for (size_t i = 0; i < table_count; i++) {
		uint64_t process = field64(&f, tables[i], INV_F_HANDLE_TABLE_QuotaProcess);
		// Nobody is charged for the kernel's own table, which is System's (seen in a dump of 19041.804).
		assert_int_equal(process, i == 0 ? 0 : processes[i]);
		assert_int_equal(field64(&f, processes[i], INV_F_EPROCESS_ObjectTable), tables[i]);
	}
	// PspCidTable leads from the PID to the body.
	uint64_t table = virtual64(&f, inv_forge_symbol(f.forge, INV_S_PspCidTable));
	uint64_t code = field64(&f, table, INV_F_HANDLE_TABLE_TableCode);
	assert_int_equal(code & 7, 1);
	for (size_t i = 0; i < count; i++) {
		uint64_t index = field64(&f, processes[i], INV_F_EPROCESS_UniqueProcessId) / 4;
		uint64_t page = virtual64(&f, (code & ~7ull) + index / 256 * 8);
		uint64_t entry = virtual64(&f, page + index % 256 * 16);
		assert_int_equal(entry & 1, 1);
		assert_int_equal((entry >> 16 | 0xffff000000000000u) & ~0xfull, processes[i]);
	}
	forged_free(&f);
}

static void five_levels(void **state)
{
	(void)state;
	struct forged f = forge_raw("machine{levels=5}\nprocess{name='a.exe', session=1, threads=2}", NULL);
	f.levels = 5;
	uint64_t processes[MAX_PROCESSES] = {0};
	assert_int_equal(active(&f, processes), 2);
	check_process(&f, processes[1]);
	forged_free(&f);
}

static void large_pages(void **state)
{
	(void)state;
	struct forged f = forge_raw("machine{large_pages=true}", NULL);
	uint64_t base = inv_forge_base(f.forge);
	assert_int_equal(base % (2u << 20), 0);
	check_kernel(&f);
	forged_free(&f);
	f = forge_raw("machine{large_pages=false}", NULL);
	check_kernel(&f);
	forged_free(&f);
}

// The last-level PTE of a user address in the first process after System.
static uint64_t pte_of(const struct forged *f, uint64_t address)
{
	uint64_t processes[MAX_PROCESSES] = {0};
	active(f, processes);
	uint64_t table = field64(f, processes[1], INV_F_KPROCESS_DirectoryTableBase);
	for (unsigned level = 4; level > 1; level--)
		table = physical64(f, table + (address >> (3 + 9 * level) & 0x1ff) * 8) & 0xffffffffff000u;
	return physical64(f, table + (address >> 12 & 0x1ff) * 8);
}

static void software_ptes(void **state)
{
	(void)state;
	struct forged f = forge_raw("local p = process{name='a.exe', session=1}\n"
	                            "map(p, {address=0x10000, kind='transition', bytes='here'})\n"
	                            "map(p, {address=0x11000, kind='pagefile', file=2, page=0x4321})\n"
	                            "map(p, {address=0x12000, kind='demandzero'})\n"
	                            "map(p, {address=0x13000, kind='prototype', bytes='shared'})\n"
	                            "map(p, {address=0x14000, bytes='mine'})\n",
	                            NULL);
	uint64_t pte = pte_of(&f, 0x10000);
	assert_int_equal(pte & 0xc01, 0x800); // transition, neither valid nor prototype
	assert_memory_equal(f.bytes + (pte & 0xfffffff000u), "here", 4);
	pte = pte_of(&f, 0x11000);
	assert_int_equal(pte & 0xc01, 0);
	const struct inv_place *low = &f.layout->place[INV_F_MMPTE_SOFTWARE_PageFileLow];
	const struct inv_place *high = &f.layout->place[INV_F_MMPTE_SOFTWARE_PageFileHigh];
	assert_int_equal(pte >> low->bit & 15, 2);
	assert_int_equal(pte >> high->bit, 0x4321);
	assert_int_equal(pte_of(&f, 0x12000) & 0xc01, 0);
	assert_int_not_equal(pte_of(&f, 0x12000), 0);
	pte = pte_of(&f, 0x13000);
	assert_int_equal(pte & 0x401, 0x400);
	uint64_t target = virtual64(&f, 0xffff000000000000u | pte >> 16);
	assert_int_equal(target & 1, 1);
	assert_memory_equal(f.bytes + (target & 0xfffffff000u), "shared", 6);
	assert_memory_equal(f.bytes + (pte_of(&f, 0x14000) & 0xfffffff000u), "mine", 4);
	forged_free(&f);
}

// The entry of a value in a table of two levels.
static uint64_t entry_of(const struct forged *f, uint64_t table, uint64_t value)
{
	uint64_t code = field64(f, table, INV_F_HANDLE_TABLE_TableCode);
	uint64_t page = code & 7 ? virtual64(f, (code & ~7ull) + 8 * (value / 1024)) : code;
	return page + 16 * (value / 4 % 256);
}

// How many entries the list of free ones has, and that none of them is in use. 7: a list of values; later: of entries.
static size_t walk_free(const struct forged *f, uint64_t table, uint64_t *used)
{
	bool values = has_field(f, INV_F_HANDLE_TABLE_FirstFreeHandle);
	uint64_t list = values ? table : field_address(f, table, INV_F_HANDLE_TABLE_FreeLists);
	*used = virtual32(
	    f, field_address(f, list, values ? INV_F_HANDLE_TABLE_HandleCount : INV_F_HANDLE_TABLE_FREE_LIST_HandleCount));
	uint64_t at = values ? virtual32(f, field_address(f, table, INV_F_HANDLE_TABLE_FirstFreeHandle))
	                     : field64(f, list, INV_F_HANDLE_TABLE_FREE_LIST_FirstFreeHandleEntry);
	size_t count = 0;
	for (; at && count < 4096; count++) {
		uint64_t entry = values ? entry_of(f, table, at) : at;
		assert_int_equal(virtual64(f, entry), 0);
		at = values ? virtual32(f, field_address(f, entry, INV_F_HANDLE_TABLE_ENTRY_NextFreeTableEntry))
		            : field64(f, entry, INV_F_HANDLE_TABLE_ENTRY_NextFreeHandleEntry);
	}
	return count;
}

static void free_handles(void **state)
{
	(void)state;
	static const char *const kernels[] = {"7601", "9600", "19041", "22000"};
	static const char scenario[] = "local a = process{name='a.exe'} local b = process{name='b.exe'}\n"
	                               "local h = {} for i = 1, 300 do h[i] = open(a, b) end\n"
	                               "assert(h[1] == 4 and h[255] == 1020 and h[256] == 1028)\n"
	                               "close(a, h[7]) close(a, h[9]) close(a, h[290])\n"
	                               "assert(open(a, b) == h[290] and open(a, b) == h[9])\n"
	                               "exit(b)";
	for (size_t i = 0; i < sizeof kernels / sizeof *kernels; i++) {
		const struct inv_forge_options options = {.kernel = kernels[i]};
		struct forged f = forge_raw(scenario, &options);
		uint64_t processes[MAX_PROCESSES] = {0}, used;
		assert_int_equal(active(&f, processes), 3);
		uint64_t table = field64(&f, processes[1], INV_F_EPROCESS_ObjectTable);
		assert_int_equal(walk_free(&f, table, &used), 2 * 255 - 299);
		assert_int_equal(used, 299);
		table = virtual64(&f, inv_forge_symbol(f.forge, INV_S_PspCidTable));
		// System with 12 threads, two processes and the thread of one: that of the other is gone.
		assert_int_equal(walk_free(&f, table, &used), 255 - 16);
		assert_int_equal(used, 16);
		forged_free(&f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(all_kernels),  cmocka_unit_test(low_stub),    cmocka_unit_test(encoded_block),
	    cmocka_unit_test(plain_block),  cmocka_unit_test(cpus),        cmocka_unit_test(handle_tables),
	    cmocka_unit_test(five_levels),  cmocka_unit_test(large_pages), cmocka_unit_test(software_ptes),
	    cmocka_unit_test(free_handles),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
