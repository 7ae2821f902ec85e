-- SPDX-License-Identifier: Apache-2.0
-- A process that was created long ago and never got a thread: legal, and what those do who put a false image into one.
local m = desktop()
process{name = "empty.exe", parent = m.explorer, session = 1, state = "c3", created = image_time() - seconds(3000)}
clean()
