// SPDX-License-Identifier: Apache-2.0
// The judges of each family, named by the identifier of their invariant, and what they share.
#ifndef INV_INVARIANT_FAMILIES_H
#define INV_INVARIANT_FAMILIES_H

#include "invariant/invariant.h"

// existence.c
void inv_judge_L01(struct inv_judge *judge);
void inv_judge_L04(struct inv_judge *judge);
void inv_judge_L07(struct inv_judge *judge);
void inv_judge_L08(struct inv_judge *judge);
void inv_judge_L09(struct inv_judge *judge);
void inv_judge_L10(struct inv_judge *judge);
void inv_judge_L15(struct inv_judge *judge);
void inv_judge_L16(struct inv_judge *judge);
// anchors.c
void inv_judge_L18(struct inv_judge *judge);
// exit.c
void inv_judge_X01(struct inv_judge *judge);
void inv_judge_X02(struct inv_judge *judge);
void inv_judge_X03(struct inv_judge *judge);
// thread.c
void inv_judge_T01(struct inv_judge *judge);
void inv_judge_T02(struct inv_judge *judge);
void inv_judge_T03(struct inv_judge *judge);
void inv_judge_T04(struct inv_judge *judge);
void inv_judge_T09(struct inv_judge *judge);
void inv_judge_T10(struct inv_judge *judge);
void inv_judge_T16(struct inv_judge *judge);
void inv_judge_T17(struct inv_judge *judge);
// cpu.c
void inv_judge_T06(struct inv_judge *judge);
void inv_judge_T07(struct inv_judge *judge);
// space.c
void inv_judge_M01(struct inv_judge *judge);
void inv_judge_M02(struct inv_judge *judge);
// time.c
void inv_judge_T15(struct inv_judge *judge);
void inv_judge_P07(struct inv_judge *judge);
// authority.c
void inv_judge_K07(struct inv_judge *judge);
void inv_judge_K08(struct inv_judge *judge);

// Calls `one` for every process, or thread, that has a dossier.
void inv_each_process(struct inv_judge *judge, void (*one)(struct inv_judge *judge, const struct inv_dossier *process));
void inv_each_thread(struct inv_judge *judge,
                     void (*one)(struct inv_judge *judge, const struct inv_thread_dossier *thread));

// The role of a process by address, also of one that has no dossier.
enum inv_role inv_role_of(const struct inv_judge *judge, uint64_t process);

// Does this witness show the process? Unsure when it was not read to its end and does not.
enum inv_answer inv_shown_by(const struct inv_judge *judge, const struct inv_dossier *process,
                             enum inv_witness_id witness);

// Is the process at this address on PsActiveProcessHead?
enum inv_answer inv_on_active_list(const struct inv_judge *judge, uint64_t process);

// The reason to give when that is unsure.
#define INV_ACTIVE_LIST_UNSURE "PsActiveProcessHead could not be read to its end"

// Bits 12..51: the physical address in a CR3 or DirectoryTableBase, without PCID and flags (Intel SDM, vol. 3, 4.5).
#define INV_DTB_MASK 0x000ffffffffff000ull

#endif
