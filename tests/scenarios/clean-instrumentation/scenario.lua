-- SPDX-License-Identifier: Apache-2.0
-- A product that watches processes has its code in a DLL.
local m = desktop()
set(m.notepad, "_KPROCESS.InstrumentationCallback", load(m.notepad, "watcher.dll") + 0x1000)
clean()
