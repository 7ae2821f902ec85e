// SPDX-License-Identifier: Apache-2.0
// A finding as a story: what must hold, who says what, which excuses were tried, and what to look at next.
import { el, foreign } from "./dom.js";
import { hexView } from "./hex.js";
import { count, labelOf } from "./model.js";

const SEES = "this witness sees the process";

// For a shell. A path with what cannot be seen in it is left for the reader to type.
function quoted(path) {
	if (/^[\w./@%+=:,-]+$/.test(path)) return path;
	return /^[\x20-\x7e]+$/.test(path) ? `'${path.replace(/'/g, "'\\''")}'` : "IMAGE";
}

export function command(model, ...words) {
	return el("code", { class: "command" }, `invar ${words.join(" ")}`.replace("IMAGE", () => quoted(model.report.image.path)));
}

function commandsFor(model, finding) {
	const subject = finding.subject;
	const commands = [];
	if (subject.kind === "process") commands.push(command(model, "process", "IMAGE", subject.address));
	if (subject.kind === "thread") {
		if (finding.process) commands.push(command(model, "threads", "IMAGE", finding.process.pid));
		commands.push(command(model, "dt", "IMAGE", "_ETHREAD", subject.address));
	}
	if (subject.kind === "cpu") commands.push(command(model, "dt", "IMAGE", "_KPRCB", subject.address));
	commands.push(command(model, "explain", finding.id));
	return el("ul", { class: "commands" }, commands.map((one) => el("li", {}, one)));
}

export function subjectText(finding) {
	const subject = finding.subject;
	if (subject.kind === "process") return finding.process ? labelOf(finding.process) : `process ${subject.address}`;
	if (subject.kind === "thread") return `${finding.process ? `${labelOf(finding.process)}, ` : ""}thread ${subject.address}`;
	return `${subject.name ?? subject.kind} at ${subject.address}`;
}

function tierTag(model, tier) {
	const rank = model.tiers.indexOf(tier) + 1;
	return el("span", { class: "tier-tag", title: `tier ${rank} of ${model.tiers.length}: 1 is the hardest to fake` }, el("b", {}, rank), " ", tier);
}

// A reader sees the bytes of the first pieces at once, the others on demand.
function evidenceItem(model, evidence, bytes, open) {
	const where = evidence.address ? [" at ", el("span", { class: "mono" }, evidence.address)] : null;
	return el(
		"li",
		{ class: "evidence" },
		el("p", { class: "says" }, foreign(evidence.says)),
		el("p", { class: "value mono" }, foreign(evidence.field ?? ""), " = ", el("b", {}, evidence.value)),
		el("p", { class: "source" }, tierTag(model, evidence.tier), " ", el("span", {}, evidence.witness), where),
		bytes ? el("details", { open, class: "bytes" }, el("summary", {}, "bytes"), hexView(bytes)) : null,
	);
}

function evidenceList(model, finding) {
	const all = finding.evidence.map((evidence, i) => ({ evidence, bytes: finding.bytes[i] }));
	const also = all.filter(({ evidence }) => evidence.says === SEES && !evidence.address);
	const told = all.filter((one) => !also.includes(one));
	return el(
		"ol",
		{ class: "evidence-list" },
		told.map(({ evidence, bytes }, i) => evidenceItem(model, evidence, bytes, i < 2)),
		also.length
			? el(
					"li",
					{ class: "evidence" },
					el("p", { class: "says" }, `${count(also.length, "witness sees", "witnesses see")} the process:`),
					el(
						"ul",
						{ class: "seers" },
						model.tiers.map((tier) => {
							const seers = also.filter(({ evidence }) => evidence.tier === tier);
							return seers.length ? el("li", {}, tierTag(model, tier), " ", seers.map(({ evidence }) => evidence.witness).join(", ")) : null;
						}),
					),
				)
			: null,
	);
}

function excuses(finding) {
	if (finding.excuses_tried.length === 0) return null;
	return [
		el("h4", {}, "Excuses that do not apply"),
		el(
			"ul",
			{ class: "excuses" },
			finding.excuses_tried.map((tried) => el("li", {}, el("b", {}, tried.exception), ": ", foreign(tried.why_not))),
		),
	];
}

function patches(finding) {
	if (!finding.patches?.length) return null;
	const side = (title, code) =>
		el("div", {}, el("h5", {}, title), el("pre", {}, code.map((one) => `${one.address}  ${one.bytes.padEnd(20)}  ${one.text}`).join("\n")));
	return [
		el("h4", {}, "Patched code"),
		finding.patches.map((patch) =>
			el(
				"div",
				{ class: "patch" },
				el("p", {}, `${count(patch.bytes, "byte")} at ${patch.address}`, patch.file ? [" of ", foreign(patch.file)] : null),
				side("the file's page", patch.was),
				side("the process' copy", patch.is),
			),
		),
	];
}

function techniques(attack) {
	const ids = attack?.match(/T\d{4}(\.\d{3})?/g) ?? [];
	if (ids.length === 0) return null;
	return el(
		"p",
		{ class: "attack" },
		"ATT&CK ",
		ids.map((id, i) => [i ? ", " : "", el("b", {}, id), " ", el("span", { class: "mono" }, `attack.mitre.org/techniques/${id.replace(".", "/")}`)]),
	);
}

export function story(model, finding, { level = 3, goTo } = {}) {
	const known = model.data.invariants[finding.id] ?? {};
	const accused = finding.kind === "finding" ? "accused" : "observed in";
	return el(
		"article",
		{ class: `story ${finding.kind}`, "aria-label": `${finding.id}, ${subjectText(finding)}` },
		el("h" + level, {}, el("span", { class: "id" }, finding.id), " ", finding.statement),
		el(
			"p",
			{ class: "about" },
			goTo && finding.process ? el("button", { type: "button", class: "link", onclick: () => goTo(finding.process) }, foreign(subjectText(finding))) : foreign(subjectText(finding)),
		),
		el(
			"p",
			{ class: "certainty" },
			el("b", { class: `is-${finding.certainty}` }, finding.certainty),
			finding.certainty_why ? `: ${finding.certainty_why}` : "",
			`; ${accused}: the ${finding.tier} record.`,
		),
		el("h4", {}, "Evidence"),
		evidenceList(model, finding),
		excuses(finding),
		patches(finding),
		known.reason ? [el("h4", {}, "Why it must hold"), el("p", {}, known.reason)] : null,
		known.broken_by ? el("p", {}, el("b", {}, "Broken by: "), known.broken_by) : null,
		techniques(finding.attack),
		el("h4", {}, "Look next"),
		commandsFor(model, finding),
	);
}
