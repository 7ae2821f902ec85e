-- SPDX-License-Identifier: Apache-2.0
-- The same on kernels that have fewer of them.
machine{kernel = "9600"}
local m = desktop()
for _, p in ipairs{m.explorer, m.notepad} do
	port(p)
	register_provider(p)
	subscribe(p)
	set_resolution(p)
	set_timer(p.threads[1])
end
clean()
