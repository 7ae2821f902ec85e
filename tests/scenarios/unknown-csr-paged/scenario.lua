-- SPDX-License-Identifier: Apache-2.0
-- csrss's own record is in the page file: nobody knows its clients, but the handles in its table tell who they were.
local m = desktop()
page_state(m.csrss, (csr_record(m.winlogon)), "paged")
