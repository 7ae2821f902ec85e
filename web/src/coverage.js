// SPDX-License-Identifier: Apache-2.0
// What was read, what could not be, and what stays unknown for it.
import { el, foreign } from "./dom.js";
import { count } from "./model.js";

const MOST = 1000; // excused verdicts in the document

function table(heads, rows) {
	return el(
		"div",
		{ class: "table-scroll" },
		el("table", { class: "table" }, el("thead", {}, el("tr", {}, heads.map((head) => el("th", { scope: "col" }, head)))), el("tbody", {}, rows.map((row) => el("tr", { class: row.cls ?? null }, (row.cells ?? row).map((cell) => el("td", { class: typeof cell === "number" ? "number" : null }, cell)))))),
	);
}

const number = (value) => (typeof value === "number" ? value.toLocaleString("en") : value ?? "not known");

function image(model) {
	const { image, kernel, smear, sweep } = model.report;
	const lines = [
		["Image", [foreign(image.path), `; ${image.format}, ${number(image.bytes)} bytes, ${number(image.present_pages)} pages present`]],
		...image.contradictions.map((text) => ["contradicts itself", foreign(text)]),
		["Smear", smear.why ?? "not weighed"],
		["Kernel", `Windows ${kernel.version ?? "?"}, ${kernel.arch}, base ${kernel.base ?? "?"}, page tables at ${kernel.dtb ?? "?"}`],
		["PDB", kernel.pdb ? `${kernel.pdb.name} ${kernel.pdb.guid}-${kernel.pdb.age}` : "not found"],
		["Facts", [`${kernel.facts.confidence}: `, foreign(kernel.facts.source ?? "none")]],
		["Time", kernel.system_time ?? "not known"],
		["Sweep", sweep ? `${number(sweep.bytes)} bytes looked at, ${number(sweep.skipped)} skipped, ${number(sweep.hits)} hits, ${count(sweep.unmapped.length, "of them", "of them")} in pages that nothing maps${sweep.mapped ? "" : "; page tables could not be read to their end"}` : "none"],
	];
	return el("dl", { class: "facts wide" }, lines.map(([name, value]) => [el("dt", {}, name), el("dd", {}, value)]));
}

function witnesses(model) {
	const rows = model.witnesses.map((w) => ({
		cls: w.void !== null ? "is-void" : w.gaps ? "is-partial" : null,
		cells: [
			el("b", {}, w.id),
			el("span", { class: "nowrap" }, w.tier),
			el("span", { class: "nowrap" }, w.void !== null ? "nothing" : w.complete ? "to its end" : w.gaps ? "with gaps" : "need not list all"),
			w.read,
			w.broken,
			w.unreadable,
			w.sightings,
			el("span", {}, w.what, w.void ? el("span", { class: "why" }, ` Nothing here: ${w.void.replace(/\.$/, "")}.`) : null),
		],
	}));
	return table(["witness", "tier", "read", "entries", "broken", "unreadable", "sightings", "which structure"], rows);
}

function unknown(model) {
	if (model.report.unknown.length === 0) return el("p", {}, "Every verdict could be made.");
	const rows = model.report.unknown.map((row) => [
		el("b", {}, row.id),
		row.count,
		el("ul", { class: "plain" }, Object.entries(row.reasons).map(([reason, times]) => el("li", {}, `${reason}: ${times}`))),
		model.data.invariants[row.id]?.statement ?? "",
	]);
	return table(["invariant", "verdicts", "because", "what must hold"], rows);
}

function excused(model) {
	const list = model.report.excused;
	if (list.length === 0) return el("p", {}, "None.");
	const groups = new Map();
	for (const one of list) {
		const key = `${one.id} ${one.exception}`;
		if (groups.has(key)) groups.get(key).push(one);
		else groups.set(key, [one]);
	}
	let left = MOST;
	return [...groups.values()].map((members) => {
		const { id, exception } = members[0];
		const shown = members.slice(0, Math.max(0, left));
		left -= shown.length;
		return el(
			"details",
			{ class: "excused" },
			el("summary", {}, el("b", {}, id), ` ${exception} `, el("small", {}, members.length), " ", model.data.invariants[id]?.exceptions?.[exception] ?? ""),
			el(
				"ul",
				{},
				shown.map(({ subject, why }) => el("li", {}, `${subject.kind} ${subject.pid ?? ""} `, foreign(subject.name ?? ""), " ", el("span", { class: "mono" }, subject.address ?? ""), why ? [": ", foreign(why)] : null)),
				members.length > shown.length ? el("li", {}, `and ${members.length - shown.length} more`) : null,
			),
		);
	});
}

function invariants(model) {
	const rows = Object.entries(model.data.invariants).map(([id, one]) => ({
		cls: one.broken ? "is-broken" : one.unknown && !one.holds ? "is-void" : null,
		cells: [el("b", {}, id), one.holds, one.broken, one.observed, one.excused, one.unknown, one.statement],
	}));
	return el("details", {}, el("summary", {}, `All ${rows.length} invariants and their verdicts`), table(["invariant", "holds", "broken", "observed", "excused", "unknown", "what must hold"], rows));
}

function yara(model) {
	const search = model.report.yara_search;
	if (!search) return null;
	const rows = model.report.yara.map((match) => [
		el("b", {}, foreign(match.rule)),
		el("span", {}, foreign(match.process.name ?? "?"), ` (${match.process.pid ?? "?"})`),
		`${match.range.start}\u2013${match.range.end}, ${match.range.kind} ${match.range.protection ?? ""}`,
		match.range.file ? foreign(match.range.file) : "",
		match.strings.map((one) => `${one.id} at ${one.address}`).join(", "),
	]);
	return [
		el("h2", {}, "YARA"),
		el("p", {}, `${number(search.rules)} rules, ${number(search.processes)} processes, ${number(search.ranges)} ranges, ${number(search.bytes)} bytes; ${count(rows.length + search.dropped, "match", "matches")}.`),
		rows.length ? table(["rule", "process", "range", "file", "strings"], rows) : null,
	];
}

export function coverage(model) {
	return el(
		"div",
		{ class: "coverage-view" },
		el("h2", {}, "What was read"),
		image(model),
		el("h2", {}, "Witnesses"),
		witnesses(model),
		el("h2", {}, "Unknown"),
		el("p", { class: "hint" }, "Verdicts that could not be made, and what was missing. Unknown is never shown as agreement."),
		unknown(model),
		yara(model),
		el("h2", {}, "Excused"),
		excused(model),
		el("h2", {}, "Invariants"),
		invariants(model),
	);
}
