-- SPDX-License-Identifier: Apache-2.0
-- The system cache and sessions have views too.
local m = desktop()
count_views(m.notepad, module(m.notepad, "ntdll.dll"), 3)
clean()
