-- SPDX-License-Identifier: Apache-2.0
-- Every slot of the routines that are told of threads is cleared; the counts stay.
desktop()
silence("thread")
breaks("C01")
