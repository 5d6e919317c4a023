// The form of options: what of it goes with an upload, and the same as a line of curl.

import { hasKey } from "./key.js";
import { shellWord } from "./text.js";

const HINTS = {
  cover: "Fills the box and cuts what is over.",
  contain: "The whole image, with space beside it.",
  fill: "Stretches to the box.",
};

/** What the service takes where nothing is said: not sent, so that a preset may say otherwise. */
const DEFAULTS = { fit: "cover", gravity: "center" };

/** Follows the form, and calls back whenever it changes. */
export function followOptions(form, onChange) {
  const update = () => {
    const fit = new FormData(form).get("fit");
    const preset = new FormData(form).get("preset");
    form.querySelector("#fit-hint").textContent = HINTS[fit] ?? "";
    // Only what is cut has a part to keep.
    form.querySelector("#gravity-set").hidden = fit !== "cover";
    for (const side of ["width", "height"]) form.elements[side].placeholder = preset ? "128" : "100";
    onChange(chosen(form));
  };
  form.addEventListener("input", update);
  form.addEventListener("reset", () => setTimeout(update));
  form.addEventListener("submit", (event) => event.preventDefault());
  update();
}

/** Pairs of names and values that differ from the defaults. */
export function chosen(form) {
  const pairs = [...new FormData(form)].map(([name, value]) => [name, value.trim()]);
  const isCover = pairs.some(([name, value]) => name === "fit" && value === "cover");
  return pairs.filter(([name, value]) => value && value !== DEFAULTS[name] && (name !== "gravity" || isCover));
}

/** The upload as a line of curl. */
export function curlLine(options, file = "photo.jpg") {
  const parts = [["image", `@${file}`], ...options].map(([name, value]) => `-F ${shellWord(`${name}=${value}`)}`);
  // Not the key itself: lines that are copied get into histories and messages.
  const key = hasKey() ? "-H \"Authorization: Bearer $THUMBS_KEY\" " : "";
  return `curl ${key}${parts.join(" ")} ${location.origin}/jobs`;
}
