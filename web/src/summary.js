// SPDX-License-Identifier: Apache-2.0
// The head of the page: whose memory, how complete, how many processes, what is wrong.
import { el, foreign } from "./dom.js";
import { count, labelOf } from "./model.js";

const CHIPS = 8;

const utc = (text) => (text ? text.replace("T", " ").replace(/\.\d+Z$/, "").replace(/Z$/, "") + " UTC" : "time not known");

function size(bytes) {
	const units = ["bytes", "KiB", "MiB", "GiB", "TiB"];
	let unit = 0;
	let value = Number(bytes);
	for (; value >= 1024 && unit < units.length - 1; unit++) value /= 1024;
	return `${value >= 100 || unit === 0 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

const TAKEN = new Map([
	[true, "at one instant"],
	[false, "taken while the machine ran"],
	[null, "live or at one instant: not said"],
]);

const LEFT = {
	processes: "processes of which nothing is said",
	findings: "findings",
	observations: "observations",
	excused: "excused disagreements",
	yara: "matches of rules",
	bytes: "views of bytes",
};

const MUCH = 0.25; // of the verdicts: so much unknown is no good news

// What is wrong, in one line. Unknown is never shown as agreement.
export function verdict(model) {
	const { broken, observed, unknown, judged } = model.report.summary;
	if (broken === 0) {
		const open = unknown ? `: ${unknown.toLocaleString("en")} of ${judged.toLocaleString("en")} verdicts are unknown` : "";
		const seen = observed ? `; ${count(observed, "observation")} to look at` : "";
		const kind = unknown > MUCH * judged ? "unsure" : "good";
		return { kind, text: kind === "unsure" ? `Nothing is broken in the little that could be judged${open}${seen}.` : `Nothing that could be judged is broken${seen}.` };
	}
	const accused = model.processes.filter((process) => process.findings.length > 0);
	const about = accused.map((process) => process.findings.length).reduce((a, b) => a + b, 0);
	const who = accused.length > 2 ? `${accused.length} processes` : accused.flatMap((process, i) => [i ? " and " : "", foreign(labelOf(process))]);
	const parts = [count(broken, "contradiction")];
	if (about === broken) parts.push(" about ", who);
	else if (about === 0) parts.push(" about the system itself");
	else parts.push(`: ${about} about `, who, `, ${broken - about} about the system itself`);
	return { kind: "bad", text: parts };
}

function fact(name, value, ...more) {
	return el("div", { class: "fact" }, el("dt", {}, name), el("dd", {}, el("b", {}, value), more.map((text) => (text ? el("span", {}, text) : null))));
}

function facts(model) {
	const { image, kernel, summary } = model.report;
	const testified = model.witnesses.filter((witness) => witness.void === null);
	const gaps = testified.filter((witness) => witness.gaps).length;
	const states = model.states.map((state) => `${model.processes.filter((p) => p.state === state).length.toLocaleString("en")} ${state}`);
	const verdicts = ["holds", "broken", "observed", "excused"].filter((key) => summary[key] > 0).map((key) => `${summary[key].toLocaleString("en")} ${key === "holds" ? "hold" : key}`);
	return el(
		"dl",
		{ class: "head-facts" },
		fact("Memory", `Windows ${kernel.version ?? "of unknown build"}`, `${kernel.arch}, ${kernel.cpus === null ? "CPUs not known" : count(kernel.cpus, "CPU")}, ${utc(kernel.system_time)}`),
		fact("Image", `${size(image.bytes)}, ${image.format}`, `${Number(image.present_pages).toLocaleString("en")} pages; ${TAKEN.get(image.atomic)}`),
		fact("Complete", `${testified.length} of ${model.witnesses.length} witnesses testify`, `${gaps ? `${gaps} with gaps` : "none with gaps"}; ${summary.unknown.toLocaleString("en")} verdicts unknown; facts ${kernel.facts.confidence}`),
		fact("Processes", summary.processes.toLocaleString("en"), states.join(", ")),
		fact("Verdicts", summary.judged.toLocaleString("en"), verdicts.join(", ")),
	);
}

function chips(model, select, showAll) {
	const accused = model.processes
		.filter((process) => process.findings.length > 0 || process.holes > 0)
		.sort((a, b) => b.findings.length - a.findings.length || a.index - b.index);
	if (accused.length === 0) return null;
	const chip = (process) => {
		const ids = [...new Set(process.findings.map((finding) => finding.id))];
		const shown = ids.slice(0, 5).join(" ") + (ids.length > 5 ? ` +${ids.length - 5}` : "");
		return el(
			"li",
			{},
			el("button", { type: "button", class: "chip", onclick: () => select(process) }, el("b", {}, foreign(labelOf(process))), " ", el("span", { class: `chip-state is-${process.state}` }, process.state), " ", el("span", { class: "ids" }, shown)),
		);
	};
	const more = accused.length - CHIPS;
	return el(
		"ul",
		{ class: "chips", "aria-label": "accused processes" },
		accused.slice(0, CHIPS).map(chip),
		more > 0 ? el("li", {}, el("button", { type: "button", class: "chip", onclick: showAll }, `and ${more} more`)) : null,
	);
}

export function summary(model, { select, showAll, buttons }) {
	const { kind, text } = verdict(model);
	const cut = model.report.summary.cut_short;
	const left = Object.entries(model.data.left_out).filter(([, number]) => number > 0);
	return el(
		"header",
		{ class: "summary" },
		el("div", { class: "top" }, el("span", { class: "brand" }, "Invar"), foreign(model.report.image.path, { class: "path mono" }), el("div", { class: "buttons" }, buttons)),
		el("h1", { class: kind }, el("span", { "aria-hidden": "true" }, { good: "\u2713 ", bad: "\u2715 ", unsure: "? " }[kind]), text),
		cut ? el("p", { class: "warning" }, `Incomplete: ${cut}.`) : null,
		left.length ? el("p", { class: "warning" }, "This page leaves out ", left.map(([name, number]) => `${number.toLocaleString("en")} ${LEFT[name]}`).join(", "), "; ", el("code", {}, "invar check --format json"), " has all of it.") : null,
		facts(model),
		chips(model, select, showAll),
	);
}
