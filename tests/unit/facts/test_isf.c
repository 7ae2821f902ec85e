// SPDX-License-Identifier: Apache-2.0
// The ISF reader: what it takes, and that everything else is refused with a message, never a crash.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <lzma.h>

#include "base/memory.h"
#include "facts/facts.h"

#define METADATA                                                                                                       \
	"\"metadata\":{\"format\":\"6.1.0\",\"windows\":{\"pdb\":{\"GUID\":\"000102030405060708090A0B0C0D0E0F\",\"age\":"  \
	"3,"                                                                                                               \
	"\"database\":\"ntkrnlmp.pdb\",\"machine_type\":34404}}}"
#define BASE                                                                                                           \
	"\"base_types\":{\"unsigned long\":{\"size\":4},\"unsigned long long\":{\"size\":8},\"pointer\":{\"size\":8},"     \
	"\"wide\":{\"size\":16}},\"enums\":{\"_E\":{\"size\":4}}"
#define ULONG "{\"kind\":\"base\",\"name\":\"unsigned long\"}"

// A document whose _EPROCESS, _MMPFN and symbols the test gives.
static char *document(const char *eprocess, const char *more_types, const char *symbols)
{
	size_t size = 4096 + strlen(eprocess) + strlen(more_types) + strlen(symbols);
	char *text = inv_alloc(size);
	snprintf(text, size,
	         "{" METADATA "," BASE
	         ",\"user_types\":{\"_EPROCESS\":{\"kind\":\"struct\",\"size\":2624,\"fields\":{%s}}%s},"
	         "\"symbols\":{%s}}",
	         eprocess, more_types, symbols);
	return text;
}

static void expect_failure(const void *bytes, size_t size, enum inv_code expected, const char *text)
{
	struct inv_symbols *symbols = (struct inv_symbols *)1;
	const struct inv_kernel_facts *facts = (const struct inv_kernel_facts *)1;
	struct inv_error error = {0};
	enum inv_code code = inv_symbols_parse_isf("t.json", bytes, size, &symbols, &facts, &error);
	if (code != expected || !strstr(error.text, text) || !strstr(error.text, "t.json"))
		fail_msg("code %d, \"%s\"; \"%s\" expected", (int)code, error.text, text);
	assert_null(symbols);
	assert_null(facts);
}

static void expect_bad_text(const char *text, const char *message)
{
	expect_failure(text, strlen(text), INV_E_FORMAT, message);
}

static void expect_bad(const char *eprocess, const char *symbols, const char *message)
{
	char *text = document(eprocess, "", symbols);
	expect_bad_text(text, message);
	free(text);
}

static const struct inv_kernel_facts *parse(const char *text, struct inv_symbols **symbols)
{
	const struct inv_kernel_facts *facts;
	struct inv_error error = {0};
	if (inv_symbols_parse_isf("t.json", text, strlen(text), symbols, &facts, &error))
		fail_msg("%s", error.text);
	return facts;
}

static void reads_a_table(void **state)
{
	(void)state;
	char *text = document(
	    "\"UniqueProcessId\":{\"offset\":1088,\"type\":{\"kind\":\"pointer\",\"subtype\":" ULONG "}},"
	    "\"Wow64Process\":{\"offset\":1408,\"type\":{\"kind\":\"pointer\",\"subtype\":" ULONG "}},"
	    "\"SystemProcess\":{\"offset\":2172,\"type\":{\"kind\":\"bitfield\",\"bit_position\":12,\"bit_length\":1,"
	    "\"type\":{\"kind\":\"enum\",\"name\":\"_E\"}}},"
	    "\"Peb\":{\"offset\":65535,\"type\":" ULONG "}",
	    ",\"_MMPFN\":{\"kind\":\"struct\",\"size\":48,\"fields\":{\"u4\":{\"offset\":40,\"type\":{\"kind\":\"union\","
	    "\"name\":\"_U4\"}},\"hidden\":{\"offset\":8,\"anonymous\":true,\"type\":{\"kind\":\"union\",\"name\":\"_H\"}}}"
	    "},"
	    "\"_U4\":{\"kind\":\"union\",\"size\":8,\"fields\":{\"PteFrame\":{\"offset\":0,\"type\":{\"kind\":\"bitfield\","
	    "\"bit_position\":0,\"bit_length\":40,\"type\":{\"kind\":\"base\",\"name\":\"unsigned long long\"}}}}},"
	    "\"_H\":{\"kind\":\"union\",\"size\":8,\"fields\":{\"PteAddress\":{\"offset\":4,\"type\":" ULONG "}}},"
	    "\"_PEB\":{\"kind\":\"struct\",\"size\":0,\"fields\":{}}",
	    "\"PsActiveProcessHead\":{\"address\":4096},\"PspCidTable\":{\"address\":4294967294}");
	struct inv_symbols *symbols;
	const struct inv_kernel_facts *facts = parse(text, &symbols);
	free(text);

	static const uint8_t guid[16] = {3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};
	assert_memory_equal(facts->guid, guid, 16);
	assert_int_equal(facts->age, 3);
	assert_int_equal(facts->arch, INV_ARCH_X64);
	assert_string_equal(facts->pdb, "ntkrnlmp.pdb");
	assert_int_equal(facts->version.build, 0);
	assert_string_equal(facts->layout->id, "isf");
	assert_int_equal(facts->layout->size[INV_T_EPROCESS], 2624);
	assert_int_equal(facts->layout->size[INV_T_PEB], 0);
	const struct inv_place *place = facts->layout->place;
	assert_int_equal(place[INV_F_EPROCESS_UniqueProcessId].offset, 1088);
	assert_int_equal(place[INV_F_EPROCESS_UniqueProcessId].bits, 0);
	assert_int_equal(place[INV_F_EPROCESS_WoW64Process].offset, 1408);
	assert_int_equal(place[INV_F_EPROCESS_SystemProcess].bit, 12);
	assert_int_equal(place[INV_F_EPROCESS_SystemProcess].bits, 1);
	assert_int_equal(place[INV_F_EPROCESS_SystemProcess].width, 4);
	assert_int_equal(place[INV_F_EPROCESS_Token].offset, INV_NO_OFFSET);
	assert_int_equal(place[INV_F_EPROCESS_Peb].offset, INV_NO_OFFSET);
	assert_int_equal(place[INV_F_MMPFN_PteFrame].offset, 40);
	assert_int_equal(place[INV_F_MMPFN_PteFrame].bits, 40);
	assert_int_equal(place[INV_F_MMPFN_PteFrame].width, 8);
	assert_int_equal(place[INV_F_MMPFN_PteAddress].offset, 12);
	assert_int_equal(place[INV_F_KPROCESS_DirectoryTableBase].offset, INV_NO_OFFSET);
	assert_int_equal(facts->rva[INV_S_PsActiveProcessHead], 4096);
	assert_int_equal(facts->rva[INV_S_PspCidTable], 4294967294u);
	assert_int_equal(facts->rva[INV_S_MiState], INV_NO_RVA);
	inv_symbols_close(symbols);
}

static void refuses_what_is_no_table(void **state)
{
	(void)state;
	expect_bad_text("", "found nothing");
	expect_bad_text(" \n\t", "found nothing");
	expect_bad_text("MZ", "byte 0x4d");
	expect_bad_text("[1]", "byte 0x5b");
	expect_bad_text("{", "expected JSON");
	expect_bad_text("{\"a\":1,}", "expected JSON");
	expect_bad_text("{} {}", "expected JSON");
	expect_bad_text("{\"a\":\"\xff\"}", "expected JSON");
	expect_bad_text("{\"a\":\"\\u0000\"}", "expected JSON");
	static const char pdb[] = "Microsoft C/C++ MSF 7.00\r\n\x1a"
	                          "DS\0\0\0";
	expect_failure(pdb, sizeof pdb, INV_E_UNSUPPORTED, "PDB");
	expect_failure(pdb, 24, INV_E_UNSUPPORTED, "PDB");
	expect_failure(pdb, 23, INV_E_FORMAT, "byte 0x4d");
}

static void refuses_deep_json(void **state)
{
	(void)state;
	size_t depth = 1000000;
	char *text = inv_alloc(depth + 16);
	memcpy(text, "{\"a\":", 5); // NOLINT(bugprone-not-null-terminated-result): given with its length
	memset(text + 5, '[', depth);
	expect_failure(text, depth + 5, INV_E_FORMAT, "expected JSON");
	free(text);
}

// Each value costs memory; commas alone are enough to be refused before anything is built.
static void refuses_too_many_values(void **state)
{
	(void)state;
	size_t size = (size_t)17 * 1000 * 1000;
	char *text = inv_alloc(size);
	text[0] = '{';
	memset(text + 1, ',', size - 1);
	expect_failure(text, size, INV_E_FORMAT, "16 million values");
	free(text);
}

static void refuses_bad_metadata(void **state)
{
	(void)state;
	expect_bad_text("{}", "metadata: expected an object, found nothing");
	expect_bad_text("{\"metadata\":3}", "metadata: expected an object, found 3");
	expect_bad_text("{\"metadata\":{}}", "metadata.format");
	expect_bad_text("{\"metadata\":{\"format\":6}}", "metadata.format");
	static const char newer[] = "{\"metadata\":{\"format\":\"7.0.0\"}}";
	expect_failure(newer, sizeof newer - 1, INV_E_UNSUPPORTED, "7.0.0");
	expect_bad_text("{\"metadata\":{\"format\":\"6.1.0\"}}", "metadata.windows.pdb");
	expect_bad_text("{\"metadata\":{\"format\":\"6.1.0\",\"windows\":{\"pdb\":{}}}}", "pdb.GUID");
	expect_bad_text("{\"metadata\":{\"format\":\"6.1.0\",\"windows\":{\"pdb\":{\"GUID\":\"12\"}}}}", "pdb.GUID");
#define WITH_GUID                                                                                                      \
	"{\"metadata\":{\"format\":\"6.1.0\",\"windows\":{\"pdb\":{\"GUID\":\"000102030405060708090A0B0C0D0E0F\""
	expect_bad_text(WITH_GUID "}}}}", "pdb.age");
	expect_bad_text(WITH_GUID ",\"age\":-1}}}}", "pdb.age");
	expect_bad_text(WITH_GUID ",\"age\":4294967296}}}}", "pdb.age");
	expect_bad_text(WITH_GUID ",\"age\":1}}}}", "pdb.database");
	expect_bad_text(WITH_GUID ",\"age\":1,\"database\":"
	                          "\"0123456789012345678901234567890123456789012345678901234567890123\"}}}}",
	                "pdb.database");
	expect_bad_text(WITH_GUID ",\"age\":1,\"database\":\"n\",\"machine_type\":65536}}}}", "machine_type");
	expect_bad_text(WITH_GUID ",\"age\":1,\"database\":\"n\"}}}}", "user_types");
}

static void refuses_missing_sections(void **state)
{
	(void)state;
	expect_bad_text("{" METADATA "}", "user_types");
	expect_bad_text("{" METADATA ",\"user_types\":[]}", "user_types: expected an object, found an array");
	expect_bad_text("{" METADATA ",\"user_types\":{}}", "base_types");
	expect_bad_text("{" METADATA ",\"user_types\":{},\"base_types\":{},\"enums\":1,\"symbols\":{}}", "enums");
	expect_bad_text("{" METADATA ",\"user_types\":{},\"base_types\":{}}", "symbols");
}

static void refuses_bad_numbers(void **state)
{
	(void)state;
	expect_bad("\"Token\":{\"offset\":-8,\"type\":" ULONG "}", "",
	           "_EPROCESS.Token: expected an offset of 32 bits, found -8");
	expect_bad("\"Token\":{\"offset\":4294967296,\"type\":" ULONG "}", "", "_EPROCESS.Token");
	expect_bad("\"Token\":{\"offset\":8.5,\"type\":" ULONG "}", "", "found a fraction");
	expect_bad("\"Token\":{\"offset\":\"8\",\"type\":" ULONG "}", "", "found a text");
	expect_bad("\"Token\":{\"offset\":99999999999999999999,\"type\":" ULONG "}", "", "expected JSON");
	expect_bad("\"Token\":{\"offset\":1e999,\"type\":" ULONG "}", "", "expected JSON");
	expect_bad("\"Token\":{\"type\":" ULONG "}", "", "found nothing");
	expect_bad("\"Token\":{\"offset\":8}", "", "expected a type");
	expect_bad("\"Token\":7", "", "_EPROCESS.Token");
	expect_bad("\"x\":{}", "\"PspCidTable\":{\"address\":-1}", "PspCidTable: expected an address");
	expect_bad("\"x\":{}", "\"PspCidTable\":{\"address\":4294967295}", "PspCidTable");
	expect_bad("\"x\":{}", "\"PspCidTable\":{}", "PspCidTable");
	expect_bad("\"x\":{}", "\"PspCidTable\":5", "PspCidTable");
	expect_bad_text("{" METADATA "," BASE
	                ",\"symbols\":{},\"user_types\":{\"_PEB\":{\"size\":-1,\"fields\":{\"a\":1}}}}",
	                "_PEB: expected a size");
}

static void refuses_bad_bits(void **state)
{
	(void)state;
	static const struct {
		const char *bit, *length, *type, *message;
	} cases[] = {
	    {"31", "2", ULONG, "fits its integer"},
	    {"-1", "1", ULONG, "fits its integer"},
	    {"0", "0", ULONG, "fits its integer"},
	    {"0", "33", ULONG, "fits its integer"},
	    {"\"0\"", "1", ULONG, "fits its integer"},
	    {"9223372036854775807", "9223372036854775807", ULONG, "fits its integer"},
	    {"0", "1", "{\"kind\":\"base\",\"name\":\"none\"}", "behind a bit field"},
	    {"0", "1", "{\"kind\":\"base\",\"name\":\"wide\"}", "behind a bit field"},
	    {"0", "1", "{\"kind\":\"base\"}", "behind a bit field"},
	    {"0", "1", "null", "behind a bit field"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char field[512];
		snprintf(field, sizeof field,
		         "\"Minimal\":{\"offset\":4,\"type\":{\"kind\":\"bitfield\",\"bit_position\":%s,\"bit_length\":%s,"
		         "\"type\":%s}}",
		         cases[i].bit, cases[i].length, cases[i].type);
		expect_bad(field, "", cases[i].message);
	}
}

// Unnamed members that hold each other, many times over: bounded, not hung.
static void bounds_unnamed_circles(void **state)
{
	(void)state;
	size_t size = 1 << 20;
	char *types = inv_alloc(size);
	char *at =
	    types +
	    sprintf(types, ",\"_C\":{\"kind\":\"union\",\"size\":8,\"fields\":{\"a\":{\"offset\":0,\"type\":" ULONG "}");
	for (int i = 0; i < 2000; i++)
		at +=
		    sprintf(at, ",\"f%d\":{\"offset\":0,\"anonymous\":true,\"type\":{\"kind\":\"union\",\"name\":\"_C\"}}", i);
	sprintf(at, "}}");
	char *text =
	    document("\"u\":{\"offset\":0,\"anonymous\":true,\"type\":{\"kind\":\"union\",\"name\":\"_C\"}}", types, "");
	expect_bad_text(text, "nest without end");
	free(text);
	free(types);
}

// Offsets that add up beyond what a place holds are not known, rather than wrapped.
static void offsets_do_not_wrap(void **state)
{
	(void)state;
	char *text =
	    document("\"x\":{}",
	             ",\"_MMPFN\":{\"size\":48,\"fields\":{\"u4\":{\"offset\":4294967295,\"type\":{\"kind\":\"union\","
	             "\"name\":\"_U\"}}}},\"_U\":{\"size\":8,\"fields\":{\"PteFrame\":{\"offset\":4294967295,"
	             "\"type\":" ULONG "}}}",
	             "");
	struct inv_symbols *symbols;
	const struct inv_kernel_facts *facts = parse(text, &symbols);
	assert_int_equal(facts->layout->place[INV_F_MMPFN_PteFrame].offset, INV_NO_OFFSET);
	inv_symbols_close(symbols);
	free(text);
}

static void tolerates_odd_types_on_the_way(void **state)
{
	(void)state;
	// A path through something that is no structure: the field is absent.
	char *text = document("\"x\":{}",
	                      ",\"_MMPFN\":{\"size\":48,\"fields\":{\"u4\":{\"offset\":4,\"type\":" ULONG "},"
	                      "\"u3\":{\"offset\":4,\"type\":{\"kind\":\"struct\"}}}},\"_TEB\":7,\"_PEB\":{\"fields\":[1]}",
	                      "");
	struct inv_symbols *symbols;
	const struct inv_kernel_facts *facts = parse(text, &symbols);
	assert_int_equal(facts->layout->place[INV_F_MMPFN_PteFrame].offset, INV_NO_OFFSET);
	assert_int_equal(facts->layout->place[INV_F_MMPFN_PageLocation].offset, INV_NO_OFFSET);
	inv_symbols_close(symbols);
	free(text);
}

static size_t pack(const char *text, uint8_t **packed)
{
	size_t size = lzma_stream_buffer_bound(strlen(text));
	size_t used = 0;
	*packed = inv_alloc(size);
	assert_int_equal(
	    lzma_easy_buffer_encode(1, LZMA_CHECK_CRC64, NULL, (const uint8_t *)text, strlen(text), *packed, &used, size),
	    LZMA_OK);
	return used;
}

static void unpacks_xz(void **state)
{
	(void)state;
	char *text = document("\"Token\":{\"offset\":1208,\"type\":" ULONG "}", "", "");
	uint8_t *packed;
	size_t size = pack(text, &packed);
	struct inv_symbols *symbols;
	const struct inv_kernel_facts *facts;
	assert_int_equal(inv_symbols_parse_isf("t.json", packed, size, &symbols, &facts, NULL), INV_OK);
	assert_int_equal(facts->layout->place[INV_F_EPROCESS_Token].offset, 1208);
	inv_symbols_close(symbols);

	// Cut anywhere behind the magic, it says that it is cut.
	for (size_t cut = 6; cut < size; cut++)
		expect_failure(packed, cut, INV_E_FORMAT, "its end (truncated)");
	packed[size / 2] ^= 0x55;
	expect_failure(packed, size, INV_E_FORMAT, "an xz stream");
	free(packed);
	free(text);
}

// A bomb: 600 MiB of spaces in some 90 KiB.
static void refuses_a_bomb(void **state)
{
	(void)state;
	enum { BLOCK = 1 << 20 };
	uint8_t *block = inv_alloc(BLOCK);
	memset(block, ' ', BLOCK);
	size_t size = (size_t)4 << 20;
	uint8_t *packed = inv_alloc(size);
	lzma_stream stream = LZMA_STREAM_INIT;
	assert_int_equal(lzma_easy_encoder(&stream, 0, LZMA_CHECK_NONE), LZMA_OK);
	stream.next_out = packed;
	stream.avail_out = size;
	for (int i = 0; i < 600; i++) {
		stream.next_in = block;
		stream.avail_in = BLOCK;
		while (stream.avail_in)
			assert_int_equal(lzma_code(&stream, LZMA_RUN), LZMA_OK);
	}
	assert_int_equal(lzma_code(&stream, LZMA_FINISH), LZMA_STREAM_END);
	expect_failure(packed, (size_t)stream.total_out, INV_E_FORMAT, "512 MiB");
	lzma_end(&stream);
	free(packed);
	free(block);
}

struct listing {
	char text[2048];
};

static void list(void *context, const struct inv_member *member)
{
	struct listing *listing = context;
	size_t used = strlen(listing->text);
	snprintf(listing->text + used, sizeof listing->text - used, "%x %s: %s, %u", member->offset, member->name,
	         member->type, member->size);
	used = strlen(listing->text);
	if (member->place.bits)
		snprintf(listing->text + used, sizeof listing->text - used, ", %u+%u/%u", member->place.bit, member->place.bits,
		         member->place.width);
	used = strlen(listing->text);
	snprintf(listing->text + used, sizeof listing->text - used, "\n");
}

static void lists_members(void **state)
{
	(void)state;
	char *text = document(
	    "\"c\":{\"offset\":80000,\"type\":{\"kind\":\"array\",\"count\":3,\"subtype\":{\"kind\":\"pointer\","
	    "\"subtype\":"
	    "{\"kind\":\"struct\",\"name\":\"_EPROCESS\"}}}},"
	    "\"b2\":{\"offset\":4,\"type\":{\"kind\":\"bitfield\",\"bit_position\":3,\"bit_length\":2,\"type\":" ULONG "}},"
	    "\"b1\":{\"offset\":4,\"type\":{\"kind\":\"bitfield\",\"bit_position\":0,\"bit_length\":3,\"type\":" ULONG "}},"
	    "\"a\":{\"offset\":0,\"type\":{\"kind\":\"enum\",\"name\":\"_E\"}},"
	    "\"huge\":{\"offset\":8,\"type\":{\"kind\":\"array\",\"count\":9223372036854775807,\"subtype\":" ULONG "}},"
	    "\"bad\":{\"offset\":-1,\"type\":" ULONG "},\"odd\":{\"offset\":16}",
	    "", "");
	struct inv_symbols *symbols;
	parse(text, &symbols);
	free(text);
	struct listing listing = {""};
	uint32_t size = 0;
	assert_true(inv_symbols_members(symbols, "_EPROCESS", &size, list, &listing));
	assert_int_equal(size, 2624);
	assert_string_equal(listing.text, "0 a: _E, 4\n"
	                                  "4 b1: 3 bits of unsigned long, 4, 0+3/4\n"
	                                  "4 b2: 2 bits of unsigned long, 4, 3+2/4\n"
	                                  "8 huge: array of 9223372036854775807 unsigned long, 0\n"
	                                  "10 odd: , 0\n"
	                                  "13880 c: array of 3 pointer to _EPROCESS, 24\n");
	assert_false(inv_symbols_members(symbols, "_NONE", &size, list, &listing));
	inv_symbols_close(symbols);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(reads_a_table),
	    cmocka_unit_test(refuses_what_is_no_table),
	    cmocka_unit_test(refuses_deep_json),
	    cmocka_unit_test(refuses_too_many_values),
	    cmocka_unit_test(refuses_bad_metadata),
	    cmocka_unit_test(refuses_missing_sections),
	    cmocka_unit_test(refuses_bad_numbers),
	    cmocka_unit_test(refuses_bad_bits),
	    cmocka_unit_test(bounds_unnamed_circles),
	    cmocka_unit_test(offsets_do_not_wrap),
	    cmocka_unit_test(tolerates_odd_types_on_the_way),
	    cmocka_unit_test(unpacks_xz),
	    cmocka_unit_test(refuses_a_bomb),
	    cmocka_unit_test(lists_members),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
