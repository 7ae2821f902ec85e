// SPDX-License-Identifier: Apache-2.0
// A core file as QEMU's dump-guest-memory writes it: for each CPU a PRSTATUS note and a note "QEMU" with QEMUCPUState
// (QEMU, target/i386/arch_dump.c describes the layout), then one PT_LOAD a run of memory.
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/memory.h"
#include "forge/write.h"

#define EHDR 64u
#define PHDR 56u
#define PRSTATUS 336u
#define CPU_STATE 440u
#define NOTE_CORE (12 + 8 + PRSTATUS)
#define NOTE_QEMU (12 + 8 + CPU_STATE)
#define NOTES (NOTE_CORE + NOTE_QEMU)

static void put_note(uint8_t *at, const char *name, uint32_t type, uint32_t size)
{
	inv_put32(at, 5);
	inv_put32(at + 4, size);
	inv_put32(at + 8, type);
	inv_put_text(at + 12, name);
}

static void put_segment(uint8_t *at, uint32_t selector, uint32_t flags, uint64_t base)
{
	inv_put32(at, selector);
	inv_put32(at + 4, 0xffffffff);
	inv_put32(at + 8, flags);
	inv_put64(at + 16, base);
}

static void put_state(uint8_t *s, const struct inv_machine *machine, const struct inv_forge_cpu *cpu)
{
	inv_put32(s, 1);
	inv_put32(s + 4, CPU_STATE);
	inv_put64(s + 8 + 6u * (size_t)8, inv_machine_get(machine, cpu->current->address, INV_F_KTHREAD_KernelStack));
	inv_put64(s + 8 + 16u * (size_t)8, machine->base + machine->code_rva + 0x10); // rip
	inv_put64(s + 8 + 17u * (size_t)8, 0x246);                                    // rflags
	uint8_t *segment = s + 152; // cs, ds, es, fs, gs, ss, ldt, tr, gdt, idt
	put_segment(segment, 0x10, 0x00209b00, 0);
	for (unsigned i = 1; i < 6; i++)
		put_segment(segment + (size_t)24 * i, i == 5 ? 0x18 : 0x2b, 0x00c09300, i == 4 ? cpu->pcr : 0);
	uint8_t *control = s + 392; // cr0 to cr4
	inv_put64(control, 0x80050033);
	inv_put64(control + 24, inv_machine_get(machine, cpu->prcb, INV_F_KPRCB_Cr3));
	inv_put64(control + 32, 0x3506f8 | (machine->maps.levels == 5 ? 0x1000 : 0)); // LA57
	inv_put64(s + 432, 0); // kernel_gs_base: that of user mode while the kernel runs
}

static uint8_t *make_notes(const struct inv_machine *machine)
{
	uint8_t *notes = inv_alloc((size_t)machine->cpu_count * NOTES);
	// QEMU writes all PRSTATUS notes first.
	for (unsigned i = 0; i < machine->cpu_count; i++) {
		uint8_t *core = notes + (size_t)i * NOTE_CORE;
		put_note(core, "CORE", 1, PRSTATUS);
		inv_put32(core + 20 + 32, i + 1); // pr_pid
		uint8_t *qemu = notes + (size_t)machine->cpu_count * NOTE_CORE + (size_t)i * NOTE_QEMU;
		put_note(qemu, "QEMU", 0, CPU_STATE);
		put_state(qemu + 20, machine, &machine->cpu[i]);
	}
	return notes;
}

static void put_program(uint8_t *at, uint32_t type, uint64_t offset, uint64_t physical, uint64_t size)
{
	inv_put32(at, type);
	inv_put64(at + 8, offset);
	inv_put64(at + 24, physical);
	inv_put64(at + 32, size);
	inv_put64(at + 40, size);
}

void inv_write_elf(struct inv_sink *sink, const struct inv_machine *machine)
{
	size_t count;
	const struct inv_ram_run *runs = inv_ram_runs(machine->ram, &count);
	size_t note_size = (size_t)machine->cpu_count * NOTES;
	size_t head_size = EHDR + PHDR * (count + 1);
	uint64_t first = (head_size + note_size + 0xfff) / 0x1000 * 0x1000, size = first;
	for (size_t i = 0; i < count; i++)
		size += runs[i].size;
	inv_sink_set_size(sink, size);

	uint8_t *head = inv_alloc(head_size);
	inv_put_text(head, "\177ELF\2\1\1");
	inv_put16(head + 16, 4);  // ET_CORE
	inv_put16(head + 18, 62); // EM_X86_64
	inv_put32(head + 20, 1);
	inv_put64(head + 32, EHDR);
	inv_put16(head + 52, EHDR);
	inv_put16(head + 54, PHDR);
	inv_put16(head + 56, (uint16_t)(count + 1));
	put_program(head + EHDR, 4, head_size, 0, note_size); // PT_NOTE
	uint64_t at = first;
	for (size_t i = 0; i < count; i++) {
		put_program(head + EHDR + PHDR * (i + 1), 1, at, runs[i].address, runs[i].size); // PT_LOAD
		inv_sink_put_run(sink, machine->ram, &runs[i], at);
		at += runs[i].size;
	}
	inv_sink_put(sink, 0, head, head_size);
	uint8_t *notes = make_notes(machine);
	inv_sink_put(sink, head_size, notes, note_size);
	free(notes);
	free(head);
}
