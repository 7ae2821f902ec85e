// SPDX-License-Identifier: Apache-2.0
// The panel at the side: one process with all that is said of it, or one finding.
import { el, foreign, refill } from "./dom.js";
import { MISSING, SEEN, count, labelOf, nameOf } from "./model.js";
import { command, story } from "./story.js";

const MOST_STORIES = 60; // of one process, written out in the panel

function fact(name, ...value) {
	return [el("dt", {}, name), el("dd", {}, value)];
}

const time = (text) => (text ? text.replace("T", " ").replace(/\.?0*Z$/, " UTC") : null);

const PARENTS = {
	none: "has none",
	remains: "was deleted; freed memory tells of it",
	gone: "is gone",
	recycled: "is gone; its PID was given out again",
	impossible: "is impossible",
	unsure: "is not known for sure",
};

export function parentOf(model, process, goTo) {
	const { parent, parent_address: at, parent_why: why } = process.kin;
	const above = model.byAddress.get(at);
	const words = [PARENTS[parent] ?? parent, why].filter(Boolean).join(": ");
	if (parent === "proved" && above) {
		return goTo ? el("button", { type: "button", class: "link", onclick: () => goTo(above) }, foreign(labelOf(above))) : foreign(labelOf(above));
	}
	return `${process.ppid ?? "?"} ${words}`;
}

function witnessesOf(model, process) {
	const missing = model.witnesses.filter((_, i) => process.cells[i] === MISSING);
	const seen = model.witnesses.filter((_, i) => process.cells[i] === SEEN);
	return [
		missing.length
			? el(
					"ul",
					{ class: "missing-list" },
					missing.map((witness) =>
						el("li", {}, el("b", {}, "missing from ", witness.id), ` (${witness.tier}): ${witness.what.replace(/\.$/, "")}. ${count(witness.read, "entry", "entries")} read.`),
					),
				)
			: null,
		el("p", { class: "seen-list" }, el("b", {}, `seen by ${seen.length}: `), seen.map((witness) => witness.id).join(", ")),
	];
}

function excusedOf(model, process) {
	const excused = model.excusedOf.get(process.address) ?? [];
	if (excused.length === 0) return null;
	return el(
		"details",
		{ class: "excused" },
		el("summary", {}, count(excused.length, "excused disagreement")),
		el(
			"ul",
			{},
			excused.map((one) => el("li", {}, el("b", {}, one.id), " ", one.exception, ": ", model.data.invariants[one.id]?.exceptions?.[one.exception] ?? "", one.why ? [". ", foreign(one.why)] : null)),
		),
	);
}

function processParts(model, process, actions) {
	const protectedBy = model.guarded.has(process.address);
	const stories = [...process.findings, ...process.observations];
	return [
		el(
			"dl",
			{ class: "facts" },
			fact("EPROCESS", el("span", { class: "mono" }, process.address), process.physical ? el("small", {}, ` physical ${process.physical}`) : null),
			fact("State", el("b", { class: `is-${process.state}` }, process.state), process.role && process.role !== "ordinary" ? ` ${process.role}` : null),
			fact("Parent", parentOf(model, process, actions.goTo)),
			process.path ? fact("Path", foreign(process.path)) : null,
			fact("Created", time(process.created) ?? "not known"),
			process.exited ? fact("Exited", time(process.exited)) : null,
			fact("Session", process.kin.session ?? "none"),
			fact("Threads", process.threads ?? "?", ", handles ", process.handles ?? "?", protectedBy ? ", protected" : ""),
		),
		witnessesOf(model, process),
		stories.length ? el("h3", {}, [count(process.findings.length, "finding"), process.observations.length ? count(process.observations.length, "observation") : null].filter(Boolean).join(", ")) : el("p", {}, "Nothing that could be judged is broken for this process."),
		stories.slice(0, MOST_STORIES).map((one) => story(model, one, { level: 4 })),
		stories.length > MOST_STORIES ? el("p", {}, `${stories.length - MOST_STORIES} more in the list of findings.`) : null,
		excusedOf(model, process),
		el("h3", {}, "Look next"),
		el(
			"ul",
			{ class: "commands" },
			["process", "threads", "handles", "modules", "vads", "power"].map((name) => el("li", {}, command(model, name, "IMAGE", process.address))).filter((_, i) => i < 1 || process.pid !== null),
		),
	];
}

export class Detail {
	constructor(model, actions) {
		this.model = model;
		this.actions = actions;
		this.title = el("h2", { id: "detail-title", tabindex: "-1" });
		this.content = el("div", { class: "detail-content" });
		this.element = el(
			"aside",
			{ class: "detail", "aria-labelledby": "detail-title", hidden: true },
			el(
				"header",
				{},
				this.title,
				el("button", { type: "button", class: "icon", "aria-label": "close (Escape)", title: "close (Escape)", onclick: () => actions.close() }, "\u00d7"),
			),
			this.content,
		);
	}

	get isOpen() {
		return !this.element.hidden;
	}

	showProcess(process) {
		refill(this.title, foreign(nameOf(process)), " ", el("small", {}, `PID ${process.pid ?? "?"}`));
		this.#open(processParts(this.model, process, this.actions));
	}

	showFinding(finding) {
		refill(this.title, finding.kind === "finding" ? "Finding " : "Observation ", finding.id);
		this.#open(story(this.model, finding, { goTo: this.actions.goTo }));
	}

	#open(content) {
		refill(this.content, content);
		this.content.scrollTop = 0;
		this.element.hidden = false;
	}

	close() {
		this.element.hidden = true;
		refill(this.content);
	}

	focus() {
		this.title.focus();
	}
}
