-- SPDX-License-Identifier: Apache-2.0
-- Of what was registered together for processes and threads, one is taken off its list.
desktop()
silence("object", 4)
breaks("C03")
