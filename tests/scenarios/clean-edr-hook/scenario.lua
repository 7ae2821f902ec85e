-- SPDX-License-Identifier: Apache-2.0
-- A security product has patched a function of ntdll in every process it watches, as implants do in theirs: seen, and no proof.
local m = desktop()
for _, p in ipairs{m.explorer, m.notepad} do
	load(p, "watcher.dll")
	write_memory(p, module(p, "ntdll.dll", "LdrLoadDll"), "\xe9\x00\x10\x00\x00")
end
