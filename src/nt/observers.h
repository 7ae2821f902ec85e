// SPDX-License-Identifier: Apache-2.0
// What the kernel tells of beside processes: bug checks, shut-down, file systems, debug prints, devices. These routines are
// told, and refuse nothing. KBUGCHECK_CALLBACK_RECORD and KBUGCHECK_REASON_CALLBACK_RECORD are declared in wdm.h, with the reasons;
// how the checksum over a record is made, and that the kernel passes over a record without it, is public practice (ReactOS), as are
// the entries of the other lists (ReactOS, Volatility 3 and WinObjEx64 agree; the same for every build that they know). That
// PnpDeviceClassNotifyList is 13 lists is what the symbol tables of all 200 kernels leave room for (not verified beyond that). That
// KeBugCheckAddRemovePagesCallbackListHead links records of the second kind its name and their public reasons say.
#ifndef INV_NT_OBSERVERS_H
#define INV_NT_OBSERVERS_H

#include "nt/callbacks.h"

// Reads them all, behind what `callbacks` has: callbacks->observers gets the lists, callbacks->callbacks their routines. Never
// fails: what could not be read says why.
void inv_observers_read(const struct inv_kernel *kernel, struct inv_callbacks *callbacks);

#endif
