// SPDX-License-Identifier: Apache-2.0
import { el, refill } from "./dom.js";
import { Matrix } from "./matrix.js";
import { filterProcesses, makeModel } from "./model.js";

const model = makeModel(JSON.parse(document.getElementById("data").textContent));
const filter = { text: "", state: "", session: null, witness: null, findingsOnly: false, order: "accused" };
const status = el("p", { role: "status", class: "status" });
const matrix = new Matrix(model, { select() {}, say: (text) => refill(status, text), filterBy() {}, order() {} });
document.getElementById("app").append(matrix.element, status);
matrix.show(filterProcesses(model, filter), filter.order);
