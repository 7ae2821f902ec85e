// SPDX-License-Identifier: Apache-2.0
// When the image was taken and when the machine booted.
#include "kernel/parts.h"

// KUSER_SHARED_DATA.SystemTime, a KSYSTEM_TIME: LowPart, High1Time, High2Time (ntddk.h of the Windows Driver Kit).
#define SHARED_SYSTEM_TIME (INV_KUSER_SHARED_DATA + 0x14)

static struct inv_value shared_time(const struct inv_kernel *kernel)
{
	struct inv_value low = inv_read_u32(kernel, SHARED_SYSTEM_TIME);
	struct inv_value high = inv_read_u32(kernel, SHARED_SYSTEM_TIME + 4);
	if (!low.ok || !high.ok)
		return low.ok ? high : low;
	low.u |= high.u << 32;
	return low;
}

static struct inv_value claimed(const struct inv_claim *claim)
{
	return (struct inv_value){.ok = true, .u = claim->value, .address = claim->offset};
}

static struct inv_value boot_time(const struct inv_kernel *kernel)
{
	const struct inv_header *header = &inv_image_info(kernel->image)->header;
	struct inv_value at = inv_kernel_symbol(kernel, INV_S_KeBootTime, NULL);
	struct inv_value time = at.ok ? inv_read_u64(kernel, at.u) : at;
	if (time.ok)
		return time;
	if (header->up_time.present && kernel->system_time.ok && header->up_time.value <= kernel->system_time.u)
		return (struct inv_value){
		    .ok = true, .u = kernel->system_time.u - header->up_time.value, .address = header->up_time.offset};
	return time;
}

void inv_find_times(struct inv_work *work)
{
	struct inv_kernel *kernel = &work->kernel;
	const struct inv_claim *claim = &inv_image_info(kernel->image)->header.system_time;
	kernel->system_time = claim->present && claim->value ? claimed(claim) : shared_time(kernel);
	kernel->boot_time = boot_time(kernel);
}
