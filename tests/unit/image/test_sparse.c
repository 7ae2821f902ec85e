// SPDX-License-Identifier: Apache-2.0
// Holes in files of every format: they are left out of the runs, and read as zeros. A hole is 64 KiB here, so that file
// systems with large blocks keep it.
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "build.h"

#define HOLE_PAGES ((size_t)32)

// Writes only the blocks of 64 KiB that hold something.
static struct inv_image *open_sparse(const struct bytes *bytes)
{
	char path[] = "/tmp/invar-sparse-XXXXXX"; // mkstemp's template
	int file = mkstemp(path);
	assert_true(file >= 0);
	assert_int_equal(ftruncate(file, (off_t)bytes->size), 0);
	const size_t block = 65536;
	for (size_t at = 0; at < bytes->size; at += block) {
		size_t size = bytes->size - at < block ? bytes->size - at : block;
		bool data = false;
		for (size_t i = 0; i < size && !data; i++)
			data = bytes->data[at + i] != 0;
		if (data)
			assert_true(pwrite(file, bytes->data + at, size, (off_t)at) == (ssize_t)size);
	}
	bool holes = lseek(file, 0, SEEK_HOLE) < (off_t)bytes->size;
	close(file);
	struct inv_image *image = NULL;
	struct inv_error error = {0};
	enum inv_code code = holes ? inv_image_open_file(path, NULL, &image, &error) : INV_OK;
	unlink(path);
	if (!holes) {
		print_message("this file system has no holes\n");
		skip();
	}
	if (!code)
		code = inv_image_recognise(image, &error);
	assert_int_equal(code, INV_OK);
	return image;
}

static bool zeros(const uint8_t *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (bytes[i])
			return false;
	return true;
}

// Every page that has something is in a run; what is in no run reads as zeros.
static void check(const struct inv_image *image, const struct bytes *whole, uint64_t first_page, uint64_t pages)
{
	struct inv_image *dense = open_bytes(whole, INV_OK, NULL);
	uint64_t counted = walk(image);
	assert_true(counted == inv_image_info(image)->present_pages);
	assert_true(counted < inv_image_info(dense)->present_pages);
	assert_true(inv_image_info(image)->highest == inv_image_info(dense)->highest);
	for (uint64_t page = first_page; page < first_page + pages; page++) {
		uint8_t one[4096], other[4096];
		size_t size = inv_image_read(dense, page * PAGE, one, PAGE);
		assert_true(inv_image_read(image, page * PAGE, other, PAGE) == size);
		assert_memory_equal(one, other, size);
		struct inv_run run;
		bool in_run = inv_image_next_run(image, page * PAGE, &run) && run.address < (page + 1) * PAGE;
		assert_true(in_run || zeros(one, size));
	}
	inv_image_close(dense);
}

// Of 96 pages, 32..63 are zeros.
static void put_pages(struct bytes *bytes, size_t offset, uint64_t first)
{
	for (uint64_t i = 0; i < 3 * (uint64_t)HOLE_PAGES; i++)
		if (i / HOLE_PAGES != 1)
			put_page(bytes, offset + i * PAGE, first + i);
}

static void lime_whose_ranges_are_not_aligned(void **state)
{
	(void)state;
	struct bytes bytes = bytes_new(32 + 3 * HOLE_PAGES * PAGE, 0);
	put32(&bytes, 0, 0x4C694D45);
	put32(&bytes, 4, 1);
	put64(&bytes, 8, 0x10000);
	put64(&bytes, 16, 0x10000 + 3 * HOLE_PAGES * PAGE - 1);
	put_pages(&bytes, 32, 0x10);
	struct inv_image *image = open_sparse(&bytes);
	check(image, &bytes, 0x10, 3 * (uint64_t)HOLE_PAGES);
	struct inv_run run;
	assert_true(inv_image_next_run(image, 0, &run));
	assert_true(run.address == 0x10000 && run.size % PAGE == 0); // whole pages, though the file's blocks are shifted
	inv_image_close(image);
	bytes_free(&bytes);
}

static void a_full_dump(void **state)
{
	(void)state;
	struct bytes dump = crash_dump(0x2000 + 3 * HOLE_PAGES * PAGE, 1);
	put32(&dump, 0x88, 2);
	put64(&dump, 0x90, 3 * (uint64_t)HOLE_PAGES);
	put64(&dump, 0x98, 1);
	put64(&dump, 0xa0, 40);
	put64(&dump, 0xa8, 0x1000);
	put64(&dump, 0xb0, 3 * HOLE_PAGES - 40);
	put_pages(&dump, 0x2000, 1);
	struct inv_image *image = open_sparse(&dump);
	check(image, &dump, 0, 0x1100);
	inv_image_close(image);
	bytes_free(&dump);
}

static void a_bitmap_dump(void **state)
{
	(void)state;
	const uint64_t pages = 3 * (uint64_t)HOLE_PAGES;
	struct bytes dump = crash_dump(0x3000 + pages * PAGE, 5);
	put_text(&dump, 0x2000, "FDMPDUMP");
	put64(&dump, 0x2020, 0x3000);
	put64(&dump, 0x2028, pages);
	put64(&dump, 0x2030, 2 * pages);
	for (size_t i = 0; i < pages * 2 / 8; i++)
		dump.data[0x2038 + i] = 0x55; // every second page, so that each is a run
	put_pages(&dump, 0x3000, 0);
	struct inv_image *image = open_sparse(&dump);
	check(image, &dump, 0, 2 * pages);
	inv_image_close(image);
	// And one that ends in a hole.
	memset(dump.data + 0x3000 + 2 * HOLE_PAGES * PAGE, 0, HOLE_PAGES * PAGE);
	image = open_sparse(&dump);
	check(image, &dump, 0, 2 * pages);
	struct inv_run run;
	assert_false(inv_image_next_run(image, 4 * (uint64_t)HOLE_PAGES * PAGE, &run));
	inv_image_close(image);
	bytes_free(&dump);
}

// A terabyte of memory in a bitmap dump that is all holes: nothing is to be walked page by page.
static void a_large_bitmap_of_holes(void **state)
{
	(void)state;
	const uint64_t bits = UINT64_C(1) << 28;
	const uint64_t first = 0x3000 + bits / 8;
	char path[] = "/tmp/invar-sparse-XXXXXX"; // mkstemp's template
	int file = mkstemp(path);
	assert_true(file >= 0);
	struct bytes head = crash_dump(0x3000, 5);
	put_text(&head, 0x2000, "FDMPDUMP");
	put64(&head, 0x2020, first);
	put64(&head, 0x2028, bits / 2);
	put64(&head, 0x2030, bits);
	bool fits = ftruncate(file, (off_t)(first + bits / 2 * PAGE)) == 0;
	assert_true(pwrite(file, head.data, head.size, 0) == (ssize_t)head.size);
	struct bytes map = bytes_new(bits / 8, 0x55);
	fits = fits && pwrite(file, map.data, map.size, 0x2038) == (ssize_t)map.size;
	const uint64_t last = bits / 2 - 2; // the last page but one that is set
	struct bytes page = bytes_new(PAGE, 0);
	put_page(&page, 0, 7);
	fits = fits && pwrite(file, page.data, PAGE, (off_t)(first + last * PAGE)) == (ssize_t)PAGE;
	close(file);
	struct inv_image *image = NULL;
	struct inv_error error = {0};
	enum inv_code code = fits ? inv_image_open_file(path, NULL, &image, &error) : INV_OK;
	if (fits && !code)
		code = inv_image_recognise(image, &error);
	unlink(path);
	bytes_free(&head);
	bytes_free(&map);
	bytes_free(&page);
	if (!fits) {
		print_message("no room for the file\n");
		skip();
	}
	assert_int_equal(code, INV_OK);
	// The pages at the end of the bitmap share the first block of data; at most 16 of 4 KiB in 64 KiB.
	assert_in_range(inv_image_info(image)->present_pages, 1, 32);
	assert_true(walk(image) == inv_image_info(image)->present_pages);
	uint8_t read[4096];
	assert_true(inv_image_read(image, last * 2 * PAGE, read, PAGE) == PAGE);
	assert_true(is_page(read, PAGE, 7));
	inv_image_close(image);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(lime_whose_ranges_are_not_aligned),
	    cmocka_unit_test(a_full_dump),
	    cmocka_unit_test(a_bitmap_dump),
	    cmocka_unit_test(a_large_bitmap_of_holes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
