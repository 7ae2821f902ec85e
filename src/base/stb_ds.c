// SPDX-License-Identifier: Apache-2.0
// The one place where the header library is compiled: declared by base/array.h, with the allocation that is set there.
#include "base/array.h"

#define STB_DS_IMPLEMENTATION
#include "base/stb_ds_threads.h"
