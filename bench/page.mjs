// SPDX-License-Identifier: Apache-2.0
// How long the page of a report keeps its reader waiting in Chromium, and the memory of its tab: node bench/page.mjs REPORT.html
import { readFileSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

import { measure, watch } from "../tests/web/measure.mjs";

const { chromium } = createRequire(new URL("../web/package.json", import.meta.url))("playwright-core");
const RUNS = 3;

// MiB of the tab that are no mapped file.
async function memoryOf(browser) {
	const session = await browser.newBrowserCDPSession();
	const { processInfo } = await session.send("SystemInfo.getProcessInfo");
	const renderers = processInfo.filter((process) => process.type === "renderer");
	return Math.max(...renderers.map(({ id }) => Number(readFileSync(`/proc/${id}/status`, "utf8").match(/RssAnon:\s+(\d+)/)[1]))) / 1024;
}

async function once(path) {
	const args = process.getuid?.() === 0 ? ["--no-sandbox"] : [];
	const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args });
	try {
		const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
		page.setDefaultTimeout(120_000);
		await watch(page);
		await page.goto(pathToFileURL(resolve(path)).href);
		await page.waitForFunction(() => window.firstRows);
		const memory = await memoryOf(browser);
		const measured = await measure(page);
		return { ...measured, memory, memoryAfter: await memoryOf(browser) };
	} finally {
		await browser.close();
	}
}

const runs = [];
for (let i = 0; i < RUNS; i++) runs.push(await once(process.argv[2]));
const least = (key) => Math.min(...runs.map((run) => run[key])).toFixed(0);
console.log(`    page: ${(statSync(process.argv[2]).size / 1e6).toFixed(1)} MB; first rows after ${least("first")} ms; memory of the tab ${least("memory")} MiB, after all that follows ${least("memoryAfter")} MiB`);
console.log(`    from an input to the picture, at most: filter ${least("filter")} ms, order ${least("order")} ms, jump ${least("worstJump")} ms (half of them ${least("jump")} ms), tree ${least("tree")} ms, filter of the tree ${least("treeFilter")} ms`);
