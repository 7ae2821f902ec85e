-- SPDX-License-Identifier: Apache-2.0
-- Lives of a machine in whose sessions csrss and win32k keep their books: nothing in these contradicts the kernel's.
live{operations = 400}
clean()
