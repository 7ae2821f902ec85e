-- SPDX-License-Identifier: Apache-2.0
-- Handles in tables of one, two and three levels; some closed, some duplicated, one that keeps a zombie.
local m = desktop()
for i = 1, 300 do open(m.explorer, m.cmd, 0x1000) end
local far = open(m.csrss, m.cmd, 0x1fffff, 0x84008)
local there = duplicate(m.csrss, far, m.winlogon, 0x400)
local gone = open(m.winlogon, m.notepad)
close(m.winlogon, gone)
local dead = process{name = "dead.exe", parent = m.explorer, session = 1, threads = 0}
open(m.explorer, dead, 0x100000)
local ended = process{name = "ended.exe", parent = m.explorer, session = 1, state = "zombie"}
open(m.explorer, ended, 0x100000)
clean()
