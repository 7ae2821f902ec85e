-- SPDX-License-Identifier: Apache-2.0
-- A driver is unloaded and has not taken back what it registered: what would be called is anybody's.
desktop()
driver("helper.sys", {"PsSetLoadImageNotifyRoutine"})
register("image", "helper.sys")
unload_driver("helper.sys")
