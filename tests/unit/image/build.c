// SPDX-License-Identifier: Apache-2.0
#include "build.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct bytes bytes_new(size_t size, uint8_t fill)
{
	struct bytes bytes = {.data = malloc(size ? size : 1), .size = size};
	assert_non_null(bytes.data);
	memset(bytes.data, fill, size);
	return bytes;
}

void bytes_free(struct bytes *bytes)
{
	free(bytes->data);
	*bytes = (struct bytes){0};
}

static void put(struct bytes *bytes, size_t offset, uint64_t value, size_t size)
{
	assert_true(offset + size <= bytes->size);
	for (size_t i = 0; i < size; i++)
		bytes->data[offset + i] = (uint8_t)(value >> (i * 8));
}

void put16(struct bytes *bytes, size_t offset, uint16_t value)
{
	put(bytes, offset, value, 2);
}

void put32(struct bytes *bytes, size_t offset, uint32_t value)
{
	put(bytes, offset, value, 4);
}

void put64(struct bytes *bytes, size_t offset, uint64_t value)
{
	put(bytes, offset, value, 8);
}

void put_text(struct bytes *bytes, size_t offset, const char *text)
{
	assert_true(offset + strlen(text) <= bytes->size);
	memcpy(bytes->data + offset, text, strlen(text));
}

static uint64_t page_word(uint64_t page, size_t at)
{
	return page * UINT64_C(0x9e3779b97f4a7c15) + at;
}

void put_page(struct bytes *bytes, size_t offset, uint64_t page)
{
	for (size_t at = 0; at < 4096; at += 8)
		put64(bytes, offset + at, page_word(page, at));
}

bool is_page(const uint8_t *data, size_t size, uint64_t page)
{
	for (size_t at = 0; at + 8 <= size && at < 4096; at += 8) {
		uint64_t word;
		memcpy(&word, data + at, 8);
		if (word != page_word(page, at))
			return false;
	}
	return true;
}

struct bytes crash_dump(size_t size, uint32_t type)
{
	struct bytes dump = bytes_new(size, 0);
	for (size_t i = 0; i < 0x2000; i += 4)
		put_text(&dump, i, "PAGE");
	put_text(&dump, 4, "DU64");
	put32(&dump, 0x8, 15);
	put32(&dump, 0xc, 19045);
	put64(&dump, 0x10, 0x1ad002);
	put64(&dump, 0x18, UINT64_C(0xffffec0000000000));
	put64(&dump, 0x20, UINT64_C(0xfffff8071ec422b0));
	put64(&dump, 0x28, UINT64_C(0xfffff8071ec360a0));
	put32(&dump, 0x30, 0x8664);
	put32(&dump, 0x34, 4);
	put32(&dump, 0x38, 0x50);
	for (size_t i = 0; i < 4; i++)
		put64(&dump, 0x40 + i * 8, 0x1111 * (i + 1));
	put64(&dump, 0x80, UINT64_C(0xfffff8071ec0b080));
	put32(&dump, 0xf98, type);
	put64(&dump, 0xfa8, UINT64_C(0x1db1ca65d8b2600));
	put64(&dump, 0x1030, UINT64_C(0x5677c7946));
	put32(&dump, 0x1040, 1);
	put32(&dump, 0x1044, 0x110);
	return dump;
}

struct inv_image *open_bytes(const struct bytes *bytes, enum inv_code code, struct inv_error *error)
{
	struct inv_error local = {0};
	struct inv_error *filled = error ? error : &local;
	*filled = (struct inv_error){0};
	struct inv_image *image = NULL;
	enum inv_code got = inv_image_open_memory("test.img", bytes->data, bytes->size, &image, filled);
	if (got != code)
		print_error("open gave %d: %s\n", (int)got, filled->text);
	assert_int_equal(got, code);
	if (code) {
		assert_null(image);
		assert_int_equal(filled->code, code);
		assert_non_null(strstr(filled->text, "test.img"));
	} else {
		assert_non_null(image);
	}
	return image;
}

bool contradicts(const struct inv_image *image, const char *text)
{
	const struct inv_image_info *info = inv_image_info(image);
	for (size_t i = 0; i < info->contradiction_count; i++)
		if (strstr(info->contradictions[i], text))
			return true;
	return false;
}

void print_contradictions(const struct inv_image *image)
{
	const struct inv_image_info *info = inv_image_info(image);
	for (size_t i = 0; i < info->contradiction_count; i++)
		print_message("    %s\n", info->contradictions[i]);
}

#define SECTIONS 9

static void check_triage(const struct inv_triage *triage)
{
	volatile uint8_t sum = 0;
	for (size_t i = 0; i < triage->fragment_count; i++) {
		const struct inv_fragment *fragment = &triage->fragments[i];
		assert_true(fragment->size > 0 && fragment->size <= UINT64_MAX - fragment->address);
		sum = (uint8_t)(sum + fragment->bytes[0] + fragment->bytes[fragment->size - 1]);
	}
	for (size_t i = 0; i < triage->module_count; i++)
		if (triage->modules[i].name_size > 0)
			sum =
			    (uint8_t)(sum + triage->modules[i].name[0] + triage->modules[i].name[triage->modules[i].name_size - 1]);
	const struct inv_section *sections[SECTIONS] = {
	    &triage->prcb,      &triage->process,     &triage->thread,           &triage->call_stack,   &triage->context,
	    &triage->exception, &triage->memory_info, &triage->unloaded_drivers, &triage->debugger_data};
	for (size_t i = 0; i < SECTIONS; i++)
		if (sections[i]->size > 0)
			sum = (uint8_t)(sum + sections[i]->bytes[0] + sections[i]->bytes[sections[i]->size - 1]);
}

uint64_t walk(const struct inv_image *image)
{
	const struct inv_image_info *info = inv_image_info(image);
	uint64_t address = 0, pages = 0, next_page = 0;
	struct inv_run run;
	while (inv_image_next_run(image, address, &run)) {
		assert_true(run.address >= address);
		assert_true(run.size > 0);
		assert_true(run.size <= info->highest - run.address);
		uint8_t buffer[5000], one;
		size_t size = run.size < sizeof buffer ? (size_t)run.size : sizeof buffer;
		assert_true(inv_image_read(image, run.address, buffer, size) == size);
		assert_true(inv_image_read(image, run.address + run.size - 1, &one, 1) == 1);
		const uint8_t *bytes;
		assert_true(inv_image_bytes(image, run.address, 1, &bytes) == 1);
		assert_true(bytes[0] == buffer[0]);
		uint64_t first = run.address / 4096 > next_page ? run.address / 4096 : next_page;
		address = run.address + run.size;
		next_page = (address + 4095) / 4096;
		pages += next_page - first;
	}
	const uint8_t *bytes;
	assert_true(inv_image_bytes(image, info->highest, 1, &bytes) == 0);
	assert_null(bytes);
	if (info->triage)
		check_triage(info->triage);
	return pages;
}

static void try_open(const struct bytes *bytes)
{
	// Its own allocation, so that the sanitizer guards its end.
	struct bytes copy = bytes_new(bytes->size, 0);
	memcpy(copy.data, bytes->data, bytes->size);
	struct inv_image *image = NULL;
	struct inv_error error = {0};
	enum inv_code code = inv_image_open_memory("torture.img", copy.data, copy.size, &image, &error);
	assert_true(code ? error.text[0] != 0 && !image : image != NULL);
	if (image) {
		uint64_t pages = walk(image);
		assert_true(pages == inv_image_info(image)->present_pages);
	}
	inv_image_close(image);
	bytes_free(&copy);
}

void torture(const struct bytes *bytes, size_t dense, size_t step, size_t flips)
{
	for (size_t size = 0; size <= bytes->size; size += size < dense ? 1 : step)
		try_open(&(struct bytes){.data = bytes->data, .size = size});
	for (size_t bit = 0; bit < flips * 8 && bit < bytes->size * 8; bit++) {
		bytes->data[bit / 8] ^= (uint8_t)(1u << (bit % 8));
		try_open(bytes);
		bytes->data[bit / 8] ^= (uint8_t)(1u << (bit % 8));
	}
}
