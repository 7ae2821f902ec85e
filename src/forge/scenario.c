// SPDX-License-Identifier: Apache-2.0
// The words of a scenario. Each acts at once on the machine, which the first word that needs it makes.
#include "forge/scenario.h"

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <string.h>

#include "base/bytes.h"
#include "forge/csrss.h"
#include "forge/pfn.h"
#include "forge/words.h"
#include "forge/world.h"

#define PROCESS "invar.process"
#define THREAD "invar.thread"
#define PAGE INV_RAM_PAGE
#define SYSTEM_PID 4u
#define HEADERS 0x80u // more than stands before an object
#define BOTH "both clean() and breaks()"

const struct inv_forge_word inv_forge_words[] = {
    {"machine",
     "machine{kernel=, cpus=, memory=, seed=, levels=, encoded_kdbg=, large_pages=, kva_shadow=, type_lists=, "
     "all_headers=, system_time=, up_time=}",
     "says what the machine is like; before any other word; type_lists: the system keeps lists of all objects of each "
     "type; "
     "all_headers: every object has every optional header",
     false},
    {"process",
     "process{name=, pid=, parent=, creator=, threads=, session=, state=, minimal=, gui=, wow64=, path=, protection=, "
     "created=, exited=, exit_status=, role=, clone_of=, big=, modules=, command_line=, breakaway=, user=, "
     "integrity=, elevated=, appcontainer=, restricted=, service=, csrss=, registered=, graphics=, "
     "subsystem=}",
     "creates a process and returns it; state is running, zombie, or where creation (c0 to c3) or deletion (d1, d2) "
     "stopped; role is registry, memory-compression or secure-system; clone_of is the process that it is a snapshot "
     "of; modules: so many DLLs beside those of every process; gui: it has made USER calls; graphics: calls of "
     "graphics, "
     "too, as GUI processes have unless it is false; big: true or "
     "\"reused\", its object lies in a block of a page or more, at an address that was used before; creator: who asked "
     "for it, if not the parent; breakaway: it does not enter its parent's job; "
     "user is system, "
     "localservice, "
     "networkservice, administrator or user (by itself system without a session and in session 0, else administrator); "
     "integrity is untrusted, low, medium, high, system or a number; elevated: not filtered by UAC; appcontainer, "
     "restricted: in a sandbox; service: it runs the service of this name, whose SID is in its token; csrss: it is the "
     "csrss of its session, whose processes are its clients; registered = "
     "false: csrss is not told of it; subsystem: native, windows or console, by the header of its program, which is "
     "one "
     "for all who run it",
     false},
    {"freed", "freed{name=, pid=, ..., overwritten=}",
     "what is left in freed pool of a process that was deleted; overwritten: other data stands over its second half",
     false},
    {"fill", "fill(address)", "memory below this physical address that was never used holds data without meaning",
     false},
    {"acquire", "acquire(percent)",
     "the image is taken while the machine runs, by rising address, and this part of physical memory is read by now",
     false},
    {"desktop", "desktop()",
     "creates a small desktop; returns system, smss, csrss, winlogon, explorer, notepad and cmd", false},
    {"live", "live{operations=, seed=}",
     "lays out a machine on which processes came and went by chance, one of them still in creation; before other "
     "processes",
     false},
    {"thread", "thread(process, {tid=, created=, start=, native_start=, rip=, rsp=, alertable=, teb=})",
     "creates a thread and returns it; start is Win32StartAddress, native_start StartAddress; rip and rsp: where it "
     "left user mode; alertable: it waits so; teb: false, it has none",
     false},
    {"end_thread", "end_thread(thread, {status=, deleted=})",
     "the thread terminates: on the executive's list alone while it is referenced; deleted: the last reference goes, "
     "too; "
     "with its last thread the process exits",
     false},
    {"exit", "exit(process, {status=})", "all threads of the process end, and it stays as a zombie until delete()",
     false},
    {"delete", "delete(process)", "the last references of a process that has exited go: what is left is freed pool",
     false},
    {"pass", "pass(seconds)", "time passes; nothing happens later than the image is taken", false},
    {"set_clock", "set_clock(seconds)",
     "the wall clock is set forward, or back by a negative number; or the machine slept so long", false},
    {"run", "run(cpu, thread|nil)", "the CPU runs this thread now; nil: it idles", false},
    {"attach", "attach(thread, process)", "KeStackAttachProcess: the thread uses the process's address space", false},
    {"ready", "ready(thread, {cpu=, priority=, queue=})",
     "the thread waits for a CPU: on the CPU's own lists, or queue is shared, deferred or group; false if this kernel "
     "has "
     "none",
     false},
    {"wait", "wait(thread, {cpu=})", "the thread waits on the CPU's list now, not only when the image is taken", false},
    {"job", "job({process, ...} [, parent [, name]])",
     "creates a job with these processes, nested into another, and returns its address; nil if this kernel's jobs are "
     "not known",
     false},
    {"silo", "silo({process, ...} [, job])",
     "makes a job, or a new one, a server silo with globals of its own, and puts these processes into it; its address, "
     "nil if this kernel's silos are not known",
     false},
    {"leaders", "leaders(silo|nil, leader, csrss)",
     "the globals of a silo (nil: of the host) name these processes as the leader of its sessions and as who is told "
     "of "
     "errors; false if this kernel has no such globals",
     false},
    {"session", "session(number [, {state=, console=}])",
     "what the kernel records of a session, also one without processes; its address; state is created, initialized, "
     "connected, disconnected, disconnected-logged-on, logged-on (by itself), logged-off or terminated; console: it is "
     "attached to the console, as session 1 is by itself",
     false},
    {"no_console", "no_console()", "no session is attached to the console", false},
    {"silo_sessions", "silo_sessions(silo, services [, console])",
     "the globals of a silo name the session of its services and that of its console; false if this kernel's do not",
     false},
    {"port", "port(process [, name])",
     "the process makes an ALPC port; its address, nil if this kernel's are not known", false},
    {"register_provider", "register_provider(process [, registration])",
     "user mode of the process registers an event provider, or the one that somebody else has registered; the address "
     "of the registration, nil if this kernel's are "
     "not known",
     false},
    {"subscribe", "subscribe(process)",
     "the process subscribes to a state name of WNF; the address of its context, nil if this kernel's are not known",
     false},
    {"set_resolution", "set_resolution(process)",
     "the process asks for another resolution of timers; false if this kernel's list of those is not known", false},
    {"set_timer", "set_timer(thread)",
     "the thread sets a timer with a routine; the address of the timer, nil if this kernel's are not known", false},
    {"forge_backlink", "forge_backlink(address, process|thread|value)",
     "what port(), register_provider(), subscribe() or set_timer() made leads to somebody else", true},
    {"unlink_backlink", "unlink_backlink(address|process)",
     "takes what they made off its list; a process: off that of who asked for a resolution of timers", true},
    {"big_block", "big_block{tag=, size=, process=, free=}",
     "a block of pool of a page or more, billed to a process; its address, nil if this kernel's table is not known",
     false},
    {"big_entry", "big_entry(address|process)", "the address of the entry of PoolBigPageTable for a block, or nil",
     false},
    {"token", "token({user=, session=, integrity=, elevated=, appcontainer=, restricted=, service=, level=})",
     "creates an access token that nobody has yet and returns its address; as of process{}; level, from 0 anonymous to "
     "3 "
     "delegation: one for impersonation",
     false},
    {"token_of", "token_of(process)", "the address of the primary token of a process", false},
    {"duplicate_token", "duplicate_token(token [, level])", "a copy, for impersonation if there is a level", false},
    {"assign_token", "assign_token(process, token)", "the process gets another primary token, which nobody uses",
     false},
    {"impersonate", "impersonate(thread, token [, level])",
     "the thread impersonates somebody; a primary token that nobody uses becomes one for impersonation; nil: it "
     "reverts",
     false},
    {"logon_session", "logon_session(token)", "the address of the logon session of a token", false},
    {"sid", "sid(token, index)", "the address of a SID of UserAndGroups; 0 is the user", false},
    {"map", "map(process, {address=, kind=, bytes=, file=, page=})",
     "a page of user memory; kind is private, transition, pagefile, prototype or demandzero", false},
    {"alloc", "alloc(process, {size=, protect=, at=, bytes=, reserve=, kind=, entries=})",
     "private memory with a range of its own; its address; protect is r, rw, rx, rwx, x, wc, xwc, none or guard; "
     "reserve: no page of it is committed; kind: awe or large, pages that are locked in memory, these of 2 MiB; "
     "entries: what PFN entries of awe name, own or "
     "stale PTEs",
     false},
    {"map_file", "map_file(process, path|nil, {size=, protect=, at=, bytes=, offset=})",
     "a view of a file as data, or of a section that the page file backs; its address", false},
    {"load", "load(process, \"name.dll\"|path [, {at=, link=, managed=}])",
     "maps an image and enters it with the loader, unless link is false; managed: it is one of .NET with native code; "
     "its base",
     false},
    {"unload", "unload(process, base|name)", "unmaps an image, and the loader forgets it", false},
    {"unmap", "unmap(process, address)", "takes away the range that starts there; the loader is not told", false},
    {"protect", "protect(process, address, size, protection)", "VirtualProtectEx", false},
    {"page_state", "page_state(process, address, state)",
     "what becomes of a page that nobody touches: transition, paged, demand or compressed; false if it cannot", false},
    {"module", "module(process, name [, export|\".section\"])",
     "the base of an image that is mapped, or the address of an export or a section", false},
    {"vad", "vad(process, address)",
     "the address of the VAD around an address, where its range starts and ends; or nil", false},
    {"read_memory", "read_memory(process, address, size)", "bytes that the process sees", false},
    {"queue_apc", "queue_apc(thread, {mode=, routine=, context=, argument=, kernel_routine=, pending=, io=})",
     "queues an asynchronous procedure call (mode is user or kernel) and returns the address of its KAPC; pending: it "
     "is "
     "delivered at the next return to user mode; io: of an I/O request",
     false},
    {"suspend", "suspend(thread [, count])", "NtSuspendThread, so often; 0: it is suspended no more", false},
    {"freeze", "freeze(process)", "all threads of the process stand still, as those of an app that nobody looks at",
     false},
    {"fiber", "fiber(thread [, {teb=}])",
     "the thread runs on another stack and its TEB says so, unless teb is false; the base of that stack", false},
    {"debug", "debug(debugger, process)",
     "the one debugs the other: a debug object, the handle to it, DebugPort and BeingDebugged; handle and object",
     false},
    {"link_module", "link_module(process, name [, {list, ...}])",
     "the loader enters an image that is mapped; lists are load, memory and initialization, all if none is named",
     false},
    {"open", "open(process, object [, access [, handle]])",
     "the process opens a handle to a process, thread, token, job or object() and gets it, with all rights if none are "
     "said; handle: this one, a multiple of 4",
     false},
    {"object", "object(\"DebugObject\"|\"Event\"|\"Mutant\"|\"Key\")",
     "an object that is empty (a key: of \\REGISTRY\\MACHINE\\SOFTWARE) and to which no handle leads yet; its address",
     false},
    {"key", "key(path [, {wide=}])",
     "a Key object of the key at this path (\\REGISTRY\\MACHINE\\...), to which no handle leads yet; its address, nil "
     "if this "
     "kernel's are not known; wide: its name has two bytes a character",
     false},
    {"key_block", "key_block(path)", "the address of the key control block of a path; nil as with key()", false},
    {"hive", "hive(path, {[\"Key\\\\Key\"] = {Value = text|number, ...}, ...})",
     "mounts a hive with these keys; the address of its CMHIVE, nil if this kernel's hives are not known; from Windows "
     "10 1803 on its cells are mapped into the Registry process, which is made if there is none",
     false},
    {"registry", "registry({[sid] = path, ...}, {service, ...})",
     "mounts the hives SOFTWARE and SYSTEM with profiles and services; the addresses of both", false},
    {"hive_cell", "hive_cell(hive, path)", "the offset of a key's cell in its hive", false},
    {"write_hive", "write_hive(hive, offset, bytes)", "writes bytes into a hive, by the offset in it", true},
    {"trim_hive", "trim_hive(hive [, from [, to]])", "the pages of a hive between these offsets leave memory", false},
    {"entry", "entry(process, handle)", "the address of the entry of a handle", false},
    {"close", "close(process, handle)", "closes a handle", false},
    {"duplicate", "duplicate(process, handle, other [, access])", "the other process gets a handle to the same object",
     false},
    {"object_type", "object_type(\"Process\"|\"Thread\"|\"Token\"|\"Job\")", "the address of an OBJECT_TYPE", false},
    {"csr_record", "csr_record(process|thread)",
     "the address of csrss's record of a process or thread, in csrss's memory, and its handle", false},
    {"csr_forget", "csr_forget(process|thread)",
     "csrss drops its record and closes the handle, as when the process or thread has ended", false},
    {"csr_port", "csr_port(process)", "an ALPC port without a name that the process owns; its address", false},
    {"api_port", "api_port(process)", "the address of the port of the csrss of the process' session, or nil", false},
    {"driver", "driver(name [, {import, ...}])",
     "the kernel loads a driver that imports these functions of it; its base", false},
    {"unload_driver", "unload_driver(name)", "the kernel unloads a driver, and remembers where it stood", false},
    {"register", "register(kind, module [, {altitude=, types=}])",
     "a module registers a routine: process, process_ex, thread, thread_other (of threads that are not the system's), "
     "image, registry, object, ci (SeCiCallbacks), win32, pico, type (an object type of its own), or of what is no "
     "process: bug_check, bug_check_reason, bug_check_pages, shutdown, last_shutdown, file_system, debug_print, "
     "profile, "
     "device_class, soft_restart, target_device, other_slot; false if it cannot",
     false},
    {"unregister", "unregister(module)", "a module takes back all that it registered", false},
    {"callback", "callback(kind [, n])",
     "of the nth of a kind: its slot or entry, where the pointer to its routine stands, the routine, and the module's "
     "name",
     false},
    {"routine", "routine(module)", "the address of one more routine of a module", false},
    {"threat_provider", "threat_provider()",
     "the address of the ETW_GUID_ENTRY of the threat intelligence provider, or nil", false},
    {"w32process", "w32process(process)", "the address of its W32PROCESS in session space, or nil", false},
    {"threadinfo", "threadinfo(thread)", "the address of its THREADINFO in session space, or nil", false},
    {"dxgprocess", "dxgprocess(process)", "the address of its DXGPROCESS, or nil", false},
    {"make_dxgprocess", "make_dxgprocess(process)",
     "one more DXGPROCESS that names the process, as a worker of virtual machines has them; its address", false},
    {"copy_w32process", "copy_w32process(process)", "one more W32PROCESS with the same content; its address", false},
    {"w32_offset", "w32_offset(\"ppi\"|\"PtiLink\"|\"PtiList\"|\"dxg\")",
     "where these stand in THREADINFO, tagDESKTOP and DXGPROCESS of this kernel", false},
    {"session_peek", "session_peek(process, address)", "eight bytes as the process' session sees them", false},
    {"session_poke", "session_poke(process, address, value [, whom])",
     "writes eight bytes of session space; whom: the process or thread that this is a lie about", true},
    {"forget_windows", "forget_windows(process)",
     "all that win32k and dxgkrnl have of the process goes, as at its exit, and it runs on", true},
    {"window_desktop", "window_desktop(session, name)", "the address of a desktop of a session, or nil", false},
    {"set_desktop", "set_desktop(thread, desktop|nil)", "SetThreadDesktop; nil: the thread leaves its desktop's list",
     false},
    {"find", "find(pid)", "the process with this PID; 0 is Idle, 4 is System", false},
    {"get", "get(object, \"_TYPE.Field\")", "reads a field", false},
    {"at", "at(object, \"_TYPE.Field\")", "the address of a field", false},
    {"peek", "peek(address)", "the eight bytes at a kernel address, as a number", false},
    {"has", "has(\"_TYPE.Field\")", "whether this kernel has the field", false},
    {"build", "build()", "the kernel's build number", false},
    {"symbol", "symbol(name)", "the address of a global of the kernel, or nil", false},
    {"pfn", "pfn(physical|process)", "the address of the PFN entry of a frame, or of a process's page table root",
     false},
    {"page", "page()", "a page of zeros in non-paged pool; returns its physical and its virtual address", false},
    {"prcb", "prcb(cpu)", "the address of a CPU's KPRCB", false},
    {"copy_kdbg", "copy_kdbg()", "a copy of KDDEBUGGER_DATA64 in clear, in a page of pool; its address", false},
    {"copy_kernel", "copy_kernel()", "a second image of the kernel, headers and names only, in pool; its address",
     false},
    {"image_time", "image_time()", "when the image is taken, as FILETIME; boot_time() likewise", false},
    {"seconds", "seconds(n)", "n seconds in units of FILETIME", false},
    {"clean", "clean()", "nothing in this scenario may be reported", false},
    {"breaks", "breaks(\"ID\", ...)", "the last attack must be reported as these broken invariants", false},
    {"excused", "excused(\"ID\", ...)", "these invariants must be excused somewhere", false},
    {"combine", "combine(process, address, other, address)",
     "two private pages become one, as memory combining does with equal pages", false},
    {"show", "show(process, address, {kernel=, at=, write=})",
     "maps a page of the kernel for user mode as drivers do, in a range for memory of devices; at: as the kernel does "
     "itself, in a "
     "private range there",
     false},
    {"lock_ranges", "lock_ranges(process)", "AddressCreationLock is held: the ranges of the process are being changed",
     false},
    {"set", "set(object, \"_TYPE.Field\", value)", "writes a field, as DKOM does", true},
    {"write", "write(address, bytes)", "writes bytes at a kernel address", true},
    {"write_memory", "write_memory(process, address, bytes)",
     "writes what a process sees, as WriteProcessMemory does: pages of images are copied first", true},
    {"write_physical", "write_physical(address, bytes)", "writes bytes at a physical address", true},
    {"silence", "silence(kind [, n])",
     "clears the nth slot of an array of callbacks, or all; takes entries of the registry and of object types off "
     "their lists",
     true},
    {"unlink_vad", "unlink_vad(process, address, {count=, hint=, view=})",
     "takes the range around an address out of the tree; count: VadCount agrees; hint: VadHint too; view: its "
     "section's "
     "list and count of views too",
     true},
    {"set_vad", "set_vad(process, address, {protect=, type=, start=, last=, owner=, parent=})",
     "rewrites the VAD around an address", true},
    {"set_pte", "set_pte(process, address, {write=, execute=, user=, to=, at=, physical=, large=})",
     "flips bits of a PTE of user memory, or leads it to the page of another process (to, at; 0: the kernel) or frame; "
     "large: the entry above becomes that of the page of 2 MiB around that frame",
     true},
    {"map_page", "map_page(process, address, {protect=, bytes=})",
     "maps a page by page tables alone: no range covers it", true},
    {"open_kernel", "open_kernel(process, address)", "lets user mode reach a page of the kernel half", true},
    {"fork_table", "fork_table(process, address)",
     "gives the process a table of its own for what the root maps around an address of the kernel half", true},
    {"count_views", "count_views(process, address, step)",
     "adds to the number of views of the section that the range around an address maps", true},
    {"context", "context(thread, {rip=, rsp=})", "writes where a thread left user mode", true},
    {"peb", "peb(process, {image_path=, command_line=, image_base=, being_debugged=, routines=})",
     "routines: KernelCallbackTable; writes PEB and process parameters, those of WOW64 too; strings stand where they "
     "stood if they fit",
     true},
    {"unlink_module", "unlink_module(process, name|base [, {list, ...}])",
     "takes a module off lists of the loader: load, memory, initialization; all if none is named", true},
    {"rename_module", "rename_module(process, name|base, path)", "writes both names of a module in the loader's lists",
     true},
    {"rename_process", "rename_process(process, name [, {audit=}])",
     "writes ImageFileName; audit: SeAuditProcessCreationInfo too", true},
    {"hollow", "hollow(process, {file=, protect=, in_place=})",
     "another program stands where the process' own was: in memory of its own, as an image of the file, or written "
     "over "
     "the first; its base",
     true},
    {"ghost", "ghost(process [, {other=}])",
     "the program's file is to be deleted by the object that the process was made through, which wrote it; other: by "
     "another one",
     true},
    {"transact", "transact(process|\"name.dll\"|path)",
     "the file was opened in a transaction that is undone: what is mapped was never its content", true},
    {"herpaderp", "herpaderp(process)", "the program's file was written to after its image was made", true},
    {"sign", "sign(process, level)", "the level that the program's image is noted to be signed at", false},
    {"rename_file", "rename_file(process, path)", "the program's file gets another name, and its object knows", false},
    {"open_file", "open_file(process, path [, {write=, delete=, pending=, on_close=, related=}])",
     "the process opens a file, by an object of its own: handle and object; pending: it has asked to delete the file; "
     "on_close: the file goes with the object's last handle; related: the object of a folder that the path is relative "
     "to",
     false},
    {"unlink", "unlink(process, list)",
     "takes a process off a list: active (ActiveProcessLinks), mm, scheduler, session, job or handles", true},
    {"unlink_thread", "unlink_thread(thread, list)",
     "takes a thread off a list of its process, executive or scheduler, or off the dispatcher's", true},
    {"hide_threads", "hide_threads(process)",
     "takes all threads of a process off its lists and off PspCidTable, and makes it pass for one without threads",
     true},
    {"unlink_half", "unlink_half(process)", "takes a process off ActiveProcessLinks in the forward direction only",
     true},
    {"relink", "relink(process, after)", "moves a process in ActiveProcessLinks behind another", true},
    {"erase_cid", "erase_cid(process|thread [, counted])",
     "clears the entry of PspCidTable; counted: as the kernel itself does, which counts it off", true},
    {"copy_root", "copy_root(process, fix)",
     "copies a page table root into a page of pool; with fix its self-map entry leads to the copy; returns the "
     "physical "
     "address",
     true},
    {"steal_token", "steal_token(process, from)", "the process points at the token of another", true},
    {"overwrite_token",
     "overwrite_token(process|token, {present=, enabled=, by_default=, integrity=, session=, user=, count=, hash=})",
     "writes into a token where it stands; user and integrity: the last sub-authority of that SID; hash: SidHash "
     "agrees",
     true},
    {"plant_token", "plant_token(thread, token [, {flag=, data=, level=}])",
     "writes a token into a thread by hand; flag or data false: without that half", true},
    {"copy_token", "copy_token(token)", "a copy of its bytes in pool, which nobody made and nobody counts", true},
    {"forge_logon", "forge_logon(process|token [, id])",
     "a logon session in pool, on no list, that the token points at", true},
    {"set_owner", "set_owner(physical, process|0)", "forges the back pointer in the PFN entry of a page table root",
     true},
    {"replace_cid", "replace_cid(process|thread, object)", "puts another object into the entry of PspCidTable", true},
    {"drop_handle", "drop_handle(process, handle [, {object=, table=}])",
     "clears the entry of a handle and leaves the counts; object, table: the count of the object or of the table "
     "agrees",
     true},
    {"holding", "holding(object, process)",
     "where a file, desktop or window station counts the handles of a process; nil if it does not", false},
    {"forge_holding", "forge_holding(object, process, process|value)",
     "a file, desktop or window station counts the handles of a process as somebody else's", true},
    {"grant", "grant(process, handle, access)", "writes other rights into the entry of a handle", true},
    {"forge_type", "forge_type(process|thread, index)", "writes a type index into the object's header, encoded", true},
    {"csr_unlink", "csr_unlink(process|thread [, {hash=}])",
     "takes csrss's record of a process or thread off its list; hash false: a thread's stays among those of the same "
     "hash",
     true},
    {"csr_set", "csr_set(process|thread, field, value)",
     "writes into csrss's record: pid, tid, handle, or created of a thread", true},
    {"csr_adopt", "csr_adopt(csrss, process)",
     "a csrss gets a record of any process, with a handle to it; the address of the record", true},
    {"move_session", "move_session(process, number)",
     "leads a process to another session and takes it over to that one's list; all else stays", true},
    {"wipe_tag", "wipe_tag(process|thread)", "clears the pool header before an object", true},
    {"wipe_header", "wipe_header(process|thread)", "clears the object header", true},
    {"wipe_name", "wipe_name(process)", "clears ImageFileName and the audited path", true},
    {"header", "header{ps_active_process_head=, dtb=, kdbg=, ...}", "forges values of a crash dump's header", true},
    {"kdbg", "kdbg(offset, value)", "forges a value of KDDEBUGGER_DATA64", true},
    {NULL, NULL, NULL, false},
};

static struct inv_forge *forge_of(lua_State *lua)
{
	return lua_touserdata(lua, lua_upvalueindex(1));
}

enum inv_code inv_scenario_machine(struct inv_forge *forge, struct inv_error *error)
{
	if (forge->machine)
		return INV_OK;
	const struct inv_forge_options *options = &forge->options;
	if (options->facts)
		forge->config.facts = options->facts;
	else if (options->kernel || !forge->config.facts)
		forge->config.facts = inv_forge_find_kernel(options->kernel);
	if (!forge->config.facts || !inv_forge_can(forge->config.facts))
		return inv_forge_no_kernel(options->kernel ? options->kernel : "(default)", error);
	if (options->memory)
		forge->config.memory = options->memory;
	if (options->seed_given)
		forge->config.seed = options->seed;
	forge->machine = inv_machine_new(&forge->config, error);
	return forge->machine ? inv_machine_check(forge->machine, error) : error ? error->code : INV_E_USAGE;
}

static struct inv_machine *machine_of(lua_State *lua)
{
	struct inv_forge *forge = forge_of(lua);
	struct inv_error error = {INV_OK, ""};
	if (inv_scenario_machine(forge, &error) != INV_OK)
		luaL_error(lua, "%s", error.text);
	return forge->machine;
}

// Stops the scenario where memory ran out or a write went astray.
static void check(lua_State *lua)
{
	struct inv_error error = {INV_OK, ""};
	if (inv_machine_check(forge_of(lua)->machine, &error) != INV_OK)
		luaL_error(lua, "%s", error.text);
}

// -- values -----------------------------------------------------------------------------------------------------------------

static int push_handle(lua_State *lua, void *object, const char *kind)
{
	if (!object) {
		lua_pushnil(lua);
		return 1;
	}
	void **handle = lua_newuserdatauv(lua, sizeof object, 0);
	*handle = object;
	luaL_setmetatable(lua, kind);
	return 1;
}

static struct inv_forge_process *check_process(lua_State *lua, int index)
{
	return *(struct inv_forge_process **)luaL_checkudata(lua, index, PROCESS);
}

static struct inv_forge_thread *check_thread(lua_State *lua, int index)
{
	return *(struct inv_forge_thread **)luaL_checkudata(lua, index, THREAD);
}

// A number, or the address of a process or thread.
static uint64_t check_value(lua_State *lua, int index)
{
	struct inv_forge_process **process = luaL_testudata(lua, index, PROCESS);
	if (process)
		return (*process)->address;
	struct inv_forge_thread **thread = luaL_testudata(lua, index, THREAD);
	if (thread)
		return (*thread)->address;
	if (lua_isboolean(lua, index))
		return (uint64_t)lua_toboolean(lua, index);
	return (uint64_t)luaL_checkinteger(lua, index);
}

static bool has_key(lua_State *lua, int table, const char *key)
{
	bool present = lua_getfield(lua, table, key) != LUA_TNIL;
	lua_pop(lua, 1);
	return present;
}

static uint64_t key_value(lua_State *lua, int table, const char *key, uint64_t fallback)
{
	uint64_t value = fallback;
	if (lua_getfield(lua, table, key) != LUA_TNIL)
		value = check_value(lua, -1);
	lua_pop(lua, 1);
	return value;
}

static bool key_flag(lua_State *lua, int table, const char *key, bool fallback)
{
	bool value = fallback;
	if (lua_getfield(lua, table, key) != LUA_TNIL)
		value = lua_toboolean(lua, -1);
	lua_pop(lua, 1);
	return value;
}

// The text stays valid as long as the table does.
static const char *key_text(lua_State *lua, int table, const char *key)
{
	const char *text = NULL;
	if (lua_getfield(lua, table, key) != LUA_TNIL)
		text = luaL_checkstring(lua, -1);
	lua_pop(lua, 1);
	return text;
}

// A misspelt key would otherwise be a wish that nobody grants.
static void check_keys(lua_State *lua, int table, const char *const *known)
{
	luaL_checktype(lua, table, LUA_TTABLE);
	lua_pushnil(lua);
	while (lua_next(lua, table)) {
		lua_pop(lua, 1);
		const char *key = lua_type(lua, -1) == LUA_TSTRING ? lua_tostring(lua, -1) : "(not a name)";
		const char *const *name = known;
		while (*name && strcmp(*name, key) != 0)
			name++;
		if (!*name)
			luaL_error(lua, "'%s' is not known here%s", key, inv_word_hint(lua, key, known));
	}
}

// -- for words of other files (words.h) -------------------------------------------------------------------------------------

struct inv_machine *inv_word_machine(lua_State *lua)
{
	return machine_of(lua);
}

void inv_word_check(lua_State *lua)
{
	check(lua);
}

struct inv_forge_process *inv_word_process(lua_State *lua, int index)
{
	return check_process(lua, index);
}

struct inv_forge_thread *inv_word_thread(lua_State *lua, int index)
{
	return check_thread(lua, index);
}

uint64_t inv_word_value(lua_State *lua, int index)
{
	return check_value(lua, index);
}

uint64_t inv_word_key_value(lua_State *lua, int table, const char *key, uint64_t fallback)
{
	return key_value(lua, table, key, fallback);
}

bool inv_word_key_flag(lua_State *lua, int table, const char *key, bool fallback)
{
	return key_flag(lua, table, key, fallback);
}

const char *inv_word_key_text(lua_State *lua, int table, const char *key)
{
	return key_text(lua, table, key);
}

void inv_word_check_keys(lua_State *lua, int table, const char *const *known)
{
	check_keys(lua, table, known);
}

// -- fields -----------------------------------------------------------------------------------------------------------------

// Whether `name` of `size` bytes is one of the alternatives in `names`, which '|' separates.
static bool is_among(const char *names, const char *name, size_t size)
{
	while (*names) {
		size_t length = strcspn(names, "|");
		if (length == size && memcmp(names, name, size) == 0)
			return true;
		names += length;
		names += *names == '|';
	}
	return false;
}

// By our own name or by Windows's: "_KTHREAD.ApcStateProcess", "_KTHREAD.ApcState.Process".
static bool find_field(const char *name, enum inv_field *found)
{
	const char *dot = strchr(name, '.');
	if (!dot)
		return false;
	for (int i = 0; i < INV_FIELD_COUNT; i++) {
		const struct inv_field_info *field = inv_field_info((enum inv_field)i);
		const struct inv_type_info *type = inv_type_info(field->type);
		size_t length = (size_t)(dot - name);
		if (!is_among(type->names, name, length))
			continue;
		if (strcmp(field->name, dot + 1) != 0 && !is_among(field->names, dot + 1, strlen(dot + 1)))
			continue;
		*found = (enum inv_field)i;
		return true;
	}
	return false;
}

static enum inv_field check_field(lua_State *lua, int index)
{
	const char *name = luaL_checkstring(lua, index);
	enum inv_field field = INV_FIELD_COUNT;
	if (!find_field(name, &field))
		inv_word_no_field(lua, name);
	return field;
}

// A field that this kernel must have: an attack that does nothing would make the truth a lie.
static enum inv_field check_present_field(lua_State *lua, int index)
{
	enum inv_field field = check_field(lua, index);
	if (!inv_machine_has(machine_of(lua), field))
		luaL_error(lua, "this kernel has no field %s", luaL_checkstring(lua, index));
	return field;
}

static bool lies_in(uint64_t address, uint64_t object, uint32_t size)
{
	return object && address >= object - HEADERS && address < object + size;
}

// The process that an address is of: in its object or a thread's, the headers before it, its handle table, its root, its token; 0: none.
static uint64_t process_around(const struct inv_machine *machine, uint64_t address)
{
	uint32_t size = inv_machine_size(machine, INV_T_EPROCESS, PAGE);
	uint32_t thread = inv_machine_size(machine, INV_T_ETHREAD, PAGE / 2);
	uint32_t token = inv_machine_size(machine, INV_T_TOKEN, PAGE / 4);
	for (size_t i = 0; i < inv_count(machine->processes); i++) {
		const struct inv_forge_process *process = machine->processes[i];
		bool own = lies_in(address, process->address, size) || lies_in(address, process->handle_table, HEADERS) ||
		           (process->dtb && address - process->dtb < PAGE) ||
		           (process->user_dtb && address - process->user_dtb < PAGE) ||
		           (!process->idle && lies_in(address, inv_machine_own_token(machine, process), token));
		for (size_t j = 0; j < inv_count(process->threads) && !own; j++)
			own = lies_in(address, process->threads[j]->address, thread);
		if (own)
			return process->address;
	}
	return 0;
}

// Notes what was done, for breaks().
static void note(lua_State *lua, const char *operation, uint64_t object)
{
	struct inv_forge *forge = forge_of(lua);
	forge->operation = inv_arena_strdup(forge->machine->arena, operation);
	forge->object = object;
	forge->process = process_around(forge->machine, object);
}

static void note_lie(lua_State *lua, const char *operation, uint64_t object)
{
	struct inv_forge *forge = forge_of(lua);
	note(lua, operation, object);
	if (forge->process)
		inv_push(forge->machine->attacked, forge->process);
}

void inv_word_note(lua_State *lua, const char *operation, uint64_t object, bool lie)
{
	if (lie)
		note_lie(lua, operation, object);
	else
		note(lua, operation, object);
}

static int word_set(lua_State *lua)
{
	struct inv_machine *machine = machine_of(lua);
	uint64_t object = check_value(lua, 1);
	enum inv_field field = check_present_field(lua, 2);
	if (lua_type(lua, 3) == LUA_TSTRING) {
		size_t size;
		const char *bytes = lua_tolstring(lua, 3, &size);
		inv_machine_write(machine, inv_machine_at(machine, object, field), bytes, size);
	} else if (inv_machine_width(machine, field)) {
		inv_machine_put(machine, object, field, check_value(lua, 3));
	} else {
		luaL_error(lua, "%s is a structure: give its bytes", luaL_checkstring(lua, 2));
	}
	note_lie(lua, lua_pushfstring(lua, "set %s", luaL_checkstring(lua, 2)), object);
	check(lua);
	return 0;
}

static int word_at(lua_State *lua)
{
	struct inv_machine *machine = machine_of(lua);
	uint64_t object = check_value(lua, 1);
	lua_pushinteger(lua, (lua_Integer)inv_machine_at(machine, object, check_present_field(lua, 2)));
	return 1;
}

static int word_peek(lua_State *lua)
{
	const struct inv_machine *machine = machine_of(lua);
	uint64_t address = check_value(lua, 1);
	uint8_t bytes[8];
	if (!inv_machine_read(machine, address, bytes, sizeof bytes))
		return luaL_error(lua, "nothing stands there");
	lua_pushinteger(lua, (lua_Integer)inv_le64(bytes));
	return 1;
}

static int word_get(lua_State *lua)
{
	struct inv_machine *machine = machine_of(lua);
	uint64_t object = check_value(lua, 1);
	lua_pushinteger(lua, (lua_Integer)inv_machine_get(machine, object, check_present_field(lua, 2)));
	return 1;
}

static int word_has(lua_State *lua)
{
	struct inv_machine *machine = machine_of(lua);
	lua_pushboolean(lua, inv_machine_has(machine, check_field(lua, 1)));
	return 1;
}

static int word_write(lua_State *lua)
{
	struct inv_machine *machine = machine_of(lua);
	uint64_t address = check_value(lua, 1);
	size_t size;
	const char *bytes = luaL_checklstring(lua, 2, &size);
	inv_machine_write(machine, address, bytes, size);
	note_lie(lua, "write", address);
	check(lua);
	return 0;
}

static int word_write_physical(lua_State *lua)
{
	struct inv_machine *machine = machine_of(lua);
	uint64_t address = check_value(lua, 1);
	size_t size;
	const char *bytes = luaL_checklstring(lua, 2, &size);
	inv_ram_write(machine->ram, address, bytes, size);
	note_lie(lua, "write_physical", address);
	return 0;
}

static int word_build(lua_State *lua)
{
	lua_pushinteger(lua, machine_of(lua)->build);
	return 1;
}

static int word_symbol(lua_State *lua)
{
	struct inv_machine *machine = machine_of(lua);
	const char *name = luaL_checkstring(lua, 1);
	for (int i = 0; i < INV_SYMBOL_COUNT; i++) {
		if (strcmp(inv_symbol_name((enum inv_symbol)i), name) != 0)
			continue;
		uint64_t address = inv_machine_symbol(machine, (enum inv_symbol)i);
		if (address)
			lua_pushinteger(lua, (lua_Integer)address);
		else
			lua_pushnil(lua);
		return 1;
	}
	return inv_word_no_symbol(lua, name);
}

// -- the machine ------------------------------------------------------------------------------------------------------------

static uint64_t key_size(lua_State *lua, int table, const char *key)
{
	uint64_t size = 0;
	int type = lua_getfield(lua, table, key);
	if (type == LUA_TNUMBER)
		size = (uint64_t)luaL_checkinteger(lua, -1);
	else if (type == LUA_TSTRING && !inv_forge_parse_size(lua_tostring(lua, -1), &size))
		luaL_error(lua, "'%s' is no size", lua_tostring(lua, -1));
	lua_pop(lua, 1);
	return size;
}

static unsigned small(lua_State *lua, const char *key, uint64_t value)
{
	if (value > 100000)
		luaL_error(lua, "'%s' is out of range", key);
	return (unsigned)value;
}

static int word_machine(lua_State *lua)
{
	static const char *const known[] = {"kernel",       "cpus",        "memory",     "seed",       "levels",
	                                    "encoded_kdbg", "large_pages", "kva_shadow", "type_lists", "all_headers",
	                                    "system_time",  "up_time",     NULL};
	struct inv_forge *forge = forge_of(lua);
	if (forge->machine)
		return luaL_error(lua, "machine{} must stand before all else");
	check_keys(lua, 1, known);
	struct inv_machine_config *config = &forge->config;
	const char *kernel = key_text(lua, 1, "kernel");
	if (kernel && !forge->options.kernel && !forge->options.facts) {
		config->facts = inv_forge_find_kernel(kernel);
		struct inv_error error = {INV_OK, ""};
		if (!config->facts && inv_forge_no_kernel(kernel, &error) != INV_OK)
			return luaL_error(lua, "%s", error.text);
	}
	config->cpus = small(lua, "cpus", key_value(lua, 1, "cpus", 0));
	config->levels = small(lua, "levels", key_value(lua, 1, "levels", 0));
	config->memory = key_size(lua, 1, "memory");
	config->seed = key_value(lua, 1, "seed", config->seed);
	config->system_time = key_value(lua, 1, "system_time", 0);
	config->up_time = key_value(lua, 1, "up_time", 0);
	if (has_key(lua, 1, "encoded_kdbg"))
		config->encoded_kdbg = key_flag(lua, 1, "encoded_kdbg", false);
	if (has_key(lua, 1, "large_pages"))
		config->large_pages = key_flag(lua, 1, "large_pages", false);
	config->kva_shadow = key_flag(lua, 1, "kva_shadow", false);
	config->object_headers = key_flag(lua, 1, "all_headers", false)  ? INV_HEADER_ALL
	                         : key_flag(lua, 1, "type_lists", false) ? INV_HEADER_CREATOR
	                                                                 : 0;
	(void)machine_of(lua);
	return 0;
}

static uint64_t key_pid(lua_State *lua, int table, const char *key)
{
	uint64_t pid = 0;
	if (lua_getfield(lua, table, key) != LUA_TNIL) {
		struct inv_forge_process **process = luaL_testudata(lua, -1, PROCESS);
		pid = process ? (*process)->pid : (uint64_t)luaL_checkinteger(lua, -1);
	}
	lua_pop(lua, 1);
	return pid;
}

static enum inv_forge_role key_role(lua_State *lua, int table)
{
	const char *role = key_text(lua, table, "role");
	static const char *const names[] = {"none", "registry", "memory-compression", "secure-system", NULL};
	return role ? (enum inv_forge_role)inv_word_choose(lua, role, "role", names) : INV_ROLE_NONE;
}

static enum inv_forge_stage stage_of(lua_State *lua, const char *state)
{
	static const char *const names[] = {"running", "c0", "c1", "c2", "c3", "d1", "d2", "zombie", NULL};
	if (!state || strcmp(state, "zombie") == 0)
		return INV_STAGE_WHOLE;
	return (enum inv_forge_stage)inv_word_choose(lua, state, "state", names);
}

// 0: it does not say.
static unsigned key_subsystem(lua_State *lua, int index)
{
	static const char *const names[] = {"native", "windows", "console", NULL};
	const char *name = key_text(lua, index, "subsystem");
	return name ? inv_word_choose(lua, name, "subsystem", names) + 1 : 0; // IMAGE_SUBSYSTEM_...
}

static struct inv_process_wish read_wish(lua_State *lua)
{
	const char *state = key_text(lua, 1, "state");
	enum inv_forge_stage stage = stage_of(lua, state);
	struct inv_process_wish wish = {
	    .name = key_text(lua, 1, "name"),
	    .path = key_text(lua, 1, "path"),
	    .pid = key_pid(lua, 1, "pid"),
	    .parent = has_key(lua, 1, "parent") ? key_pid(lua, 1, "parent") : SYSTEM_PID,
	    .creator = key_pid(lua, 1, "creator"),
	    .session = has_key(lua, 1, "session") ? (int)small(lua, "session", key_value(lua, 1, "session", 0)) : -1,
	    .created = key_value(lua, 1, "created", 0),
	    .exited = key_value(lua, 1, "exited", 0),
	    .exit_status = (uint32_t)key_value(lua, 1, "exit_status", 0),
	    .protection = has_key(lua, 1, "protection") ? (int)(key_value(lua, 1, "protection", 0) & 0xff) : -1,
	    .zombie = (state && strcmp(state, "zombie") == 0) || stage >= INV_STAGE_D1,
	    .stage = stage,
	    .minimal = key_flag(lua, 1, "minimal", false),
	    .breakaway = key_flag(lua, 1, "breakaway", false),
	    .csrss = key_flag(lua, 1, "csrss", false),
	    .unregistered = !key_flag(lua, 1, "registered", true),
	    .gui = key_flag(lua, 1, "gui", false),
	    .graphics = key_flag(lua, 1, "graphics", key_flag(lua, 1, "gui", false)),
	    .wow64 = key_flag(lua, 1, "wow64", false),
	    .role = key_role(lua, 1),
	    .subsystem = key_subsystem(lua, 1),
	};
	wish.command_line = key_text(lua, 1, "command_line");
	wish.token = inv_word_token_wish(lua, 1);
	wish.modules = small(lua, "modules", key_value(lua, 1, "modules", 0));
	wish.big = key_flag(lua, 1, "big", false);
	wish.reused = wish.big && lua_getfield(lua, 1, "big") == LUA_TSTRING;
	lua_settop(lua, 1);
	if (lua_getfield(lua, 1, "clone_of") != LUA_TNIL)
		wish.clone_of = check_process(lua, -1);
	lua_pop(lua, 1);
	wish.threads = small(lua, "threads", key_value(lua, 1, "threads", wish.zombie || stage || wish.clone_of ? 0 : 1));
	if (!wish.name)
		luaL_error(lua, "a process needs a name");
	return wish;
}

static struct inv_forge_process *make_process(lua_State *lua, const struct inv_process_wish *wish)
{
	struct inv_machine *machine = machine_of(lua);
	struct inv_error error = {INV_OK, ""};
	struct inv_forge_process *process = inv_machine_make_process(machine, wish, &error);
	if (!process) {
		luaL_error(lua, "%s", error.text); // does not return
		return NULL;
	}
	note(lua, "process", process->address);
	check(lua);
	return process;
}

static int word_freed(lua_State *lua)
{
	static const char *const known[] = {"name",   "path",        "pid", "parent", "session",     "created",
	                                    "exited", "exit_status", "gui", "wow64",  "overwritten", NULL};
	struct inv_machine *machine = machine_of(lua);
	check_keys(lua, 1, known);
	bool overwritten = key_flag(lua, 1, "overwritten", false);
	struct inv_process_wish wish = read_wish(lua);
	wish.zombie = true;
	wish.threads = 0;
	struct inv_forge_process *process = make_process(lua, &wish);
	if (!process)
		return 0;
	inv_machine_delete_process(machine, process);
	uint32_t size = inv_machine_size(machine, INV_T_EPROCESS, 0x1000);
	if (overwritten)
		inv_machine_overwrite(machine, process->address, size / 2 / 16 * 16, size / 2 / 16 * 16);
	check(lua);
	return push_handle(lua, process, PROCESS);
}

static int word_fill(lua_State *lua)
{
	lua_Integer bytes = luaL_checkinteger(lua, 1);
	inv_ram_fill(machine_of(lua)->ram, bytes < 0 ? 0 : (uint64_t)bytes);
	return 0;
}

static int word_acquire(lua_State *lua)
{
	lua_Integer percent = luaL_checkinteger(lua, 1);
	if (percent < 0 || percent > 100)
		return luaL_error(lua, "not a percentage");
	inv_machine_acquire(machine_of(lua), (unsigned)percent);
	check(lua);
	return 0;
}

static int word_process(lua_State *lua)
{
	static const char *const known[] = {
	    "name",         "path",        "pid",          "parent",     "session",   "created",   "exited",    "threads",
	    "state",        "exit_status", "protection",   "minimal",    "gui",       "wow64",     "role",      "clone_of",
	    "big",          "modules",     "command_line", "creator",    "breakaway", "user",      "integrity", "elevated",
	    "appcontainer", "restricted",  "csrss",        "registered", "graphics",  "subsystem", "service",   NULL};
	(void)machine_of(lua);
	check_keys(lua, 1, known);
	struct inv_process_wish wish = read_wish(lua);
	return push_handle(lua, make_process(lua, &wish), PROCESS);
}

static int word_live(lua_State *lua)
{
	static const char *const known[] = {"operations", "seed", NULL};
	struct inv_machine *machine = machine_of(lua);
	check_keys(lua, 1, known);
	unsigned operations = small(lua, "operations", key_value(lua, 1, "operations", 200));
	uint64_t seed = key_value(lua, 1, "seed", machine->config.seed);
	const struct inv_model_config config = {.cpus = machine->cpu_count};
	struct inv_model *model = inv_model_new(&config);
	inv_world_live(model, seed, operations);
	struct inv_error error = {INV_OK, ""};
	enum inv_code code = inv_world_lay(machine, model, &error);
	inv_model_free(model);
	if (code != INV_OK)
		return luaL_error(lua, "%s", error.text);
	check(lua);
	return 0;
}

static int word_thread(lua_State *lua)
{
	static const char *const known[] = {"tid",       "created", "start", "native_start", "rip", "rsp",
	                                    "alertable", "teb",     NULL};
	struct inv_machine *machine = machine_of(lua);
	struct inv_forge_process *process = check_process(lua, 1);
	uint64_t tid = 0, created = 0;
	if (!lua_isnoneornil(lua, 2)) {
		check_keys(lua, 2, known);
		tid = key_value(lua, 2, "tid", 0);
		created = key_value(lua, 2, "created", 0);
	}
	if (process->zombie || process->deleted || process->idle)
		return luaL_error(lua, "%s gets no more threads", process->name);
	struct inv_forge_thread *thread = inv_machine_make_thread(machine, process, tid, created);
	if (thread && !lua_isnoneornil(lua, 2))
		inv_word_thread_options(lua, 2, thread);
	inv_csr_register(machine, process); // with its first thread, if it has not been
	check(lua);
	return push_handle(lua, thread, THREAD);
}

// A thread of which more can be wished than that it is deleted.
static struct inv_forge_thread *check_live_thread(lua_State *lua, int index)
{
	struct inv_forge_thread *thread = check_thread(lua, index);
	if (thread->ended)
		luaL_error(lua, "thread %d has ended", (int)thread->tid);
	return thread;
}

static int word_end_thread(lua_State *lua)
{
	static const char *const known[] = {"status", "deleted", NULL};
	struct inv_machine *machine = machine_of(lua);
	struct inv_forge_thread *thread = check_thread(lua, 1);
	uint32_t status = 0;
	bool deleted = false;
	if (!lua_isnoneornil(lua, 2)) {
		check_keys(lua, 2, known);
		status = (uint32_t)key_value(lua, 2, "status", 0);
		deleted = key_flag(lua, 2, "deleted", false);
	}
	const struct inv_forge_process *process = thread->process;
	if (thread->deleted || (thread->ended && !deleted))
		return luaL_error(lua, "thread %d has ended", (int)thread->tid);
	if (process->idle || (process->system && inv_machine_active_threads(process) == 1))
		return luaL_error(lua, "%s keeps its threads", process->name);
	inv_machine_end_thread(machine, thread, status);
	if (deleted)
		inv_machine_delete_thread(machine, thread);
	check(lua);
	return 0;
}

static int word_exit(lua_State *lua)
{
	static const char *const known[] = {"status", NULL};
	struct inv_machine *machine = machine_of(lua);
	struct inv_forge_process *process = check_process(lua, 1);
	uint32_t status = 0;
	if (!lua_isnoneornil(lua, 2)) {
		check_keys(lua, 2, known);
		status = (uint32_t)key_value(lua, 2, "status", 0);
	}
	if (process->idle || process->system)
		return luaL_error(lua, "%s never ends", process->name);
	bool inserted = process->stage == INV_STAGE_WHOLE || process->stage == INV_STAGE_C3;
	if (process->zombie || !inserted)
		return luaL_error(lua, "%s has exited, or is not inserted", process->name);
	inv_machine_end_process(machine, process, status);
	process->stage = INV_STAGE_WHOLE;
	check(lua);
	return 0;
}

static int word_delete(lua_State *lua)
{
	struct inv_machine *machine = machine_of(lua);
	struct inv_forge_process *process = check_process(lua, 1);
	if (!process->zombie || process->deleted || process->stage != INV_STAGE_WHOLE)
		return luaL_error(lua, "%s has not exited, or its deletion has begun", process->name);
	inv_machine_drop_process(machine, process);
	check(lua);
	return 0;
}

static int word_pass(lua_State *lua)
{
	struct inv_machine *machine = machine_of(lua);
	lua_Number time = luaL_checknumber(lua, 1) * 1e7;
	if (!(time >= 0) || time >= (lua_Number)(machine->system_time - machine->clock))
		return luaL_error(lua, "the image is taken before so much time has passed");
	machine->clock += (uint64_t)time;
	return 0;
}

static int word_set_clock(lua_State *lua)
{
	struct inv_machine *machine = machine_of(lua);
	lua_Number step = luaL_checknumber(lua, 1) * 1e7;
	if (!(step > -1e16 && step < 1e16))
		return luaL_error(lua, "no clock is set so far");
	inv_machine_set_clock(machine, (int64_t)step);
	check(lua);
	return 0;
}

static unsigned check_cpu(lua_State *lua, int index)
{
	lua_Integer cpu = luaL_checkinteger(lua, index);
	if (cpu < 0 || cpu >= (lua_Integer)machine_of(lua)->cpu_count)
		luaL_error(lua, "there is no CPU %d", (int)cpu);
	return (unsigned)cpu;
}

static int word_run(lua_State *lua)
{
	struct inv_machine *machine = machine_of(lua);
	unsigned cpu = check_cpu(lua, 1);
	inv_machine_run(machine, cpu, lua_isnoneornil(lua, 2) ? NULL : check_live_thread(lua, 2));
	machine->cpu[cpu].chosen = true;
	check(lua);
	return 0;
}

static int word_attach(lua_State *lua)
{
	struct inv_machine *machine = machine_of(lua);
	inv_machine_attach(machine, check_live_thread(lua, 1), check_process(lua, 2));
	check(lua);
	return 0;
}

static int word_ready(lua_State *lua)
{
	static const char *const known[] = {"cpu", "priority", "queue", NULL};
	static const char *const queues[] = {"shared", "deferred", "group", NULL};
	static const enum inv_forge_dispatch kinds[] = {INV_DISPATCH_SHARED, INV_DISPATCH_DEFERRED, INV_DISPATCH_GROUP};
	struct inv_machine *machine = machine_of(lua);
	struct inv_forge_thread *thread = check_live_thread(lua, 1);
	enum inv_forge_dispatch kind = INV_DISPATCH_READY;
	uint64_t cpu = 0, priority = 8;
	if (!lua_isnoneornil(lua, 2)) {
		check_keys(lua, 2, known);
		cpu = key_value(lua, 2, "cpu", 0);
		priority = key_value(lua, 2, "priority", 8);
		const char *queue = key_text(lua, 2, "queue");
		if (queue)
			kind = kinds[inv_word_choose(lua, queue, "queue", queues)];
	}
	if (cpu >= machine->cpu_count || priority >= 32 || thread->dispatched)
		return luaL_error(lua, "no such CPU or priority, or the thread is on a list already");
	lua_pushboolean(lua, inv_machine_dispatch(machine, thread, kind, (unsigned)cpu, (unsigned)priority));
	check(lua);
	return 1;
}

static int word_wait(lua_State *lua)
{
	static const char *const known[] = {"cpu", NULL};
	struct inv_machine *machine = machine_of(lua);
	struct inv_forge_thread *thread = check_live_thread(lua, 1);
	uint64_t cpu = 0;
	if (!lua_isnoneornil(lua, 2)) {
		check_keys(lua, 2, known);
		cpu = key_value(lua, 2, "cpu", 0);
	}
	if (cpu >= machine->cpu_count || thread->dispatched)
		return luaL_error(lua, "no such CPU, or the thread is on a list already");
	lua_pushboolean(lua, inv_machine_dispatch(machine, thread, INV_DISPATCH_WAIT, (unsigned)cpu, 0));
	check(lua);
	return 1;
}

static int word_job(lua_State *lua)
{
	struct inv_machine *machine = machine_of(lua);
	luaL_checktype(lua, 1, LUA_TTABLE);
	uint64_t parent = lua_isnoneornil(lua, 2) ? 0 : check_value(lua, 2);
	uint64_t job = inv_machine_make_job(machine, parent, luaL_optstring(lua, 3, NULL));
	if (!job) {
		lua_pushnil(lua);
		return 1;
	}
	for (lua_Integer i = 1; lua_geti(lua, 1, i) != LUA_TNIL; i++) {
		inv_machine_assign_job(machine, check_process(lua, -1), job);
		lua_pop(lua, 1);
	}
	note(lua, "job", job);
	check(lua);
	lua_pushinteger(lua, (lua_Integer)job);
	return 1;
}

static int word_big_block(lua_State *lua)
{
	static const char *const known[] = {"tag", "size", "process", "free", NULL};
	struct inv_machine *machine = machine_of(lua);
	check_keys(lua, 1, known);
	const char *tag = key_text(lua, 1, "tag");
	uint64_t size = key_value(lua, 1, "size", INV_RAM_PAGE);
	if (!machine->big_table) {
		lua_pushnil(lua);
		return 1;
	}
	if ((tag && strlen(tag) != 4) || size == 0 || size > 64ull * INV_RAM_PAGE)
		return luaL_error(lua, "a block has a tag of four letters, and no more than 64 pages");
	uint64_t va = inv_machine_big_block(machine, size, tag ? tag : "Cont", key_value(lua, 1, "process", 0));
	if (key_flag(lua, 1, "free", false))
		inv_machine_free_big(machine, va);
	check(lua);
	lua_pushinteger(lua, (lua_Integer)va);
	return 1;
}

static int word_big_entry(lua_State *lua)
{
	const struct inv_machine *machine = machine_of(lua);
	uint64_t entry = inv_machine_big_entry(machine, check_value(lua, 1) & ~(uint64_t)(INV_RAM_PAGE - 1));
	if (entry)
		lua_pushinteger(lua, (lua_Integer)entry);
	else
		lua_pushnil(lua);
	return 1;
}

static int word_find(lua_State *lua)
{
	struct inv_machine *machine = machine_of(lua);
	uint64_t pid = (uint64_t)luaL_checkinteger(lua, 1);
	for (size_t i = 0; i < inv_count(machine->processes); i++)
		if (machine->processes[i]->pid == pid && !machine->processes[i]->deleted)
			return push_handle(lua, machine->processes[i], PROCESS);
	lua_pushnil(lua);
	return 1;
}

static int word_prcb(lua_State *lua)
{
	struct inv_machine *machine = machine_of(lua);
	lua_pushinteger(lua, (lua_Integer)machine->cpu[check_cpu(lua, 1)].prcb);
	return 1;
}

static int word_image_time(lua_State *lua)
{
	lua_pushinteger(lua, (lua_Integer)machine_of(lua)->system_time);
	return 1;
}

static int word_boot_time(lua_State *lua)
{
	lua_pushinteger(lua, (lua_Integer)machine_of(lua)->boot_time);
	return 1;
}

static int word_seconds(lua_State *lua)
{
	lua_pushinteger(lua, (lua_Integer)(luaL_checknumber(lua, 1) * 1e7));
	return 1;
}

// -- user memory ------------------------------------------------------------------------------------------------------------

static uint64_t pte_of_kind(lua_State *lua, struct inv_machine *machine, const char *kind)
{
	static const char *const kinds[] = {"private", "transition", "pagefile", "prototype", "demandzero", NULL};
	const struct inv_layout *layout = machine->layout;
	(void)inv_word_choose(lua, kind, "kind of page", kinds);
	if (strcmp(kind, "demandzero") == 0)
		return inv_pte_demand_zero(layout, 4);
	if (strcmp(kind, "pagefile") == 0)
		return inv_pte_page_file(layout, 4, (unsigned)key_value(lua, 2, "file", 0) & 15,
		                         (uint32_t)key_value(lua, 2, "page", 0x1234));
	uint64_t physical = inv_ram_take(machine->ram, INV_RAM_USER);
	size_t size = 0;
	if (lua_getfield(lua, 2, "bytes") != LUA_TNIL) {
		const char *bytes = luaL_checklstring(lua, -1, &size);
		inv_ram_write(machine->ram, physical, bytes, size < INV_RAM_PAGE ? size : INV_RAM_PAGE);
	}
	lua_pop(lua, 1);
	uint64_t valid =
	    physical | INV_PTE_VALID | INV_PTE_USER | INV_PTE_WRITE | INV_PTE_ACCESSED | INV_PTE_DIRTY | INV_PTE_NX;
	if (strcmp(kind, "private") == 0)
		return valid;
	if (strcmp(kind, "transition") == 0)
		return inv_pte_transition(layout, 4, physical);
	uint64_t prototype = inv_machine_pool(machine, &machine->paged, 8, "MmSt");
	inv_machine_put64(machine, prototype, valid & ~INV_PTE_USER);
	return inv_pte_prototype(layout, prototype);
}

static int word_map(lua_State *lua)
{
	static const char *const known[] = {"address", "kind", "bytes", "file", "page", NULL};
	struct inv_machine *machine = machine_of(lua);
	struct inv_forge_process *process = check_process(lua, 1);
	check_keys(lua, 2, known);
	uint64_t address = key_value(lua, 2, "address", 0);
	if (address == 0 || address >= 0x7fffffff0000 || address % INV_RAM_PAGE || process->system || process->idle)
		return luaL_error(lua, "not the address of a page of user memory");
	const char *kind = key_text(lua, 2, "kind");
	inv_maps_set_pte(&process->maps, address, pte_of_kind(lua, machine, kind ? kind : "private"));
	if (process->user_dtb)
		inv_machine_make_shadow(machine, process);
	check(lua);
	return 0;
}

// -- attacks ----------------------------------------------------------------------------------------------------------------

static uint64_t entry_of(lua_State *lua, const struct inv_forge_process *process, const char *list)
{
	struct inv_machine *machine = machine_of(lua);
	static const char *const lists[] = {"active", "mm", "scheduler", "job", "session", "handles", NULL};
	static const enum inv_field entries[] = {INV_F_EPROCESS_ActiveProcessLinks,  INV_F_EPROCESS_MmProcessLinks,
	                                         INV_F_KPROCESS_ProcessListEntry,    INV_F_EPROCESS_JobLinks,
	                                         INV_F_EPROCESS_SessionProcessLinks, INV_F_HANDLE_TABLE_HandleTableList};
	enum inv_field field = entries[inv_word_choose(lua, list, "list", lists)];
	uint64_t object = field == INV_F_HANDLE_TABLE_HandleTableList ? process->handle_table : process->address;
	uint64_t entry = inv_machine_at(machine, object, field);
	if (!object || !inv_machine_has(machine, field) || !inv_machine_get64(machine, entry))
		luaL_error(lua, "%s is not on the list '%s'", process->name, list);
	return entry;
}

static int word_unlink(lua_State *lua)
{
	struct inv_machine *machine = machine_of(lua);
	const struct inv_forge_process *process = check_process(lua, 1);
	const char *list = luaL_optstring(lua, 2, "active");
	inv_machine_list_remove(machine, entry_of(lua, process, list));
	note_lie(lua, lua_pushfstring(lua, "unlink %s", list), process->address);
	check(lua);
	return 0;
}

static int word_unlink_thread(lua_State *lua)
{
	struct inv_machine *machine = machine_of(lua);
	struct inv_forge_thread *thread = check_thread(lua, 1);
	static const char *const lists[] = {"executive", "scheduler", "dispatcher", NULL};
	static const enum inv_field entries[] = {INV_F_ETHREAD_ThreadListEntry, INV_F_KTHREAD_ThreadListEntry,
	                                         INV_F_KTHREAD_WaitListEntry};
	unsigned list = inv_word_option(lua, 2, "list", lists);
	bool linked = list != 2 || thread->dispatched;
	if (linked)
		inv_machine_list_remove(machine, inv_machine_at(machine, thread->address, entries[list]));
	if (list == 2)
		thread->dispatched = true;
	note_lie(lua, lua_pushfstring(lua, "unlink_thread %s", lists[list]), thread->process->address);
	check(lua);
	return 0;
}

static int word_unlink_half(lua_State *lua)
{
	struct inv_machine *machine = machine_of(lua);
	const struct inv_forge_process *process = check_process(lua, 1);
	uint64_t entry = entry_of(lua, process, "active");
	inv_machine_put64(machine, inv_machine_get64(machine, entry + 8), inv_machine_get64(machine, entry));
	note_lie(lua, "unlink_half", process->address);
	check(lua);
	return 0;
}

static int word_relink(lua_State *lua)
{
	struct inv_machine *machine = machine_of(lua);
	const struct inv_forge_process *process = check_process(lua, 1);
	uint64_t entry = entry_of(lua, process, "active");
	uint64_t previous = entry_of(lua, check_process(lua, 2), "active");
	if (entry == previous)
		return luaL_error(lua, "a process cannot stand behind itself");
	inv_machine_list_remove(machine, entry);
	inv_machine_list_append(machine, inv_machine_get64(machine, previous), entry);
	note_lie(lua, "relink", process->address);
	check(lua);
	return 0;
}

static int word_erase_cid(lua_State *lua)
{
	struct inv_machine *machine = machine_of(lua);
	uint64_t object = check_value(lua, 1);
	const struct inv_forge_process *process = inv_machine_process_at(machine, object);
	const struct inv_forge_thread *thread = inv_machine_thread_at(machine, object);
	if (!process && !thread)
		return luaL_error(lua, "neither a process nor a thread");
	inv_machine_cid_put(machine, process ? process->pid : thread->tid, 0);
	if (lua_toboolean(lua, 2))
		inv_machine_count_entry(machine, machine->cid_table, -1);
	note_lie(lua, "erase_cid", object);
	check(lua);
	return 0;
}

static uint64_t physical_of(lua_State *lua, int index)
{
	struct inv_forge_process **process = luaL_testudata(lua, index, PROCESS);
	return process ? (*process)->dtb : (uint64_t)luaL_checkinteger(lua, index);
}

static int word_pfn(lua_State *lua)
{
	struct inv_machine *machine = machine_of(lua);
	uint64_t entry = inv_machine_pfn_of(machine, physical_of(lua, 1));
	check(lua);
	if (entry)
		lua_pushinteger(lua, (lua_Integer)entry);
	else
		lua_pushnil(lua);
	return 1;
}

static uint64_t take_pool_page(struct inv_machine *machine, uint64_t *physical)
{
	uint64_t address = inv_region_take(machine, &machine->pool, INV_RAM_PAGE, INV_RAM_PAGE);
	*physical = 0;
	(void)inv_maps_translate(&machine->maps, address, physical);
	return address;
}

static int word_page(lua_State *lua)
{
	struct inv_machine *machine = machine_of(lua);
	uint64_t physical;
	uint64_t address = take_pool_page(machine, &physical);
	check(lua);
	lua_pushinteger(lua, (lua_Integer)physical);
	lua_pushinteger(lua, (lua_Integer)address);
	return 2;
}

static int word_copy_root(lua_State *lua)
{
	struct inv_machine *machine = machine_of(lua);
	const struct inv_forge_process *process = check_process(lua, 1);
	uint64_t physical;
	(void)take_pool_page(machine, &physical);
	check(lua);
	for (unsigned i = 0; i < INV_RAM_PAGE; i += 8)
		inv_ram_put64(machine->ram, physical + i, inv_ram_get64(machine->ram, process->dtb + i));
	struct inv_maps copy = {.ram = machine->ram, .root = physical, .levels = machine->maps.levels};
	if (lua_toboolean(lua, 2))
		inv_maps_set_self(&copy, machine->self_slot);
	note_lie(lua, "copy_root", process->address);
	lua_pushinteger(lua, (lua_Integer)physical);
	return 1;
}

static int word_set_owner(lua_State *lua)
{
	struct inv_machine *machine = machine_of(lua);
	uint64_t physical = physical_of(lua, 1);
	if (!inv_machine_pfn_of(machine, physical))
		return luaL_error(lua, "that frame has no PFN entry");
	inv_machine_own_pfn(machine, physical, check_value(lua, 2));
	uint64_t owner = 0;
	for (size_t i = 0; i < inv_count(machine->processes); i++)
		if (machine->processes[i]->dtb == physical && !machine->processes[i]->idle)
			owner = machine->processes[i]->address;
	note_lie(lua, "set_owner", owner);
	check(lua);
	return 0;
}

static int word_copy_kdbg(lua_State *lua)
{
	lua_pushinteger(lua, (lua_Integer)inv_machine_copy_kdbg(machine_of(lua)));
	check(lua);
	return 1;
}

static int word_copy_kernel(lua_State *lua)
{
	lua_pushinteger(lua, (lua_Integer)inv_machine_copy_kernel(machine_of(lua)));
	check(lua);
	return 1;
}

static uint64_t check_id_of(lua_State *lua, uint64_t object)
{
	const struct inv_machine *machine = machine_of(lua);
	const struct inv_forge_process *process = inv_machine_process_at(machine, object);
	const struct inv_forge_thread *thread = inv_machine_thread_at(machine, object);
	if (process)
		return process->pid;
	if (thread)
		return thread->tid;
	return (uint64_t)luaL_error(lua, "neither a process nor a thread");
}

static int word_replace_cid(lua_State *lua)
{
	uint64_t object = check_value(lua, 1);
	inv_machine_cid_put(machine_of(lua), check_id_of(lua, object), check_value(lua, 2));
	note_lie(lua, "replace_cid", object);
	check(lua);
	return 0;
}

static int word_open(lua_State *lua)
{
	struct inv_machine *machine = machine_of(lua);
	struct inv_forge_process *process = check_process(lua, 1);
	uint64_t object = check_value(lua, 2);
	uint64_t type = inv_machine_type_of(machine, object);
	bool counted = type == machine->token_type || type == machine->job_type || type == machine->types[INV_FORGE_PORT] ||
	               type == machine->types[INV_FORGE_FILE] || type == machine->types[INV_FORGE_DESKTOP] ||
	               type == machine->types[INV_FORGE_WINDOW_STATION];
	if (type == 0 || (!counted && !inv_machine_is_bare(machine, object)))
		(void)check_id_of(lua, object);
	uint32_t all = inv_machine_all_access(machine, object);
	uint64_t value = inv_machine_open(machine, process, object, (uint32_t)luaL_optinteger(lua, 3, all),
	                                  (uint64_t)luaL_optinteger(lua, 4, 0));
	if (!value)
		return luaL_error(lua, "%s cannot have this handle", process->name);
	check(lua);
	lua_pushinteger(lua, (lua_Integer)value);
	return 1;
}

static int word_close(lua_State *lua)
{
	struct inv_forge_process *process = check_process(lua, 1);
	if (!inv_machine_close(machine_of(lua), process, (uint64_t)luaL_checkinteger(lua, 2), true))
		return luaL_error(lua, "%s has no such handle", process->name);
	return 0;
}

static int word_duplicate(lua_State *lua)
{
	struct inv_machine *machine = machine_of(lua);
	const struct inv_forge_handle *handle =
	    inv_machine_handle(check_process(lua, 1), (uint64_t)luaL_checkinteger(lua, 2));
	if (!handle)
		return luaL_error(lua, "there is no such handle");
	uint32_t access = (uint32_t)luaL_optinteger(lua, 4, handle->access);
	lua_pushinteger(lua, (lua_Integer)inv_machine_open(machine, check_process(lua, 3), handle->object, access, 0));
	check(lua);
	return 1;
}

static int word_object_type(lua_State *lua)
{
	const struct inv_machine *machine = machine_of(lua);
	static const char *const names[] = {"Process", "Thread", "Token", "Job", NULL};
	const uint64_t types[] = {machine->process_type, machine->thread_type, machine->token_type, machine->job_type};
	lua_pushinteger(lua, (lua_Integer)types[inv_word_option(lua, 1, "type that can be asked for", names)]);
	return 1;
}

static int word_forge_type(lua_State *lua)
{
	struct inv_machine *machine = machine_of(lua);
	uint64_t object = check_value(lua, 1);
	(void)check_id_of(lua, object);
	inv_machine_put_type(machine, object, (uint8_t)luaL_checkinteger(lua, 2));
	note_lie(lua, "forge_type", object);
	check(lua);
	return 0;
}

static int wipe(lua_State *lua, enum inv_forge_mark mark, const char *operation)
{
	struct inv_machine *machine = machine_of(lua);
	uint64_t object = check_value(lua, 1);
	const struct inv_forge_process *process = inv_machine_process_at(machine, object);
	const struct inv_forge_thread *thread = inv_machine_thread_at(machine, object);
	if ((!process || process->idle) && (!thread || thread->idle || mark == INV_MARK_NAME))
		return luaL_error(lua, "not an object that has this mark");
	inv_machine_wipe(machine, object, mark);
	note_lie(lua, operation, object);
	check(lua);
	return 0;
}

static int word_wipe_tag(lua_State *lua)
{
	return wipe(lua, INV_MARK_TAG, "wipe_tag");
}

static int word_wipe_header(lua_State *lua)
{
	return wipe(lua, INV_MARK_HEADER, "wipe_header");
}

static int word_wipe_name(lua_State *lua)
{
	return wipe(lua, INV_MARK_NAME, "wipe_name");
}

static int word_header(lua_State *lua)
{
	static const char *const known[] = {"major",
	                                    "build",
	                                    "dtb",
	                                    "pfn_database",
	                                    "ps_loaded_module_list",
	                                    "ps_active_process_head",
	                                    "cpus",
	                                    "bugcheck",
	                                    "kdbg",
	                                    "system_time",
	                                    "up_time",
	                                    NULL};
	struct inv_machine *machine = machine_of(lua);
	check_keys(lua, 1, known);
	for (const char *const *name = known; *name; name++)
		if (has_key(lua, 1, *name))
			inv_push(machine->claims, ((struct inv_forge_claim){*name, key_value(lua, 1, *name, 0)}));
	note_lie(lua, "header", 0);
	return 0;
}

static int word_kdbg(lua_State *lua)
{
	struct inv_machine *machine = machine_of(lua);
	lua_Integer offset = luaL_checkinteger(lua, 1);
	if (offset < 0 || offset > (lua_Integer)machine->kdbg_size - 8)
		return luaL_error(lua, "the block has 0x%x bytes", (unsigned)machine->kdbg_size);
	inv_put64(machine->kdbg_plain + offset, check_value(lua, 2));
	note_lie(lua, "kdbg", machine->kdbg);
	return 0;
}

// -- the truth --------------------------------------------------------------------------------------------------------------

static const char *check_id(lua_State *lua, int index)
{
	const char *id = luaL_checkstring(lua, index);
	if (strlen(id) != 3 || id[0] < 'A' || id[0] > 'Z' || strspn(id + 1, "0123456789") != 2)
		luaL_error(lua, "'%s' is no identifier of an invariant", id);
	return inv_arena_strdup(machine_of(lua)->arena, id);
}

static int word_breaks(lua_State *lua)
{
	struct inv_forge *forge = forge_of(lua);
	struct inv_machine *machine = machine_of(lua);
	if (!forge->operation)
		return luaL_error(lua, "breaks() stands behind the attack that it speaks of");
	if (machine->clean)
		return luaL_error(lua, BOTH);
	struct inv_forge_attack attack = {forge->operation, forge->object, forge->process, NULL, NULL};
	int count = lua_gettop(lua);
	for (int i = 1; i <= count; i++)
		(void)check_id(lua, i); // all of them before anything is kept: an error leaves by a long jump
	for (int i = 1; i <= count; i++)
		inv_push(attack.breaks, check_id(lua, i));
	inv_push(machine->attacks, attack);
	return 0;
}

static int word_excused(lua_State *lua)
{
	struct inv_machine *machine = machine_of(lua);
	for (int i = 1; i <= lua_gettop(lua); i++)
		inv_push(machine->excused, check_id(lua, i));
	return 0;
}

static int word_clean(lua_State *lua)
{
	struct inv_machine *machine = machine_of(lua);
	if (inv_count(machine->attacks))
		return luaL_error(lua, BOTH);
	machine->clean = true;
	return 0;
}

// -- objects ----------------------------------------------------------------------------------------------------------------

static int push_threads(lua_State *lua, const struct inv_forge_process *process)
{
	lua_newtable(lua);
	lua_Integer count = 0;
	for (size_t i = 0; i < inv_count(process->threads); i++) {
		if (process->threads[i]->deleted)
			continue;
		push_handle(lua, process->threads[i], THREAD);
		lua_rawseti(lua, -2, ++count);
	}
	return 1;
}

struct property {
	const char *name;
	uint64_t value;
};

// The value of the property that is asked for, or the complaint that there is none; `other` is one more that there is.
static int push_property(lua_State *lua, const struct property *properties, const char *kind, const char *other)
{
	const char *key = luaL_checkstring(lua, 2), *names[16];
	size_t count = 0;
	for (; properties[count].name; count++) {
		names[count] = properties[count].name;
		if (strcmp(names[count], key) != 0)
			continue;
		lua_pushinteger(lua, (lua_Integer)properties[count].value);
		return 1;
	}
	names[count] = other;
	names[count + 1] = NULL;
	return luaL_error(lua, "a %s has no '%s'%s", kind, key, inv_word_hint(lua, key, names));
}

static int process_index(lua_State *lua)
{
	const struct inv_forge_process *process = check_process(lua, 1);
	const char *key = luaL_checkstring(lua, 2);
	if (strcmp(key, "threads") == 0)
		return push_threads(lua, process);
	if (strcmp(key, "name") == 0) {
		lua_pushstring(lua, process->name);
		return 1;
	}
	const struct property properties[] = {
	    {"address", process->address}, {"pid", process->pid},           {"dtb", process->dtb},
	    {"created", process->created}, {"exited", process->exited},     {"handle_table", process->handle_table},
	    {"peb", process->peb},         {"user_dtb", process->user_dtb}, {NULL, 0}};
	return push_property(lua, properties, "process", "threads");
}

static int thread_index(lua_State *lua)
{
	const struct inv_forge_thread *thread = check_thread(lua, 1);
	const char *key = luaL_checkstring(lua, 2);
	if (strcmp(key, "process") == 0)
		return push_handle(lua, thread->process, PROCESS);
	const struct property properties[] = {{"address", thread->address},
	                                      {"tid", thread->tid},
	                                      {"created", thread->created},
	                                      {"stack_base", thread->stack_base},
	                                      {"stack_limit", thread->stack_limit},
	                                      {"start", thread->start},
	                                      {"win32_start", thread->win32_start},
	                                      {"teb", thread->teb},
	                                      {"rip", thread->rip},
	                                      {"rsp", thread->rsp},
	                                      {"user_stack_base", thread->user_stack_base},
	                                      {NULL, 0}};
	return push_property(lua, properties, "thread", "process");
}

static void make_class(lua_State *lua, const char *name, lua_CFunction index)
{
	luaL_newmetatable(lua, name);
	lua_pushcfunction(lua, index);
	lua_setfield(lua, -2, "__index");
	lua_pop(lua, 1);
}

static const luaL_Reg words[] = {
    {"machine", word_machine},
    {"process", word_process},
    {"freed", word_freed},
    {"fill", word_fill},
    {"acquire", word_acquire},
    {"live", word_live},
    {"thread", word_thread},
    {"end_thread", word_end_thread},
    {"exit", word_exit},
    {"delete", word_delete},
    {"pass", word_pass},
    {"set_clock", word_set_clock},
    {"run", word_run},
    {"attach", word_attach},
    {"ready", word_ready},
    {"wait", word_wait},
    {"job", word_job},
    {"big_block", word_big_block},
    {"big_entry", word_big_entry},
    {"map", word_map},
    {"find", word_find},
    {"get", word_get},
    {"at", word_at},
    {"peek", word_peek},
    {"has", word_has},
    {"build", word_build},
    {"symbol", word_symbol},
    {"prcb", word_prcb},
    {"pfn", word_pfn},
    {"page", word_page},
    {"image_time", word_image_time},
    {"boot_time", word_boot_time},
    {"seconds", word_seconds},
    {"clean", word_clean},
    {"breaks", word_breaks},
    {"excused", word_excused},
    {"set", word_set},
    {"write", word_write},
    {"write_physical", word_write_physical},
    {"unlink", word_unlink},
    {"unlink_thread", word_unlink_thread},
    {"unlink_half", word_unlink_half},
    {"relink", word_relink},
    {"erase_cid", word_erase_cid},
    {"copy_root", word_copy_root},
    {"copy_kdbg", word_copy_kdbg},
    {"copy_kernel", word_copy_kernel},
    {"set_owner", word_set_owner},
    {"replace_cid", word_replace_cid},
    {"open", word_open},
    {"close", word_close},
    {"duplicate", word_duplicate},
    {"object_type", word_object_type},
    {"forge_type", word_forge_type},
    {"wipe_tag", word_wipe_tag},
    {"wipe_header", word_wipe_header},
    {"wipe_name", word_wipe_name},
    {"header", word_header},
    {"kdbg", word_kdbg},
    {NULL, NULL},
};

// Only what computes: a scenario reads no files, and chance comes from the seed alone.
static void open_libraries(lua_State *lua)
{
	static const luaL_Reg libraries[] = {{LUA_GNAME, luaopen_base},
	                                     {LUA_TABLIBNAME, luaopen_table},
	                                     {LUA_STRLIBNAME, luaopen_string},
	                                     {LUA_MATHLIBNAME, luaopen_math},
	                                     {NULL, NULL}};
	for (const luaL_Reg *library = libraries; library->func; library++) {
		luaL_requiref(lua, library->name, library->func, 1);
		lua_pop(lua, 1);
	}
	static const char *const removed[] = {"dofile", "loadfile", "load", "collectgarbage"};
	for (size_t i = 0; i < sizeof removed / sizeof *removed; i++) {
		lua_pushnil(lua);
		lua_setglobal(lua, removed[i]);
	}
	lua_getglobal(lua, LUA_MATHLIBNAME);
	lua_getfield(lua, -1, "randomseed");
	lua_pushinteger(lua, 1);
	lua_call(lua, 1, 0);
	lua_pop(lua, 1);
}

static void open_words(lua_State *lua, struct inv_forge *forge)
{
	make_class(lua, PROCESS, process_index);
	make_class(lua, THREAD, thread_index);
	lua_pushglobaltable(lua);
	lua_pushlightuserdata(lua, forge);
	luaL_setfuncs(lua, words, 1);
	lua_pushlightuserdata(lua, forge);
	luaL_setfuncs(lua, inv_memory_words, 1);
	lua_pushlightuserdata(lua, forge);
	luaL_setfuncs(lua, inv_user_words, 1);
	lua_pushlightuserdata(lua, forge);
	luaL_setfuncs(lua, inv_memory_attacks, 1);
	lua_pushlightuserdata(lua, forge);
	luaL_setfuncs(lua, inv_image_words, 1);
	lua_pushlightuserdata(lua, forge);
	luaL_setfuncs(lua, inv_handle_words, 1);
	lua_pushlightuserdata(lua, forge);
	luaL_setfuncs(lua, inv_token_words, 1);
	lua_pushlightuserdata(lua, forge);
	luaL_setfuncs(lua, inv_callback_words, 1);
	lua_pushlightuserdata(lua, forge);
	luaL_setfuncs(lua, inv_backlink_words, 1);
	lua_pushlightuserdata(lua, forge);
	luaL_setfuncs(lua, inv_csr_words, 1);
	lua_pushlightuserdata(lua, forge);
	luaL_setfuncs(lua, inv_win32k_words, 1);
	lua_pushlightuserdata(lua, forge);
	luaL_setfuncs(lua, inv_registry_words, 1);
	lua_pushlightuserdata(lua, forge);
	luaL_setfuncs(lua, inv_session_words, 1);
	lua_pop(lua, 1);
}

// What is written in Lua itself.
static const char prelude[] =
    "function desktop()\n"
    "  local d = {system = find(4)}\n"
    "  d.smss = process{name = 'smss.exe', parent = d.system, threads = 2}\n"
    "  d.csrss = process{name = 'csrss.exe', parent = 504, session = 1, threads = 6, gui = true, user = 'system', "
    "csrss = true}\n"
    "  d.winlogon = process{name = 'winlogon.exe', parent = 504, session = 1, threads = 3, gui = true, user = "
    "'system'}\n"
    "  d.explorer = process{name = 'explorer.exe', parent = 2204, session = 1, threads = 8, gui = true}\n"
    "  d.notepad = process{name = 'notepad.exe', parent = d.explorer, session = 1, threads = 3, gui = true}\n"
    "  d.cmd = process{name = 'cmd.exe', parent = d.explorer, session = 1, threads = 2, subsystem = "
    "'console'}\n"
    "  open(d.system, d.smss)\n"
    "  open(d.smss, d.csrss)\n"
    "  open(d.explorer, d.notepad, 0x101000)\n"
    "  open(d.cmd, d.cmd.threads[2], 0x1fffff)\n"
    "  return d\n"
    "end\n"
    "function registry(profiles, services)\n"
    "  local software, system = {['Microsoft\\\\Windows'] = {}}, {Select = {Current = 1, Default = 1}}\n"
    "  for sid, path in pairs(profiles) do\n"
    "    software['Microsoft\\\\Windows NT\\\\CurrentVersion\\\\ProfileList\\\\' .. sid] = {ProfileImagePath = path, "
    "Flags = 0}\n"
    "  end\n"
    "  for _, name in ipairs(services) do\n"
    "    system['ControlSet001\\\\Services\\\\' .. name] = {ImagePath = '%SystemRoot%\\\\System32\\\\svchost.exe', "
    "Start = 2}\n"
    "  end\n"
    "  return hive('\\\\REGISTRY\\\\MACHINE\\\\SOFTWARE', software), hive('\\\\REGISTRY\\\\MACHINE\\\\SYSTEM', "
    "system)\n"
    "end\n"
    "function hide_threads(process)\n"
    "  for _, thread in ipairs(process.threads) do\n"
    "    unlink_thread(thread, 'executive')\n"
    "    unlink_thread(thread, 'scheduler')\n"
    "    erase_cid(thread)\n"
    "  end\n"
    "  unlink(process, 'scheduler')\n"
    "  set(process, '_EPROCESS.ActiveThreads', 0)\n"
    "end\n";

// What is wrong stands on the stack then.
static bool run_chunk(lua_State *lua, const char *chunk, const char *name)
{
	lua_pushstring(lua, name);
	lua_pushcclosure(lua, inv_word_explain, 1);
	return luaL_loadbufferx(lua, chunk, strlen(chunk), name, "t") == LUA_OK && lua_pcall(lua, 0, 0, -2) == LUA_OK;
}

enum inv_code inv_scenario_run(struct inv_forge *forge, const char *scenario, struct inv_error *error)
{
	lua_State *lua = luaL_newstate();
	if (!lua)
		return inv_fail(error, INV_E_INTERNAL, "Lua cannot start");
	open_libraries(lua);
	open_words(lua, forge);
	const char *name = lua_pushfstring(lua, "@%s", forge->options.name); // of a long path the end is shown
	enum inv_code code = INV_OK;
	if (!run_chunk(lua, prelude, "=prelude") || !run_chunk(lua, scenario, name))
		code = inv_fail(error, INV_E_USAGE, "%s", luaL_tolstring(lua, -1, NULL));
	lua_close(lua);
	if (code == INV_OK)
		code = inv_scenario_machine(forge, error);
	if (code != INV_OK)
		return code;
	inv_machine_settle(forge->machine);
	inv_machine_settle_tables(forge->machine);
	inv_machine_sync_pfn(forge->machine);
	return inv_machine_check(forge->machine, error);
}
