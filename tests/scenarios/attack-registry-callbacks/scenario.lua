-- SPDX-License-Identifier: Apache-2.0
-- All routines that watch the registry are taken off their list; the count stays.
desktop()
silence("registry")
breaks("C01")
