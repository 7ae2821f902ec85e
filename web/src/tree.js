// SPDX-License-Identifier: Apache-2.0
// Processes beneath their parents, where number and time prove who these are.
import { el, foreign, refill } from "./dom.js";
import { Filling, rove } from "./list.js";
import { count, labelOf, nameOf, ORDERS } from "./model.js";

const MOST = 4000; // lines in the document
const DEEPEST = 40; // levels of indentation

const NOTES = {
	remains: () => "its parent was deleted: freed memory tells of it",
	gone: (process) => `parent ${process.ppid} is gone`,
	recycled: (process) => `parent ${process.ppid} is gone; the PID was given out again`,
	impossible: (process) => `parent ${process.ppid} is impossible: ${process.kin.parent_why ?? ""}`,
	unsure: (process) => `parent not known: ${process.kin.parent_why ?? ""}`,
};

// Every process once, parents before children, children by age. Who stands in a circle of parents starts anew at the left.
export function treeOf(model) {
	const children = new Map();
	const roots = [];
	for (const process of [...model.processes].sort(ORDERS.created)) {
		const known = process.kin.parent === "proved" || process.kin.parent === "remains";
		const above = known ? model.byAddress.get(process.kin.parent_address) : null;
		if (!above) roots.push(process);
		else if (children.has(above)) children.get(above).push(process);
		else children.set(above, [process]);
	}
	const lines = [];
	const done = new Set();
	const walk = (root, circle) => {
		const stack = [{ process: root, level: 1, circle }];
		while (stack.length) {
			const line = stack.pop();
			if (done.has(line.process)) continue;
			done.add(line.process);
			lines.push(line);
			for (const child of [...(children.get(line.process) ?? [])].reverse()) stack.push({ process: child, level: line.level + 1 });
		}
	};
	roots.forEach((root) => walk(root, false));
	model.processes.forEach((process) => done.has(process) || walk(process, true));
	return lines;
}

export class Tree {
	constructor(model, { select }) {
		this.model = model;
		this.select = select;
		this.list = el("div", { class: "tree", role: "tree", "aria-label": "Processes beneath their parents" });
		this.note = el("p", { class: "hint" });
		this.why = "A parent is proved by its number and by having been there first; the others stand at the left, with the reason.";
		this.element = el("div", { class: "tree-view" }, el("h2", {}, "Processes beneath their parents"), this.note, this.list);
		this.filling = new Filling();
		this.rove = rove(this.list, ".tree-line", () => this.finish());
	}

	// Those that fit, and their ancestors so that they hang on something.
	show(rows) {
		this.lines ??= treeOf(this.model);
		const fit = new Set(rows);
		const keep = new Set(rows);
		if (fit.size < this.model.processes.length) {
			const above = [];
			for (const { process, level } of this.lines) {
				above.length = level - 1;
				above.push(process);
				if (fit.has(process)) above.forEach((one) => keep.add(one));
			}
		}
		const lines = this.lines.filter((line) => keep.has(line.process));
		const left = lines.length - MOST;
		refill(this.note, rows.length === 0 ? "No process fits the filter." : left > 0 ? `${count(left, "more line")} not shown: narrow the filter.` : this.why);
		this.filling.start();
		this.filling.add(this.list, lines.slice(0, MOST), (line) => this.#line(line, fit.has(line.process)));
		this.rove();
	}

	finish() {
		this.filling.finish();
	}

	#line({ process, level, circle }, fits) {
		const note = circle ? "its parents go round in a circle, which is cut here" : NOTES[process.kin.parent]?.(process);
		const marks = process.findings.length || process.holes;
		const open = (event) => {
			if (event.type === "keydown" && event.key !== "Enter" && event.key !== " ") return;
			event.preventDefault();
			this.select(process);
		};
		const cls = ["tree-line", !fits && "is-beside", marks && "has-findings", process === this.selected && "is-selected", !process.kin.live && "is-dead"];
		const line = el(
			"div",
			{
				class: cls.filter(Boolean).join(" "),
				role: "treeitem",
				"aria-level": level,
				tabindex: "-1",
				"data-address": process.address,
				onclick: open,
				onkeydown: open,
			},
			Array.from({ length: Math.min(level, DEEPEST) - 1 }, () => el("span", { class: "guide", "aria-hidden": "true" })),
			el("span", { class: "name" }, foreign(nameOf(process))),
			el("span", { class: "pid" }, process.pid ?? "?"),
			process.state !== "running" ? el("span", { class: `state is-${process.state}` }, process.state) : null,
			marks ? el("span", { class: "badge" }, process.findings.length ? count(process.findings.length, "finding") : count(process.holes, "hole")) : null,
			note ? el("span", { class: "note" }, note) : null,
		);
		line.setAttribute("aria-label", `${labelOf(process)}, ${process.state}${marks ? ", accused" : ""}${note ? `, ${note}` : ""}`);
		return line;
	}

	setSelected(process) {
		this.selected = process;
		for (const line of this.list.children) line.classList.toggle("is-selected", line.dataset.address === process?.address);
	}
}
