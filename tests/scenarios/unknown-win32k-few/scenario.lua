-- SPDX-License-Identifier: Apache-2.0
-- Too few GUI threads to say where the members of THREADINFO stand.
local m = process{name = "only.exe", parent = 4, session = 1, threads = 2, gui = true, graphics = true}
set_desktop(m.threads[2], window_desktop(1, "Winlogon"))
clean()
