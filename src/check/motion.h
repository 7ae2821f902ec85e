// SPDX-License-Identifier: Apache-2.0
// When an image was taken while the machine ran, its pages are of different moments. Tools read physical memory by rising
// address, so of two pages the one at the lower address was read first: a page's physical address is its place in the
// order of reading. Times that objects carry, and KUSER_SHARED_DATA, tell for each place a moment that had passed by then.
//
// An object was there at every moment between two pages that show it. What denies it in between cannot be explained by
// its coming or going.
#ifndef INV_CHECK_MOTION_H
#define INV_CHECK_MOTION_H

#include "invariant/invariant.h"

#define INV_NOWHERE UINT64_MAX // no place: the address is not mapped, or what is asked for never happens

// The place of what stands at a virtual address; INV_NOWHERE if it is not mapped.
uint64_t inv_place(const struct inv_kernel *kernel, uint64_t address);

// A time that some object carries, where it stands.
struct inv_moment {
	uint64_t place, time; // FILETIME
	uint64_t passed;      // had passed when this page was read
};

struct inv_timeline {
	struct inv_moment *moments; // stb_ds, by place
	uint64_t clock;             // KUSER_SHARED_DATA.SystemTime as it was read; 0: not known
	uint64_t clock_place;       // INV_NOWHERE if not known
	uint64_t longest;           // how long the acquisition may have taken, in 100 ns
};

// A single time may be forged: what has passed at a place is what two objects say, or the clock.
void inv_timeline_make(const struct inv_dossiers *dossiers, unsigned threads, struct inv_timeline *timeline);
void inv_timeline_free(struct inv_timeline *timeline);

// Did the thread end while memory was read? Its object stays while somebody has a handle to it. The time of its end is later than the
// clock only where its page was read after the clock's, and no later than the acquisition can have lasted.
bool inv_ended_later(const struct inv_kernel *kernel, const struct inv_timeline *timeline, uint64_t thread);

enum inv_motion {
	INV_STEADY, // nothing says that it came or went while memory was read
	INV_MOVING, // it came or went meanwhile, and nothing contradicts that
	INV_DENIED, // a page that was read between two others that show it, or that are older, denies it
};

// What the pages say of one process or thread.
struct inv_track {
	uint64_t key;         // the object's address
	bool thread, alive;   // by its own page
	bool over;            // a thread that has terminated by its own page: what it says of its neighbours is of before
	bool young, ended;    // created, exited during the acquisition, as far as its times tell
	uint64_t own;         // the place of its own state
	uint64_t first, last; // places of pages that show it; first > last: none
	uint64_t running;     // the last place of a page that shows a thread of it alive, or the thread itself
	uint64_t *denials;    // stb_ds, places of pages that deny it
	uint64_t *stopped;    // ditto, that deny that it has threads, or that it runs
	enum inv_motion motion;
	uint64_t denied_at; // with INV_DENIED: where
};

// Decides the motion of each object of `tracks` (an stb_ds map whose keys and `thread` are set).
void inv_track_all(const struct inv_dossiers *dossiers, const struct inv_timeline *timeline, struct inv_track *tracks);
void inv_track_free(struct inv_track *tracks); // the map and what its values own

#endif
