-- SPDX-License-Identifier: Apache-2.0
-- Both CPUs idle: their current threads belong to Idle, which is on no list.
local m = desktop()
run(0, nil)
run(1, nil)
clean()
