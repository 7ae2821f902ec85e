-- SPDX-License-Identifier: Apache-2.0
-- A thread does not start where all others do, but at code of its own: NtCreateThread with a context made by hand.
local m = desktop()
thread(m.notepad, {native_start = module(m.notepad, "notepad.exe") + 0x1000})
