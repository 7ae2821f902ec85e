// SPDX-License-Identifier: Apache-2.0
// Symbol files given at run time. All are opened at once and no path is opened later, so that the process can lock
// itself in between; what they hold is read when a kernel asks for it.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/array.h"
#include "base/text.h"
#include "facts/isf.h"

#define MAX_FILES 4096
// Descriptors left for everything else.
#define SPARE_FILES 64

struct file {
	const char *path;
	int descriptor;
	uint64_t size;
	bool known; // `guid` was read from it
	bool broken;
	uint8_t guid[16];
};

struct inv_symbols {
	const struct inv_log *log;
	struct inv_arena *arena;
	bool folder;
	struct file *files;
	struct inv_isf **tables;
};

static struct inv_symbols *symbols_new(const struct inv_log *log)
{
	struct inv_symbols *symbols = inv_alloc(sizeof *symbols);
	symbols->log = log;
	symbols->arena = inv_arena_new();
	return symbols;
}

void inv_symbols_close(struct inv_symbols *symbols)
{
	if (!symbols)
		return;
	for (size_t i = 0; i < inv_count(symbols->files); i++)
		close(symbols->files[i].descriptor);
	for (size_t i = 0; i < inv_count(symbols->tables); i++)
		inv_isf_free(symbols->tables[i]);
	inv_array_free(symbols->files);
	inv_array_free(symbols->tables);
	inv_arena_free(symbols->arena);
	free(symbols);
}

static bool ends_with(const char *name, const char *end)
{
	size_t length = strlen(name);
	size_t end_length = strlen(end);
	return length > end_length && strcasecmp(name + length - end_length, end) == 0;
}

// A name's own descriptor is never a terminal or a FIFO that blocks; what is no regular file is left out in a folder.
static enum inv_code add_file(struct inv_symbols *symbols, const char *path, struct inv_error *error)
{
	int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (descriptor < 0)
		return inv_fail(error, INV_E_IO, "%s: %s", path, strerror(errno));
	struct stat status;
	if (fstat(descriptor, &status) != 0 || !S_ISREG(status.st_mode)) {
		close(descriptor);
		return inv_fail(error, INV_E_IO, "%s: expected a regular file", path);
	}
	struct file file = {.path = inv_arena_strdup(symbols->arena, path), .descriptor = descriptor};
	file.size = (uint64_t)status.st_size;
	inv_push(symbols->files, file);
	return INV_OK;
}

static int compare_names(const void *left, const void *right)
{
	return strcmp(*(const char *const *)left, *(const char *const *)right);
}

// The names in a folder that may be symbol tables, sorted, so that the order does not depend on the file system.
static enum inv_code list_folder(struct inv_symbols *symbols, const char *path, char ***names, struct inv_error *error)
{
	DIR *folder = opendir(path);
	if (!folder)
		return inv_fail(error, INV_E_IO, "%s: %s", path, strerror(errno));
	*names = NULL;
	enum inv_code code = INV_OK;
	const struct dirent *entry;
	while (!code && (entry = readdir(folder))) {
		if (ends_with(entry->d_name, ".pdb"))
			inv_log(symbols->log, INV_LOG_WARNING, "%s/%s: a PDB is not read; only .json and .json.xz are", path,
			        entry->d_name);
		if (!ends_with(entry->d_name, ".json") && !ends_with(entry->d_name, ".json.xz"))
			continue;
		if (inv_count(*names) == MAX_FILES)
			code = inv_fail(error, INV_E_UNSUPPORTED, "%s: holds more than %d symbol tables", path, MAX_FILES);
		else
			inv_push(*names, inv_arena_printf(symbols->arena, "%s/%s", path, entry->d_name));
	}
	closedir(folder);
	if (code) {
		inv_array_free(*names);
		return code;
	}
	if (inv_count(*names))
		qsort(*names, inv_count(*names), sizeof **names, compare_names);
	return INV_OK;
}

// Lets the process hold this many files more, as far as its hard limit allows.
static void raise_limit(size_t files)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= files + SPARE_FILES)
		return;
	limit.rlim_cur = limit.rlim_max;
	// If it is refused, open() says so.
	(void)setrlimit(RLIMIT_NOFILE, &limit);
}

static enum inv_code add_folder(struct inv_symbols *symbols, const char *path, struct inv_error *error)
{
	char **names = NULL;
	enum inv_code code = list_folder(symbols, path, &names, error);
	if (code)
		return code;
	raise_limit(inv_count(names));
	for (size_t i = 0; i < inv_count(names) && !code; i++) {
		struct inv_error problem;
		if (!add_file(symbols, names[i], &problem))
			continue;
		if (errno == EMFILE || errno == ENFILE)
			code = inv_fail(error, INV_E_IO, "%s: all %zu symbol tables must be open at once: %s", names[i],
			                inv_count(names), strerror(errno));
		else
			inv_log(symbols->log, INV_LOG_WARNING, "%s", problem.text);
	}
	inv_array_free(names);
	if (!code && inv_count(symbols->files) == 0)
		code = inv_fail(error, INV_E_USAGE, "%s: expected symbol tables (.json or .json.xz), found none", path);
	return code;
}

enum inv_code inv_symbols_open(const char *path, const struct inv_log *log, struct inv_symbols **symbols,
                               struct inv_error *error)
{
	*symbols = NULL;
	// jansson's hashes want randomness from a device, which a sandbox will close.
	json_object_seed(0);
	struct stat status;
	if (stat(path, &status) != 0)
		return inv_fail(error, INV_E_IO, "%s: %s", path, strerror(errno));
	struct inv_symbols *made = symbols_new(log);
	made->folder = S_ISDIR(status.st_mode);
	enum inv_code code = made->folder ? add_folder(made, path, error) : add_file(made, path, error);
	if (code) {
		inv_symbols_close(made);
		return code;
	}
	*symbols = made;
	return INV_OK;
}

static enum inv_code read_file(const struct file *file, uint8_t **bytes, struct inv_error *error)
{
	if (file->size > INV_ISF_MAX_SIZE)
		return inv_fail_at(error, file->path, INV_ISF_MAX_SIZE, "at most 512 MiB", "more");
	size_t size = (size_t)file->size;
	*bytes = inv_alloc(size);
	for (size_t done = 0; done < size;) {
		ssize_t got = pread(file->descriptor, *bytes + done, size - done, (off_t)done);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0) {
			enum inv_code code = got < 0 ? inv_fail(error, INV_E_IO, "%s: %s", file->path, strerror(errno))
			                             : inv_fail_at(error, file->path, done, "more of the file", "its end");
			free(*bytes);
			*bytes = NULL;
			return code;
		}
		done += (size_t)got;
	}
	return INV_OK;
}

// Reads the table unless a look at its text shows that it is of another PDB: then *isf is NULL.
static enum inv_code read_text(struct file *file, const char *text, size_t length, const uint8_t guid[16],
                               struct inv_isf **isf, struct inv_error *error)
{
	file->known = inv_isf_peek_guid(text, length, file->guid);
	if (file->known && memcmp(file->guid, guid, 16) != 0)
		return INV_OK;
	enum inv_code code = inv_isf_read(file->path, text, length, isf, error);
	if (code)
		return code;
	file->known = true;
	memcpy(file->guid, (*isf)->facts.guid, 16);
	return INV_OK;
}

static enum inv_code read_table(struct file *file, const uint8_t guid[16], struct inv_isf **isf,
                                struct inv_error *error)
{
	*isf = NULL;
	uint8_t *bytes = NULL;
	enum inv_code code = read_file(file, &bytes, error);
	if (code)
		return code;
	const char *text = NULL;
	char *owned = NULL;
	size_t length = 0;
	code = inv_isf_unpack(file->path, bytes, (size_t)file->size, &text, &length, &owned, error);
	if (!code)
		code = read_text(file, text, length, guid, isf, error);
	free(owned);
	free(bytes);
	return code;
}

static bool matches(const struct inv_isf *isf, const uint8_t guid[16], uint32_t age)
{
	return memcmp(isf->facts.guid, guid, 16) == 0 && isf->facts.age == age;
}

// Takes the table of a file if it is the one. A broken file is an error only if it was named by itself.
static enum inv_code try_file(struct inv_symbols *symbols, struct file *file, const uint8_t guid[16], uint32_t age,
                              const struct inv_kernel_facts **facts, struct inv_error *error)
{
	if (file->broken || (file->known && memcmp(file->guid, guid, 16) != 0))
		return INV_OK;
	struct inv_isf *isf = NULL;
	struct inv_error problem = {0};
	enum inv_code code = read_table(file, guid, &isf, &problem);
	if (code) {
		if (!symbols->folder)
			return inv_fail(error, code, "%s", problem.text);
		file->broken = true;
		inv_log(symbols->log, INV_LOG_WARNING, "%s; passed over", problem.text);
		return INV_OK;
	}
	if (!isf)
		return INV_OK;
	if (!matches(isf, guid, age)) {
		if (memcmp(isf->facts.guid, guid, 16) == 0)
			inv_log(symbols->log, INV_LOG_WARNING, "%s: of this PDB, but of age %u where %u is wanted; passed over",
			        file->path, isf->facts.age, age);
		inv_isf_free(isf);
		return INV_OK;
	}
	inv_push(symbols->tables, isf);
	*facts = &isf->facts;
	return INV_OK;
}

static bool named_by(const struct file *file, const char *guid)
{
	const char *slash = strrchr(file->path, '/');
	return strcasestr(slash ? slash + 1 : file->path, guid) != NULL;
}

enum inv_code inv_symbols_load(struct inv_symbols *symbols, const uint8_t guid[16], uint32_t age,
                               const struct inv_kernel_facts **facts, struct inv_error *error)
{
	*facts = NULL;
	for (size_t i = 0; i < inv_count(symbols->tables); i++) {
		if (matches(symbols->tables[i], guid, age)) {
			*facts = &symbols->tables[i]->facts;
			return INV_OK;
		}
	}
	char text[INV_GUID_SIZE];
	inv_format_guid(guid, text);
	// Files that bear the name of the PDB first: reading all of a folder takes a while.
	for (int pass = 0; pass < 2; pass++) {
		for (size_t i = 0; i < inv_count(symbols->files); i++) {
			if (named_by(&symbols->files[i], text) != (pass == 0))
				continue;
			enum inv_code code = try_file(symbols, &symbols->files[i], guid, age, facts, error);
			if (code || *facts)
				return code;
		}
	}
	return INV_OK;
}

enum inv_code inv_symbols_parse_isf(const char *name, const void *bytes, size_t size, struct inv_symbols **symbols,
                                    const struct inv_kernel_facts **facts, struct inv_error *error)
{
	*symbols = NULL;
	*facts = NULL;
	const char *text = NULL;
	char *owned = NULL;
	size_t length = 0;
	struct inv_isf *isf = NULL;
	enum inv_code code = inv_isf_unpack(name, bytes, size, &text, &length, &owned, error);
	if (!code)
		code = inv_isf_read(name, text, length, &isf, error);
	free(owned);
	if (code)
		return code;
	*symbols = symbols_new(NULL);
	inv_push((*symbols)->tables, isf);
	*facts = &isf->facts;
	return INV_OK;
}

bool inv_symbols_members(struct inv_symbols *symbols, const char *type, uint32_t *size,
                         void (*each)(void *context, const struct inv_member *member), void *context)
{
	// The latest that was loaded is the kernel's own.
	for (size_t i = inv_count(symbols->tables); i-- > 0;)
		if (inv_isf_members(symbols->tables[i], type, size, each, context))
			return true;
	return false;
}
