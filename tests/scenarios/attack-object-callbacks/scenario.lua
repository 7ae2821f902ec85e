-- SPDX-License-Identifier: Apache-2.0
-- All that watches handles is taken off its lists.
desktop()
silence("object")
breaks("C02")
