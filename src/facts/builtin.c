// SPDX-License-Identifier: Apache-2.0
// Lookups in the built-in tables: binary searches for the first row that is not less than a key.
#include "facts/builtin.h"

#include <string.h>

size_t inv_facts_kernel_count(void)
{
	return inv_builtin_kernel_count;
}

const struct inv_kernel_facts *inv_facts_kernel(size_t index)
{
	return index < inv_builtin_kernel_count ? &inv_builtin_kernels[index] : NULL;
}

size_t inv_facts_layout_count(void)
{
	return inv_builtin_layout_count;
}

const struct inv_layout *inv_facts_layout(size_t index)
{
	return index < inv_builtin_layout_count ? &inv_builtin_layouts[index] : NULL;
}

static int compare_u32(uint32_t a, uint32_t b)
{
	return (a > b) - (a < b);
}

static int compare_guid(const struct inv_kernel_facts *kernel, const uint8_t guid[16], uint32_t age)
{
	int order = memcmp(kernel->guid, guid, 16);
	return order ? order : compare_u32(kernel->age, age);
}

const struct inv_kernel_facts *inv_facts_by_guid(const uint8_t guid[16], uint32_t age)
{
	size_t low = 0;
	size_t high = inv_builtin_kernel_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (compare_guid(&inv_builtin_kernels[inv_builtin_by_guid[middle]], guid, age) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == inv_builtin_kernel_count)
		return NULL;
	const struct inv_kernel_facts *found = &inv_builtin_kernels[inv_builtin_by_guid[low]];
	return compare_guid(found, guid, age) == 0 ? found : NULL;
}

static int compare_version(const struct inv_version *a, const struct inv_version *b)
{
	if (a->major != b->major)
		return compare_u32(a->major, b->major);
	if (a->minor != b->minor)
		return compare_u32(a->minor, b->minor);
	if (a->build != b->build)
		return compare_u32(a->build, b->build);
	return compare_u32(a->revision, b->revision);
}

const struct inv_kernel_facts *inv_facts_by_version(const struct inv_version *version, size_t *count)
{
	size_t low = 0;
	size_t high = inv_builtin_kernel_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (compare_version(&inv_builtin_kernels[middle].version, version) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	size_t end = low;
	while (end < inv_builtin_kernel_count && compare_version(&inv_builtin_kernels[end].version, version) == 0)
		end++;
	*count = end - low;
	return end > low ? &inv_builtin_kernels[low] : NULL;
}

static int compare_build(const struct inv_build_row *row, enum inv_arch arch, uint32_t time_stamp,
                         uint32_t size_of_image)
{
	if (row->arch != arch)
		return compare_u32(row->arch, arch);
	if (row->time_stamp != time_stamp)
		return compare_u32(row->time_stamp, time_stamp);
	return compare_u32(row->size_of_image, size_of_image);
}

size_t inv_facts_builds(enum inv_arch arch, uint32_t time_stamp, uint32_t size_of_image,
                        const struct inv_build_row **first)
{
	size_t low = 0;
	size_t high = inv_builtin_build_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (compare_build(&inv_builtin_builds[middle], arch, time_stamp, size_of_image) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	size_t end = low;
	while (end < inv_builtin_build_count &&
	       compare_build(&inv_builtin_builds[end], arch, time_stamp, size_of_image) == 0)
		end++;
	*first = end > low ? &inv_builtin_builds[low] : NULL;
	return end - low;
}
