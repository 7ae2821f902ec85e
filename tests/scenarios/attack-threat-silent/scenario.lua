-- SPDX-License-Identifier: Apache-2.0
-- The threat intelligence provider is disabled, while a session listens.
desktop()
set(threat_provider(), "_ETW_GUID_ENTRY.ProviderEnableInfo.IsEnabled", 0)
breaks("C04")
