// SPDX-License-Identifier: Apache-2.0
// Scenarios: Lua scripts that drive a machine.
#ifndef INV_FORGE_SCENARIO_H
#define INV_FORGE_SCENARIO_H

#include "base/error.h"
#include "forge/forge.h"
#include "forge/machine.h"

struct inv_forge {
	struct inv_machine *machine;
	struct inv_machine_config config; // the scenario's wishes, until the machine is made
	struct inv_forge_options options;
	char *truth; // malloc; NULL until asked for
	// What the last operation was, for breaks().
	const char *operation;
	uint64_t object, process;
};

INV_MUST_USE enum inv_code inv_scenario_run(struct inv_forge *forge, const char *scenario, struct inv_error *error);
// Makes the machine if the scenario has not yet. Options win over wishes.
INV_MUST_USE enum inv_code inv_scenario_machine(struct inv_forge *forge, struct inv_error *error);

// Says that no kernel has this name, and which is near.
enum inv_code inv_forge_no_kernel(const char *text, struct inv_error *error);

char *inv_truth_json(const struct inv_machine *machine); // release with free()

#endif
