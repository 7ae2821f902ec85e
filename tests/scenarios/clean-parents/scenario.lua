-- SPDX-License-Identifier: Apache-2.0
-- Parents of every kind: such that live, have exited, were deleted, and whose identifiers others have now.
local m = desktop()
local installer = process{name = "setup.exe", parent = m.explorer, session = 1, threads = 2}
local orphan = process{name = "orphan.exe", parent = installer, session = 1}
local pid = installer.pid
exit(installer)
delete(installer) -- and its memory still tells of it
local parent = process{name = "parent.exe", parent = m.explorer, session = 1}
process{name = "child.exe", parent = parent, session = 1}
exit(parent)
open(m.cmd, parent)
pass(60)
local heir = process{name = "heir.exe", pid = pid, parent = m.cmd, session = 1, threads = 2}
process{name = "grandchild.exe", parent = heir, session = 1}
-- Of these parents nothing is left, and one has an heir.
process{name = "svchost.exe", parent = 64000, session = 0, threads = 2}
process{name = "helper.exe", parent = 64004, session = 0, threads = 2}
process{name = "other.exe", pid = 64004, parent = m.explorer, session = 1}
process{name = "begun.exe", parent = m.explorer, session = 1, state = "c1"}
clean()
