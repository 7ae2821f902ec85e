// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "build.h"

#define NOTES 0x400u // where the notes start
#define PAGES 0x2000u
#define WORD ((size_t)8)
#define SEGMENT ((size_t)24) // a segment register in either kind of note

static void put_header(struct bytes *bytes, uint16_t machine, uint16_t count)
{
	put_text(bytes, 0, "\177ELF\2\1\1");
	put16(bytes, 0x10, 4); // ET_CORE
	put16(bytes, 0x12, machine);
	put32(bytes, 0x14, 1);
	put64(bytes, 0x20, 0x40); // e_phoff
	put16(bytes, 0x34, 0x40);
	put16(bytes, 0x36, 0x38);
	put16(bytes, 0x38, count);
}

static void put_segment(struct bytes *bytes, size_t index, uint32_t type, uint64_t offset, uint64_t address,
                        uint64_t in_file, uint64_t in_memory)
{
	size_t at = 0x40 + index * 0x38;
	put32(bytes, at, type);
	put64(bytes, at + 8, offset);
	put64(bytes, at + 0x10, 0);
	put64(bytes, at + 0x18, address);
	put64(bytes, at + 0x20, in_file);
	put64(bytes, at + 0x28, in_memory);
}

static size_t put_note(struct bytes *bytes, size_t at, const char *name, size_t name_size, uint32_t type, size_t size)
{
	put32(bytes, at, (uint32_t)name_size);
	put32(bytes, at + 4, (uint32_t)size);
	put32(bytes, at + 8, type);
	put_text(bytes, at + 12, name);
	return at + 12 + ((name_size + 3) & ~(size_t)3);
}

// QEMUCPUState of one CPU, with or without KernelGSBase.
static size_t put_qemu(struct bytes *bytes, size_t at, uint64_t cpu, bool kernel_gs)
{
	size_t size = kernel_gs ? 440 : 432;
	size_t state = put_note(bytes, at, "QEMU", 5, 0, size);
	put32(bytes, state, 1);
	put32(bytes, state + 4, (uint32_t)size);
	put64(bytes, state + 8 + 6 * WORD, 0x500 + cpu);                     // rsp
	put64(bytes, state + 8 + 16 * WORD, 0x600 + cpu);                    // rip
	put64(bytes, state + 8 + 18 * WORD + 4 * SEGMENT + 16, 0x700 + cpu); // gs.base
	size_t control = state + 8 + 18 * WORD + 10 * SEGMENT;
	put64(bytes, control, 0x80050033);
	put64(bytes, control + 3 * WORD, 0x1ad000 + cpu);
	put64(bytes, control + 4 * WORD, 0x370678);
	if (kernel_gs)
		put64(bytes, control + 5 * WORD, 0x800 + cpu);
	return state + size;
}

// Two CPUs; pages 0..3 and 0x100..0x101; a segment that is not in the file.
static struct bytes qemu_core(void)
{
	struct bytes bytes = bytes_new(PAGES + 6 * PAGE, 0);
	put_header(&bytes, 62, 4);
	size_t end = NOTES;
	for (size_t i = 0; i < 2; i++)
		end = put_note(&bytes, end, "CORE", 5, 1, 336) + 336;
	for (size_t i = 0; i < 2; i++)
		end = put_qemu(&bytes, end, i, true);
	put_segment(&bytes, 0, 4, NOTES, 0, end - NOTES, end - NOTES);
	put_segment(&bytes, 1, 1, PAGES, 0, 4 * PAGE, 4 * PAGE);
	put_segment(&bytes, 2, 1, PAGES + 4 * PAGE, 0x100000, 2 * PAGE, 5 * PAGE);
	put_segment(&bytes, 3, 1, 0, 0x200000, 0, 0x1000);
	for (uint64_t i = 0; i < 6; i++)
		put_page(&bytes, PAGES + i * PAGE, i < 4 ? i : 0x100 + i - 4);
	return bytes;
}

static void a_core_of_qemu(void **state)
{
	(void)state;
	struct bytes bytes = qemu_core();
	struct inv_image *image = open_bytes(&bytes, INV_OK, NULL);
	const struct inv_image_info *info = inv_image_info(image);
	print_contradictions(image);
	assert_int_equal(info->contradiction_count, 0);
	assert_int_equal(info->format, INV_FORMAT_ELF);
	assert_int_equal(info->arch, INV_ARCH_X64);
	assert_int_equal(info->atomic, 1);
	assert_int_equal(info->present_pages, 6);
	assert_true(info->highest == 0x102000); // p_memsz beyond p_filesz is not there
	assert_int_equal(info->header.cpu_count, 2);
	assert_true(info->header.cpus.present && info->header.cpus.value == 2);
	for (uint64_t i = 0; i < 2; i++) {
		const struct inv_cpu_claim *cpu = &info->header.cpu[i];
		assert_true(cpu->cr0 == 0x80050033 && cpu->cr3 == 0x1ad000 + i && cpu->cr4 == 0x370678);
		assert_true(cpu->rsp == 0x500 + i && cpu->rip == 0x600 + i);
		assert_true(cpu->gs_base == 0x700 + i && cpu->kernel_gs_base == 0x800 + i);
		assert_true(cpu->offset > NOTES && cpu->offset < PAGES);
	}
	uint8_t page[4096];
	assert_true(inv_image_read(image, 0x101000, page, 4096) == 4096);
	assert_true(is_page(page, 4096, 0x101));
	assert_true(inv_image_read(image, 0x102000, page, 1) == 0);
	inv_image_close(image);
	bytes_free(&bytes);
}

static void an_old_core_without_kernel_gs_base(void **state)
{
	(void)state;
	struct bytes bytes = bytes_new(PAGES + 4096, 0);
	put_header(&bytes, 62, 2);
	size_t end = put_qemu(&bytes, NOTES, 3, false);
	put_segment(&bytes, 0, 4, NOTES, 0, end - NOTES, 0);
	put_segment(&bytes, 1, 1, PAGES, 0, 4096, 4096);
	struct inv_image *image = open_bytes(&bytes, INV_OK, NULL);
	const struct inv_header *header = &inv_image_info(image)->header;
	assert_int_equal(header->cpu_count, 1);
	assert_true(header->cpu[0].cr3 == 0x1ad003 && header->cpu[0].kernel_gs_base == 0);
	inv_image_close(image);
	bytes_free(&bytes);
}

static void a_core_of_virtualbox(void **state)
{
	(void)state;
	struct bytes bytes = bytes_new(PAGES + 4096, 0);
	put_header(&bytes, 62, 2);
	size_t core = put_note(&bytes, NOTES, "VBCORE", 6, 0xb00, 24);
	put32(&bytes, core, 0xc01ac0de);
	size_t cpu = put_note(&bytes, core + 24, "VBCPU", 5, 0xb01, 0x400);
	put64(&bytes, cpu + 14 * WORD, 0x111);                          // rip
	put64(&bytes, cpu + 15 * WORD, 0x222);                          // rsp
	put64(&bytes, cpu + 18 * WORD + 4 * SEGMENT, 0x333);            // gs.uBase
	put64(&bytes, cpu + 18 * WORD + 6 * SEGMENT, 0x444);            // cr0
	put64(&bytes, cpu + 18 * WORD + 6 * SEGMENT + 2 * WORD, 0x555); // cr3
	put64(&bytes, cpu + 18 * WORD + 6 * SEGMENT + 3 * WORD, 0x666); // cr4
	size_t msrs = cpu + 18 * WORD + 6 * SEGMENT + 4 * WORD + 8 * WORD + 2 * (size_t)16 + 2 * SEGMENT + 3 * WORD;
	put64(&bytes, msrs + 6 * WORD, 0x777); // msrKernelGSBase
	put_segment(&bytes, 0, 4, NOTES, 0, cpu + 0x400 - NOTES, 0);
	put_segment(&bytes, 1, 1, PAGES, 0, 4096, 4096);
	struct inv_image *image = open_bytes(&bytes, INV_OK, NULL);
	const struct inv_image_info *info = inv_image_info(image);
	assert_int_equal(info->contradiction_count, 0);
	assert_int_equal(info->atomic, 1);
	assert_int_equal(info->header.cpu_count, 1);
	const struct inv_cpu_claim *claim = &info->header.cpu[0];
	assert_true(claim->rip == 0x111 && claim->rsp == 0x222 && claim->gs_base == 0x333);
	assert_true(claim->cr0 == 0x444 && claim->cr3 == 0x555 && claim->cr4 == 0x666);
	assert_true(claim->kernel_gs_base == 0x777);
	inv_image_close(image);
	bytes_free(&bytes);
}

// With paging the same memory is listed once for each mapping.
static void the_same_memory_twice(void **state)
{
	(void)state;
	struct bytes bytes = qemu_core();
	put_segment(&bytes, 3, 1, PAGES + 4096, 0x1000, 2 * PAGE, 2 * PAGE);
	struct inv_image *image = open_bytes(&bytes, INV_OK, NULL);
	assert_int_equal(inv_image_info(image)->contradiction_count, 0);
	assert_int_equal(inv_image_info(image)->present_pages, 6);
	inv_image_close(image);
	put_segment(&bytes, 3, 1, PAGES, 0x1000, 2 * PAGE, 2 * PAGE); // and now other bytes for it
	image = open_bytes(&bytes, INV_OK, NULL);
	assert_true(contradicts(image, "do not overlap"));
	assert_int_equal(inv_image_info(image)->present_pages, 6);
	uint8_t page[4096];
	assert_true(inv_image_read(image, 0x1000, page, 4096) == 4096);
	assert_true(is_page(page, 4096, 1));
	inv_image_close(image);
	bytes_free(&bytes);
}

static void more_headers_than_16_bits(void **state)
{
	(void)state;
	struct bytes bytes = qemu_core();
	put16(&bytes, 0x38, 0xffff);
	put64(&bytes, 0x28, 0x300); // e_shoff
	put32(&bytes, 0x300 + 0x2c, 4);
	struct inv_image *image = open_bytes(&bytes, INV_OK, NULL);
	assert_int_equal(inv_image_info(image)->present_pages, 6);
	inv_image_close(image);
	put32(&bytes, 0x300 + 0x2c, 0xffffffff);
	image = open_bytes(&bytes, INV_OK, NULL);
	assert_true(contradicts(image, "program headers"));
	inv_image_close(image);
	put64(&bytes, 0x28, bytes.size - 10);
	open_bytes(&bytes, INV_E_FORMAT, NULL);
	bytes_free(&bytes);
}

static void refused(size_t offset, uint16_t value, enum inv_code code, const char *says)
{
	struct bytes bytes = qemu_core();
	put16(&bytes, offset, value);
	struct inv_error error;
	open_bytes(&bytes, code, &error);
	if (!strstr(error.text, says))
		print_error("%s\n", error.text);
	assert_non_null(strstr(error.text, says));
	bytes_free(&bytes);
}

static void what_is_no_core_of_a_machine(void **state)
{
	(void)state;
	refused(4, 0x0101, INV_E_UNSUPPORTED, "32-bit");
	refused(4, 0x0202, INV_E_FORMAT, "little-endian");
	refused(0x10, 2, INV_E_UNSUPPORTED, "type 2");
	refused(0x12, 8, INV_E_UNSUPPORTED, "machine 8");
	refused(0x36, 0x20, INV_E_FORMAT, "56 bytes");
	refused(0x38, 0, INV_E_FORMAT, "program headers");
	refused(0x38, 1, INV_E_FORMAT, "PT_LOAD");
	refused(0x20, 0xffff, INV_E_FORMAT, "program headers");

	struct bytes bytes = bytes_new(PAGES + 2 * PAGE, 0);
	put_header(&bytes, 62, 2);
	put_segment(&bytes, 0, 1, PAGES, 0, 4096, 4096);
	put_segment(&bytes, 1, 1, PAGES + 4096, 0, 4096, 4096);
	struct inv_error error;
	open_bytes(&bytes, INV_E_UNSUPPORTED, &error);
	assert_non_null(strstr(error.text, "process"));
	bytes_free(&bytes);
}

static void an_arm64_machine(void **state)
{
	(void)state;
	struct bytes bytes = qemu_core();
	put16(&bytes, 0x12, 183);
	struct inv_image *image = open_bytes(&bytes, INV_OK, NULL);
	assert_int_equal(inv_image_info(image)->arch, INV_ARCH_ARM64);
	inv_image_close(image);
	bytes_free(&bytes);
}

static void contradictions(void **state)
{
	(void)state;
	struct bytes bytes = qemu_core();
	put_segment(&bytes, 2, 1, PAGES + 4 * PAGE, 0x100000, 2 * PAGE, 4096); // p_filesz > p_memsz
	put_segment(&bytes, 3, 1, UINT64_MAX - 10, UINT64_MAX - 4096, 4096, 4096);
	put32(&bytes, NOTES + 12 + 8 + 336 + 8, 77); // the second NT_PRSTATUS becomes something else
	struct inv_image *image = open_bytes(&bytes, INV_OK, NULL);
	assert_true(contradicts(image, "p_filesz"));
	assert_true(contradicts(image, "below 2^52"));
	assert_true(contradicts(image, "NT_PRSTATUS"));
	assert_int_equal(inv_image_info(image)->present_pages, 5);
	inv_image_close(image);
	put32(&bytes, NOTES + 4, 0xfffffff0); // a note larger than all notes
	image = open_bytes(&bytes, INV_OK, NULL);
	assert_true(contradicts(image, "ends with the notes"));
	assert_int_equal(inv_image_info(image)->header.cpu_count, 0);
	inv_image_close(image);
	bytes_free(&bytes);
}

static void every_cut_and_flip(void **state)
{
	(void)state;
	struct bytes bytes = qemu_core();
	torture(&bytes, 0x50, 61, 0x200);
	bytes_free(&bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_core_of_qemu),
	    cmocka_unit_test(an_old_core_without_kernel_gs_base),
	    cmocka_unit_test(a_core_of_virtualbox),
	    cmocka_unit_test(the_same_memory_twice),
	    cmocka_unit_test(more_headers_than_16_bits),
	    cmocka_unit_test(what_is_no_core_of_a_machine),
	    cmocka_unit_test(an_arm64_machine),
	    cmocka_unit_test(contradictions),
	    cmocka_unit_test(every_cut_and_flip),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
