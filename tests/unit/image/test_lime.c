// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "build.h"

#define HEADER ((size_t)32)

// A range of whole pages at `offset`; returns where the next header goes.
static size_t put_range(struct bytes *bytes, size_t offset, uint64_t start, uint64_t pages)
{
	put32(bytes, offset, 0x4C694D45);
	put32(bytes, offset + 4, 1);
	put64(bytes, offset + 8, start);
	put64(bytes, offset + 16, start + pages * PAGE - 1);
	put64(bytes, offset + 24, 0);
	for (uint64_t i = 0; i < pages; i++)
		put_page(bytes, offset + 32 + i * PAGE, start / 4096 + i);
	return offset + 32 + pages * PAGE;
}

// Pages 1..2, 0x100..0x102 and 0x100000.
static struct bytes three_ranges(void)
{
	struct bytes bytes = bytes_new(3 * HEADER + 6 * PAGE, 0);
	size_t next = put_range(&bytes, 0, 0x1000, 2);
	next = put_range(&bytes, next, 0x100000, 3);
	next = put_range(&bytes, next, 0x100000000, 1);
	assert_true(next == bytes.size);
	return bytes;
}

static void ranges(void **state)
{
	(void)state;
	struct bytes bytes = three_ranges();
	struct inv_image *image = open_bytes(&bytes, INV_OK, NULL);
	const struct inv_image_info *info = inv_image_info(image);
	assert_int_equal(info->format, INV_FORMAT_LIME);
	assert_int_equal(info->contradiction_count, 0);
	assert_int_equal(info->present_pages, 6);
	assert_true(info->highest == 0x100001000);
	assert_true(walk(image) == 6);
	static const uint64_t there[] = {1, 2, 0x100, 0x101, 0x102, 0x100000};
	uint8_t page[4096];
	for (size_t i = 0; i < 6; i++) {
		assert_true(inv_image_read(image, there[i] * PAGE, page, 4096) == 4096);
		assert_true(is_page(page, 4096, there[i]));
	}
	assert_true(inv_image_read(image, 0, page, 1) == 0);
	assert_true(inv_image_read(image, 0x3000, page, 1) == 0);
	assert_true(inv_image_read(image, 0x2fff, page, 2) == 1);
	struct inv_run run;
	assert_true(inv_image_next_run(image, 0x1800, &run));
	assert_true(run.address == 0x1800 && run.size == 0x1800);
	assert_true(inv_image_next_run(image, 0x3000, &run));
	assert_true(run.address == 0x100000 && run.size == 0x3000);
	assert_false(inv_image_next_run(image, 0x100001000, &run));
	inv_image_close(image);
	bytes_free(&bytes);
}

static void ranges_that_touch_are_joined(void **state)
{
	(void)state;
	struct bytes bytes = bytes_new(2 * HEADER + 2 * PAGE, 0);
	put_range(&bytes, put_range(&bytes, 0, 0x1000, 1), 0x2000, 1);
	struct inv_image *image = open_bytes(&bytes, INV_OK, NULL);
	uint8_t both[8192];
	assert_true(inv_image_read(image, 0x1000, both, 8192) == 8192);
	assert_true(is_page(both, 4096, 1) && is_page(both + 4096, 4096, 2));
	const uint8_t *at;
	assert_true(inv_image_bytes(image, 0x1000, 8192, &at) == 4096); // in one piece only so far
	inv_image_close(image);
	bytes_free(&bytes);
}

static void overlap_and_order(void **state)
{
	(void)state;
	struct bytes bytes = bytes_new(3 * HEADER + 5 * PAGE, 0);
	size_t next = put_range(&bytes, 0, 0x10000, 2);
	next = put_range(&bytes, next, 0x11000, 2); // shares a page with the first
	put_range(&bytes, next, 0x2000, 1);         // and one out of order
	struct inv_image *image = open_bytes(&bytes, INV_OK, NULL);
	assert_int_equal(inv_image_info(image)->contradiction_count, 2);
	assert_true(contradicts(image, "do not overlap"));
	assert_true(contradicts(image, "order"));
	assert_int_equal(inv_image_info(image)->present_pages, 4);
	uint8_t page[4096];
	assert_true(inv_image_read(image, 0x12000, page, 4096) == 4096);
	assert_true(is_page(page, 4096, 0x12));
	inv_image_close(image);
	bytes_free(&bytes);
}

static void broken(size_t offset, uint64_t value, size_t width, const char *says, uint64_t pages)
{
	struct bytes bytes = three_ranges();
	if (width == 4)
		put32(&bytes, offset, (uint32_t)value);
	else
		put64(&bytes, offset, value);
	struct inv_image *image = open_bytes(&bytes, INV_OK, NULL);
	if (!contradicts(image, says))
		print_contradictions(image);
	assert_true(contradicts(image, says));
	assert_true(inv_image_info(image)->present_pages == pages);
	inv_image_close(image);
	bytes_free(&bytes);
}

static void broken_chains_keep_what_came_before(void **state)
{
	(void)state;
	const size_t second = 32 + 2 * PAGE, third = second + 32 + 3 * PAGE;
	broken(second, 0, 4, "magic", 2);
	broken(second + 4, 9, 4, "version", 2);
	broken(second + 16, 0xfffff, 8, "below its start", 2);
	broken(third + 16, UINT64_C(0xffffffffffff), 8, "in the file", 6);
	broken(third + 8, 0, 8, "order", 6);
	// From 0 to the last address: no size holds that.
	struct bytes bytes = three_ranges();
	put64(&bytes, third + 8, 0);
	put64(&bytes, third + 16, UINT64_MAX);
	struct inv_image *image = open_bytes(&bytes, INV_OK, NULL);
	assert_int_equal(inv_image_info(image)->present_pages, 5);
	inv_image_close(image);
	bytes_free(&bytes);
}

static void cut_off(void **state)
{
	(void)state;
	struct bytes bytes = three_ranges();
	const size_t whole = bytes.size;
	bytes.size = whole - 100;
	struct inv_image *image = open_bytes(&bytes, INV_OK, NULL);
	assert_true(contradicts(image, "in the file"));
	assert_true(inv_image_info(image)->highest == 0x100001000 - 100);
	inv_image_close(image);
	bytes.size = whole - 4096 - 10; // within the last header
	image = open_bytes(&bytes, INV_OK, NULL);
	assert_true(contradicts(image, "header of 32 bytes"));
	assert_int_equal(inv_image_info(image)->present_pages, 5);
	inv_image_close(image);
	bytes.size = 31;
	open_bytes(&bytes, INV_E_FORMAT, NULL);
	bytes_free(&bytes);
}

static void not_this_version(void **state)
{
	(void)state;
	struct bytes bytes = three_ranges();
	put32(&bytes, 4, 2);
	struct inv_error error;
	open_bytes(&bytes, INV_E_UNSUPPORTED, &error);
	assert_non_null(strstr(error.text, "version 2"));
	put32(&bytes, 4, 1);
	put64(&bytes, 16, 0xfff); // ends below its start
	open_bytes(&bytes, INV_E_FORMAT, &error);
	assert_non_null(strstr(error.text, "0x10"));
	bytes_free(&bytes);
}

static void every_cut_and_flip(void **state)
{
	(void)state;
	struct bytes bytes = three_ranges();
	torture(&bytes, 64, 97, 32);
	bytes_free(&bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(ranges),
	    cmocka_unit_test(ranges_that_touch_are_joined),
	    cmocka_unit_test(overlap_and_order),
	    cmocka_unit_test(broken_chains_keep_what_came_before),
	    cmocka_unit_test(cut_off),
	    cmocka_unit_test(not_this_version),
	    cmocka_unit_test(every_cut_and_flip),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
