-- SPDX-License-Identifier: Apache-2.0
-- More routines are told of images than the eight for which old kernels had room.
desktop()
for i = 1, 12 do
	local name = "watch" .. i .. ".sys"
	driver(name, {"PsSetLoadImageNotifyRoutine", "PsSetCreateProcessNotifyRoutineEx"})
	register("image", name)
	register("process_ex", name)
end
clean()
