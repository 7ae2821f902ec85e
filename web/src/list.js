// SPDX-License-Identifier: Apache-2.0
// Moving through a list of buttons or rows by the arrow keys: one of them takes part in the order of Tab.

export function rove(container, selector) {
	const items = () => [...container.querySelectorAll(selector)];
	container.addEventListener("keydown", (event) => {
		if (event.ctrlKey || event.altKey || event.metaKey) return;
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
