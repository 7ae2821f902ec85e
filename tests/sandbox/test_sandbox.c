// SPDX-License-Identifier: Apache-2.0
// What the sandbox forbids and what it leaves. Each attempt runs in a child process of its own: first free, where
// it must succeed (or else the test would prove nothing), then with each protection alone and with both.
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>
#include <lzma.h>

#include "cli/sandbox.h"

#define MIB ((size_t)1024 * 1024)
#define LIMIT_SECONDS 30

// What the children find prepared: a folder with a file in it, and descriptors opened before.
struct ground {
	char folder[64];
	char file[96];
	char other[96]; // in the folder; does not exist
	int readable;   // the file, opened for reading
	int writable;   // an unnamed file, opened for writing
	int tcp;        // a TCP socket, not connected
	int listener;   // a TCP socket that listens on the loopback
	in_port_t port; // of the listener, in network order
	int local;      // a UNIX socket, not connected
	struct sockaddr_un abstract;
	socklen_t abstract_size;
	int abstract_listener;
	pid_t parent;
};

static const char content[] = "memory as acquired";

static int new_file(struct ground *ground)
{
	int file = open(ground->file, O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0600);
	if (file < 0)
		return -1;
	bool written = write(file, content, sizeof content) == (ssize_t)sizeof content;
	close(file);
	return written ? open(ground->file, O_RDONLY | O_CLOEXEC) : -1;
}

static int new_unnamed_file(const struct ground *ground)
{
	int file = open(ground->other, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
	return file >= 0 && unlink(ground->other) == 0 ? file : -1;
}

static bool listen_tcp(struct ground *ground)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof address;
	ground->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (ground->listener < 0 || bind(ground->listener, (struct sockaddr *)&address, size) != 0 ||
	    listen(ground->listener, 16) != 0 || getsockname(ground->listener, (struct sockaddr *)&address, &size) != 0)
		return false;
	ground->port = address.sin_port;
	return true;
}

// An abstract UNIX socket: its name starts with a NUL byte and is no path.
static bool listen_abstract(struct ground *ground)
{
	ground->abstract.sun_family = AF_UNIX;
	int length =
	    snprintf(ground->abstract.sun_path + 1, sizeof ground->abstract.sun_path - 1, "invar-test-%d", (int)getpid());
	ground->abstract_size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)length);
	ground->abstract_listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	return ground->abstract_listener >= 0 &&
	       bind(ground->abstract_listener, (struct sockaddr *)&ground->abstract, ground->abstract_size) == 0 &&
	       listen(ground->abstract_listener, 16) == 0;
}

static int prepare(void **state)
{
	struct ground *ground = calloc(1, sizeof *ground);
	if (!ground)
		return -1;
	*state = ground;
	ground->parent = getpid();
	snprintf(ground->folder, sizeof ground->folder, "%s", "sandbox-test-XXXXXX");
	if (!mkdtemp(ground->folder))
		return -1;
	snprintf(ground->file, sizeof ground->file, "%s/file", ground->folder);
	snprintf(ground->other, sizeof ground->other, "%s/other", ground->folder);
	ground->readable = new_file(ground);
	ground->writable = new_unnamed_file(ground);
	ground->tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ground->local = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (ground->readable < 0 || ground->writable < 0 || ground->tcp < 0 || ground->local < 0)
		return -1;
	return listen_tcp(ground) && listen_abstract(ground) ? 0 : -1;
}

static int clear(void **state)
{
	struct ground *ground = *state;
	close(ground->readable);
	close(ground->writable);
	close(ground->tcp);
	close(ground->listener);
	close(ground->local);
	close(ground->abstract_listener);
	unlink(ground->other);
	rmdir(ground->other);
	unlink(ground->file);
	rmdir(ground->folder);
	free(ground);
	return 0;
}

// Each attempt says whether it got what it wanted; if not, errno says why.
static bool done(long result)
{
	return result >= 0;
}

static bool open_for_reading(const struct ground *ground)
{
	return done(open(ground->file, O_RDONLY | O_CLOEXEC));
}

static bool open_for_writing(const struct ground *ground)
{
	return done(open(ground->file, O_WRONLY | O_CLOEXEC));
}

static bool open_folder(const struct ground *ground)
{
	return done(open(ground->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

static bool create_file(const struct ground *ground)
{
	return done(open(ground->other, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600));
}

static bool make_folder(const struct ground *ground)
{
	return done(mkdir(ground->other, 0700));
}

static bool remove_file(const struct ground *ground)
{
	return done(unlink(ground->file));
}

static bool rename_file(const struct ground *ground)
{
	return done(rename(ground->file, ground->other));
}

static bool make_symlink(const struct ground *ground)
{
	return done(symlink("file", ground->other));
}

static bool make_fifo(const struct ground *ground)
{
	return done(mkfifo(ground->other, 0600));
}

static bool truncate_file(const struct ground *ground)
{
	return done(truncate(ground->file, 0));
}

static bool change_mode(const struct ground *ground)
{
	return done(chmod(ground->file, 0644));
}

static bool change_open_mode(const struct ground *ground)
{
	return done(fchmod(ground->readable, 0600));
}

static bool look_at_path(const struct ground *ground)
{
	struct stat status;
	return done(stat(ground->file, &status));
}

static bool change_folder(const struct ground *ground)
{
	return done(chdir(ground->folder));
}

static bool run_program(const struct ground *ground)
{
	(void)ground;
	char name[] = "true";
	char *arguments[] = {name, NULL};
	char *environment[] = {NULL};
	execve("/bin/true", arguments, environment);
	return false; // had it run, this process would be gone with status 0
}

static bool make_socket(const struct ground *ground)
{
	(void)ground;
	return done(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
}

static bool connect_tcp(const struct ground *ground)
{
	struct sockaddr_in address = {
	    .sin_family = AF_INET, .sin_port = ground->port, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	return done(connect(ground->tcp, (struct sockaddr *)&address, sizeof address));
}

static bool bind_tcp(const struct ground *ground)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	return done(bind(ground->tcp, (struct sockaddr *)&address, sizeof address));
}

static bool connect_abstract(const struct ground *ground)
{
	return done(connect(ground->local, (const struct sockaddr *)&ground->abstract, ground->abstract_size));
}

static bool make_process(const struct ground *ground)
{
	(void)ground;
	pid_t child = fork();
	if (child == 0)
		_exit(0);
	return done(child); // not waited for: that the wait is denied would not show that the fork is
}

static bool signal_parent(const struct ground *ground)
{
	return done(kill(ground->parent, 0));
}

static bool signal_thread_of_parent(const struct ground *ground)
{
	return done(syscall(SYS_tgkill, ground->parent, ground->parent, 0));
}

static bool be_traced(const struct ground *ground)
{
	(void)ground;
	return done(ptrace(PTRACE_TRACEME, 0, NULL, NULL));
}

static bool read_memory_of_process(const struct ground *ground)
{
	(void)ground;
	char from = 1;
	char to = 0;
	struct iovec local = {.iov_base = &to, .iov_len = 1};
	struct iovec remote = {.iov_base = &from, .iov_len = 1};
	return done(process_vm_readv(getpid(), &local, 1, &remote, 1, 0));
}

static bool map_code(const struct ground *ground)
{
	(void)ground;
	return mmap(NULL, MIB, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED;
}

static bool make_code(const struct ground *ground)
{
	(void)ground;
	void *memory = mmap(NULL, MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return memory != MAP_FAILED && done(mprotect(memory, MIB, PROT_READ | PROT_EXEC));
}

static bool make_file_in_memory(const struct ground *ground)
{
	(void)ground;
	return done(memfd_create("invar", MFD_CLOEXEC));
}

static bool leave_name_space(const struct ground *ground)
{
	(void)ground;
	return done(unshare(CLONE_NEWUSER));
}

static bool lower_limit(const struct ground *ground)
{
	(void)ground;
	struct rlimit limit;
	if (getrlimit(RLIMIT_CORE, &limit) != 0)
		return false;
	return done(setrlimit(RLIMIT_CORE, &limit));
}

static bool change_dumpable(const struct ground *ground)
{
	(void)ground;
	return done(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0));
}

static bool start_io_uring(const struct ground *ground)
{
	(void)ground;
	uint8_t parameters[256] = {0};
	return done(syscall(SYS_io_uring_setup, 4, parameters));
}

static bool ask_a_device(const struct ground *ground)
{
	int bytes = 0;
	return done(syscall(SYS_ioctl, ground->abstract_listener, 0x8905 /* SIOCATMARK */, &bytes)) || errno == EINVAL;
}

#ifdef __x86_64__
// getpid (20) through the 32-bit interface, whose numbers mean other calls than a 64-bit filter thinks.
static bool call_as_32_bit(const struct ground *ground)
{
	(void)ground;
	long result = 20;
	__asm__ volatile("int $0x80" : "+a"(result) : : "memory", "cc", "r8", "r9", "r10", "r11");
	return result > 0;
}
#endif

enum protection { LANDLOCK = 1, SECCOMP = 2 };

struct attempt {
	const char *name;
	bool (*run)(const struct ground *ground);
	unsigned forbidden_by; // which protection must prevent it when it stands alone
	int landlock_abi;      // from which version Landlock does
	bool may_lack;         // an ordinary system may refuse it for reasons of its own
};

static const struct attempt attempts[] = {
    {"open a file for reading", open_for_reading, LANDLOCK | SECCOMP, 1, false},
    {"open a file for writing", open_for_writing, LANDLOCK | SECCOMP, 1, false},
    {"open a folder", open_folder, LANDLOCK | SECCOMP, 1, false},
    {"create a file", create_file, LANDLOCK | SECCOMP, 1, false},
    {"make a folder", make_folder, LANDLOCK | SECCOMP, 1, false},
    {"remove a file", remove_file, LANDLOCK | SECCOMP, 1, false},
    {"rename a file", rename_file, LANDLOCK | SECCOMP, 1, false},
    {"make a symbolic link", make_symlink, LANDLOCK | SECCOMP, 1, false},
    {"make a FIFO", make_fifo, LANDLOCK | SECCOMP, 1, false},
    {"truncate a file by path", truncate_file, LANDLOCK | SECCOMP, 3, false},
    {"change the mode of a file", change_mode, SECCOMP, 0, false},
    {"change the mode of an open file", change_open_mode, SECCOMP, 0, false},
    {"look at a path", look_at_path, SECCOMP, 0, false},
    {"change the working folder", change_folder, SECCOMP, 0, false},
    {"run a program", run_program, LANDLOCK | SECCOMP, 1, false},
    {"make a socket", make_socket, SECCOMP, 0, false},
    {"connect an open socket", connect_tcp, LANDLOCK | SECCOMP, 4, false},
    {"bind an open socket", bind_tcp, LANDLOCK | SECCOMP, 4, false},
    {"connect to an abstract UNIX socket", connect_abstract, LANDLOCK | SECCOMP, 6, false},
    {"make a process", make_process, SECCOMP, 0, false},
    {"signal another process", signal_parent, LANDLOCK | SECCOMP, 6, false},
    {"signal a thread of another process", signal_thread_of_parent, LANDLOCK | SECCOMP, 6, false},
    {"be traced", be_traced, SECCOMP, 0, true},
    {"read the memory of a process", read_memory_of_process, SECCOMP, 0, true},
    {"map executable memory", map_code, SECCOMP, 0, false},
    {"make memory executable", make_code, SECCOMP, 0, false},
    {"make a file in memory", make_file_in_memory, SECCOMP, 0, false},
    {"leave the name space", leave_name_space, SECCOMP, 0, true},
    {"set a limit", lower_limit, SECCOMP, 0, false},
    {"become dumpable", change_dumpable, SECCOMP, 0, false},
    {"start io_uring", start_io_uring, SECCOMP, 0, true},
    {"a request to a device other than the terminal's size", ask_a_device, SECCOMP, 0, false},
#ifdef __x86_64__
    {"a system call of the 32-bit interface", call_as_32_bit, SECCOMP, 0, true},
#endif
};

// The status of a child that could not even enter the sandbox, or did not end it as asked.
#define STATUS_DONE 0
#define STATUS_DENIED 10
#define STATUS_NO_SANDBOX 11
#define STATUS_WRONG 12

struct outcome {
	bool done;    // it got what it wanted
	bool denied;  // refused, or killed for it
	bool strange; // anything else
	int status;   // as waitpid() gives it
};

static bool enter(unsigned protections)
{
	struct inv_sandbox_options options = {
	    .without_landlock = !(protections & LANDLOCK),
	    .without_seccomp = !(protections & SECCOMP),
	};
	struct inv_sandbox_state state;
	struct inv_error error;
	return inv_sandbox_enter(&options, &state, &error) == INV_OK && state.files == ((protections & LANDLOCK) != 0) &&
	       state.system_calls == ((protections & SECCOMP) != 0);
}

static struct outcome wait_for(pid_t child)
{
	struct outcome outcome = {.strange = true};
	assert_int_equal(waitpid(child, &outcome.status, 0), child);
	if (WIFEXITED(outcome.status)) {
		outcome.done = WEXITSTATUS(outcome.status) == STATUS_DONE;
		outcome.denied = WEXITSTATUS(outcome.status) == STATUS_DENIED;
	} else if (WIFSIGNALED(outcome.status)) {
		outcome.denied = WTERMSIG(outcome.status) == SIGSYS;
	}
	outcome.strange = !outcome.done && !outcome.denied;
	return outcome;
}

static struct outcome try_it(const struct attempt *attempt, const struct ground *ground, unsigned protections)
{
	fflush(NULL);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		alarm(LIMIT_SECONDS);
		if (protections && !enter(protections))
			_exit(STATUS_NO_SANDBOX);
		_exit(attempt->run(ground) ? STATUS_DONE : STATUS_DENIED);
	}
	return wait_for(child);
}

// Puts back what an attempt that was not prevented has changed.
static void tidy(struct ground *ground)
{
	unlink(ground->other);
	rmdir(ground->other);
	close(ground->readable);
	ground->readable = new_file(ground);
	assert_true(ground->readable >= 0);
	close(ground->tcp);
	ground->tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	close(ground->local);
	ground->local = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(ground->tcp >= 0 && ground->local >= 0);
}

// What the running kernel has, found without the sandbox's own code.
static int landlock_version(void)
{
	long version = syscall(444 /* landlock_create_ruleset */, NULL, (size_t)0, 1u);
	return version > 0 ? (int)version : 0;
}

static bool has_seccomp(void)
{
	return prctl(PR_GET_SECCOMP, 0, 0, 0, 0) >= 0;
}

static unsigned protections_here(void)
{
	return (landlock_version() ? (unsigned)LANDLOCK : 0) | (has_seccomp() ? (unsigned)SECCOMP : 0);
}

static void need(unsigned protections)
{
	if ((protections_here() & protections) == protections)
		return;
	print_message("skipped: this kernel lacks %s%s\n", landlock_version() ? "" : "Landlock ",
	              has_seccomp() ? "" : "seccomp");
	skip();
}

static void test_attempts_succeed_when_free(void **state)
{
	struct ground *ground = *state;
	for (size_t i = 0; i < sizeof attempts / sizeof *attempts; i++) {
		struct outcome outcome = try_it(&attempts[i], ground, 0);
		tidy(ground);
		if (outcome.done)
			continue;
		print_message("not possible here even when free: %s (status 0x%x)\n", attempts[i].name,
		              (unsigned)outcome.status);
		assert_true(attempts[i].may_lack);
	}
}

static void expect_all_denied(struct ground *ground, unsigned protections, int landlock_abi)
{
	unsigned failures = 0;
	for (size_t i = 0; i < sizeof attempts / sizeof *attempts; i++) {
		const struct attempt *attempt = &attempts[i];
		bool by_landlock = (attempt->forbidden_by & LANDLOCK) && attempt->landlock_abi <= landlock_abi;
		bool by_seccomp = attempt->forbidden_by & SECCOMP;
		if (!((protections & LANDLOCK) && by_landlock) && !((protections & SECCOMP) && by_seccomp))
			continue;
		struct outcome outcome = try_it(attempt, ground, protections);
		tidy(ground);
		if (outcome.denied)
			continue;
		failures++;
		print_error("%s: %s (status 0x%x)\n", attempt->name, outcome.done ? "succeeded" : "ended strangely",
		            (unsigned)outcome.status);
	}
	assert_int_equal(failures, 0);
}

static void test_landlock_alone_denies(void **state)
{
	need(LANDLOCK);
	expect_all_denied(*state, LANDLOCK, landlock_version());
}

static void test_seccomp_alone_denies(void **state)
{
	need(SECCOMP);
	expect_all_denied(*state, SECCOMP, 0);
}

static void test_both_deny(void **state)
{
	unsigned here = protections_here();
	need(here ? here : (unsigned)(LANDLOCK | SECCOMP));
	expect_all_denied(*state, here, landlock_version());
}

static void test_an_attacker_s_call_kills(void **state)
{
	need(SECCOMP);
	static const struct attempt trace = {"be traced", be_traced, SECCOMP, 0, false};
	struct outcome outcome = try_it(&trace, *state, SECCOMP);
	assert_true(WIFSIGNALED(outcome.status));
	assert_int_equal(WTERMSIG(outcome.status), SIGSYS);
}

// What must go on working inside.
static bool read_open_file(const struct ground *ground)
{
	char bytes[sizeof content];
	return pread(ground->readable, bytes, sizeof bytes, 0) == (ssize_t)sizeof bytes &&
	       memcmp(bytes, content, sizeof bytes) == 0 && lseek(ground->readable, 0, SEEK_DATA) == 0;
}

static bool map_open_file(const struct ground *ground)
{
	char *bytes = mmap(NULL, sizeof content, PROT_READ, MAP_SHARED, ground->readable, 0);
	if (bytes == MAP_FAILED)
		return false;
	bool same = memcmp(bytes, content, sizeof content) == 0;
	return munmap(bytes, sizeof content) == 0 && same;
}

static bool size_of_open_file(const struct ground *ground)
{
	struct stat status;
	return fstat(ground->readable, &status) == 0 && status.st_size == (off_t)sizeof content;
}

static bool write_open_file(const struct ground *ground)
{
	FILE *out = fdopen(ground->writable, "w");
	return out && ftruncate(ground->writable, 0) == 0 && fprintf(out, "%s %.3f\n", content, 0.25) > 0 &&
	       fclose(out) == 0;
}

static bool write_standard_output(const struct ground *ground)
{
	(void)ground;
	(void)isatty(STDOUT_FILENO);
	return printf("written from inside the sandbox\n") > 0 && fflush(stdout) == 0;
}

static bool use_much_memory(const struct ground *ground)
{
	(void)ground;
	char *block = malloc(100 * MIB);
	if (!block)
		return false;
	memset(block, 1, 100 * MIB);
	char *grown = realloc(block, 120 * MIB);
	bool kept = grown && grown[100 * MIB - 1] == 1;
	free(grown ? grown : block);
	return kept;
}

static void *work(void *argument)
{
	size_t size = MIB;
	unsigned char *block = malloc(size);
	if (!block)
		return NULL;
	memset(block, 7, size);
	*(unsigned *)argument = block[size - 1];
	free(block);
	return argument;
}

static bool run_threads(const struct ground *ground)
{
	(void)ground;
	enum { THREADS = 8 };
	pthread_t threads[THREADS];
	unsigned results[THREADS] = {0};
	bool all = sysconf(_SC_NPROCESSORS_ONLN) > 0;
	for (size_t i = 0; i < THREADS; i++)
		if (pthread_create(&threads[i], NULL, work, &results[i]) != 0)
			return false;
	for (size_t i = 0; i < THREADS; i++)
		all = pthread_join(threads[i], NULL) == 0 && results[i] == 7 && all;
	return all;
}

static bool threads_are_inside(const struct ground *ground);

static bool tell_time(const struct ground *ground)
{
	(void)ground;
	struct timespec now;
	struct timespec wait = {.tv_nsec = 1000};
	time_t seconds = time(NULL);
	struct tm parts;
	uint8_t chance[8];
	return clock_gettime(CLOCK_MONOTONIC, &now) == 0 && nanosleep(&wait, NULL) == 0 &&
	       localtime_r(&seconds, &parts) != NULL && getrandom(chance, sizeof chance, 0) == (ssize_t)sizeof chance;
}

static bool write_json(const struct ground *ground)
{
	FILE *out = fdopen(ground->writable, "w");
	json_t *object = json_pack("{s:s, s:f}", "image", content, "seconds", 0.5);
	bool written = out && object && json_dumpf(object, out, JSON_INDENT(2)) == 0 && fflush(out) == 0;
	json_decref(object);
	return written;
}

static bool compress(const struct ground *ground)
{
	(void)ground;
	uint8_t packed[512];
	uint8_t unpacked[sizeof content];
	size_t packed_size = 0;
	size_t in = 0;
	size_t out = 0;
	uint64_t limit = UINT64_MAX;
	return lzma_easy_buffer_encode(1, LZMA_CHECK_CRC64, NULL, (const uint8_t *)content, sizeof content, packed,
	                               &packed_size, sizeof packed) == LZMA_OK &&
	       lzma_stream_buffer_decode(&limit, 0, NULL, packed, &in, packed_size, unpacked, &out, sizeof unpacked) ==
	           LZMA_OK &&
	       memcmp(unpacked, content, sizeof content) == 0;
}

static volatile sig_atomic_t interrupts;

static void on_interrupt(int number)
{
	(void)number;
	interrupts = interrupts + 1;
}

static bool be_interrupted(const struct ground *ground)
{
	(void)ground;
	struct sigaction action = {.sa_handler = on_interrupt};
	return sigaction(SIGINT, &action, NULL) == 0 && raise(SIGINT) == 0 && interrupts == 1;
}

// As the thread does that watches a check: the signals are blocked everywhere, and it alone takes them, with a limit of time and without.
static void *take_signals(void *argument)
{
	const sigset_t *signals = argument;
	struct timespec moment = {.tv_nsec = 1000000};
	struct timespec long_time = {.tv_sec = LIMIT_SECONDS};
	bool nothing_yet = sigtimedwait(signals, NULL, &moment) < 0 && errno == EAGAIN;
	bool sent = raise(SIGTERM) == 0;
	bool one = sigtimedwait(signals, NULL, &long_time) == SIGTERM;
	bool again = raise(SIGINT) == 0;
	bool other = sigwaitinfo(signals, NULL) == SIGINT;
	return nothing_yet && sent && one && again && other ? argument : NULL;
}

static bool wait_for_signals(const struct ground *ground)
{
	(void)ground;
	sigset_t signals;
	pthread_t thread;
	void *taken = NULL;
	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	return pthread_sigmask(SIG_BLOCK, &signals, NULL) == 0 &&
	       pthread_create(&thread, NULL, take_signals, &signals) == 0 && pthread_join(thread, &taken) == 0 && taken;
}

static bool ask_limit(const struct ground *ground)
{
	(void)ground;
	struct rlimit limit;
	return getrlimit(RLIMIT_NOFILE, &limit) == 0;
}

static bool exit_as_programs_do(const struct ground *ground)
{
	(void)ground;
	// Through atexit(), stdio and, where it is built in, LeakSanitizer.
	exit(STATUS_DONE);
}

static const struct attempt still_works[] = {
    {"read an open file", read_open_file, 0, 0, false},
    {"map an open file", map_open_file, 0, 0, false},
    {"ask the size of an open file", size_of_open_file, 0, 0, false},
    {"write an open file", write_open_file, 0, 0, false},
    {"write to standard output", write_standard_output, 0, 0, false},
    {"use 100 MiB of memory", use_much_memory, 0, 0, false},
    {"run threads", run_threads, 0, 0, false},
    {"tell the time", tell_time, 0, 0, false},
    {"write JSON", write_json, 0, 0, false},
    {"compress", compress, 0, 0, false},
    {"be interrupted", be_interrupted, 0, 0, false},
    {"wait for signals", wait_for_signals, 0, 0, false},
    {"ask a limit", ask_limit, 0, 0, false},
    {"exit", exit_as_programs_do, 0, 0, false},
    {"deny a thread what the process is denied", threads_are_inside, 0, 0, false},
};

static void *open_in_thread(void *argument)
{
	const struct ground *ground = argument;
	return open_for_reading(ground) ? NULL : argument;
}

static bool threads_are_inside(const struct ground *ground)
{
	pthread_t thread;
	void *denied = NULL;
	struct ground copy = *ground;
	return pthread_create(&thread, NULL, open_in_thread, &copy) == 0 && pthread_join(thread, &denied) == 0 && denied;
}

static void expect_all_work(const struct ground *ground, unsigned protections)
{
	unsigned failures = 0;
	for (size_t i = 0; i < sizeof still_works / sizeof *still_works; i++) {
		struct outcome outcome = try_it(&still_works[i], ground, protections);
		if (outcome.done)
			continue;
		failures++;
		print_error("%s: does not work inside (status 0x%x)\n", still_works[i].name, (unsigned)outcome.status);
	}
	assert_int_equal(failures, 0);
}

static void test_the_program_s_own_work_goes_on(void **state)
{
	need(protections_here() ? protections_here() : (unsigned)LANDLOCK);
	expect_all_work(*state, protections_here());
}

// Inside a sandbox that lets files be made in the ground's folder.
static bool enter_with_folder(const struct ground *ground, unsigned protections, int *folder)
{
	struct inv_sandbox_options options = {
	    .without_landlock = !(protections & LANDLOCK),
	    .without_seccomp = !(protections & SECCOMP),
	    .makes_files = true,
	};
	struct inv_sandbox_state state;
	struct inv_error error;
	*folder = options.folder = open(ground->folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return *folder >= 0 && inv_sandbox_enter(&options, &state, &error) == INV_OK;
}

static bool make_at(int folder, const char *name, int flags)
{
	int file = openat(folder, name, flags, 0600);
	bool written = file >= 0 && write(file, content, sizeof content) == (ssize_t)sizeof content;
	if (file >= 0)
		close(file);
	return written;
}

// What stands in the way of each: the number of the first attempt that went wrong, 0 if none did.
static int make_files(const struct ground *ground, unsigned protections)
{
	int folder;
	char above[128];
	snprintf(above, sizeof above, "../%s-above", ground->folder);
	if (!enter_with_folder(ground, protections, &folder))
		return 1;
	if (!make_at(folder, "other", INV_SANDBOX_NEW_FILE))
		return 2;
	if (make_at(folder, "other", INV_SANDBOX_NEW_FILE)) // it is there
		return 3;
	if ((protections & LANDLOCK) && make_at(folder, above, INV_SANDBOX_NEW_FILE))
		return 4;
	if ((protections & SECCOMP) && make_at(folder, "file", O_WRONLY | O_CLOEXEC))
		return 5;
	if (openat(folder, "file", O_RDONLY | O_CLOEXEC) >= 0)
		return 6;
	if (make_at(AT_FDCWD, "sandbox-test-elsewhere", INV_SANDBOX_NEW_FILE))
		return 7;
	if (unlinkat(folder, "other", 0) == 0 || mkdirat(folder, "folder", 0700) == 0)
		return 8;
	return 0;
}

static void expect_files(struct ground *ground, unsigned protections)
{
	fflush(NULL);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		alarm(LIMIT_SECONDS);
		_exit(make_files(ground, protections));
	}
	int status;
	assert_int_equal(waitpid(child, &status, 0), child);
	tidy(ground);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void test_only_new_files_in_one_folder(void **state)
{
	need(LANDLOCK);
	expect_files(*state, LANDLOCK);
	need(LANDLOCK | SECCOMP);
	expect_files(*state, LANDLOCK | SECCOMP);
	expect_files(*state, SECCOMP);
}

// A terminal's modes can be set when that was asked for, and only then; keys are never typed in a person's place.
static bool has_terminal(bool asked)
{
	struct inv_sandbox_options options = {.uses_terminal = asked};
	struct inv_sandbox_state state;
	struct inv_error error;
	struct termios modes;
	char key = 'x';
	int terminal = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (terminal < 0 || inv_sandbox_enter(&options, &state, &error) != INV_OK || tcgetattr(terminal, &modes) != 0)
		return false;
	bool set = tcsetattr(terminal, TCSADRAIN, &modes) == 0 && tcsetattr(terminal, TCSAFLUSH, &modes) == 0;
	bool typed = ioctl(terminal, TIOCSTI, &key) == 0 || errno != EPERM;
	return set == asked && !typed;
}

static bool uses_terminal(const struct ground *ground)
{
	(void)ground;
	return has_terminal(true);
}

static bool uses_no_terminal(const struct ground *ground)
{
	(void)ground;
	return has_terminal(false);
}

static void test_terminal_only_when_asked(void **state)
{
	need(SECCOMP);
	static const struct attempt with = {"terminal", uses_terminal, 0, 0, false};
	static const struct attempt without = {"no terminal", uses_no_terminal, 0, 0, false};
	assert_true(try_it(&with, *state, 0).done);
	assert_true(try_it(&without, *state, 0).done);
}

static bool abort_itself(const struct ground *ground)
{
	(void)ground;
	signal(SIGABRT, SIG_DFL);
	abort();
}

static void test_abort_is_seen_as_such(void **state)
{
	need(SECCOMP);
	static const struct attempt attempt = {"abort", abort_itself, 0, 0, false};
	struct outcome outcome = try_it(&attempt, *state, SECCOMP);
	assert_true(WIFSIGNALED(outcome.status));
	assert_int_equal(WTERMSIG(outcome.status), SIGABRT);
}

static void keep_line(void *context, enum inv_log_level level, const char *line)
{
	(void)level;
	char *text = context;
	size_t used = strlen(text);
	snprintf(text + used, 512 - used, "%s\n", line);
}

// The state is what the kernel has, no more and no less, and the log tells it.
static bool state_is_true(const struct ground *ground)
{
	(void)ground;
	char text[512] = "";
	struct inv_log log = {.level = INV_LOG_INFO, .write = keep_line, .context = text};
	struct inv_sandbox_options options = {.log = &log};
	struct inv_sandbox_state state;
	struct inv_error error;
	int version = landlock_version();
	bool seccomp_here = has_seccomp();
	if (inv_sandbox_enter(&options, &state, &error) != INV_OK)
		return false;
	return state.landlock_abi == version && state.files == (version >= 1) && state.network == (version >= 4) &&
	       state.scope == (version >= 6) && state.system_calls == seccomp_here &&
	       (state.landlock_missing[0] == 0) == state.files && (state.seccomp_missing[0] == 0) == state.system_calls &&
	       (strstr(text, "Landlock version") != NULL) == state.files;
}

static void test_state_tells_what_stands(void **state)
{
	static const struct attempt attempt = {"state", state_is_true, 0, 0, false};
	assert_true(try_it(&attempt, *state, 0).done);
}

static void *wait_for_line(void *argument)
{
	const int *pipe_end = argument;
	char byte;
	return read(*pipe_end, &byte, 1) == 1 ? argument : NULL;
}

static bool enter_with_two_threads(const struct ground *ground)
{
	(void)ground;
	int ends[2];
	pthread_t thread;
	if (pipe2(ends, O_CLOEXEC) != 0 || pthread_create(&thread, NULL, wait_for_line, &ends[0]) != 0)
		return false;
	struct inv_sandbox_options options = {0};
	struct inv_sandbox_state state;
	struct inv_error error;
	enum inv_code code = inv_sandbox_enter(&options, &state, &error);
	bool untouched = !state.files && !state.system_calls && open_for_reading(ground);
	return code == INV_E_INTERNAL && untouched && write(ends[1], "x", 1) == 1 && pthread_join(thread, NULL) == 0;
}

static void test_a_second_thread_is_refused(void **state)
{
	static const struct attempt attempt = {"two threads", enter_with_two_threads, 0, 0, false};
	assert_true(try_it(&attempt, *state, 0).done);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_attempts_succeed_when_free),   cmocka_unit_test(test_landlock_alone_denies),
	    cmocka_unit_test(test_seccomp_alone_denies),         cmocka_unit_test(test_both_deny),
	    cmocka_unit_test(test_an_attacker_s_call_kills),     cmocka_unit_test(test_the_program_s_own_work_goes_on),
	    cmocka_unit_test(test_terminal_only_when_asked),     cmocka_unit_test(test_abort_is_seen_as_such),
	    cmocka_unit_test(test_state_tells_what_stands),      cmocka_unit_test(test_a_second_thread_is_refused),
	    cmocka_unit_test(test_only_new_files_in_one_folder),
	};
	return cmocka_run_group_tests(tests, prepare, clear);
}
