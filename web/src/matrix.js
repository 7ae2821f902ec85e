// SPDX-License-Identifier: Apache-2.0
// The matrix of processes by witnesses. Only the rows in sight are in the document, so that thousands cost no more than forty.
import { el, foreign, refill, visible } from "./dom.js";
import { CELL_WORDS, MISSING, SEEN, count, labelOf, nameOf } from "./model.js";

const ROW = 26; // pixels, as in page.css
const BEYOND = 8; // rows kept beyond what is in sight
const PRINTED = 3000; // rows at most on paper

const LEAD = [
	{ key: "accused", title: "!", label: "broken invariants", cls: "mark" },
	{ key: "pid", title: "PID", label: "PID", cls: "pid" },
	{ key: "name", title: "Process", label: "process", cls: "name" },
	{ key: "state", title: "State", label: "state", cls: "state" },
	{ key: "session", title: "Ses.", label: "session", cls: "session" },
];
const COLUMNS = LEAD.length;

const SHORT_TIERS = { hardware: "HW", "memory manager": "memory", "object manager": "objects", subsystem: "subs.", "user mode": "user" };

const SHAPES = { seen: "", missing: "", unread: "?", void: "\u2013", none: "" };

export function cellText(model, process, at) {
	const witness = model.witnesses[at];
	return `${labelOf(process)}, ${witness.id}: ${CELL_WORDS[process.cells[at]]}`;
}

function leadCells(process) {
	const marks = process.findings.length;
	const markLabel = marks ? count(marks, "broken invariant") : process.holes ? count(process.holes, "hole") : "nothing broken";
	return [
		el("div", { role: "gridcell", class: "mark", "aria-label": markLabel }, marks ? String(marks) : process.holes ? "!" : ""),
		el("div", { role: "gridcell", class: "pid" }, process.pid ?? "?"),
		el("div", { role: "gridcell", class: "name", title: visible(process.path ?? nameOf(process)) }, foreign(nameOf(process))),
		el("div", { role: "gridcell", class: `state is-${process.state}` }, process.state),
		el("div", { role: "gridcell", class: "session" }, process.kin.session ?? "\u2013"),
	];
}

export class Matrix {
	constructor(model, { select, say, filterBy, order }) {
		this.model = model;
		this.select = select;
		this.say = say;
		this.filterBy = filterBy;
		this.setOrder = order;
		this.rows = [];
		this.at = { row: 0, column: 2 };
		this.drawn = new Map(); // index of a row to its element
		this.kinds = new Map(); // of cells
		this.body = el("div", { class: "rows", role: "rowgroup" });
		this.headLabels = [];
		this.note = el("p", { class: "print-note" });
		this.element = el(
			"div",
			{
				class: "matrix",
				role: "grid",
				tabindex: "0",
				"aria-label": "Processes by witnesses",
				"aria-colcount": COLUMNS + model.witnesses.length + 1,
				onkeydown: (event) => this.#key(event),
				onscroll: () => this.#draw(),
				onfocus: () => this.#mark(),
				onclick: (event) => this.#click(event),
				onpointerover: (event) => this.#hover(event),
				onpointerleave: () => this.#cross(-1),
			},
			this.#head(),
			this.body,
			this.note,
		);
		this.element.style.setProperty("--witnesses", model.witnesses.length);
		new ResizeObserver(() => this.#draw()).observe(this.element);
		this.printing = false;
	}

	#head() {
		const tiers = el("div", { class: "row tiers", "aria-hidden": "true" }, el("div", { class: "lead" }));
		const heads = el("div", { class: "row heads", role: "row", "aria-rowindex": "1" });
		this.orders = LEAD.map((column) =>
			el(
				"div",
				{ role: "columnheader", class: column.cls, "aria-sort": "none" },
				el("button", { type: "button", tabindex: "-1", title: `order by ${column.label}`, onclick: () => this.setOrder(column.key) }, column.title),
			),
		);
		heads.append(el("div", { class: "lead", role: "presentation" }, this.orders));
		this.model.tiers.forEach((tier, index) => {
			const members = this.model.witnesses.filter((w) => w.tierIndex === index);
			if (members.length === 0) return;
			const name = tier.length <= members.length * 3.6 ? tier : SHORT_TIERS[tier] ?? tier;
			tiers.append(el("div", { class: "tier", vars: { "--span": members.length }, title: `${tier}: tier ${index + 1}, the lower the harder to fake` }, name));
		});
		this.model.witnesses.forEach((witness, at) => heads.append(this.#witnessHead(witness, at)));
		heads.append(el("div", { role: "columnheader", class: "ids" }, "broken for it"));
		return el("div", { class: "head", role: "rowgroup" }, tiers, heads);
	}

	#witnessHead(witness, at) {
		const first = at === 0 || this.model.witnesses[at - 1].tierIndex !== witness.tierIndex;
		const why = witness.void !== null ? `; says nothing here: ${witness.void}` : "";
		const label = `${witness.id}, ${witness.tier}: ${witness.what}${why}`;
		const cls = ["witness", first && "first", witness.void !== null && "is-void", witness.missing > 0 && "has-holes"].filter(Boolean).join(" ");
		const head = el(
			"div",
			{ role: "columnheader", class: cls, "data-column": at, "aria-label": label },
			el(
				"button",
				{ type: "button", tabindex: "-1", title: visible(label), onclick: () => this.filterBy({ id: witness.id, cell: witness.missing ? MISSING : SEEN }) },
				el("span", {}, witness.id),
			),
		);
		this.headLabels.push(head);
		return head;
	}

	show(rows, order) {
		this.rows = rows;
		this.orders.forEach((head, i) => head.setAttribute("aria-sort", LEAD[i].key === order ? "ascending" : "none"));
		this.element.setAttribute("aria-rowcount", rows.length + 1);
		this.at.row = Math.max(0, Math.min(this.at.row, rows.length - 1));
		this.#clear();
		this.#draw();
	}

	#clear() {
		this.drawn.clear();
		refill(this.body, this.rows.length ? null : el("p", { class: "empty" }, "No process fits the filter."));
		this.body.style.height = this.printing ? "auto" : `${this.rows.length * ROW}px`;
	}

	#draw() {
		const view = this.element;
		const head = view.firstChild.offsetHeight;
		let from = Math.max(0, Math.floor(view.scrollTop / ROW) - BEYOND);
		let to = Math.min(this.rows.length, Math.ceil((view.scrollTop + view.clientHeight - head) / ROW) + BEYOND);
		if (this.printing) [from, to] = [0, Math.min(this.rows.length, PRINTED)];
		for (const [index, row] of this.drawn) {
			if (index >= from && index < to) continue;
			row.remove();
			this.drawn.delete(index);
		}
		const added = document.createDocumentFragment();
		for (let index = from; index < to; index++) {
			if (this.drawn.has(index)) continue;
			const row = this.#row(index);
			this.drawn.set(index, row);
			added.append(row);
		}
		this.body.append(added);
		this.#mark();
	}

	#row(index) {
		const process = this.rows[index];
		const cls = ["row", "process", process.findings.length && "has-findings", process.holes && "has-holes", process === this.selected && "is-selected"];
		const row = el(
			"div",
			{ class: cls.filter(Boolean).join(" "), role: "row", "data-row": index, "aria-rowindex": index + 2, "aria-selected": String(process === this.selected) },
			el("div", { class: "lead", role: "presentation" }, leadCells(process)),
		);
		row.style.setProperty("--top", `${index * ROW}px`);
		process.cells.forEach((cell, at) => row.append(this.#cell(cell, at)));
		const ids = [...new Set(process.findings.map((finding) => finding.id))].join(" ");
		row.append(el("div", { role: "gridcell", class: "ids" }, ids));
		return row;
	}

	// There are few kinds of cells, and many cells.
	#cell(cell, at) {
		const key = `${cell} ${at}`;
		if (!this.kinds.has(key)) {
			const { id, tierIndex } = this.model.witnesses[at];
			const first = at === 0 || this.model.witnesses[at - 1].tierIndex !== tierIndex;
			const properties = { role: "gridcell", class: `cell ${cell}${first ? " first" : ""}`, "data-column": at, "aria-label": `${id}: ${CELL_WORDS[cell]}` };
			this.kinds.set(key, el("div", properties, SHAPES[cell]));
		}
		return this.kinds.get(key).cloneNode(true);
	}

	#current() {
		const row = this.drawn.get(this.at.row);
		return this.at.column < COLUMNS ? row?.firstChild.children[this.at.column] : row?.children[1 + this.at.column - COLUMNS];
	}

	setSelected(process) {
		this.selected = process;
		for (const [index, row] of this.drawn) {
			const is = this.rows[index] === process;
			row.classList.toggle("is-selected", is);
			row.setAttribute("aria-selected", String(is));
		}
	}

	// The panel takes a part of the width: the hole that it tells of stays in sight.
	showHole(process) {
		const at = process?.cells.indexOf(MISSING) ?? -1;
		const row = this.drawn.get(this.rows.indexOf(process));
		if (at >= 0 && row) this.#bring(row.children[1 + at]);
	}

	#bring(cell) {
		const view = this.element;
		const lead = view.querySelector(".heads .lead").offsetWidth;
		if (cell.offsetLeft - lead < view.scrollLeft) view.scrollLeft = cell.offsetLeft - lead;
		const right = cell.offsetLeft + cell.offsetWidth - view.clientWidth;
		if (right > view.scrollLeft) view.scrollLeft = right;
	}

	// Brings a process into sight and makes its row the current one; false: the filter leaves it out.
	goTo(process) {
		const row = this.rows.indexOf(process);
		if (row < 0) return false;
		this.at.row = row;
		this.#reveal();
		this.#draw();
		return true;
	}

	#mark() {
		const before = this.element.querySelector(".is-current");
		before?.classList.remove("is-current");
		before?.removeAttribute("id");
		this.drawn.forEach((row, index) => row.classList.toggle("is-current-row", index === this.at.row));
		const cell = this.#current();
		cell?.classList.add("is-current");
		cell?.setAttribute("id", "current-cell");
		if (cell) this.element.setAttribute("aria-activedescendant", "current-cell");
		else this.element.removeAttribute("aria-activedescendant");
	}

	#reveal() {
		const view = this.element;
		const head = view.firstChild.offsetHeight;
		const top = this.at.row * ROW;
		if (top < view.scrollTop) view.scrollTop = top;
		const bottom = top + ROW + head - view.clientHeight;
		if (bottom > view.scrollTop) view.scrollTop = bottom;
		const cell = this.#current();
		if (cell && this.at.column >= COLUMNS) this.#bring(cell);
	}

	// Also for keys that nothing else on the page has the focus for.
	take(event) {
		this.element.focus({ preventScroll: true });
		this.#key(event);
	}

	#key(event) {
		if (event.ctrlKey || event.altKey || event.metaKey || this.rows.length === 0) return;
		const page = Math.max(1, Math.floor(this.element.clientHeight / ROW) - 6);
		const last = { row: this.rows.length - 1, column: COLUMNS + this.model.witnesses.length - 1 };
		const step = {
			ArrowDown: () => this.at.row++,
			ArrowUp: () => this.at.row--,
			ArrowRight: () => this.at.column++,
			ArrowLeft: () => this.at.column--,
			PageDown: () => (this.at.row += page),
			PageUp: () => (this.at.row -= page),
			Home: () => (this.at.row = 0),
			End: () => (this.at.row = last.row),
			Enter: () => this.select(this.rows[this.at.row]),
			" ": () => this.select(this.rows[this.at.row]),
		}[event.key];
		if (!step || (event.target !== this.element && event.target !== document.body)) return;
		event.preventDefault();
		step();
		this.at.row = Math.max(0, Math.min(this.at.row, last.row));
		this.at.column = Math.max(0, Math.min(this.at.column, last.column));
		this.#reveal();
		this.#draw();
		this.#tell();
	}

	#tell() {
		const process = this.rows[this.at.row];
		if (process) this.say(this.at.column < COLUMNS ? labelOf(process) : cellText(this.model, process, this.at.column - COLUMNS));
		this.#cross(this.at.column - COLUMNS);
	}

	#cross(column) {
		if (this.crossed === column) return;
		this.headLabels[this.crossed]?.classList.remove("is-crossed");
		this.headLabels[column]?.classList.add("is-crossed");
		this.crossed = column;
	}

	#click(event) {
		const row = event.target.closest?.(".row.process");
		if (!row) return;
		this.at.row = Number(row.dataset.row);
		const column = event.target.closest(".cell")?.dataset.column;
		this.at.column = column === undefined ? 2 : COLUMNS + Number(column);
		this.#mark();
		this.#tell();
		this.select(this.rows[this.at.row], { from: "pointer" });
	}

	#hover(event) {
		const cell = event.target.closest?.(".cell");
		const row = event.target.closest?.(".row.process");
		if (cell && row) {
			this.say(cellText(this.model, this.rows[Number(row.dataset.row)], Number(cell.dataset.column)));
			this.#cross(Number(cell.dataset.column));
			return;
		}
		const head = event.target.closest?.(".witness");
		this.#cross(head ? Number(head.dataset.column) : -1);
		if (head) this.say(head.getAttribute("aria-label"));
	}

	// All rows at once for paper, up to a bound that is said.
	setPrinting(printing) {
		this.printing = printing;
		const left = this.rows.length - PRINTED;
		refill(this.note, printing && left > 0 ? `${count(left, "more process", "more processes")} not printed: narrow the filter.` : null);
		this.#clear();
		this.#draw();
	}
}
