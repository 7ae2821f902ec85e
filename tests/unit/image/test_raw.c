// SPDX-License-Identifier: Apache-2.0
// Opening files of every kind, raw memory with and without holes, and the formats that are refused.
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cmocka.h>

#include "build.h"

static char folder[] = "/tmp/invar-image-XXXXXX"; // mkdtemp's template
static char path[128];

static int make_folder(void **state)
{
	(void)state;
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
	(void)state;
	return rmdir(folder);
}

static const char *name_of(const char *name)
{
	snprintf(path, sizeof path, "%s/%s", folder, name);
	return path;
}

static struct inv_image *open_path(const char *name, enum inv_code code, const char *says, const struct inv_log *log)
{
	struct inv_error error = {0};
	struct inv_image *image = NULL;
	enum inv_code got = inv_image_open_file(name, log, &image, &error);
	if (!got)
		got = inv_image_recognise(image, &error);
	if (got != code)
		print_error("%s\n", error.text);
	assert_int_equal(got, code);
	if (code) {
		assert_non_null(strstr(error.text, name));
		assert_non_null(strstr(error.text, says));
		inv_image_close(image);
		return NULL;
	}
	return image;
}

static void write_file(const char *name, const void *bytes, size_t size)
{
	FILE *file = fopen(name, "wb");
	assert_non_null(file);
	assert_true(fwrite(bytes, 1, size, file) == size);
	assert_int_equal(fclose(file), 0);
}

static void what_is_no_image(void **state)
{
	(void)state;
	open_path(name_of("absent"), INV_E_IO, "No such file", NULL);
	open_path(folder, INV_E_IO, "directory", NULL);
	open_path("/dev/null", INV_E_IO, "character device", NULL);
	const char *pipe = name_of("pipe");
	assert_int_equal(mkfifo(pipe, 0600), 0);
	open_path(pipe, INV_E_IO, "a pipe", NULL); // and does not wait for a writer
	unlink(pipe);
	const char *empty = name_of("empty");
	write_file(empty, "", 0);
	open_path(empty, INV_E_FORMAT, "empty", NULL);
	if (geteuid() != 0) {
		chmod(empty, 0);
		open_path(empty, INV_E_IO, "denied", NULL);
	}
	unlink(empty);
}

static void raw_of_any_size(void **state)
{
	(void)state;
	static const size_t sizes[] = {1, 7, 4095, 4096, 4097, 20000};
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		struct bytes bytes = bytes_new(sizes[i], 0x5a);
		struct inv_image *image = open_bytes(&bytes, INV_OK, NULL);
		const struct inv_image_info *info = inv_image_info(image);
		assert_int_equal(info->format, INV_FORMAT_RAW);
		assert_int_equal(info->arch, INV_ARCH_UNKNOWN);
		assert_int_equal(info->atomic, -1);
		assert_true(info->bytes == sizes[i]);
		assert_true(info->highest == sizes[i]);
		assert_true(info->present_pages == (sizes[i] + 4095) / 4096);
		assert_true(walk(image) == info->present_pages);
		assert_false(info->header.dtb.present);
		uint8_t buffer[20001];
		assert_true(inv_image_read(image, 0, buffer, sizeof buffer) == sizes[i]);
		assert_true(inv_image_read(image, UINT64_MAX - 3, buffer, 100) == 0);
		const uint8_t *at;
		assert_true(inv_image_bytes(image, sizes[i] - 1, 100, &at) == 1);
		assert_ptr_equal(at, bytes.data + sizes[i] - 1);
		inv_image_close(image);
		bytes_free(&bytes);
	}
}

static void reading_does_not_copy(void **state)
{
	(void)state;
	struct bytes bytes = bytes_new(3 * PAGE, 0);
	for (uint64_t page = 0; page < 3; page++)
		put_page(&bytes, page * PAGE, page + 1);
	struct inv_image *image = open_bytes(&bytes, INV_OK, NULL);
	const uint8_t *at;
	assert_true(inv_image_bytes(image, 4096, 8192, &at) == 8192);
	assert_ptr_equal(at, bytes.data + 4096);
	assert_true(is_page(at, 4096, 2));
	inv_image_close(image);
	bytes_free(&bytes);
}

struct counted {
	size_t lines;
	char last[512];
};

static void count_line(void *context, enum inv_log_level level, const char *line)
{
	(void)level;
	struct counted *counted = context;
	counted->lines++;
	snprintf(counted->last, sizeof counted->last, "%s", line);
}

static void a_name_that_promises_a_dump(void **state)
{
	(void)state;
	uint8_t zeros[8192] = {0};
	struct counted counted = {0};
	struct inv_log log = {.level = INV_LOG_WARNING, .write = count_line, .context = &counted};
	const char *name = name_of("MEMORY.DMP");
	write_file(name, zeros, sizeof zeros);
	struct inv_image *image = open_path(name, INV_OK, "", &log);
	assert_int_equal(inv_image_info(image)->format, INV_FORMAT_RAW);
	assert_int_equal(inv_image_info(image)->contradiction_count, 0);
	assert_int_equal(counted.lines, 1);
	assert_non_null(strstr(counted.last, "no crash dump header"));
	inv_image_close(image);
	unlink(name);
}

// Writes pages of data into a file of the given size that has holes elsewhere; false if there are no holes here.
static bool sparse_file(const char *name, uint64_t size, const uint64_t *pages, size_t count)
{
	int file = open(name, O_RDWR | O_CREAT | O_TRUNC, 0600);
	assert_true(file >= 0);
	bool sparse = ftruncate(file, (off_t)size) == 0;
	for (size_t i = 0; sparse && i < count; i++) {
		uint8_t page[4096];
		memset(page, (int)(i + 1), sizeof page);
		assert_true(pwrite(file, page, sizeof page, (off_t)(pages[i] * PAGE)) == sizeof page);
	}
	sparse = sparse && lseek(file, 0, SEEK_HOLE) == 0;
	close(file);
	return sparse;
}

static void a_tebibyte_of_holes(void **state)
{
	(void)state;
	const uint64_t size = UINT64_C(1) << 40;
	const uint64_t pages[] = {0x1000, 0x1001, 0x5000000, (size >> 12) - 1};
	const char *name = name_of("holes");
	if (!sparse_file(name, size, pages, 4)) {
		unlink(name);
		print_message("this file system has no holes, or no files of 1 TiB\n");
		skip();
	}
	struct inv_image *image = open_path(name, INV_OK, "", NULL);
	const struct inv_image_info *info = inv_image_info(image);
	assert_true(info->bytes == size && info->highest == size);
	assert_int_equal(info->present_pages, 4);
	struct inv_run run;
	assert_true(inv_image_next_run(image, 0, &run));
	assert_true(run.address == 0x1000000 && run.size == 0x2000);
	assert_true(inv_image_next_run(image, 0x1000010, &run));
	assert_true(run.address == 0x1000010 && run.size == 0x1ff0);
	assert_true(inv_image_next_run(image, 0x1002000, &run));
	assert_true(run.address == UINT64_C(0x5000000000) && run.size == 0x1000);
	assert_true(inv_image_next_run(image, UINT64_C(0x5000001000), &run));
	assert_true(run.address == size - 4096 && run.size == 4096);
	assert_false(inv_image_next_run(image, size, &run));
	uint8_t byte = 0xff;
	assert_true(inv_image_read(image, UINT64_C(0x4000000000), &byte, 1) == 1); // a hole reads as zeros
	assert_int_equal(byte, 0);
	assert_true(inv_image_read(image, size - 1, &byte, 1) == 1);
	assert_int_equal(byte, 4);
	inv_image_close(image);
	unlink(name);
}

static void nothing_but_holes(void **state)
{
	(void)state;
	const char *name = name_of("hole");
	if (!sparse_file(name, UINT64_C(1) << 40, NULL, 0)) {
		unlink(name);
		skip();
	}
	struct inv_image *image = open_path(name, INV_OK, "", NULL);
	assert_int_equal(inv_image_info(image)->present_pages, 0);
	struct inv_run run;
	assert_false(inv_image_next_run(image, 0, &run));
	inv_image_close(image);
	unlink(name);
}

// A file in memory, where holes that are read through a mapping are filled; else any other.
static const char *in_memory(char buffer[64], uint64_t room)
{
	struct statvfs memory;
	if (access("/dev/shm", W_OK) != 0 || statvfs("/dev/shm", &memory) != 0 || memory.f_bavail * memory.f_frsize < room)
		return name_of("holes");
	snprintf(buffer, 64, "/dev/shm/invar-holes-%d", (int)getpid());
	return buffer;
}

// Of `count` stretches of so many pages the second page holds data. To read them must not change the file.
static void read_second_of(uint64_t stretch, uint64_t count)
{
	char buffer[64];
	const char *name = in_memory(buffer, count * PAGE * 4);
	uint64_t *data = calloc(count, sizeof *data);
	assert_non_null(data);
	for (size_t i = 0; i < count; i++)
		data[i] = stretch * i + 1;
	struct stat before, after;
	bool sparse = sparse_file(name, stretch * count * PAGE, data, count) && stat(name, &before) == 0;
	free(data);
	if (!sparse) {
		unlink(name);
		skip();
	}
	struct inv_image *image = open_path(name, INV_OK, "", NULL);
	assert_int_equal(inv_image_info(image)->present_pages, count);
	for (size_t i = 0; i < 2 * count; i++) {
		uint64_t page = stretch * (i / 2) + i % 2;
		uint8_t bytes[PAGE];
		assert_int_equal(inv_image_read(image, page * PAGE, bytes, PAGE), PAGE);
		assert_int_equal(bytes[PAGE - 1], i % 2 ? (uint8_t)(i / 2 + 1) : 0);
		const uint8_t *passed;
		assert_int_equal(inv_image_pass(image, page * PAGE, PAGE, bytes, &passed), PAGE);
		assert_int_equal(passed[0], i % 2 ? (uint8_t)(i / 2 + 1) : 0);
	}
	inv_image_close(image);
	assert_int_equal(stat(name, &after), 0);
	assert_true(before.st_blocks == after.st_blocks);
	unlink(name);
}

static void reading_fills_no_holes(void **state)
{
	(void)state;
	read_second_of(2, 32);
}

// More than can be mapped one by one.
static void reading_fills_none_of_many_holes(void **state)
{
	(void)state;
	read_second_of(2, 20000);
}

// And in a file of more pages than are noted one by one.
static void reading_fills_none_of_many_great_holes(void **state)
{
	(void)state;
	read_second_of(2048, 20000);
}

static void refused(const char *magic, size_t size, const char *says)
{
	struct bytes bytes = bytes_new(8192, 0);
	memcpy(bytes.data, magic, size);
	struct inv_error error;
	open_bytes(&bytes, INV_E_UNSUPPORTED, &error);
	if (!strstr(error.text, says))
		print_error("%s\n", error.text);
	assert_non_null(strstr(error.text, says));
	bytes.size = size - 1; // one byte short of the magic is no such file
	if (bytes.size > 0)
		inv_image_close(open_bytes(&bytes, INV_OK, NULL));
	bytes_free(&bytes);
}

static void known_but_not_read(void **state)
{
	(void)state;
	refused("\x1f\x8b\x08", 3, "gunzip -k 'test.img'");
	refused("\xfd\x37zXZ\0", 6, "unxz -k 'test.img'");
	refused("\x28\xb5\x2f\xfd", 4, "unzstd");
	refused("\x04\x22\x4d\x18", 4, "unlz4");
	refused("BZh", 3, "bunzip2");
	refused("PK\x03\x04", 4, "unzip");
	refused("7z\xbc\xaf\x27\x1c", 6, "7z x");
	refused("AVML", 4, "avml-convert");
	refused("EVF\x09\x0d\x0a\xff\x00", 8, "EWF");
	refused("KDMV", 4, "VMDK");
	refused("\xd2\xbe\xd2\xbe", 4, ".vmem");
	refused("HIBR", 4, "hibernation");
	refused("wake", 4, "hibernation");
	refused("MDMP", 4, "one process");
	refused("KDUMP   ", 8, "dump-guest-memory");
}

static void neither_dump_nor_raw(void **state)
{
	(void)state;
	struct bytes bytes = bytes_new(8192, 0);
	put_text(&bytes, 0, "PAGEWHAT");
	struct inv_error error;
	open_bytes(&bytes, INV_E_FORMAT, &error);
	assert_non_null(strstr(error.text, "offset 0x4"));
	bytes_free(&bytes);
}

static void names(void **state)
{
	(void)state;
	for (int i = INV_FORMAT_RAW; i <= INV_FORMAT_CRASH_X86; i++)
		for (int j = INV_FORMAT_RAW; j < i; j++)
			assert_string_not_equal(inv_format_name((enum inv_format)i), inv_format_name((enum inv_format)j));
	assert_string_equal(inv_format_name(INV_FORMAT_CRASH_FULL), "crash-full");
	assert_string_equal(inv_arch_name(INV_ARCH_ARM64), "arm64");
	inv_image_close(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_no_image),
	    cmocka_unit_test(raw_of_any_size),
	    cmocka_unit_test(reading_does_not_copy),
	    cmocka_unit_test(a_name_that_promises_a_dump),
	    cmocka_unit_test(a_tebibyte_of_holes),
	    cmocka_unit_test(nothing_but_holes),
	    cmocka_unit_test(reading_fills_no_holes),
	    cmocka_unit_test(reading_fills_none_of_many_holes),
	    cmocka_unit_test(reading_fills_none_of_many_great_holes),
	    cmocka_unit_test(known_but_not_read),
	    cmocka_unit_test(neither_dump_nor_raw),
	    cmocka_unit_test(names),
	};
	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
