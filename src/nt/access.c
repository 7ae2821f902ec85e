// SPDX-License-Identifier: Apache-2.0
#include "nt/access.h"

#include <stdio.h>
#include <string.h>

#include "base/bytes.h"

#define SPECIFIC_BITS 16u
#define GENERIC_ALL 0x10000000u
#define GENERIC_EXECUTE 0x20000000u
#define GENERIC_WRITE 0x40000000u
#define GENERIC_READ 0x80000000u
#define MAPPING_SIZE 16u

struct kind {
	const char *type;  // OBJECT_TYPE.Name
	uint32_t standard; // of the standard rights, those that the type has
	const char *specific[SPECIFIC_BITS];
};

static const struct kind kinds[INV_ACCESS_KINDS] = {
    [INV_ACCESS_OTHER] = {NULL, 0, {0}},
    [INV_ACCESS_PROCESS] = {"Process",
                            0x1f0000,
                            {"TERMINATE", "CREATE_THREAD", "SET_SESSIONID", "VM_OPERATION", "VM_READ", "VM_WRITE",
                             "DUP_HANDLE", "CREATE_PROCESS", "SET_QUOTA", "SET_INFORMATION", "QUERY_INFORMATION",
                             "SUSPEND_RESUME", "QUERY_LIMITED_INFORMATION", "SET_LIMITED_INFORMATION"}},
    [INV_ACCESS_THREAD] = {"Thread",
                           0x1f0000,
                           {"TERMINATE", "SUSPEND_RESUME", "ALERT", "GET_CONTEXT", "SET_CONTEXT", "SET_INFORMATION",
                            "QUERY_INFORMATION", "SET_THREAD_TOKEN", "IMPERSONATE", "DIRECT_IMPERSONATION",
                            "SET_LIMITED_INFORMATION", "QUERY_LIMITED_INFORMATION", "RESUME"}},
    [INV_ACCESS_TOKEN] = {"Token",
                          0xf0000,
                          {"ASSIGN_PRIMARY", "DUPLICATE", "IMPERSONATE", "QUERY", "QUERY_SOURCE", "ADJUST_PRIVILEGES",
                           "ADJUST_GROUPS", "ADJUST_DEFAULT", "ADJUST_SESSIONID"}},
    [INV_ACCESS_JOB] = {"Job",
                        0x1f0000,
                        {"ASSIGN_PROCESS", "SET_ATTRIBUTES", "QUERY", "TERMINATE", "SET_SECURITY_ATTRIBUTES",
                         "IMPERSONATE"}},
    [INV_ACCESS_SECTION] = {"Section",
                            0xf0000,
                            {"QUERY", "MAP_WRITE", "MAP_READ", "MAP_EXECUTE", "EXTEND_SIZE", "MAP_EXECUTE_EXPLICIT"}},
    [INV_ACCESS_FILE] = {"File",
                         0x1f0000,
                         {"READ_DATA", "WRITE_DATA", "APPEND_DATA", "READ_EA", "WRITE_EA", "EXECUTE", "DELETE_CHILD",
                          "READ_ATTRIBUTES", "WRITE_ATTRIBUTES"}},
    [INV_ACCESS_KEY] = {"Key",
                        0xf0000,
                        {"QUERY_VALUE", "SET_VALUE", "CREATE_SUB_KEY", "ENUMERATE_SUB_KEYS", "NOTIFY", "CREATE_LINK"}},
    [INV_ACCESS_EVENT] = {"Event", 0x1f0000, {"QUERY_STATE", "MODIFY_STATE"}},
    [INV_ACCESS_MUTANT] = {"Mutant", 0x1f0000, {"QUERY_STATE"}},
    [INV_ACCESS_SEMAPHORE] = {"Semaphore", 0x1f0000, {"QUERY_STATE", "MODIFY_STATE"}},
    [INV_ACCESS_TIMER] = {"Timer", 0x1f0000, {"QUERY_STATE", "MODIFY_STATE"}},
    [INV_ACCESS_DIRECTORY] = {"Directory", 0xf0000, {"QUERY", "TRAVERSE", "CREATE_OBJECT", "CREATE_SUBDIRECTORY"}},
    [INV_ACCESS_SYMBOLIC_LINK] = {"SymbolicLink", 0xf0000, {"QUERY", "SET"}},
    [INV_ACCESS_DEBUG_OBJECT] =
        {"DebugObject", 0x1f0000, {"READ_EVENT", "PROCESS_ASSIGN", "SET_INFORMATION", "QUERY_INFORMATION"}},
    [INV_ACCESS_PORT] = {"ALPC Port", 0x1f0000, {"CONNECT"}},
    [INV_ACCESS_WINDOW_STATION] = {"WindowStation",
                                   0xf0000,
                                   {"ENUMDESKTOPS", "READATTRIBUTES", "ACCESSCLIPBOARD", "CREATEDESKTOP",
                                    "WRITEATTRIBUTES", "ACCESSGLOBALATOMS", "EXITWINDOWS", NULL, "ENUMERATE",
                                    "READSCREEN"}},
    [INV_ACCESS_DESKTOP] =
        {"Desktop",
         0xf0000,
         {"READOBJECTS", "CREATEWINDOW", "CREATEMENU", "HOOKCONTROL", "JOURNALRECORD", "JOURNALPLAYBACK", "ENUMERATE",
          "WRITEOBJECTS", "SWITCHDESKTOP"}},
    [INV_ACCESS_IO_COMPLETION] = {"IoCompletion", 0x1f0000, {"QUERY_STATE", "MODIFY_STATE"}},
};

static const struct {
	uint32_t bit;
	const char *name;
} common[] = {
    {0x10000, "DELETE"},
    {0x20000, "READ_CONTROL"},
    {0x40000, "WRITE_DAC"},
    {0x80000, "WRITE_OWNER"},
    {0x100000, "SYNCHRONIZE"},
    {0x1000000, "ACCESS_SYSTEM_SECURITY"},
    {0x2000000, "MAXIMUM_ALLOWED"},
    {GENERIC_ALL, "GENERIC_ALL"},
    {GENERIC_EXECUTE, "GENERIC_EXECUTE"},
    {GENERIC_WRITE, "GENERIC_WRITE"},
    {GENERIC_READ, "GENERIC_READ"},
};

enum inv_access_kind inv_access_kind(const char *type_name)
{
	for (unsigned i = INV_ACCESS_OTHER + 1; i < INV_ACCESS_KINDS; i++)
		if (strcmp(type_name, kinds[i].type) == 0)
			return (enum inv_access_kind)i;
	return INV_ACCESS_OTHER;
}

static bool is_all(const struct kind *kind, uint32_t access)
{
	uint32_t all = kind->standard;
	for (unsigned i = 0; i < SPECIFIC_BITS; i++)
		if (kind->specific[i])
			all |= 1u << i;
	return kind->type && (access & all) == all;
}

struct words {
	char text[512]; // more than all names together
	size_t size;
};

static void add(struct words *words, const char *word)
{
	int written =
	    snprintf(words->text + words->size, sizeof words->text - words->size, "%s%s", words->size ? ", " : "", word);
	if (written > 0 && (size_t)written < sizeof words->text - words->size)
		words->size += (size_t)written;
}

const char *inv_access_text(enum inv_access_kind kind, uint32_t access, struct inv_arena *arena)
{
	struct words words = {.text = ""};
	uint32_t unnamed = access;
	if (is_all(&kinds[kind], access))
		return "all";
	for (unsigned i = 0; i < SPECIFIC_BITS; i++) {
		if (!(access >> i & 1) || !kinds[kind].specific[i])
			continue;
		add(&words, kinds[kind].specific[i]);
		unnamed &= ~(1u << i);
	}
	for (size_t i = 0; i < sizeof common / sizeof *common; i++) {
		if (!(access & common[i].bit))
			continue;
		add(&words, common[i].name);
		unnamed &= ~common[i].bit;
	}
	char number[16];
	snprintf(number, sizeof number, "0x%x", (unsigned)unnamed);
	if (unnamed)
		add(&words, number);
	return inv_arena_strdup(arena, words.text);
}

bool inv_generic_mapping_read(const struct inv_kernel *kernel, uint64_t type, struct inv_generic_mapping *mapping)
{
	uint8_t bytes[MAPPING_SIZE];
	uint64_t at;
	if (!kernel->space || !inv_field_address(kernel, type, INV_F_OBJECT_TYPE_GenericMapping, &at) ||
	    inv_space_read(kernel->space, at, bytes, sizeof bytes, NULL) != sizeof bytes)
		return false;
	*mapping =
	    (struct inv_generic_mapping){inv_le32(bytes), inv_le32(bytes + 4), inv_le32(bytes + 8), inv_le32(bytes + 12)};
	return true;
}

uint32_t inv_access_map(const struct inv_generic_mapping *mapping, uint32_t access)
{
	uint32_t mapped = access & ~(GENERIC_READ | GENERIC_WRITE | GENERIC_EXECUTE | GENERIC_ALL);
	if (access & GENERIC_READ)
		mapped |= mapping->read;
	if (access & GENERIC_WRITE)
		mapped |= mapping->write;
	if (access & GENERIC_EXECUTE)
		mapped |= mapping->execute;
	if (access & GENERIC_ALL)
		mapped |= mapping->all;
	return mapped;
}
