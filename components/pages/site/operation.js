// One operation of the API: what it takes and answers, and a form that sends a request.

import { copy, element, prose, save } from "./dom.js";
import { keyHeaders, keyNeeded } from "./key.js";
import { bytes } from "./text.js";

/** What values a schema takes, in a few words. */
function takes(schema) {
  if (schema.enum) return schema.enum.join(", ");
  if (schema.type === "integer" && schema.maximum) return `${schema.minimum} to ${schema.maximum}`;
  if (schema.type === "integer") return `from ${schema.minimum}`;
  if (schema.type === "boolean") return "true, false";
  return schema.pattern ?? "text";
}

function parameterTable(parameters) {
  const row = (parameter) => element("tr", {},
    element("th", { scope: "row" }, element("code", {}, parameter.name), element("small", {}, parameter.in, parameter.required ? ", needed" : "")),
    element("td", {}, takes(parameter.schema)),
    element("td", {}, String(parameter.schema.default ?? "")),
    element("td", {}, ...prose(parameter.description)));
  return element("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": "Parameters" },
    element("table", {},
      element("thead", {}, element("tr", {}, ...["Parameter", "Values", "Default", "What it does"].map((head) => element("th", { scope: "col" }, head)))),
      element("tbody", {}, ...parameters.map(row))));
}

function answers(operation, api) {
  const entries = Object.entries(operation.responses).sort(([a], [b]) => a.localeCompare(b));
  return entries.map(([status, response]) => {
    const examples = Object.values(response.content ?? {}).flatMap((content) => Object.entries(content.examples ?? {}));
    const shown = examples.map(([name, example]) => {
      const value = example.$ref ? api.components.examples[name].value : example.value;
      return [element("h5", {}, name), element("pre", { tabindex: "0" }, JSON.stringify(value, null, 2))];
    });
    return element("details", { class: "answer" },
      element("summary", {}, element("span", { class: `status s${status[0]}` }, status), " ", ...prose(response.description.split("\n\n")[0]),
        response.description.includes("\n\n") && " …"),
      ...response.description.split("\n\n").slice(1).map((more) => element("p", {}, ...prose(more))),
      ...shown.flat());
  });
}

function field(operation, parameter) {
  const id = `${operation.operationId}-${parameter.name}`;
  const { schema } = parameter;
  const words = schema.enum ?? (schema.type === "boolean" ? ["true", "false"] : null);
  const common = { id, name: parameter.name, "data-in": parameter.in, required: parameter.required };
  const input = words
    ? element("select", common, element("option", { value: "" }, ""), ...words.map((word) => element("option", { value: word }, word)))
    : element("input", { ...common, placeholder: parameter.example ?? "", inputmode: schema.type === "integer" ? "numeric" : null, autocomplete: "off" });
  return element("div", { class: "field" }, element("label", { for: id }, parameter.name), input);
}

/** The request that the form asks for. */
function request(operation, form) {
  const headers = keyHeaders();
  const query = new URLSearchParams();
  let path = operation.path;
  for (const input of form.querySelectorAll("[data-in]")) {
    const { value, name } = input;
    if (input.dataset.in === "path") path = path.replace(`{${name}}`, encodeURIComponent(value));
    else if (value && input.dataset.in === "query") query.set(name, value);
    else if (value) headers[name] = value;
  }
  const file = form.querySelector("input[type=file]")?.files[0];
  let body;
  if (file) {
    body = new FormData();
    body.set("image", file);
  }
  return { url: query.size ? `${path}?${query}` : path, options: { method: operation.method, headers, body } };
}

async function showAnswer(place, url, options) {
  const begin = performance.now();
  const answer = await fetch(url, options);
  const blob = await answer.blob();
  const type = answer.headers.get("content-type") ?? "";
  if (answer.status === 401) keyNeeded("This operation needs an API key.");
  const took = Math.round(performance.now() - begin);
  const head = element("p", {}, element("span", { class: `status s${String(answer.status)[0]}` }, String(answer.status)),
    ` ${type || "no body"}, ${bytes(blob.size)} in ${took} ms`);
  const headers = element("details", {}, element("summary", {}, "Headers"),
    element("pre", { tabindex: "0" }, [...answer.headers].map(([name, value]) => `${name}: ${value}`).join("\n")));
  let body = null;
  if (type.startsWith("image/")) {
    body = element("img", { src: URL.createObjectURL(blob), alt: "The thumbnail that came back", class: "checked" });
  } else if (blob.size > 100_000) {
    body = element("button", { type: "button", class: "quiet-button", click: () => save(blob, "answer.txt") }, "Save the body");
  } else if (blob.size) {
    const text = await blob.text();
    body = element("pre", { tabindex: "0" }, type.includes("json") ? JSON.stringify(JSON.parse(text), null, 2) : text);
  }
  place.replaceChildren(head, headers, ...[body].filter(Boolean));
}

function tryOut(operation) {
  const answer = element("div", { class: "came-back", role: "status" });
  const file = operation.requestBody && element("div", { class: "field wide" },
    element("label", { for: `${operation.operationId}-image` }, "image"),
    element("input", { id: `${operation.operationId}-image`, type: "file", accept: "image/*", required: true }));
  const form = element("form", {
    submit: async (event) => {
      event.preventDefault();
      const { url, options } = request(operation, form);
      try {
        await showAnswer(answer, url, options);
      } catch (error) {
        answer.replaceChildren(element("p", { class: "notice" }, `No answer came: ${error.message}.`));
      }
    },
  },
    file,
    element("div", { class: "fields" }, ...operation.parameters.map((parameter) => field(operation, parameter))),
    element("button", { type: "submit" }, "Send"));
  return element("details", { class: "try" }, element("summary", {}, "Try it"), form, answer);
}

/** The section of one operation. */
export function operationSection(operation, api) {
  const id = operation.operationId;
  const line = operation["x-curl"].replaceAll("{origin}", location.origin);
  const button = element("button", { type: "button", class: "quiet-button", click: () => copy(button, line) }, "Copy");
  return element("section", { id, class: "operation", "aria-labelledby": `${id}-title` },
    element("h2", { id: `${id}-title` }, element("span", { class: `verb ${operation.method.toLowerCase()}` }, operation.method), " ",
      element("code", {}, operation.path)),
    element("p", {}, ...prose(operation.summary)),
    operation.requestBody && element("p", {}, ...prose(operation.requestBody.description)),
    element("div", { class: "line" }, element("pre", { tabindex: "0", role: "group", "aria-label": "By curl" }, line), button),
    element("h3", {}, "Parameters"), parameterTable(operation.parameters),
    element("h3", {}, "Answers"), ...answers(operation, api),
    tryOut(operation));
}
