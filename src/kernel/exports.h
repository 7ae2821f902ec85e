// SPDX-License-Identifier: Apache-2.0
// Names of code in the kernel's modules, by what these export.
#ifndef INV_KERNEL_EXPORTS_H
#define INV_KERNEL_EXPORTS_H

#include "kernel/kernel.h"

struct inv_export_names;

// What is read of modules is kept until it is freed; bounded for all modules together.
struct inv_export_names *inv_export_names_new(const struct inv_kernel *kernel);
void inv_export_names_free(struct inv_export_names *names);

// "ntoskrnl.exe!Name+0x12": the export nearest beneath the address, in the same section of the module. NULL: there is none, or the
// export table cannot be read whole, and the nearest could be one that was not read. The text lives in `arena` and is untrusted.
const char *inv_export_name(struct inv_export_names *names, const struct inv_module *module, uint64_t address,
                            struct inv_arena *arena);

#endif
