// SPDX-License-Identifier: Apache-2.0
// Handle tables and object headers. The input is the kernel memory itself: sixteen pages at ARENA, with the HANDLE_TABLE at its
// start. The first byte chooses the layout.
#include "base/bytes.h"
#include "fuzz_fragment.h"
#include "nt/access.h"
#include "nt/handle_table.h"
#include "nt/object.h"

struct seen {
	const struct inv_kernel *kernel;
	uint64_t last;
	size_t count;
};

static void see(void *context, const struct inv_handle *handle)
{
	struct seen *seen = context;
	if (handle->object == 0 || handle->value % 4 || (handle->value & 0x3fc) == 0)
		abort();
	if (seen->count++ && handle->value <= seen->last)
		abort(); // by rising value
	seen->last = handle->value;
	(void)inv_object_body(seen->kernel, handle->object);
}

// What a walk shows, looking up the handle shows too.
static void find_again(void *context, const struct inv_handle *handle)
{
	const uint64_t *table = ((void **)context)[1];
	const struct inv_kernel *kernel = ((void **)context)[0];
	struct inv_value found = inv_handle_table_find(kernel, *table, handle->value);
	if (!found.ok || found.u != handle->object || found.address != handle->at)
		abort();
	struct inv_value access = inv_handle_access_at(kernel, handle->at);
	if (!access.ok || access.u != handle->access)
		abort();
}

static void use(struct inv_kernel *kernel)
{
	uint64_t table = ARENA;
	struct seen seen = {.kernel = kernel};
	struct inv_handle_coverage coverage;
	size_t budget = (size_t)1 << 16;
	inv_handle_table_walk(kernel, table, &budget, see, &seen, &coverage);
	if (seen.count != coverage.used || coverage.used > coverage.read ||
	    coverage.complete != (coverage.broken == 0 && coverage.unreadable == 0))
		abort();
	void *context[] = {kernel, &table};
	budget = (size_t)1 << 12;
	inv_handle_table_walk(kernel, table, &budget, find_again, context, &coverage);
	struct inv_object_types types;
	inv_object_types_read(kernel, table, &types);
	(void)inv_object_type_index(kernel, &types, table);
	struct inv_handle_counts counts;
	inv_handle_counts_read(kernel, table + PAGE / 2, &counts);
	if (counts.sums > counts.lists || counts.sums > INV_FREE_LISTS)
		abort();
	struct inv_type_rights rights[INV_TYPE_INDICES];
	types.table = table + PAGE;
	inv_object_rights_read(kernel, &types, rights);
	struct inv_arena *arena = inv_arena_new();
	for (unsigned i = 0; i < INV_ACCESS_KINDS; i++)
		if (!*inv_access_text((enum inv_access_kind)i, rights[i].valid | 1, arena))
			abort();
	inv_arena_free(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return with_fragment(data, size, (struct inv_kernel){0}, use);
}
