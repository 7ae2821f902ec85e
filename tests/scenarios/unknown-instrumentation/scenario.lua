-- SPDX-License-Identifier: Apache-2.0
-- A callback is called on every return to user mode; whether it lies in an image is not read.
local m = desktop()
set(m.notepad, "_KPROCESS.InstrumentationCallback", 0x7ff812340000)
clean()
