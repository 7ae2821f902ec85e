// SPDX-License-Identifier: Apache-2.0
#include "cli/replace.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/memory.h"

struct inv_replacement {
	char *path, *fresh; // the file, and the new one beside it
	FILE *file;
	char *old;
	size_t old_size;
	int ask, answer; // pipes to and from the process that renames; -1: none
};

// Waits for the word, renames, and says how that went: 0, or an errno. If the program ends without a word the new file goes.
static _Noreturn void serve(const struct inv_replacement *replacement, int ask, int answer)
{
	static const int ignored[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE};
	char word = 0;
	ssize_t got;
	// A key that interrupts the program reaches this process, too; it ends when the program does.
	for (size_t i = 0; i < sizeof ignored / sizeof ignored[0]; i++)
		signal(ignored[i], SIG_IGN);
	do {
		got = read(ask, &word, 1);
	} while (got < 0 && errno == EINTR);
	int result = 0;
	if (got != 1)
		unlink(replacement->fresh);
	else if (rename(replacement->fresh, replacement->path) != 0)
		result = errno;
	if (got == 1 && write(answer, &result, sizeof result) != (ssize_t)sizeof result)
		_exit(1);
	_exit(0);
}

static enum inv_code start_server(struct inv_replacement *replacement, struct inv_error *error)
{
	int ask[2], answer[2];
	if (pipe2(ask, O_CLOEXEC) != 0)
		return inv_fail(error, INV_E_INTERNAL, "no pipe: %s", strerror(errno));
	if (pipe2(answer, O_CLOEXEC) != 0) {
		close(ask[0]);
		close(ask[1]);
		return inv_fail(error, INV_E_INTERNAL, "no pipe: %s", strerror(errno));
	}
	pid_t child = fork();
	if (child == 0) {
		// A second one, so that nobody has to wait for it: the sandbox would not let us.
		pid_t grandchild = fork();
		if (grandchild != 0)
			_exit(grandchild < 0);
		close(ask[1]);
		close(answer[0]);
		serve(replacement, ask[0], answer[1]);
	}
	close(ask[0]);
	close(answer[1]);
	replacement->ask = ask[1];
	replacement->answer = answer[0];
	int status = 1;
	if (child < 0 || waitpid(child, &status, 0) != child || status != 0)
		return inv_fail(error, INV_E_INTERNAL, "no process can be started: %s", strerror(errno));
	return INV_OK;
}

// A copy: what is judged must not change meanwhile.
static enum inv_code read_old(struct inv_replacement *replacement, int file, size_t size, struct inv_error *error)
{
	replacement->old = inv_alloc(size + 1);
	while (replacement->old_size < size) {
		ssize_t got = read(file, replacement->old + replacement->old_size, size - replacement->old_size);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return inv_fail(error, INV_E_USAGE, "cannot read %s: %s", replacement->path, strerror(errno));
		if (got == 0)
			break;
		replacement->old_size += (size_t)got;
	}
	return INV_OK;
}

// The file that is there, if any; its permissions go to the new one.
static enum inv_code open_old(struct inv_replacement *replacement, size_t most, mode_t *mode, struct inv_error *error)
{
	struct stat status;
	int file = open(replacement->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (file < 0 && errno == ENOENT)
		return INV_OK;
	if (file < 0)
		return inv_fail(error, INV_E_USAGE, "cannot read %s: %s", replacement->path, strerror(errno));
	enum inv_code code = INV_OK;
	if (fstat(file, &status) != 0)
		code = inv_fail(error, INV_E_USAGE, "cannot read %s: %s", replacement->path, strerror(errno));
	else if (!S_ISREG(status.st_mode) || status.st_size < 0)
		code = inv_fail(error, INV_E_USAGE, "%s is no ordinary file", replacement->path);
	else if ((uint64_t)status.st_size > most)
		code = inv_fail(error, INV_E_USAGE, "%s is larger than %zu bytes; give another file to -o", replacement->path,
		                most);
	else
		code = read_old(replacement, file, (size_t)status.st_size, error);
	if (code == INV_OK)
		*mode = status.st_mode & 0777;
	close(file);
	return code;
}

static enum inv_code open_new(struct inv_replacement *replacement, mode_t mode, struct inv_error *error)
{
	size_t length = strlen(replacement->path) + sizeof ".XXXXXX";
	replacement->fresh = inv_alloc(length);
	snprintf(replacement->fresh, length, "%s.XXXXXX", replacement->path);
	int file = mkostemp(replacement->fresh, O_CLOEXEC);
	if (file < 0) {
		free(replacement->fresh);
		replacement->fresh = NULL;
		return inv_fail(error, INV_E_USAGE, "cannot write beside %s: %s", replacement->path, strerror(errno));
	}
	if (fchmod(file, mode) == 0)
		replacement->file = fdopen(file, "w");
	if (replacement->file)
		return INV_OK;
	int why = errno;
	close(file);
	unlink(replacement->fresh);
	return inv_fail(error, INV_E_USAGE, "cannot write %s: %s", replacement->fresh, strerror(why));
}

enum inv_code inv_replacement_open(const char *path, size_t most, struct inv_replacement **result,
                                   struct inv_error *error)
{
	struct inv_replacement *replacement = inv_alloc(sizeof *replacement);
	mode_t mask = umask(0), mode = 0666 & ~mask;
	umask(mask);
	*result = replacement;
	replacement->ask = replacement->answer = -1;
	// Through links to the file itself: the name that is taken is its own.
	char *real = realpath(path, NULL);
	size_t length = strlen(path) + 1;
	replacement->path = real ? real : memcpy(inv_alloc(length), path, length);
	enum inv_code code = open_old(replacement, most, &mode, error);
	if (code == INV_OK)
		code = open_new(replacement, mode, error);
	if (code == INV_OK)
		code = start_server(replacement, error);
	if (code != INV_OK && replacement->fresh && replacement->ask < 0)
		unlink(replacement->fresh);
	return code;
}

const void *inv_replacement_old(const struct inv_replacement *replacement, size_t *size)
{
	*size = replacement->old_size;
	return replacement->old;
}

FILE *inv_replacement_file(const struct inv_replacement *replacement)
{
	return replacement->file;
}

enum inv_code inv_replacement_commit(struct inv_replacement *replacement, struct inv_error *error)
{
	int result = 0;
	ssize_t got;
	if (fflush(replacement->file) != 0 || ferror(replacement->file) || fsync(fileno(replacement->file)) != 0)
		return inv_fail(error, INV_E_INTERNAL, "%s could not be written: %s", replacement->fresh, strerror(errno));
	if (write(replacement->ask, "r", 1) != 1)
		return inv_fail(error, INV_E_INTERNAL, "%s cannot be replaced: %s", replacement->path, strerror(errno));
	do {
		got = read(replacement->answer, &result, sizeof result);
	} while (got < 0 && errno == EINTR);
	if (got != (ssize_t)sizeof result)
		return inv_fail(error, INV_E_INTERNAL, "%s may not have been replaced; what was written is in %s",
		                replacement->path, replacement->fresh);
	if (result != 0)
		return inv_fail(error, INV_E_INTERNAL, "%s cannot be replaced: %s; what was written is in %s",
		                replacement->path, strerror(result), replacement->fresh);
	return INV_OK;
}

void inv_replacement_close(struct inv_replacement *replacement)
{
	if (!replacement)
		return;
	if (replacement->file)
		fclose(replacement->file);
	if (replacement->ask >= 0)
		close(replacement->ask);
	if (replacement->answer >= 0)
		close(replacement->answer);
	free(replacement->old);
	free(replacement->path);
	free(replacement->fresh);
	free(replacement);
}
