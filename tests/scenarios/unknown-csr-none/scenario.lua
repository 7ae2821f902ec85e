-- SPDX-License-Identifier: Apache-2.0
-- The port of the session is owned by nobody that is known.
local m = desktop()
set(api_port(m.notepad), "_ALPC_PORT.OwnerProcess", m.smss)
