// SPDX-License-Identifier: Apache-2.0
// What stands in user mode: PEB, parameters, the loader's lists of both widths, TEBs, stacks; and what the kernel notes of it.
#include "forged.h"

#include <stdio.h>

#include "base/array.h"
#include "forge/scenario.h"
#include "forge/user_thread.h"

static const char *const kernels[] = {"7601", "9600", "14393", "19041", "22000"};

// What the scenarios share: fields of structures in user memory, and strings.
static const char words[] =
    "function field(p, object, name)\n"
    "  return (string.unpack('<I8', read_memory(p, at(object, name), 8)))\n"
    "end\n"
    "function text(p, object, name)\n"
    "  local length, room, _, buffer = string.unpack('<I2I2I4I8', read_memory(p, at(object, name), 16))\n"
    "  return (read_memory(p, buffer, length):gsub('(.)%z', '%1')), room\n"
    "end\n"
    "function list(p, head, links)\n"
    "  local names, peb = {}, p.peb\n"
    "  local ldr = field(p, peb, '_PEB.Ldr')\n"
    "  local first = at(ldr, '_PEB_LDR_DATA.' .. head)\n"
    "  local entry, before = (string.unpack('<I8', read_memory(p, first, 8))), first\n"
    "  while entry ~= first do\n"
    "    assert(string.unpack('<I8', read_memory(p, entry + 8, 8)) == before)\n"
    "    local module = entry - at(0, '_LDR_DATA_TABLE_ENTRY.' .. links)\n"
    "    names[#names + 1] = text(p, module, '_LDR_DATA_TABLE_ENTRY.BaseDllName')\n"
    "    before, entry = entry, (string.unpack('<I8', read_memory(p, entry, 8)))\n"
    "  end\n"
    "  return table.concat(names, ' ')\n"
    "end\n"
    "function loaded(p) return list(p, 'InLoadOrderModuleList', 'InLoadOrderLinks') end\n"
    "function memory(p) return list(p, 'InMemoryOrderModuleList', 'InMemoryOrderLinks') end\n"
    "function initialized(p) return list(p, 'InInitializationOrderModuleList', 'InInitializationOrderLinks') end\n";

// Runs a scenario full of assertions on a kernel of every kind.
static void holds(const char *scenario)
{
	for (size_t i = 0; i < sizeof kernels / sizeof *kernels; i++) {
		const struct inv_forge_options options = {.kernel = kernels[i], .name = kernels[i]};
		char whole[8192];
		snprintf(whole, sizeof whole, "%s%s", words, scenario);
		inv_forge_free(must_run(whole, &options));
	}
}

static void the_loader_knows_what_is_mapped(void **state)
{
	(void)state;
	holds("local p = process{name='a.exe', session=1}\n"
	      "assert(loaded(p) == 'a.exe ntdll.dll kernel32.dll KERNELBASE.dll', loaded(p))\n"
	      "assert(memory(p) == loaded(p))\n"
	      "assert(initialized(p) == 'ntdll.dll KERNELBASE.dll kernel32.dll', initialized(p))\n"
	      "load(p, 'amsi.dll')\n"
	      "assert(loaded(p):match('amsi.dll$') and initialized(p):match('amsi.dll$'))\n"
	      "load(p, 'later.dll', {link=false})\n"
	      "assert(not loaded(p):find('later'))\n"
	      "link_module(p, 'later.dll', {'load', 'memory'})\n"
	      "assert(loaded(p):match('later.dll$') and not initialized(p):find('later'))\n"
	      "unload(p, 'amsi.dll')\n"
	      "assert(not (loaded(p) .. memory(p) .. initialized(p)):find('amsi'))\n"
	      "unlink_module(p, 'kernel32.dll', {'load'})\n"
	      "assert(not loaded(p):find('kernel32') and memory(p):find('kernel32'))\n"
	      "rename_module(p, 'ntdll.dll', 'C:\\\\other.dll')\n"
	      "assert(loaded(p):find('other.dll'))\n"
	      "local native = process{name='smss.exe'}\n"
	      "assert(loaded(native) == 'smss.exe ntdll.dll')\n");
}

static void who_has_not_run_has_no_lists(void **state)
{
	(void)state;
	holds("local p = process{name='new.exe', session=1, state='c3'}\n"
	      "assert(field(p, p.peb, '_PEB.Ldr') == 0)\n"
	      "assert(field(p, p.peb, '_PEB.ProcessParameters') ~= 0)\n");
}

static void parameters_are_one_block(void **state)
{
	(void)state;
	holds("local p = process{name='a b.exe', session=1, command_line='a -b'}\n"
	      "local q = process{name='a b.exe', path='\\\\Device\\\\HarddiskVolume4\\\\x\\\\a b.exe', session=1}\n"
	      "local block = field(p, p.peb, '_PEB.ProcessParameters')\n"
	      "local other = field(q, q.peb, '_PEB.ProcessParameters')\n"
	      "local T = '_RTL_USER_PROCESS_PARAMETERS.'\n"
	      "assert(text(p, block, T .. 'ImagePathName') == 'C:\\\\Windows\\\\System32\\\\a b.exe')\n"
	      "assert(text(p, block, T .. 'CommandLine') == 'a -b')\n"
	      "assert(text(q, other, T .. 'CommandLine') == '\"D:\\\\x\\\\a b.exe\"')\n"
	      "local environment = field(p, block, T .. 'Environment')\n"
	      "local size = field(p, block, T .. 'EnvironmentSize')\n"
	      "local variables = read_memory(p, environment, size):gsub('(.)%z', '%1')\n"
	      "assert(variables:find('SystemRoot=C:\\\\Windows', 1, true))\n"
	      "assert(read_memory(p, environment + size - 4, 4) == '\\0\\0\\0\\0')\n"
	      "peb(p, {command_line='b'})\n"
	      "local line, room = text(p, block, T .. 'CommandLine')\n"
	      "assert(line == 'b' and room == 10)\n"
	      "peb(p, {command_line=string.rep('long', 20), image_path='C:\\\\x'})\n"
	      "assert(text(p, block, T .. 'CommandLine') == string.rep('long', 20))\n"
	      "assert(text(p, block, T .. 'ImagePathName') == 'C:\\\\x')\n");
}

static void threads_begin_in_ntdll_and_wait_there(void **state)
{
	(void)state;
	holds("local p = process{name='a.exe', session=1, threads=4}\n"
	      "local ntdll = module(p, 'ntdll.dll')\n"
	      "for i, t in ipairs(p.threads) do\n"
	      "  assert(t.start == module(p, 'ntdll.dll', 'RtlUserThreadStart'))\n"
	      "  assert(get(t, '_ETHREAD.StartAddress') == t.start)\n"
	      "  assert(get(t, '_ETHREAD.Win32StartAddress') == t.win32_start)\n"
	      "  assert(i > 1 or t.win32_start > module(p, 'a.exe'))\n"
	      "  local frame = get(t, '_KTHREAD.TrapFrame')\n"
	      "  assert(get(frame, '_KTRAP_FRAME.Rip') == t.rip and get(frame, '_KTRAP_FRAME.Rsp') == t.rsp)\n"
	      "  assert(read_memory(p, t.rip - 2, 3) == '\\x0f\\x05\\xc3')\n"
	      "  assert(field(p, t.teb, '_TEB.Self') == t.teb)\n"
	      "  assert(field(p, t.teb, '_TEB.ProcessEnvironmentBlock') == p.peb)\n"
	      "  assert(field(p, t.teb, '_TEB.ClientIdUniqueThread') == t.tid)\n"
	      "  local base, limit = field(p, t.teb, '_TEB.StackBase'), field(p, t.teb, '_TEB.StackLimit')\n"
	      "  assert(t.rsp < base and t.rsp >= limit)\n"
	      "  local _, first, behind = vad(p, t.rsp)\n"
	      "  assert(first == field(p, t.teb, '_TEB.DeallocationStack') and behind == base)\n"
	      "  local back = string.unpack('<I8', read_memory(p, t.rsp, 8))\n"
	      "  assert(back > module(p, 'KERNELBASE.dll') and read_memory(p, back - 5, 1) == '\\xe8')\n"
	      "end\n"
	      "local stack = p.threads[2].rsp\n"
	      "end_thread(p.threads[2])\n"
	      "assert(not vad(p, stack))\n");
}

static void threads_can_be_told_what_to_be(void **state)
{
	(void)state;
	holds("local p = process{name='a.exe', session=1}\n"
	      "local t = thread(p, {start=0x1000, rip=0x2000, rsp=0x3000, teb=false})\n"
	      "assert(t.win32_start == 0x1000 and t.start == module(p, 'ntdll.dll', 'RtlUserThreadStart'))\n"
	      "assert(get(get(t, '_KTHREAD.TrapFrame'), '_KTRAP_FRAME.Rip') == 0x2000)\n"
	      "assert(get(t, '_KTHREAD.Teb') == 0)\n"
	      "suspend(t)\n"
	      "assert(get(t, '_KTHREAD.SuspendCount') == 1 and get(t, '_KTHREAD.WaitReason') == 5)\n"
	      "suspend(t, 0)\n"
	      "assert(get(t, '_KTHREAD.SuspendCount') == 0)\n"
	      "local f = p.threads[1]\n"
	      "local before = field(p, f.teb, '_TEB.StackBase')\n"
	      "local base = fiber(f, {teb=false})\n"
	      "assert(field(p, f.teb, '_TEB.StackBase') == before and f.rsp < base and f.rsp > base - 0x2000)\n"
	      "base = fiber(f)\n"
	      "assert(field(p, f.teb, '_TEB.StackBase') == base)\n"
	      "freeze(p)\n"
	      "rename_process(p, 'b.exe')\n");
}

static void apcs_are_queued_in_order(void **state)
{
	(void)state;
	holds("local p = process{name='a.exe', session=1}\n"
	      "local t, system = p.threads[1], find(4).threads[1]\n"
	      "local heads = at(t, '_KTHREAD.ApcState.ApcListHead')\n"
	      "assert(peek(heads) == heads and peek(heads + 24) == heads + 16)\n"
	      "local other = at(system, '_KTHREAD.ApcState.ApcListHead')\n"
	      "assert(peek(other) == other)\n"
	      "local a = queue_apc(t, {routine=0x1234, pending=true})\n"
	      "local b = queue_apc(t, {routine=0x5678, context=7})\n"
	      "local k = queue_apc(t, {mode='kernel', io=true})\n"
	      "local entry = at(0, '_KAPC.ApcListEntry')\n"
	      "assert(peek(heads + 16) == a + entry and peek(a + entry) == b + entry and peek(b + entry) == heads + 16)\n"
	      "assert(peek(heads) == k + entry)\n"
	      "assert(get(b, '_KAPC.NormalRoutine') == 0x5678 and get(b, '_KAPC.Thread') == t.address)\n"
	      "assert(get(t, '_KTHREAD.UserApcPending') ~= 0)\n"
	      "attach(t, find(4))\n"
	      "local saved = at(t, '_KTHREAD.SavedApcState.ApcListHead')\n"
	      "assert(peek(heads + 16) == heads + 16 and peek(saved + 16) == a + entry)\n"
	      "assert(peek(b + entry) == saved + 16)\n");
}

static uint32_t get32(const struct inv_machine *machine, const struct inv_forge_process *process, uint64_t object,
                      const struct inv_layout *layout, enum inv_field field)
{
	uint8_t bytes[4];
	assert_int_not_equal(layout->place[field].offset, INV_NO_OFFSET);
	assert_true(inv_machine_read_user(machine, process, object + layout->place[field].offset, bytes, sizeof bytes));
	return inv_le32(bytes);
}

static void check_wow64(const struct inv_machine *machine, const struct inv_forge_process *process)
{
	const struct inv_layout *layout = inv_layout_for_wow64(machine->layout);
	uint64_t peb = inv_machine_get(machine, process->address, INV_F_EPROCESS_WoW64Process);
	if (inv_machine_has(machine, INV_F_EWOW64PROCESS_Peb))
		peb = inv_machine_get(machine, peb, INV_F_EWOW64PROCESS_Peb);
	assert_true(peb != 0 && peb < 0x100000000 && process->peb < 0x100000000);
	assert_int_equal(get32(machine, process, peb, layout, INV_F_PEB_ImageBaseAddress), process->image_base);
	uint32_t head = get32(machine, process, peb, layout, INV_F_PEB_Ldr) +
	                layout->place[INV_F_PEB_LDR_DATA_InLoadOrderModuleList].offset;
	uint32_t bases[8] = {0};
	size_t count = 0;
	uint8_t next[4];
	for (uint32_t at = head; count < 8; at = inv_le32(next)) {
		assert_true(inv_machine_read_user(machine, process, at, next, sizeof next));
		if (inv_le32(next) == head)
			break;
		bases[count++] = get32(machine, process, inv_le32(next), layout, INV_F_LDR_MODULE_DllBase);
	}
	assert_int_equal(count, 4); // program, ntdll, kernel32, KERNELBASE
	assert_int_equal(bases[0], process->image_base);
	const struct inv_forge_thread *thread = process->threads[0];
	uint64_t teb = thread->teb + 0x2000;
	assert_int_equal(get32(machine, process, teb, layout, INV_F_TEB_Self), teb);
	assert_int_equal(get32(machine, process, teb, layout, INV_F_TEB_ProcessEnvironmentBlock), peb);
	uint32_t base = get32(machine, process, teb, layout, INV_F_TEB_StackBase);
	assert_non_null(inv_machine_vad_of(process, base - 1));
	assert_true(inv_machine_vad_of(process, base - 1) != inv_machine_vad_of(process, thread->rsp));
}

static void wow64_has_all_of_it_twice(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof kernels / sizeof *kernels; i++) {
		const struct inv_forge_options options = {.kernel = kernels[i]};
		struct inv_forge *forge = must_run("process{name='w.exe', session=1, wow64=true, threads=2}", &options);
		const struct inv_machine *machine = forge->machine;
		check_wow64(machine, machine->processes[inv_count(machine->processes) - 1]);
		inv_forge_free(forge);
	}
}

static void paths_as_programs_see_them(void **state)
{
	(void)state;
	struct inv_arena *arena = inv_arena_new();
	assert_string_equal(inv_forge_dos_path(arena, "\\Device\\HarddiskVolume3\\a"), "C:\\a");
	assert_string_equal(inv_forge_dos_path(arena, "\\Device\\HarddiskVolume5\\a\\b"), "E:\\a\\b");
	assert_string_equal(inv_forge_dos_path(arena, "\\Device\\HarddiskVolume1\\a"),
	                    "\\\\?\\GLOBALROOT\\Device\\HarddiskVolume1\\a");
	assert_string_equal(inv_forge_dos_path(arena, "\\Device\\Mup\\server\\share\\a"), "\\\\server\\share\\a");
	assert_string_equal(inv_forge_dos_path(arena, "else"), "else");
	inv_arena_free(arena);
}

static void x86_layouts_serve_wow64(void **state)
{
	(void)state;
	for (size_t i = 0; i < inv_facts_layout_count(); i++) {
		const struct inv_layout *layout = inv_facts_layout(i);
		const struct inv_layout *other = layout->arch == INV_ARCH_X64 ? inv_layout_for_wow64(layout) : NULL;
		if (layout->arch != INV_ARCH_X64)
			continue;
		assert_non_null(other);
		assert_int_equal(other->arch, INV_ARCH_X86);
		assert_true(other->build <= layout->build && !other->partial);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_loader_knows_what_is_mapped), cmocka_unit_test(who_has_not_run_has_no_lists),
	    cmocka_unit_test(parameters_are_one_block),        cmocka_unit_test(threads_begin_in_ntdll_and_wait_there),
	    cmocka_unit_test(threads_can_be_told_what_to_be),  cmocka_unit_test(apcs_are_queued_in_order),
	    cmocka_unit_test(wow64_has_all_of_it_twice),       cmocka_unit_test(paths_as_programs_see_them),
	    cmocka_unit_test(x86_layouts_serve_wow64)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
