// SPDX-License-Identifier: Apache-2.0
// From a file's bytes to JSON text: what kind of file it is, and xz.
#include "facts/isf.h"

#include <ctype.h>
#include <lzma.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

// What the decoder may allocate: enough for every preset of xz (-9 needs 65 MiB).
#define DECODER_MEMORY ((uint64_t)256 * 1024 * 1024)
#define FIRST_SIZE ((size_t)16 * 1024 * 1024)

static const uint8_t xz_magic[] = {0xfd, '7', 'z', 'X', 'Z', 0};
static const char pdb_magic[] = "Microsoft C/C++ MSF 7.00";

static const char *lzma_text(lzma_ret result)
{
	if (result == LZMA_BUF_ERROR)
		return "its end (truncated)";
	if (result == LZMA_MEMLIMIT_ERROR)
		return "one that needs more than 256 MiB to unpack";
	if (result == LZMA_DATA_ERROR)
		return "damaged data";
	return "something else";
}

static enum inv_code unpack_stream(const char *name, lzma_stream *stream, char **text, size_t *length,
                                   struct inv_error *error)
{
	size_t size = 0;
	lzma_ret result = LZMA_OK;
	while (result == LZMA_OK) {
		if (stream->avail_out == 0) {
			if (size == INV_ISF_MAX_SIZE)
				return inv_fail_at(error, name, stream->total_in, "at most 512 MiB when unpacked", "more");
			size_t used = size;
			size = size ? size * 2 : FIRST_SIZE;
			*text = inv_realloc(*text, size);
			stream->next_out = (uint8_t *)*text + used;
			stream->avail_out = size - used;
		}
		result = lzma_code(stream, LZMA_FINISH);
	}
	if (result == LZMA_MEM_ERROR)
		return inv_fail(error, INV_E_INTERNAL, "%s: out of memory while unpacking", name);
	if (result != LZMA_STREAM_END)
		return inv_fail_at(error, name, stream->total_in, "an xz stream", "%s", lzma_text(result));
	*length = size - stream->avail_out;
	return INV_OK;
}

static enum inv_code unpack_xz(const char *name, const uint8_t *bytes, size_t size, char **text, size_t *length,
                               struct inv_error *error)
{
	lzma_stream stream = LZMA_STREAM_INIT;
	if (lzma_stream_decoder(&stream, DECODER_MEMORY, LZMA_CONCATENATED) != LZMA_OK)
		return inv_fail(error, INV_E_INTERNAL, "%s: liblzma does not start", name);
	stream.next_in = bytes;
	stream.avail_in = size;
	*text = NULL;
	enum inv_code code = unpack_stream(name, &stream, text, length, error);
	lzma_end(&stream);
	if (code) {
		free(*text);
		*text = NULL;
	}
	return code;
}

enum inv_code inv_isf_unpack(const char *name, const uint8_t *bytes, size_t size, const char **text, size_t *length,
                             char **owned, struct inv_error *error)
{
	*owned = NULL;
	if (size >= sizeof pdb_magic - 1 && memcmp(bytes, pdb_magic, sizeof pdb_magic - 1) == 0)
		return inv_fail(error, INV_E_UNSUPPORTED,
		                "%s: a PDB, which is not read yet: convert it to an ISF table (.json) with Volatility 3's "
		                "pdbconv",
		                name);
	if (size >= sizeof xz_magic && memcmp(bytes, xz_magic, sizeof xz_magic) == 0) {
		enum inv_code code = unpack_xz(name, bytes, size, owned, length, error);
		*text = *owned;
		return code;
	}
	size_t start = 0;
	while (start < size && isspace(bytes[start]))
		start++;
	if (start == size)
		return inv_fail_at(error, name, start, "a symbol table (JSON, or JSON packed by xz)", "nothing");
	if (bytes[start] != '{')
		return inv_fail_at(error, name, start, "a symbol table (JSON, or JSON packed by xz)", "byte 0x%02x",
		                   bytes[start]);
	*text = (const char *)bytes;
	*length = size;
	return INV_OK;
}

static size_t skip_space(const char *text, size_t length, size_t at)
{
	while (at < length && isspace((unsigned char)text[at]))
		at++;
	return at;
}

bool inv_isf_peek_guid(const char *text, size_t length, uint8_t guid[16])
{
	static const char key[] = "\"GUID\"";
	const char *found = memmem(text, length, key, sizeof key - 1);
	if (!found)
		return false;
	size_t at = (size_t)(found - text) + sizeof key - 1;
	// A second one, wherever it stands, takes a JSON reader to tell apart.
	if (memmem(text + at, length - at, key, sizeof key - 1))
		return false;
	at = skip_space(text, length, at);
	if (at == length || text[at] != ':')
		return false;
	at = skip_space(text, length, at + 1);
	if (length - at < 34 || text[at] != '"' || text[at + 33] != '"')
		return false;
	char digits[INV_GUID_SIZE];
	memcpy(digits, text + at + 1, 32);
	digits[32] = 0;
	return inv_parse_guid(digits, guid);
}
