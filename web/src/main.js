// SPDX-License-Identifier: Apache-2.0
// Puts the page together: the head, the filter, the views, the panel, and the keys.
import { coverage } from "./coverage.js";
import { Detail } from "./detail.js";
import { el, refill, visible } from "./dom.js";
import { Findings } from "./findings.js";
import { Matrix } from "./matrix.js";
import { CELL_WORDS, MISSING, SEEN, UNREAD, count, filterProcesses, makeModel } from "./model.js";
import { Power } from "./power.js";
import { story } from "./story.js";
import { summary } from "./summary.js";
import { Tree } from "./tree.js";

const PRINTED_STORIES = 200;

const model = makeModel(JSON.parse(document.getElementById("data").textContent));
const filter = { text: "", state: "", session: null, witness: null, findingsOnly: false, order: "accused" };
const rest = structuredClone(filter);

// -- what is shown --------------------------------------------------------------------------------------------------------

const status = el("p", { class: "status", role: "status" });
const say = (text) => refill(status, visible(text));

const actions = {
	select: (process, how) => selectProcess(process, how),
	goTo: (process) => goTo(process),
	close: () => closeDetail(),
};
const detail = new Detail(model, actions);
const matrix = new Matrix(model, {
	select: actions.select,
	say,
	filterBy: (witness) => setFilter({ witness: filter.witness?.id === witness.id ? null : witness }),
	order: (order) => setFilter({ order }),
});
const findings = new Findings(model, { select: (finding) => selectFinding(finding) });
const tree = new Tree(model, actions);
const power = new Power(model, actions);

const views = [
	{ id: "matrix", title: "Matrix", element: matrix.element, show: (rows) => matrix.show(rows, filter.order) },
	{ id: "findings", title: "Findings", number: model.findings.length, element: findings.element, show: () => findings.show(filter) },
	{ id: "tree", title: "Tree", element: tree.element, show: (rows) => tree.show(rows) },
	{ id: "power", title: "Power", element: power.element, show: (rows) => power.show(rows) },
	{ id: "coverage", title: "Coverage", element: null, show: () => {} },
];
let current = views[0];
let rows = [];
let opener = null; // what had the focus before the panel was opened

function showCurrent() {
	if (current.id === "coverage" && !current.filled) {
		current.filled = true;
		refill(panels.get(current), coverage(model));
	}
	current.show(rows);
}

function setFilter(change) {
	Object.assign(filter, change);
	rows = filterProcesses(model, filter);
	syncControls();
	showCurrent();
	if (current.id === "findings") refill(counted, `${findings.shown.toLocaleString("en")} of ${(model.findings.length + model.observations.length).toLocaleString("en")} findings`);
}

function setView(id, focus) {
	current = views.find((view) => view.id === id) ?? views[0];
	for (const view of views) {
		const is = view === current;
		panels.get(view).hidden = !is;
		tabs.get(view).setAttribute("aria-selected", String(is));
		tabs.get(view).tabIndex = is ? 0 : -1;
	}
	document.body.dataset.view = current.id;
	if (focus) tabs.get(current).focus();
	setFilter({});
	remember();
}

// -- the filter -------------------------------------------------------------------------------------------------------------

const option = (value, text) => el("option", { value }, text);
const search = el("input", {
	type: "search",
	id: "search",
	placeholder: "Search: name, PID, address, path, finding",
	"aria-label": "search",
	"aria-keyshortcuts": "/",
	autocomplete: "off",
	spellcheck: "false",
	oninput: () => setFilter({ text: search.value }),
});
const state = el("select", { "aria-label": "state", onchange: () => setFilter({ state: state.value }) }, option("", "any state"), model.states.map((one) => option(one, one)));
const session = el(
	"select",
	{ "aria-label": "session", onchange: () => setFilter({ session: session.value === "any" ? null : session.value }) },
	option("any", "any session"),
	model.sessions.map((one) => option(String(one), one === null ? "no session" : `session ${one}`)),
);
const witnessGroup = (label, cell) => el("optgroup", { label }, model.witnesses.filter((w) => w.void === null).map((w) => option(`${cell} ${w.id}`, `${label} ${w.id}`)));
const witness = el(
	"select",
	{
		"aria-label": "witness",
		onchange: () => {
			const [cell, id] = witness.value.split(" ");
			setFilter({ witness: id ? { id, cell } : null });
		},
	},
	option("", "any witness"),
	witnessGroup("missing from", MISSING),
	witnessGroup("seen by", SEEN),
	witnessGroup("broken or unread", UNREAD),
);
const only = el("input", { type: "checkbox", id: "only", onchange: () => setFilter({ findingsOnly: only.checked }) });
const counted = el("span", { class: "counted", role: "status" });
const clear = el("button", { type: "button", onclick: () => (setFilter({ ...rest, order: filter.order }), search.focus()) }, "Clear");

function syncControls() {
	if (search.value !== filter.text) search.value = filter.text;
	state.value = filter.state;
	session.value = filter.session ?? "any";
	const wanted = filter.witness ? `${filter.witness.cell} ${filter.witness.id}` : "";
	witness.value = wanted;
	only.checked = filter.findingsOnly;
	refill(counted, `${rows.length.toLocaleString("en")} of ${count(model.processes.length, "process", "processes")}`);
	clear.hidden = !(filter.text || filter.state || filter.session !== null || filter.witness || filter.findingsOnly);
}

// -- choosing ---------------------------------------------------------------------------------------------------------------

let selected = null; // a process or a finding

function openDetail(focus) {
	if (!document.activeElement?.closest(".detail")) opener = document.activeElement;
	document.body.classList.add("has-detail");
	matrix.showHole(selected.key ? selected.process : selected);
	if (focus) detail.focus();
	remember();
}

function selectProcess(process, { from } = {}) {
	selected = process;
	detail.showProcess(process);
	matrix.setSelected(process);
	tree.setSelected(process);
	findings.setSelected(null);
	openDetail(from !== "pointer");
}

function selectFinding(finding) {
	selected = finding;
	detail.showFinding(finding);
	findings.setSelected(finding);
	matrix.setSelected(finding.process);
	tree.setSelected(finding.process);
	openDetail(true);
}

function goTo(process) {
	if (current.id !== "matrix" && current.id !== "tree") setView("matrix");
	if (!rows.includes(process)) setFilter({ ...rest, order: filter.order });
	if (current.id === "matrix") matrix.goTo(process);
	selectProcess(process);
}

function closeDetail() {
	if (!detail.isOpen) return;
	selected = null;
	detail.close();
	document.body.classList.remove("has-detail");
	matrix.setSelected(null);
	tree.setSelected(null);
	findings.setSelected(null);
	(opener?.isConnected ? opener : matrix.element).focus();
	remember();
}

// -- the address of the page says what is shown, so that it can be given to somebody ----------------------------------------

function remember() {
	const chosen = selected ? (selected.key ?? selected.address) : "";
	const hash = [current.id, chosen].filter(Boolean).join("/");
	history.replaceState(null, "", `#${hash}`);
}

function recall(hash) {
	const [view, chosen] = hash.slice(1).split("/");
	if (!views.some((one) => one.id === view)) return;
	setView(view);
	if (!chosen) return;
	const process = model.byAddress.get(chosen);
	const finding = [...model.findings, ...model.observations].find((one) => one.key === chosen);
	if (process) goTo(process);
	else if (finding) selectFinding(finding);
}

// -- light and dark ---------------------------------------------------------------------------------------------------------

const THEMES = { "": "as the system", light: "light", dark: "dark" };
const themeButton = el("button", { type: "button", onclick: () => nextTheme() });

// A browser may keep nothing for a file.
function kept(theme) {
	try {
		if (theme !== undefined) localStorage.setItem("invar-theme", theme);
		const found = localStorage.getItem("invar-theme");
		return found in THEMES ? found : "";
	} catch {
		return theme ?? "";
	}
}

const systemIsDark = matchMedia("(prefers-color-scheme: dark)");
let theme = kept();

function showTheme() {
	document.documentElement.dataset.theme = theme || (systemIsDark.matches ? "dark" : "light");
	refill(themeButton, `Colours: ${THEMES[theme] ?? theme}`);
}

function nextTheme() {
	const names = Object.keys(THEMES);
	theme = kept(names[(names.indexOf(theme) + 1) % names.length]);
	showTheme();
}

// -- the JSON of the check, out of the page ---------------------------------------------------------------------------------

function saveJson() {
	const blob = new Blob([JSON.stringify(model.report, null, 2) + "\n"], { type: "application/json" });
	const link = el("a", { href: URL.createObjectURL(blob), download: "invar-report.json" });
	link.click();
	setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

// -- help -------------------------------------------------------------------------------------------------------------------

const KEYS = [
	["/", "search"],
	["Arrow keys, Page Up, Page Down, Home, End", "move in the matrix, the findings, the tree"],
	["Enter", "open what is chosen"],
	["Escape", "close the panel; then clear the filter"],
	["1 to 5", "matrix, findings, tree, power, coverage"],
	["n, p", "next, previous finding"],
	["f", "only what is accused"],
	["t", "colours: system, light, dark"],
	["?", "this help"],
];
const help = el(
	"dialog",
	{ class: "help", "aria-labelledby": "help-title" },
	el("h2", { id: "help-title" }, "How to read this page"),
	el(
		"p",
		{},
		"Each row is a process, each column a witness: a structure in which Windows itself records processes. Columns stand by tier, the hardest to fake at the left. A ring in a row is a hole: the witness was read to its end, should list the process, and does not. One of the records is a lie.",
	),
	el("dl", { class: "legend-long" }, Object.entries(CELL_WORDS).map(([cell, words]) => [el("dt", {}, swatch(cell)), el("dd", {}, words)])),
	el("h2", {}, "Keys"),
	el("dl", { class: "keys" }, KEYS.map(([keys, what]) => [el("dt", {}, el("kbd", {}, keys)), el("dd", {}, what)])),
	el("form", { method: "dialog" }, el("button", { class: "primary" }, "Close")),
);

function swatch(cell) {
	return el("span", { class: `cell ${cell}`, "aria-hidden": "true" }, { unread: "?", void: "\u2013" }[cell] ?? "");
}

const legend = el(
	"ul",
	{ class: "legend", "aria-label": "legend" },
	[
		[SEEN, "seen"],
		[MISSING, "missing: a lie"],
		[UNREAD, "broken or unread"],
		["void", "witness says nothing"],
		["none", "does not apply"],
	].map(([cell, words]) => el("li", {}, swatch(cell), words)),
);

// -- paper ------------------------------------------------------------------------------------------------------------------

const paper = el("div", { class: "paper" });

function preparePaper() {
	if (matrix.printing) return;
	for (const view of views) {
		if (view === current || view.id === "findings") continue;
		if (view.id === "coverage") {
			if (!view.filled) refill(panels.get(view), coverage(model));
			view.filled = true;
		} else view.show(rows);
	}
	tree.finish();
	matrix.setPrinting(true);
	const told = [...model.findings, ...model.observations];
	const left = told.length - PRINTED_STORIES;
	refill(
		paper,
		told.length ? el("h2", {}, "Findings in full") : null,
		told.slice(0, PRINTED_STORIES).map((one) => story(model, one)),
		left > 0 ? el("p", {}, `${left} more are not printed.`) : null,
	);
	paper.querySelectorAll("details").forEach((one) => (one.open = true));
}

function clearPaper() {
	if (!matrix.printing) return;
	matrix.setPrinting(false);
	refill(paper);
}

// -- keys -------------------------------------------------------------------------------------------------------------------

function step(by) {
	const all = [...model.findings, ...model.observations];
	if (all.length === 0) return;
	const at = selected?.key ? all.findIndex((one) => one.key === selected.key) : by > 0 ? -1 : all.length;
	selectFinding(all[(at + by + all.length) % all.length]);
}

function escape() {
	if (detail.isOpen) closeDetail();
	else if (!clear.hidden) setFilter({ ...rest, order: filter.order });
	else if (document.activeElement === search) matrix.element.focus();
}

const shortcuts = {
	"/": () => (search.focus(), search.select()),
	"?": () => help.showModal(),
	n: () => step(1),
	p: () => step(-1),
	f: () => setFilter({ findingsOnly: !filter.findingsOnly }),
	t: nextTheme,
	...Object.fromEntries(views.map((view, i) => [String(i + 1), () => setView(view.id, true)])),
};

function onKey(event) {
	if (event.ctrlKey || event.altKey || event.metaKey || help.open) return;
	if (event.key === "Escape") {
		event.preventDefault();
		escape();
		return;
	}
	const typing = event.target.closest?.("input[type=search], select");
	if (typing === search && (event.key === "ArrowDown" || event.key === "Enter")) {
		event.preventDefault();
		(current.id === "matrix" ? matrix.element : panels.get(current).querySelector("[tabindex='0']"))?.focus();
		return;
	}
	if (event.target === document.body && current.id === "matrix" && /^(Arrow|Page|Home|End|Enter)/.test(event.key)) {
		matrix.take(event);
		return;
	}
	if (typing || !shortcuts[event.key]) return;
	event.preventDefault();
	shortcuts[event.key]();
}

// -- the page ---------------------------------------------------------------------------------------------------------------

const tabs = new Map();
const panels = new Map();

function tabKey(event) {
	const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
	if (!by) return;
	event.preventDefault();
	setView(views[(views.indexOf(current) + by + views.length) % views.length].id, true);
}

for (const view of views) {
	tabs.set(
		view,
		el(
			"button",
			{ type: "button", role: "tab", id: `tab-${view.id}`, "aria-controls": `view-${view.id}`, onclick: () => setView(view.id), onkeydown: tabKey },
			view.title,
			view.number === undefined ? null : el("small", {}, ` ${view.number}`),
		),
	);
	panels.set(
		view,
		el("section", { class: "view", role: "tabpanel", id: `view-${view.id}`, "aria-labelledby": `tab-${view.id}`, hidden: true }, view.element),
	);
}

const buttons = [
	el("button", { type: "button", onclick: saveJson, title: "the result of the check, for programs" }, "Save JSON"),
	themeButton,
	el("button", { type: "button", onclick: () => help.showModal(), "aria-keyshortcuts": "?" }, "Help ", el("kbd", {}, "?")),
];

systemIsDark.addEventListener("change", showTheme);
showTheme();
document.title = visible(`Invar: ${model.report.image.path}`);
document
	.getElementById("app")
	.append(
		summary(model, { select: (process) => goTo(process), showAll: () => (setView("matrix"), setFilter({ findingsOnly: true })), buttons }),
		el(
			"div",
			{ class: "toolbar" },
			el("div", { class: "tabs", role: "tablist", "aria-label": "views" }, [...tabs.values()]),
			el("form", { class: "filter", role: "search", onsubmit: (event) => event.preventDefault() }, search, state, session, witness, el("label", { class: "check", for: "only" }, only, " accused only"), clear, counted),
		),
		el("main", { class: "stage" }, el("div", { class: "views" }, [...panels.values()]), detail.element),
		el("footer", { class: "bottom" }, status, legend),
		paper,
		help,
	);
document.addEventListener("keydown", onKey);
addEventListener("beforeprint", preparePaper);
addEventListener("afterprint", clearPaper);
matchMedia("print").addEventListener("change", (event) => (event.matches ? preparePaper() : clearPaper()));
const wanted = location.hash;
setView("matrix");
recall(wanted);
addEventListener("hashchange", () => recall(location.hash));
