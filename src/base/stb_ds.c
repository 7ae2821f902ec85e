// SPDX-License-Identifier: Apache-2.0
// The one place where the header library is compiled; see base/array.h.
#define STB_DS_IMPLEMENTATION
#include "base/array.h"
