-- SPDX-License-Identifier: Apache-2.0
-- A minimal process has the token of System: whether Windows lets it is not verified.
local m = desktop()
local registry = process{name = "Registry", parent = m.system, minimal = true, threads = 1, role = "registry"}
set(registry, "_EPROCESS.Token", get(m.system, "_EPROCESS.Token"))
