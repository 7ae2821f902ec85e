// SPDX-License-Identifier: Apache-2.0
// How long a report keeps its reader waiting; for the test of the page and for bench/page.mjs.

const WORDS = ["w", "wo", "worker", "worker 19", "", "zombie", ""];
const JUMPS = 60;

// Before a page is opened: notes when its first rows were painted.
export async function watch(page) {
	await page.addInitScript(() => {
		const look = () => {
			if (document.querySelector(".matrix .row.process")) requestAnimationFrame(() => setTimeout(() => (window.firstRows = performance.now())));
			else requestAnimationFrame(look);
		};
		look();
	});
}

// Milliseconds: to the first rows; then the worst from an input to the next picture: of the filter over the matrix and over the tree, of the
// first sight of the tree, of an order of the rows, of a jump to other rows, and half of the jumps took no longer than `jump`.
export async function measure(page) {
	await page.waitForFunction(() => window.firstRows);
	return page.evaluate(
		async ({ words, jumps }) => {
			const until = async (act) => {
				const start = performance.now();
				act();
				await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
				return performance.now() - start;
			};
			const show = (id) => until(() => document.getElementById(`tab-${id}`).click());
			const search = document.getElementById("search");
			const filter = async () => {
				let worst = 0;
				for (const text of words) {
					const took = await until(() => {
						search.value = text;
						search.dispatchEvent(new Event("input"));
					});
					worst = Math.max(worst, took);
				}
				return worst;
			};
			const result = { first: window.firstRows, filter: await filter(), order: 0 };
			for (const head of document.querySelectorAll(".heads .lead button")) result.order = Math.max(result.order, await until(() => head.click()));
			const matrix = document.querySelector(".matrix");
			const times = [];
			for (let i = 1; i <= jumps; i++) times.push(await until(() => (matrix.scrollTop = (matrix.scrollHeight / jumps) * i)));
			times.sort((a, b) => a - b);
			result.jump = times[jumps >> 1];
			result.worstJump = times[jumps - 1];
			matrix.scrollTop = 0;
			result.tree = await show("tree");
			result.treeFilter = await filter();
			await show("matrix");
			return result;
		},
		{ words: WORDS, jumps: JUMPS },
	);
}
