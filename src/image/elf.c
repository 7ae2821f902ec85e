// SPDX-License-Identifier: Apache-2.0
// An ELF64 core of a machine: PT_LOAD segments with physical addresses, and notes with the registers of each CPU.
// Written by QEMU ("dump-guest-memory", libvirt's "virsh dump --memory-only") and VirtualBox ("debugvm dumpvmcore").
// Layouts of the notes: QEMUCPUState, version 1 (QEMU's public source); DBGFCORECPU (VirtualBox's public
// dbgfcorefmt.h; not verified on a real core).
#include <inttypes.h>
#include <string.h>

#include "image/format.h"

enum {
	EI_CLASS = 4,
	EI_DATA = 5,
	CLASS_32 = 1,
	CLASS_64 = 2,
	DATA_LITTLE = 1,
	E_TYPE = 0x10,
	E_MACHINE = 0x12,
	E_PHOFF = 0x20,
	E_SHOFF = 0x28,
	E_PHENTSIZE = 0x36,
	E_PHNUM = 0x38,
	EHDR_SIZE = 0x40,
	SH_INFO = 0x2c,
	SHDR_SIZE = 0x40,
	P_TYPE = 0,
	P_OFFSET = 8,
	P_PADDR = 0x18,
	P_FILESZ = 0x20,
	P_MEMSZ = 0x28,
	PHDR_SIZE = 0x38,
	ET_CORE = 4,
	EM_386 = 3,
	EM_X86_64 = 62,
	EM_AARCH64 = 183,
	PN_XNUM = 0xffff,
	PT_LOAD = 1,
	PT_NOTE = 4,
	NT_PRSTATUS = 1,
	NOTE_HEADER_SIZE = 12,
};

// QEMUCPUState; KernelGSBase came later, and `size` tells whether it is there.
enum {
	QEMU_VERSION = 0,
	QEMU_SIZE = 4,
	QEMU_RSP = 0x38,
	QEMU_RIP = 0x88,
	QEMU_GS_BASE = 0x108,
	QEMU_CR0 = 0x188,
	QEMU_CR3 = 0x1a0,
	QEMU_CR4 = 0x1a8,
	QEMU_STATE_SIZE = 0x1b0,
	QEMU_KERNEL_GS_BASE = 0x1b0,
};

enum {
	VBOX_RIP = 0x70,
	VBOX_RSP = 0x78,
	VBOX_GS_BASE = 0xf0,
	VBOX_CR0 = 0x120,
	VBOX_CR3 = 0x130,
	VBOX_CR4 = 0x138,
	VBOX_KERNEL_GS_BASE = 0x218,
	VBOX_CPU_SIZE = 0x220,
};
#define VBOX_MAGIC UINT32_C(0xc01ac0de)

struct elf {
	struct inv_image *image;
	uint64_t headers; // file offset of the program headers
	uint32_t count;
	struct inv_cpu_claim *cpus;
	uint64_t first_cpu; // file offset of the first CPU's note of any kind
	uint32_t status_notes;
	bool machine; // a note says that this is a machine's core
	uint32_t loads;
	bool physical; // some segment has a physical address
};

static enum inv_code check_identity(const struct inv_image *image, struct inv_error *error)
{
	const char *path = image->info.path;
	if (image->size < EHDR_SIZE)
		return inv_fail_at(error, path, 0, "an ELF header of 64 bytes", "%" PRIu64 " bytes", image->size);
	const uint8_t *header = image->bytes;
	if (header[EI_CLASS] == CLASS_32)
		return inv_fail(error, INV_E_UNSUPPORTED, "%s: is a 32-bit ELF file; only 64-bit cores of machines are read",
		                path);
	if (header[EI_CLASS] != CLASS_64 || header[EI_DATA] != DATA_LITTLE)
		return inv_fail_at(error, path, EI_CLASS, "a 64-bit little-endian ELF file (class 2, data 1)",
		                   "class %u, data %u", header[EI_CLASS], header[EI_DATA]);
	uint16_t type = inv_le16(header + E_TYPE);
	if (type != ET_CORE)
		return inv_fail(error, INV_E_UNSUPPORTED, "%s: is an ELF file of type %u, not the core of a machine (type 4)",
		                path, type);
	uint16_t machine = inv_le16(header + E_MACHINE);
	if (machine != EM_386 && machine != EM_X86_64 && machine != EM_AARCH64)
		return inv_fail(error, INV_E_UNSUPPORTED,
		                "%s: is the core of machine %u; x86-64 (62) and AArch64 (183) are read", path, machine);
	if (inv_le16(header + E_PHENTSIZE) != PHDR_SIZE)
		return inv_fail_at(error, path, E_PHENTSIZE, "program headers of 56 bytes", "%u",
		                   inv_le16(header + E_PHENTSIZE));
	return INV_OK;
}

// The number of program headers; more than 16 bits hold stand in the first section header.
static enum inv_code count_headers(struct elf *elf, struct inv_error *error)
{
	struct inv_image *image = elf->image;
	const char *path = image->info.path;
	elf->headers = inv_le64(image->bytes + E_PHOFF);
	elf->count = inv_le16(image->bytes + E_PHNUM);
	if (elf->count == PN_XNUM) {
		uint64_t sections = inv_le64(image->bytes + E_SHOFF);
		const uint8_t *section = inv_image_at(image, sections, SHDR_SIZE);
		if (!section)
			return inv_fail_at(error, path, E_SHOFF, "a section header with the number of program headers",
			                   "its offset 0x%" PRIx64 " past the end of the file", sections);
		elf->count = inv_le32(section + SH_INFO);
	}
	uint64_t left = elf->headers < image->size ? image->size - elf->headers : 0;
	uint64_t room = left / PHDR_SIZE < INV_MAX_EXTENTS ? left / PHDR_SIZE : INV_MAX_EXTENTS;
	if (elf->count == 0 || room == 0)
		return inv_fail_at(error, path, E_PHNUM, "program headers in the file",
		                   "%" PRIu32 " of them at offset 0x%" PRIx64 " in a file of 0x%" PRIx64 " bytes", elf->count,
		                   elf->headers, image->size);
	if (elf->count > room) {
		inv_image_contradict(image, E_PHNUM, "all program headers to be in the file",
		                     "%" PRIu32 ", and room for %" PRIu64, elf->count, room);
		elf->count = (uint32_t)room;
	}
	return INV_OK;
}

static void add_cpu(struct elf *elf, const struct inv_cpu_claim *claim)
{
	size_t count = inv_count(elf->cpus);
	if (count == INV_MAX_CPUS)
		inv_image_contradict(elf->image, claim->offset, "at most 2048 CPUs", "more; the rest is left out");
	if (count < INV_MAX_CPUS)
		inv_push(elf->cpus, *claim);
}

static void read_qemu_cpu(struct elf *elf, const uint8_t *state, uint32_t size, uint64_t place)
{
	elf->machine = true;
	uint32_t version = size >= 8 ? inv_le32(state + QEMU_VERSION) : 0;
	if (version != 1 || size < QEMU_STATE_SIZE) {
		inv_image_contradict(elf->image, place, "QEMUCPUState of version 1 and at least 432 bytes",
		                     "version %" PRIu32 ", %" PRIu32 " bytes", version, size);
		return;
	}
	uint32_t claimed = inv_le32(state + QEMU_SIZE);
	uint32_t whole = claimed < size ? claimed : size;
	struct inv_cpu_claim claim = {
	    .cr0 = inv_le64(state + QEMU_CR0),
	    .cr3 = inv_le64(state + QEMU_CR3),
	    .cr4 = inv_le64(state + QEMU_CR4),
	    .rip = inv_le64(state + QEMU_RIP),
	    .rsp = inv_le64(state + QEMU_RSP),
	    .gs_base = inv_le64(state + QEMU_GS_BASE),
	    .kernel_gs_base = whole >= QEMU_KERNEL_GS_BASE + 8 ? inv_le64(state + QEMU_KERNEL_GS_BASE) : 0,
	    .offset = place,
	};
	add_cpu(elf, &claim);
}

static void read_vbox_cpu(struct elf *elf, const uint8_t *state, uint32_t size, uint64_t place)
{
	elf->machine = true;
	if (size < VBOX_CPU_SIZE) {
		inv_image_contradict(elf->image, place, "DBGFCORECPU of at least 544 bytes", "%" PRIu32 " bytes", size);
		return;
	}
	struct inv_cpu_claim claim = {
	    .cr0 = inv_le64(state + VBOX_CR0),
	    .cr3 = inv_le64(state + VBOX_CR3),
	    .cr4 = inv_le64(state + VBOX_CR4),
	    .rip = inv_le64(state + VBOX_RIP),
	    .rsp = inv_le64(state + VBOX_RSP),
	    .gs_base = inv_le64(state + VBOX_GS_BASE),
	    .kernel_gs_base = inv_le64(state + VBOX_KERNEL_GS_BASE),
	    .offset = place,
	};
	add_cpu(elf, &claim);
}

// A name with or without its NUL: VirtualBox does not count it.
static bool is_name(const uint8_t *name, uint32_t size, const char *wanted)
{
	size_t length = strlen(wanted);
	return (size == length || size == length + 1) && memcmp(name, wanted, length) == 0;
}

static void read_note(struct elf *elf, const uint8_t *note, uint64_t name_room, uint64_t place)
{
	uint32_t name_size = inv_le32(note);
	uint32_t size = inv_le32(note + 4);
	uint32_t type = inv_le32(note + 8);
	const uint8_t *name = note + NOTE_HEADER_SIZE;
	const uint8_t *content = name + name_room;
	place += NOTE_HEADER_SIZE + name_room;
	if (is_name(name, name_size, "QEMU") && type == 0) {
		read_qemu_cpu(elf, content, size, place);
	} else if (is_name(name, name_size, "VBCPU")) {
		read_vbox_cpu(elf, content, size, place);
	} else if (is_name(name, name_size, "VBCORE")) {
		elf->machine = true;
		if (size < 4 || inv_le32(content) != VBOX_MAGIC)
			inv_image_contradict(elf->image, place, "DBGFCOREDESCRIPTOR with the magic 0xc01ac0de", "0x%08" PRIx32,
			                     size < 4 ? 0 : inv_le32(content));
	} else if (is_name(name, name_size, "CORE") && type == NT_PRSTATUS) {
		elf->status_notes++;
	} else {
		return;
	}
	if (elf->first_cpu == 0)
		elf->first_cpu = place;
}

static uint64_t align4(uint64_t size)
{
	return (size + 3) & ~UINT64_C(3);
}

static void read_notes(struct elf *elf, uint64_t offset, uint64_t size)
{
	struct inv_image *image = elf->image;
	uint64_t left = offset < image->size ? image->size - offset : 0;
	if (size > left) {
		inv_image_contradict(image, offset, "the notes to be in the file", "0x%" PRIx64 " of their 0x%" PRIx64 " bytes",
		                     left, size);
		size = left;
	}
	while (size >= NOTE_HEADER_SIZE) {
		const uint8_t *note = image->bytes + offset;
		uint64_t name_room = align4(inv_le32(note));
		uint64_t content = inv_le32(note + 4);
		if (name_room > size - NOTE_HEADER_SIZE || content > size - NOTE_HEADER_SIZE - name_room) {
			inv_image_contradict(image, offset, "a note that ends with the notes",
			                     "a name of %" PRIu32 " and a content of %" PRIu64 " bytes", inv_le32(note), content);
			return;
		}
		read_note(elf, note, name_room, offset);
		uint64_t whole = NOTE_HEADER_SIZE + name_room + align4(content);
		if (whole >= size)
			return;
		offset += whole;
		size -= whole;
	}
}

static void read_load(struct elf *elf, const uint8_t *header, uint64_t place)
{
	uint64_t in_file = inv_le64(header + P_FILESZ);
	uint64_t in_memory = inv_le64(header + P_MEMSZ);
	elf->loads++;
	elf->physical |= inv_le64(header + P_PADDR) != 0;
	if (in_file > in_memory) {
		inv_image_contradict(elf->image, place + P_FILESZ, "p_filesz not to be more than p_memsz",
		                     "0x%" PRIx64 " and 0x%" PRIx64, in_file, in_memory);
		in_file = in_memory;
	}
	(void)inv_image_add_extent(elf->image, place, inv_le64(header + P_PADDR), inv_le64(header + P_OFFSET), in_file);
}

static void read_headers(struct elf *elf)
{
	for (uint32_t i = 0; i < elf->count; i++) {
		uint64_t place = elf->headers + (uint64_t)i * PHDR_SIZE;
		const uint8_t *header = elf->image->bytes + place;
		uint32_t type = inv_le32(header + P_TYPE);
		if (type == PT_LOAD)
			read_load(elf, header, place);
		else if (type == PT_NOTE)
			read_notes(elf, inv_le64(header + P_OFFSET), inv_le64(header + P_FILESZ));
	}
}

static void keep_cpus(struct elf *elf)
{
	struct inv_header *header = &elf->image->info.header;
	size_t count = inv_count(elf->cpus);
	if (count > 0 && elf->status_notes > 0 && elf->status_notes != count)
		inv_image_contradict(elf->image, elf->first_cpu, "as many NT_PRSTATUS notes as notes of CPUs",
		                     "%" PRIu32 " and %zu", elf->status_notes, count);
	uint64_t cpus = count ? count : elf->status_notes;
	header->cpus = (struct inv_claim){.present = cpus > 0, .value = cpus, .offset = elf->first_cpu};
	if (count == 0)
		return;
	struct inv_cpu_claim *kept = inv_arena_alloc(elf->image->arena, count * sizeof *kept);
	memcpy(kept, elf->cpus, count * sizeof *kept);
	header->cpu = kept;
	header->cpu_count = count;
}

// VirtualBox names its own build's architecture in the header, not the guest's.
static enum inv_arch arch_of(const struct inv_image *image)
{
	switch (inv_le16(image->bytes + E_MACHINE)) {
	case EM_X86_64:
		return INV_ARCH_X64;
	case EM_AARCH64:
		return INV_ARCH_ARM64;
	default:
		return INV_ARCH_UNKNOWN;
	}
}

static enum inv_code check_content(const struct elf *elf, struct inv_error *error)
{
	const char *path = elf->image->info.path;
	// A process's core has virtual addresses only.
	if (!elf->machine && elf->loads > 1 && !elf->physical)
		return inv_fail(error, INV_E_UNSUPPORTED,
		                "%s: is the core of a process, not of a machine: no segment has a physical address", path);
	if (elf->loads == 0)
		return inv_fail_at(error, path, elf->headers, "a PT_LOAD segment", "none among %" PRIu32 " program headers",
		                   elf->count);
	return INV_OK;
}

enum inv_code inv_elf_recognise(struct inv_image *image, struct inv_error *error)
{
	image->info.format = INV_FORMAT_ELF;
	struct elf elf = {.image = image};
	enum inv_code code = check_identity(image, error);
	if (!code)
		code = count_headers(&elf, error);
	if (code)
		return code;
	read_headers(&elf);
	code = check_content(&elf, error);
	if (!code) {
		keep_cpus(&elf);
		image->info.arch = arch_of(image);
		// Both programs that write these notes stop the machine while they write.
		image->info.atomic = elf.machine ? 1 : -1;
		inv_image_settle(image, elf.headers);
	}
	inv_array_free(elf.cpus);
	return code;
}
