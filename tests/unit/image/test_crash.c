// SPDX-License-Identifier: Apache-2.0
// Crash dumps with physical memory: full, bitmap, ranges; and the 32-bit header.
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "build.h"

static void put_run(struct bytes *dump, size_t index, uint64_t page, uint64_t count)
{
	put64(dump, 0x98 + index * 16, page);
	put64(dump, 0xa0 + index * 16, count);
}

// Pages 1..3 and 0x100..0x101.
static struct bytes full_dump(void)
{
	struct bytes dump = crash_dump(0x2000 + 5 * PAGE, 1);
	put32(&dump, 0x88, 2);
	put64(&dump, 0x90, 5);
	put_run(&dump, 0, 1, 3);
	put_run(&dump, 1, 0x100, 2);
	put64(&dump, 0xfa0, 0x2000 + 5 * PAGE);
	for (uint64_t i = 0; i < 5; i++)
		put_page(&dump, 0x2000 + i * PAGE, i < 3 ? 1 + i : 0x100 + i - 3);
	return dump;
}

static void check_claims(const struct inv_header *header)
{
	assert_true(header->major.present && header->major.value == 15 && header->major.offset == 8);
	assert_true(header->build.value == 19045 && header->build.offset == 0xc);
	assert_true(header->dtb.value == 0x1ad002 && header->dtb.offset == 0x10);
	assert_true(header->pfn_database.value == UINT64_C(0xffffec0000000000));
	assert_true(header->ps_loaded_module_list.value == UINT64_C(0xfffff8071ec422b0));
	assert_true(header->ps_active_process_head.value == UINT64_C(0xfffff8071ec360a0));
	assert_true(header->machine.value == 0x8664 && header->cpus.value == 4 && header->bugcheck.value == 0x50);
	for (unsigned i = 0; i < 4; i++)
		assert_true(header->bugcheck_parameter[i].value == UINT64_C(0x1111) * (i + 1));
	assert_true(header->kdbg.value == UINT64_C(0xfffff8071ec0b080) && header->kdbg.offset == 0x80);
	assert_true(header->system_time.value == UINT64_C(0x1db1ca65d8b2600));
	assert_true(header->up_time.value == UINT64_C(0x5677c7946));
	assert_true(header->product_type.value == 1 && header->suite_mask.value == 0x110);
	assert_false(header->secondary_data_state.present); // the filler
	assert_string_equal(header->comment, "");
	assert_int_equal(header->cpu_count, 0);
}

static void a_full_dump(void **state)
{
	(void)state;
	struct bytes dump = full_dump();
	struct inv_image *image = open_bytes(&dump, INV_OK, NULL);
	const struct inv_image_info *info = inv_image_info(image);
	print_contradictions(image);
	assert_int_equal(info->contradiction_count, 0);
	assert_int_equal(info->format, INV_FORMAT_CRASH_FULL);
	assert_int_equal(info->arch, INV_ARCH_X64);
	assert_int_equal(info->atomic, 1);
	assert_int_equal(info->present_pages, 5);
	assert_true(info->highest == 0x102000);
	assert_null(info->triage);
	check_claims(&info->header);
	uint8_t page[4096];
	assert_true(inv_image_read(image, 0x100000, page, 4096) == 4096 && is_page(page, 4096, 0x100));
	assert_true(inv_image_read(image, 0x3000, page, 4096) == 4096 && is_page(page, 4096, 3));
	assert_true(inv_image_read(image, 0, page, 1) == 0);
	inv_image_close(image);

	put_text(&dump, 0xfb0, "LiveKD live system view");
	dump.data[0xfb0 + 23] = 0;
	put32(&dump, 0x30, 0xaa64);
	image = open_bytes(&dump, INV_OK, NULL);
	assert_string_equal(inv_image_info(image)->header.comment, "LiveKD live system view");
	assert_int_equal(inv_image_info(image)->atomic, 0);
	assert_int_equal(inv_image_info(image)->arch, INV_ARCH_ARM64);
	inv_image_close(image);
	bytes_free(&dump);
}

static void full_contradiction(size_t offset, uint64_t value, const char *says, uint64_t pages)
{
	struct bytes dump = full_dump();
	put64(&dump, offset, value);
	struct inv_image *image = open_bytes(&dump, INV_OK, NULL);
	if (!contradicts(image, says))
		print_contradictions(image);
	assert_true(contradicts(image, says));
	if (inv_image_info(image)->present_pages != pages)
		print_error("%zx: %llu pages\n", offset, (unsigned long long)inv_image_info(image)->present_pages);
	assert_true(inv_image_info(image)->present_pages == pages);
	walk(image);
	inv_image_close(image);
	bytes_free(&dump);
}

static void full_dumps_that_contradict_themselves(void **state)
{
	(void)state;
	full_contradiction(0x90, 6, "NumberOfPages", 5);
	full_contradiction(0xfa0, 4096, "RequiredDumpSpace", 5);
	full_contradiction(0x30, UINT64_C(0x400000200), "0x8664", 5);
	full_contradiction(0x30, UINT64_C(0xffff00008664), "processors", 5);
	full_contradiction(0xa0, 4, "in the file", 5);                // the first run is one page longer
	full_contradiction(0xa8, 2, "overlap", 3 + 1 - 1);            // the second starts within the first
	full_contradiction(0xa8, 0, "order", 4);                      // and before it
	full_contradiction(0xb0, UINT64_MAX, "below 2^52", 3 + 2);    // no such size: cut to the file
	full_contradiction(0xa8, UINT64_MAX, "below 2^52", 3);        // no such page
	full_contradiction(0xa8, UINT64_C(1) << 52, "below 2^52", 3); // whose address does not fit
	full_contradiction(0x88, UINT64_C(0x4547415000000400), "at most 42 runs", 5);
	full_contradiction(0xf98, UINT64_C(0x4547415045474150), "DumpType", 5);
}

static void full_error(size_t offset, uint32_t value, enum inv_code code, const char *says)
{
	struct bytes dump = full_dump();
	put32(&dump, offset, value);
	struct inv_error error;
	open_bytes(&dump, code, &error);
	if (!strstr(error.text, says))
		print_error("%s\n", error.text);
	assert_non_null(strstr(error.text, says));
	bytes_free(&dump);
}

static void what_prevents_reading(void **state)
{
	(void)state;
	full_error(0x88, 0, INV_E_FORMAT, "offset 0x88");
	full_error(0x88, 0x45474150, INV_E_FORMAT, "filler");
	full_error(0xf98, 3, INV_E_UNSUPPORTED, "type 3");
	full_error(0xf98, 11, INV_E_FORMAT, "offset 0xf98");
	struct bytes dump = full_dump();
	dump.size = 0x1fff;
	open_bytes(&dump, INV_E_FORMAT, NULL);
	bytes_free(&dump);
}

static void a_truncated_full_dump(void **state)
{
	(void)state;
	struct bytes dump = full_dump();
	dump.size = 0x2000 + 3 * PAGE + 100;
	struct inv_image *image = open_bytes(&dump, INV_OK, NULL);
	assert_true(contradicts(image, "in the file"));
	assert_true(inv_image_info(image)->highest == 0x100064);
	assert_int_equal(inv_image_info(image)->present_pages, 4);
	walk(image);
	inv_image_close(image);
	dump.size = 0x2000;
	image = open_bytes(&dump, INV_OK, NULL);
	assert_int_equal(inv_image_info(image)->present_pages, 0);
	inv_image_close(image);
	bytes_free(&dump);
}

static void set_bit(struct bytes *dump, size_t bitmap, uint64_t page)
{
	dump->data[bitmap + page / 8] |= (uint8_t)(1u << (page % 8));
}

static const uint64_t scattered[] = {2, 3, 4, 63, 64, 511, 512, 513, 1024, 2999};
enum { SCATTERED = sizeof scattered / sizeof *scattered, BITS = 3000, FIRST = 0x3000 };

static struct bytes bitmap_dump(uint32_t type, const char *signature, bool narrow)
{
	struct bytes dump = crash_dump(FIRST + SCATTERED * PAGE, type);
	put_text(&dump, 0x2000, signature);
	put_text(&dump, 0x2004, "DUMP");
	if (narrow) {
		put32(&dump, 0x200c, FIRST);
		put32(&dump, 0x2010, BITS);
		put32(&dump, 0x2014, SCATTERED);
	} else {
		put64(&dump, 0x2020, FIRST);
		put64(&dump, 0x2028, SCATTERED);
		put64(&dump, 0x2030, BITS);
	}
	for (size_t i = 0; i < SCATTERED; i++) {
		set_bit(&dump, narrow ? 0x2028 : 0x2038, scattered[i]);
		put_page(&dump, FIRST + i * PAGE, scattered[i]);
	}
	return dump;
}

static void check_scattered(struct bytes *dump, enum inv_format format)
{
	struct inv_image *image = open_bytes(dump, INV_OK, NULL);
	const struct inv_image_info *info = inv_image_info(image);
	print_contradictions(image);
	assert_int_equal(info->contradiction_count, 0);
	assert_int_equal(info->format, format);
	assert_int_equal(info->present_pages, SCATTERED);
	assert_true(info->highest == 3000 * PAGE);
	assert_true(walk(image) == SCATTERED);
	uint8_t page[4096];
	size_t next = 0;
	for (uint64_t i = 0; i < BITS + 10; i++) {
		bool there = next < SCATTERED && scattered[next] == i;
		assert_true(inv_image_read(image, i * PAGE, page, 4096) == (there ? 4096 : 0));
		if (there)
			assert_true(is_page(page, 4096, scattered[next++]));
	}
	struct inv_run run;
	assert_true(inv_image_next_run(image, 0x2010, &run) && run.address == 0x2010 && run.size == 0x2ff0);
	assert_true(inv_image_next_run(image, 65 * PAGE, &run) && run.address == 511 * PAGE && run.size == 0x3000);
	assert_true(inv_image_next_run(image, 1025 * PAGE, &run) && run.address == 2999 * PAGE && run.size == 0x1000);
	assert_false(inv_image_next_run(image, 3000 * PAGE, &run));
	inv_image_close(image);
	bytes_free(dump);
}

static void bitmap_dumps(void **state)
{
	(void)state;
	static const struct {
		uint32_t type;
		const char *signature;
		bool narrow;
		enum inv_format format;
	} kinds[] = {
	    {2, "SDMP", true, INV_FORMAT_CRASH_KERNEL},         {2, "SDMP", false, INV_FORMAT_CRASH_KERNEL},
	    {5, "FDMP", false, INV_FORMAT_CRASH_BITMAP_FULL},   {5, "SDMP", false, INV_FORMAT_CRASH_BITMAP_FULL},
	    {6, "SDMP", false, INV_FORMAT_CRASH_BITMAP_KERNEL}, {7, "SDMP", false, INV_FORMAT_CRASH_BITMAP_KERNEL},
	};
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		struct bytes dump = bitmap_dump(kinds[i].type, kinds[i].signature, kinds[i].narrow);
		check_scattered(&dump, kinds[i].format);
	}
}

// Whatever the pattern, the index answers as a walk over every bit does.
static void any_bitmap(void **state)
{
	(void)state;
	uint64_t seed = 1;
	for (unsigned round = 0; round < 40; round++) {
		uint64_t bits = 1 + round * 61;
		struct bytes dump = crash_dump(0x4000 + bits * PAGE, 5);
		put_text(&dump, 0x2000, "FDMPDUMP");
		put64(&dump, 0x2020, 0x4000);
		put64(&dump, 0x2030, bits);
		uint64_t set = 0;
		bool *there = calloc(bits, sizeof *there);
		for (uint64_t i = 0; i < bits; i++) {
			seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
			// Long stretches of both kinds in half of the rounds.
			there[i] = round % 2 ? seed >> 63 : (i / (700 + round)) % 2 == 0;
			if (there[i]) {
				set_bit(&dump, 0x2038, i);
				put_page(&dump, 0x4000 + set++ * PAGE, i);
			}
		}
		for (uint64_t i = bits; i % 8; i++)
			set_bit(&dump, 0x2038, i); // bits past the end count for nothing
		put64(&dump, 0x2028, set);
		struct inv_image *image = open_bytes(&dump, INV_OK, NULL);
		assert_int_equal(inv_image_info(image)->contradiction_count, 0);
		assert_true(inv_image_info(image)->present_pages == set && walk(image) == set);
		for (uint64_t i = 0; i < bits; i++) {
			uint64_t start = i, end;
			while (start < bits && !there[start])
				start++;
			for (end = start; end < bits && there[end];)
				end++;
			struct inv_run run;
			assert_true(inv_image_next_run(image, i * PAGE, &run) == (start < bits));
			if (start == bits)
				continue;
			assert_true(run.address == start * PAGE && run.size == (end - start) * PAGE);
			const uint8_t *at;
			assert_true(inv_image_bytes(image, run.address, (size_t)run.size, &at) == run.size);
			assert_true(is_page(at, 4096, start) && is_page(at + run.size - 4096, 4096, end - 1));
		}
		inv_image_close(image);
		free(there);
		bytes_free(&dump);
	}
}

static void bitmap_contradiction(size_t offset, uint64_t value, const char *says)
{
	struct bytes dump = bitmap_dump(5, "FDMP", false);
	put64(&dump, offset, value);
	struct inv_image *image = open_bytes(&dump, INV_OK, NULL);
	if (!contradicts(image, says))
		print_contradictions(image);
	assert_true(contradicts(image, says));
	walk(image);
	inv_image_close(image);
	bytes_free(&dump);
}

static void bitmap_error(size_t offset, uint64_t value, const char *says)
{
	struct bytes dump = bitmap_dump(5, "FDMP", false);
	put64(&dump, offset, value);
	struct inv_error error;
	open_bytes(&dump, INV_E_FORMAT, &error);
	if (!strstr(error.text, says))
		print_error("%s\n", error.text);
	assert_non_null(strstr(error.text, says));
	bytes_free(&dump);
}

static void bitmaps_that_contradict_themselves(void **state)
{
	(void)state;
	bitmap_contradiction(0x2028, 11, "set bits");
	bitmap_contradiction(0x2038, UINT64_MAX, "set bits");
	bitmap_contradiction(0x2020, FIRST + 4096, "in the file");
	bitmap_contradiction(0x2020, UINT64_MAX - 5, "in the file");
	bitmap_error(0x2020, 0x2040, "behind the bitmap");
	bitmap_error(0x2030, 0, "bitmap of 1");
	bitmap_error(0x2030, UINT64_MAX, "bitmap of 1");
	bitmap_error(0x2030, UINT64_C(1) << 33, "in the file");
	bitmap_error(0x2000, 0, "SDMP");
	struct bytes dump = bitmap_dump(5, "FDMP", false);
	dump.size = 0x203f;
	open_bytes(&dump, INV_E_FORMAT, NULL);
	dump.size = FIRST + 4 * PAGE + 12;
	struct inv_image *image = open_bytes(&dump, INV_OK, NULL);
	assert_int_equal(inv_image_info(image)->present_pages, 5);
	assert_true(inv_image_info(image)->highest == 64 * PAGE + 12);
	assert_true(walk(image) == 5);
	inv_image_close(image);
	bytes_free(&dump);
}

// Pages 0x10..0x11, 0x40 and 0x20.
static struct bytes ranges_dump(uint32_t type)
{
	struct bytes dump = crash_dump(0x3000 + 4 * PAGE, type);
	put32(&dump, 0x2000, 0x40);
	put_text(&dump, 0x2004, "RDMPDUMP");
	put64(&dump, 0x2010, 0xfe0);
	put64(&dump, 0x2018, 0x3000);
	if (type == 10) {
		put32(&dump, 0x2020, 3);
		put64(&dump, 0x2028, 4);
	}
	static const uint64_t ranges[][2] = {{0x10, 2}, {0x40, 1}, {0x20, 1}};
	static const uint64_t pages[] = {0x10, 0x11, 0x40, 0x20};
	for (size_t i = 0; i < 3; i++) {
		put64(&dump, 0x2030 + i * 16, ranges[i][0]);
		put64(&dump, 0x2038 + i * 16, ranges[i][1]);
	}
	for (size_t i = 0; i < 4; i++)
		put_page(&dump, 0x3000 + i * PAGE, pages[i]);
	return dump;
}

static void dumps_of_ranges(void **state)
{
	(void)state;
	for (uint32_t type = 8; type <= 10; type++) {
		struct bytes dump = ranges_dump(type);
		struct inv_image *image = open_bytes(&dump, INV_OK, NULL);
		const struct inv_image_info *info = inv_image_info(image);
		print_contradictions(image);
		assert_int_equal(info->contradiction_count, 0);
		assert_int_equal(info->format, INV_FORMAT_CRASH_ACTIVE);
		assert_int_equal(info->present_pages, 4);
		assert_true(info->highest == 0x41000);
		uint8_t page[4096];
		assert_true(inv_image_read(image, 0x20000, page, 4096) == 4096 && is_page(page, 4096, 0x20));
		assert_true(inv_image_read(image, 0x40000, page, 4096) == 4096 && is_page(page, 4096, 0x40));
		inv_image_close(image);
		put64(&dump, 0x2048, UINT64_MAX);
		image = open_bytes(&dump, INV_OK, NULL);
		assert_true(contradicts(image, "2^40"));
		inv_image_close(image);
		put64(&dump, 0x2048, 100);
		image = open_bytes(&dump, INV_OK, NULL);
		assert_true(contradicts(image, "in the file"));
		inv_image_close(image);
		put64(&dump, 0x2018, UINT64_MAX);
		open_bytes(&dump, INV_E_FORMAT, NULL);
		put32(&dump, 0x2004, 0);
		open_bytes(&dump, INV_E_FORMAT, NULL);
		bytes_free(&dump);
	}
}

// What follows the pages of a complete dump in its list is not a range.
static void a_complete_dump_ends_with_its_pages(void **state)
{
	(void)state;
	struct bytes dump = ranges_dump(10);
	put64(&dump, 0x2060, 0x77);
	put64(&dump, 0x2068, 1);
	struct inv_image *image = open_bytes(&dump, INV_OK, NULL);
	assert_int_equal(inv_image_info(image)->contradiction_count, 0);
	assert_int_equal(inv_image_info(image)->present_pages, 4);
	inv_image_close(image);
	put64(&dump, 0x2028, 6);
	image = open_bytes(&dump, INV_OK, NULL);
	assert_true(contradicts(image, "sum of the ranges"));
	inv_image_close(image);
	bytes_free(&dump);
}

static void taken_at_one_instant_or_not(void **state)
{
	(void)state;
	static const struct {
		uint32_t code;
		int atomic;
	} codes[] = {{0x50, 1}, {0, -1}, {0x161, -1}, {0x5454414d, 0}, {0x45474150, -1}};
	for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
		struct bytes dump = full_dump();
		put32(&dump, 0x38, codes[i].code);
		struct inv_image *image = open_bytes(&dump, INV_OK, NULL);
		assert_int_equal(inv_image_info(image)->atomic, codes[i].atomic);
		inv_image_close(image);
		bytes_free(&dump);
	}
}

static void a_32_bit_dump(void **state)
{
	(void)state;
	struct bytes dump = bytes_new(0x3000, 0);
	for (size_t i = 0; i < 0x1000; i += 4)
		put_text(&dump, i, "PAGE");
	put_text(&dump, 4, "DUMP");
	put32(&dump, 0xc, 7601);
	put32(&dump, 0x10, 0x185000);
	put32(&dump, 0x1c, 0x82991f18);
	put32(&dump, 0x20, 0x14c);
	put32(&dump, 0x24, 2);
	put64(&dump, 0xfc0, UINT64_C(0x1d6509199bf63e0));
	put_text(&dump, 0x820, "a comment");
	dump.data[0x829] = 0;
	struct inv_image *image = open_bytes(&dump, INV_OK, NULL);
	const struct inv_image_info *info = inv_image_info(image);
	assert_int_equal(info->format, INV_FORMAT_CRASH_X86);
	assert_int_equal(info->arch, INV_ARCH_X86);
	assert_int_equal(info->present_pages, 0);
	assert_true(info->header.build.value == 7601 && info->header.dtb.value == 0x185000);
	assert_true(info->header.ps_active_process_head.value == 0x82991f18 && info->header.cpus.value == 2);
	assert_true(info->header.system_time.value == UINT64_C(0x1d6509199bf63e0));
	assert_false(info->header.kdbg.present);
	assert_string_equal(info->header.comment, "a comment");
	uint8_t byte;
	assert_true(inv_image_read(image, 0, &byte, 1) == 0);
	inv_image_close(image);
	put32(&dump, 0x20, 0x8664);
	image = open_bytes(&dump, INV_OK, NULL);
	assert_true(contradicts(image, "0x14c"));
	inv_image_close(image);
	dump.size = 0xfff;
	open_bytes(&dump, INV_E_FORMAT, NULL);
	bytes_free(&dump);
}

// Flips bits of one part of the header, which torture() would reach only after the thousands before it.
static void flip(struct bytes dump, size_t from, size_t to)
{
	for (size_t bit = from * 8; bit < to * 8; bit++) {
		dump.data[bit / 8] ^= (uint8_t)(1u << (bit % 8));
		struct inv_image *image = NULL;
		if (inv_image_open_memory("flip.dmp", dump.data, dump.size, &image, NULL) == INV_OK)
			assert_true(walk(image) == inv_image_info(image)->present_pages);
		inv_image_close(image);
		dump.data[bit / 8] ^= (uint8_t)(1u << (bit % 8));
	}
}

static void every_cut_and_flip(void **state)
{
	(void)state;
	struct bytes dumps[] = {full_dump(), bitmap_dump(2, "SDMP", true), bitmap_dump(6, "SDMP", false), ranges_dump(10)};
	for (size_t i = 0; i < sizeof dumps / sizeof *dumps; i++) {
		torture(&dumps[i], 8, 501, 8);
		flip(dumps[i], 0x30, 0x38);
		flip(dumps[i], 0x88, 0xc0);
		flip(dumps[i], 0xf98, 0xfb0);
		flip(dumps[i], 0x2000, 0x2070);
		bytes_free(&dumps[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_full_dump),
	    cmocka_unit_test(full_dumps_that_contradict_themselves),
	    cmocka_unit_test(what_prevents_reading),
	    cmocka_unit_test(a_truncated_full_dump),
	    cmocka_unit_test(bitmap_dumps),
	    cmocka_unit_test(any_bitmap),
	    cmocka_unit_test(bitmaps_that_contradict_themselves),
	    cmocka_unit_test(dumps_of_ranges),
	    cmocka_unit_test(a_complete_dump_ends_with_its_pages),
	    cmocka_unit_test(taken_at_one_instant_or_not),
	    cmocka_unit_test(a_32_bit_dump),
	    cmocka_unit_test(every_cut_and_flip),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
