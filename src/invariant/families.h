// SPDX-License-Identifier: Apache-2.0
// The judges of each family, named by the identifier of their invariant, and what they share.
#ifndef INV_INVARIANT_FAMILIES_H
#define INV_INVARIANT_FAMILIES_H

#include "invariant/inside.h"
#include "paging/frame.h"

// existence.c
void inv_judge_L01(struct inv_judge *judge);
void inv_judge_L07(struct inv_judge *judge);
void inv_judge_L08(struct inv_judge *judge);
void inv_judge_L09(struct inv_judge *judge);
void inv_judge_L10(struct inv_judge *judge);
void inv_judge_L15(struct inv_judge *judge);
void inv_judge_L16(struct inv_judge *judge);
// lists.c
void inv_judge_L03(struct inv_judge *judge);
void inv_judge_L17(struct inv_judge *judge);
// groups.c
void inv_judge_L04(struct inv_judge *judge);
void inv_judge_S10(struct inv_judge *judge);
// backlinks.c
void inv_judge_S12(struct inv_judge *judge);
// silo.c
void inv_judge_S11(struct inv_judge *judge);
void inv_judge_nesting(struct inv_judge *judge); // the half of S10 about jobs within jobs
// What lets a process be off the lists of its group: "exited" or "not-inserted"; NULL: nothing does.
const char *inv_leaving(const struct inv_judge *judge, const struct inv_dossier *process);
// dispatch.c
void inv_judge_T08(struct inv_judge *judge);
// tables.c
void inv_judge_L02(struct inv_judge *judge);
void inv_judge_L11(struct inv_judge *judge);
void inv_judge_L12(struct inv_judge *judge);
void inv_judge_L13(struct inv_judge *judge);
// The objects of one type, as far as they are known.
struct inv_census {
	const char *name; // of the type
	struct inv_value type, index;
	size_t certain;            // objects that exist
	size_t possible;           // and those that only look so
	const char *more_unknown;  // why more of them than these may exist that nobody can list; NULL: none may
	const char *more_probable; // why, if more are counted, that is no more than probably a lie; NULL: it is one
};
void inv_judge_census(struct inv_judge *judge, const struct inv_census *census);
void inv_judge_L19(struct inv_judge *judge);
void inv_judge_L20(struct inv_judge *judge);
void inv_judge_X04(struct inv_judge *judge);
void inv_judge_T05(struct inv_judge *judge);
void inv_judge_T14(struct inv_judge *judge);
void inv_judge_id_slot(struct inv_judge *judge, const struct inv_dossier *process); // the table's half of L16
// census.c
void inv_judge_token_census(struct inv_judge *judge); // the half of L13 that is about tokens and jobs
// anchors.c
void inv_judge_L18(struct inv_judge *judge);
// decoys.c
void inv_judge_decoys(struct inv_judge *judge); // the half of L18 that the sweep adds
// exit.c
void inv_judge_X01(struct inv_judge *judge);
void inv_judge_X02(struct inv_judge *judge);
void inv_judge_X03(struct inv_judge *judge);
void inv_judge_X05(struct inv_judge *judge);
// thread.c
void inv_judge_T01(struct inv_judge *judge);
void inv_judge_T02(struct inv_judge *judge);
void inv_judge_T03(struct inv_judge *judge);
void inv_judge_T04(struct inv_judge *judge);
void inv_judge_T09(struct inv_judge *judge);
void inv_judge_T10(struct inv_judge *judge);
void inv_judge_T17(struct inv_judge *judge);
// cpu.c
void inv_judge_T06(struct inv_judge *judge);
void inv_judge_T07(struct inv_judge *judge);
// space.c
void inv_judge_M01(struct inv_judge *judge);
void inv_judge_M02(struct inv_judge *judge);
void inv_judge_M03(struct inv_judge *judge);
// pfn.c
void inv_judge_L05(struct inv_judge *judge);
void inv_judge_L06(struct inv_judge *judge);
void inv_judge_M04(struct inv_judge *judge);
// remains.c
void inv_judge_L14(struct inv_judge *judge);
void inv_judge_X06(struct inv_judge *judge);
void inv_judge_self_maps(struct inv_judge *judge); // the half of L06 that needs no PFN database
// time.c
void inv_judge_T15(struct inv_judge *judge);
void inv_judge_P07(struct inv_judge *judge);
// lineage.c
void inv_judge_P01(struct inv_judge *judge);
void inv_judge_P03(struct inv_judge *judge);
void inv_judge_P04(struct inv_judge *judge);
void inv_judge_P05(struct inv_judge *judge);
// order.c
void inv_judge_P02(struct inv_judge *judge);
// roles.c
void inv_judge_P06(struct inv_judge *judge);
// protection.c
void inv_judge_K08(struct inv_judge *judge);
// PS_PROTECTION of a process, and whether its signature levels bear it out.
struct inv_protection {
	struct inv_value value; // EPROCESS.Protection
	unsigned type, signer;  // 0: not protected
	bool sound;             // a legal pair, and with a signature level unless the process is minimal
	bool of_class;          // sound, and the levels are those of the signer, as far as these are described
};
struct inv_protection inv_protection_of(const struct inv_kernel *kernel, uint64_t process);
// handles.c
void inv_judge_H01(struct inv_judge *judge);
void inv_judge_H02(struct inv_judge *judge);
void inv_judge_H04(struct inv_judge *judge);
void inv_judge_debug_mark(struct inv_judge *judge, const struct inv_inside *inside); // the half of H04 about user mode
void inv_judge_H05(struct inv_judge *judge);
void inv_judge_H06(struct inv_judge *judge);
// tokens.c
void inv_judge_K01(struct inv_judge *judge);
void inv_judge_K02(struct inv_judge *judge);
void inv_judge_K03(struct inv_judge *judge);
void inv_judge_K04(struct inv_judge *judge);
void inv_judge_K07(struct inv_judge *judge);
// token_content.c
void inv_judge_K05(struct inv_judge *judge);
void inv_judge_K06(struct inv_judge *judge);
void inv_judge_K09(struct inv_judge *judge);

// Calls `one` for every process that has a dossier and is live (inv_is_live()), or for every thread.
void inv_each_process(struct inv_judge *judge, void (*one)(struct inv_judge *judge, const struct inv_dossier *process));
void inv_each_thread(struct inv_judge *judge,
                     void (*one)(struct inv_judge *judge, const struct inv_thread_dossier *thread));

// The role of a process by address, also of one that has no dossier.
enum inv_role inv_role_of(const struct inv_judge *judge, uint64_t process);

// Does this witness show the process? Unsure when it was not read to its end and does not.
enum inv_answer inv_shown_by(const struct inv_judge *judge, const struct inv_dossier *process,
                             enum inv_witness_id witness);

// Does the list whose entry this is lead past the object, by the neighbours that it claims?
bool inv_is_led_past(const struct inv_judge *judge, uint64_t object, enum inv_field entry_field);

// Is there a thread of the process to schedule, by the scheduler's lists or the process' own?
bool inv_is_scheduled(const struct inv_dossier *process);
// States c0 to c2 of the automaton: no thread yet, and never one before. What else the state demands is the caller's to ask.
bool inv_is_being_created(const struct inv_judge *judge, const struct inv_dossier *process);
// States d1 and d2: exited, the last reference gone. PspProcessDelete has cleared ProcessInserted and unlinks.
bool inv_is_being_deleted(const struct inv_judge *judge, const struct inv_dossier *process);
// Excuses a process in one of these states, by the exceptions "creating" and "deleting". false: it is in neither.
bool inv_excuse_by_life(struct inv_judge *judge, const struct inv_dossier *process);

// Not inserted, and nothing of it runs: every list of its threads was read to its end and is empty.
bool inv_is_still(const struct inv_judge *judge, const struct inv_dossier *process);
// State d2: still, off PsActiveProcessHead, and without a reference. Its address space is being given back or is gone. (Also of
// one whose creation failed, which never exited.)
bool inv_has_lost_space(const struct inv_judge *judge, const struct inv_dossier *process);

// Is the process at this address on PsActiveProcessHead?
enum inv_answer inv_on_active_list(const struct inv_judge *judge, uint64_t process);

struct inv_inside;
struct inv_vad;
// pages.c
void inv_judge_M05(struct inv_judge *judge, const struct inv_inside *inside);
void inv_judge_M06(struct inv_judge *judge, const struct inv_inside *inside);
void inv_judge_M07(struct inv_judge *judge, const struct inv_inside *inside);
void inv_judge_M10(struct inv_judge *judge, const struct inv_inside *inside);
void inv_judge_M11(struct inv_judge *judge, const struct inv_inside *inside);
void inv_judge_M13(struct inv_judge *judge, const struct inv_inside *inside);
void inv_judge_M14(struct inv_judge *judge, const struct inv_inside *inside);
// Excuses ("deleting", "exiting") where the process has no ranges any more; else true.
bool inv_space_is_kept(struct inv_judge *judge, const struct inv_dossier *process);
// The same, and the verdict "unknown" where not all ranges could be read.
bool inv_space_can_be_judged(struct inv_judge *judge, const struct inv_inside *inside);
// EPROCESS.AddressCreationLock is held.
bool inv_ranges_are_changing(const struct inv_judge *judge, const struct inv_dossier *process);
void inv_vad_says(struct inv_judge *judge, struct inv_finding *finding, const struct inv_vad *vad);
// ranges.c
void inv_judge_M08(struct inv_judge *judge, const struct inv_inside *inside);
void inv_judge_M09(struct inv_judge *judge);
void inv_judge_M12(struct inv_judge *judge, const struct inv_inside *inside);
void inv_judge_T16(struct inv_judge *judge, const struct inv_inside *inside);

// The reason to give when that is unsure.
#define INV_ACTIVE_LIST_UNSURE "PsActiveProcessHead could not be read to its end"

// image.c
void inv_judge_I01(struct inv_judge *judge, const struct inv_inside *inside);
void inv_judge_I02(struct inv_judge *judge, const struct inv_inside *inside);
void inv_judge_I07(struct inv_judge *judge, const struct inv_inside *inside);
void inv_judge_I08(struct inv_judge *judge, const struct inv_inside *inside);
void inv_judge_I09(struct inv_judge *judge, const struct inv_inside *inside);
void inv_judge_I10(struct inv_judge *judge, const struct inv_inside *inside);
void inv_judge_I15(struct inv_judge *judge, const struct inv_inside *inside);
// parameters.c
void inv_judge_I03(struct inv_judge *judge, const struct inv_inside *inside);
void inv_judge_I04(struct inv_judge *judge, const struct inv_inside *inside);
void inv_judge_I05(struct inv_judge *judge, const struct inv_inside *inside);
void inv_judge_I14(struct inv_judge *judge, const struct inv_inside *inside);
// modules.c
void inv_judge_I06(struct inv_judge *judge, const struct inv_inside *inside);
void inv_judge_I11(struct inv_judge *judge, const struct inv_inside *inside);
void inv_judge_I12(struct inv_judge *judge, const struct inv_inside *inside);
void inv_judge_I13(struct inv_judge *judge, const struct inv_inside *inside);
// user_threads.c
void inv_judge_user_starts(struct inv_judge *judge, const struct inv_inside *inside); // the half of T10 about user mode
void inv_judge_T11(struct inv_judge *judge, const struct inv_inside *inside);
void inv_judge_T12(struct inv_judge *judge, const struct inv_inside *inside);
void inv_judge_T13(struct inv_judge *judge);
void inv_judge_user_apcs(struct inv_judge *judge, const struct inv_inside *inside); // the half of T13 about user mode
// win32k.c
void inv_judge_S05(struct inv_judge *judge);
void inv_judge_S06(struct inv_judge *judge);
void inv_judge_S07(struct inv_judge *judge);
void inv_judge_S08(struct inv_judge *judge);
// The last thread of a process makes the call-outs in which the process loses what it has with win32k and dxgkrnl.
bool inv_is_losing_windows(const struct inv_judge *judge, uint64_t process);
// A thread that terminates asks for nothing any more: one that waits because it asked to has not begun.
bool inv_asks_no_more(const struct inv_judge *judge, uint64_t thread);
// windows.c: the halves of S05 and S06 about user mode
void inv_judge_window_routines(struct inv_judge *judge, const struct inv_inside *inside);
void inv_judge_window_threads(struct inv_judge *judge, const struct inv_inside *inside);
// watchers.c
void inv_judge_H03(struct inv_judge *judge);
void inv_judge_C01(struct inv_judge *judge);
void inv_judge_C02(struct inv_judge *judge);
void inv_judge_C03(struct inv_judge *judge);
void inv_judge_C04(struct inv_judge *judge);
void inv_judge_C05(struct inv_judge *judge);
void inv_judge_C06(struct inv_judge *judge);
// csrss.c
void inv_judge_S01(struct inv_judge *judge);
void inv_judge_unregistered(struct inv_judge *judge, const struct inv_inside *inside); // the half of S01 about programs
void inv_judge_S02(struct inv_judge *judge);
void inv_judge_S03(struct inv_judge *judge);
void inv_judge_S04(struct inv_judge *judge);
void inv_judge_S09(struct inv_judge *judge);
// thread_hints.c
void inv_judge_T18(struct inv_judge *judge); // where most threads start, which the next compares with
void inv_judge_starts_in_image(struct inv_judge *judge, const struct inv_inside *inside);
void inv_judge_T19(struct inv_judge *judge, const struct inv_inside *inside);
void inv_judge_T20(struct inv_judge *judge, const struct inv_inside *inside);
void inv_judge_T21(struct inv_judge *judge, const struct inv_inside *inside);
void inv_judge_T22(struct inv_judge *judge, const struct inv_inside *inside);
void inv_judge_T23(struct inv_judge *judge, const struct inv_inside *inside);

#endif
