-- SPDX-License-Identifier: Apache-2.0
-- Whoever silences the provider makes it look as if no session listened; its registration is still for one.
desktop()
local provider = threat_provider()
set(provider, "_ETW_GUID_ENTRY.ProviderEnableInfo.IsEnabled", 0)
set(at(provider, "_ETW_GUID_ENTRY.EnableInfo"), "_TRACE_ENABLE_INFO.IsEnabled", 0)
breaks("C04")
