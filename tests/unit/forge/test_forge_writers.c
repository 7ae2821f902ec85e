// SPDX-License-Identifier: Apache-2.0
// Each format's bytes against its public description, and each page of it against the raw image.
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "forged.h"

static const char scenario[] = "machine{cpus=2, memory='64M'}\n"
                               "local p = process{name='notepad.exe', session=1, threads=2, gui=true}\n"
                               "run(0, p.threads[1])\n";

#define LOW_SIZE (0xa0000u - 0x1000u)
#define HIGH_SIZE ((64u << 20) - 0x100000u)

struct made {
	struct forged raw;
	uint8_t *bytes;
	size_t size;
};

static struct made make(enum inv_forge_format format)
{
	struct made made = {.raw = forge_raw(scenario, NULL)};
	must_write(made.raw.forge, format, &made.bytes, &made.size);
	return made;
}

static void unmake(struct made *made)
{
	forged_free(&made->raw);
	free(made->bytes);
}

// Crash dumps hold the debugger block decoded, raw images encoded: its pages differ.
static bool may_differ(const struct made *made, uint64_t physical)
{
	uint64_t block = inv_forge_symbol(made->raw.forge, INV_S_KdDebuggerDataBlock);
	uint64_t flag = inv_forge_symbol(made->raw.forge, INV_S_KdpDataBlockEncoded);
	uint64_t places[] = {block, block + 0x380, flag};
	for (size_t i = 0; i < 3; i++) {
		uint64_t at;
		if (inv_forge_translate(made->raw.forge, places[i], &at) && at / 4096 == physical / 4096)
			return true;
	}
	return false;
}

static void check_page(const struct made *made, uint64_t offset, uint64_t physical)
{
	assert_true(offset + 4096 <= made->size);
	if (!may_differ(made, physical))
		assert_memory_equal(made->bytes + offset, made->raw.bytes + physical, 4096);
}

static void check_run(const struct made *made, uint64_t offset, uint64_t physical, uint64_t size)
{
	for (uint64_t at = 0; at < size; at += 4096)
		check_page(made, offset + at, physical + at);
}

static void raw(void **state)
{
	(void)state;
	struct forged f = forge_raw(scenario, NULL);
	assert_int_equal(f.size, 64u << 20);
	forged_free(&f);
}

static void lime(void **state)
{
	(void)state;
	struct made m = make(INV_FORGE_LIME);
	assert_int_equal(m.size, 64 + LOW_SIZE + HIGH_SIZE);
	assert_int_equal(inv_le32(m.bytes), 0x4c694d45);
	assert_int_equal(inv_le32(m.bytes + 4), 1);
	assert_int_equal(inv_le64(m.bytes + 8), 0x1000);
	assert_int_equal(inv_le64(m.bytes + 16), 0x9ffff);
	check_run(&m, 32, 0x1000, LOW_SIZE);
	const uint8_t *second = m.bytes + 32 + LOW_SIZE;
	assert_int_equal(inv_le32(second), 0x4c694d45);
	assert_int_equal(inv_le64(second + 8), 0x100000);
	assert_int_equal(inv_le64(second + 16), (64u << 20) - 1);
	check_run(&m, 64 + LOW_SIZE, 0x100000, HIGH_SIZE);
	unmake(&m);
}

static void elf(void **state)
{
	(void)state;
	struct made m = make(INV_FORGE_ELF);
	const uint8_t *b = m.bytes;
	assert_memory_equal(b, "\177ELF\2\1", 6);
	assert_int_equal(inv_le16(b + 16), 4);
	assert_int_equal(inv_le16(b + 18), 62);
	assert_int_equal(inv_le16(b + 56), 3);
	const uint8_t *note = b + inv_le64(b + 32);
	assert_int_equal(inv_le32(note), 4);
	uint64_t at = inv_le64(note + 8), end = at + inv_le64(note + 32);
	unsigned states = 0;
	while (at < end) {
		uint32_t name = inv_le32(b + at), size = inv_le32(b + at + 4);
		const uint8_t *body = b + at + 12 + (size_t)(name + 3) / 4 * 4;
		if (strcmp((const char *)b + at + 12, "QEMU") == 0) {
			assert_int_equal(size, 440);
			assert_int_equal(inv_le32(body + 4), 440);
			uint64_t prcb = virtual64(&m.raw, inv_forge_symbol(m.raw.forge, INV_S_KiProcessorBlock) + 8ull * states);
			assert_int_equal(inv_le64(body + 392 + 24), field64(&m.raw, prcb, INV_F_KPRCB_Cr3));
			assert_int_equal(inv_le64(body + 152 + (size_t)4 * 24 + 16) + 0x180, prcb); // GS base: the KPCR
			states++;
		}
		at += 12 + (name + 3) / 4 * 4 + (size + 3) / 4 * 4;
	}
	assert_int_equal(at, end);
	assert_int_equal(states, 2);
	for (unsigned i = 1; i < 3; i++) {
		const uint8_t *load = note + (size_t)56 * i;
		assert_int_equal(inv_le32(load), 1);
		assert_int_equal(inv_le64(load + 24), i == 1 ? 0x1000 : 0x100000);
		check_run(&m, inv_le64(load + 8), inv_le64(load + 24), inv_le64(load + 32));
	}
	unmake(&m);
}

static void check_header(const struct made *m, uint32_t type)
{
	const uint8_t *b = m->bytes;
	struct inv_forge *forge = m->raw.forge;
	assert_memory_equal(b, "PAGEDU64", 8);
	assert_int_equal(inv_le32(b + 0x08), 15);
	assert_int_equal(inv_le32(b + 0x0c), inv_forge_facts(forge)->version.build);
	uint64_t prcb = virtual64(&m->raw, inv_forge_symbol(forge, INV_S_KiProcessorBlock));
	assert_int_equal(inv_le64(b + 0x10), field64(&m->raw, prcb, INV_F_KPRCB_Cr3));
	assert_int_equal(inv_le64(b + 0x18), inv_forge_symbol(forge, INV_S_MmPfnDatabase));
	assert_int_equal(inv_le64(b + 0x20), inv_forge_symbol(forge, INV_S_PsLoadedModuleList));
	assert_int_equal(inv_le64(b + 0x28), inv_forge_symbol(forge, INV_S_PsActiveProcessHead));
	assert_int_equal(inv_le32(b + 0x30), 0x8664);
	assert_int_equal(inv_le32(b + 0x34), 2);
	assert_int_equal(inv_le64(b + 0x80), inv_forge_symbol(forge, INV_S_KdDebuggerDataBlock));
	assert_int_equal(inv_le32(b + 0xf98), type);
	assert_int_equal(inv_le64(b + 0xfa0), m->size);
	// The time is that of KUSER_SHARED_DATA.
	uint64_t time = field_address(&m->raw, 0xfffff78000000000u, INV_F_KUSER_SHARED_DATA_SystemTime);
	assert_int_equal(inv_le64(b + 0xfa8), virtual64(&m->raw, time));
}

static void crash_full(void **state)
{
	(void)state;
	struct made m = make(INV_FORGE_CRASH_FULL);
	check_header(&m, 1);
	assert_int_equal(m.size, 0x2000 + LOW_SIZE + HIGH_SIZE);
	assert_int_equal(inv_le32(m.bytes + 0x88), 2);
	assert_int_equal(inv_le64(m.bytes + 0x90), (LOW_SIZE + HIGH_SIZE) / 4096);
	uint64_t at = 0x2000;
	for (unsigned i = 0; i < 2; i++) {
		uint64_t page = inv_le64(m.bytes + 0x98 + (size_t)16 * i), count = inv_le64(m.bytes + 0xa0 + (size_t)16 * i);
		check_run(&m, at, page * 4096, count * 4096);
		at += count * 4096;
	}
	assert_int_equal(at, m.size);
	unmake(&m);
}

static void check_bitmap(enum inv_forge_format format, uint32_t type, const char *signature)
{
	struct made m = make(format);
	check_header(&m, type);
	const uint8_t *b = m.bytes;
	assert_memory_equal(b + 0x2000, signature, 4);
	assert_memory_equal(b + 0x2004, "DUMP", 4);
	bool narrow = type == 2;
	uint64_t at = narrow ? inv_le32(b + 0x200c) : inv_le64(b + 0x2020);
	uint64_t bit_count = narrow ? inv_le32(b + 0x2010) : inv_le64(b + 0x2030);
	uint64_t pages = narrow ? inv_le32(b + 0x2014) : inv_le64(b + 0x2028);
	const uint8_t *bitmap = b + (narrow ? 0x2028 : 0x2038);
	uint64_t seen = 0;
	for (uint64_t i = 0; i < bit_count; i++) {
		if (!(bitmap[i / 8] >> i % 8 & 1))
			continue;
		check_page(&m, at, i * 4096);
		at += 4096;
		seen++;
	}
	assert_int_equal(seen, pages);
	assert_int_equal(at, m.size);
	if (format == INV_FORGE_CRASH_BITMAP)
		assert_int_equal(pages, (LOW_SIZE + HIGH_SIZE) / 4096);
	else
		assert_in_range(pages, 100, 4000);
	unmake(&m);
}

static void crash_bitmaps(void **state)
{
	(void)state;
	check_bitmap(INV_FORGE_CRASH_BITMAP, 5, "FDMP");
	check_bitmap(INV_FORGE_CRASH_KERNEL, 2, "SDMP");
	check_bitmap(INV_FORGE_CRASH_BITMAP_KERNEL, 6, "SDMP");
}

static void check_section(const struct made *m, unsigned offset, uint64_t address, size_t size)
{
	uint32_t at = inv_le32(m->bytes + 0x2000 + offset);
	assert_true(at >= 0x2080 && at <= m->size - size);
	for (size_t i = 0; i + 8 <= size; i += 8)
		assert_int_equal(inv_le64(m->bytes + at + i), virtual64(&m->raw, address + i));
}

static void check_drivers(const struct made *m)
{
	uint32_t list = inv_le32(m->bytes + 0x2030), count = inv_le32(m->bytes + 0x2034);
	assert_in_range(count, 5, 100);
	assert_int_equal(inv_le64(m->bytes + list + 0x38), inv_forge_base(m->raw.forge));
	const uint8_t *name = m->bytes + inv_le32(m->bytes + list);
	assert_int_equal(inv_le32(name), 12);
	assert_memory_equal(name + 4, "n\0t\0o\0s\0k\0r\0n\0l\0.\0e\0x\0e\0\0", 26);
}

static void triage(void **state)
{
	(void)state;
	struct made m = make(INV_FORGE_CRASH_TRIAGE);
	check_header(&m, 4);
	const struct inv_layout *layout = m.raw.layout;
	uint64_t prcb = virtual64(&m.raw, inv_forge_symbol(m.raw.forge, INV_S_KiProcessorBlock));
	uint64_t thread = field64(&m.raw, prcb, INV_F_KPRCB_CurrentThread);
	check_section(&m, 0x1c, prcb, layout->size[INV_T_KPRCB]);
	check_section(&m, 0x20, field64(&m.raw, thread, INV_F_KTHREAD_Process), layout->size[INV_T_EPROCESS]);
	check_section(&m, 0x24, thread, layout->size[INV_T_ETHREAD]);
	uint64_t top = inv_le64(m.bytes + 0x2048);
	assert_int_equal(top, field64(&m.raw, thread, INV_F_KTHREAD_KernelStack));
	check_section(&m, 0x28, top, inv_le32(m.bytes + 0x202c));
	uint32_t block = inv_le32(m.bytes + 0x2070);
	assert_memory_equal(m.bytes + block + 0x10, "KDBG", 4);
	assert_int_equal(inv_le64(m.bytes + block + 0x18), inv_forge_base(m.raw.forge));
	check_drivers(&m);
	uint32_t table = inv_le32(m.bytes + 0x2078), count = inv_le32(m.bytes + 0x207c);
	bool head = false;
	for (uint32_t i = 0; i < count; i++) {
		const uint8_t *entry = m.bytes + table + (size_t)16 * i;
		uint64_t address = inv_le64(entry);
		assert_int_equal(inv_le64(m.bytes + inv_le32(entry + 8)), virtual64(&m.raw, address));
		head = head || address == inv_forge_symbol(m.raw.forge, INV_S_PsActiveProcessHead);
	}
	assert_true(head);
	assert_memory_equal(m.bytes + inv_le32(m.bytes + 0x2008), "TRGD", 4);
	assert_int_equal(inv_le32(m.bytes + 0x2004), m.size);
	unmake(&m);
}

static void same_seed_same_bytes(void **state)
{
	(void)state;
	struct inv_forge_options one = {.seed = 7, .seed_given = true}, two = {.seed = 8, .seed_given = true};
	struct forged a = forge_raw(scenario, &one), b = forge_raw(scenario, &one), c = forge_raw(scenario, &two);
	assert_int_equal(a.size, b.size);
	assert_memory_equal(a.bytes, b.bytes, a.size);
	assert_string_equal(inv_forge_truth(a.forge), inv_forge_truth(b.forge));
	assert_int_not_equal(memcmp(a.bytes, c.bytes, a.size), 0);
	assert_int_not_equal(inv_forge_base(a.forge), inv_forge_base(c.forge));
	forged_free(&a);
	forged_free(&b);
	forged_free(&c);
}

static void file_is_sparse(void **state)
{
	(void)state;
	char path[] = "forge-sparse-XXXXXX";
	int file = mkstemp(path);
	assert_true(file >= 0);
	close(file);
	struct inv_forge_options options = {.memory = 64ull << 30};
	struct inv_forge *forge = must_run(scenario + strlen("machine{cpus=2, memory='64M'}\n"), &options);
	struct inv_error error = {INV_OK, ""};
	enum inv_code code = inv_forge_write(forge, INV_FORGE_RAW, path, &error);
	struct stat status;
	int found = stat(path, &status);
	unlink(path);
	assert_int_equal(code, INV_OK);
	assert_int_equal(found, 0);
	assert_true(status.st_size == (off_t)65 << 30);
	assert_true(status.st_blocks < (64 << 20) / 512);
	uint8_t *bytes;
	size_t size;
	assert_int_equal(inv_forge_write_memory(forge, INV_FORGE_RAW, &bytes, &size, &error), INV_E_UNSUPPORTED);
	assert_null(bytes);
	inv_forge_free(forge);
}

static void unwritable(void **state)
{
	(void)state;
	struct inv_forge *forge = must_run("", NULL);
	struct inv_error error = {INV_OK, ""};
	assert_int_equal(inv_forge_write(forge, INV_FORGE_RAW, "no-such-folder/image", &error), INV_E_IO);
	assert_non_null(strstr(error.text, "no-such-folder/image"));
	inv_forge_free(forge);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(raw),
	    cmocka_unit_test(lime),
	    cmocka_unit_test(elf),
	    cmocka_unit_test(crash_full),
	    cmocka_unit_test(crash_bitmaps),
	    cmocka_unit_test(triage),
	    cmocka_unit_test(file_is_sparse),
	    cmocka_unit_test(same_seed_same_bytes),
	    cmocka_unit_test(unwritable),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
