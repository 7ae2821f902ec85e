// SPDX-License-Identifier: Apache-2.0
// What was found in the memory of processes by rules that the user gave. Apart from findings and observations: that a pattern is
// somewhere contradicts nothing.
#ifndef INV_REPORT_PATTERNS_H
#define INV_REPORT_PATTERNS_H

#include "check/check.h"

#define INV_PATTERN_SAMPLE 32u // bytes shown of what a string matched

struct inv_pattern_string {
	const char *id;   // "$a"
	uint64_t address; // where it begins
	uint32_t length;
	const char *sample; // its first bytes, in hexadecimal
};

// A rule that matches in one range of one process.
struct inv_pattern_match {
	const char *rule, *file; // its name, and the file that it stands in
	const char *tags;        // separated by blanks; ""
	const struct inv_dossier *process;
	uint64_t start, end;                // of the range
	uint64_t vad;                       // 0: no VAD covers it
	const char *kind;                   // of the VAD: "private", "image", ...
	const char *protection;             // of the VAD
	const char *mapped_file;            // NULL: none
	uint64_t address;                   // of the first string; of the range where the rule has none
	struct inv_pattern_string *strings; // stb_ds
	bool more;                          // there are more strings than are kept
};

struct inv_patterns {
	size_t rules, processes, ranges;
	uint64_t bytes;
	size_t timed_out, failed;          // pieces of ranges that were not searched to the end
	size_t dropped;                    // matches beyond those that are kept
	size_t too_big;                    // processes of which only a part was searched
	struct inv_pattern_match *matches; // stb_ds; by process, then address
};

#endif
