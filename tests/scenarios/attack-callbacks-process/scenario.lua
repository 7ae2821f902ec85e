-- SPDX-License-Identifier: Apache-2.0
-- Every slot of the routines that are told of processes is cleared; the counts stay.
desktop()
silence("process")
breaks("C01")
