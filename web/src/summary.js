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
	[true, "of one instant"],
	[false, "taken while the machine ran"],
	[null, "of one instant or not: not said"],
]);

const LEFT = {
	processes: "processes of which nothing is said",
	findings: "findings",
	observations: "observations",
	excused: "excused disagreements",
	yara: "matches of rules",
	bytes: "views of bytes",
};

export function verdict(model) {
	const { broken, observed } = model.report.summary;
	if (broken === 0) {
		const observing = observed ? `; ${count(observed, "observation")} to look at` : "";
		return { good: true, text: `Nothing that could be judged is broken${observing}.` };
	}
	const accused = model.processes.filter((process) => process.findings.length > 0);
	const about = accused.map((process) => process.findings.length).reduce((a, b) => a + b, 0);
	const who = accused.length > 2 ? [`${accused.length} processes`] : accused.flatMap((process, i) => [i ? " and " : "", foreign(labelOf(process))]);
	const parts = [accused.length ? [`${about} about `, who] : null, broken > about ? `${broken - about} about the system itself` : null].filter(Boolean);
	return { good: false, text: [count(broken, "contradiction"), ": ", parts[0], parts[1] ? [", ", parts[1]] : ""] };
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
	const { good, text } = verdict(model);
	const cut = model.report.summary.cut_short;
	const left = Object.entries(model.data.left_out).filter(([, number]) => number > 0);
	return el(
		"header",
		{ class: "summary" },
		el("div", { class: "top" }, el("span", { class: "brand" }, "Invar"), foreign(model.report.image.path, { class: "path mono" }), el("div", { class: "buttons" }, buttons)),
		el("h1", { class: good ? "good" : "bad" }, el("span", { "aria-hidden": "true" }, good ? "\u2713 " : "\u2715 "), text),
		cut ? el("p", { class: "warning" }, `Incomplete: ${cut}.`) : null,
		left.length ? el("p", { class: "warning" }, "This page leaves out ", left.map(([name, number]) => `${number.toLocaleString("en")} ${LEFT[name]}`).join(", "), "; ", el("code", {}, "invar check --format json"), " has all of it.") : null,
		facts(model),
		chips(model, select, showAll),
	);
}
