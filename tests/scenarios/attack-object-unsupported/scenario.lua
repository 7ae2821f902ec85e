-- SPDX-License-Identifier: Apache-2.0
-- The type of processes says that handles to them cannot be watched.
desktop()
set(object_type("Process"), "_OBJECT_TYPE.TypeInfo.SupportsObjectCallbacks", 0)
breaks("C03")
