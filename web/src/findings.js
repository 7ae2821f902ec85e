// SPDX-License-Identifier: Apache-2.0
// Findings and observations as a list; a finding is told in the panel at the side.
import { el, foreign, refill } from "./dom.js";
import { Filling, rove } from "./list.js";
import { subjectText } from "./story.js";

const MOST = 2000; // lines in the document

function searchTextOf(finding) {
	const evidence = finding.evidence.flatMap((one) => [one.says, one.field, one.value, one.address, one.witness]);
	return [finding.id, finding.statement, subjectText(finding), finding.process?.path, finding.attack, evidence].flat().join("\n").toLowerCase();
}

function fits(finding, filter, words, cell) {
	const process = finding.process;
	if (filter.state && process?.state !== filter.state) return false;
	if (filter.session !== null && String(process?.kin.session) !== filter.session) return false;
	if (cell >= 0 && process?.cells[cell] !== filter.witness.cell) return false;
	if (filter.findingsOnly && finding.kind !== "finding") return false;
	finding.search ??= searchTextOf(finding);
	return words.every((word) => finding.search.includes(word));
}

export class Findings {
	constructor(model, { select }) {
		this.model = model;
		this.select = select;
		this.element = el("div", { class: "findings" });
		this.filling = new Filling();
		this.rove = rove(this.element, "button.finding-line", () => this.filling.finish());
	}

	show(filter) {
		const words = filter.text.toLowerCase().split(/\s+/).filter(Boolean);
		const cell = filter.witness ? this.model.witnesses.findIndex((w) => w.id === filter.witness.id) : -1;
		const fit = (list) => list.filter((one) => fits(one, filter, words, cell));
		const findings = fit(this.model.findings);
		const observations = fit(this.model.observations);
		this.shown = findings.length + observations.length;
		this.filling.start();
		refill(
			this.element,
			this.#section("Findings", findings, this.model.findings, "No invariant that could be judged is broken."),
			this.model.observations.length ? this.#section("Observations", observations, this.model.observations, "") : null,
		);
		this.rove();
	}

	#section(title, list, all, none) {
		const note = all.length === 0 ? none : list.length === 0 ? "None fits the filter." : null;
		const left = list.length - MOST;
		const lines = el("ul", { class: "finding-list" });
		this.filling.add(lines, list.slice(0, MOST), (one) => this.#line(one));
		return el(
			"section",
			{},
			el("h2", {}, `${title} `, el("small", {}, list.length === all.length ? all.length : `${list.length} of ${all.length}`)),
			title === "Observations" ? el("p", { class: "hint" }, "What does not hold and has honest causes as well: it proves nothing by itself.") : null,
			note ? el("p", { class: "empty" }, note) : null,
			lines,
			left > 0 ? el("p", {}, `${left} more: narrow the filter.`) : null,
		);
	}

	#line(finding) {
		const is = finding === this.selected;
		return el(
			"li",
			{},
			el(
				"button",
				{ type: "button", class: `finding-line ${finding.kind}${is ? " is-selected" : ""}`, "aria-current": is ? "true" : null, "data-key": finding.key, tabindex: "-1", onclick: () => this.select(finding) },
				el("span", { class: "id" }, finding.id),
				el("span", { class: "subject" }, foreign(subjectText(finding))),
				el("span", { class: "statement" }, finding.statement),
				el("span", { class: `certainty is-${finding.certainty}` }, finding.certainty),
				el("span", { class: "tier-name" }, finding.tier),
			),
		);
	}

	setSelected(finding) {
		this.selected = finding;
		for (const line of this.element.querySelectorAll(".finding-line")) {
			const is = line.dataset.key === finding?.key;
			line.classList.toggle("is-selected", is);
			if (is) line.setAttribute("aria-current", "true");
			else line.removeAttribute("aria-current");
		}
	}
}
