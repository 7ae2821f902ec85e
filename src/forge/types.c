// SPDX-License-Identifier: Apache-2.0
// What OBJECT_TYPE says of access rights, and objects that are no more than their header and a handle. (The masks: public practice,
// as tools that list object types show them; that each build has these very ones is not verified. Reading them, nothing depends on
// that: what counts is what the image itself says.)
#include <string.h>

#include "base/bytes.h"
#include "forge/machine.h"

#define MAPPING_SIZE 16u // GENERIC_MAPPING: read, write, execute, all

struct access {
	const char *name;
	uint32_t read, write, execute, all, valid;
};

static const struct access accesses[] = {
    {"Type", 0x20000, 0x20000, 0x20000, 0xf0001, 0xf0001},
    {"Directory", 0x20003, 0x2000c, 0x20003, 0xf000f, 0xf000f},
    {"SymbolicLink", 0x20001, 0x20000, 0x20001, 0xf0001, 0xf0001},
    {"Token", 0x2001a, 0x201e0, 0x20005, 0xf01ff, 0x1f01ff},
    {"Job", 0x20004, 0x2000b, 0x120000, 0x1f003f, 0x1f003f},
    {"Process", 0x20410, 0x20bea, 0x121001, 0x1fffff, 0x1fffff},
    {"Thread", 0x20048, 0x20437, 0x121800, 0x1fffff, 0x1fffff},
    {"Section", 0x20005, 0x20002, 0x20008, 0xf001f, 0x1f001f},
    {"File", 0x120089, 0x120116, 0x1200a0, 0x1f01ff, 0x1f01ff},
    {"ALPC Port", 0x20001, 0x10001, 0, 0x1f0001, 0x1f0001},
    {"DebugObject", 0x20001, 0x20002, 0x120000, 0x1f000f, 0x1f000f},
    {"Event", 0x20001, 0x20002, 0x120000, 0x1f0003, 0x1f0003},
    {"Mutant", 0x20001, 0x20000, 0x120000, 0x1f0001, 0x1f0001},
    {"Timer", 0x20001, 0x20002, 0x120000, 0x1f0003, 0x1f0003},
    {"EtwRegistration", 0x20000, 0x20000, 0x20000, 0xf0fff, 0xf0fff},
    {"WindowStation", 0x20303, 0x2001c, 0x20060, 0xf037f, 0xf037f},
    {"Desktop", 0x20041, 0x200be, 0x20100, 0xf01ff, 0xf01ff},
    {"Key", 0x20019, 0x20006, 0x20039, 0xf003f, 0x1f003f},
};

static const struct access *access_of(const char *name)
{
	for (size_t i = 0; name && i < sizeof accesses / sizeof *accesses; i++)
		if (strcmp(accesses[i].name, name) == 0)
			return &accesses[i];
	return NULL;
}

uint32_t inv_machine_all_access(const struct inv_machine *machine, uint64_t object)
{
	const struct access *access = access_of(inv_machine_type_name(machine, object));
	return access ? access->all : 0x1fffff;
}

// What is denied to whoever is less protected (learn.microsoft.com, "Process Security and Access Rights" and "Thread Security and
// Access Rights").
#define DENIED_PROCESS 0xf07fau
#define DENIED_THREAD 0xf03fdu

static unsigned protection_of(const struct inv_machine *machine, const struct inv_forge_process *process)
{
	return process ? (unsigned)inv_machine_get(machine, process->address, INV_F_EPROCESS_Protection) : 0;
}

uint32_t inv_machine_granted(const struct inv_machine *machine, const struct inv_forge_process *holder, uint64_t object,
                             uint32_t access)
{
	const struct access *type = access_of(inv_machine_type_name(machine, object));
	const struct inv_forge_process *process = inv_machine_process_at(machine, object);
	const struct inv_forge_thread *thread = inv_machine_thread_at(machine, object);
	if (type)
		access &= type->valid;
	unsigned guarded = protection_of(machine, thread ? thread->process : process);
	if (guarded == 0 || protection_of(machine, holder) >> 4 >= guarded >> 4)
		return access;
	return access & ~(thread ? DENIED_THREAD : DENIED_PROCESS);
}

void inv_machine_put_access(struct inv_machine *machine, uint64_t type, const char *name)
{
	const struct access *access = access_of(name);
	if (!access)
		return;
	inv_machine_put(machine, type, INV_F_OBJECT_TYPE_ValidAccessMask, access->valid);
	uint8_t mapping[MAPPING_SIZE];
	inv_put32(mapping, access->read);
	inv_put32(mapping + 4, access->write);
	inv_put32(mapping + 8, access->execute);
	inv_put32(mapping + 12, access->all);
	if (inv_machine_has(machine, INV_F_OBJECT_TYPE_GenericMapping))
		inv_machine_write(machine, inv_machine_at(machine, type, INV_F_OBJECT_TYPE_GenericMapping), mapping,
		                  sizeof mapping);
}
