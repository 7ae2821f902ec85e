// SPDX-License-Identifier: Apache-2.0
// Elements are made here and nowhere else, and text gets into them only as text.

const SVG = "http://www.w3.org/2000/svg";

function put(element, children) {
	for (const child of children.flat(Infinity)) {
		if (child === null || child === undefined || child === false) continue;
		element.append(child instanceof Node ? child : document.createTextNode(String(child)));
	}
	return element;
}

function set(element, properties) {
	for (const [key, value] of Object.entries(properties ?? {})) {
		if (value === null || value === undefined || value === false) continue;
		if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
		else if (key === "vars") for (const [name, v] of Object.entries(value)) element.style.setProperty(name, v);
		else element.setAttribute(key, value === true ? "" : String(value));
	}
	return element;
}

export function el(tag, properties, ...children) {
	return put(set(document.createElement(tag), properties), children);
}

export function svg(tag, properties, ...children) {
	return put(set(document.createElementNS(SVG, tag), properties), children);
}

export function refill(element, ...children) {
	element.replaceChildren();
	return put(element, children);
}

// What would not be seen, or would turn the text around it: controls, marks of direction, what has no width, lone surrogates.
const UNSEEN =
	/[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u2028-\u202f\u205f-\u206f\u3000\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]|\u{e0000}|[\u{e0001}-\u{e007f}]/gu;

const code = (character) => "U+" + character.codePointAt(0).toString(16).toUpperCase().padStart(4, "0");

// As plain text, for attributes and for where no element fits.
export function visible(text) {
	return String(text).replace(UNSEEN, (character) => `\u27e8${code(character)}\u27e9`);
}

// Text that came from the image: isolated, so that it turns nothing around it, with the unseen shown as what it is.
export function foreign(text, properties) {
	const element = el("bdi", { class: "foreign", ...properties });
	const string = String(text);
	let from = 0;
	for (const match of string.matchAll(UNSEEN)) {
		put(element, [string.slice(from, match.index)]);
		put(element, [el("span", { class: "unseen", title: "a character that cannot be seen" }, code(match[0]))]);
		from = match.index + match[0].length;
	}
	return put(element, [string.slice(from)]);
}
