-- SPDX-License-Identifier: Apache-2.0
-- The handle of the threat intelligence provider leads to the entry of another.
desktop()
write(at(threat_provider(), "_ETW_GUID_ENTRY.Guid"), ("\x11"):rep(16))
breaks("C04")
