// SPDX-License-Identifier: Apache-2.0
// Who can take over whom by the handles that are open: a graph of what crosses a border, and the list of all.
import { el, foreign, refill, svg, visible } from "./dom.js";
import { count, labelOf } from "./model.js";

const MOST_NODES = 48; // of the graph; beyond, only the list tells
const MOST_ROWS = 500;
const BOX = { width: 168, height: 34, across: 92, down: 12, margin: 14 };

const RANKS = {
	"into protected": "crosses protection",
	"towards protected": "one step on the way to a protected process",
	"out of session": "crosses a session",
	within: "within one session",
	reads: "reads only",
	controls: "suspends or ends only",
	keeps: "keeps a process that has ended",
};
const BORDERS = ["into protected", "towards protected", "out of session"];

const short = (text, most) => (text.length > most ? text.slice(0, most - 1) + "\u2026" : text);

// Columns from left to right: how many takeovers lead from a process to the end of its way.
function columnsOf(nodes, edges) {
	const column = new Map(nodes.map((node) => [node, 0]));
	for (let round = 0; round < nodes.length; round++) {
		let moved = false;
		for (const { holder, target } of edges) {
			const wanted = Math.min(column.get(holder) + 1, 6);
			if (column.get(target) < wanted && round < 8) {
				column.set(target, wanted);
				moved = true;
			}
		}
		if (!moved) break;
	}
	return column;
}

// Within a column by where the neighbours at the left stand, so that few lines cross.
function layout(nodes, edges) {
	const column = columnsOf(nodes, edges);
	const columns = [];
	for (const node of nodes) (columns[column.get(node)] ??= []).push(node);
	const place = new Map();
	columns.filter(Boolean).forEach((members, x) => {
		const weight = new Map(
			members.map((node) => {
				const above = edges.filter((edge) => edge.target === node && place.has(edge.holder)).map((edge) => place.get(edge.holder).y);
				return [node, above.length ? above.reduce((a, b) => a + b, 0) / above.length : Infinity];
			}),
		);
		members.sort((a, b) => weight.get(a) - weight.get(b) || a.index - b.index || 0);
		members.forEach((node, y) => place.set(node, { x, y: y * (BOX.height + BOX.down) }));
	});
	const rows = Math.max(...columns.filter(Boolean).map((members) => members.length));
	for (const members of columns.filter(Boolean)) {
		const shift = ((rows - members.length) * (BOX.height + BOX.down)) / 2;
		for (const node of members) place.get(node).y += shift;
	}
	return { place, width: columns.filter(Boolean).length, rows };
}

function edgeLine({ place }, row) {
	const from = place.get(row.holder);
	const to = place.get(row.target);
	const x1 = BOX.margin + from.x * (BOX.width + BOX.across) + BOX.width;
	const y1 = BOX.margin + from.y + BOX.height / 2;
	const x2 = BOX.margin + to.x * (BOX.width + BOX.across);
	const y2 = BOX.margin + to.y + BOX.height / 2;
	const back = x2 <= x1;
	const bend = back ? 60 : (x2 - x1) / 2;
	const path = back
		? `M${x1 - BOX.width},${y1} C${x1 - BOX.width - bend},${y1} ${x2 + BOX.width + bend},${y2} ${x2 + BOX.width},${y2}`
		: `M${x1},${y1} C${x1 + bend},${y1} ${x2 - bend},${y2} ${x2 - 7},${y2}`;
	return svg(
		"path",
		{ d: path, class: `edge ${row.rank.replace(/ /g, "-")}`, "marker-end": row.rank === "into protected" ? "url(#arrow-bad)" : "url(#arrow)" },
		svg("title", {}, `${visible(labelOf(row.holder))} ${row.does} ${visible(labelOf(row.target))}: ${RANKS[row.rank]}; ${row.rights}`),
	);
}

const arrow = (id) =>
	svg("marker", { id, viewBox: "0 0 8 8", refX: 6, refY: 4, markerUnits: "userSpaceOnUse", markerWidth: 10, markerHeight: 10, orient: "auto" }, svg("path", { d: "M0,0 L8,4 L0,8 z" }));

export class Power {
	constructor(model, { select }) {
		this.model = model;
		this.select = select;
		this.rows = model.data.power.rows
			.map((row) => ({ ...row, holder: model.byAddress.get(row.holder), target: model.byAddress.get(row.target) }))
			.filter((row) => row.holder && row.target);
		this.all = false;
		this.element = el("div", { class: "power-view" });
	}

	show(rows) {
		const fit = new Set(rows);
		const whole = rows.length === this.model.processes.length;
		const shown = this.rows.filter((row) => whole || fit.has(row.holder) || fit.has(row.target));
		const crossing = shown.filter((row) => BORDERS.includes(row.rank));
		const total = this.model.data.power.total;
		const toggle = el("input", { type: "checkbox", onchange: () => ((this.all = toggle.checked), this.show(rows)) });
		toggle.checked = this.all;
		refill(
			this.element,
			el("h2", {}, "Who can take over whom ", el("small", {}, count(shown.length, "relation"))),
			el("p", { class: "hint" }, "By open handles with rights to write, run, or impersonate. Such a handle is no proof of a lie; one that crosses protection or a session is where to look."),
			el("label", { class: "check" }, toggle, " in the picture, also what stays within a session"),
			this.#graph(this.all ? shown.filter((row) => row.does === "takes over") : crossing),
			this.#table(shown),
			total > this.model.data.power.rows.length ? el("p", {}, `${total - this.model.data.power.rows.length} more relations: invar power lists all.`) : null,
		);
	}

	#graph(rows) {
		const nodes = [...new Set(rows.flatMap((row) => [row.holder, row.target]))];
		if (nodes.length === 0) return el("p", { class: "empty" }, "No handle that gives power crosses protection or a session.");
		if (nodes.length > MOST_NODES) return el("p", { class: "empty" }, `${nodes.length} processes are too many for a picture: narrow the filter, or read the list.`);
		const drawn = layout(nodes, rows);
		const width = drawn.width * (BOX.width + BOX.across) - BOX.across + 2 * BOX.margin;
		const height = drawn.rows * (BOX.height + BOX.down) - BOX.down + 2 * BOX.margin;
		return el(
			"div",
			{ class: "graph", role: "region", tabindex: "0", "aria-label": "picture of the relations in the list" },
			svg(
				"svg",
				{ width, height, viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": count(rows.length, "relation") + " drawn; the list beneath says the same" },
				svg("defs", {}, arrow("arrow"), arrow("arrow-bad")),
				rows.map((row) => edgeLine(drawn, row)),
				nodes.map((node) => this.#node(drawn.place.get(node), node)),
			),
			el("p", { class: "graph-key" }, "thick line: crosses protection; dashed: on the way to a protected process; double frame: protected"),
		);
	}

	#node(place, process) {
		const guarded = this.model.guarded.has(process.address);
		const x = BOX.margin + place.x * (BOX.width + BOX.across);
		const y = BOX.margin + place.y;
		const cls = ["node", guarded && "guarded", process.findings.length && "has-findings"].filter(Boolean).join(" ");
		return svg(
			"g",
			{ class: cls, transform: `translate(${x} ${y})`, onclick: () => this.select(process) },
			svg("title", {}, `${visible(labelOf(process))}${guarded ? ", protected" : ""}`),
			svg("rect", { width: BOX.width, height: BOX.height, rx: 4 }),
			guarded ? svg("rect", { class: "inner", x: 3, y: 3, width: BOX.width - 6, height: BOX.height - 6, rx: 2 }) : null,
			svg("text", { x: 10, y: 21 }, short(visible(process.name ?? "?"), 15)),
			svg("text", { x: BOX.width - 10, y: 21, class: "pid" }, process.pid ?? "?"),
		);
	}

	#table(rows) {
		const who = (process) => el("button", { type: "button", class: "link", onclick: () => this.select(process) }, foreign(labelOf(process)));
		const left = rows.length - MOST_ROWS;
		return el(
			"div",
			{ class: "table-scroll" },
			el(
				"table",
				{ class: "table" },
				el("thead", {}, el("tr", {}, ["who", "does", "whom", "crosses", "rights", "handles", "then reaches"].map((title) => el("th", { scope: "col" }, title)))),
				el(
					"tbody",
					{},
					rows.slice(0, MOST_ROWS).map((row) => {
						const next = this.model.byAddress.get(row.next);
						return el(
							"tr",
							{ class: row.rank.replace(/ /g, "-") },
							el("td", {}, who(row.holder)),
							el("td", {}, row.does),
							el("td", {}, who(row.target), this.model.guarded.has(row.target.address) ? " (protected)" : null),
							el("td", {}, row.crosses ? el("b", {}, row.crosses) : ""),
							el("td", { class: "rights" }, row.rights),
							el("td", { class: "number" }, row.handles),
							el("td", {}, next && row.does === "takes over" ? foreign(labelOf(next)) : ""),
						);
					}),
				),
			),
			left > 0 ? el("p", {}, `${left} more rows: narrow the filter.`) : null,
		);
	}
}
