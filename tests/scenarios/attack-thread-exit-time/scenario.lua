-- SPDX-License-Identifier: Apache-2.0
-- The time of a thread's end was set back, to before it was made.
local m = desktop()
local thread = m.notepad.threads[2]
end_thread(thread, {})
set(thread, "_ETHREAD.ExitTime", get(thread, "_ETHREAD.CreateTime") - seconds(3600))
breaks("T15")
