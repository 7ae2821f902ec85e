// SPDX-License-Identifier: Apache-2.0
// What stands in for patterns.c where the program is built without libyara.
#include "cli/patterns.h"

enum inv_code inv_pattern_rules_read(const char *const *files, size_t count, const struct inv_log *log,
                                     struct inv_pattern_rules **rules, struct inv_error *error)
{
	(void)files;
	(void)count;
	(void)log;
	*rules = NULL;
	return inv_fail(error, INV_E_USAGE, "--yara: this program was built without libyara");
}

void inv_pattern_rules_free(struct inv_pattern_rules *rules)
{
	(void)rules;
}

void inv_patterns_search(const struct inv_session *session, const struct inv_check *check, struct inv_arena *arena,
                         struct inv_patterns *patterns)
{
	(void)session;
	(void)check;
	(void)arena;
	*patterns = (struct inv_patterns){0};
}

void inv_patterns_free(struct inv_patterns *patterns)
{
	(void)patterns;
}
