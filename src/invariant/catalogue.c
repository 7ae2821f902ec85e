// SPDX-License-Identifier: Apache-2.0
// The catalogue: one row an invariant. Adding one means adding a row here, a judge in its family's file, and a
// scenario for the lie it catches, for a clean twin and for each exception.
#include <strings.h>

#include "invariant/families.h"

#define CODE "read in the kernel's code of two generations (19041 class and 24H2)"
#define TYPES "type information of the kernel's PDB; the meaning follows from names and public practice"
#define PRACTICE                                                                                                       \
	"symbols of the kernel's PDB; the structures that they lead to are public practice, the same for all builds"
#define MEASURED "type information of the kernel's PDB, confirmed on real dumps of 9600 and 19041"

#define LOST_SPACE                                                                                                     \
	{                                                                                                                  \
		"deleting", "Not inserted, off PsActiveProcessHead, PointerCount 0, and both lists of its threads are empty: " \
		            "state d2 of deletion, in which its root is given back or is another's by now."                    \
	}
#define IDLE                                                                                                           \
	{                                                                                                                  \
		"idle", "The process is Idle, proved by address: &KiInitialProcess or *PsIdleProcess, or inside the kernel's " \
		        "own image."                                                                                           \
	}
#define GONE                                                                                                           \
	{                                                                                                                  \
		"gone", "The page tables hold nothing there either: the memory was freed, or going there faulted."             \
	}

// Of what is said of a program: processes that run none.
#define NO_PROGRAM                                                                                                     \
	{"minimal",                                                                                                        \
	 "The role of a process without program is proved (Registry, Memory Compression, Secure System, Flags3 and "       \
	 "dispatcher header both minimal, or Pico), SectionObject is 0, and no range is an image."},                       \
	    {"exited",                                                                                                     \
	     "ExitTime is set; and SectionObject is 0 and no range an image any more, or Flags.VmDeleted is set and "      \
	     "ActiveThreads 0: the ranges go before the section."},                                                        \
	{                                                                                                                  \
		"creating", "No thread yet, and never one before: states c0 to c3 of creation."                                \
	}
#define STARTING                                                                                                       \
	{                                                                                                                  \
		"starting",                                                                                                    \
		    "The loader has entered no module yet, there is at most one thread, and no more than the three images "    \
		    "that the kernel maps."                                                                                    \
	}

#define EXITING_SPACE                                                                                                  \
	{                                                                                                                  \
		"exiting", "Flags.VmDeleted is set and ActiveThreads is 0: MmCleanProcessAddressSpace takes away all ranges."  \
	}
#define PAGES                                                                                                          \
	"Intel SDM volume 3 for page tables; types of the kernel's PDB and public practice for VADs and PFN entries"

#define CSRSS                                                                                                          \
	"Geoff Chappell's description of csrsrv for the records, and ReactOS for what they mean; that ExceptionPortData "  \
	"is "                                                                                                              \
	"set was measured on 19041"

static const struct inv_invariant catalogue[] = {
    {"L01",
     "A process with Flags.ProcessInserted is on PsActiveProcessHead, and none on PsActiveProcessHead is without it.",
     "PspInsertProcess links the process and sets the flag; only the deletion of the object clears the flag and then "
     "unlinks. Exit changes neither.",
     "active-list against EPROCESS.Flags, and against the scheduler where the flag is clear",
     "unlinking from the active list (DKOM)",
     "T1014, T1564",
     "7 and later",
     CODE,
     inv_judge_L01,
     {IDLE,
      {"creating",
       "Listed without the flag, with no active thread, no exit time and not on the scheduler's list: state "
       "c2 of creation."},
      {"deleting", "Listed without the flag, exited, without threads, and with PointerCount 0: state d1 of deletion."}},
     .smear = INV_SMEAR_LIFE},
    {"L02",
     "A process is on PsActiveProcessHead exactly when an entry of PspCidTable leads to it.",
     "PspAllocateProcess makes the entry before PspInsertProcess links the process; PspProcessDelete unlinks it and "
     "then destroys the entry. Exit changes neither.",
     "active-list against cid-table",
     "erasing or replacing an entry of PspCidTable; unlinking from the active list; a fake EPROCESS",
     "T1014",
     "7 and later",
     CODE ": PspReferenceCidTableEntry, PspAllocateProcess",
     inv_judge_L02,
     {IDLE,
      {"creating", "In the table and not listed, Flags.ProcessInserted clear, no exit time, no active thread and not "
                   "scheduled: state c1 of creation."},
      {"deleting", "In the table and not listed, Flags.ProcessInserted clear, exited, without threads, and with "
                   "PointerCount 0: state d1 or d2 of deletion."}},
     .smear = INV_SMEAR_LIFE},
    {"L03",
     "A process is on the memory manager's list exactly when it is on PsActiveProcessHead.",
     "MiInsertNewProcess links it with its address space, PspInsertProcess on the active list soon after; only the "
     "deletion of the object unlinks either.",
     "mm-list against active-list",
     "unlinking from the active list, or from the memory manager's",
     "T1014",
     "Windows 10 and later; before, that MmProcessList is kept on x64 is not verified and an absence from it proves "
     "nothing",
     CODE,
     inv_judge_L03,
     {IDLE,
      {"creating",
       "On the memory manager's list only, Flags.ProcessInserted clear, no thread and no exit time: states c0 "
       "and c1 of creation."},
      {"deleting", "On the memory manager's list only, Flags.ProcessInserted clear, exited, without threads, and with "
                   "PointerCount 0: state d1 of deletion."}},
     .smear = INV_SMEAR_LIFE},
    {"L04",
     "EPROCESS.Session is set exactly when Flags.ProcessInSession is, and exactly then the list of that session, and "
     "of no "
     "other, shows the process.",
     "MmCreateProcessAddressSpace sets both and links the process; it stays linked until its object is deleted.",
     "EPROCESS.Session against EPROCESS.Flags and session-list",
     "unlinking from a session, forging a session",
     "T1014",
     "7 and later; the session's list up to Windows 11 23H2, whose type is known",
     CODE "; the pointer and the flag confirmed on real dumps",
     inv_judge_L04,
     {{"not-inserted",
       "Flags.ProcessInserted is clear and there is no thread: the process is being created or deleted."}},
     .smear = INV_SMEAR_LIFE},
    {"L05",
     "A process has exactly one page table root (under KVA shadow a second one for user mode): DirectoryTableBase "
     "names a frame in use whose PFN entry contains itself, names the entry of the self-map and leads back to the "
     "process.",
     "MiAllocateTopLevelPage makes the frame and its entry with the process, and only the deletion of the object gives "
     "them back.",
     "KPROCESS.DirectoryTableBase against pfn",
     "swapping DirectoryTableBase (CR3 hiding), copying an EPROCESS, a copied page table root",
     "T1014, T1564",
     "7 and later, as far as the encoding of the back pointer leads from System's root to System",
     CODE "; public practice",
     inv_judge_L05,
     {{"idle", "The process is Idle, proved by address, and has the root of System, proved by address."},
      {"out-swapped",
       "Flags.Outswapped is set, the frame it claims is not in use, no frame is its root, and no CPU runs it."},
      {"replacing", "Flags3.ReplacingPageRoot is set, the root it claims is its own, and there is one more."},
      LOST_SPACE},
     .smear = INV_SMEAR_LIFE},
    {"L06",
     "The process that a page table root's PFN entry leads to is on PsActiveProcessHead and in PspCidTable, and every "
     "root's entry leads to one.",
     "The root lives as long as the process object does.",
     "pfn against active-list and cid-table",
     "unlinking from every list at once, with pool tag, object header and name wiped",
     "T1014",
     "7 and later, as far as the encoding of the back pointer leads from System's root to System",
     CODE,
     inv_judge_L06,
     {{"creating", "Not inserted, no exit time, and both lists of its threads are empty: state c0 or c1 of creation."},
      {"deleting", "Not inserted, exited, PointerCount 0, and both lists of its threads are empty: state d1 of "
                   "deletion."}},
     .smear = INV_SMEAR_LIFE},
    {"L07",
     "A process is on KiProcessListHead exactly when KPROCESS.ThreadListHead is not empty.",
     "KeStartThread links it with the first thread, KeTerminateThread unlinks it with the last.",
     "scheduler-list against KPROCESS.ThreadListHead",
     "unlinking from the scheduler's list",
     "T1014",
     "7 and later",
     CODE,
     inv_judge_L07,
     {IDLE},
     .smear = INV_SMEAR_STATE},
    {"L08",
     "Every process on KiProcessListHead is on PsActiveProcessHead.",
     "A process gets its first thread after it was listed, and loses its last long before its object is deleted.",
     "scheduler-list against active-list",
     "unlinking from the active list (DKOM)",
     "T1014",
     "7 and later",
     CODE,
     inv_judge_L08,
     {IDLE},
     .smear = INV_SMEAR_LIFE},
    {"L09",
     "From the head of PsActiveProcessHead to its tail, SequenceNumber rises strictly and never passes "
     "PspProcessSequenceNumber.",
     "The number is assigned under the list's lock when the process is added at the tail.",
     "the order of active-list against EPROCESS.SequenceNumber and the global counter",
     "linking a hidden process in again elsewhere; a forged or copied EPROCESS",
     "T1014",
     "7601.23418, 9600.18340 and later; Windows 10 and 11",
     CODE,
     inv_judge_L09,
     {{0}},
     .smear = INV_SMEAR_LIFE},
    {"L10",
     "Neighbours on a doubly linked list lead to each other.",
     "Every insertion and removal writes both sides, and stops the system when they disagree.",
     "Flink against Blink, on PsActiveProcessHead, KiProcessListHead, HandleTableListHead and both lists of threads of "
     "every process",
     "one-sided unlinking",
     "T1014",
     "all",
     CODE ": __fastfail(3)",
     inv_judge_L10,
     {{0}},
     .smear = INV_SMEAR_LIFE},
    {"L11",
     "Every table on HandleTableListHead belongs to a listed process (QuotaProcess) that names it (ObjectTable) and "
     "has "
     "its UniqueProcessId; every table that a listed process names is on that list and is its own.",
     "The table is linked when it is made for the process and unlinked when it is destroyed; PspInsertProcess writes "
     "the identifier.",
     "handle-table-list against active-list, EPROCESS.ObjectTable and EPROCESS.UniqueProcessId",
     "unlinking only the EPROCESS, unlinking the table, rewriting a PID",
     "T1014",
     "7 and later",
     CODE ": PspInsertProcess; that the kernel's own table has no QuotaProcess is seen in a real dump of 19041",
     inv_judge_L11,
     {{"kernel-table",
       "The table has no QuotaProcess and is the one that ObpKernelHandleTable names (where that cannot "
       "be read: that System names)."},
      {"creating", "Flags.ProcessInserted of the owner is clear, and it has no exit time, no active thread and is not "
                   "scheduled."},
      {"exiting", "The owner has Flags.ProcessDelete, no active thread and no ObjectTable any more."}},
     .smear = INV_SMEAR_STATE},
    {"L12",
     "The object header of a process has the type index of processes.",
     "The object manager makes the header with the object, and dispatches by it whatever is done to the object.",
     "OBJECT_HEADER.TypeIndex (decoded) against PsProcessType, of every process that a list, a table, a CPU or a "
     "handle knows",
     "wiping or forging the header to escape a scan; a fake EPROCESS",
     "T1014",
     "7 and later",
     CODE ": the expression in PspExitThread",
     inv_judge_L12,
     {IDLE},
     .smear = INV_SMEAR_LIFE},
    {"L13",
     "OBJECT_TYPE.TotalNumberOfObjects of processes, of tokens and of jobs is the number of them that all witnesses "
     "together know.",
     "The object manager counts an object before anything knows it and until everything has forgotten it. Too many by "
     "no more than there are CPUs is unknown, for so many may be in creation or deletion; so are too many tokens, "
     "which "
     "lie in paged pool and which the kernel holds where nobody can list them. Fewer than are known cannot be.",
     "OBJECT_TYPE against the union of all witnesses; tokens of processes, of threads that impersonate, of handles and "
     "of "
     "the pass over memory; PspJobList",
     "a process, or a job, that is off every list and still counted; a token that the object manager never made; a "
     "forged counter",
     "T1014",
     "all",
     TYPES "; that every job is on PspJobList as long as it exists is ReactOS' order and not verified on Windows",
     inv_judge_L13,
     {{0}},
     .smear = INV_SMEAR_STATE},
    {"L14",
     "A process on a list of processes lies in an allocated block of pool with the tag of processes: one with a "
     "header, or "
     "one of a page or more that stands in PoolBigPageTable.",
     "The object manager allocates it there, and frees the block only when the object is deleted.",
     "active-list, cid-table, mm-list, scheduler-list, session-list and job-list against _POOL_HEADER and big-pages",
     "wiping the pool tag; marking the block as free; a process object in memory that was never allocated as one",
     "T1014, T1027",
     "7 to 1809; from 1903 on pool is a segment heap, whose own records are not read: there a block that shows its tag "
     "holds, and everything else is unknown",
     TYPES "; pooltag.txt of the debugger; that bit 0 of Va marks a free entry is public practice",
     inv_judge_L14,
     {IDLE},
     .smear = INV_SMEAR_LIFE},
    {"L15",
     "The process that a thread, a CPU or one of the kernel's own pointers names, that a block of pool is billed to, "
     "or "
     "that an ALPC port, a registration of an event provider, a context of WNF, a request for a resolution of timers "
     "or "
     "an object's own count of the handles to it leads to, is on PsActiveProcessHead.",
     "These structures hold references, so the object has not been deleted, and a process leaves the list only then. "
     "That a bill does, and what else a process owns, is not verified; but deletion clears ProcessInserted first of "
     "all. Handles are closed before. That an object counts handles of what is no process is only observed.",
     "KTHREAD.Process and ApcState.Process (also of threads that only a timer names), KPRCB, PsInitialSystemProcess "
     "and "
     "the like, ProcessBilled of big-pages, alpc-ports, etw-registrations, wnf, timer-resolution and handle-counts, "
     "against "
     "active-list",
     "any unlinking",
     "T1014",
     "all; bills from Server 2022 on, contexts of WNF from Windows 10 1903 on",
     TYPES,
     inv_judge_L15,
     {IDLE,
      {"not-inserted",
       "Only a bill for pool, or what it owns or has open, names it, Flags.ProcessInserted is clear and it has no "
       "thread: it is being "
       "created, or was deleted."}},
     .smear = INV_SMEAR_LIFE},
    {"L16",
     "A process identifier is one that the CID table can hand out (a multiple of 4 whose bits 0x3fc are not all "
     "clear), "
     "belongs to one process and to no thread, and is the one under which the table holds the process.",
     "Processes and threads draw identifiers from one table, whose first slot of every page is never handed out.",
     "EPROCESS.UniqueProcessId against that of every other process, the Cid of every thread, and cid-table",
     "rewriting a PID, copying an EPROCESS",
     "T1036",
     "all",
     CODE ": PspReferenceCidTableEntry",
     inv_judge_L16,
     {IDLE,
      {"creating",
       "The identifier is 0, the process is not on PsActiveProcessHead, Flags.ProcessInserted is clear, and "
       "there is no thread: state c0 of creation."}},
     .smear = INV_SMEAR_LIFE},
    {"L17",
     "The lists that show a process are those of one state of its life: being created (the memory manager's list, then "
     "PspCidTable, then PsActiveProcessHead, then ProcessInserted, then threads) or being deleted (the reverse, with "
     "PspCidTable last).",
     "Each list is written at its own step of creation and deletion, in a fixed order; exit removes only the threads.",
     "mm-list, session-list, cid-table, active-list, EPROCESS.Flags and the scheduler's lists, all together",
     "unlinking from some of the lists, also from all of them at once while threads remain",
     "T1014",
     "7 and later; before Windows 10 an absence from the memory manager's list proves nothing",
     CODE,
     inv_judge_L17,
     {IDLE},
     .smear = INV_SMEAR_LIFE},
    {"L18",
     "Every way of finding the page table root, the kernel's base, KDBG and the heads of the kernel's lists gives the "
     "same address, PsInitialSystemProcess is the first element of PsActiveProcessHead, and no second KDBG of this "
     "kernel, or of a second one, is mapped that says otherwise.",
     "They are records of the same thing, kept in different places. A second image of the kernel alone proves nothing: "
     "programs that look for hooks map the file to compare it.",
     "the image's header, low stub, self-map, KDBG, PE header, module list and symbols against each other, and against "
     "every KDBG in clear and every kernel's image that the pass over memory finds mapped",
     "a false list head, a patched KDBG, a patched header, a decoy for those who search for KDBG",
     "T1014, T1562",
     "all",
     TYPES,
     inv_judge_L18,
     {{"current-process", "A header's or a CPU's page table root is that of another process that was found."},
      {"copy",
       "A second KDBG names this kernel and the same addresses as its own; a second image of the kernel has the "
       "same PDB."}},
     .smear = INV_SMEAR_LIFE},
    {"L19",
     "Every process that a handle leads to is on PsActiveProcessHead.",
     "The handle holds a reference, so the object has not been deleted, and a process leaves the list only then.",
     "handles against active-list",
     "unlinking from the active list and PspCidTable while csrss, System or a service keeps a handle",
     "T1014",
     "all",
     TYPES,
     inv_judge_L19,
     {{0}},
     .smear = INV_SMEAR_LIFE},
    {"L20",
     "OBJECT_HEADER.HandleCount of a process or thread is the number of entries that lead to it in all handle tables; "
     "up "
     "to Windows 7 PointerCount is not less.",
     "ObpIncrementHandleCount counts each handle, ObpDecrementHandleCount each that is closed. Later systems count "
     "references in advance, so that PointerCount is not judged there.",
     "OBJECT_HEADER against handles",
     "clearing the entry of a handle, hiding a handle table, forging the counts",
     "T1134, T1014",
     "all, where every table can be read",
     TYPES,
     inv_judge_L20,
     {IDLE},
     .smear = INV_SMEAR_STATE},
    {"X01",
     "A process with an ExitTime has no active thread, has Flags.ProcessDelete and ProcessRundown, and is not "
     "scheduled.",
     "PspExitThread counts the last thread down and sets the flags before it writes ExitTime.",
     "EPROCESS.ExitTime against ActiveThreads, Flags, KPROCESS.ThreadListHead and scheduler-list",
     "forging ExitTime to pass for terminated",
     "T1036, T1564",
     "9600 and later; without ProcessRundown on 7",
     CODE,
     inv_judge_X01,
     {{"exiting", "One last thread is on the scheduler's list with its Terminated flag, ActiveThreads is 0 and "
                  "Flags.ProcessDelete set."}},
     .smear = INV_SMEAR_STATE},
    {"X02",
     "A process that was run down has no handle table, section, image file, win32k state or address space, and is "
     "signalled.",
     "PspRundownSingleProcess gives them all up, and signals last.",
     "EPROCESS.ExitTime against ObjectTable, SectionObject, ImageFilePointer, Win32Process, VadRoot, SignalState",
     "a forged exit, a process kept half alive",
     "T1564",
     "all; ImageFilePointer from 10586",
     CODE,
     inv_judge_X02,
     {{"exiting", "One last thread is on the scheduler's list with its Terminated flag, ActiveThreads is 0 and "
                  "Flags.ProcessDelete set."}},
     .smear = INV_SMEAR_STATE},
    {"X03",
     "A process with active threads and without ExitTime has ExitStatus STATUS_PENDING and is not signalled.",
     "Both are written at the exit of the last thread.",
     "EPROCESS.ActiveThreads and ExitTime against ExitStatus and DISPATCHER_HEADER.SignalState",
     "forging the state of a live process",
     "T1036",
     "all",
     CODE "; confirmed on real dumps",
     inv_judge_X03,
     {IDLE},
     .smear = INV_SMEAR_STATE},
    {"X04",
     "A process that ended and that a handle still leads to has references.",
     "The handle is one. References that the kernel itself holds cannot be listed: where they alone hold the process, "
     "this is unknown.",
     "OBJECT_HEADER.PointerCount against handles",
     "forging a live object to pass for a deleted one",
     "T1014",
     "all",
     TYPES,
     inv_judge_X04,
     {{"unreferenced", "PointerCount is 0 and no handle leads to the process: it is about to be deleted."}},
     .smear = INV_SMEAR_STATE},
    {"X05",
     "A process without active threads and without ExitTime has never run.",
     "PspInsertThread counts the first thread before it can run, and PspExitThread writes ExitTime when the last one "
     "has "
     "gone. One that has never run and is neither minimal, nor a clone, nor new is unknown: how long a process may be "
     "so is "
     "not verified.",
     "EPROCESS.ActiveThreads and ExitTime against EPROCESS.Win32Process and every thread that names the process",
     "hiding all threads of a process; a process that is set up with a false image and never started",
     "T1055.013, T1014",
     "all",
     CODE "; that a clone has the section of its parent and CloneRoot is public practice",
     inv_judge_X05,
     {IDLE,
      {"exiting",
       "One last thread is on the scheduler's list with its Terminated flag, and Flags.ProcessDelete is set."},
      {"minimal",
       "Flags3.Minimal and DISPATCHER_HEADER.Minimal are set, no thread names the process and it has no win32k "
       "state."},
      {"clone",
       "CloneRoot or ForkInProgress is set, or another process has the same SectionObject; no thread names the "
       "process and it has no win32k state."},
      {"creating",
       "CreateTime is within ten seconds of the image's, or not written yet; no thread names the process and it "
       "has no win32k state."}},
     .smear = INV_SMEAR_STATE},
    {"X06",
     "A process object that is on no list and whose Flags.ProcessInserted is clear is what a deleted process left, or "
     "one "
     "in creation: no thread, no CPU and no list of the scheduler leads to it.",
     "PspProcessDelete clears the flag first of all, when the last reference is gone; threads hold references.",
     "EPROCESS.Flags and pool, dispatcher-header against thread, cpu and scheduler-list",
     "clearing ProcessInserted to pass for deleted",
     "T1014, T1564",
     "7 and later",
     CODE,
     inv_judge_X06,
     {{0}},
     .smear = INV_SMEAR_LIFE},
    {"T01",
     "ActiveThreads is the number of threads on EPROCESS.ThreadListHead that have not begun to terminate.",
     "PspInsertThread counts up, PspExitThread counts down; the thread stays on the list until its object is deleted.",
     "EPROCESS.ActiveThreads against thread-list",
     "unlinking a thread",
     "T1014",
     "all",
     CODE,
     inv_judge_T01,
     {IDLE, {"exiting", "The difference is no greater than the number of threads with the Terminated flag."}},
     .smear = INV_SMEAR_STATE},
    {"T02",
     "A thread on KPROCESS.ThreadListHead is on EPROCESS.ThreadListHead; one that is only on the latter has "
     "terminated.",
     "Both lists gain a thread at its insertion; the scheduler's loses it when it terminates.",
     "kthread-list against thread-list and DISPATCHER_HEADER.SignalState",
     "unlinking a thread from one list",
     "T1014",
     "all",
     CODE,
     inv_judge_T02,
     {IDLE, {"inserting", "CrossThreadFlags.ThreadInserted is clear: the thread is being created."}},
     .smear = INV_SMEAR_LIFE},
    {"T03",
     "A thread on a process' list names that process in KTHREAD.Process, and its Cid has that process' identifier.",
     "Both are set at creation and never change.",
     "KTHREAD.Process against thread-list, kthread-list, ETHREAD.Cid and EPROCESS.UniqueProcessId",
     "re-parenting a thread",
     "T1055, T1014",
     "all",
     CODE "; confirmed on real dumps",
     inv_judge_T03,
     {IDLE},
     .smear = INV_SMEAR_LIFE},
    {"T04",
     "ApcState.Process is KTHREAD.Process, or ApcStateIndex is 1, SavedApcState.Process is KTHREAD.Process and the "
     "process it is attached to is on PsActiveProcessHead.",
     "KeStackAttachProcess saves the state before it changes it.",
     "KTHREAD.ApcState and SavedApcState against KTHREAD.Process and active-list",
     "planting a thread in another address space",
     "T1055",
     "all",
     TYPES,
     inv_judge_T04,
     {{"attached", "ApcStateIndex is 1, the saved state names the thread's own process, and the process it is attached "
                   "to is listed."}},
     .smear = INV_SMEAR_STATE},
    {"T05",
     "PspCidTable leads to every thread under the identifier in its Cid, and to nothing but a thread there.",
     "PspAllocateThread makes the entry before the thread is listed, PspThreadDelete destroys it.",
     "cid-table against thread-list, kthread-list, cpu, ETHREAD.Cid and DISPATCHER_HEADER.Type",
     "erasing a thread from PspCidTable",
     "T1014",
     "7 and later",
     CODE ": PsAssignThreadId, PspThreadDelete",
     inv_judge_T05,
     {IDLE, {"deleting", "The thread has ended (it is signalled) and PointerCount is 0."}},
     .smear = INV_SMEAR_LIFE},
    {"T06",
     "What a KPRCB names as current, next and idle thread is a thread object of a listed process (or of Idle) and on "
     "that process' list.",
     "The CPU runs it, so the kernel knows it.",
     "KPRCB against active-list, kthread-list and DISPATCHER_HEADER.Type",
     "hiding a process that runs",
     "T1014",
     "all",
     TYPES,
     inv_judge_T06,
     {IDLE},
     .smear = INV_SMEAR_STATE},
    {"T07",
     "The CR3 of a CPU is the DirectoryTableBase or UserDirectoryTableBase of the process its current thread runs in.",
     "The CPU translates addresses by it.",
     "CR3 against KTHREAD.ApcState.Process and KPROCESS.DirectoryTableBase",
     "swapping a DirectoryTableBase",
     "T1014",
     "all",
     TYPES,
     inv_judge_T07,
     {{"stale", "The only record of CR3 is the saved state of a CPU that did not write the image."}},
     .smear = INV_SMEAR_STATE},
    {"T08",
     "Every thread that is ready to run, or waits on a KPRCB's list, is on both lists of its process, and the process "
     "is on "
     "PsActiveProcessHead.",
     "A thread is made ready after it was linked, and leaves these lists before it terminates.",
     "ready-list and wait-list against thread-list, kthread-list and active-list",
     "hiding a process, or a thread, that must still get a CPU",
     "T1014",
     "7 and later",
     TYPES "; the entry that links the lists measured on dumps of 19041",
     inv_judge_T08,
     {IDLE},
     .smear = INV_SMEAR_STATE},
    {"T09",
     "KernelStack lies between StackLimit and InitialStack, InitialStack not above StackBase, and a trap frame inside; "
     "no two threads have the same stack.",
     "The kernel stack is allocated once, for one thread, and switched as a whole.",
     "fields of KTHREAD against each other, and against those of all other threads",
     "a false stack",
     "T1014",
     "all",
     MEASURED,
     inv_judge_T09,
     {{"swapped-out", "KernelStackResident is clear."},
      {"running", "The thread is Running and current on a CPU, so that KernelStack is that of its last wait; its trap "
                  "frame is inside all the same."},
      {"terminated", "The thread's state is Terminated and its Terminated flag is set: its stack is gone."}},
     .smear = INV_SMEAR_STATE},
    {"T10",
     "A thread that starts in the kernel, and every thread of System, starts inside a loaded module; what one of user "
     "mode "
     "starts at lies in a range of its process.",
     "Drivers create the former, and drivers are loaded modules. Code of user mode stands in memory that was reserved.",
     "ETHREAD.StartAddress and Win32StartAddress against PsLoadedModuleList, VADs and page tables",
     "threads of code that hides itself, in the kernel or behind an unlinked VAD",
     "T1014, T1055",
     "all",
     TYPES,
     inv_judge_T10,
     {GONE},
     .smear = INV_SMEAR_STATE,
     .judge_inside = inv_judge_user_starts},
    {"T11",
     "A thread of user mode has a TEB, which lies in a range of its process; the TEB names itself, the thread, the "
     "process "
     "and the PEB as the kernel does. A thread without one starts in the kernel.",
     "MmCreateTeb makes it before the thread exists, and the kernel's thread keeps where it is.",
     "KTHREAD.Teb against VADs; TEB against ETHREAD.Cid and EPROCESS.Peb",
     "forged TEBs, threads grafted onto another process, threads made by hand",
     "T1055, T1014",
     "all",
     TYPES,
     NULL,
     {{"minimal", "The process is minimal or a pico process, by its role: Windows makes no TEB for its threads."},
      {"exiting",
       "The thread's Terminated flag is set, and it does not wait on behalf of user mode: its TEB is deleted before "
       "the thread ends."},
      {"inserting", "CrossThreadFlags.ThreadInserted is clear: the thread is being created."}},
     .smear = INV_SMEAR_STATE,
     .judge_inside = inv_judge_T11},
    {"T12",
     "What the CPU saved when a thread entered the kernel, instruction and stack pointer, lies in ranges of its "
     "process.",
     "Code and stacks stand in memory that was reserved.",
     "KTRAP_FRAME against VADs and page tables",
     "running code behind an unlinked VAD",
     "T1055.003, T1564",
     "all",
     MEASURED,
     NULL,
     {GONE},
     .smear = INV_SMEAR_STATE,
     .judge_inside = inv_judge_T12},
    {"T13",
     "The queues of APCs of a thread close and hold APCs that are for this thread; what they run in the kernel lies in "
     "a "
     "loaded module, what they run in user mode in a range of the process.",
     "KeInsertQueueApc links an APC to the thread that it names. Drivers are loaded modules.",
     "KTHREAD.ApcState and SavedApcState against KAPC, PsLoadedModuleList, VADs and page tables",
     "queueing code that hides itself, in the kernel or behind an unlinked VAD; false APCs",
     "T1055.004, T1014",
     "all",
     TYPES "; that routines of 32-bit code are encoded is public practice",
     inv_judge_T13,
     {GONE},
     .smear = INV_SMEAR_STATE,
     .judge_inside = inv_judge_user_apcs},
    {"T14",
     "OBJECT_TYPE.TotalNumberOfObjects of threads is the number of threads that all witnesses together know.",
     "As for processes (L13), with the same tolerance.",
     "OBJECT_TYPE against the union of all witnesses",
     "a thread that is off every list and still counted; a forged counter",
     "T1014",
     "all",
     TYPES,
     inv_judge_T14,
     {{0}},
     .smear = INV_SMEAR_STATE},
    {"T15",
     "A thread is not older than its process and not younger than the image; it ended after it was created, and before "
     "the "
     "image was taken.",
     "A process is created before its first thread, and time runs forward.",
     "ETHREAD.CreateTime and ExitTime against EPROCESS.CreateTime and the system time",
     "forged times, a grafted thread",
     "T1070.006",
     "all",
     TYPES,
     inv_judge_T15,
     {IDLE,
      {"system",
       "The process is System, proved by address, whose CreateTime is written late in the boot; the thread is "
       "not older than the boot."},
      {"clock-step", "CreateTime and CreateInterruptTime of the process show that the wall clock was set since, and "
                     "another process shows the same."}},
     .smear = INV_SMEAR_TIME},
    {"T16",
     "KPROCESS.InstrumentationCallback is 0, or lies in an image.",
     "Whatever it names is called on every return to user mode. Who instruments a process by the kernel's own means "
     "has "
     "code of an image for it; memory that holds no file's code is where injected code stands.",
     "KPROCESS.InstrumentationCallback against the VADs",
     "instrumentation-callback injection",
     "T1055",
     "all",
     TYPES,
     NULL,
     {LOST_SPACE, EXITING_SPACE},
     .smear = INV_SMEAR_LIFE,
     .judge_inside = inv_judge_T16},
    {"T17",
     "A thread with win32k state is a GUI thread, and its process has win32k state too.",
     "win32k makes the process' state first, and the kernel marks the thread.",
     "KTHREAD.Win32Thread against KTHREAD.GuiThread and EPROCESS.Win32Process",
     "a false GUI thread",
     "T1014",
     "all",
     TYPES,
     inv_judge_T17,
     {{"exiting", "The thread's Terminated flag is set."}},
     .smear = INV_SMEAR_STATE},
    {"T18",
     "Threads of user mode start where most of them do, and what they are to run lies in an image.",
     "PspAllocateThread lets them start in ntdll, which stands at the same address in all processes. Compilers at run "
     "time "
     "start threads in memory of their own too.",
     "ETHREAD.StartAddress and Win32StartAddress against VADs, and against those of all threads",
     "remote threads in private memory, reflective loading",
     "T1055, T1055.002, T1620",
     "all",
     MEASURED,
     inv_judge_T18,
     {GONE, {"pico", "The process is a pico process, whose threads start as its provider likes."}},
     .smear = INV_SMEAR_LIFE,
     .judge_inside = inv_judge_starts_in_image,
     .weight = INV_HINT},
    {"T19",
     "The stack pointer of a thread that waits lies in the stack that its TEB names, and that is a range of its own.",
     "Stacks are reserved as a range, and switching fibers changes what the TEB says; coroutines of some run times do "
     "not.",
     "KTRAP_FRAME.Rsp against TEB and VADs",
     "pivoted stacks, forged stacks of sleeping implants",
     "T1055.003, T1620",
     "all",
     MEASURED,
     NULL,
     {GONE},
     .smear = INV_SMEAR_LIFE,
     .judge_inside = inv_judge_T19,
     .weight = INV_HINT},
    {"T20",
     "A thread that waits entered the kernel from code of an image.",
     "Compilers at run time call the kernel through code of images, but nothing makes them.",
     "KTRAP_FRAME.Rip against VADs",
     "hijacking a thread by its context, system calls made from injected code",
     "T1055.003, T1106",
     "all",
     MEASURED,
     NULL,
     {GONE,
      {"interrupted", "The thread is ready to run, or waits for a page: it was interrupted anywhere in its code."}},
     .smear = INV_SMEAR_LIFE,
     .judge_inside = inv_judge_T20,
     .weight = INV_HINT},
    {"T21",
     "What an APC of user mode runs, and code that is given to it, lies in an image.",
     "QueueUserAPC queues a routine of ntdll that is given the program's own; run times hand out such routines in "
     "memory "
     "of their own.",
     "KAPC.NormalRoutine and NormalContext against VADs",
     "APC injection, early bird",
     "T1055.004",
     "all",
     TYPES "; that routines of 32-bit code are encoded is public practice",
     NULL,
     {GONE},
     .smear = INV_SMEAR_LIFE,
     .judge_inside = inv_judge_T21,
     .weight = INV_HINT},
    {"T22",
     "A process older than ten seconds has run.",
     "Whoever creates a process suspended mostly resumes it at once; debuggers and launchers may not.",
     "KTHREAD.SuspendCount and KTRAP_FRAME.Rip against ETHREAD.StartAddress and EPROCESS.CreateTime",
     "a process made to be hollowed, or injected before it runs",
     "T1055.012",
     "all",
     TYPES,
     NULL,
     {{"starting", "The process was created less than ten seconds before the image was taken."}},
     .smear = INV_SMEAR_LIFE,
     .judge_inside = inv_judge_T22,
     .weight = INV_HINT},
    {"T23",
     "No thread is hidden from debuggers.",
     "Windows sets HideFromDebugger only when the process asks; copy protection does.",
     "ETHREAD.CrossThreadFlags",
     "hampering analysis",
     "T1622",
     "all",
     TYPES,
     NULL,
     {{0}},
     .smear = INV_SMEAR_LIFE,
     .judge_inside = inv_judge_T23,
     .weight = INV_HINT},
    {"M01",
     "No two processes have the same page table root.",
     "Every process has an address space of its own.",
     "KPROCESS.DirectoryTableBase of every process",
     "sharing another process' address space",
     "T1014",
     "all",
     CODE,
     inv_judge_M01,
     {{"boot-pair", "The two are Idle and System, proved by address."}, LOST_SPACE},
     .smear = INV_SMEAR_LIFE},
    {"M02",
     "A page table root maps itself in exactly one slot, the same for all processes.",
     "MmCreateProcessAddressSpace writes that slot; the kernel finds page tables through it.",
     "the PML4 page against KPROCESS.DirectoryTableBase",
     "a fabricated page table root",
     "T1014",
     "all with four levels of page tables",
     CODE,
     inv_judge_M02,
     {LOST_SPACE},
     .smear = INV_SMEAR_LIFE},
    {"M03",
     "The kernel halves of all page table roots are alike, but for slots in which processes differ anyway.",
     "The kernel's memory is the same for all. Which slots belong to processes (self-map, hyperspace) or sessions is "
     "learned "
     "from the image: where one process alone differs and nearly all others share one table, something was mapped for "
     "it alone.",
     "the PML4 pages of all processes against each other",
     "kernel memory that only one process sees",
     "T1014",
     "all with four levels of page tables",
     "public practice; which slots differ was not verified, so that it is an observation",
     inv_judge_M03,
     {{0}},
     .smear = INV_SMEAR_STATE,
     .weight = INV_HINT},
    {"M04",
     "Where UserDirectoryTableBase names a page table root, its PFN entry leads back to the process, and its user half "
     "leads to the same tables as that of DirectoryTableBase.",
     "MiAllocateProcessShadow makes it for the process as a second root; user mode must find the same memory.",
     "KPROCESS.UserDirectoryTableBase against pfn and the page tables",
     "hooking the shadow tables",
     "T1014",
     "kernels with KVA shadow",
     CODE,
     inv_judge_M04,
     {LOST_SPACE},
     .smear = INV_SMEAR_STATE},
    {"M05",
     "A page of user memory is where its PFN entry says: a private page with the PTE of this very address in this "
     "process' page tables, a shared one with the prototype PTE by which its range shares it.",
     "The memory manager writes the address of the PTE and the frame of its page table into the PFN entry when it "
     "makes a "
     "page valid, and needs both to take it away again.",
     "page tables against the PFN database and the prototype PTEs of VADs",
     "remapping a PTE to another process' page, to the kernel's, or to a page that Windows does not manage",
     "T1055, T1014",
     "all whose _MMPFN is known",
     PAGES,
     NULL,
     {{"lent",
       "The range is one for memory of devices, AWE, large pages, or maps physical memory (MMVAD_FLAGS.VadType, "
       "CONTROL_AREA_FLAGS.PhysicalMemory): its pages belong to somebody else."},
      {"combined", "The page may not be written to, and its PFN entry names a prototype PTE that leads to it and is no "
                   "section's: equal pages are combined so, and pages of a clone shared."},
      {"kernel-shown", "The page lies in the 64 KiB from 0x7ffe0000 on, may only be read, and the kernel's own page "
                       "tables map it where its PFN entry says: KUSER_SHARED_DATA and the hypervisor's clock."},
      LOST_SPACE,
      EXITING_SPACE},
     .smear = INV_SMEAR_STATE,
     .judge_inside = inv_judge_M05},
    {"M06",
     "Every page of user memory that the processor can use lies in a range that the process has.",
     "The memory manager makes a page valid for a range only, and takes the pages away with the range.",
     "page tables against the VADs",
     "taking a VAD out of the tree; mapping memory by page tables alone",
     "T1055, T1564",
     "all",
     PAGES,
     NULL,
     {LOST_SPACE, EXITING_SPACE},
     .smear = INV_SMEAR_STATE,
     .judge_inside = inv_judge_M06},
    {"M07",
     "A view of a section that is no image is executed only if it was mapped so, and a page that several processes "
     "share is "
     "written to only if its view, or for an image its section, was made so.",
     "What VirtualProtect is given must be compatible with the protection with which the view was mapped; writing to a "
     "page of "
     "an image makes a private copy.",
     "page tables against the protections of VADs and subsections",
     "flipping bits of PTEs; rewriting the protection of a VAD",
     "T1055, T1562.001",
     "all",
     PAGES ", documentation of VirtualProtect",
     NULL,
     {LOST_SPACE, EXITING_SPACE},
     .smear = INV_SMEAR_STATE,
     .judge_inside = inv_judge_M07},
    {"M08",
     "The VADs of a process form one balanced tree: ordered, disjoint, linked back, as many as are counted, with the "
     "one that "
     "was used last among them, and those of sections belonging to the process.",
     "The memory manager looks ranges up in it at each page fault, and keeps count of them.",
     "the tree under EPROCESS.VadRoot against VadCount (before 8.1 the table's number of elements), VadHint and "
     "MMVAD.VadsProcess",
     "taking a VAD out of the tree, or grafting one into it",
     "T1564, T1055",
     "all; VadHint since 8.1",
     TYPES,
     NULL,
     {LOST_SPACE, EXITING_SPACE},
     .smear = INV_SMEAR_STATE,
     .judge_inside = inv_judge_M08},
    {"M09",
     "A section counts at least as many views as ranges map it, and each range on its list of views hangs in the tree "
     "of the "
     "process that it names.",
     "Mapping counts the view and enters the range in both places. Views of the system cache and of sessions are "
     "counted too, "
     "so that more views than ranges prove nothing.",
     "CONTROL_AREA.NumberOfMappedViews and its list of views against the VADs of all processes",
     "taking the VAD of a view out of the tree; grafting one",
     "T1055, T1564",
     "all; the list of views since 7",
     TYPES,
     inv_judge_M09,
     {{"physical", "The section is that of physical memory: how its views are counted was not verified."},
      {"exiting", "The process has no active thread: its ranges are being taken away."}},
     .smear = INV_SMEAR_STATE},
    {"M10",
     "Code of an image is the file's: no page of it that may be executed is a private copy with other content.",
     "All who map a file share its pages; who writes to one gets a copy. Security products do so as well as implants.",
     "page tables against the prototype PTEs of the image, and both pages' content",
     "inline hooks, patched functions, module stomping",
     "T1055, T1562.001",
     "all",
     PAGES,
     NULL,
     {{"relocated",
       "The image is not mapped where its section was relocated for: the loader mends pages that hold addresses."},
      LOST_SPACE,
      EXITING_SPACE},
     .smear = INV_SMEAR_LIFE,
     .judge_inside = inv_judge_M10,
     .weight = INV_HINT},
    {"M11",
     "No entry of the kernel half of the page tables lets user mode in.",
     "Processor and kernel rely on it for every secret of the kernel.",
     "the U/S bits of all levels",
     "opening kernel memory to a process",
     "T1068, T1014",
     "all",
     PAGES,
     NULL,
     {LOST_SPACE, EXITING_SPACE},
     .smear = INV_SMEAR_STATE,
     .judge_inside = inv_judge_M11},
    {"M12",
     "A process counts about as many bytes of ranges as its tree holds, and a working set about as large as the pages "
     "that are "
     "mapped.",
     "Both counters are kept with each range and each page.",
     "EPROCESS.VirtualSize and WorkingSetSize against VADs and page tables",
     "taking a VAD out of the tree; mapping memory by page tables alone",
     "T1055, T1564",
     "all",
     "names of the fields; what exactly is counted was not verified, so that it is an observation",
     NULL,
     {LOST_SPACE, EXITING_SPACE},
     .smear = INV_SMEAR_STATE,
     .judge_inside = inv_judge_M12,
     .weight = INV_HINT},
    {"M13",
     "The pages of the user half are for user mode.",
     "What user mode cannot reach there is memory that the kernel, or somebody in it, keeps in a process.",
     "the U/S bits of page tables",
     "kernel-mode implants with memory in a process",
     "T1014",
     "all",
     "Intel SDM volume 3; that the kernel itself has no such pages in ordinary processes was not verified",
     NULL,
     {{"kernel-process",
       "The process is Registry, Memory Compression or another that only the kernel uses, by its own pointers "
       "and flags."},
      LOST_SPACE,
      EXITING_SPACE},
     .smear = INV_SMEAR_LIFE,
     .judge_inside = inv_judge_M13,
     .weight = INV_HINT},
    {"M14",
     "Private memory is executed only if it was allocated so, and memory that is executed is not written to.",
     "Compilers that run with the program, and programs that unpack themselves, change the protection of private "
     "memory and "
     "execute it, as injected code does.",
     "page tables against the protection of VADs",
     "injected code",
     "T1055, T1620",
     "all",
     PAGES,
     NULL,
     {LOST_SPACE, EXITING_SPACE},
     .smear = INV_SMEAR_LIFE,
     .judge_inside = inv_judge_M14,
     .weight = INV_HINT},
    {"I01",
     "Where SectionBaseAddress says, an image range of the section that the process was made from begins, and "
     "PEB.ImageBaseAddress (under WOW64 that of both PEBs) says the same; a process with threads has a PEB.",
     "MmCreatePeb writes it when the kernel maps the section, and nothing in Windows moves a program afterwards.",
     "EPROCESS against the tree of VADs and the PEB",
     "process hollowing (unmapping the program and mapping another), editing the PEB",
     "T1055.012",
     "7 and later",
     TYPES,
     NULL,
     {NO_PROGRAM},
     .smear = INV_SMEAR_STATE,
     .judge_inside = inv_judge_I01},
    {"I02",
     "The section that the process was made from, EPROCESS.ImageFilePointer and the range at SectionBaseAddress are of "
     "the same file, by FsContext and SectionObjectPointer.",
     "The three are set from one file object when the process is created.",
     "EPROCESS against CONTROL_AREA and FILE_OBJECT",
     "swapping the section, transacted hollowing",
     "T1055.012, T1055.013",
     "7 and later; ImageFilePointer since 14393",
     TYPES,
     NULL,
     {NO_PROGRAM},
     .smear = INV_SMEAR_STATE,
     .judge_inside = inv_judge_I02},
    {"I03",
     "The name in SeAuditProcessCreationInfo, without its volume, is that in the FILE_OBJECT of the program.",
     "The kernel asks for the name of that very object when the process is created.",
     "EPROCESS.SeAuditProcessCreationInfo against FILE_OBJECT.FileName",
     "overwriting the name at creation",
     "T1036.005",
     "7 and later",
     TYPES,
     NULL,
     {NO_PROGRAM,
      {"renamed",
       "The path that the process was given agrees with the name at creation, so the file's alone has changed since."}},
     .smear = INV_SMEAR_STATE,
     .judge_inside = inv_judge_I03},
    {"I04",
     "ImageFileName is the first 14 characters of the last part of the name in SeAuditProcessCreationInfo.",
     "PspAllocateProcess takes both from the file; a clone gets both from its parent.",
     "EPROCESS.ImageFileName against EPROCESS.SeAuditProcessCreationInfo",
     "overwriting either name",
     "T1036",
     "7 and later",
     TYPES,
     NULL,
     {NO_PROGRAM},
     .smear = INV_SMEAR_LIFE,
     .judge_inside = inv_judge_I04},
    {"I05",
     "The path in the process' parameters names the file that it was created from. That another process runs from the "
     "file of the claimed name is proof; a path of no known file is observed only, for links and mounted folders make "
     "other paths of one file.",
     "CreateProcess puts the path there that it opens.",
     "RTL_USER_PROCESS_PARAMETERS.ImagePathName against EPROCESS.SeAuditProcessCreationInfo and the files of all "
     "processes",
     "masquerading in the PEB",
     "T1036.005, T1564.010",
     "7 and later",
     TYPES,
     NULL,
     {NO_PROGRAM},
     .smear = INV_SMEAR_STATE,
     .judge_inside = inv_judge_I05},
    {"I06",
     "The first module of load order is the program: its DllBase is SectionBaseAddress, and its name that in the "
     "process' parameters.",
     "The loader enters the program before all else, and takes the name from the parameters.",
     "LDR_DATA_TABLE_ENTRY against EPROCESS and the process' parameters",
     "emptying or editing the loader's lists, hollowing",
     "T1036, T1055.012",
     "7 and later",
     TYPES,
     NULL,
     {NO_PROGRAM, STARTING},
     .smear = INV_SMEAR_STATE,
     .judge_inside = inv_judge_I06},
    {"I07",
     "A process that runs a program has an ImageFilePointer, and the object that it was made through is not to delete "
     "its file. Observed only: it is marked to, and has no right to; that object can be written through or was opened "
     "in a transaction, its file goes when it is closed, the file has another image by now, or most others of its name "
     "run from another file.",
     "The kernel opens programs without the right to delete them and keeps a reference to the file of every program; "
     "who "
     "deletes his own asks through another object.",
     "EPROCESS.ImageFilePointer and CONTROL_AREA against FILE_OBJECT",
     "process ghosting",
     "T1055.013",
     "7 and later; ImageFilePointer since 14393",
     TYPES,
     NULL,
     {NO_PROGRAM},
     .smear = INV_SMEAR_STATE,
     .judge_inside = inv_judge_I07},
    {"I08",
     "The header of the program in memory agrees with SECTION_IMAGE_INFORMATION and SEGMENT, and with what the loader "
     "notes of its size and entry point. That there is no header any more is observed only.",
     "The section is made from that header, and the loader reads it.",
     "the PE header in memory and LDR_DATA_TABLE_ENTRY against SEGMENT",
     "overwriting the program in place, hiding its entry point",
     "T1055.012",
     "7 and later",
     TYPES,
     NULL,
     {NO_PROGRAM},
     .smear = INV_SMEAR_STATE,
     .judge_inside = inv_judge_I08},
    {"I09",
     "The header of the program is the same in its image section and, where the cache has it, in its file.",
     "A file cannot be written while it is mapped as an image, save through an object that was open before.",
     "the prototype PTEs of the image's control area against those of the data control area of the same file",
     "process herpaderping",
     "T1055",
     "7 and later",
     TYPES,
     NULL,
     {NO_PROGRAM},
     .smear = INV_SMEAR_STATE,
     .judge_inside = inv_judge_I09},
    {"I10",
     "WoW64Process is set exactly when the program's file is one of 32 bits, and EPROCESS.Machine agrees.",
     "The kernel decides that by the section when the process is created.",
     "EPROCESS against SECTION_IMAGE_INFORMATION",
     "forging WOW64, hiding 32-bit modules",
     "T1564",
     "7 and later; EPROCESS.Machine since 20348",
     TYPES,
     NULL,
     {NO_PROGRAM,
      {"managed",
       "The file is one of i386, the process is none of WOW64, and the header in memory has code of .NET: such a "
       "file is for any machine."}},
     .smear = INV_SMEAR_LIFE,
     .judge_inside = inv_judge_I10},
    {"I11",
     "Every module of the loader's lists is an image that is mapped there, stands on the lists of load and memory "
     "order alike and has one name; every image whose pages the process changed and may execute is on a list. Observed "
     "only: code of an image on no list that the process did not change, or that is native code of .NET of which only "
     "data was changed, and a name that is not the mapped file's, unless another image of the process, or another "
     "process, is of the file of that name.",
     "The loader enters a module when it maps it, before it changes a page of it, and unmaps it when it takes it off. "
     "What is mapped for its resources stands on no list, and none of its pages is changed. The run time of .NET maps "
     "images itself.",
     "the loader's lists of both halves against VADs, page tables and FILE_OBJECT.FileName",
     "unlinking a module, listing a false one, renaming one",
     "T1055.001, T1620",
     "7 and later",
     TYPES,
     NULL,
     {NO_PROGRAM,
      STARTING,
      {"linking", "The last module of the list of load order is on no other list yet: the loader enters it now."}},
     .smear = INV_SMEAR_STATE,
     .judge_inside = inv_judge_I11},
    {"I12",
     "No memory outside of images is executable, and none that is begins as a program does.",
     "Windows loads programs and libraries as images; compilers at run time and packers do not.",
     "page tables against VADs",
     "reflective loading, injected code",
     "T1620, T1055.002",
     "7 and later",
     TYPES,
     NULL,
     {NO_PROGRAM},
     .smear = INV_SMEAR_STATE,
     .judge_inside = inv_judge_I12,
     .weight = INV_HINT},
    {"I13",
     "No library was mapped through an object that is to delete its file or can write it, and the file has no other "
     "image by now.",
     "The loader opens files for execution only; installers may do what liars do.",
     "VADs against CONTROL_AREA and FILE_OBJECT",
     "phantom DLL hollowing",
     "T1055",
     "7 and later",
     TYPES,
     NULL,
     {NO_PROGRAM},
     .smear = INV_SMEAR_STATE,
     .judge_inside = inv_judge_I13,
     .weight = INV_HINT},
    {"I14",
     "Command line and path stand in the block of parameters that they were handed over in, and are no longer than "
     "their room.",
     "RtlCreateProcessParameters puts them there; a program may put its own copies in their place.",
     "RTL_USER_PROCESS_PARAMETERS",
     "argument spoofing, masquerading in the PEB",
     "T1564.010",
     "7 and later",
     TYPES,
     NULL,
     {NO_PROGRAM},
     .smear = INV_SMEAR_STATE,
     .judge_inside = inv_judge_I14,
     .weight = INV_HINT},
    {"I15",
     "The image of a protected process was found to be signed at the level that its protection asks for.",
     "Protection follows from the signature of the image. That the segment keeps the level is not verified.",
     "EPROCESS.Protection against SEGMENT.ImageSigningLevel",
     "forging protection",
     "T1562.001",
     "9600 and later",
     TYPES,
     NULL,
     {NO_PROGRAM},
     .smear = INV_SMEAR_STATE,
     .judge_inside = inv_judge_I15,
     .weight = INV_HINT},
    {"P01",
     "The identifier of a process' parent is one that a process can have, is not its own, was no thread's when it was "
     "created, and was that of a process with a smaller SequenceNumber (without numbers: CreateTime).",
     "PspAllocateProcess holds the parent while it notes its identifier, and a process keeps its identifier as long as "
     "it "
     "is referenced. Numbers are given out one by one: where all that are smaller still exist, the parent is among "
     "them. "
     "Which younger process or thread has a parent's identifier now says nothing, for identifiers are given out again: "
     "unknown, unless freed memory still shows who had it.",
     "EPROCESS.InheritedFromUniqueProcessId against EPROCESS.SequenceNumber, PspCidTable and what freed pool holds",
     "rewriting the parent's identifier, also to that of a process that did not exist yet",
     "T1134.004",
     "all; with SequenceNumber (7601.23418, 9600.18340 and later) most",
     CODE "; that all but Idle and System have a parent is public practice",
     inv_judge_P01,
     {{"first", "The process is Idle or System, proved by address: they have no parent."},
      {"gone",
       "Nobody has the identifier, and of the processes that were inserted before this one not all exist any more."},
      {"recycled",
       "No older process has the identifier now, but freed memory holds one that had it and whose number is "
       "smaller."}},
     .smear = INV_SMEAR_LIFE},
    {"P02",
     "CreateInterruptTime rises with SequenceNumber, and the offset between it and CreateTime is that of now, or of "
     "the "
     "process before or after.",
     "PspAllocateProcess reads both clocks, PspInsertProcess counts. Only who sets the wall clock, and sleep, change "
     "the "
     "offset between them, and of all that is created from then on.",
     "EPROCESS.CreateInterruptTime and CreateTime against EPROCESS.SequenceNumber, boot time and the threads' "
     "CreateTime",
     "forged times (timestomping by DKOM)",
     "T1070.006",
     "7601.23418, 9600.18340 and later; Windows 10 and 11",
     CODE "; that System's times are late is measured; that no creation lasts two minutes is not verified",
     inv_judge_P02,
     {IDLE,
      {"not-inserted", "SequenceNumber is zero and Flags.ProcessInserted clear: PspInsertProcess has not come to it."},
      {"creating",
       "Less than two minutes lie between, and no thread of the one that was inserted later is older than the "
       "other process: its creation was under way."},
      {"system",
       "The process is System, which gets its times when the boot is nearly over, and others are older by less "
       "than two minutes."},
      {"clock-step",
       "The offset is not that of now, but the process that was inserted before it or after it shows the same: "
       "the wall clock was set since, or the machine slept."}},
     .smear = INV_SMEAR_LIFE},
    {"P03",
     "Who asked for a process is its parent.",
     "CreateProcess lets a caller name another parent, whose session, token and job the child gets. Brokers do so for "
     "others (UAC, error reports), liars for themselves; the records are the same.",
     "EPROCESS.OwnerProcessId, where its second bit is set, against EPROCESS.InheritedFromUniqueProcessId",
     "naming a false parent (PROC_THREAD_ATTRIBUTE_PARENT_PROCESS)",
     "T1134.004",
     "9600 and later, where the field is known",
     "measured on dumps of 19041 (a program that UAC raised; System); not verified on others. A process with a console "
     "names "
     "the console's host instead: unknown",
     inv_judge_P03,
     {IDLE},
     .smear = INV_SMEAR_LIFE,
     .weight = INV_HINT},
    {"P04",
     "A process belongs to its parent's session.",
     "A child's session is its parent's; who creates one for another session leaves a flag.",
     "EPROCESS.Session of child and parent, CrossSessionCreate and OwnerProcessId",
     "giving a process another session",
     "T1134.002",
     "those with CrossSessionCreate",
     TYPES "; that the flag is about who asked for the process, and not about the parent, is measured on 19041",
     inv_judge_P04,
     {{"no-session", "The parent belongs to no session (it is System or leads sessions), or there is none."},
      {"cross-session", "CrossSessionCreate is set, and who asked for the process is not known to be in its session."},
      {"creator",
       "OwnerProcessId names an older process of the same session that asked for it and is not the parent."}},
     .smear = INV_SMEAR_LIFE},
    {"P05",
     "A child is in its parent's job or one nested into it, if two elder children of the parent are.",
     "Children are put into the job of their parent, unless the job lets them break away, or the parent got it later.",
     "EPROCESS.Job of child, parent and elder children",
     "leaving a job",
     "T1611",
     "7 and later",
     TYPES "; whether a job lets its processes break away is not read",
     inv_judge_P05,
     {{"exited", "The parent has exited: it has left its job."},
      {"creating", "Job is 0, and there is no thread and never was one: it may be put into the job before it runs."}},
     .smear = INV_SMEAR_STATE,
     .weight = INV_HINT},
    {"P06",
     "What marks a process of the kernel's own is on those that the kernel's pointers lead to: Flags3.SystemProcess on "
     "System alone; Registry, Memory Compression and Secure System are minimal; what is minimal is so to the executive "
     "and "
     "the scheduler alike and has neither PEB nor program. Observed only: another process with the name of one of "
     "these.",
     "The kernel makes these processes itself and keeps a pointer to each.",
     "PsInitialSystemProcess, CmpRegistryProcess, PsSecureSystemProcess and StoreProcess against EPROCESS.Flags3, "
     "DISPATCHER_HEADER.Minimal, Peb and SectionObject",
     "passing for a process of the kernel",
     "T1036.005",
     "all; minimal processes 9600 and later",
     MEASURED,
     inv_judge_P06,
     {IDLE},
     .smear = INV_SMEAR_LIFE},
    {"P07",
     "The system started before a process was created, System within ten minutes; it was created before it exited, and "
     "all "
     "that is past.",
     "Time runs forward.",
     "EPROCESS.CreateTime and ExitTime against boot time and system time",
     "forged times",
     "T1070.006",
     "all",
     TYPES,
     inv_judge_P07,
     {IDLE,
      {"clock-step", "CreateTime and CreateInterruptTime show that the wall clock was set since, and another process "
                     "shows the same."}},
     .smear = INV_SMEAR_TIME},
    {"K01",
     "The token of a process is an object of type Token that is referenced, a primary token, and in use.",
     "SeAssignPrimaryToken takes no other, and notes in the token that a process has it.",
     "EPROCESS.Token against the token's object header, TokenType and TokenInUse",
     "pointing a process at a token for impersonation, at a deleted one, or at memory of one's own",
     "T1134.001",
     "all",
     TYPES,
     inv_judge_K01,
     {{"creating",
       "No token yet, Flags.ProcessInserted clear, no exit time and no thread: creation has not got so far."},
      {"deleting", "No token any more, not inserted, exited, PointerCount 0 and no thread: PspProcessDelete took it."}},
     .smear = INV_SMEAR_STATE},
    {"K02",
     "No two processes have the same primary token.",
     "A process gets a copy of its parent's token, or one that no process has (STATUS_TOKEN_ALREADY_IN_USE).",
     "EPROCESS.Token of all processes",
     "stealing a token: copying the pointer to that of System",
     "T1134.001, T1068",
     "all",
     TYPES,
     inv_judge_K02,
     {{"boot-token", "The two are Idle and System, proved by address, and no other has it: both are made at boot."}},
     .smear = INV_SMEAR_LIFE},
    {"K03",
     "The token of a process is for the session that the process is in.",
     "A process is created in the session of its token, and the token gets the session of the process.",
     "TOKEN.SessionId against _MM_SESSION_SPACE.SessionId of EPROCESS.Session",
     "giving a process a token of another session",
     "T1134.001",
     "all to 22H2; later the type of a session is not known",
     TYPES,
     inv_judge_K03,
     {{0}},
     .smear = INV_SMEAR_LIFE},
    {"K04",
     "The logon session that a token points at has the LUID that the token claims, and is on a list of "
     "SepLogonSessions.",
     "A token refers to its logon session, which LSA has made, as long as it exists.",
     "TOKEN.AuthenticationId and LogonSession against SEP_LOGON_SESSION_REFERENCES.LogonId and SepLogonSessions",
     "forging a token or a logon session",
     "T1134.003",
     "all",
     TYPES,
     inv_judge_K04,
     {{0}},
     .smear = INV_SMEAR_LIFE},
    {"K05",
     "A token has enabled no privilege that is not present; and, as an observation, has none that Windows does not "
     "define or "
     "that are filtered out of tokens of its integrity.",
     "AdjustTokenPrivileges enables what is present, and adds nothing.",
     "TOKEN.Privileges.Enabled against Present; Present against the label of integrity",
     "writing privileges into a token",
     "T1134, T1068",
     "all",
     TYPES,
     inv_judge_K05,
     {{0}},
     .smear = INV_SMEAR_STATE},
    {"K06",
     "IntegrityLevelIndex leads to a label of integrity, S-1-16-x; and, as an observation, SidHash is that of the "
     "groups, and "
     "LocalSystem, LocalService and NetworkService have the logon sessions of their own.",
     "Windows asks for groups by the hash; the label is one of the groups.",
     "TOKEN.UserAndGroups against IntegrityLevelIndex, SidHash and AuthenticationId",
     "writing SIDs into a token",
     "T1134",
     "all",
     TYPES " (how the hash is made is known from Wine's ntdll alone, and not verified)",
     inv_judge_K06,
     {{0}},
     .smear = INV_SMEAR_STATE},
    {"K07",
     "A thread has ActiveImpersonationInfo exactly when it carries a token, which is an object of type Token; and, as "
     "an "
     "observation, that token is for impersonation and of the level that the thread notes.",
     "PsImpersonateClient sets both, PsRevertToSelf clears both.",
     "ETHREAD.CrossThreadFlags against ETHREAD.ClientSecurity; the token's object header, TokenType and "
     "ImpersonationLevel",
     "planting a token on a thread",
     "T1134.001",
     "all",
     TYPES,
     inv_judge_K07,
     {{0}},
     .smear = INV_SMEAR_STATE},
    {"K08",
     "EPROCESS.Protection is a legal pair of type and signer, and a protected process has a signature level: that of "
     "its "
     "signer. One that is not protected does not have the levels of a protected signer.",
     "Protection follows from the signature of the image. Which levels go with which signer is public practice, "
     "measured "
     "of System only, and a policy may raise them: what speaks against the class of the signer is an observation.",
     "EPROCESS.Protection against EPROCESS.SignatureLevel and SectionSignatureLevel",
     "forging protection, or taking it away",
     "T1562.001, T1003.001",
     "9600 and later",
     MEASURED,
     inv_judge_K08,
     {{"minimal", "Flags3.Minimal is set: the process has no image that could be signed."}},
     .smear = INV_SMEAR_LIFE},
    {"K09",
     "The identifiers of tokens are all different, and beneath the next that Windows hands out.",
     "They are LUIDs, which are counted up from the boot and never used twice.",
     "TOKEN.TokenId and ParentTokenId against each other and against ExpLuid",
     "forging a token",
     "T1134",
     "all",
     TYPES "; that ExpLuid is the counter follows from its name, and is not verified",
     inv_judge_K09,
     {{0}},
     .smear = INV_SMEAR_STATE,
     .weight = INV_HINT},
    {"H01",
     "Each used entry of a handle table leads to the header of an object of a type that ObTypeIndexTable has, and "
     "grants "
     "no right beyond the type's ValidAccessMask, but for ACCESS_SYSTEM_SECURITY and, up to Windows 7, the mark that "
     "protects from closing.",
     "ObpCreateHandle and ObDuplicateObject mask what they grant with ValidAccessMask.",
     "HANDLE_TABLE_ENTRY against OBJECT_HEADER.TypeIndex, ObTypeIndexTable and OBJECT_TYPE",
     "forging an entry, or the rights in one",
     "T1134, T1068",
     "all",
     TYPES "; the masking as in ReactOS, not verified on Windows",
     inv_judge_H01,
     {{"kernel-handle", "The entry stands in the table that ObpKernelHandleTable names, and what it grants beyond are "
                        "generic rights only, which the kernel may leave unmapped for itself."}},
     .smear = INV_SMEAR_STATE},
    {"H02",
     "No process that is not protected has a protected one open with the right to write or read its memory, to create "
     "threads or processes from it or to copy its handles, or one of its threads with the right to set its context or "
     "token.",
     "The kernel denies these rights to whoever is less protected, whatever privileges he has (learn.microsoft.com, "
     "\"Process Security and Access Rights\", \"Thread Security and Access Rights\"). What was granted before the "
     "protection changed, as signature levels that do not bear it out show, is unknown, and so is what a creator may "
     "have.",
     "entries of handle tables against EPROCESS.Protection of both processes",
     "granting rights by writing into an entry; taking protection from the one who opens",
     "T1003.001, T1068",
     "9600 and later",
     TYPES,
     inv_judge_H02,
     {{"kernel-handle", "The entry stands in the table that ObpKernelHandleTable names."},
      {"protected-peer",
       "Who has the handle is protected by the same or a higher signer, and its signature levels bear "
       "that out."}},
     .smear = INV_SMEAR_STATE},
    {"H03",
     "Every object type stands under its own index, and its methods are code of loaded modules; those of the types "
     "that "
     "the kernel makes for processes, threads, jobs and tokens are the kernel's own.",
     "Methods are given when a type is made and never change; a type that a driver makes has methods of that driver. "
     "Where a type mixes methods of the kernel with those of a driver, that is an observation.",
     "ObTypeIndexTable against OBJECT_TYPE.Index; OBJECT_TYPE.TypeInfo against PsLoadedModuleList",
     "hooking the methods of object types",
     "T1014, T1562.001",
     "all",
     TYPES,
     inv_judge_H03,
     {{0}},
     .smear = INV_SMEAR_STATE},
    {"H04",
     "EPROCESS.DebugPort is 0 or leads to an object of the type that DbgkDebugObjectType names; PEB.BeingDebugged "
     "agrees "
     "with it.",
     "DbgkpSetProcessDebugObject sets the port to a debug object and DbgkpMarkProcessPeb writes the mark with it. The "
     "mark "
     "is the process' own to write: where it disagrees, that is an observation.",
     "EPROCESS.DebugPort against OBJECT_HEADER.TypeIndex and against PEB.BeingDebugged",
     "a forged debug port that keeps debuggers away; hiding a debugger",
     "T1622",
     "all",
     TYPES,
     inv_judge_H04,
     {{0}},
     .smear = INV_SMEAR_STATE,
     .judge_inside = inv_judge_debug_mark},
    {"H05",
     "ObpKernelHandleTable is System's ObjectTable.",
     "The kernel's own table is made before any process and becomes that of System.",
     "ObpKernelHandleTable against EPROCESS.ObjectTable of *PsInitialSystemProcess",
     "giving the kernel, or System, another handle table",
     "T1014",
     "all",
     TYPES "; seen in a real dump of 19041",
     inv_judge_H05,
     {{0}},
     .smear = INV_SMEAR_LIFE},
    {"H06",
     "A handle table, and PspCidTable, counts as many handles as it has used entries.",
     "Taking an entry from a list of free ones counts it, giving it back counts it off.",
     "HANDLE_TABLE.HandleCount, or the sum of FreeLists[].HandleCount, against the entries",
     "clearing an entry, so that nobody sees the handle or identifier",
     "T1014",
     "all",
     TYPES,
     inv_judge_H06,
     {{0}},
     .smear = INV_SMEAR_STATE},
    {"S01",
     "A process whose ExceptionPortData leads to the port of its session's csrss has a record on that csrss's list; "
     "whoever runs a program of Windows has both; and whoever is on a csrss's list is in its session.",
     "CsrCreateProcess enters the record and sets the port. A process that was made without kernel32 has neither: that "
     "is an observation, and so is a record of a native program, which CreateProcess refuses to run, and one of "
     "another "
     "session where the kernel does not note that it was asked for from there.",
     "EPROCESS.ExceptionPortData and Session against csr-list; SECTION_IMAGE_INFORMATION.SubSystemType",
     "unlinking the record in csrss; creating processes past the subsystem; moving a process to another session",
     "T1014, T1106",
     "all",
     CSRSS,
     inv_judge_S01,
     {{"root", "The process owns the port to which most exception ports of its session lead: it is csrss, and its own "
               "record is the head of the list."},
      {"no-session", "EPROCESS.Session and ExceptionPortData are 0, and csrss has no record: it is nobody's client."},
      {"minimal", "ExceptionPortData is 0, and the role of a process without program is proved."},
      {"not-started",
       "ExceptionPortData is 0, and it has neither a thread nor an exit time: csrss is told of a process when its "
       "first thread is there. So are snapshots. Or none of its threads has run (KTHREAD.State is Initialized), or its "
       "loader has not begun: PEB.Ldr is 0, and it has one thread and the images that the kernel maps."},
      {"native",
       "ExceptionPortData is 0, neither the image's section nor its header says the subsystem of Windows, and the "
       "process has neither windows, graphics nor a console, nor an image of its own beside ntdll that most clients of "
       "csrss map."},
      {"starting",
       "No record of it is in csrss's memory, its one thread is suspended, and no image is mapped but those that the "
       "kernel maps itself: its creator has not told csrss of it yet, or csrss has set the port and enters it just "
       "now."},
      {"crossed",
       "CrossSessionCreate is set: somebody of another session asked for it. Whose csrss is told then is not "
       "verified."},
      {"exited",
       "ExitTime is set, and no thread is left, or ActiveThreads and ObjectTable are 0: csrss drops its record "
       "with the connection, and the port stays until deletion."}},
     .smear = INV_SMEAR_LIFE,
     .judge_inside = inv_judge_unregistered},
    {"S02",
     "The handle in each record on csrss's list leads in csrss's own table to the process that has the record's PID.",
     "CsrCreateProcess keeps the handle for as long as the record, so that the process cannot be deleted before.",
     "csr-list against handles and EPROCESS.UniqueProcessId",
     "forging the PID or the handle of a record",
     "T1014",
     "all",
     CSRSS,
     inv_judge_S02,
     {{"root", "csrss's own record has NtCurrentProcess() for its handle."}},
     .smear = INV_SMEAR_LIFE},
    {"S03",
     "Each thread that csrss knows is the one to which its handle leads, with the same TID, PID and CreateTime; and "
     "one "
     "whose handle is open is on the list of its process.",
     "CsrCreateThread keeps the handle for as long as the record. That a thread has no record says nothing: which "
     "threads csrss is told of from Windows 8 on is not verified.",
     "CSR_THREADs in csrss's memory against handles and ETHREAD",
     "unlinking or forging a thread's record in csrss",
     "T1014",
     "all",
     CSRSS,
     inv_judge_S03,
     {{"ended", "ETHREAD.Terminated is set: csrss takes the record off its lists and then closes the handle."}},
     .smear = INV_SMEAR_LIFE},
    {"S04",
     "ExceptionPortData is 0, or leads to an ALPC port of the csrss of the process' session; of a process on that "
     "csrss's list it is not 0.",
     "csrss sets it with the record, and the kernel refuses to set it again. That a process on the list has none, or "
     "one that is not has another's, is an observation where nobody has verified that csrss sets it: between Windows 8 "
     "and 10 1909, and from Windows 11 on.",
     "EPROCESS.ExceptionPortData against ALPC_PORT.OwnerProcess, the majority of the session, and csr-list",
     "clearing the exception port or leading it to another",
     "T1014",
     "all",
     CSRSS,
     inv_judge_S04,
     {{"root", "The process is csrss, proved as in S01: whether it has an exception port itself is not verified."},
      {"deleting", "Being deleted: PspProcessDelete lets go of the port."}},
     .smear = INV_SMEAR_LIFE},
    {"S05",
     "A process with a Win32Process is the one that this W32PROCESS names, with its PID, and every W32PROCESS in use "
     "is that "
     "of a process which leads to it; and, as an observation, a process whose PEB has a table of what win32k calls in "
     "user mode has one, and one with a thread that made USER calls maps an image with such a table.",
     "AllocateW32Process writes the process into the block, and the block into the process, once; both go when it "
     "exits. user32 makes itself known to win32k and then enters its table into the PEB (ReactOS), which is the "
     "process' own to write; and from 1607 on USER calls can be made without it, by win32u.",
     "EPROCESS.Win32Process against W32PROCESS.Process, W32Pid (to 1803) and the block's tag, read through the page "
     "tables "
     "of a process of the session; win32k against EPROCESS.Win32Process; PEB.KernelCallbackTable, and VADs against the "
     "images in which such tables of at least three processes lie. From 1903 on, a freed block may look as if it "
     "were in use: what only it says is an observation",
     "a forged or copied EPROCESS, a forged pointer to W32PROCESS",
     "T1014",
     "all",
     "read in the code of AllocateW32Process of ten builds; W32Pid by a published description",
     inv_judge_S05,
     {{"exiting",
       "The process has an exit time or no active thread, or has lost its W32PROCESS and a thread of it terminates: "
       "win32k's call-out takes its state away."},
      {"clone", "It has neither a thread nor an exit time: a snapshot has the memory of the process that it is of."}},
     .smear = INV_SMEAR_LIFE,
     .judge_inside = inv_judge_window_routines},
    {"S06",
     "A thread with a Win32Thread is the one that this THREADINFO names, which leads to the W32PROCESS of the thread's "
     "process; and, as an observation, it is what the thread's TEB has noted.",
     "win32k makes both when the thread makes its first USER call, and threads do not change their process.",
     "KTHREAD.Win32Thread against THREADINFO.pEThread and ppi, which is found by a vote of all GUI threads, and "
     "EPROCESS.Win32Process; against TEB.Win32ThreadInfo to 1607",
     "a false GUI thread, a forged EPROCESS",
     "T1014",
     "all; with fewer than three GUI threads that agree it is unknown",
     "published offsets of 7, 8 and 15063 and later; else by the vote",
     inv_judge_S06,
     {{"exiting", "The thread is terminated and does not wait for what it asked for, or its process has an exit time "
                  "or no active thread."}},
     .smear = INV_SMEAR_LIFE,
     .judge_inside = inv_judge_window_threads},
    {"S07",
     "The DXGPROCESS to which a process leads names that process, and every DXGPROCESS in use is that of a process "
     "which "
     "leads to it.",
     "CreateDxgProcess writes both at the first graphics call; System's own is that of dxgkrnl.",
     "EPROCESS.DxgProcess (to 8.1 W32PROCESS.DxProcess) against DXGPROCESS, where the process stands at +38 or +30 by "
     "a "
     "vote of all; dxgkrnl against these pointers. From 1903 on, a freed block may look as if it were in use: what "
     "only "
     "it says is an observation",
     "a forged or copied EPROCESS",
     "T1014",
     "all but 10240 and 10586, of which it is not known what leads from a process there; with fewer than three that "
     "agree it "
     "is unknown",
     "read in the code of CreateDxgProcess and of DXGPROCESS' constructor",
     inv_judge_S07,
     {{"exiting", "The process has an exit time or no active thread."},
      {"virtual-machine",
       "The process runs a virtual machine (VmContext or VmProcessorHost): it has several, and leads to "
       "one of them."}},
     .smear = INV_SMEAR_LIFE},
    {"S08",
     "A thread on the list of a desktop has the THREADINFO that is linked there, and belongs to a process of the "
     "desktop's "
     "session that is on PsActiveProcessHead.",
     "Threads are on a desktop from SetThreadDesktop, or their first USER call, until they end.",
     "tagDESKTOP.PtiList, by the eyes of its session, against KTHREAD.Win32Thread, EPROCESS.Session and "
     "PsActiveProcessHead; the offsets by a vote of all entries. That a thread is on no desktop says nothing: services "
     "need "
     "none",
     "hiding a process with windows",
     "T1014, T1564",
     "all; with fewer than three entries that agree it is unknown",
     "published offsets of 8 and of 15063 and later; else by the vote",
     inv_judge_S08,
     {{"exiting", "The thread is terminated and does not wait for what it asked for, or its process has an exit time "
                  "or no active thread."}},
     .smear = INV_SMEAR_LIFE},
    {"S09",
     "ExpDefaultErrorPortProcess is the csrss of its session, and nobody in the session bears the name of its csrss.",
     "The csrss of session 0 takes the hard errors that nobody else takes. A name proves nothing: the second half is "
     "an observation.",
     "ExpDefaultErrorPortProcess (up to 8.1 a global, from 1607 on in PspHostSiloGlobals) against the owner of the "
     "session's exception port",
     "a false csrss",
     "T1036.005",
     "7 to 8.1, 14393 and later",
     CSRSS,
     inv_judge_S09,
     {{0}},
     .smear = INV_SMEAR_LIFE},
    {"S10",
     "EPROCESS.Job is set exactly when that job's list, and no other's, shows the process; every job, also one that "
     "only the pass over memory finds, is on PspJobList and counts as many active processes as its list shows; a job "
     "within another is on that one's list of its children, and no other job is.",
     "Assigning a process to a job sets the pointer and links it together; a thread-less process may have left.",
     "EPROCESS.Job against job-list; EJOB.ActiveProcesses against the members without JobNotReallyActive; "
     "EJOB.ParentJob against ChildJobListHead; pool against job-list",
     "taking a process out of its job, or hiding the job",
     "T1014",
     "7 and later",
     TYPES,
     inv_judge_S10,
     {{"exited", "The process has an exit time and no thread: it leaves its job."},
      {"not-inserted",
       "Flags.ProcessInserted is clear and there is no thread: the process is being created or deleted."},
      {"nested",
       "Another job has this one for its parent, and its counter is at least what its own list shows and at most what "
       "its list and those of all jobs within it show."},
      {"new-job", "A job that only the pass over memory finds has no handle and no process: it is being created."},
      {"assigning",
       "JobLinks is zero, which one that was ever linked leaves behind nowhere, and the job's counter agrees "
       "with its list: the pointer is set before the list is entered."}},
     .smear = INV_SMEAR_LIFE},
    {"S11",
     "EPROCESS.ServerSilo is the innermost server silo among the job of the process and the jobs around it, a silo "
     "that "
     "has globals; and the leader and the csrss that the globals of a silo, or of the host, name are processes of it, "
     "and so are the clients of its csrss.",
     "Which silo a process is in follows from its job; the field keeps the answer. A silo starts its own session "
     "manager and csrss.",
     "EPROCESS.ServerSilo and Job; EJOB.ParentJob and ServerSiloGlobals; MiSessionLeaderProcess and "
     "ExpDefaultErrorPortProcess of ESERVERSILO_GLOBALS; csr-list",
     "leaving a container: ServerSilo cleared, or the job's pointer led to one of the host's",
     "T1611",
     "Windows 10 1809 and later",
     PRACTICE,
     inv_judge_S11,
     {{"exited", "The process has an exit time and no thread: it leaves its job."},
      {"not-inserted",
       "Flags.ProcessInserted is clear and there is no thread: the process is being created or deleted."}},
     .smear = INV_SMEAR_LIFE},
    {"S12",
     "What a process owns leads back to it: the context of WNF on the list that names a process is the one that "
     "EPROCESS.WnfContext leads to, and a timer on a thread's list is on that of the thread that its APC names. A port "
     "or registration to which others have handles and not the process that it names is an observation.",
     "Both pointers are written together, and a timer enters the list of the thread whose APC it has. Handles can be "
     "duplicated, so that of ports and registrations others may have them. That such a process is on "
     "PsActiveProcessHead is L15's. A process that asks for a resolution of timers no more keeps its links, so that "
     "these say nothing.",
     "wnf against EPROCESS.WnfContext; timers against ETHREAD.ActiveTimerListHead; alpc-ports and etw-registrations "
     "against handles",
     "blaming another process",
     "T1014",
     "7 and later; contexts of WNF from Windows 10 1903 on",
     PRACTICE,
     inv_judge_S12,
     {{"exited", "The process has an exit time and no thread: it gives back what it owns."},
      {"not-inserted",
       "Flags.ProcessInserted is clear and there is no thread: the process is being created or deleted."}},
     .smear = INV_SMEAR_LIFE},
    {"C01",
     "The routines registered for processes, threads, images and the registry are as many as are counted, the mask "
     "lets "
     "the kernel call them, and each is code of a loaded module.",
     "Registering writes slot, count and mask, removing slot and count; the mask is never taken back. A driver is "
     "listed "
     "before its code runs, and takes back what it registered before it is unloaded. A difference that no more threads "
     "of "
     "System can account for than run at that moment is unknown. A routine that returns at once, or begins with a jump "
     "into another module, is an observation.",
     "PspCreateProcess-, PspCreateThread- and PspLoadImageNotifyRoutine, their counts and PspNotifyEnableMask; "
     "CallbackListHead and CmpCallBackCount; PsLoadedModuleList",
     "clearing slots or the mask, leading routines elsewhere",
     "T1562.001",
     "all",
     PRACTICE,
     inv_judge_C01,
     {{0}},
     .smear = INV_SMEAR_STATE},
    {"C02",
     "A module that imports what registers callbacks of a kind has one of that kind, and a slot leads to each block of "
     "a "
     "routine to which a slot has references.",
     "It imports the function to call it; it may not have done so, or have taken it back. References to a block are "
     "taken "
     "before a slot leads there, and given back when it does so no more; which slots there are is not verified.",
     "import directories of PsLoadedModuleList's modules against what is registered; blocks of pool with the tag Cbrb "
     "against the slots of the kernel's data",
     "removing callbacks with all that counts them",
     "T1562.001",
     "all",
     PRACTICE,
     inv_judge_C02,
     {{0}},
     .smear = INV_SMEAR_STATE,
     .weight = INV_HINT},
    {"C03",
     "Handles to processes and threads can be watched: both types support it, whoever is on a type's list is enabled, "
     "and "
     "leads to code of a loaded module.",
     "ObRegisterCallbacks enables what it has put on the lists; nothing disables it but its removal. An entry that was "
     "registered together with a listed one, and is on no list itself, is an observation.",
     "OBJECT_TYPE.CallbackList and SupportsObjectCallbacks against PsLoadedModuleList",
     "unlinking or disabling callbacks, clearing the type's support of them",
     "T1562.001",
     "all",
     PRACTICE,
     inv_judge_C03,
     {{0}},
     .smear = INV_SMEAR_STATE},
    {"C04",
     "The threat intelligence provider is enabled when a session has it enabled.",
     "The kernel derives the one from the other; nobody has verified at which moment.",
     "ETW_GUID_ENTRY.ProviderEnableInfo against its EnableInfo and ETW_REG_ENTRY.EnableMask",
     "silencing the provider",
     "T1562.006",
     "17763 and later",
     PRACTICE,
     inv_judge_C04,
     {{"no-consumer", "No session has the provider enabled, and its registration is for none."}},
     .smear = INV_SMEAR_STATE,
     .weight = INV_HINT},
    {"C05",
     "All functions of SeCiCallbacks are code of one loaded module, and not of the kernel.",
     "That module fills the table when the system starts, and nothing changes it later.",
     "SeCiCallbacks against PsLoadedModuleList",
     "disabling the enforcement of signatures of drivers",
     "T1553.006",
     "9600 and later",
     PRACTICE,
     inv_judge_C05,
     {{0}},
     .smear = INV_SMEAR_STATE},
    {"C06",
     "The callouts of the window manager and of the provider of pico processes are code of loaded modules that are not "
     "the "
     "kernel, all of the provider's of one; and there is a provider if there is a pico process.",
     "win32k and the provider register them when they start.",
     "PsWin32CallBack and PspPicoProviderRoutines against PsLoadedModuleList; EPROCESS.PicoContext",
     "hijacking callouts, pretending to be a pico process",
     "T1014",
     "9600 and later; of pico processes 14393 and later",
     PRACTICE,
     inv_judge_C06,
     {{0}},
     .smear = INV_SMEAR_STATE},
};

static const struct inv_left_out left_out[] = {
    {"X07", "CreateReported, NewProcessReported and ExitProcessReported agree with what the process has done.",
     "What these flags mean is known from their names alone. Whether processes whose threads all belong to the kernel "
     "get "
     "them, and whether they stand for callbacks or for events that are traced, nobody has verified: neither agreement "
     "nor "
     "contradiction would say anything."},
    {"K10", "The counter of tokens is the number of tokens.", "It is judged as a part of L13."},
    {"T09, in part", "The pages of a kernel stack are those of a kernel stack by their PFN entries.",
     "Which bits of a PFN entry say so, and in which build, nobody has verified."},
    {"T11, T12 and T19, in part", "The 32-bit TEB and stack of a thread of WOW64 agree with the kernel's records.",
     "Only the 64-bit TEB is read. A thread that was interrupted in 32-bit code is unknown in T19."},
    {"T20, in part", "The calls that led a thread to where it is are calls, from code of images.",
     "Stacks are not unwound. A thread that was sent to code of an image looks like any other."},
    {"T21, in part", "A special APC of user mode is queued as Windows queues it.",
     "In which queue, and with which mode, these stand is not verified, so that only what they run is judged."},
    {"I05, in part", "The drive of the path that a process claims is the volume that its program stands on.",
     "Which letter stands for which volume is not learned: paths are compared without it."},
    {"I09, in part", "The code of a program is the same in its image and in its file.",
     "Only the first page is compared. The others would have to be compared without what is relocated in them."},
    {"I11, in part", "A module that is on no list has been unlinked.",
     "The tables by which the loader finds modules by name and by address are not read, so that code of an image on no "
     "list is proof only where the process has changed its pages."},
    {"I14, in part", "The command line is that with which the process was started.",
     "No copy of it in kernel memory is known that stays."},
    {"K04, in part", "A token is on the TokenList of its logon session.",
     "No field of a token is known that such a list could go through, and Windows keeps it only where it was told to "
     "look for "
     "tokens that leak."},
    {"L04, in part", "A session counts as many processes as its list shows.",
     "What besides processes counts in ProcessReferenceToSession and ReferenceCount of a session is not verified; "
     "invar "
     "sessions shows the first."},
    {"P01, in part", "A parent had not exited when its child was created.",
     "Whether Windows refuses a parent that has exited but is still referenced is not verified."},
    {"P06, in part", "The session manager and lsass are those that the kernel's pointers lead to.",
     "No pointer to them is known. Names prove nothing. csrss is proved in S09."},
    {"S03, in part", "Each thread of a client is known to its csrss.",
     "Which threads csrss is told of from Windows 8 on is not verified."},
    {"S09, in part", "The port of csrss is the object \\Sessions\\n\\Windows\\ApiPort.",
     "That name is not verified: what counts is to which port the processes of the session lead."},
    {"H03, in part", "Every type is in the directory of types.", "Directories of objects are not read."},
    {"C01, in part", "The mask of notifications has no bit without a routine.",
     "No bit is taken back when the last routine is removed."},
    {"C05, in part", "g_CiOptions asks for signatures.", "It is a global of CI.dll, whose symbols are not known."},
    {"C05 and C06, in part", "The module that the kernel calls is the right one.",
     "Only its name would say so, and whoever can change the table can load a driver of that name."},
};

size_t inv_left_out_count(void)
{
	return sizeof left_out / sizeof left_out[0];
}

const struct inv_left_out *inv_left_out(size_t index)
{
	return &left_out[index];
}

size_t inv_invariant_count(void)
{
	return sizeof catalogue / sizeof catalogue[0];
}

const struct inv_invariant *inv_invariant(size_t index)
{
	return &catalogue[index];
}

const struct inv_invariant *inv_invariant_by_id(const char *id)
{
	for (size_t i = 0; i < inv_invariant_count(); i++)
		if (strcasecmp(catalogue[i].id, id) == 0)
			return &catalogue[i];
	return NULL;
}
