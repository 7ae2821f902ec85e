// SPDX-License-Identifier: Apache-2.0
// Assembling: every sighting into one dossier per process object; then judging. The last two of the five steps.
#ifndef INV_CHECK_CHECK_H
#define INV_CHECK_CHECK_H

#include "invariant/class.h"

// Whether the image was taken while the machine ran, and what that explains.
struct inv_smear {
	bool live;       // its format says so, or its content shows it
	const char *why; // how that was decided, for people
	size_t signs;    // contradictions between times, CPUs and counters that only a running machine leaves
	size_t excused;  // findings that smear explains
};

struct inv_patterns;

// All that a check found. Owns its parts; the kernel must outlive it.
struct inv_check {
	const struct inv_kernel *kernel;
	struct inv_sweep *sweep; // NULL: memory was not swept
	struct inv_testimony *testimony;
	struct inv_arena *arena;
	struct inv_dossiers dossiers;
	struct inv_judge judge;
	struct inv_smear smear;             // of a judged check
	struct inv_control_areas *sections; // of a judged check: the control areas that processes map
	struct inv_views *views;            // of a judged check
	struct inv_class
	    *classes;          // of a judged check: what each process is, as the dossiers; of one that is not live nothing
	double seconds;        // of collecting, assembling and judging
	const char *cut_short; // a bound that was reached, or when it was interrupted; NULL: it was done to its end
	bool interrupted;      // the kernel's progress was asked to stop
	// What was found by rules (report/patterns.h); NULL: none were given.
	const struct inv_patterns *patterns;
};

struct inv_check_options {
	bool judged;      // judge, too
	bool swept;       // go through all memory first
	unsigned threads; // that may work at once; 0: as many as there are CPUs
};

// Collects and assembles, and judges if asked to. The outcome does not depend on the number of threads.
struct inv_check *inv_check_run(const struct inv_kernel *kernel, const struct inv_check_options *options);
void inv_check_free(struct inv_check *check); // NULL is allowed

// Collect and assemble. Processes that only a thread points to get a dossier as well. `cut_short` gets a text when a
// bound was reached, else NULL.
void inv_assemble(struct inv_testimony *testimony, struct inv_arena *arena, struct inv_dossiers *dossiers,
                  const char **cut_short);
void inv_dossiers_free(struct inv_dossiers *dossiers);

// Reads the inside of one process; what could not be read is said in it. Its threads are the caller's to give. Release with
// inv_inside_free().
void inv_inside_read(const struct inv_dossiers *dossiers, const struct inv_dossier *process,
                     struct inv_control_areas *sections, struct inv_inside *inside);
// The same without its pages: there is no survey.
void inv_inside_open(const struct inv_dossiers *dossiers, const struct inv_dossier *process,
                     struct inv_control_areas *sections, struct inv_inside *inside);
void inv_inside_free(struct inv_inside *inside);
// Goes through the pages of the process: fills inside->survey. Needs its VADs and its user half. (survey.c)
void inv_survey_read(struct inv_inside *inside);
void inv_survey_free(struct inv_survey *survey);
// What all processes map, by their VADs. (views.c)
struct inv_views *inv_views_read(const struct inv_dossiers *dossiers, struct inv_control_areas *sections,
                                 unsigned threads);
void inv_views_free(struct inv_views *views); // NULL is allowed
// The threads of every process, for the insides: those that stand on its lists, and those on nobody's that name it.
struct inv_thread_owners;
struct inv_thread_owners *inv_thread_owners_new(const struct inv_dossiers *dossiers);
void inv_thread_owners_free(struct inv_thread_owners *owners);
void inv_thread_owners_give(const struct inv_thread_owners *owners, struct inv_inside *inside);
// Judges the inside of every process that has one, by so many threads at once; and says of each process what it is.
void inv_judge_insides(struct inv_check *check, unsigned threads);

// Decides how the image was taken, and turns the findings that smear explains into excused verdicts (exception "smear").
void inv_smear_weigh(struct inv_check *check, unsigned threads);

// The state of a process by lifetime.md, D.2.
enum inv_state inv_process_state(const struct inv_testimony *testimony, const struct inv_dossier *process);
// The same for a process that only the sweep saw: what it left when it was deleted, or one that is hidden. Needs `owns_root`.
enum inv_state inv_swept_state(const struct inv_testimony *testimony, const struct inv_dossier *process);

#endif
