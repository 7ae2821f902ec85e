// SPDX-License-Identifier: Apache-2.0
// Words about csrss: its records of processes and threads, ports, and lies about them.
#include <string.h>

#include "forge/csrss.h"
#include "forge/words.h"

// What csrss knows of a process or thread.
struct known {
	struct inv_forge_process *process;
	const struct inv_forge_csr *csr;
	const struct inv_forge_csr_thread *thread; // NULL: of the process itself
	uint64_t address, handle, object;
};

// Stops the scenario where csrss knows nothing.
static struct known check_known(lua_State *lua, int index)
{
	const struct inv_machine *machine = inv_word_machine(lua);
	uint64_t object = inv_word_value(lua, index);
	struct inv_forge_process *process = inv_machine_process_at(machine, object);
	const struct inv_forge_thread *thread = inv_machine_thread_at(machine, object);
	struct known known = {.object = object};
	if (thread)
		process = thread->process;
	const struct inv_forge_client *client = process ? process->client : NULL;
	if (thread)
		known.thread = inv_csr_thread_of(thread);
	if (!client || (thread && !known.thread)) {
		luaL_error(lua, "csrss knows nothing of that"); // does not return
		return known;
	}
	known.process = process;
	known.csr = client->csr;
	known.address = known.thread ? known.thread->address : client->address;
	known.handle = known.thread ? known.thread->handle : client->handle;
	return known;
}

static int word_csr_record(lua_State *lua)
{
	struct known known = check_known(lua, 1);
	lua_pushinteger(lua, (lua_Integer)known.address);
	lua_pushinteger(lua, (lua_Integer)known.handle);
	return 2;
}

static int word_csr_forget(lua_State *lua)
{
	struct inv_machine *machine = inv_word_machine(lua);
	struct known known = check_known(lua, 1);
	if (known.thread)
		inv_csr_forget_thread(machine, known.thread->thread);
	else
		inv_csr_forget(machine, known.process);
	inv_word_check(lua);
	return 0;
}

static int word_csr_port(lua_State *lua)
{
	struct inv_machine *machine = inv_word_machine(lua);
	lua_pushinteger(lua, (lua_Integer)inv_csr_make_port(machine, inv_word_user_process(lua, 1), NULL));
	inv_word_check(lua);
	return 1;
}

static int word_api_port(lua_State *lua)
{
	const struct inv_forge_csr *csr = inv_csr_of(inv_word_machine(lua), inv_word_process(lua, 1));
	if (csr)
		lua_pushinteger(lua, (lua_Integer)csr->port);
	else
		lua_pushnil(lua);
	return 1;
}

static int word_csr_unlink(lua_State *lua)
{
	static const char *const options[] = {"hash", NULL};
	struct inv_machine *machine = inv_word_machine(lua);
	struct known known = check_known(lua, 1);
	bool hash = true;
	if (!lua_isnoneornil(lua, 2)) {
		inv_word_check_keys(lua, 2, options);
		hash = inv_word_key_flag(lua, 2, "hash", true);
	}
	uint32_t link = known.thread ? INV_CSR_THREAD_LINK : INV_CSR_PROCESS_LINK;
	inv_csr_unlink(machine, known.csr, known.address + link);
	if (known.thread && hash)
		inv_csr_unlink(machine, known.csr, known.address + INV_CSR_THREAD_HASH);
	inv_word_note(lua, "csr_unlink", known.object, true);
	inv_word_check(lua);
	return 0;
}

static int word_csr_set(lua_State *lua)
{
	static const char *const names[] = {"pid", "tid", "handle", "created", NULL};
	static const uint32_t of_process[] = {INV_CSR_PROCESS_ID, INV_CSR_PROCESS_THREAD_ID, INV_CSR_PROCESS_HANDLE, 0};
	static const uint32_t of_thread[] = {INV_CSR_THREAD_PROCESS_ID, INV_CSR_THREAD_ID, INV_CSR_THREAD_HANDLE,
	                                     INV_CSR_THREAD_CREATED};
	struct known known = check_known(lua, 1);
	unsigned name = inv_word_option(lua, 2, "field of csrss", names);
	if (!known.thread && strcmp(names[name], "created") == 0)
		return luaL_error(lua, "csrss does not know when a process was created");
	uint32_t offset = known.thread ? of_thread[name] : of_process[name];
	inv_csr_put64(inv_word_machine(lua), known.csr, known.address + offset, inv_word_value(lua, 3));
	inv_word_note(lua, lua_pushfstring(lua, "csr_set %s", names[name]), known.object, true);
	inv_word_check(lua);
	return 0;
}

const luaL_Reg inv_csr_words[] = {
    {"csr_record", word_csr_record},
    {"csr_forget", word_csr_forget},
    {"csr_port", word_csr_port},
    {"api_port", word_api_port},
    {"csr_unlink", word_csr_unlink},
    {"csr_set", word_csr_set},
    {NULL, NULL},
};
