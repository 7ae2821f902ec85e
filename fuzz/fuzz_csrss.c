// SPDX-License-Identifier: Apache-2.0
// csrss's records, in user memory made of the input. Four processes of a session name the port that the first of them owns; its handles
// stand in the first page of the input, its heap in the others. The reading must end, keep its bounds, and say of each record no more
// than the memory does.
//
// The input: the layout, which pages are mapped in the user half, then the bytes.
#include "base/array.h"
#include "fuzz_kernel_half.h"
#include "nt/csrss.h"

#define HEADER 5u
#define INPUT 16u // the page that the input begins at
#define INPUT_PAGES 16u
#define USER_PAGES 0xfffeu // that can be mapped in the user half
#define PROCESSES 4u
#define PROCESS(i) (KERNEL + (uint64_t)(i)*INV_PAGE_SIZE + 0x100)
#define PORT (KERNEL + 5ull * INV_PAGE_SIZE + 0x100)
#define TABLE (KERNEL + 6ull * INV_PAGE_SIZE)
#define SESSION 0xffffa00000001000u

static void check_csrss(const struct inv_csrss *csrss)
{
	size_t records = inv_count(csrss->records), threads = inv_count(csrss->threads);
	require(csrss->process == PROCESS(0) && csrss->votes >= 1 && csrss->voters >= csrss->votes);
	require(csrss->pages <= INV_CSR_PAGES && records <= 2 * INV_CSR_BOUND && threads <= 2 * INV_CSR_THREADS);
	require((csrss->unknown == NULL) == (csrss->root != 0));
	for (size_t i = 0; i < records; i++) {
		const struct inv_csr_process *record = &csrss->records[i];
		require(i == 0 || csrss->records[i - 1].pid <= record->pid);
		require(!record->process || record->entry.ok);
		require(record->listed || record->process);
		const struct inv_csr_process *found =
		    record->listed ? inv_csr_record(csrss, record->pid) : inv_csr_stray(csrss, record->pid);
		require(found && found->pid == record->pid && found->listed == record->listed);
	}
	for (size_t i = 0; i < threads; i++)
		require(csrss->threads[i].listed || csrss->threads[i].thread);
}

static void put_field(uint8_t *memory, const struct inv_layout *layout, uint64_t object, enum inv_field field,
                      uint64_t value)
{
	uint16_t offset = layout->place[field].offset;
	if (offset < INV_PAGE_SIZE - 0x200)
		inv_put64(memory + (size_t)FIRST * INV_PAGE_SIZE + (object - KERNEL) + offset, value);
}

static void put_machine(uint8_t *memory, const struct inv_layout *layout)
{
	for (size_t i = 0; i < PROCESSES; i++) {
		put_field(memory, layout, PROCESS(i), INV_F_EPROCESS_ExceptionPortData, i ? PORT | 1 : 0);
		put_field(memory, layout, PROCESS(i), INV_F_EPROCESS_Session, SESSION);
		put_field(memory, layout, PROCESS(i), INV_F_EPROCESS_UniqueProcessId, 0x200 + 4 * i);
	}
	put_field(memory, layout, PROCESS(0), INV_F_EPROCESS_ObjectTable, TABLE);
	put_field(memory, layout, PROCESS(0), INV_F_EPROCESS_VadRoot, SESSION); // not there: all its memory is looked at
	put_field(memory, layout, PROCESS(0), INV_F_KPROCESS_DirectoryTableBase, ROOT);
	put_field(memory, layout, PORT, INV_F_ALPC_PORT_OwnerProcess, PROCESS(0));
	put_field(memory, layout, TABLE, INV_F_HANDLE_TABLE_TableCode, KERNEL + (uint64_t)(INPUT - FIRST) * INV_PAGE_SIZE);
	put_field(memory, layout, TABLE, INV_F_HANDLE_TABLE_NextHandleNeedingPool, 1024);
}

static void use(const struct inv_kernel *kernel, uint8_t *memory, const uint8_t *data)
{
	struct inv_object_types types = {.process_id = {.ok = true, .u = 7}, .thread_id = {.ok = true, .u = 8}};
	uint64_t processes[PROCESSES];
	struct inv_csrsses all;
	for (size_t i = 0; i < PROCESSES; i++)
		processes[i] = PROCESS(i);
	(void)data;
	put_machine(memory, kernel->layout);
	inv_csrss_read(kernel, &types, processes, PROCESSES, &all);
	require(inv_count(all.csrsses) <= inv_count(all.votes) && inv_count(all.votes) <= INV_CSRSS_BOUND);
	for (size_t i = 0; i < inv_count(all.csrsses); i++)
		check_csrss(&all.csrsses[i]);
	inv_csrss_free(&all);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *memory = new_memory(data, size, HEADER, INPUT, INPUT_PAGES);
	if (!memory)
		return 0;
	put_tables(memory, UINT32_MAX);
	put_user_tables(memory, inv_le32(data + 1) & USER_PAGES, INPUT);
	with_memory(memory, data[0], (struct inv_kernel){0}, data, use);
	free(memory);
	return 0;
}
