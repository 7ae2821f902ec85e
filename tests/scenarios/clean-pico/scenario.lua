-- SPDX-License-Identifier: Apache-2.0
-- A provider of pico processes is registered.
desktop()
driver("lxcore.sys")
register("pico", "lxcore.sys")
clean()
