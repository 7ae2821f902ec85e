-- SPDX-License-Identifier: Apache-2.0
-- One routine is taken out of its slot, as drivers that were brought along for it do.
desktop()
silence("process", 7)
breaks("C01")
