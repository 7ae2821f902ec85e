-- SPDX-License-Identifier: Apache-2.0
-- A protected process without the signature levels of its signer.
local m = desktop()
set(m.notepad, "_EPROCESS.Protection", 0x31)
breaks("K08")
