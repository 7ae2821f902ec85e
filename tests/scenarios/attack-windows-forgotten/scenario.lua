-- SPDX-License-Identifier: Apache-2.0
-- All that the kernel, win32k and dxgkrnl have of a process' windows is taken away: what user32 has noted stays.
local m = desktop()
forget_windows(m.notepad)
breaks("S05")
