// SPDX-License-Identifier: Apache-2.0
#include "paging/space.h"

#include <string.h>

#include "paging/kind.h"

struct inv_space *inv_space_new_beside(const struct inv_space *space, uint64_t dtb)
{
	return space->kind->beside(space, dtb);
}

void inv_space_free(struct inv_space *space)
{
	if (space)
		space->kind->free(space);
}

void inv_space_set_pte_format(struct inv_space *space, const struct inv_pte_format *format)
{
	space->format = *format;
	space->kind->reset(space);
}

const struct inv_pte_format *inv_space_pte_format(const struct inv_space *space)
{
	return &space->format;
}

bool inv_space_has_page_tables(const struct inv_space *space)
{
	return space->levels != 0;
}

uint64_t inv_space_dtb(const struct inv_space *space)
{
	return space->dtb;
}

unsigned inv_space_levels(const struct inv_space *space)
{
	return space->levels;
}

static struct inv_why past_the_last_address(void)
{
	return (struct inv_why){.reason = INV_NOT_CANONICAL, .address = UINT64_MAX};
}

size_t inv_space_read(struct inv_space *space, uint64_t address, void *buffer, size_t size, struct inv_why *why)
{
	uint8_t *bytes = buffer;
	struct inv_why reason = {.reason = INV_PRESENT};
	size_t done = 0;
	while (done < size) {
		const uint64_t next = address + done;
		if (next < address) {
			reason = past_the_last_address();
			break;
		}
		const size_t got = space->kind->read(space, next, bytes + done, size - done, &reason);
		if (got == 0)
			break;
		done += got;
	}
	if (done < size)
		memset(bytes + done, 0, size - done);
	if (why)
		*why = reason;
	return done;
}

void inv_space_expect(struct inv_space *space, uint64_t address)
{
	space->kind->expect(space, address);
}

bool inv_space_translate(struct inv_space *space, uint64_t address, uint64_t *physical, struct inv_why *why)
{
	struct inv_why reason = {.reason = INV_PRESENT};
	*physical = 0;
	const bool found = space->kind->translate(space, address, physical, &reason);
	if (why)
		*why = reason;
	return found;
}

bool inv_space_map(struct inv_space *space, uint64_t address, struct inv_mapping *mapping, struct inv_why *why)
{
	struct inv_why reason = {.reason = INV_PRESENT};
	*mapping = (struct inv_mapping){0};
	const bool found = space->kind->map(space, address, mapping, &reason);
	if (why)
		*why = reason;
	return found;
}
