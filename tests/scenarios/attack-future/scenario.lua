-- SPDX-License-Identifier: Apache-2.0
-- A process created after the image was taken.
local m = desktop()
set(m.notepad, "_EPROCESS.CreateTime", image_time() + seconds(3600))
breaks("P07")
