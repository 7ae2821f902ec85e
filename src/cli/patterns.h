// SPDX-License-Identifier: Apache-2.0
// YARA: rules that the user gives, over the memory of processes. Without libyara, reading rules fails with a message.
#ifndef INV_CLI_PATTERNS_H
#define INV_CLI_PATTERNS_H

#include "cli/command.h"
#include "report/patterns.h"

struct inv_pattern_rules;

// Reads and compiles the rules, before the sandbox closes: a file may include others.
INV_MUST_USE enum inv_code inv_pattern_rules_read(const char *const *files, size_t count, const struct inv_log *log,
                                                  struct inv_pattern_rules **rules, struct inv_error *error);
void inv_pattern_rules_free(struct inv_pattern_rules *rules); // NULL is allowed

// Searches every process that has an inside, range by range. The texts live in `arena`; release with inv_patterns_free().
void inv_patterns_search(const struct inv_session *session, const struct inv_check *check, struct inv_arena *arena,
                         struct inv_patterns *patterns);
void inv_patterns_free(struct inv_patterns *patterns);

#endif
