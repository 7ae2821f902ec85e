// SPDX-License-Identifier: Apache-2.0
// Code as instructions, for people who look at what was patched or where a thread begins.
#ifndef INV_REPORT_DISASSEMBLY_H
#define INV_REPORT_DISASSEMBLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define INV_INSTRUCTION_MAX 15u // bytes of the longest instruction that a CPU takes

struct inv_instruction {
	uint64_t address;
	uint8_t size;
	uint8_t bytes[INV_INSTRUCTION_MAX];
	char text[96]; // in Intel's syntax; "db 0x06" for a byte with which no instruction begins
};

// The instructions that stand in `size` bytes of code that is at `address` in memory, from the first byte on: at most `count` of
// them, and none that is cut off by the end. Returns how many. `narrow`: 32-bit code.
size_t inv_disassemble(const uint8_t *bytes, size_t size, uint64_t address, bool narrow,
                       struct inv_instruction *instructions, size_t count);

// The offset at which the instruction that holds the byte at `offset` begins. Instructions have no marks, so this decodes from some
// bytes before, where it soon falls into step; of data any answer is as good as another.
size_t inv_instruction_start(const uint8_t *bytes, size_t size, size_t offset, bool narrow);

#endif
