-- SPDX-License-Identifier: Apache-2.0
-- Names and paths that a page must show as text: markup, quotes, marks of direction, controls, what looks like the page's own data,
-- and a path as long as they get. One of the processes is hidden, so that there is a story about it, too.
local m = desktop()
local folder = "\\Device\\HarddiskVolume3\\"
local names = {
	{"<script>evil=1;", folder .. "</script><script>window.evil=1</script>.exe"},
	{"</script><img>", folder .. "<img src=x onerror=window.evil=1><svg onload=window.evil=1>.exe"},
	{"\"'`&lt;&#60;\\", folder .. "\"onmouseover=window.evil=1 x='`${window.evil=1}`.exe"},
	{"\x01\x1b[31m\x7f\x85\xad\n\t", folder .. "\u{202e}exe.txt\u{202c}\u{200b}\u{2028}\u{2029}\u{feff}\u{0}.exe"},
	{"<!--", folder .. "<!--<script>.exe"},
	{"@@DATA@@", folder .. "]]>{\"report\":null}\\u003cscript\\u003e.exe"},
	{"long", folder .. string.rep("a very long folder/", 800) .. ".exe"},
}
local last
for _, name in ipairs(names) do
	last = process{name = name[1], path = name[2], parent = m.explorer, session = 1, threads = 1}
end
local hidden = process{name = "<b>ghost</b>", path = folder .. "<iframe src=javascript:window.evil=1>", parent = m.explorer, session = 1, threads = 1}
unlink(hidden)
peb(hidden, {image_path = "C:\\<script>window.evil=1</script>\u{202e}.exe"})
breaks("L15")
