// SPDX-License-Identifier: Apache-2.0
// Takes the pictures of the report for the documents: node pictures.mjs INVAR FORGE FOLDER
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { chromium } from "playwright-core";

const [invar, forge, folder] = process.argv.slice(2).map((path) => resolve(path));
const tests = fileURLToPath(new URL("../tests", import.meta.url));
const work = mkdtempSync(join(tmpdir(), "invar-pictures-"));

const pictures = [
	{ name: "matrix", scenario: "scenarios/attack-unlink/scenario.lua", width: 1400, height: 640 },
	{ name: "finding", scenario: "scenarios/attack-unlink/scenario.lua", height: 820, keys: ["2", "n"] },
	{ name: "power", scenario: "cli/power.lua", height: 760, keys: ["4"] },
	{ name: "dark", scenario: "scenarios/attack-all-lists/scenario.lua", height: 760, keys: ["ArrowRight", "Enter"], colorScheme: "dark" },
];

function run(program, ...args) {
	const done = spawnSync(program, args, { encoding: "utf8", cwd: work });
	if (done.status !== 0 && done.status !== 1) throw new Error(`${program}: ${done.stderr}`);
}

mkdirSync(folder, { recursive: true });
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: process.getuid?.() === 0 ? ["--no-sandbox"] : [] });
try {
	for (const { name, scenario, width = 1280, height, keys = [], colorScheme = "light" } of pictures) {
		run(forge, join(tests, scenario), "-o", "demo.img");
		run(invar, "check", "--format", "html", "-o", "report.html", "demo.img");
		const page = await browser.newPage({ viewport: { width, height }, colorScheme });
		await page.goto(pathToFileURL(join(work, "report.html")).href);
		for (const key of keys) await page.keyboard.press(key);
		await page.evaluate(() => document.activeElement.blur());
		await page.waitForTimeout(200);
		await page.screenshot({ path: join(folder, `${name}.png`) });
		await page.close();
	}
} finally {
	await browser.close();
	rmSync(work, { recursive: true, force: true });
}
