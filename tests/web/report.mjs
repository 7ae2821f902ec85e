// SPDX-License-Identifier: Apache-2.0
// The HTML report in a browser: node tests/web/report.mjs INVAR FORGE
// Status 77: node's modules or chromium are missing (./dev setup).
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { after, before } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";

const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";
const root = fileURLToPath(new URL("../..", import.meta.url));
const [invar, forge] = process.argv.slice(2);

function skip(why) {
	console.log(why);
	process.exit(77);
}

if (!invar || !forge) {
	console.error("usage: report.mjs INVAR FORGE");
	process.exit(2);
}
if (!existsSync(CHROMIUM)) skip(`no ${CHROMIUM}: ./dev setup installs it`);
let chromium;
try {
	({ chromium } = createRequire(join(root, "web", "package.json"))("playwright-core"));
} catch {
	skip("no playwright-core: ./dev setup installs it");
}

const folder = mkdtempSync(join(tmpdir(), "invar-web-"));
let browser;

function run(program, ...args) {
	const done = spawnSync(program, args, { encoding: "utf8", maxBuffer: 1 << 28 });
	assert.ok(done.status === 0 || done.status === 1, `${program} ${args.join(" ")}: status ${done.status}: ${done.stderr}`);
	return done.stdout;
}

// The report of a scenario, made once; its path.
const made = new Map();
function report(name) {
	if (made.has(name)) return made.get(name);
	const own = join(root, "tests", "web", `${name}.lua`);
	const scenario = existsSync(own) ? own : join(root, "tests", "scenarios", name, "scenario.lua");
	const image = join(folder, `${name}.img`);
	const page = join(folder, `${name}.html`);
	run(forge, scenario, "-o", image);
	run(invar, "check", "--format", "html", "-o", page, image);
	rmSync(image);
	made.set(name, page);
	return page;
}

// Opens a report and watches it: it may ask for nothing but itself, and nothing may go wrong in it.
async function open(name, options = {}) {
	const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...options });
	context.setDefaultTimeout(10_000);
	const page = await context.newPage();
	const seen = { requests: [], errors: [] };
	page.on("request", (request) => seen.requests.push(request.url()));
	page.on("pageerror", (error) => seen.errors.push(String(error)));
	page.on("console", (message) => ["error", "warning"].includes(message.type()) && seen.errors.push(message.text()));
	page.on("dialog", (dialog) => (seen.errors.push(`a dialog: ${dialog.message()}`), dialog.dismiss()));
	const url = pathToFileURL(report(name)).href;
	await page.goto(url);
	await page.waitForSelector(".matrix .row.process");
	return { page, seen, url, close: () => context.close() };
}

function assertQuiet({ seen, url }) {
	assert.deepEqual(seen.errors, []);
	assert.deepEqual(seen.requests.filter((request) => request.split("#")[0] !== url), []);
}

before(async () => {
	const args = process.getuid?.() === 0 ? ["--no-sandbox"] : [];
	browser = await chromium.launch({ executablePath: CHROMIUM, args });
});

after(async () => {
	await browser?.close();
	rmSync(folder, { recursive: true, force: true });
});

test("attacked: the process that is not on the list has a hole in its row", async () => {
	const view = await open("attack-unlink");
	const row = view.page.locator(".row.process", { hasText: "notepad.exe" });
	assert.equal(await row.locator(".cell.missing").count(), 1);
	assert.equal(await row.locator(".cell.missing").getAttribute("aria-label"), "active-list: missing, though it should be listed");
	assert.ok((await row.locator(".cell.seen").count()) > 10);
	assert.equal(await view.page.locator(".row.process:not(:has-text('notepad.exe')) .cell.missing").count(), 0);
	assertQuiet(view);
	await view.close();
});
