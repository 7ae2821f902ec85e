// SPDX-License-Identifier: Apache-2.0
// Names of keys and files, hives and accounts, in machines of the forge: sound ones, and such that lie.
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/array.h"
#include "forge/forge.h"
#include "nt/accounts.h"
#include "nt/registry.h"

#define USER "S-1-5-21-2711839914-1380451206-3127884101-"

struct world {
	struct inv_forge *forge;
	uint8_t *bytes;
	struct inv_image *image;
	struct inv_kernel *kernel;
	struct inv_arena *arena;
	struct inv_accounts accounts;
};

static struct world *new_world(const char *scenario, const char *build)
{
	struct inv_error error = {INV_OK, ""};
	const struct inv_forge_options options = {.kernel = build, .memory = 64u << 20};
	struct world *world = inv_alloc(sizeof *world);
	size_t size;
	world->forge = inv_forge_run(scenario, &options, &error);
	if (!world->forge)
		fail_msg("%s", error.text);
	assert_int_equal(inv_forge_write_memory(world->forge, INV_FORGE_RAW, &world->bytes, &size, &error), INV_OK);
	assert_int_equal(inv_image_open_memory("made", world->bytes, size, &world->image, &error), INV_OK);
	const struct inv_kernel_options nothing = {0};
	assert_int_equal(inv_kernel_identify(world->image, &nothing, &world->kernel, &error), INV_OK);
	world->arena = inv_arena_new();
	inv_accounts_read(world->kernel, &world->accounts);
	return world;
}

static void free_world(struct world *world)
{
	inv_accounts_free(&world->accounts);
	inv_arena_free(world->arena);
	inv_kernel_free(world->kernel);
	inv_image_close(world->image);
	free(world->bytes);
	inv_forge_free(world->forge);
	free(world);
}

static const char *const builds[] = {"7601", "9600", "14393", "17763", "19041", "22000"};
#define BUILDS (sizeof builds / sizeof *builds)

static const char sound[] =
    "local m = desktop()\n"
    "local services = {}\n"
    "for i = 1, 50 do services[i] = 'Service' .. i end\n"
    "services[51] = 'TrustedInstaller'\n"
    "registry({['" USER "1001'] = 'C:\\\\Users\\\\Jane', ['S-1-5-18'] = 'C:\\\\system'}, services)\n"
    "open(m.explorer, key('\\\\REGISTRY\\\\MACHINE\\\\SOFTWARE\\\\Invar'))\n";

static void test_hives(void **state)
{
	(void)state;
	for (size_t i = 0; i < BUILDS; i++) {
		struct world *world = new_world(sound, builds[i]);
		const struct inv_accounts *accounts = &world->accounts;
		assert_null(accounts->hives.unknown);
		assert_true(accounts->hives.complete);
		assert_int_equal(inv_count(accounts->hives.hives), 2);
		assert_string_equal(accounts->hives.hives[0].root_path, "\\REGISTRY\\MACHINE\\SOFTWARE");
		assert_true(accounts->software.found && accounts->system.found);
		assert_int_equal(accounts->software.coverage.odd + accounts->software.coverage.unreadable, 0);
		assert_int_equal(accounts->system.coverage.odd + accounts->system.coverage.unreadable, 0);
		assert_int_equal(inv_count(accounts->profiles), 2);
		assert_int_equal(inv_count(accounts->services), 51);
		free_world(world);
	}
}

static void test_accounts(void **state)
{
	(void)state;
	struct world *world = new_world(sound, "19041");
	struct inv_sid sid = {
	    .revision = 1, .count = 5, .authority = 5, .sub = {21, 2711839914, 1380451206, 3127884101, 1001}};
	enum inv_account_source source;
	assert_string_equal(inv_account_name(&world->accounts, &sid, &source), "Jane");
	assert_int_equal(source, INV_ACCOUNT_PROFILE);
	sid.sub[4] = 1002;
	assert_null(inv_account_name(&world->accounts, &sid, &source));
	assert_int_equal(source, INV_ACCOUNT_NONE);
	assert_null(inv_account_source_name(source));
	inv_sid_of_service("trustedINSTALLER", &sid);
	assert_string_equal(inv_account_name(&world->accounts, &sid, &source), "TrustedInstaller");
	assert_int_equal(source, INV_ACCOUNT_SERVICE);
	inv_sid_of_service("nobody", &sid);
	assert_string_equal(inv_account_name(&world->accounts, &sid, &source), "NT Service");
	assert_string_equal(inv_account_source_name(source), "well-known");
	free_world(world);
}

// Known to everybody who has seen the owner of a file of Windows.
static void test_service_sid(void **state)
{
	(void)state;
	char text[INV_SID_TEXT_SIZE];
	struct inv_sid sid;
	inv_sid_of_service("TrustedInstaller", &sid);
	assert_string_equal(inv_sid_format(&sid, text), "S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464");
	char longest[3000];
	memset(longest, 'x', sizeof longest - 1);
	longest[sizeof longest - 1] = 0;
	inv_sid_of_service(longest, &sid);
	assert_int_equal(sid.count, 6);
}

// A hive that lies: its cells, its map, its names; and a list that leads back into itself.
static void test_lies(void **state)
{
	(void)state;
	static const char lies[] =
	    "desktop()\n"
	    "local software = registry({['" USER "1001'] = 'C:\\\\Users\\\\Jane'}, {'Dnscache'})\n"
	    "set(software, '_CMHIVE.HiveList', string.pack('<I8', at(software, '_CMHIVE.HiveList')))\n"
	    "set(at(software, '_HHIVE.Storage'), '_DUAL.Length', 0x20)\n";
	for (size_t i = 0; i < BUILDS; i++) {
		struct world *world = new_world(lies, builds[i]);
		const struct inv_accounts *accounts = &world->accounts;
		assert_false(accounts->hives.complete);
		assert_string_equal(accounts->hives.odd, "it leads back into itself");
		assert_int_equal(inv_count(accounts->hives.hives), 2); // the other one from the other end
		assert_false(accounts->software.found);
		assert_true(accounts->software.coverage.odd > 0);
		assert_true(accounts->system.found);
		free_world(world);
	}
}

static void test_absent(void **state)
{
	(void)state;
	struct world *world = new_world("desktop()", "19041");
	assert_true(world->accounts.hives.complete);
	assert_int_equal(inv_count(world->accounts.hives.hives), 0);
	assert_int_equal(world->accounts.software.address, 0);
	struct inv_key_name name;
	inv_key_name_read(world->kernel, 0, world->arena, &name);
	assert_false(name.ok);
	assert_null(name.odd);
	assert_string_equal(name.path, "");
	free_world(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_hives), cmocka_unit_test(test_accounts), cmocka_unit_test(test_service_sid),
	    cmocka_unit_test(test_lies),  cmocka_unit_test(test_absent),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
