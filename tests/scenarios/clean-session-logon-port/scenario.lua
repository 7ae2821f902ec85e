-- SPDX-License-Identifier: Apache-2.0
-- A moment later: csrss has set the port of the next program, and has not entered it.
local first = process{name = "csrss.exe", parent = 504, session = 0, threads = 5, user = "system", csrss = true}
local services = process{name = "services.exe", parent = 504, session = 0, threads = 3}
local smss = process{name = "smss.exe", parent = 4, threads = 2}
local m = desktop()
session(2, {state = "initialized"})
local leader = process{name = "smss.exe", parent = smss, threads = 1}
leaders(nil, leader)
local csrss = process{name = "csrss.exe", parent = leader, session = 2, threads = 6, user = "system", csrss = true}
process{name = "LogonUI.exe", parent = leader, session = 2, threads = 2, user = "system"}
-- The next one has just been made: csrss does not know of it, its thread is not let go.
local winlogon = process{name = "winlogon.exe", parent = leader, session = 2, threads = 1, user = "system", registered = false,
	created = image_time() - seconds(1)}
for _, name in ipairs{"kernel32.dll", "KERNELBASE.dll"} do unload(winlogon, name) end
for _, name in ipairs{"winlogon.exe", "ntdll.dll"} do unlink_module(winlogon, name) end
suspend(winlogon.threads[1])
set(winlogon, "_EPROCESS.ExceptionPortData", api_port(csrss) | 1)
excused("S01")
clean()
