-- SPDX-License-Identifier: Apache-2.0
-- Neither a record on the list nor an exception port, as if csrss had never been told of the process: but the record stands in
-- csrss's memory, and its handle is open.
local m = desktop()
csr_unlink(m.notepad)
set(m.notepad, "_EPROCESS.ExceptionPortData", 0)
breaks("S01")
