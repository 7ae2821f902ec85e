// SPDX-License-Identifier: Apache-2.0
#include "forge/user_thread.h"

#include "base/bytes.h"

#define PAGE INV_RAM_PAGE
#define WINDOWS_10 10240u
#define FRAME 0x30u           // of a function of the forge's images: 28h bytes and the return address
#define WRITTEN_STACKS 16384u // threads of a machine whose user stacks have content; larger machines stay small so
#define COMMITTED 2u          // pages of a stack, under which one guards
#define GUARD 0x10u           // MM_GUARD_PAGE
#define SELECTOR 0x33u        // of 64-bit code in user mode
#define FLAGS 0x246u
#define TEB32_OFFSET 0x2000u // from the 64-bit TEB; WowTebOffset says so since Windows 10
#define STATE_WAITING 5u     // KTHREAD_STATE
#define REASON_SUSPENDED 5u  // KWAIT_REASON
#define USER_REASON 6u       // UserRequest

// Of 64-bit code; NULL: it is not mapped.
static const struct inv_forge_user_module *module_of(const struct inv_forge_process *process, const char *name)
{
	const struct inv_forge_user_module *module = inv_machine_find_module(process, name);
	return module && !module->wow64 ? module : NULL;
}

static const struct inv_user_export *export_of(const struct inv_forge_user_module *module, const char *name)
{
	return module ? inv_user_image_export(module->image, name) : NULL;
}

uint64_t inv_machine_export(const struct inv_forge_process *process, const char *module, const char *name)
{
	const struct inv_forge_user_module *found = inv_machine_find_module(process, module);
	const struct inv_user_export *export = export_of(found, name);
	return export ? found->base + export->rva : 0;
}

// The program of the process.
static const struct inv_forge_user_module *program_of(const struct inv_forge_process *process)
{
	return inv_count(process->modules) ? &process->modules[0] : NULL;
}

static uint64_t entry_of(const struct inv_forge_process *process)
{
	const struct inv_forge_user_module *program = program_of(process);
	return program ? program->base + program->entry : 0;
}

// -- start --------------------------------------------------------------------------------------------------------------------

void inv_machine_choose_start(struct inv_forge_thread *thread)
{
	const struct inv_forge_process *process = thread->process;
	uint64_t start = inv_machine_export(process, "ntdll.dll", "RtlUserThreadStart");
	uint64_t entry = entry_of(process);
	static const char *const others[] = {"TpPostWork", "TpReleaseWork"};
	bool first = inv_count(process->threads) <= 1;
	uint64_t draw = thread->tid / 4 % 3;
	uint64_t other = draw < 2 ? inv_machine_export(process, "ntdll.dll", others[draw]) : 0;
	if (!entry)
		return; // what it ran is mapped no more
	thread->win32_start = first || !other ? entry : other;
	// That of a WOW64 process' threads is the 64-bit one's too: not verified.
	thread->start = start ? start : thread->win32_start;
}

void inv_machine_put_start(struct inv_machine *machine, struct inv_forge_thread *thread, uint64_t start,
                           uint64_t win32_start)
{
	thread->start = start;
	thread->win32_start = win32_start;
	inv_machine_put(machine, thread->address, INV_F_ETHREAD_StartAddress, start);
	inv_machine_put(machine, thread->address, INV_F_ETHREAD_Win32StartAddress, win32_start);
}

// -- stacks -------------------------------------------------------------------------------------------------------------------

struct stack {
	uint64_t bottom, limit, base; // bottom: of the reservation
};

// The topmost page is there, the next is committed and was never touched, the one under it guards.
static struct stack make_stack(struct inv_machine *machine, struct inv_forge_process *process)
{
	struct stack stack = {.bottom = inv_machine_take_user(machine, process, INV_USER_STACK, 0)};
	if (!stack.bottom)
		return stack;
	stack.base = stack.bottom + INV_USER_STACK;
	stack.limit = stack.base - (uint64_t)COMMITTED * PAGE;
	inv_machine_map_user(machine, process, stack.base - PAGE, INV_PTE_WRITE | INV_PTE_NX);
	inv_maps_set_pte(&process->maps, stack.base - (uint64_t)2 * PAGE,
	                 inv_pte_demand_zero(machine->layout, INV_MM_READWRITE));
	inv_maps_set_pte(&process->maps, stack.limit - PAGE,
	                 inv_pte_demand_zero(machine->layout, INV_MM_READWRITE | GUARD));
	return stack;
}

static void put_stack64(struct inv_machine *machine, const struct inv_forge_process *process, uint64_t address,
                        uint64_t value)
{
	uint8_t bytes[8];
	inv_put64(bytes, value);
	inv_machine_write_user(machine, process, address, bytes, sizeof bytes);
}

// The calls that lead from RtlUserThreadStart to a wait, innermost first; addresses that are not known are left out.
static size_t chain_of(const struct inv_forge_thread *thread, uint64_t chain[8])
{
	const struct inv_forge_process *process = thread->process;
	static const struct {
		const char *module, *name;
	} calls[] = {{"KERNELBASE.dll", "WaitForSingleObjectEx"},
	             {NULL, NULL}, // the program
	             {"kernel32.dll", "BaseThreadInitThunk"},
	             {"ntdll.dll", "RtlUserThreadStart"}};
	size_t count = 0;
	for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
		const struct inv_forge_user_module *module = calls[i].module ? module_of(process, calls[i].module) : NULL;
		const struct inv_user_export *export = calls[i].module ? export_of(module, calls[i].name) : NULL;
		if (export)
			chain[count++] = module->base + export->call;
		else if (!calls[i].module && !program_of(process)->wow64 && thread->win32_start == entry_of(process))
			chain[count++] = process->image_base + program_of(process)->image->entry_call;
	}
	return count;
}

// Writes the return addresses, the outermost at the base of the stack, and returns what Rsp is in the stub.
static uint64_t fill_stack(struct inv_machine *machine, const struct inv_forge_thread *thread, uint64_t base)
{
	uint64_t chain[8];
	size_t count = program_of(thread->process) ? chain_of(thread, chain) : 0;
	uint64_t rsp = base - 0x80 - (uint64_t)FRAME * count;
	for (size_t i = 0; i < count && machine->thread_count <= WRITTEN_STACKS; i++)
		put_stack64(machine, thread->process, rsp + FRAME * i, chain[i]);
	return rsp;
}

// -- TEBs ---------------------------------------------------------------------------------------------------------------------

static void put_teb(struct inv_machine *machine, const struct inv_forge_thread *thread, unsigned width,
                    const struct stack *stack)
{
	const struct inv_forge_half *half = &thread->process->user->half[width];
	uint64_t teb = thread->teb + (width ? TEB32_OFFSET : 0);
	const struct {
		enum inv_field field;
		uint64_t value;
	} fields[] = {{INV_F_TEB_ClientIdUniqueProcess, thread->process->pid},
	              {INV_F_TEB_ClientIdUniqueThread, thread->tid},
	              {INV_F_TEB_ProcessEnvironmentBlock, half->peb},
	              {INV_F_TEB_Self, teb},
	              {INV_F_TEB_StackBase, stack->base},
	              {INV_F_TEB_StackLimit, stack->limit},
	              {INV_F_TEB_DeallocationStack, stack->bottom}};
	for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
		inv_machine_put_half(machine, thread->process, half, teb, fields[i].field, fields[i].value);
}

// The 32-bit TEB leads to its other by WowTebOffset too; before Windows 10 the other's first field does (public practice).
static void make_teb32(struct inv_machine *machine, struct inv_forge_thread *thread)
{
	struct inv_forge_process *process = thread->process;
	const struct inv_forge_half *half = process->user->half;
	if (!half[1].layout)
		return;
	struct stack stack = make_stack(machine, process);
	thread->own_stacks[1] = stack.bottom;
	put_teb(machine, thread, 1, &stack);
	inv_machine_put_half(machine, process, &half[0], thread->teb, INV_F_TEB_WowTebOffset, TEB32_OFFSET);
	inv_machine_put_half(machine, process, &half[1], thread->teb + TEB32_OFFSET, INV_F_TEB_WowTebOffset,
	                     (uint32_t)-TEB32_OFFSET);
	put_stack64(machine, process, thread->teb, thread->teb + TEB32_OFFSET);
}

static void make_teb(struct inv_machine *machine, struct inv_forge_thread *thread)
{
	struct inv_forge_process *process = thread->process;
	uint64_t each = process->wow64 ? 0x3000 : 0x2000;
	thread->teb = process->peb + (process->wow64 ? 0x2000 : 0x1000) + each * process->tebs++;
	for (uint64_t at = 0; at < each; at += PAGE)
		inv_machine_map_user(machine, process, thread->teb + at, INV_PTE_WRITE | INV_PTE_NX);
	inv_machine_cover(machine, process, thread->teb, each);
	inv_machine_put(machine, thread->address, INV_F_KTHREAD_Teb, thread->teb);
}

void inv_machine_without_teb(struct inv_machine *machine, struct inv_forge_thread *thread)
{
	thread->teb = 0;
	inv_machine_put(machine, thread->address, INV_F_KTHREAD_Teb, 0);
}

// -- the kernel's notes -------------------------------------------------------------------------------------------------------

void inv_machine_put_context(struct inv_machine *machine, struct inv_forge_thread *thread, uint64_t rip, uint64_t rsp)
{
	uint64_t frame = inv_machine_get(machine, thread->address, INV_F_KTHREAD_TrapFrame);
	thread->rip = rip;
	thread->rsp = rsp;
	if (!frame)
		return;
	inv_machine_put(machine, frame, INV_F_KTRAP_FRAME_Rip, rip);
	inv_machine_put(machine, frame, INV_F_KTRAP_FRAME_Rsp, rsp);
	inv_machine_put(machine, frame, INV_F_KTRAP_FRAME_SegCs, SELECTOR);
	inv_machine_put(machine, frame, INV_F_KTRAP_FRAME_EFlags, FLAGS);
}

// Behind the system call of the stub that it waits in.
static uint64_t waiting_at(const struct inv_forge_thread *thread)
{
	const struct inv_forge_user_module *ntdll = module_of(thread->process, "ntdll.dll");
	const struct inv_user_export *stub = export_of(ntdll, "NtWaitForSingleObject");
	return stub ? ntdll->base + stub->returns : thread->win32_start;
}

void inv_machine_make_user_thread(struct inv_machine *machine, struct inv_forge_thread *thread)
{
	struct inv_forge_process *process = thread->process;
	make_teb(machine, thread);
	struct stack stack = make_stack(machine, process);
	thread->own_stacks[0] = stack.bottom;
	thread->user_stack_base = stack.base;
	thread->user_stack_limit = stack.limit;
	put_teb(machine, thread, 0, &stack);
	if (process->wow64)
		make_teb32(machine, thread);
	inv_machine_put(machine, thread->address, INV_F_KTHREAD_WaitMode, 1);
	uint64_t rsp = stack.base ? fill_stack(machine, thread, stack.base) : 0;
	inv_machine_put_context(machine, thread, waiting_at(thread), rsp);
}

void inv_machine_leave_user(struct inv_machine *machine, struct inv_forge_thread *thread)
{
	inv_machine_put(machine, thread->address, INV_F_KTHREAD_Teb, 0);
	for (size_t i = 0; i < sizeof thread->own_stacks / sizeof *thread->own_stacks; i++) {
		if (thread->own_stacks[i])
			(void)inv_machine_unmap(machine, thread->process, thread->own_stacks[i]);
		thread->own_stacks[i] = 0;
	}
}

void inv_machine_suspend(struct inv_machine *machine, struct inv_forge_thread *thread, unsigned count)
{
	inv_machine_put(machine, thread->address, INV_F_KTHREAD_SuspendCount, count);
	inv_machine_put(machine, thread->address, INV_F_KTHREAD_WaitReason, count ? REASON_SUSPENDED : USER_REASON);
	inv_machine_put(machine, thread->address, INV_F_KTHREAD_WaitMode, count == 0);
}

void inv_machine_freeze(struct inv_machine *machine, struct inv_forge_process *process)
{
	inv_machine_put(machine, process->address, INV_F_KPROCESS_FreezeCount, 1);
	inv_machine_put(machine, process->address, INV_F_KPROCESS_DeepFreeze, 1);
	for (size_t i = 0; i < inv_count(process->threads); i++)
		if (!process->threads[i]->ended) {
			inv_machine_suspend(machine, process->threads[i], 1);
			inv_machine_put(machine, process->threads[i]->address, INV_F_KTHREAD_SuspendCount, 0);
			inv_machine_put(machine, process->threads[i]->address, INV_F_KTHREAD_FreezeCount, 1);
		}
}

uint64_t inv_machine_switch_fiber(struct inv_machine *machine, struct inv_forge_thread *thread, bool known)
{
	struct inv_forge_process *process = thread->process;
	const struct inv_forge_half *half = &process->user->half[0];
	struct stack stack = make_stack(machine, process);
	if (!stack.base)
		return 0;
	inv_machine_put_context(machine, thread, thread->rip, fill_stack(machine, thread, stack.base));
	if (!known)
		return stack.base;
	thread->user_stack_base = stack.base;
	thread->user_stack_limit = stack.limit;
	put_teb(machine, thread, 0, &stack);
	inv_machine_put_half(machine, process, half, thread->teb, INV_F_TEB_FiberData, half->heap ? half->heap + 0x10 : 0);
	inv_machine_put_half(machine, process, half, thread->teb, INV_F_TEB_HasFiberData, 1);
	return stack.base;
}
