-- SPDX-License-Identifier: Apache-2.0
-- A service creates a program for a user, who becomes its parent: so does UAC with one that is raised.
local m = desktop()
local services = process{name = "services.exe", parent = 64000, session = 0, threads = 2}
local broker = process{name = "svchost.exe", parent = services, session = 0, threads = 4}
process{name = "raised.exe", parent = m.explorer, creator = broker, session = 1, threads = 2}
-- A service that creates one for another session and names no other parent, and one whose parent was named by another.
process{name = "sihost.exe", parent = broker, session = 1, threads = 2}
process{name = "named.exe", parent = services, creator = m.explorer, session = 1, threads = 2}
excused("P04")
clean()
