-- SPDX-License-Identifier: Apache-2.0
-- No process, minimal or not, is protected with this pair of type and signer.
local m = desktop()
set(m.notepad, "_EPROCESS.Protection", 0xf1)
breaks("K08")
