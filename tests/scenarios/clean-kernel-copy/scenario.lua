-- SPDX-License-Identifier: Apache-2.0
-- A program that looks for hooks has mapped the kernel's file a second time.
desktop()
copy_kernel()
clean()
