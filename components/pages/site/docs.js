// The page of the API: reads /openapi.json of this service, shows it, and has requests sent from there.

import { element, prose } from "./dom.js";
import { takeKey } from "./key.js";
import { operationSection } from "./operation.js";

const METHODS = ["get", "post", "put", "patch", "delete"];

/** The operations in the order of the tags, each with its path. */
function operations(api) {
  const all = Object.entries(api.paths).flatMap(([path, item]) =>
    METHODS.filter((method) => item[method]).map((method) => ({ path, method: method.toUpperCase(), ...item[method] })));
  const rank = (operation) => api.tags.findIndex((tag) => tag.name === operation.tags[0]);
  const creates = (operation) => (operation.method === "POST" ? 0 : 1);
  return all.sort((a, b) => rank(a) - rank(b) || creates(a) - creates(b) || a.path.localeCompare(b.path));
}

function table(caption, head, rows) {
  return element("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": caption },
    element("table", {},
      element("thead", {}, element("tr", {}, ...head.map((cell) => element("th", { scope: "col" }, cell)))),
      element("tbody", {}, ...rows.map((cells) => element("tr", {}, ...cells.map((cell) => element("td", {}, ...[cell].flat())))))));
}

function section(id, title, about, ...content) {
  return element("section", { id, "aria-labelledby": `${id}-title` },
    element("h2", { id: `${id}-title` }, title), about && element("p", {}, ...prose(about)), ...content);
}

function presets(api) {
  const rows = api["x-presets"].map((preset) => [
    element("code", {}, preset.name), `${preset.width} × ${preset.height}`, preset.max_bytes.toLocaleString("en"),
    preset.max_frames ?? "any number", preset.meaning]);
  return section("presets", "Presets", "What the option `preset` sets; an option given beside it wins.",
    table("Presets", ["Preset", "Size", "Bytes at most", "Frames at most", "For"], rows));
}

function problems(api) {
  const rows = Object.entries(api.components.examples)
    .map(([code, example]) => ({ code, ...example.value }))
    .sort((a, b) => a.status - b.status || a.code.localeCompare(b.code))
    .map((problem) => [String(problem.status), element("a", { href: problem.type }, element("code", {}, problem.code)), prose(problem.detail)]);
  return section("problems", "Problems", "What a request is answered with that is not served: `application/problem+json` (RFC 9457).",
    table("Problems", ["Status", "Code", "What it means, and what to do"], rows));
}

function jobCodes(api) {
  const rows = api["x-job-codes"].map((row) => [
    element("a", { href: `/problems/${row.code}` }, element("code", {}, row.code)), row.tried_again ? "yes" : "no", `${row.meaning} ${row.remedy}`]);
  return section("failures", "Failed jobs", "The `error.code` of a job.",
    table("Codes of failed jobs", ["Code", "Tried again", "What happened, and what to do"], rows));
}

function limits(api) {
  const rows = Object.entries(api["x-limits"]).map(([name, value]) => [element("code", {}, name), value.toLocaleString("en")]);
  return section("limits", "Limits", "As the operator of this service set them.", table("Limits", ["Limit", "Value"], rows));
}

function contents(operations) {
  const link = (href, ...label) => element("li", {}, element("a", { href }, ...label));
  const verb = (method) => element("span", { class: `verb ${method.toLowerCase()}` }, method);
  return [
    element("ul", {}, ...operations.map((operation) => link(`#${operation.operationId}`, verb(operation.method), " ", operation.path))),
    element("ul", {}, link("#presets", "Presets"), link("#problems", "Problems"), link("#failures", "Failed jobs"), link("#limits", "Limits")),
  ];
}

async function show() {
  const place = document.getElementById("operations");
  try {
    const answer = await fetch("/openapi.json");
    if (!answer.ok) throw new Error(`/openapi.json answers ${answer.status}`);
    const api = await answer.json();
    const all = operations(api);
    document.getElementById("contents").replaceChildren(...contents(all));
    place.replaceChildren(
      element("p", { class: "lead" }, ...prose(api.info.description)),
      ...all.map((operation) => operationSection(operation, api)),
      presets(api), problems(api), jobCodes(api), limits(api));
    // What was asked for by the address was not there yet when the page came.
    document.getElementById(location.hash.slice(1))?.scrollIntoView();
  } catch (error) {
    place.replaceChildren(element("p", { class: "notice", role: "alert" }, `The document can't be read: ${error.message}. Load the page again.`));
  }
}

takeKey();
show();
