// SPDX-License-Identifier: Apache-2.0
#include "nt/user_thread.h"

// Selectors of user mode on x64 (KGDT64_R3_CMCODE, KGDT64_R3_CODE, both with RPL 3).
#define USER_CODE32 0x23u
#define USER_CODE64 0x33u

void inv_teb_read(const struct inv_user *user, uint64_t teb, struct inv_teb *result)
{
	*result = (struct inv_teb){
	    .address = teb,
	    .self = inv_user_field(user, teb, INV_F_TEB_Self),
	    .process_id = inv_user_field(user, teb, INV_F_TEB_ClientIdUniqueProcess),
	    .thread_id = inv_user_field(user, teb, INV_F_TEB_ClientIdUniqueThread),
	    .peb = inv_user_field(user, teb, INV_F_TEB_ProcessEnvironmentBlock),
	    .stack_base = inv_user_field(user, teb, INV_F_TEB_StackBase),
	    .stack_limit = inv_user_field(user, teb, INV_F_TEB_StackLimit),
	    .deallocation_stack = inv_user_field(user, teb, INV_F_TEB_DeallocationStack),
	    .has_fiber_data = inv_user_field(user, teb, INV_F_TEB_HasFiberData),
	    .fiber_data = inv_user_field(user, teb, INV_F_TEB_FiberData),
	    .wow_teb_offset = inv_user_field(user, teb, INV_F_TEB_WowTebOffset),
	};
}

void inv_trap_frame_read(const struct inv_kernel *kernel, uint64_t thread, struct inv_trap_frame *frame)
{
	*frame = (struct inv_trap_frame){.address = inv_field(kernel, thread, INV_F_KTHREAD_TrapFrame)};
	if (!frame->address.ok || frame->address.u == 0) {
		struct inv_value none = {.why = frame->address.why};
		if (frame->address.ok)
			none.why = (struct inv_why){.reason = INV_NO_POINTER, .address = frame->address.address};
		frame->rip = frame->rsp = frame->cs = frame->eflags = none;
		return;
	}
	frame->rip = inv_field(kernel, frame->address.u, INV_F_KTRAP_FRAME_Rip);
	frame->rsp = inv_field(kernel, frame->address.u, INV_F_KTRAP_FRAME_Rsp);
	frame->cs = inv_field(kernel, frame->address.u, INV_F_KTRAP_FRAME_SegCs);
	frame->eflags = inv_field(kernel, frame->address.u, INV_F_KTRAP_FRAME_EFlags);
	frame->narrow = frame->cs.ok && frame->cs.u == USER_CODE32;
	frame->user = frame->narrow || (frame->cs.ok && frame->cs.u == USER_CODE64);
}
