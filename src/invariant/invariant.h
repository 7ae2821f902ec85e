// SPDX-License-Identifier: Apache-2.0
// Invariants: statements that must hold between witnesses. The catalogue (catalogue.c) is the single place from which the
// program, the manual and the reports take them; each family's judges stand in a file of their own.
#ifndef INV_INVARIANT_INVARIANT_H
#define INV_INVARIANT_INVARIANT_H

#include "base/tally.h"
#include "witness/witness.h"

// The states of lifetime.md, D.2.
enum inv_state {
	INV_STATE_CREATED,
	INV_STATE_RUNNING,
	INV_STATE_EXITING,
	INV_STATE_ZOMBIE,
	INV_STATE_DELETING,
	INV_STATE_FREED,
	INV_STATE_HIDDEN,
	INV_STATE_UNKNOWN,
};
const char *inv_state_name(enum inv_state state);

// Is a process on a list? Unknown when the list could not be read to its end and does not show it.
enum inv_answer { INV_NO, INV_YES, INV_UNSURE };

struct inv_thread_dossier {
	uint64_t address;
	uint64_t owner; // the process on whose lists it stands; 0 if on none that was read
	enum inv_answer on_executive_list, on_scheduler_list; // of `owner`
	uint64_t seen_by;                                     // a set of witnesses: INV_BIT()
	struct inv_value process;                             // KTHREAD.Process
	struct inv_value cid_process, cid_thread;
};

struct inv_views; // inside.h

// All the sightings of one process object, keyed by its address.
struct inv_dossier {
	uint64_t address;
	uint64_t seen_by;      // a set of witnesses: INV_BIT()
	uint64_t missing_from; // witnesses that should list it, were read to the end, and do not
	const char *name;
	const char *path; // "" when it has none or it could not be read
	struct inv_value name_value, pid, parent;
	enum inv_role role;
	enum inv_state state;
	enum inv_answer on_active_list, on_scheduler_list;
	// Its DirectoryTableBase is a page that maps itself, and no listed process has the same. A deleted process' page keeps
	// its content until it is used again, so this alone is no proof of life.
	enum inv_answer owns_root;
	struct inv_list threads;  // EPROCESS.ThreadListHead
	struct inv_list kthreads; // KPROCESS.ThreadListHead
};

// What is judged: every dossier, and the testimony they were assembled from.
struct inv_dossiers {
	const struct inv_kernel *kernel;
	const struct inv_testimony *testimony;
	size_t process_count;
	struct inv_dossier *processes; // stb_ds, by address
	size_t thread_count;
	struct inv_thread_dossier *threads; // stb_ds, by address
	const struct inv_views *views;      // what the processes map; NULL: not read
};
// Only the sweep saw it: nothing that lives is known to lead to it.
bool inv_is_only_swept(const struct inv_dossier *process);
// Worth judging: not what a deleted process left in memory, nor something of which only the shape was found.
bool inv_is_live(const struct inv_dossier *process);
// Whether its one thread was never let go: whoever creates a process tells csrss of it before the thread may run (ReactOS:
// CreateProcess), and the loader maps more images as soon as it does. Reads the VADs of a process with one thread, which is suspended.
bool inv_never_ran(const struct inv_kernel *kernel, const struct inv_dossier *process);
const struct inv_dossier *inv_dossier_at(const struct inv_dossiers *dossiers, uint64_t process); // NULL: none
// Whose handles stand in a table: by QuotaProcess; those of the kernel's own table, which names nobody, are System's. NULL: not known.
const struct inv_dossier *inv_holder_of(const struct inv_dossiers *dossiers, const struct inv_table_record *table);
const struct inv_thread_dossier *inv_thread_dossier_at(const struct inv_dossiers *dossiers, uint64_t thread);

enum inv_subject_kind {
	INV_SUBJECT_SYSTEM,
	INV_SUBJECT_PROCESS,
	INV_SUBJECT_THREAD,
	INV_SUBJECT_CPU,
	INV_SUBJECT_LIST
};
struct inv_subject {
	enum inv_subject_kind kind;
	uint64_t address;
	const struct inv_dossier *process;       // of a process, or of a thread's owner; may be NULL
	const struct inv_thread_dossier *thread; // may be NULL
	const char *name;                        // of the list or anchor; NULL otherwise
};
const char *inv_subject_kind_name(enum inv_subject_kind kind);
struct inv_subject inv_subject_process(const struct inv_dossier *process);
struct inv_subject inv_subject_thread(const struct inv_dossiers *dossiers, const struct inv_thread_dossier *thread);
struct inv_subject inv_subject_other(enum inv_subject_kind kind, uint64_t address, const char *name);

// How sure a finding is. Whether smear can explain it depends on how the image was taken.
enum inv_certainty {
	INV_CERTAIN,  // the image was taken at one instant: the two sides cannot both be true
	INV_PROBABLE, // the image may have been taken while the machine ran: smear is not excluded
	INV_POSSIBLE, // the image was taken while the machine ran
};
const char *inv_certainty_name(enum inv_certainty certainty);

struct inv_evidence {
	const char *witness;
	enum inv_tier tier;
	const char *field;
	uint64_t address; // where the value stands; 0 if it has no address
	uint64_t value;
	const char *says;
	bool direct; // the value stands at the address, and is not what was made of several
};

struct inv_tried {
	const char *exception, *why_not;
};

struct inv_invariant;
struct inv_finding {
	const struct inv_invariant *invariant;
	struct inv_subject subject;
	enum inv_tier tier; // of the witness that stands accused
	enum inv_certainty certainty;
	const char *certainty_why;
	struct inv_evidence *evidence; // stb_ds
	struct inv_tried *tried;       // stb_ds
};

struct inv_excused {
	const struct inv_invariant *invariant;
	struct inv_subject subject;
	const char *exception;
	const char *why; // what shows that it applies; NULL: the exception's own condition says all
};

// The verdicts on one invariant.
struct inv_tally {
	size_t holds, broken, excused, unknown;
	size_t observed;                // in place of broken, of a hint
	struct inv_text_count *reasons; // stb_ds, of the unknown ones, in order of first appearance
};

// Collects verdicts while the invariants judge. One per check.
struct inv_judge {
	const struct inv_dossiers *dossiers;
	const struct inv_kernel *kernel; // = dossiers->kernel
	struct inv_arena *arena;
	enum inv_certainty certainty; // of a finding, by how the image was taken and which facts are used
	const char *certainty_why;
	size_t keeps;                        // of findings, and of observations; the others are only counted
	size_t index;                        // of the invariant that judges now
	const struct inv_invariant *current; // the same
	struct inv_tally *tallies;           // one per invariant of the catalogue
	struct inv_finding **findings;       // stb_ds; in the order of the catalogue once settled
	struct inv_finding **observations;   // stb_ds; the same of hints
	struct inv_excused *excused;         // stb_ds
	struct inv_finding *beyond;          // stands for those that are counted and not kept; NULL: all are kept
	uint64_t usual_start;                // StartAddress of most threads of user mode; 0: there is none (T18)
};
// Findings and observations that are kept, each; of an image that breaks everything the others are only counted.
#define INV_FINDING_BOUND ((size_t)1 << 17)

struct inv_exception {
	const char *id;        // "idle"
	const char *condition; // a condition on kernel state, never a name
};

// What can make the two sides disagree when the pages they stand in were read at different moments.
enum inv_smear_kind {
	INV_SMEAR_LIFE,  // only the coming or going of one of the objects: nothing else changes while they live
	INV_SMEAR_STATE, // what they did meanwhile: counts, states, what runs
	INV_SMEAR_TIME,  // what happened after the page of the clock was read, whatever else is said of the object
};

// What it means when an invariant does not hold.
enum inv_weight {
	INV_PROOF, // both sides cannot be true: a finding
	INV_HINT,  // it has honest causes that cannot be told apart: an observation, apart from findings
};

struct inv_inside;

#define INV_MAX_EXCEPTIONS 10
struct inv_invariant {
	const char *id;        // "L10"
	const char *statement; // what must hold, as far as this program judges it
	const char *reason;    // why it must
	const char *witnesses; // what is compared
	const char *broken_by;
	const char *attack; // MITRE ATT&CK technique
	const char *builds;
	const char *basis;                                   // how the fact is known
	void (*judge)(struct inv_judge *judge);              // NULL: only the insides of processes are judged
	struct inv_exception exceptions[INV_MAX_EXCEPTIONS]; // ends with id NULL
	enum inv_smear_kind smear;
	void (*judge_inside)(struct inv_judge *judge, const struct inv_inside *inside); // one process; NULL: none
	enum inv_weight weight;
};

size_t inv_invariant_count(void);
const struct inv_invariant *inv_invariant(size_t index);         // in order of the identifiers' families
const struct inv_invariant *inv_invariant_by_id(const char *id); // without regard to case; NULL: none
// The structures that it compares, drawn; NULL: there is no picture of it. (pictures.c)
const char *inv_picture(const struct inv_invariant *invariant);

// What one might expect in the catalogue and is not judged.
struct inv_left_out {
	const char *ids; // "X07", "M05 to M12"
	const char *statement;
	const char *why;
};
size_t inv_left_out_count(void);
const struct inv_left_out *inv_left_out(size_t index);

// The four verdicts. Each call judges one subject.
void inv_holds(struct inv_judge *judge);
void inv_excuse(struct inv_judge *judge, struct inv_subject subject, const char *exception);
void inv_unknown(struct inv_judge *judge, const struct inv_value *missing);
void inv_unknown_because(struct inv_judge *judge, const char *reason); // static text
#define INV_NOT_JUDGED "not judged: the check was interrupted"
// A finding (an observation if the invariant is a hint), to which the judge adds its evidence and the excuses that do not apply.
struct inv_finding *inv_broken(struct inv_judge *judge, struct inv_subject subject, enum inv_tier accused);
// An observation, also of an invariant that is no hint: this way of not holding has honest causes.
struct inv_finding *inv_observed(struct inv_judge *judge, struct inv_subject subject, enum inv_tier accused);

// True when the value was read; else the verdict "unknown" with the value's reason, and false.
bool inv_need(struct inv_judge *judge, const struct inv_value *value);

// Evidence: what a field says, at the tier of the structure that holds it; and what a witness says.
void inv_field_says(struct inv_judge *judge, struct inv_finding *finding, enum inv_field field,
                    const struct inv_value *value, const char *format, ...) INV_PRINTF(5, 6);
void inv_witness_says(struct inv_judge *judge, struct inv_finding *finding, enum inv_witness_id witness,
                      const char *field, const struct inv_value *value, const char *format, ...) INV_PRINTF(6, 7);
// Evidence of any other kind.
void inv_add_evidence(struct inv_judge *judge, struct inv_finding *finding, struct inv_evidence evidence);
// What the evidence so far leads to contradicts each other, not the values themselves.
void inv_means_its_targets(struct inv_finding *finding);
// An excuse that was tried and does not apply, and why.
void inv_tried(struct inv_judge *judge, struct inv_finding *finding, const char *exception, const char *format, ...)
    INV_PRINTF(4, 5);

// Judges all invariants of the catalogue over the dossiers, by so many threads at once (0: as many as there are CPUs). Everything the
// judge points at lives in `arena` or is released by inv_judge_free().
void inv_judge_all(struct inv_judge *judge, const struct inv_dossiers *dossiers, struct inv_arena *arena,
                   unsigned threads);
// Lets part(context, a judge of its own, i) judge for every i below `count`, several at once, and joins the verdicts in the order
// of i: the outcome does not depend on the number of threads. What `context` leads to is theirs to read only.
typedef void (*inv_judge_part)(void *context, struct inv_judge *judge, size_t index);
void inv_judge_parts(struct inv_judge *judge, unsigned threads, size_t count, inv_judge_part part, void *context);
void inv_judge_free(struct inv_judge *judge);
// After the last verdict: brings findings, observations and excuses into the order of the catalogue.
void inv_judge_settle(struct inv_judge *judge);

#endif
