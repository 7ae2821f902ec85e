// SPDX-License-Identifier: Apache-2.0
// Long lists: put into the document piece by piece, and gone through by the arrow keys.
import { refill } from "./dom.js";

const AT_ONCE = 300; // more than is in sight

// Fills containers with what `make` makes of items: what is in sight at once, the rest piece by piece while nothing else is to be done,
// so that a key that is pressed meanwhile is heard.
export class Filling {
	#left = []; // {container, items, make}
	#timer = 0;

	// What was still to come of an earlier list is dropped.
	start() {
		this.#left = [];
	}

	add(container, items, make) {
		refill(container, items.slice(0, AT_ONCE).map(make));
		if (items.length > AT_ONCE) this.#left.push({ container, items: items.slice(AT_ONCE), make });
		this.#later();
	}

	#later() {
		clearTimeout(this.#timer);
		if (this.#left.length) this.#timer = setTimeout(() => this.#next(AT_ONCE));
	}

	#next(most) {
		const { container, items, make } = this.#left[0];
		container.append(...items.splice(0, most).map(make));
		if (items.length === 0) this.#left.shift();
		this.#later();
	}

	// All that is to come, now: for paper, and for a jump to the end.
	finish() {
		while (this.#left.length) this.#next(Infinity);
	}
}

// Moving through a list of buttons or rows: one of them takes part in the order of Tab. `finish` is called before a jump to the end.
export function rove(container, selector, finish = () => {}) {
	const items = () => [...container.querySelectorAll(selector)];
	container.addEventListener("keydown", (event) => {
		if (event.ctrlKey || event.altKey || event.metaKey) return;
		if (event.key === "End") finish();
		const all = items();
		const at = all.indexOf(document.activeElement);
		if (at < 0) return;
		const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: all.length - 1 }[event.key];
		if (to === undefined || !all[to]) return;
		event.preventDefault();
		all[at].tabIndex = -1;
		all[to].tabIndex = 0;
		all[to].focus();
	});
	return () => items().forEach((item, i) => (item.tabIndex = i === 0 ? 0 : -1));
}
