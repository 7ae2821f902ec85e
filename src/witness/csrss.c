// SPDX-License-Identifier: Apache-2.0
// What each session's csrss knows of its clients.

#include "base/array.h"
#include "base/numbers.h"
#include "witness/witness.h"

// Everyone who is on a list or in a table, each once.
static uint64_t *everyone(const struct inv_testimony *testimony)
{
	static const uint64_t asked = INV_BIT(INV_W_ACTIVE_LIST) | INV_BIT(INV_W_SCHEDULER_LIST) | INV_BIT(INV_W_MM_LIST) |
	                              INV_BIT(INV_W_CID_TABLE) | INV_BIT(INV_W_SESSION_LIST);
	uint64_t *processes = NULL;
	for (size_t i = 0; i < inv_count(testimony->sightings); i++)
		if (testimony->sightings[i].process && asked & INV_BIT(testimony->sightings[i].witness))
			inv_push(processes, testimony->sightings[i].process);
	inv_numbers_keep_once(processes);
	return processes;
}

static void hear(struct inv_testimony *testimony, const struct inv_csrss *csrss)
{
	struct inv_coverage *coverage = &testimony->coverage[INV_W_CSR_LIST];
	size_t records = inv_count(csrss->records);
	coverage->read += records + (csrss->root != 0);
	coverage->broken += csrss->torn;
	coverage->unreadable += csrss->complete ? 0 : csrss->missing;
	coverage->complete = coverage->complete && csrss->complete;
	(void)inv_take_room(testimony, records * sizeof *csrss->records);
	(void)inv_take_room(testimony, inv_count(csrss->threads) * sizeof *csrss->threads);
	if (csrss->root)
		inv_sight(testimony, INV_W_CSR_LIST, csrss->process, 0, csrss->root);
	for (size_t i = 0; i < records; i++)
		if (csrss->records[i].listed && csrss->records[i].process)
			inv_sight(testimony, INV_W_CSR_LIST, csrss->records[i].process, 0, csrss->records[i].address);
}

void inv_witness_csr_list(struct inv_testimony *testimony)
{
	struct inv_csrsses *all = &testimony->csrsses;
	uint64_t *processes = everyone(testimony);
	inv_csrss_read(testimony->kernel, &testimony->types, processes, inv_count(processes), all);
	inv_array_free(processes);
	size_t heard = 0;
	testimony->coverage[INV_W_CSR_LIST].complete = true;
	for (size_t i = 0; i < inv_count(all->csrsses); i++) {
		hear(testimony, &all->csrsses[i]);
		heard += all->csrsses[i].unknown == NULL;
	}
	for (size_t i = 0; i < inv_count(all->votes); i++)
		testimony->coverage[INV_W_CSR_LIST].complete &= all->votes[i].lost == NULL;
	if (heard == 0)
		inv_void(testimony, INV_W_CSR_LIST,
		         all->unknown                ? all->unknown
		         : inv_count(all->csrsses)   ? all->csrsses[0].unknown
		         : inv_count(all->votes) > 0 ? all->votes[0].lost
		                                     : "no session's csrss could be told");
}
