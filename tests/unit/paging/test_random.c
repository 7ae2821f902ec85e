// SPDX-License-Identifier: Apache-2.0
// The space with its caches against a plain walker written a second time, from the Intel manual and the description of the
// software PTEs, over random tables. It reads byte by byte and remembers nothing.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fake_image.h"
#include "paging/space.h"

#define PAGES 24u         // of the physical memory; frames 0 .. PAGES - 1, and some that are missing
#define MASK (1ull << 45) // InvalidPteMask
#define STORE_PAGE_FILE 2

struct random {
	uint64_t state;
};

static uint64_t draw(struct random *random, uint64_t below)
{
	random->state = random->state * 6364136223846793005ull + 1442695040888963407ull;
	return (random->state >> 20) % below;
}

struct answer {
	enum inv_absence reason;
	uint64_t at;
	uint32_t page_file;
	uint64_t offset;
	uint64_t page, size; // of the whole mapping, when the reason is INV_PRESENT
	bool user, writable, executable, transition, prototype;
};

static bool physical_u64(const struct inv_image *image, uint64_t at, uint64_t *value)
{
	return inv_image_read(image, at, value, 8) == 8;
}

static struct answer missing(enum inv_absence reason, uint64_t at)
{
	return (struct answer){.reason = reason, .at = at};
}

static struct answer slow(const struct inv_image *image, uint64_t dtb, int levels, uint64_t va, int depth);

// `leaf` is the answer so far. Only the forms of a PTE whose bit 0 is clear.
static struct answer slow_software(const struct inv_image *image, uint64_t dtb, int levels, uint64_t va, int depth,
                                   uint64_t pte, uint64_t at, struct answer leaf, bool is_prototype)
{
	const bool kernel = va >> 63;
	if (pte & 0x400) {
		if (is_prototype || pte >> 32 == 0xffffffff)
			return missing(INV_PROTOTYPE, at);
		uint64_t target = pte & 16 ? pte : pte & ~MASK;
		target = target >> 16 | (target >> 63 ? 0xffff000000000000 : 0);
		if (target % 8 || !(target >> 63) || depth == 4)
			return missing(INV_PROTOTYPE, at);
		const struct answer inner = slow(image, dtb, levels, target, depth + 1);
		uint64_t prototype;
		const uint64_t prototype_at = inner.page + target % (inner.size ? inner.size : 1);
		if (inner.reason != INV_PRESENT || !physical_u64(image, prototype_at, &prototype))
			return missing(INV_PROTOTYPE, at);
		leaf.prototype = true;
		if (!(prototype & 1))
			return slow_software(image, dtb, levels, va, depth, prototype, prototype_at, leaf, true);
		leaf.page = prototype & 0xffffffffff000;
		leaf.user = leaf.user && !kernel;
		leaf.writable = leaf.writable && (prototype & 2);
		leaf.executable = leaf.executable && !(prototype >> 63);
		return leaf;
	}
	const uint64_t plain = pte & 16 ? pte : pte & ~MASK;
	const unsigned protection = pte >> 5 & 31;
	if (pte & 0x800) {
		leaf.transition = true;
		leaf.page = plain & 0xfffffffff000;
		leaf.user = leaf.user && !kernel;
		leaf.writable = leaf.writable && (protection % 8 == 4 || protection % 8 == 6);
		leaf.executable = leaf.executable && (protection & 2);
		return leaf;
	}
	struct answer gone = missing(INV_PAGED_OUT, at);
	gone.page_file = plain >> 12 & 15;
	gone.offset = (plain >> 32) * 4096;
	if (gone.page_file || gone.offset) {
		if (gone.page_file == STORE_PAGE_FILE)
			gone.reason = INV_COMPRESSED;
		return gone;
	}
	return missing(protection == 0 || protection == 16 ? INV_NOT_MAPPED : INV_DEMAND_ZERO, at);
}

static struct answer slow(const struct inv_image *image, uint64_t dtb, int levels, uint64_t va, int depth)
{
	const int width = levels == 4 ? 48 : 57;
	const int64_t extended = (int64_t)(va << (64 - width)) >> (64 - width);
	if ((uint64_t)extended != va)
		return missing(INV_NOT_CANONICAL, 0);
	struct answer answer = {.user = true, .writable = true, .executable = true};
	uint64_t table = dtb & 0xffffffffff000;
	for (int shift = levels == 4 ? 39 : 48; shift >= 12; shift -= 9) {
		const uint64_t at = table + (va >> shift) % 512 * 8;
		uint64_t entry;
		if (!physical_u64(image, at, &entry))
			return missing(INV_NOT_IN_IMAGE, table);
		answer.size = 1ull << shift;
		if (entry & 1) {
			answer.user = answer.user && (entry & 4);
			answer.writable = answer.writable && (entry & 2);
			answer.executable = answer.executable && !(entry >> 63);
			if (shift > 30 && (entry & 0x80))
				return missing(INV_NOT_MAPPED, at);
			if (shift == 12 || (entry & 0x80)) {
				answer.page = (entry & 0xffffffffff000) / answer.size * answer.size;
				return answer;
			}
			table = entry & 0xffffffffff000;
			continue;
		}
		if (shift == 12)
			return slow_software(image, dtb, levels, va, depth, entry, at, answer, false);
		// A table is never behind a prototype PTE. Being in transition takes no rights away.
		struct answer step =
		    slow_software(image, dtb, levels, va, depth, entry, at, (struct answer){.size = 4096}, true);
		if (step.reason == INV_DEMAND_ZERO)
			step.reason = INV_NOT_MAPPED;
		if (step.reason != INV_PRESENT)
			return step;
		answer.transition = true;
		table = step.page;
	}
	fail();
	return missing(INV_PRESENT, 0);
}

static uint64_t random_frame(struct random *random)
{
	const uint64_t frame = draw(random, PAGES + 2);
	return frame << 12;
}

static uint64_t random_address(struct random *random, int levels)
{
	const uint64_t bits = draw(random, 1ull << 40) << 20 ^ draw(random, 1ull << 30);
	const int width = levels == 4 ? 48 : 57;
	if (draw(random, 40) == 0)
		return bits;                                // seldom canonical
	const uint64_t few = bits & 0x7000e01c03807fff; // few distinct addresses, so that they meet again
	return (uint64_t)((int64_t)((draw(random, 3) ? few : bits) << (64 - width)) >> (64 - width));
}

static uint64_t random_entry(struct random *random)
{
	const uint64_t swizzle = draw(random, 3) ? MASK : draw(random, 2) * 16;
	const uint64_t protection = draw(random, 32) << 5;
	switch (draw(random, 32)) {
	case 0:
		return 0;
	case 1:
		return random_frame(random) | 0x800 | protection | swizzle;
	case 2:
	case 3: {
		uint64_t address = random_address(random, 4) | 0xffff800000000000;
		if (draw(random, 10))
			address &= ~7ull;
		const uint64_t entry = address << 16 | 0x400 | protection | draw(random, 2) << 11;
		return entry & MASK ? entry | 16 : entry | MASK;
	}
	case 4:
		return 0xffffffff00000400 | protection | draw(random, 2) * 16;
	case 5:
		return draw(random, 4) << 12 | draw(random, 3) << 32 | protection | swizzle;
	case 6:
		return protection | (swizzle & MASK);
	case 7:
		return draw(random, 1ull << 40) << 24 ^ draw(random, 1ull << 30);
	default:
		break;
	}
	const uint64_t rights = (draw(random, 8) ? 7 : 1 + draw(random, 4) * 2) | (draw(random, 8) ? 0 : 1ull << 63);
	const uint64_t large = draw(random, 12) ? 0 : 0x80;
	return random_frame(random) | rights | large | draw(random, 8) << 53;
}

static struct inv_image *random_image(struct random *random)
{
	struct inv_image *image = fake_image_new();
	for (uint64_t frame = 0; frame < PAGES; frame++) {
		for (uint64_t i = 0; i < 512; i++)
			fake_put64(image, frame << 12 | i * 8, random_entry(random));
		if (draw(random, 8) == 0)
			fake_split(image, frame << 12, draw(random, 4096));
		if (draw(random, 10) == 0)
			fake_truncate(image, frame << 12, draw(random, 4096));
	}
	return image;
}

static void assert_same_why(const struct inv_why *why, const struct answer *expected, uint64_t address)
{
	assert_int_equal(why->reason, expected->reason);
	assert_int_equal(why->address, address);
	assert_int_equal(why->at, expected->at);
	assert_int_equal(why->page_file, expected->page_file);
	assert_int_equal(why->offset, expected->offset);
}

static void compare_map(struct inv_space *space, uint64_t address, const struct answer *expected)
{
	struct inv_mapping mapping;
	struct inv_why why;
	const bool found = inv_space_map(space, address, &mapping, &why);
	assert_int_equal(found, expected->reason == INV_PRESENT);
	if (!found) {
		assert_same_why(&why, expected, address);
		return;
	}
	assert_int_equal(mapping.physical, expected->page);
	assert_int_equal(mapping.size, expected->size);
	assert_int_equal(mapping.user, expected->user);
	assert_int_equal(mapping.writable, expected->writable);
	assert_int_equal(mapping.executable, expected->executable);
	assert_int_equal(mapping.transition, expected->transition);
	assert_int_equal(mapping.prototype, expected->prototype);
}

static void compare_translate(struct inv_space *space, uint64_t address, const struct answer *expected)
{
	uint64_t physical;
	struct inv_why why;
	const bool found = inv_space_translate(space, address, &physical, &why);
	assert_int_equal(found, expected->reason == INV_PRESENT);
	if (found)
		assert_int_equal(physical, expected->page + (address & (expected->size - 1)));
	else
		assert_same_why(&why, expected, address);
}

#define READ_SIZE 48

static void compare_read(const struct inv_image *image, struct inv_space *space, int levels, uint64_t address)
{
	uint8_t expected[READ_SIZE] = {0}, bytes[READ_SIZE];
	size_t present = 0;
	struct answer answer = {0};
	for (; present < READ_SIZE; present++) {
		const uint64_t at = address + present;
		if (at < address)
			break;
		answer = slow(image, inv_space_dtb(space), levels, at, 0);
		if (answer.reason != INV_PRESENT)
			break;
		const uint64_t physical = answer.page + at % answer.size;
		if (inv_image_read(image, physical, &expected[present], 1) != 1) {
			answer = missing(INV_NOT_IN_IMAGE, physical & ~4095ull);
			break;
		}
	}
	struct inv_why why;
	memset(bytes, 0xa5, sizeof bytes);
	assert_int_equal(inv_space_read(space, address, bytes, READ_SIZE, &why), present);
	assert_memory_equal(bytes, expected, READ_SIZE);
	if (present < READ_SIZE && address + present >= address)
		assert_same_why(&why, &answer, address + present);
}

static void compare(int levels, uint64_t seed, size_t reasons[INV_ABSENCE_COUNT], size_t *prototypes)
{
	struct random random = {seed};
	struct inv_image *image = random_image(&random);
	struct inv_space *space = inv_space_new_x64(image, random_frame(&random) | draw(&random, 4096), (unsigned)levels);
	struct inv_pte_format format = inv_pte_format_default;
	format.page_file_bit = 12;
	format.page_file_bits = 4;
	format.swizzle_bit = 4;
	format.invalid_pte_mask = MASK;
	format.store_page_file = STORE_PAGE_FILE;
	inv_space_set_pte_format(space, &format);

	for (int i = 0; i < 3000; i++) {
		const uint64_t address = random_address(&random, levels);
		const struct answer answer = slow(image, inv_space_dtb(space), levels, address, 0);
		reasons[answer.reason]++;
		*prototypes += answer.prototype;
		compare_map(space, address, &answer);
		compare_translate(space, address, &answer);
		compare_read(image, space, levels, address);
		compare_read(image, space, levels, (address | 0xfff) - draw(&random, READ_SIZE));
	}
	inv_space_free(space);
	fake_image_free(image);
}

static void all_answers_agree(void **state)
{
	(void)state;
	size_t reasons[INV_ABSENCE_COUNT] = {0}, prototypes = 0;
	for (uint64_t seed = 1; seed <= 40; seed++)
		compare(seed % 2 ? 4 : 5, seed, reasons, &prototypes);
	// The random tables must have led everywhere, or agreeing means little.
	static const enum inv_absence wanted[] = {INV_PRESENT,     INV_NOT_CANONICAL, INV_NOT_MAPPED, INV_NOT_IN_IMAGE,
	                                          INV_DEMAND_ZERO, INV_PAGED_OUT,     INV_COMPRESSED, INV_PROTOTYPE};
	for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++)
		assert_true(reasons[wanted[i]] > 100);
	assert_true(prototypes > 50);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(all_answers_agree)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
