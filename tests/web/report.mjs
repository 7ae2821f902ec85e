// SPDX-License-Identifier: Apache-2.0
// The HTML report in a browser: node tests/web/report.mjs INVAR FORGE
// Status 77: node's modules or chromium are missing (./dev setup).
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { after, before } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";

import { measure, watch } from "./measure.mjs";

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
function report(name, imageName = `${name}.img`) {
	if (made.has(name)) return made.get(name);
	const own = ["web", "cli"].map((part) => join(root, "tests", part, `${name}.lua`)).find(existsSync);
	const scenario = own ?? join(root, "tests", "scenarios", name, "scenario.lua");
	const image = join(folder, imageName);
	const page = join(folder, `${name}.html`);
	run(forge, scenario, "-o", image);
	run(invar, "check", "--format", "html", "-o", page, image);
	if (name === "attack-unlink") {
		run(invar, "check", "--format", "html", "--threads", "1", "-o", `${page}.again`, image);
		const timeless = (path) => readFileSync(path, "utf8").replace(/"seconds":[\d.e-]+/, "");
		assert.equal(timeless(page), timeless(`${page}.again`), "the same image gives the same page but for the seconds");
	}
	rmSync(image);
	made.set(name, page);
	return page;
}

// Opens a report and watches it: it may ask for nothing but itself, and nothing may go wrong in it.
async function open(name, options = {}) {
	const path = report(name, options.imageName);
	const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...options });
	context.setDefaultTimeout(30_000);
	const page = await context.newPage();
	const seen = { requests: [], failed: new Map(), errors: [] };
	page.on("requestfailed", (request) => seen.failed.set(request.url(), request.failure().errorText));
	page.on("request", (request) => seen.requests.push(request.url()));
	page.on("pageerror", (error) => seen.errors.push(String(error)));
	page.on("console", (message) => ["error", "warning"].includes(message.type()) && seen.errors.push(message.text()));
	page.on("dialog", (dialog) => (seen.errors.push(`a dialog: ${dialog.message()}`), dialog.dismiss()));
	const url = pathToFileURL(path).href;
	await watch(page);
	await page.goto(url);
	await page.waitForSelector(".matrix .row.process");
	return { page, seen, url, close: () => context.close() };
}

function assertQuiet({ seen, url }) {
	assert.deepEqual(seen.errors, []);
	assert.deepEqual(
		seen.requests.filter((request) => request.split("#")[0] !== url),
		[],
	);
}

// A test of one report, which must have been quiet all the while unless the test looks into that itself.
function view(title, name, options, body) {
	test(title, async () => {
		const opened = await open(name, options);
		try {
			await body(opened.page, opened);
			assertQuiet(opened);
		} finally {
			await opened.close();
		}
	});
}

const rowOf = (page, name) => page.locator(".row.process", { has: page.locator(".name", { hasText: name }) });
const names = (page) => page.locator(".row.process .name").allTextContents();

before(async () => {
	const args = process.getuid?.() === 0 ? ["--no-sandbox"] : [];
	browser = await chromium.launch({ executablePath: CHROMIUM, args });
});

after(async () => {
	await browser?.close();
	rmSync(folder, { recursive: true, force: true });
});

view("what is unknown is not shown as agreement", "unknown-win32k-few", {}, async (page) => {
	const unknown = await page.evaluate(() => JSON.parse(document.getElementById("data").textContent).report.summary.unknown);
	assert.ok(unknown > 0);
	assert.match(await page.locator(".head-facts").textContent(), new RegExp(`${unknown} verdicts unknown`));
	await page.keyboard.press("5");
	assert.match(await page.locator("#view-coverage").textContent(), /Verdicts that could not be made, and what was missing/);
});

view("clean: nothing is broken, and no row has a hole", "clean", {}, async (page) => {
	assert.match(await page.locator("h1").textContent(), /Nothing that could be judged is broken/);
	assert.equal(await page.locator(".cell.missing:not(.legend .cell, .help .cell)").count(), 0);
	assert.equal(await page.locator(".chips").count(), 0);
	await page.keyboard.press("2");
	assert.match(await page.locator("#view-findings").textContent(), /No invariant that could be judged is broken/);
	await page.keyboard.press("5");
	assert.equal(await page.locator("#view-coverage .table").first().locator("tbody tr").count(), await page.locator(".heads .witness").count());
});

view("attacked: who is not on the list has a hole in its row, and only that", "attack-unlink", {}, async (page) => {
	assert.match(await page.locator("h1").textContent(), /notepad\.exe \(720\)/);
	const row = rowOf(page, "notepad.exe");
	assert.equal(await row.locator(".cell.missing").count(), 1);
	assert.equal(await row.locator(".cell.missing").getAttribute("aria-label"), "active-list: missing, though it should be listed");
	assert.ok((await row.locator(".cell.seen").count()) > 10);
	assert.equal(await page.locator(".row.process:not(.has-findings) .cell.missing").count(), 0);
	assert.equal(await page.locator(".row.process .name").first().textContent(), "notepad.exe", "the accused stand first");
	assert.match(await page.locator(".heads .has-holes").textContent(), /active-list/);
});

view("attacked: the filter", "attack-unlink", {}, async (page) => {
	const all = (await names(page)).length;
	const shown = () => page.locator(".counted").textContent();
	await page.fill("#search", "EXPLORER");
	assert.deepEqual(await names(page), ["explorer.exe"]);
	await page.fill("#search", "L15");
	assert.deepEqual(await names(page), ["notepad.exe"], "by finding");
	await page.fill("#search", "no such thing");
	assert.match(await page.locator(".rows").textContent(), /No process fits/);
	await page.getByRole("button", { name: "Clear" }).click();
	assert.equal((await names(page)).length, all);
	await page.getByLabel("state", { exact: true }).selectOption("hidden");
	assert.deepEqual(await names(page), ["notepad.exe"]);
	await page.getByLabel("state", { exact: true }).selectOption("");
	await page.getByLabel("session", { exact: true }).selectOption("null");
	assert.deepEqual((await names(page)).sort(), ["Idle", "System", "smss.exe"]);
	await page.getByLabel("session", { exact: true }).selectOption("any");
	await page.getByLabel("witness", { exact: true }).selectOption("missing active-list");
	assert.deepEqual(await names(page), ["notepad.exe"]);
	await page.getByLabel("witness", { exact: true }).selectOption("");
	await page.getByLabel("accused only").check();
	assert.deepEqual(await names(page), ["notepad.exe"]);
	assert.match(await shown(), /^1 of \d+ processes$/);
	await page.keyboard.press("3");
	assert.deepEqual(await page.locator(".tree-line .name").allTextContents(), ["explorer.exe", "notepad.exe"], "with its parent");
	await page.keyboard.press("2");
	await page.fill("#search", "PspCidTable");
	assert.ok((await page.locator(".finding-line").count()) > 0);
	assert.ok((await page.locator(".finding-line").count()) < 11);
});

view("attacked: a finding with its evidence, and the bytes that it reads", "attack-unlink", {}, async (page) => {
	await page.keyboard.press("2");
	const line = page.locator(".finding-line", { hasText: "L01" });
	await line.click();
	const story = page.locator(".detail .story");
	for (const part of ["ProcessInserted", "the list leads past the process", "Excuses that do not apply", "idle", "Why it must hold", "T1014", "attack.mitre.org/techniques/T1014", "invar process", "invar explain L01"])
		assert.ok((await story.textContent()).includes(part), part);
	const { hex, data } = await page.evaluate(() => {
		const data = JSON.parse(document.getElementById("data").textContent);
		const table = document.querySelector(".detail .hex table");
		return { data: data.report.findings.find((one) => one.id === "L01").evidence[0], hex: [...table.querySelectorAll(".byte.self")].map((cell) => cell.textContent) };
	});
	assert.equal(data.field, "PsActiveProcessHead");
	assert.equal("0x" + hex.slice(0, 8).reverse().join("").replace(/^0+/, ""), data.value, "the marked bytes are the value");
	const second = page.locator(".detail .hex").nth(1);
	assert.match(await second.locator(".hex-key .self").textContent(), /ProcessInserted:26.*4 bytes/);
	assert.match(await second.locator("caption").textContent(), /kernel memory\. The value stands here as it was read/);
	assert.ok((await second.locator(".hex-key li").count()) > 1, "the fields beside it have names, too");
	assert.equal(await second.locator(".byte.self").count(), 4);
});

view("attacked: bytes of user mode and of page tables; observations", "attack-hollow", {}, async (page) => {
	await page.keyboard.press("2");
	await page.locator(".finding-line", { hasText: "I11" }).click();
	assert.match(await page.locator(".detail .hex caption").first().textContent(), /memory of the process\. The value stands here/);
	await page.locator(".finding-line.observation", { hasText: "M14" }).click();
	assert.match(await page.locator(".detail .story").textContent(), /observed in/);
	const captions = await page.locator(".detail .hex caption").allTextContents();
	assert.ok(captions.some((text) => text.startsWith("physical memory. The value stands here")), captions.join("|"));
});

view("what is absent is said to be, with the reason", "attack-peb-base", {}, async (page) => {
	await page.keyboard.press("n");
	const hex = page.locator(".detail .hex", { hasText: "memory of the process" });
	assert.equal(await hex.locator(".byte.absent").count(), 16);
	assert.match(await hex.locator(".absent-why").textContent(), /Absent: 0x[0-9a-f]+ is not mapped/);
	assert.match(await hex.locator(".hex-key .self").textContent(), /ImageBaseAddress/);
});

view("power: what leads to a protected process is drawn, and all is listed", "power", {}, async (page) => {
	await page.keyboard.press("4");
	assert.equal(await page.locator(".node.guarded text").first().textContent(), "lsass.exe");
	assert.equal(await page.locator(".edge.into-protected").count(), 1);
	assert.ok((await page.locator(".edge.towards-protected").count()) >= 3);
	assert.match(await page.locator("#view-power tbody tr").first().textContent(), /services\.exe.*takes over.*lsass\.exe.*protection/);
	await page.locator("#view-power tbody button").first().click();
	assert.match(await page.locator(".detail h2").textContent(), /services\.exe/);
});

view("the keyboard alone", "attack-unlink", {}, async (page) => {
	await page.keyboard.press("ArrowRight");
	await page.keyboard.press("ArrowLeft");
	const current = () => page.evaluate(() => document.getElementById(document.querySelector(".matrix").getAttribute("aria-activedescendant")).closest(".row").querySelector(".name").textContent);
	assert.equal(await current(), "notepad.exe");
	await page.keyboard.press("ArrowDown");
	assert.notEqual(await current(), "notepad.exe");
	await page.keyboard.press("Home");
	await page.keyboard.press("Enter");
	assert.match(await page.locator(".detail h2").textContent(), /notepad\.exe/);
	assert.equal(await page.evaluate(() => document.activeElement.id), "detail-title");
	await page.keyboard.press("Escape");
	assert.ok(await page.locator(".detail").isHidden());
	assert.equal(await page.evaluate(() => document.activeElement.className), "matrix", "the focus goes back");
	const columns = await page.locator(".heads .witness").count();
	for (let i = 0; i < columns + 5; i++) await page.keyboard.press("ArrowRight");
	assert.match(await page.locator(".status").textContent(), /notepad\.exe \(720\), /);
	await page.keyboard.press("/");
	assert.equal(await page.evaluate(() => document.activeElement.id), "search");
	await page.keyboard.type("cmd?");
	assert.ok(await page.locator(".help").isHidden(), "a key that is typed is text");
	await page.keyboard.press("Escape");
	assert.equal(await page.inputValue("#search"), "");
	await page.keyboard.press("Escape");
	await page.keyboard.press("?");
	assert.ok(await page.locator(".help").isVisible());
	await page.keyboard.press("Enter");
	assert.ok(await page.locator(".help").isHidden());
	await page.keyboard.press("2");
	await page.keyboard.press("n");
	const first = await page.locator(".detail h2").textContent();
	await page.keyboard.press("n");
	assert.notEqual(await page.locator(".detail .story").getAttribute("aria-label"), null);
	await page.keyboard.press("p");
	assert.equal(await page.locator(".detail h2").textContent(), first);
	await page.keyboard.press("Escape");
	await page.keyboard.press("3");
	await page.locator(".tree-line[tabindex='0']").focus();
	await page.keyboard.press("ArrowDown");
	await page.keyboard.press("Enter");
	assert.ok(await page.locator(".detail").isVisible());
});

view("the address of the page brings back what was shown", "attack-unlink", {}, async (page, { url }) => {
	await page.keyboard.press("2");
	await page.keyboard.press("n");
	const address = page.url();
	assert.match(address, /#findings\/finding-0$/);
	await page.goto("about:blank");
	await page.goto(address);
	assert.match(await page.locator(".detail h2").textContent(), /^Finding L01/);
	await page.goto(`${url}#matrix/%3Cimg%20src=x%3E`);
});

view("dark by the system's wish, and by the switch", "attack-unlink", { colorScheme: "dark" }, async (page) => {
	const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
	const dark = await ground();
	await page.emulateMedia({ colorScheme: "light" });
	await page.waitForFunction((dark) => getComputedStyle(document.body).backgroundColor !== dark, dark);
	const light = await ground();
	await page.keyboard.press("t");
	assert.equal(await ground(), light);
	await page.keyboard.press("t");
	assert.equal(await ground(), dark);
	await page.reload();
	assert.equal(await ground(), dark, "kept");
	await page.keyboard.press("t");
	assert.equal(await ground(), light, "as the system again");
});

view("on paper: every row, every view, every finding in full", "attack-unlink", {}, async (page) => {
	const findings = await page.evaluate(() => JSON.parse(document.getElementById("data").textContent).report.findings.length);
	await page.emulateMedia({ media: "print" });
	await page.waitForSelector(".paper .story");
	assert.equal(await page.locator(".paper .story").count(), findings);
	for (const part of [".matrix", "#view-tree", "#view-power", "#view-coverage", ".paper .hex"]) assert.ok(await page.locator(part).first().isVisible(), part);
	for (const part of [".toolbar", ".buttons", ".detail"]) assert.ok(await page.locator(part).isHidden(), part);
	assert.equal(await page.evaluate(() => getComputedStyle(document.querySelector(".matrix")).overflow), "visible");
	await page.emulateMedia({ media: null });
	await page.waitForFunction(() => !document.querySelector(".paper .story"));
	const pdf = await page.pdf({ preferCSSPageSize: true });
	const pages = Math.max(...[...pdf.toString("latin1").matchAll(/\/Count (\d+)/g)].map((match) => Number(match[1])));
	assert.ok(pages > 3, `${pages} pages`);
});

view("2,000 processes", "clean-server", {}, async (page, { url }) => {
	const started = await page.evaluate(() => {
		const paint = performance.getEntriesByName("first-contentful-paint")[0];
		return { paint: paint?.startTime, loaded: performance.getEntriesByType("navigation")[0].domContentLoadedEventEnd };
	});
	const rows = () => page.locator(".row.process").count();
	assert.ok((await rows()) < 120, "only the rows in sight are in the document");
	assert.equal(await page.locator(".matrix").getAttribute("aria-rowcount"), "2001");
	await page.keyboard.press("End");
	await page.waitForFunction(() => document.querySelector(".is-current")?.closest(".row").getAttribute("aria-rowindex") === "2001");
	assert.ok((await rows()) < 120);
	const took = await measure(page);
	const shown = Object.entries(took).map(([what, ms]) => `${what} ${Math.round(ms)} ms`).join(", ");
	console.log(`# 2,000 processes: first paint ${Math.round(started.paint)} ms, loaded ${Math.round(started.loaded)} ms; ${shown}; ${url.length && statSync(report("clean-server")).size} bytes`);
	// Generous, for a machine that does other things as well.
	assert.ok(started.loaded < 15_000, `${started.loaded} ms`);
	for (const what of ["filter", "order", "jump", "tree", "treeFilter"]) assert.ok(took[what] < 2000, `${what}: ${took[what]} ms`);
});

view("2,000 lines come piece by piece, and are all there when they are needed", "clean-server", {}, async (page) => {
	const lines = () => page.locator(".tree-line").count();
	const numbers = () => page.locator(".tree-line .pid").allTextContents();
	const atOnce = await page.evaluate(() => (document.getElementById("tab-tree").click(), document.querySelectorAll(".tree-line").length));
	assert.ok(atOnce > 100 && atOnce < 1000, `${atOnce} lines at once`);
	await page.waitForFunction(() => document.querySelectorAll(".tree-line").length === 2000);
	const all = await numbers();
	assert.equal(new Set(all).size, 2000);
	const typed = await page.evaluate(() => {
		const search = document.getElementById("search");
		for (const text of ["w", "", "zombie", "w", ""]) {
			search.value = text;
			search.dispatchEvent(new Event("input"));
		}
		document.querySelector(".tree-line").focus();
		return document.querySelectorAll(".tree-line").length;
	});
	assert.equal(typed, atOnce);
	await page.keyboard.press("End");
	assert.equal(await lines(), 2000, "the end is the last line");
	assert.equal(await page.evaluate(() => document.activeElement === document.querySelector(".tree").lastElementChild), true);
	await page.waitForTimeout(100);
	assert.deepEqual(await numbers(), all, "what was begun for another filter adds nothing");
	const printed = await page.evaluate(() => {
		document.getElementById("tab-matrix").click();
		document.getElementById("tab-tree").click();
		dispatchEvent(new Event("beforeprint"));
		const printed = document.querySelectorAll(".tree-line").length;
		dispatchEvent(new Event("afterprint"));
		return printed;
	});
	assert.equal(printed, 2000, "all on paper");
});

view("hostile names are text and nothing else", "hostile", { imageName: `<img src=x onerror="evil=1">&'.img` }, async (page) => {
	const source = readFileSync(report("hostile"), "utf8");
	assert.equal(source.match(/<script/g).length, 2, "the data and the page's own script");
	assert.equal(source.match(/<\/script/g).length, 2);
	const block = source.slice(source.indexOf('id="data">') + 10, source.indexOf("</script>"));
	assert.doesNotMatch(block, /[<>&\u0000-\u001f\u0080-\uffff]/, "no character of the data means something to HTML");
	const shown = await names(page);
	for (const name of ["<script>evil=1", "</script><img>", "\"'`&lt;&#60;\\", "<!--", "@@DATA@@", "<b>ghost</b>"]) assert.ok(shown.includes(name), name);
	assert.ok(shown.some((name) => name.startsWith("U+0001U+001B[31m")), "what cannot be seen is shown as what it is");
	const elements = () => page.evaluate(() => [...new Set([...document.body.querySelectorAll("*")].map((one) => one.localName))].sort());
	for (const key of ["1", "2", "3", "4", "5"]) await page.keyboard.press(key);
	await page.keyboard.press("1");
	for (let i = 0; i < shown.length; i++) {
		await page.locator(".row.process .name").nth(i).click();
		const isolated = await page.evaluate(() => [...document.querySelectorAll(".detail, .matrix")].every((part) => !/[\u202a-\u202e\u2066-\u2069\u200e\u200f]/.test(part.textContent)));
		assert.ok(isolated, "no mark of direction gets through");
	}
	await page.emulateMedia({ media: "print" });
	await page.waitForSelector(".paper .story");
	const unexpected = (await elements()).filter((name) => ["iframe", "img", "b-ghost", "object", "embed", "link", "base", "form-evil"].includes(name));
	assert.deepEqual(unexpected, []);
	assert.equal(await page.evaluate(() => document.querySelectorAll("#app script, #app style").length), 0);
	assert.equal(await page.evaluate(() => window.evil), undefined);
	assert.ok((await page.title()).includes("<img src=x"));
	const command = await page.evaluate(() => document.querySelector(".command").textContent);
	assert.match(command, /^invar \w+ '.*'\\''\.img' /, "a command that can be pasted");
});

test("the policy refuses what is not the page's own", async () => {
	const { page, seen, close } = await open("attack-unlink");
	const outcome = await page.evaluate(async () => {
		const refused = [];
		document.addEventListener("securitypolicyviolation", (event) => refused.push(event.effectiveDirective));
		const script = document.createElement("script");
		try {
			script.textContent = "window.evil = 1";
			document.body.append(script);
		} catch {
			refused.push("script text");
		}
		try {
			document.body.insertAdjacentHTML("beforeend", "<img src=x onerror='window.evil=1'>");
		} catch {
			refused.push("markup");
		}
		try {
			document.body.setAttribute("onclick", "window.evil = 1");
			document.body.click();
		} catch {
			refused.push("handler");
		}
		try {
			setTimeout("window.evil = 1");
		} catch {
			refused.push("text as code");
		}
		const image = new Image();
		image.src = "http://127.0.0.1:9/x";
		const fetched = await fetch("http://127.0.0.1:9/y").then(() => true, () => false);
		const style = document.createElement("style");
		style.textContent = "body { display: none }";
		document.head.append(style);
		await new Promise((done) => setTimeout(done, 100));
		return { refused, fetched, evil: window.evil, hidden: getComputedStyle(document.body).display === "none" };
	});
	assert.equal(outcome.evil, undefined);
	assert.equal(outcome.fetched, false);
	assert.equal(outcome.hidden, false);
	for (const what of ["markup", "text as code", "connect-src", "img-src", "style-src-elem"]) assert.ok(outcome.refused.includes(what), `${what}: ${outcome.refused}`);
	assert.ok(outcome.refused.some((one) => one.startsWith("script")), outcome.refused.join());
	const asked = seen.requests.filter((request) => request.startsWith("http"));
	assert.deepEqual(asked.filter((request) => !seen.failed.get(request)?.includes("csp")), [], "what was asked for never left");
	await close();
});

test("nothing in the sources makes markup of text, or asks for anything", () => {
	const forbidden = /innerHTML|outerHTML|insertAdjacentHTML|document\.write|createContextualFragment|DOMParser|\beval\b|new Function|srcdoc|setHTML|XMLHttpRequest|\bfetch\(|WebSocket|sendBeacon|EventSource|\bimport\(|https?:\/\/(?!www\.w3\.org\/2000\/svg)/;
	const files = readdirSync(join(root, "web", "src"))
		.map((name) => join(root, "web", "src", name))
		.concat(join(root, "web", "dist", "report.html"));
	for (const file of files) {
		const line = readFileSync(file, "utf8").split("\n").findIndex((text) => forbidden.test(text));
		assert.equal(line, -1, `${file}:${line + 1}`);
	}
});

// The least contrast of a text with what it stands on, and where that is (WCAG 2.2, 1.4.3).
function leastContrast() {
	const parse = (color) => (color.match(/[\d.]+/g) ?? [0, 0, 0, 0]).map(Number);
	const over = (top, under) => {
		const alpha = top[3] ?? 1;
		return [0, 1, 2].map((i) => top[i] * alpha + under[i] * (1 - alpha));
	};
	const groundOf = (element) => {
		if (!element) return [255, 255, 255];
		const box = element.closest("g.node");
		if (box) return parse(getComputedStyle(box.querySelector("rect")).fill);
		const color = parse(getComputedStyle(element).backgroundColor);
		return (color[3] ?? 1) === 1 ? color : over(color, groundOf(element.parentElement));
	};
	const light = (color) => {
		const [r, g, b] = color.map((v) => v / 255).map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
		return 0.2126 * r + 0.7152 * g + 0.0722 * b;
	};
	let least = { ratio: 21, where: "" };
	const texts = document.createTreeWalker(document.getElementById("app"), NodeFilter.SHOW_TEXT);
	while (texts.nextNode()) {
		const element = texts.currentNode.parentElement;
		if (!texts.currentNode.textContent.trim() || !element.checkVisibility() || element.closest("option, optgroup")) continue;
		const style = getComputedStyle(element);
		const ground = groundOf(element);
		const ink = over(parse(element.closest("svg") ? style.fill : style.color), ground);
		const [a, b] = [light(ink), light(ground)].sort((x, y) => y - x);
		const ratio = (a + 0.05) / (b + 0.05);
		if (ratio < least.ratio) least = { ratio, where: `${element.localName}.${element.className} "${texts.currentNode.textContent.slice(0, 30)}"` };
	}
	return least;
}

for (const colorScheme of ["light", "dark"]) {
	view(`contrast of every text, ${colorScheme}`, "power", { colorScheme }, async (page) => {
		const least = [];
		for (const key of ["1", "2", "3", "4", "5"]) {
			await page.keyboard.press(key);
			if (key === "2") await page.keyboard.press("n");
			if (key === "3") await page.keyboard.press("Escape");
			least.push(await page.evaluate(leastContrast));
		}
		await page.keyboard.press("1");
		await page.locator(".row.process").first().click();
		least.push(await page.evaluate(leastContrast));
		least.sort((a, b) => a.ratio - b.ratio);
		console.log(`# least contrast, ${colorScheme}: ${least[0].ratio.toFixed(2)}`);
		assert.ok(least[0].ratio >= 4.5, `${least[0].ratio.toFixed(2)} of ${least[0].where}`);
	});
}

view("what can be used has a name, and identifiers are unique", "attack-unlink", {}, async (page) => {
	for (const key of ["2", "3", "4", "5", "1"]) await page.keyboard.press(key);
	const faults = await page.evaluate(() => {
		const faults = [];
		for (const one of document.querySelectorAll("button, input, select, [role=grid], [role=tree], [role=region], aside, [role=tablist]")) {
			const labelled = one.getAttribute("aria-labelledby");
			const label = labelled ? document.getElementById(labelled) : one.labels?.[0];
			if (!(one.getAttribute("aria-label") || label || one.textContent.trim())) faults.push(one.outerHTML.slice(0, 80));
		}
		const ids = [...document.querySelectorAll("[id]")].map((one) => one.id);
		faults.push(...ids.filter((id, i) => ids.indexOf(id) !== i));
		for (const row of document.querySelectorAll("[role=row]")) if (![...row.querySelectorAll("[role=gridcell], [role=columnheader]")].length) faults.push("an empty row");
		return faults;
	});
	assert.deepEqual(faults, []);
});
