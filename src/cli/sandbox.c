// SPDX-License-Identifier: Apache-2.0
#include "cli/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sched.h>
#include <seccomp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

// Landlock's interface by number: the header of the oldest supported system knows version 2 only, while the running
// kernel may have a later one. The numbers are fixed for ever (Linux include/uapi/linux/landlock.h).
#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_add_rule 445
#define SYS_landlock_restrict_self 446
#endif

#define LANDLOCK_VERSION_FLAG 1u
#define LANDLOCK_PATH_BENEATH 1u
#define LANDLOCK_WRITE_FILE (UINT64_C(1) << 1)
#define LANDLOCK_MAKE_REG (UINT64_C(1) << 8)

struct landlock_rules {
	uint64_t files;   // handled_access_fs
	uint64_t network; // handled_access_net, from version 4
	uint64_t scope;   // scoped, from version 6
};

struct landlock_beneath {
	uint64_t allowed;
	int32_t folder;
} __attribute__((packed));

// All rights that a version knows are the lowest bits, without a gap.
#define LOWEST_BITS(count) ((UINT64_C(1) << (count)) - 1)
#define FILES_V1 LOWEST_BITS(13)  // execute, read, write, list, make and remove, by kind of file
#define FILES_V2 LOWEST_BITS(14)  // and REFER: link or rename across directories
#define FILES_V3 LOWEST_BITS(15)  // and TRUNCATE
#define FILES_V5 LOWEST_BITS(16)  // and IOCTL_DEV: of devices opened from here on
#define NETWORK_V4 LOWEST_BITS(2) // BIND_TCP, CONNECT_TCP
#define SCOPE_V6 LOWEST_BITS(2)   // ABSTRACT_UNIX_SOCKET, SIGNAL

static struct landlock_rules rules_of(int abi)
{
	struct landlock_rules rules = {.files = FILES_V1};
	if (abi >= 2)
		rules.files = FILES_V2;
	if (abi >= 3)
		rules.files = FILES_V3;
	if (abi >= 4)
		rules.network = NETWORK_V4;
	if (abi >= 5)
		rules.files = FILES_V5;
	if (abi >= 6)
		rules.scope = SCOPE_V6;
	return rules;
}

// New files may be made in the folder, and written.
static bool allow_new_files(int ruleset, int folder)
{
	struct landlock_beneath rule = {LANDLOCK_MAKE_REG | LANDLOCK_WRITE_FILE, folder};
	return syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_PATH_BENEATH, &rule, 0u) == 0;
}

// No other rule is added: whatever else is handled is denied everywhere.
static void enter_landlock(const struct inv_sandbox_options *options, struct inv_sandbox_state *state)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, (size_t)0, LANDLOCK_VERSION_FLAG);
	if (abi < 1) {
		snprintf(state->landlock_missing, sizeof state->landlock_missing, "the kernel has no Landlock: %s",
		         strerror(errno));
		return;
	}
	struct landlock_rules rules = rules_of((int)abi);
	// Kernels that know a shorter structure accept this one as long as the rest is zero.
	long ruleset = syscall(SYS_landlock_create_ruleset, &rules, sizeof rules, 0u);
	if (ruleset < 0) {
		snprintf(state->landlock_missing, sizeof state->landlock_missing, "Landlock refuses the rules: %s",
		         strerror(errno));
		return;
	}
	if (options->makes_files && !allow_new_files((int)ruleset, options->folder)) {
		snprintf(state->landlock_missing, sizeof state->landlock_missing, "Landlock refuses the folder: %s",
		         strerror(errno));
	} else if (syscall(SYS_landlock_restrict_self, (int)ruleset, 0u) == 0) {
		state->landlock_abi = (int)abi;
		state->files = true;
		state->network = rules.network != 0;
		state->scope = rules.scope != 0;
	} else {
		snprintf(state->landlock_missing, sizeof state->landlock_missing, "Landlock refuses to bind: %s",
		         strerror(errno));
	}
	close((int)ruleset);
}

// Calls allowed whatever their arguments: none of them names a path, another process or new code.
static const int allowed_calls[] = {
    // files that are open
    SCMP_SYS(read), SCMP_SYS(readv), SCMP_SYS(pread64), SCMP_SYS(preadv), SCMP_SYS(preadv2), SCMP_SYS(write),
    SCMP_SYS(writev), SCMP_SYS(pwrite64), SCMP_SYS(pwritev), SCMP_SYS(pwritev2), SCMP_SYS(lseek), SCMP_SYS(_llseek),
    SCMP_SYS(fstat), SCMP_SYS(fstat64), SCMP_SYS(close), SCMP_SYS(fsync), SCMP_SYS(fdatasync), SCMP_SYS(ftruncate),
    SCMP_SYS(ftruncate64), SCMP_SYS(fallocate), SCMP_SYS(fadvise64), SCMP_SYS(fadvise64_64), SCMP_SYS(readahead),
    SCMP_SYS(poll), SCMP_SYS(ppoll),
    // memory, but for what makes it executable
    SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(brk), SCMP_SYS(madvise), SCMP_SYS(mincore), SCMP_SYS(msync),
    // threads
    SCMP_SYS(futex), SCMP_SYS(futex_time64), SCMP_SYS(set_robust_list), SCMP_SYS(get_robust_list),
    SCMP_SYS(set_tid_address), SCMP_SYS(rseq), SCMP_SYS(membarrier), SCMP_SYS(sched_yield), SCMP_SYS(sched_getaffinity),
    SCMP_SYS(sched_getparam), SCMP_SYS(sched_getscheduler), SCMP_SYS(getpid), SCMP_SYS(gettid), SCMP_SYS(exit),
    SCMP_SYS(exit_group),
    // signals to this process
    SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn), SCMP_SYS(sigreturn),
    SCMP_SYS(rt_sigpending), SCMP_SYS(rt_sigtimedwait), SCMP_SYS(rt_sigtimedwait_time64), SCMP_SYS(sigaltstack),
    SCMP_SYS(restart_syscall),
    // time, chance, and what the machine is
    SCMP_SYS(clock_gettime), SCMP_SYS(clock_gettime64), SCMP_SYS(clock_getres), SCMP_SYS(clock_nanosleep),
    SCMP_SYS(clock_nanosleep_time64), SCMP_SYS(nanosleep), SCMP_SYS(gettimeofday), SCMP_SYS(time), SCMP_SYS(getrandom),
    SCMP_SYS(uname), SCMP_SYS(sysinfo), SCMP_SYS(getrusage), SCMP_SYS(getrlimit), SCMP_SYS(ugetrlimit)};

// Calls that nothing in this program or its libraries ever makes, and by which an attacker would gain: their mere
// use shows that the process is no longer its own.
static const int deadly_calls[] = {
    // other processes
    SCMP_SYS(ptrace), SCMP_SYS(process_vm_readv), SCMP_SYS(process_vm_writev), SCMP_SYS(process_madvise),
    SCMP_SYS(pidfd_getfd), SCMP_SYS(kcmp),
    // the kernel
    SCMP_SYS(bpf), SCMP_SYS(perf_event_open), SCMP_SYS(userfaultfd), SCMP_SYS(io_uring_setup), SCMP_SYS(io_uring_enter),
    SCMP_SYS(io_uring_register), SCMP_SYS(kexec_load), SCMP_SYS(kexec_file_load), SCMP_SYS(init_module),
    SCMP_SYS(finit_module), SCMP_SYS(delete_module), SCMP_SYS(iopl), SCMP_SYS(ioperm), SCMP_SYS(modify_ldt),
    SCMP_SYS(reboot), SCMP_SYS(swapon), SCMP_SYS(swapoff), SCMP_SYS(syslog), SCMP_SYS(acct), SCMP_SYS(settimeofday),
    SCMP_SYS(clock_settime), SCMP_SYS(add_key), SCMP_SYS(request_key), SCMP_SYS(keyctl),
    // file systems and name spaces
    SCMP_SYS(mount), SCMP_SYS(umount), SCMP_SYS(umount2), SCMP_SYS(move_mount), SCMP_SYS(open_tree), SCMP_SYS(fsopen),
    SCMP_SYS(fsconfig), SCMP_SYS(fsmount), SCMP_SYS(fspick), SCMP_SYS(mount_setattr), SCMP_SYS(pivot_root),
    SCMP_SYS(chroot), SCMP_SYS(unshare), SCMP_SYS(setns), SCMP_SYS(quotactl), SCMP_SYS(name_to_handle_at),
    SCMP_SYS(open_by_handle_at),
    // who this process is
    SCMP_SYS(setuid), SCMP_SYS(setgid), SCMP_SYS(setreuid), SCMP_SYS(setregid), SCMP_SYS(setresuid),
    SCMP_SYS(setresgid), SCMP_SYS(setgroups), SCMP_SYS(capset)};

// Calls allowed when one argument has, under a mask, the given value. Several rows for one call: any of them.
struct conditional_call {
	int call;
	unsigned argument;
	uint64_t mask;
	uint64_t value;
};

#define ALL_BITS UINT64_MAX
// The upper half of a 32-bit argument is not looked at by the kernel, so it must not decide here either.
#define ALL_32_BITS UINT64_C(0xffffffff)

static const struct conditional_call conditional_calls[] = {
    {SCMP_SYS(mmap), 2, PROT_EXEC, 0},
    {SCMP_SYS(mmap2), 2, PROT_EXEC, 0},
    {SCMP_SYS(mprotect), 2, PROT_EXEC, 0},
    // A thread, not a process. The flags of clone3 stand in memory where no filter sees them: it is refused with
    // ENOSYS below, upon which the C library takes clone.
    {SCMP_SYS(clone), 0, CLONE_THREAD, CLONE_THREAD},
    // fstat() by another name: only without a path
    {SCMP_SYS(newfstatat), 3, AT_EMPTY_PATH, AT_EMPTY_PATH},
    {SCMP_SYS(fstatat64), 3, AT_EMPTY_PATH, AT_EMPTY_PATH},
    {SCMP_SYS(statx), 2, AT_EMPTY_PATH, AT_EMPTY_PATH},
    {SCMP_SYS(ioctl), 1, ALL_32_BITS, TCGETS},
    {SCMP_SYS(ioctl), 1, ALL_32_BITS, TIOCGWINSZ},
    {SCMP_SYS(fcntl), 1, ALL_32_BITS, F_GETFL},
    {SCMP_SYS(fcntl), 1, ALL_32_BITS, F_GETFD},
    {SCMP_SYS(fcntl64), 1, ALL_32_BITS, F_GETFL},
    {SCMP_SYS(fcntl64), 1, ALL_32_BITS, F_GETFD},
    {SCMP_SYS(prctl), 0, ALL_32_BITS, PR_SET_NAME},
    {SCMP_SYS(prctl), 0, ALL_32_BITS, PR_GET_SECCOMP},
    {SCMP_SYS(prlimit64), 2, ALL_BITS, 0}, // no new limit: a question only
};

#define COUNT(array) (sizeof(array) / sizeof *(array))

// The functions of libseccomp return 0 or a negative errno; the first failure is kept.
static int add_allowed(scmp_filter_ctx filter)
{
	int result = 0;
	for (size_t i = 0; i < COUNT(allowed_calls) && result == 0; i++)
		result = seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed_calls[i], 0);
	return result;
}

static int add_conditional(scmp_filter_ctx filter)
{
	int result = 0;
	for (size_t i = 0; i < COUNT(conditional_calls) && result == 0; i++) {
		const struct conditional_call *row = &conditional_calls[i];
		struct scmp_arg_cmp condition = SCMP_CMP(row->argument, SCMP_CMP_MASKED_EQ, row->mask, row->value);
		result = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, row->call, 1, &condition);
	}
	// abort() and raise(): a signal to a thread of this process and of no other.
	struct scmp_arg_cmp itself = SCMP_CMP(0, SCMP_CMP_MASKED_EQ, ALL_32_BITS, (scmp_datum_t)getpid());
	if (result == 0)
		result = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1, &itself);
	if (result == 0)
		result = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
	return result;
}

static int add_deadly(scmp_filter_ctx filter, uint32_t kill)
{
	int result = 0;
	for (size_t i = 0; i < COUNT(deadly_calls) && result == 0; i++)
		result = seccomp_rule_add(filter, kill, deadly_calls[i], 0);
	return result;
}

// Only new files, and only by the descriptor of the folder; that the name stays within it is Landlock's to see to.
static int add_new_files(scmp_filter_ctx filter, int folder)
{
	struct scmp_arg_cmp conditions[] = {
	    SCMP_CMP(0, SCMP_CMP_MASKED_EQ, ALL_32_BITS, (scmp_datum_t)folder),
	    SCMP_CMP(2, SCMP_CMP_MASKED_EQ, ALL_32_BITS, INV_SANDBOX_NEW_FILE),
	};
	return seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, SCMP_SYS(openat), COUNT(conditions), conditions);
}

// A program that fills the screen and takes keys one by one sets the terminal's modes, and nothing else of it: keys cannot be typed in
// its place (TIOCSTI).
static int add_terminal(scmp_filter_ctx filter)
{
	static const scmp_datum_t requests[] = {TCSETS, TCSETSW, TCSETSF};
	int result = 0;
	for (size_t i = 0; i < COUNT(requests) && result == 0; i++) {
		struct scmp_arg_cmp request = SCMP_CMP(1, SCMP_CMP_MASKED_EQ, ALL_32_BITS, requests[i]);
		result = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1, &request);
	}
	return result;
}

static int build_filter(const struct inv_sandbox_options *options, scmp_filter_ctx filter)
{
	// Before Linux 4.14 only the calling thread can be killed.
	uint32_t kill = seccomp_api_get() >= 3 ? SCMP_ACT_KILL_PROCESS : SCMP_ACT_KILL_THREAD;
	int result = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, kill);
	if (result == 0)
		result = seccomp_attr_set(filter, SCMP_FLTATR_API_SYSRAWRC, 1);
	if (result == 0)
		result = add_allowed(filter);
	if (result == 0)
		result = add_conditional(filter);
	if (result == 0)
		result = add_deadly(filter, kill);
	if (result == 0 && options->makes_files)
		result = add_new_files(filter, options->folder);
	if (result == 0 && options->uses_terminal)
		result = add_terminal(filter);
	return result;
}

static enum inv_code enter_seccomp(const struct inv_sandbox_options *options, struct inv_sandbox_state *state,
                                   struct inv_error *error)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	if (!filter)
		return inv_fail(error, INV_E_INTERNAL, "sandbox: libseccomp cannot make a filter");
	int result = build_filter(options, filter);
	if (result != 0) {
		seccomp_release(filter);
		return inv_fail(error, INV_E_INTERNAL, "sandbox: libseccomp refuses a rule: %s", strerror(-result));
	}
	result = seccomp_load(filter);
	seccomp_release(filter);
	state->system_calls = result == 0;
	if (result != 0)
		snprintf(state->seccomp_missing, sizeof state->seccomp_missing, "the kernel refuses the filter: %s",
		         strerror(-result));
	return INV_OK;
}

// The kernel shows each thread as a directory here; a directory has two links more than it has subdirectories.
// 0 if it cannot be told.
static unsigned long threads_of_this_process(void)
{
	struct stat status;
	if (stat("/proc/self/task", &status) != 0 || status.st_nlink < 3)
		return 0;
	return status.st_nlink - 2;
}

static void tell(const struct inv_log *log, const struct inv_sandbox_state *state)
{
	if (state->files)
		inv_log(log, INV_LOG_INFO, "sandbox: Landlock version %d: files%s%s", state->landlock_abi,
		        state->network ? ", network" : "", state->scope ? ", signals and sockets" : "");
	else
		inv_log(log, INV_LOG_INFO, "sandbox: no Landlock: %s", state->landlock_missing);
	if (state->system_calls)
		inv_log(log, INV_LOG_INFO, "sandbox: seccomp: system calls");
	else
		inv_log(log, INV_LOG_INFO, "sandbox: no seccomp: %s", state->seccomp_missing);
	if (!state->files && !state->system_calls)
		inv_log(log, INV_LOG_WARNING, "the image is read without a sandbox (%s; %s)", state->landlock_missing,
		        state->seccomp_missing);
}

enum inv_code inv_sandbox_enter(const struct inv_sandbox_options *options, struct inv_sandbox_state *state,
                                struct inv_error *error)
{
	*state = (struct inv_sandbox_state){0};
	if (threads_of_this_process() > 1)
		return inv_fail(error, INV_E_INTERNAL, "sandbox: entered after a thread was made; it would stay outside");
	// Both protections ask for this of a process without privileges. It also takes the effect of set-user-ID
	// programs away.
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
		snprintf(state->landlock_missing, sizeof state->landlock_missing, "no_new_privs is refused: %s",
		         strerror(errno));
		memcpy(state->seccomp_missing, state->landlock_missing, sizeof state->seccomp_missing);
		tell(options->log, state);
		return INV_OK;
	}
	if (options->without_landlock)
		snprintf(state->landlock_missing, sizeof state->landlock_missing, "left out as asked");
	else
		enter_landlock(options, state);
	enum inv_code code = INV_OK;
	if (options->without_seccomp)
		snprintf(state->seccomp_missing, sizeof state->seccomp_missing, "left out as asked");
	else
		code = enter_seccomp(options, state, error);
	if (code == INV_OK)
		tell(options->log, state);
	return code;
}

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WITH_LEAK_SANITIZER 1
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define WITH_LEAK_SANITIZER 1
#endif

#ifdef WITH_LEAK_SANITIZER
// At exit LeakSanitizer starts a process that traces this one, which the sandbox is there to prevent; it would
// then end the program with a failure. It asks this hook before. Leaks are looked for in runs with
// --no-sandbox.
// NOLINTNEXTLINE(bugprone-reserved-identifier,cert-dcl37-c,readability-identifier-naming): the name is LeakSanitizer's
__attribute__((visibility("default"))) int __lsan_is_turned_off(void);
// NOLINTNEXTLINE(bugprone-reserved-identifier,cert-dcl37-c,readability-identifier-naming): the same
int __lsan_is_turned_off(void)
{
	return prctl(PR_GET_SECCOMP, 0, 0, 0, 0) != 0;
}
#endif
