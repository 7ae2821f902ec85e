// SPDX-License-Identifier: Apache-2.0
// Physical memory of the forge: what is written after a page was acquired is not in the image.
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "forge/memory.h"

#define LOW 0x400000ull
#define HIGH 0x2000000ull

static void acquired_pages_stay(void **state)
{
	(void)state;
	struct inv_ram *ram = inv_ram_new(INV_RAM_MIN, 1);
	uint64_t page;
	inv_ram_put64(ram, LOW, 1);
	inv_ram_put64(ram, HIGH, 1);
	inv_ram_acquire(ram, LOW + (uint64_t)2 * INV_RAM_PAGE);
	inv_ram_put64(ram, LOW, 2);
	inv_ram_put64(ram, LOW + INV_RAM_PAGE, 2); // nobody had written it when it was read
	inv_ram_put64(ram, HIGH, 2);
	assert_int_equal(inv_ram_get64(ram, LOW), 2);
	assert_int_equal(inv_le64(inv_ram_page(ram, LOW)), 1);
	assert_null(inv_ram_page(ram, LOW + INV_RAM_PAGE));
	assert_int_equal(inv_le64(inv_ram_page(ram, HIGH)), 2);
	assert_true(inv_ram_next_page(ram, LOW + INV_RAM_PAGE, &page));
	assert_int_equal(page, HIGH);
	inv_ram_free(ram);
}

static void acquisition_goes_up(void **state)
{
	(void)state;
	struct inv_ram *ram = inv_ram_new(INV_RAM_MIN, 1);
	inv_ram_put64(ram, HIGH, 1);
	inv_ram_acquire(ram, LOW);
	inv_ram_put64(ram, HIGH, 2);
	inv_ram_acquire(ram, HIGH + INV_RAM_PAGE);
	inv_ram_acquire(ram, LOW); // what was read stays read
	inv_ram_put64(ram, HIGH, 3);
	assert_int_equal(inv_le64(inv_ram_page(ram, HIGH)), 2);
	inv_ram_free(ram);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(acquired_pages_stay), cmocka_unit_test(acquisition_goes_up)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
