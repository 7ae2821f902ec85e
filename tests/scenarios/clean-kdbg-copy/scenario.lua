-- SPDX-License-Identifier: Apache-2.0
-- Programs that take images of memory decode KDBG into a buffer of their own: a copy that says nothing else.
machine{encoded_kdbg = true}
desktop()
copy_kdbg()
clean()
