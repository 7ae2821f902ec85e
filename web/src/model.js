// SPDX-License-Identifier: Apache-2.0
// What the page shows, made of what the program wrote: every process with its row of the matrix, and what is said against it.

export const SEEN = "seen";
export const MISSING = "missing"; // it should list the process, was read completely, and does not
export const UNREAD = "unread"; // it is broken, or not all of it could be read: that it does not show the process means nothing
export const VOID = "void"; // it says nothing about this image
export const NONE = "none"; // it need not list the process

export const CELL_WORDS = {
	[SEEN]: "seen",
	[MISSING]: "missing, though it should be listed",
	[UNREAD]: "not seen, but the witness is broken or could not all be read",
	[VOID]: "the witness says nothing about this image",
	[NONE]: "does not apply",
};

export const count = (number, one, many = one + "s") => `${number.toLocaleString("en")} ${number === 1 ? one : many}`;

function witnessesOf(data) {
	return data.report.witnesses.map((witness, index) => ({
		...witness,
		...data.witnesses[index],
		index,
		tierIndex: data.tiers.indexOf(witness.tier),
		missing: 0,
		// Some witnesses need not list every process, so that they are never complete: nothing is wrong with these.
		gaps: !data.witnesses[index].complete && (witness.broken + witness.unreadable > 0 || data.report.summary.cut_short !== null),
	}));
}

function cellsOf(process, witnesses) {
	const seen = new Set(process.seen_by);
	const missing = new Set(process.missing_from);
	return witnesses.map((witness) => {
		if (missing.has(witness.id)) return MISSING;
		if (seen.has(witness.id)) return SEEN;
		if (witness.void !== null) return VOID;
		return witness.gaps ? UNREAD : NONE;
	});
}

export function nameOf(process) {
	return process.name === null ? "?" : process.name;
}

export function labelOf(process) {
	return `${nameOf(process)} (${process.pid ?? "?"})`;
}

// Numbers first, by value; then what is no number.
export function compareNumbers(one, other) {
	const a = one === null ? Infinity : Number(one);
	const b = other === null ? Infinity : Number(other);
	return a < b ? -1 : a > b ? 1 : 0;
}

function searchTextOf(process) {
	return [nameOf(process), process.pid, process.address, process.path, process.state, process.role, process.findings.map((f) => f.id)]
		.flat()
		.join("\n")
		.toLowerCase();
}

function stories(list, beside, kind, byAddress) {
	return list.map((finding, index) => ({
		...finding,
		index,
		kind,
		key: `${kind}-${index}`,
		process: byAddress.get(beside[index]?.process) ?? null,
		bytes: beside[index]?.bytes ?? [],
	}));
}

export function makeModel(data) {
	const report = data.report;
	const all = witnessesOf(data);
	const witnesses = [...all].sort((a, b) => a.tierIndex - b.tierIndex || a.index - b.index);
	const processes = report.processes.map((process, index) => ({
		...process,
		index,
		kin: data.kin[index],
		cells: cellsOf(process, witnesses),
		findings: [],
		observations: [],
	}));
	const byAddress = new Map(processes.map((process) => [process.address, process]));
	const findings = stories(report.findings, data.findings, "finding", byAddress);
	const observations = stories(report.observations, data.observations, "observation", byAddress);
	for (const finding of findings) finding.process?.findings.push(finding);
	for (const observation of observations) observation.process?.observations.push(observation);
	for (const process of processes) {
		process.search = searchTextOf(process);
		process.holes = process.missing_from.length;
	}
	for (const witness of witnesses) witness.missing = processes.filter((p) => p.missing_from.includes(witness.id)).length;
	const sessions = [...new Set(processes.map((p) => p.kin.session))].sort(compareNumbers);
	const states = [...new Set(processes.map((p) => p.state))].sort();
	const guarded = new Set(data.power.guarded);
	const excusedOf = new Map();
	for (const one of report.excused) {
		if (one.subject.kind !== "process") continue;
		if (excusedOf.has(one.subject.address)) excusedOf.get(one.subject.address).push(one);
		else excusedOf.set(one.subject.address, [one]);
	}
	return { data, guarded, excusedOf, report, witnesses, processes, byAddress, findings, observations, sessions, states, tiers: data.tiers };
}

// Those that something is said against first; within them, and after them, by PID.
export const ORDERS = {
	accused: (a, b) =>
		b.findings.length - a.findings.length ||
		b.holes - a.holes ||
		b.observations.length - a.observations.length ||
		compareNumbers(a.pid, b.pid) ||
		a.index - b.index,
	pid: (a, b) => compareNumbers(a.pid, b.pid) || a.index - b.index,
	name: (a, b) => nameOf(a).localeCompare(nameOf(b), "en") || a.index - b.index,
	state: (a, b) => a.state.localeCompare(b.state) || compareNumbers(a.pid, b.pid),
	session: (a, b) => compareNumbers(a.kin.session, b.kin.session) || compareNumbers(a.pid, b.pid),
	created: (a, b) => compareNumbers(a.kin.sequence, b.kin.sequence) || (a.created ?? "").localeCompare(b.created ?? ""),
};

// Which processes the filter lets through. Every word must occur.
export function filterProcesses(model, filter) {
	const words = filter.text.toLowerCase().split(/\s+/).filter(Boolean);
	const witness = filter.witness ? model.witnesses.findIndex((w) => w.id === filter.witness.id) : -1;
	const found = model.processes.filter((process) => {
		if (filter.findingsOnly && process.findings.length === 0 && process.holes === 0) return false;
		if (filter.state && process.state !== filter.state) return false;
		if (filter.session !== null && String(process.kin.session) !== filter.session) return false;
		if (witness >= 0 && process.cells[witness] !== filter.witness.cell) return false;
		return words.every((word) => process.search.includes(word));
	});
	return found.sort(ORDERS[filter.order]);
}
