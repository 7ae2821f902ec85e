-- SPDX-License-Identifier: Apache-2.0
-- The thread that runs when nothing else does belongs to Idle, which is on no list.
desktop()
ready(find(0).threads[2])
clean()
