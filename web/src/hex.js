// SPDX-License-Identifier: Apache-2.0
// Bytes as they stand in the image, with the field that the evidence reads and the fields beside it. Each mark has a letter, so that
// no colour is needed to tell them apart.
import { el } from "./dom.js";

const WIDTH = 16;

const MEMORY = {
	kernel: "kernel memory",
	process: "memory of the process",
	physical: "physical memory",
};

// [{value: "4f"} or {why: "..."}] for every byte.
function bytesOf(runs) {
	return runs.flatMap((run) =>
		run.hex === undefined
			? Array.from({ length: run.absent }, () => ({ why: run.why }))
			: run.hex.match(/../g).map((value) => ({ value })),
	);
}

const bitsText = (mark) => (mark.bits === undefined ? "" : mark.bits === 1 ? `:${mark.bit}` : `:${mark.bit}\u2013${mark.bit + mark.bits - 1}`);

// Bit fields of one word become one mark, and what overlaps the evidence's own field is named with it.
function marksOf(window) {
	const marks = [{ ...window.self, self: true, names: [window.self.name + bitsText(window.self)] }];
	const ordered = [...window.fields].sort((a, b) => a.at - b.at || b.size - a.size || (a.bit ?? 0) - (b.bit ?? 0));
	for (const field of ordered) {
		if (field.size === 0) continue;
		const same = marks.find((mark) => mark.at < field.at + field.size && field.at < mark.at + mark.size);
		if (same) same.names.push(field.name + bitsText(field));
		else marks.push({ ...field, names: [field.name + bitsText(field)] });
	}
	marks.sort((a, b) => a.at - b.at);
	marks.forEach((mark, i) => (mark.letter = String.fromCharCode(97 + (i % 26))));
	return marks;
}

function printable(byte) {
	if (byte.value === undefined) return " ";
	const code = parseInt(byte.value, 16);
	return code >= 0x20 && code < 0x7f ? String.fromCharCode(code) : "\u00b7";
}

function byteCell(byte, mark, at) {
	const first = mark && (at === mark.at || at % WIDTH === 0 || (at === 0 && mark.at < 0));
	const last = mark && (at === mark.at + mark.size - 1 || at % WIDTH === WIDTH - 1);
	const cls = ["byte", byte.value === undefined && "absent", mark && "marked", mark?.self && "self", first && "first", last && "last"];
	return el(
		"td",
		{ class: cls.filter(Boolean).join(" "), "data-letter": first ? mark.letter : null, title: mark ? mark.names[0] : byte.why ?? null },
		byte.value ?? "\u2013\u2013",
	);
}

function rowsOf(start, bytes, marks) {
	const rows = [];
	for (let from = 0; from < bytes.length; from += WIDTH) {
		const part = bytes.slice(from, from + WIDTH);
		const cells = part.map((byte, i) => {
			const at = from + i;
			return byteCell(byte, marks.find((mark) => at >= mark.at && at < mark.at + mark.size), at);
		});
		const address = "0x" + (start + BigInt(from)).toString(16);
		rows.push(el("tr", {}, el("th", { scope: "row" }, address), cells, el("td", { class: "text" }, part.map(printable).join(""))));
	}
	return rows;
}

// Of one word there may be many bit fields.
function othersOf(mark) {
	const others = mark.names.slice(1);
	if (others.length === 0) return null;
	const few = others.slice(0, 5).join(", ");
	return el("small", {}, ` and, in the same bytes, ${others.length > 5 ? `${few}, ${others.length - 5} more` : few};`);
}

function keyOf(marks, start, bytes) {
	return el(
		"ul",
		{ class: "hex-key", "aria-label": "fields in these bytes" },
		marks
			.filter((mark) => mark.at < bytes.length && mark.at + mark.size > 0)
			.map((mark) => {
				const where = "0x" + (start + BigInt(mark.at)).toString(16);
				return el(
					"li",
					{ class: mark.self ? "self" : null },
					el("b", {}, mark.letter),
					" ",
					el("span", {}, mark.names[0]),
					othersOf(mark),
					el("small", {}, ` ${mark.size} byte${mark.size === 1 ? "" : "s"} at ${where}${mark.self ? ", what the evidence reads" : ""}`),
				);
			}),
	);
}

export function hexView(window) {
	const start = BigInt(window.start);
	const bytes = bytesOf(window.runs);
	const marks = marksOf(window);
	const reasons = [...new Set(bytes.filter((byte) => byte.why).map((byte) => byte.why))];
	const gone = bytes.find((byte, at) => byte.why && at >= window.self.at && at < window.self.at + window.self.size);
	const shown = window.self.shows
		? "The value stands here as it was read."
		: gone
			? "The bytes themselves are not in the image."
			: "The value is worked out of what stands here.";
	return el(
		"div",
		{ class: "hex" },
		el(
			"div",
			{ class: "hex-scroll", tabindex: "0", role: "region", "aria-label": `bytes at ${window.start}` },
			el(
				"table",
				{},
				el("caption", {}, `${MEMORY[window.memory]}. ${shown}`),
				el("tbody", {}, rowsOf(start, bytes, marks)),
			),
		),
		keyOf(marks, start, bytes),
		reasons.length ? el("p", { class: "absent-why" }, `Absent: ${reasons.slice(0, 3).join("; ")}.`) : null,
	);
}
