// SPDX-License-Identifier: Apache-2.0
// What win32k and dxgkrnl keep of processes. The input is memory of the kernel half: the first byte chooses the layout, the second the
// build; eight processes and threads, desktops and blocks stand at fixed places in it.
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "nt/dxgkrnl.h"

#define ARENA 0xffff800000000000ull
#define SIZE 0x10000u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
	if (!holds)
		abort();
}

static void check_vote(const struct inv_vote *vote)
{
	require(!vote->known || (vote->agree >= INV_VOTE_LEAST && vote->agree * 2 > vote->voters));
	require(!vote->known || vote->published || vote->agree == vote->voters);
}

static void use(const struct inv_kernel *kernel)
{
	struct inv_win32k *win32k = inv_win32k_new(kernel);
	struct inv_dxgkrnl *dxgkrnl = inv_dxgkrnl_new(win32k);
	for (uint64_t i = 0; i < 8; i++) {
		uint64_t process = ARENA + i * 0x1000, thread = process + 0x800;
		inv_win32k_add_desktop(win32k, ARENA + i * 0x200, "");
		(void)inv_win32k_add_block(win32k, i * 0x100);
		uint64_t owner = inv_dxgkrnl_add_block(dxgkrnl, ARENA + i * 0x700);
		require(!owner || inv_dxgkrnl_of(dxgkrnl, owner).ok);
		inv_win32k_add_process(win32k, process);
		inv_win32k_add_thread(win32k, thread, process);
		inv_dxgkrnl_add_process(dxgkrnl, process);
	}
	inv_win32k_match_blocks(win32k);
	inv_win32k_follow_desktops(win32k);
	inv_win32k_settle(win32k);
	inv_dxgkrnl_settle(dxgkrnl);
	check_vote(&win32k->ppi);
	check_vote(&dxgkrnl->slot);
	for (size_t i = 0; i < inv_count(win32k->threads); i++)
		require(!win32k->threads[i].ppi.ok || win32k->ppi.known);
	require(inv_count(win32k->processes) <= 8 && inv_count(win32k->threads) <= 8);
	inv_dxgkrnl_free(dxgkrnl);
	inv_win32k_free(win32k);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint16_t builds[] = {7601, 9600, 10240, 14393, 17134, 18362, 22000, 26100};
	if (size < 2)
		return 0;
	uint8_t *bytes = inv_alloc(SIZE);
	memcpy(bytes, data + 2, size - 2 < SIZE ? size - 2 : SIZE);
	struct inv_kernel kernel = {.layout = inv_facts_layout(data[0] % inv_facts_layout_count()),
	                            .space = inv_space_new_fragments(),
	                            .base = ARENA};
	kernel.version.build = builds[data[1] % 8];
	inv_space_add_fragment(kernel.space, ARENA, bytes, SIZE);
	use(&kernel);
	inv_space_free(kernel.space);
	free(bytes);
	return 0;
}
