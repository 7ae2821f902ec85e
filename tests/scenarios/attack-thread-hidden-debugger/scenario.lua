-- SPDX-License-Identifier: Apache-2.0
-- No debugger is told of a thread.
local m = desktop()
set(m.notepad.threads[2], "_ETHREAD.HideFromDebugger", 1)
