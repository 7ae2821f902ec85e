// SPDX-License-Identifier: Apache-2.0
// Identification. The first byte chooses: the rest is an image of any format, or changes to a machine in which a kernel can be
// found (12 bytes each: where in physical memory, and the eight bytes that are put there).
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "kernel/kernel.h"
#include "tests/unit/kernel/machine.h"

// All that the machine uses lies below.
#define MEMORY (5u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// One look at each thing that identification leaves behind.
static void use(const struct inv_kernel *kernel)
{
	for (unsigned symbol = 0; symbol < INV_SYMBOL_COUNT; symbol++)
		(void)inv_kernel_symbol(kernel, (enum inv_symbol)symbol, NULL);
	for (unsigned field = 0; field < INV_FIELD_COUNT; field++)
		(void)inv_field(kernel, kernel->current_process, (enum inv_field)field);
	for (size_t i = 0; i < kernel->clue_count; i++)
		if (!kernel->clues[i].ok && kernel->clues[i].why.reason >= INV_ABSENCE_COUNT)
			abort();
	for (size_t i = 0; i < kernel->module_count; i++)
		if (!kernel->modules[i].name)
			abort();
	if (kernel->cpu_count > INV_MAX_CPUS || (kernel->layout == NULL) != (kernel->confidence == INV_CONFIDENCE_NONE))
		abort();
}

static void identify(const uint8_t *bytes, size_t size)
{
	struct inv_image *image;
	struct inv_kernel *kernel;
	struct inv_error error;
	if (inv_image_open_memory("fuzz", bytes, size, &image, &error) != INV_OK)
		return;
	if (inv_kernel_identify(image, NULL, &kernel, &error) == INV_OK)
		use(kernel);
	inv_kernel_free(kernel);
	inv_image_close(image);
}

static const struct inv_kernel_facts *some_facts(void)
{
	for (size_t i = 0; i < inv_facts_kernel_count(); i++)
		if (inv_facts_kernel(i)->version.build == 19041)
			return inv_facts_kernel(i);
	return inv_facts_kernel(0);
}

// The machine is the same for all inputs; what an input changes is put back.
static const struct machine *template(void)
{
	static struct machine machine;
	if (!machine.memory)
		machine_new(&machine, &(struct machine_options){.facts = some_facts()});
	return &machine;
}

static void change(uint8_t *memory, const uint8_t *data, size_t count)
{
	for (size_t i = 0; i < count; i++)
		memcpy(memory + inv_le32(data + i * 12) % (MEMORY - 8), data + i * 12 + 4, 8);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	if (data[0] & 1) {
		identify(data + 1, size - 1);
		return 0;
	}
	uint8_t *memory = inv_alloc(MEMORY);
	memcpy(memory, template()->memory, MEMORY);
	size_t count = (size - 1) / 12;
	change(memory, data + 1, count < 4096 ? count : 4096);
	identify(memory, MEMORY);
	free(memory);
	return 0;
}
