-- SPDX-License-Identifier: Apache-2.0
-- The exception port is that of another process, or no port at all.
local m = desktop()
set(m.notepad, "_EPROCESS.ExceptionPortData", csr_port(m.explorer) | 1)
breaks("S04")
set(m.cmd, "_EPROCESS.ExceptionPortData", m.explorer.address | 1)
breaks("S04")
