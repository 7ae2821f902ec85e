-- SPDX-License-Identifier: Apache-2.0
-- Nobody listens to the threat intelligence provider.
desktop()
local provider = threat_provider()
local registration = peek(symbol("EtwThreatIntProvRegHandle"))
set(provider, "_ETW_GUID_ENTRY.ProviderEnableInfo.IsEnabled", 0)
set(at(provider, "_ETW_GUID_ENTRY.EnableInfo"), "_TRACE_ENABLE_INFO.IsEnabled", 0)
set(registration, "_ETW_REG_ENTRY.EnableMask", 0)
excused("C04")
clean()
