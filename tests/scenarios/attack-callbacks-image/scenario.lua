-- SPDX-License-Identifier: Apache-2.0
-- Every slot of the routines that are told of images is cleared; the counts stay.
desktop()
silence("image")
breaks("C01")
