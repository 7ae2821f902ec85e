// SPDX-License-Identifier: Apache-2.0
// A triage dump: a few structures and ranges of virtual memory. The KPRCB, process and thread are in it without their
// addresses. The bytes themselves prove these: a list head that is empty points at itself, so Flink == Blink == address of the
// structure + offset of the head, and several such heads at different offsets all give the same address.
#include "base/bytes.h"
#include "kernel/parts.h"

#define MOST_CANDIDATES 256

// One empty head may be a list with one foreign entry; two that agree are not an accident.
#define FEWEST_VOTES 2

struct candidate {
	uint64_t address;
	unsigned votes;
};

static void vote(struct candidate *candidates, size_t *count, uint64_t address)
{
	for (size_t i = 0; i < *count; i++) {
		if (candidates[i].address == address) {
			candidates[i].votes++;
			return;
		}
	}
	if (*count < MOST_CANDIDATES)
		candidates[(*count)++] = (struct candidate){address, 1};
}

// 0 if the bytes prove no address.
static uint64_t proved_address(const struct inv_section *section)
{
	struct candidate candidates[MOST_CANDIDATES];
	size_t count = 0;
	for (size_t at = 0; at + 16 <= section->size; at += 8) {
		uint64_t flink = inv_le64(section->bytes + at), blink = inv_le64(section->bytes + at + 8);
		if (flink != blink || !inv_is_kernel_address(flink) || (flink - at) % 16 != 0)
			continue;
		vote(candidates, &count, flink - at);
	}
	struct candidate best = {0}, second = {0};
	for (size_t i = 0; i < count; i++) {
		if (candidates[i].votes > best.votes) {
			second = best;
			best = candidates[i];
		} else if (candidates[i].votes > second.votes) {
			second = candidates[i];
		}
	}
	return best.votes >= FEWEST_VOTES && best.votes > second.votes ? best.address : 0;
}

static uint64_t pointer_in(const struct inv_section *section, const struct inv_kdbg *kdbg, unsigned offset_at)
{
	uint16_t offset = 0;
	if (!inv_kdbg_u16(kdbg, offset_at, &offset) || section->size < 8 || offset > section->size - 8)
		return 0;
	uint64_t value = inv_le64(section->bytes + offset);
	return inv_is_kernel_address(value) ? value : 0;
}

// The thread that the KPRCB says it runs, and the process that this thread runs in. An idle processor's thread belongs to
// Idle while the dumped process is System, so that the process found so is only taken when its section proves nothing.
static void locate(struct inv_kernel *kernel, const struct inv_triage *triage)
{
	kernel->current_prcb = proved_address(&triage->prcb);
	kernel->current_thread = proved_address(&triage->thread);
	kernel->current_process = proved_address(&triage->process);
	bool thread_proved = kernel->current_thread != 0, process_proved = kernel->current_process != 0;
	if (!thread_proved && triage->thread.size)
		kernel->current_thread = pointer_in(&triage->prcb, &kernel->kdbg, INV_KDBG_PRCB_CURRENT_THREAD);
	if (!process_proved && triage->process.size)
		kernel->current_process = pointer_in(&triage->thread, &kernel->kdbg, INV_KDBG_KTHREAD_APC_PROCESS);
	static const char *const how[] = {"not known", "by a pointer to it", "proved by empty lists in it"};
	kernel->current_note =
	    inv_arena_printf(kernel->arena, "KPRCB %s; thread %s; process %s", how[kernel->current_prcb ? 2 : 0],
	                     how[thread_proved            ? 2
	                         : kernel->current_thread ? 1
	                                                  : 0],
	                     how[process_proved            ? 2
	                         : kernel->current_process ? 1
	                                                   : 0]);
}

static void add_section(struct inv_kernel *kernel, uint64_t address, const struct inv_section *section)
{
	if (address != 0 && section->size != 0 && address <= UINT64_MAX - section->size)
		inv_space_add_fragment(kernel->space, address, section->bytes, section->size);
}

static void open_kdbg(struct inv_work *work, const struct inv_triage *triage)
{
	struct inv_kernel *kernel = &work->kernel;
	const struct inv_claim *claim = &inv_image_info(kernel->image)->header.kdbg;
	uint64_t address = claim->present && inv_is_kernel_address(claim->value) ? claim->value : 0;
	// Windows decodes the block before it writes a dump (KeBugCheck2).
	if (inv_kdbg_parse(triage->debugger_data.bytes, triage->debugger_data.size, NULL, address, &kernel->kdbg) &&
	    address)
		add_section(kernel, address, &triage->debugger_data);
}

static void add_fragments(struct inv_kernel *kernel, const struct inv_triage *triage)
{
	add_section(kernel, kernel->current_prcb, &triage->prcb);
	add_section(kernel, kernel->current_thread, &triage->thread);
	add_section(kernel, kernel->current_process, &triage->process);
	for (size_t i = 0; i < triage->fragment_count; i++) {
		const struct inv_fragment *fragment = &triage->fragments[i];
		if (fragment->size && fragment->address <= UINT64_MAX - fragment->size)
			inv_space_add_fragment(kernel->space, fragment->address, fragment->bytes, fragment->size);
	}
	add_section(kernel, triage->top_of_stack, &triage->call_stack);
}

// Which of the listed drivers is the kernel: the one at KDBG's KernBase, else the one in which KDBG or the list heads stand.
static const struct inv_module *kernel_module(const struct inv_kernel *kernel)
{
	const struct inv_header *header = &inv_image_info(kernel->image)->header;
	uint64_t base = 0;
	inv_kdbg_u64(&kernel->kdbg, INV_KDBG_KERN_BASE, &base);
	for (size_t i = 0; base && i < kernel->module_count; i++)
		if (kernel->modules[i].base == base)
			return &kernel->modules[i];
	const struct inv_claim *claims[] = {&header->ps_active_process_head, &header->ps_loaded_module_list, &header->kdbg};
	for (size_t i = 0; i < sizeof(claims) / sizeof(claims[0]); i++) {
		const struct inv_module *module = claims[i]->present ? inv_kernel_module_at(kernel, claims[i]->value) : NULL;
		if (module)
			return module;
	}
	return NULL;
}

static void find_base(struct inv_work *work)
{
	struct inv_kernel *kernel = &work->kernel;
	const struct inv_module *module = kernel_module(kernel);
	if (module) {
		kernel->base = module->base;
		kernel->size = module->size;
		kernel->time_stamp = module->time_stamp;
		inv_clue_found(work, INV_ANCHOR_KERNEL_BASE, INV_WAY_MODULE_LIST, module->base, 0, NULL);
	} else {
		inv_kdbg_u64(&kernel->kdbg, INV_KDBG_KERN_BASE, &kernel->base);
	}
}

enum inv_code inv_open_triage(struct inv_work *work, struct inv_error *error)
{
	struct inv_kernel *kernel = &work->kernel;
	const struct inv_image_info *info = inv_image_info(kernel->image);
	const struct inv_triage *triage = info->triage;
	kernel->fragments = true;
	kernel->arch = info->arch;
	kernel->space = inv_space_new_fragments();
	open_kdbg(work, triage);
	locate(kernel, triage);
	add_fragments(kernel, triage);
	inv_triage_modules(work);
	find_base(work);
	if (info->header.dtb.present) {
		kernel->dtb = info->header.dtb.value & INV_FRAME_MASK;
		inv_clue_found(work, INV_ANCHOR_DTB, INV_WAY_HEADER, kernel->dtb, info->header.dtb.offset,
		               "of the process current when the image was taken, which need not be System");
	}
	if (!kernel->kdbg.found && kernel->base == 0 && kernel->current_process == 0)
		return inv_fail(
		    error, INV_E_NO_KERNEL,
		    "%s: no kernel: the triage dump has no debugger data, no driver list that holds the kernel and no process",
		    info->path);
	return INV_OK;
}
