// SPDX-License-Identifier: Apache-2.0
// Pictures of what an invariant is about: the structures, what leads from one to the other, and what a lie leaves of it. For people
// only; nothing is judged by them. Lines are of ASCII and at most 96 columns.
#include <string.h>

#include "invariant/invariant.h"

// clang-format off
static const struct {
	const char *id;
	const char *picture;
} pictures[] = {
    {"L01",
     "PsActiveProcessHead      _EPROCESS              _EPROCESS              _EPROCESS\n"
     "  +-------+         +-----------------+    +-----------------+    +-----------------+\n"
     "  | Flink |-------->| ActiveProcess-  |--->| ActiveProcess-  |--->| ActiveProcess-  |---> head\n"
     "  | Blink |<--------|  Links          |<---|  Links          |<---|  Links          |<--- head\n"
     "  +-------+         | Flags:          |    | Flags:          |    | Flags:          |\n"
     "                    | ProcessInserted |    | ProcessInserted |    | ProcessInserted |\n"
     "                    +-----------------+    +-----------------+    +-----------------+\n"
     "\n"
     " the lie: both neighbours lead past the process, and its flag still says that it was put there\n"
     "\n"
     "                    +-----------------+                           +-----------------+\n"
     "          head ---->| ActiveProcess-  |-------------------------->| ActiveProcess-  |---> head\n"
     "          head <----|  Links          |<--------------------------|  Links          |<--- head\n"
     "                    | Flags:          |    ...................    | Flags:          |\n"
     "                    | ProcessInserted |    : ProcessInserted :    | ProcessInserted |\n"
     "                    +-----------------+    :.................:    +-----------------+\n"},
    {"L02",
     "  PsActiveProcessHead                            PspCidTable\n"
     "     |                                             +-------+\n"
     "     |      +----------------------+<--------------| 0x10  |\n"
     "     +----->| _EPROCESS            |               +-------+\n"
     "     |      |   UniqueProcessId 16 |     +---------| 0x14  |\n"
     "     |      +----------------------+     |         +-------+\n"
     "     |      +----------------------+<----+         |  ...  |\n"
     "     +----->| _EPROCESS            |               +-------+\n"
     "            |   UniqueProcessId 20 |\n"
     "            +----------------------+\n"
     "\n"
     " the lie: one of the two arrows to a process is missing, or an entry leads elsewhere\n"},
    {"L03",
     "  PsActiveProcessHead              the memory manager's list of processes\n"
     "     |                                             |\n"
     "     |        +---------------------------+        |\n"
     "     +------->| _EPROCESS                 |<-------+\n"
     "     |        |   ActiveProcessLinks      |        |\n"
     "     |        |   MmProcessLinks          |        |\n"
     "     |        +---------------------------+        |\n"
     "     |        +---------------------------+        |\n"
     "     +---X    | _EPROCESS                 |<-------+\n"
     "              |   MmProcessLinks          |\n"
     "              +---------------------------+\n"
     "\n"
     " the lie: the list that everybody reads forgets it, and the memory manager must go on knowing it\n"},
    {"L05",
     "  _KPROCESS                                    frame N of memory\n"
     "  +--------------------+                       +-------------------------+\n"
     "  | DirectoryTableBase |---------------------->| page table root         |\n"
     "  +--------------------+                       |   ...                   |\n"
     "        ^                                      |   entry of the self-map |---> frame N\n"
     "        |                                      +-------------------------+\n"
     "        |     entry N of the PFN database\n"
     "        |     +-------------------------+\n"
     "        +-----|-- owner                 |\n"
     "              |   PteAddress          --|---> the self-map's entry in frame N\n"
     "              |   u4.PteFrame         --|---> frame N: it contains itself\n"
     "              +-------------------------+\n"
     "\n"
     " the lie: another root in DirectoryTableBase, to which no entry of the PFN database leads back\n"},
    {"L06",
     "  the PFN database                         _EPROCESS\n"
     "  +---------------------+            +--------------------+\n"
     "  | ...                 |       +--->| Flags, names, tag  |  all of this can be\n"
     "  +---------------------+       |    | ActiveProcessLinks |  wiped or unlinked\n"
     "  | entry of a root: ---|-------+    +--------------------+\n"
     "  +---------------------+                    ?       ?\n"
     "  | ...                 |                    |       |\n"
     "  +---------------------+       PsActiveProcessHead  PspCidTable\n"
     "\n"
     " the lie: who is on no list still needs a page table root, and the root's entry names its owner\n"},
    {"L10",
     "     +-------+ Flink  +-------+ Flink  +-------+\n"
     "     |   A   |------->|   B   |------->|   C   |\n"
     "     |       |<-------|       |<-------|       |\n"
     "     +-------+  Blink +-------+  Blink +-------+       A.Flink == B  <=>  B.Blink == A\n"
     "\n"
     " the lie: only one direction was mended; going back from C, one still comes to B\n"
     "\n"
     "     +-------+     Flink     +-------+\n"
     "     |   A   |-------------->|   C   |\n"
     "     +-------+               +-------+\n"
     "         ^     +-------+         |\n"
     "         +-----|   B   |<--------+\n"
     "         Blink +-------+  Blink\n"},
    {"L11",
     "  HandleTableListHead\n"
     "     |      +---------------------+            +-------------------+\n"
     "     +----->| _HANDLE_TABLE       |            | _EPROCESS         |<---- PsActiveProcessHead\n"
     "     |      |   QuotaProcess    --|----------->|                   |\n"
     "     |      |   UniqueProcessId   |     ==     |   UniqueProcessId |\n"
     "     |      |                     |<-----------|-- ObjectTable     |\n"
     "     |      +---------------------+            +-------------------+\n"
     "     |      +---------------------+            .....................\n"
     "     +----->| _HANDLE_TABLE       |            : _EPROCESS         :   the lie: on no list,\n"
     "            |   QuotaProcess    --|----------->:                   :   and its table is\n"
     "            +---------------------+            :...................:\n"},
    {"L15",
     "   the processor                 a thread                     the process\n"
     "  +---------------+        +-------------------+          +---------------------+\n"
     "  | KPRCB         |        | _KTHREAD          |     +--->| _EPROCESS           |\n"
     "  | CurrentThread-|------->|   Process       --|-----+    |  ActiveProcessLinks |\n"
     "  +---------------+        |   ApcState.Process|-----+    +---------------------+\n"
     "                           +-------------------+                    ^\n"
     "                                                                    ?\n"
     "  a timer, an ALPC port, a block of pool that is billed     PsActiveProcessHead\n"
     "  to the process, ...: each leads to it, too\n"
     "\n"
     " the lie: to be run, a process needs threads; each of them names it, and the list does not\n"},
    {"T02",
     "            _EPROCESS                                _KPROCESS (its first part)\n"
     "  ThreadListHead, the executive's            ThreadListHead, the scheduler's\n"
     "        |                                               |\n"
     "        |         +----------------------+              |\n"
     "        +-------->| thread 1, waits      |<-------------+\n"
     "        |         +----------------------+              |\n"
     "        |         +----------------------+              |\n"
     "        +-------->| thread 2, runs       |<-------------+\n"
     "        |         +----------------------+              |\n"
     "        |         +----------------------+              |\n"
     "        +-------->| thread 3, terminated |              |\n"
     "                  +----------------------+              |\n"
     "                  ........................              |\n"
     "        X         : thread 4, runs       :<-------------+\n"
     "                  :......................:\n"
     "\n"
     " the lie: a thread that the scheduler runs is not among those that the executive shows\n"},
    {"S01",
     "   the kernel                                   csrss.exe of the session, user mode\n"
     "  +----------------------+                     +------------------------------+\n"
     "  | _EPROCESS            |                     | the list of CSR_PROCESS      |\n"
     "  |   ExceptionPortData -|---> ALPC port <-----|-- owned by this csrss        |\n"
     "  |   UniqueProcessId 720|                     |                              |\n"
     "  +----------------------+                     |  504 <-> 580 <-> 720 <-> ... |\n"
     "                                               +-------------------^----------+\n"
     "                                                   the record of the process\n"
     "\n"
     " the lie: the port says that it was registered, and csrss has no record of it\n"},
    {"M05",
     "  address V of process P\n"
     "\n"
     "  page tables of P                       entry F of the PFN database\n"
     "  +-----------------+                    +-------------------------+\n"
     "  | PTE of V:  F  --|------------------->|   PteAddress          --|---> the PTE of V\n"
     "  +-----------------+                    |   u4.PteFrame         --|---> the page table of P\n"
     "                                         +-------------------------+     that holds this PTE\n"
     "\n"
     " the lie: the PTE was led to another frame, whose entry tells of another PTE\n"
     "  +-----------------+                    +-------------------------+\n"
     "  | PTE of V:  G  --|------------------->|   PteAddress          --|---> some other PTE\n"
     "  +-----------------+                    +-------------------------+\n"},
    {"I01",
     "  _EPROCESS                      address space of the process\n"
     "  +--------------------+        +-------------------------------+\n"
     "  | SectionBaseAddress-|------->| image of the section that the |\n"
     "  +--------------------+   +--->| process was made from         |\n"
     "  PEB                      |    +-------------------------------+\n"
     "  +--------------------+   |    |  ...                          |\n"
     "  | ImageBaseAddress  -|---+    +-------------------------------+\n"
     "  +--------------------+        | another program               |<-- the lie: PEB led here, or\n"
     "                                +-------------------------------+    the first one unmapped\n"},
    {"C01",
     "  PspCreateProcessNotifyRoutine                 PsLoadedModuleList\n"
     "  +---+                                        +------------------+\n"
     "  | 0 |--> block --> routine -----------code-->| watcher.sys      |\n"
     "  +---+                                        +------------------+\n"
     "  | 1 |   (empty)                              | another.sys      |\n"
     "  +---+                                        +------------------+\n"
     "  | 2 |--> block --> routine ------> ? in no module: the lie\n"
     "  +---+\n"
     "  count: 3, and two slots are used: somebody emptied one without counting down\n"},
};
// clang-format on

const char *inv_picture(const struct inv_invariant *invariant)
{
	for (size_t i = 0; i < sizeof pictures / sizeof pictures[0]; i++)
		if (strcmp(pictures[i].id, invariant->id) == 0)
			return pictures[i].picture;
	return NULL;
}
