// SPDX-License-Identifier: Apache-2.0
// Opening an image, recognising its format, and what is the same for all of them.
#include "image/image.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "image/format.h"

static struct inv_image *new_image(const char *path, const struct inv_log *log)
{
	struct inv_image *image = inv_alloc(sizeof *image);
	image->arena = inv_arena_new();
	image->log = log;
	image->file = -1;
	image->info.path = inv_arena_strdup(image->arena, path);
	image->info.atomic = -1;
	return image;
}

void inv_image_close(struct inv_image *image)
{
	if (!image)
		return;
	if (image->mapping)
		munmap(image->mapping, (size_t)image->size);
	if (image->file >= 0)
		close(image->file);
	inv_array_free(image->extents);
	inv_array_free(image->parts);
	free(image->hole_pages);
	free(image->bitmap.rank);
	inv_array_free(image->contradictions);
	inv_arena_free(image->arena);
	free(image);
}

static const char *kind_of_file(mode_t mode)
{
	if (S_ISDIR(mode))
		return "a directory";
	if (S_ISFIFO(mode))
		return "a pipe";
	if (S_ISCHR(mode))
		return "a character device";
	if (S_ISSOCK(mode))
		return "a socket";
	return "neither a file nor a block device";
}

// Opens the file and finds its size. A pipe must not make the program wait for a writer.
static enum inv_code open_file(struct inv_image *image, struct inv_error *error)
{
	const char *path = image->info.path;
	image->file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (image->file < 0)
		return inv_fail(error, INV_E_IO, "%s: cannot be opened: %s", path, strerror(errno));
	struct stat status;
	if (fstat(image->file, &status))
		return inv_fail(error, INV_E_IO, "%s: cannot be examined: %s", path, strerror(errno));
	if (!S_ISREG(status.st_mode) && !S_ISBLK(status.st_mode))
		return inv_fail(error, INV_E_IO, "%s: is %s; an image must be a file or a block device", path,
		                kind_of_file(status.st_mode));
	// A block device has no size in its status; both kinds tell their end.
	off_t end = lseek(image->file, 0, SEEK_END);
	if (end < 0)
		return inv_fail(error, INV_E_IO, "%s: its size cannot be found: %s", path, strerror(errno));
	image->size = (uint64_t)end;
	return INV_OK;
}

static enum inv_code map_file(struct inv_image *image, struct inv_error *error)
{
	const char *path = image->info.path;
	if (image->size == 0)
		return inv_fail(error, INV_E_FORMAT, "%s: is empty (0 bytes): expected memory", path);
	void *bytes = mmap(NULL, (size_t)image->size, PROT_READ, MAP_PRIVATE | MAP_NORESERVE, image->file, 0);
	if (bytes == MAP_FAILED)
		return inv_fail(error, INV_E_IO, "%s: %" PRIu64 " bytes cannot be mapped: %s", path, image->size,
		                strerror(errno));
	image->mapping = bytes;
	image->bytes = bytes;
	off_t hole = lseek(image->file, 0, SEEK_HOLE);
	image->sparse = hole >= 0 && (uint64_t)hole < image->size;
	if (image->sparse)
		inv_image_note_parts(image);
	return INV_OK;
}

enum inv_code inv_image_open_file(const char *path, const struct inv_log *log, struct inv_image **image,
                                  struct inv_error *error)
{
	struct inv_image *opened = new_image(path, log);
	enum inv_code code = open_file(opened, error);
	if (!code)
		code = map_file(opened, error);
	if (code) {
		inv_image_close(opened);
		opened = NULL;
	} else {
		opened->info.bytes = opened->size;
	}
	*image = opened;
	return code;
}

enum inv_code inv_image_open_memory(const char *path, const void *bytes, size_t size, struct inv_image **image,
                                    struct inv_error *error)
{
	*image = NULL;
	if (size == 0)
		return inv_fail(error, INV_E_FORMAT, "%s: is empty (0 bytes): expected memory", path);
	struct inv_image *opened = new_image(path, NULL);
	opened->bytes = bytes;
	opened->size = size;
	opened->info.bytes = size;
	enum inv_code code = inv_image_recognise(opened, error);
	if (code) {
		inv_image_close(opened);
		return code;
	}
	*image = opened;
	return INV_OK;
}

const uint8_t *inv_image_at(const struct inv_image *image, uint64_t offset, uint64_t size)
{
	if (offset > image->size || size > image->size - offset)
		return NULL;
	return image->bytes + offset;
}

void inv_image_contradict(struct inv_image *image, uint64_t offset, const char *expected, const char *found_format, ...)
{
	if (inv_count(image->contradictions) >= INV_MAX_CONTRADICTIONS) {
		image->contradictions_left_out++;
		return;
	}
	char found[512];
	va_list args;
	va_start(args, found_format);
	vsnprintf(found, sizeof found, found_format, args);
	va_end(args);
	const char *text =
	    inv_arena_printf(image->arena, "at offset 0x%" PRIx64 ": expected %s, found %s", offset, expected, found);
	inv_log(image->log, INV_LOG_INFO, "%s: %s", image->info.path, text);
	inv_push(image->contradictions, text);
}

static bool has_magic(const struct inv_image *image, const char *magic, size_t size)
{
	return image->size >= size && memcmp(image->bytes, magic, size) == 0;
}

static enum inv_code recognise_page(struct inv_image *image, struct inv_error *error)
{
	if (has_magic(image, "PAGEDU64", 8))
		return inv_crash_recognise(image, error);
	if (has_magic(image, "PAGEDUMP", 8))
		return inv_crash_x86_recognise(image, error);
	char found[5] = {0};
	if (image->size >= 8)
		memcpy(found, image->bytes + 4, 4);
	return inv_fail_at(error, image->info.path, 4, "\"DU64\" or \"DUMP\" after \"PAGE\", as in a crash dump",
	                   "%02x %02x %02x %02x", (uint8_t)found[0], (uint8_t)found[1], (uint8_t)found[2],
	                   (uint8_t)found[3]);
}

static void warn_of_name(const struct inv_image *image)
{
	size_t length = strlen(image->info.path);
	if (length >= 4 && strcasecmp(image->info.path + length - 4, ".dmp") == 0)
		inv_log(image->log, INV_LOG_WARNING,
		        "%s: the name ends in .dmp, but there is no crash dump header; read as raw memory", image->info.path);
}

static enum inv_code dispatch(struct inv_image *image, struct inv_error *error)
{
	if (has_magic(image, "PAGE", 4))
		return recognise_page(image, error);
	if (has_magic(image, "EMiL", 4)) // 0x4C694D45
		return inv_lime_recognise(image, error);
	if (has_magic(image, "\177ELF", 4))
		return inv_elf_recognise(image, error);
	enum inv_code code = inv_refuse_known(image, error);
	if (code)
		return code;
	warn_of_name(image);
	return inv_raw_recognise(image);
}

enum inv_code inv_image_recognise(struct inv_image *image, struct inv_error *error)
{
	enum inv_code code = dispatch(image, error);
	if (code)
		return code;
	inv_image_measure(image);
	if (image->contradictions_left_out > 0) {
		const char *text =
		    inv_arena_printf(image->arena, "%zu further contradictions are left out", image->contradictions_left_out);
		inv_push(image->contradictions, text);
	}
	image->info.contradiction_count = inv_count(image->contradictions);
	image->info.contradictions = image->contradictions;
	return INV_OK;
}

const struct inv_image_info *inv_image_info(const struct inv_image *image)
{
	return &image->info;
}

const char *inv_format_name(enum inv_format format)
{
	switch (format) {
	case INV_FORMAT_RAW:
		return "raw";
	case INV_FORMAT_LIME:
		return "lime";
	case INV_FORMAT_ELF:
		return "elf";
	case INV_FORMAT_CRASH_FULL:
		return "crash-full";
	case INV_FORMAT_CRASH_KERNEL:
		return "crash-kernel";
	case INV_FORMAT_CRASH_TRIAGE:
		return "crash-triage";
	case INV_FORMAT_CRASH_BITMAP_FULL:
		return "crash-bitmap-full";
	case INV_FORMAT_CRASH_BITMAP_KERNEL:
		return "crash-bitmap-kernel";
	case INV_FORMAT_CRASH_ACTIVE:
		return "crash-active";
	case INV_FORMAT_CRASH_X86:
		return "crash-x86";
	}
	return "unknown";
}

const char *inv_arch_name(enum inv_arch arch)
{
	switch (arch) {
	case INV_ARCH_UNKNOWN:
		return "unknown";
	case INV_ARCH_X86:
		return "x86";
	case INV_ARCH_X64:
		return "x64";
	case INV_ARCH_ARM64:
		return "arm64";
	}
	return "unknown";
}

// False when the file does not give them all: it may have become shorter, or a block is bad.
static bool read_whole(const struct inv_image *image, uint64_t offset, uint8_t *buffer, size_t size)
{
	size_t done = 0;
	while (done < size) {
		ssize_t got = pread(image->file, buffer + done, size - done, (off_t)(offset + done));
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return false;
		done += (size_t)got;
	}
	return true;
}

// Neither given as memory nor zeros in place of a hole.
static bool is_mapped(const struct inv_image *image, const uint8_t *bytes)
{
	return image->mapping && bytes >= image->bytes && bytes < image->bytes + image->size;
}

size_t inv_image_pass(const struct inv_image *image, uint64_t address, size_t size, uint8_t *buffer,
                      const uint8_t **bytes)
{
	size_t here = inv_image_bytes(image, address, size, bytes);
	if (here && is_mapped(image, *bytes) && read_whole(image, (uint64_t)(*bytes - image->bytes), buffer, here))
		*bytes = buffer;
	return here;
}
