// SPDX-License-Identifier: Apache-2.0
#include "report/disassembly.h"

#include <Zydis/Zydis.h>
#include <stdio.h>
#include <string.h>

// How far before an offset decoding begins, so that it has fallen into step when it arrives.
#define RUN_UP 64u

static ZydisMachineMode mode(bool narrow)
{
	return narrow ? ZYDIS_MACHINE_MODE_LEGACY_32 : ZYDIS_MACHINE_MODE_LONG_64;
}

// false: the bytes end before the instruction does.
static bool decode(const uint8_t *bytes, size_t size, uint64_t address, bool narrow,
                   struct inv_instruction *instruction)
{
	ZydisDisassembledInstruction decoded;
	ZyanStatus status = ZydisDisassembleIntel(mode(narrow), address, bytes, size, &decoded);
	if (status == ZYDIS_STATUS_NO_MORE_DATA)
		return false;
	*instruction = (struct inv_instruction){.address = address, .size = 1};
	if (ZYAN_SUCCESS(status) && decoded.info.length > 0 && decoded.info.length <= sizeof instruction->bytes) {
		instruction->size = decoded.info.length;
		snprintf(instruction->text, sizeof instruction->text, "%s", decoded.text);
	} else {
		snprintf(instruction->text, sizeof instruction->text, "db 0x%02x", bytes[0]);
	}
	memcpy(instruction->bytes, bytes, instruction->size);
	return true;
}

size_t inv_disassemble(const uint8_t *bytes, size_t size, uint64_t address, bool narrow,
                       struct inv_instruction *instructions, size_t count)
{
	size_t found = 0;
	for (size_t at = 0; at < size && found < count; at += instructions[found++].size)
		if (!decode(bytes + at, size - at, address + at, narrow, &instructions[found]))
			break;
	return found;
}

size_t inv_instruction_start(const uint8_t *bytes, size_t size, size_t offset, bool narrow)
{
	struct inv_instruction instruction;
	if (offset >= size)
		return offset;
	for (size_t at = offset > RUN_UP ? offset - RUN_UP : 0; at <= offset; at += instruction.size) {
		if (!decode(bytes + at, size - at, at, narrow, &instruction))
			break;
		if (at + instruction.size > offset)
			return at;
	}
	return offset;
}
