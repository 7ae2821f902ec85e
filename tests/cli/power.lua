-- SPDX-License-Identifier: Apache-2.0
-- Handles to processes and threads: into a protected process, towards one, out of a session, to read, to stop, to keep.
local m = desktop()
local lsass = process{name = "lsass.exe", parent = 504, session = 0, threads = 4,
	protection = has("_EPROCESS.Protection") and 0x41 or nil}
local service = process{name = "services.exe", parent = 504, session = 0, threads = 4}
local away = process{name = "away.exe", parent = 504, session = 0, threads = 1}
grant(service, open(service, lsass, 0x1000), 0x143a)
open(m.cmd, service, 0x2a)
open(m.cmd, lsass, 0x1000)
open(m.notepad, away, 0x20)
open(m.notepad, m.explorer, 0x1010)
open(m.notepad, m.winlogon.threads[1], 0x2)
local gone = process{name = "gone.exe", parent = m.explorer, session = 1, state = "zombie"}
open(m.explorer, gone, 0x100000)
process{name = "kept.exe", parent = m.explorer, session = 1, state = "zombie"}
open(m.explorer, object("Event"), 0x100002)
open(m.explorer, token(), 0xa)
open_file(m.notepad, "\\Device\\HarddiskVolume3\\Users\\user\\letter.txt", {write = true})
open(m.explorer, job({m.cmd}, nil, "Compilers"), 0x4)
