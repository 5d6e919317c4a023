// The key of who uses the page, where the service needs one: kept for this tab alone, sent with each request, never in an address.

const PLACE = "thumbs-key";
const EVENT = "key-needed";

/** Whether a key is there. */
export const hasKey = () => sessionStorage.getItem(PLACE) !== null;

/** What a request shows of it. */
export function keyHeaders() {
  const key = sessionStorage.getItem(PLACE);
  return key === null ? {} : { Authorization: `Bearer ${key}` };
}

/** Tells the page that an answer asked for a key, or for another one. */
export function keyNeeded(why) {
  document.dispatchEvent(new CustomEvent(EVENT, { detail: why }));
}

/** Has the form of the page, which is hidden until a key is needed, take one; `onChange` is called with each other key. */
export function takeKey(onChange = () => {}) {
  const form = document.getElementById("key");
  const field = form.elements.key;
  const show = () => {
    form.hidden = form.hidden && !hasKey();
    form.querySelector("#forget-key").hidden = !hasKey();
  };
  document.addEventListener(EVENT, (event) => {
    form.hidden = false;
    form.querySelector("#key-why").textContent = event.detail;
    field.setAttribute("aria-invalid", String(hasKey()));
    show();
  });
  const changed = () => {
    field.value = "";
    field.removeAttribute("aria-invalid");
    form.querySelector("#key-why").textContent = hasKey() ? "Your key is kept until this tab is closed." : "Your key is forgotten.";
    show();
    onChange();
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    sessionStorage.setItem(PLACE, field.value.trim());
    changed();
  });
  form.querySelector("#forget-key").addEventListener("click", () => {
    sessionStorage.removeItem(PLACE);
    changed();
  });
  if (hasKey()) form.querySelector("#key-why").textContent = "Your key is kept until this tab is closed.";
  show();
}
