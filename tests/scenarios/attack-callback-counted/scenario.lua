-- SPDX-License-Identifier: Apache-2.0
-- One routine is taken out of its slot, and the count agrees: only the imports of its module tell of it.
desktop()
silence("thread", 1)
write(symbol("PspCreateThreadNotifyRoutineCount"), string.pack("<I4", peek(symbol("PspCreateThreadNotifyRoutineCount")) - 1 & 0xffffffff))
