-- SPDX-License-Identifier: Apache-2.0
-- A driver was loaded and registered whatever there is.
desktop()
driver("late.sys", {"PsSetCreateProcessNotifyRoutineEx", "PsSetCreateThreadNotifyRoutine", "PsSetLoadImageNotifyRoutine",
	"CmRegisterCallbackEx", "ObRegisterCallbacks"})
register("process_ex", "late.sys")
register("thread_other", "late.sys")
register("image", "late.sys")
register("registry", "late.sys", {altitude = "385000"})
register("object", "late.sys", {altitude = "385000", types = {"Process"}})
clean()
