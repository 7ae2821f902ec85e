-- SPDX-License-Identifier: Apache-2.0
-- A driver took back all that it had registered, and was unloaded.
desktop()
unregister("edrsense.sys")
unload_driver("edrsense.sys")
clean()
