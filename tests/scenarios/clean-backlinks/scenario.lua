-- SPDX-License-Identifier: Apache-2.0
-- Processes have ports, registrations, contexts of WNF, timers and a resolution of them; one of them has exited.
machine{kernel = "22000"}
local m = desktop()
local old = process{name = "old.exe", parent = m.explorer, session = 1, threads = 1}
local first
for _, p in ipairs{m.csrss, m.explorer, m.notepad, m.cmd, old} do
	local made = port(p, p == m.csrss and "ApiPort" or nil)
	open(p, made)
	open(m.csrss, made)
	first = first or register_provider(p)
	register_provider(p, first)
	subscribe(p)
	set_resolution(p)
	set_timer(p.threads[1])
end
exit(old)
clean()
