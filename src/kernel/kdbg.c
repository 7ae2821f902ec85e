// SPDX-License-Identifier: Apache-2.0
#include "kernel/kdbg.h"

#include <string.h>

#include "base/bytes.h"
#include "kernel/parts.h"

uint64_t inv_kdbg_decode(uint64_t value, const struct inv_kdbg_keys *keys)
{
	unsigned turn = (unsigned)(keys->wait_never & 63);
	value ^= keys->wait_never;
	value = turn ? value << turn | value >> (64 - turn) : value;
	return __builtin_bswap64(value ^ keys->encoded_at) ^ keys->wait_always;
}

static size_t block_size(const uint8_t *header)
{
	bool tagged = memcmp(header + INV_KDBG_OWNER_TAG, "KDBG", 4) == 0;
	uint32_t size = inv_le32(header + INV_KDBG_SIZE);
	return tagged && size >= INV_KDBG_MIN && size <= INV_KDBG_MAX ? size : 0;
}

static void decode(uint8_t *out, const uint8_t *bytes, size_t size, const struct inv_kdbg_keys *keys)
{
	for (size_t at = 0; at + 8 <= size; at += 8)
		inv_put64(out + at, inv_kdbg_decode(inv_le64(bytes + at), keys));
}

bool inv_kdbg_parse(const uint8_t *bytes, size_t size, const struct inv_kdbg_keys *keys, uint64_t address,
                    struct inv_kdbg *kdbg)
{
	*kdbg = (struct inv_kdbg){0};
	if (size < INV_KDBG_MIN)
		return false;
	size = size > INV_KDBG_MAX ? INV_KDBG_MAX : size;
	size_t claimed = block_size(bytes);
	if (claimed) {
		memcpy(kdbg->bytes, bytes, size);
	} else if (keys) {
		decode(kdbg->bytes, bytes, size, keys);
		claimed = block_size(kdbg->bytes);
		kdbg->encoded = true;
	}
	if (!claimed) {
		*kdbg = (struct inv_kdbg){0};
		return false;
	}
	kdbg->size = claimed < size ? claimed : size;
	memset(kdbg->bytes + kdbg->size, 0, INV_KDBG_MAX - kdbg->size);
	kdbg->address = address;
	kdbg->found = true;
	return true;
}

bool inv_kdbg_u64(const struct inv_kdbg *kdbg, unsigned offset, uint64_t *value)
{
	if (!kdbg->found || kdbg->size < 8 || offset > kdbg->size - 8)
		return false;
	*value = inv_le64(kdbg->bytes + offset);
	return true;
}

bool inv_kdbg_u16(const struct inv_kdbg *kdbg, unsigned offset, uint16_t *value)
{
	if (!kdbg->found || kdbg->size < 2 || offset > kdbg->size - 2)
		return false;
	*value = inv_le16(kdbg->bytes + offset);
	return true;
}

unsigned inv_kdbg_symbol_at(enum inv_symbol symbol)
{
	static const struct {
		enum inv_symbol symbol;
		unsigned at;
	} map[] = {
	    {INV_S_PsLoadedModuleList, INV_KDBG_PS_LOADED_MODULE_LIST},
	    {INV_S_PsActiveProcessHead, INV_KDBG_PS_ACTIVE_PROCESS_HEAD},
	    {INV_S_PspCidTable, INV_KDBG_PSP_CID_TABLE},
	    {INV_S_ObpRootDirectoryObject, INV_KDBG_OBP_ROOT_DIRECTORY_OBJECT},
	    {INV_S_MmPfnDatabase, INV_KDBG_MM_PFN_DATABASE},
	    {INV_S_PoolTrackTable, INV_KDBG_POOL_TRACK_TABLE},
	    {INV_S_NtBuildLabEx, INV_KDBG_NT_BUILD_LAB},
	    {INV_S_KiProcessorBlock, INV_KDBG_KI_PROCESSOR_BLOCK},
	    {INV_S_MmUnloadedDrivers, INV_KDBG_MM_UNLOADED_DRIVERS},
	    {INV_S_MmPhysicalMemoryBlock, INV_KDBG_MM_PHYSICAL_MEMORY_BLOCK},
	};
	for (size_t i = 0; i < sizeof(map) / sizeof(map[0]); i++)
		if (map[i].symbol == symbol)
			return map[i].at;
	return 0;
}
