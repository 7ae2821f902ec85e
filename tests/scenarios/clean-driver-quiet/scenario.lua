-- SPDX-License-Identifier: Apache-2.0
-- A driver could register routines and has not.
desktop()
driver("quiet.sys", {"PsSetCreateProcessNotifyRoutineEx"})
clean()
