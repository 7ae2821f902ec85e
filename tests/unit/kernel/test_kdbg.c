// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "kernel/kdbg.h"

#define SIZE 0x380

static void build(uint8_t block[INV_KDBG_MAX], uint32_t size)
{
	memset(block, 0xee, INV_KDBG_MAX);
	inv_put32(block + 0x10, 0x4742444b); // "KDBG"
	inv_put32(block + 0x14, size);
	inv_put64(block + 0x18, 0xfffff80012300000ull);
	inv_put16(block + 0x2a8, 0xa40);
}

static uint64_t turn_right(uint64_t value, unsigned by)
{
	return by ? value >> by | value << (64 - by) : value;
}

// The other direction, written from the public description of KdEncodeDataBlock.
static uint64_t encode(uint64_t value, const struct inv_kdbg_keys *keys)
{
	return keys->wait_never ^
	       turn_right(__builtin_bswap64(value ^ keys->wait_always) ^ keys->encoded_at, keys->wait_never & 63);
}

static void plain(void **state)
{
	(void)state;
	uint8_t block[INV_KDBG_MAX];
	struct inv_kdbg kdbg;
	build(block, SIZE);
	assert_true(inv_kdbg_parse(block, sizeof(block), NULL, 0x1234, &kdbg));
	assert_true(kdbg.found);
	assert_false(kdbg.encoded);
	assert_int_equal(kdbg.size, SIZE);
	assert_int_equal(kdbg.address, 0x1234);
	uint64_t base;
	uint16_t size;
	assert_true(inv_kdbg_u64(&kdbg, 0x18, &base));
	assert_int_equal(base, 0xfffff80012300000ull);
	assert_true(inv_kdbg_u16(&kdbg, 0x2a8, &size));
	assert_int_equal(size, 0xa40);
	// Behind its end there is nothing, whatever memory holds there.
	assert_true(inv_kdbg_u64(&kdbg, SIZE - 8, &base));
	assert_false(inv_kdbg_u64(&kdbg, SIZE - 7, &base));
	assert_false(inv_kdbg_u16(&kdbg, SIZE - 1, &size));
	assert_false(inv_kdbg_u64(&kdbg, UINT32_MAX, &base));
	assert_int_equal(kdbg.bytes[SIZE], 0);
}

static void encoded(void **state)
{
	(void)state;
	static const uint64_t nevers[] = {0, 1, 0x0123456789abcd3full, 0xffffffffffffffffull, 0x8000000000000040ull};
	for (size_t i = 0; i < sizeof(nevers) / sizeof(nevers[0]); i++) {
		struct inv_kdbg_keys keys = {nevers[i], 0xfedcba9876543210ull, 0xfffff80012345678ull};
		uint8_t block[INV_KDBG_MAX], closed[INV_KDBG_MAX];
		build(block, SIZE);
		for (size_t at = 0; at < sizeof(block); at += 8)
			inv_put64(closed + at, encode(inv_le64(block + at), &keys));
		struct inv_kdbg kdbg;
		assert_false(inv_kdbg_parse(closed, sizeof(closed), NULL, 0, &kdbg));
		assert_false(kdbg.found);
		assert_true(inv_kdbg_parse(closed, sizeof(closed), &keys, 0, &kdbg));
		assert_true(kdbg.encoded);
		assert_memory_equal(kdbg.bytes, block, SIZE);
		keys.wait_always ^= 0x100;
		assert_false(inv_kdbg_parse(closed, sizeof(closed), &keys, 0, &kdbg));
	}
}

static void refused(void **state)
{
	(void)state;
	uint8_t block[INV_KDBG_MAX];
	struct inv_kdbg kdbg;
	static const uint32_t sizes[] = {0, 0x100, 0x2c7, INV_KDBG_MAX + 1, 0xffffffff};
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		build(block, sizes[i]);
		assert_false(inv_kdbg_parse(block, sizeof(block), NULL, 0, &kdbg));
	}
	build(block, SIZE);
	assert_false(inv_kdbg_parse(block, 0x20, NULL, 0, &kdbg));
	assert_false(inv_kdbg_parse(block, 0, NULL, 0, &kdbg));
	block[0x10] = 'X';
	assert_false(inv_kdbg_parse(block, sizeof(block), NULL, 0, &kdbg));
	uint64_t value;
	assert_false(inv_kdbg_u64(&kdbg, 0x18, &value));
}

// Only the part that could be read counts.
static void cut(void **state)
{
	(void)state;
	uint8_t block[INV_KDBG_MAX];
	struct inv_kdbg kdbg;
	build(block, SIZE);
	assert_true(inv_kdbg_parse(block, 0x300, NULL, 0, &kdbg));
	assert_int_equal(kdbg.size, 0x300);
}

static void symbols(void **state)
{
	(void)state;
	assert_int_equal(inv_kdbg_symbol_at(INV_S_PsActiveProcessHead), 0x50);
	assert_int_equal(inv_kdbg_symbol_at(INV_S_KiProcessorBlock), 0x218);
	assert_int_equal(inv_kdbg_symbol_at(INV_S_KiProcessListHead), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(plain), cmocka_unit_test(encoded), cmocka_unit_test(refused),
	    cmocka_unit_test(cut),   cmocka_unit_test(symbols),
	};
	return cmocka_run_group_tests_name("kernel kdbg", tests, NULL, NULL);
}
