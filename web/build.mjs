// SPDX-License-Identifier: Apache-2.0
// Bundles the page into dist/report.html: one file, with the hashes of its own script and style as the only ones that may run.
//   node build.mjs [OUTPUT]
import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { build } from "esbuild";

const here = new URL(".", import.meta.url);
const at = (name) => new URL(name, here);

// Not minified: whoever gets a report may read what runs in it.
async function bundle(entry) {
	const result = await build({
		entryPoints: [at(entry).pathname],
		bundle: true,
		write: false,
		charset: "ascii",
		format: "iife",
		target: ["chrome100", "firefox100", "safari15"],
		legalComments: "inline",
		logLevel: "warning",
	});
	return result.outputFiles[0].text;
}

const hash = (text) => `'sha256-${createHash("sha256").update(text, "utf8").digest("base64")}'`;

// Replaced by a function: a text may hold what replace() takes for a pattern.
function fill(template, parts) {
	return template.replace(/@@(POLICY|STYLE|SCRIPT)@@/g, (_, name) => parts[name]);
}

const script = await bundle("src/main.js");
const style = await bundle("src/page.css");
if (/<\/script|<!--|@@DATA@@/i.test(script) || /<\/style/i.test(style)) throw new Error("the bundle would end its own element");
const policy = [
	"default-src 'none'",
	`script-src ${hash(script)}`,
	`style-src ${hash(style)}`,
	"base-uri 'none'",
	"form-action 'none'",
	"require-trusted-types-for 'script'",
	"trusted-types 'none'",
].join("; ");
const template = await readFile(at("src/page.html"), "utf8");
const page = fill(template, { POLICY: policy, STYLE: style, SCRIPT: script });
await writeFile(process.argv[2] ?? at("dist/report.html"), page);
