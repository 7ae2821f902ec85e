// SPDX-License-Identifier: Apache-2.0
// Witnesses: independent structures in which Windows itself records processes or threads. The catalogue in catalogue.c is
// the one list of them.
#ifndef INV_WITNESS_WITNESS_H
#define INV_WITNESS_WITNESS_H

#include "kernel/list.h"
#include "nt/process.h"

// How hard a witness is to fake while the process runs, hardest first.
enum inv_tier {
	INV_TIER_HARDWARE,
	INV_TIER_MEMORY_MANAGER,
	INV_TIER_SCHEDULER,
	INV_TIER_EXECUTIVE,
	INV_TIER_OBJECT_MANAGER,
	INV_TIER_SUBSYSTEM,
	INV_TIER_USER_MODE,
};
const char *inv_tier_name(enum inv_tier tier); // "hardware", "memory manager", ...

enum inv_witness_id {
	INV_W_ACTIVE_LIST,    // PsActiveProcessHead
	INV_W_SCHEDULER_LIST, // KiProcessListHead
	INV_W_CPU,            // KPRCB CurrentThread, NextThread, IdleThread
	INV_W_ANCHOR,         // PsInitialSystemProcess, PsIdleProcess and the like
	INV_W_DUMP,           // the process and thread a triage dump was written for
	INV_W_THREAD_LIST,    // EPROCESS.ThreadListHead
	INV_W_KTHREAD_LIST,   // KPROCESS.ThreadListHead
	INV_W_THREAD,         // KTHREAD.Process and ApcState.Process of every thread that was seen
	INV_WITNESS_COUNT,
};

// One record of one process (and thread) by one witness.
struct inv_sighting {
	enum inv_witness_id witness;
	uint64_t process; // EPROCESS, 0 if the record names only a thread
	uint64_t thread;  // ETHREAD, 0 if the record names only a process
	uint64_t at;      // the address of the record itself
};

// What a witness could read.
struct inv_coverage {
	size_t read, broken, unreadable;
	size_t sightings;
	bool complete;      // read to its end: what it does not show, it does not hold
	const char *voided; // why this witness says nothing about this image; NULL if it does
};

// A CPU as its KPRCB describes it.
struct inv_cpu_record {
	uint32_t number;
	uint64_t prcb; // 0 when its address is not known
	struct inv_value current, next, idle, cr3;
	const struct inv_cpu_claim *claim; // registers from the image's own notes; NULL if none
	bool wrote_dump;                   // this CPU wrote the dump: its saved state is that of the crash
};

// Everything the witnesses said.
struct inv_testimony {
	const struct inv_kernel *kernel;
	struct inv_arena *arena;
	struct inv_role_anchors anchors;
	struct inv_coverage coverage[INV_WITNESS_COUNT];
	struct inv_sighting *sightings; // stb_ds
	struct inv_list active;         // head 0 when its address is not known
	struct inv_list scheduler;
	struct inv_cpu_record *cpus; // stb_ds
};

struct inv_witness {
	enum inv_witness_id id;
	const char *name; // the stable identifier in reports: "active-list"
	enum inv_tier tier;
	const char *what;   // which structure, in one sentence
	const char *source; // how the fact is known
	// Testifies about processes by its own structure alone. NULL: reads the objects that others found (threads of processes).
	void (*testify)(struct inv_testimony *testimony);
};

const struct inv_witness *inv_witness(enum inv_witness_id id);

// Lets every witness testify. The kernel must outlive the result; release with inv_testimony_free().
struct inv_testimony *inv_testimony_collect(const struct inv_kernel *kernel);
void inv_testimony_free(struct inv_testimony *testimony);

// For the witnesses.
void inv_sight(struct inv_testimony *testimony, enum inv_witness_id witness, uint64_t process, uint64_t thread,
               uint64_t at);
void inv_void(struct inv_testimony *testimony, enum inv_witness_id witness, const char *why);
void inv_witness_active_list(struct inv_testimony *testimony);
void inv_witness_scheduler_list(struct inv_testimony *testimony);
void inv_witness_cpu(struct inv_testimony *testimony);
void inv_witness_anchor(struct inv_testimony *testimony);
void inv_witness_dump(struct inv_testimony *testimony);

// Walks one of a process' two thread lists, for at most `bound` entries; every thread on it is a sighting. The list is
// rooted in the process itself, so it is no witness of the process.
void inv_witness_thread_list(struct inv_testimony *testimony, uint64_t process, enum inv_witness_id witness,
                             size_t bound, struct inv_list *list);

#endif
