// The web page: from files that are dropped, pasted or chosen to thumbnails.

import { Problem, finished, read, remove, retry, thumbnail, upload } from "./api.js";
import { Card, fileName } from "./card.js";
import { copy, save } from "./dom.js";
import { takeKey } from "./key.js";
import { chosen, curlLine, followOptions } from "./options.js";
import { bytes, mebibytes } from "./text.js";
import { distinct, zip } from "./zip.js";

/** Files at work at a time: a browser gives a service six connections, and pictures need some. */
const AT_A_TIME = 3;

/** How many earlier jobs come at first, and with each "more". */
const PAGE = 12;

const at = (id) => document.getElementById(id);
const form = at("options");
const list = at("list");

/** Cards of this visit that have a thumbnail, oldest first. */
const made = [];
const waiting = [];
let atWork = 0;

/** What of the service this page may use beyond uploads, from the document of its API. */
const service = { maxUploadBytes: Infinity, canRetry: false, canRemove: false };

function say(text) {
  at("status").textContent = text;
}

function show(card) {
  at("empty").hidden = true;
  list.prepend(card.node);
}

function counted() {
  at("save-all").hidden = made.length < 2;
  at("save-all").textContent = `Download all (${made.length})`;
}

async function removeCard(card) {
  try {
    if (card.job) await remove(card.job);
  } catch (problem) {
    card.failed(problem);
    say(`${card.name} could not be deleted: ${problem.message}`);
    return;
  }
  const index = made.indexOf(card);
  if (index >= 0) made.splice(index, 1);
  // Who works by keyboard goes on beside what is gone.
  (card.node.nextElementSibling ?? card.node.previousElementSibling)?.querySelector("a, button")?.focus();
  card.remove();
  counted();
  say(`${card.name} is deleted.`);
}

/** One file from here to its thumbnail. */
async function make(task) {
  const { card, file, options, key } = task;
  try {
    if (file.size > service.maxUploadBytes) {
      throw new Problem({ status: 413, type: "/problems/upload-too-large", detail: `This file has ${bytes(file.size)}; ${mebibytes(service.maxUploadBytes)} is the most. Send a smaller one.` });
    }
    card.uploading(0);
    const accepted = await upload(file, options, key, (part) => (part < 1 ? card.uploading(part) : card.making()));
    card.making(accepted);
    const job = await finished(accepted);
    offer(card);
    over(card, job);
  } catch (problem) {
    // The same key: where the upload did arrive, it becomes no second job.
    card.onRetry = problem.passes ? () => enqueue(task) : undefined;
    card.failed(problem);
    say(`${card.name} failed: ${problem.message}`);
  }
  counted();
}

/** What people may do with the job of a card once it is over. */
function offer(card) {
  card.onRemove = service.canRemove ? () => removeCard(card) : undefined;
  card.onRetry = service.canRetry ? () => again(card) : undefined;
}

function over(card, job) {
  card.done(job);
  const isMade = job.status === "succeeded";
  if (isMade && card.isNamed) made.push(card);
  say(isMade ? `The thumbnail of ${card.name} is ready.` : `${card.name} failed: ${job.error?.message}`);
}

/** A failed job once more, by the service. */
async function again(card) {
  try {
    const job = await retry(card.job);
    card.making(job);
    // The button is gone, and who works by keyboard is to stay at the card.
    card.node.tabIndex = -1;
    card.node.focus();
    say(`${card.name} is tried again.`);
    over(card, await finished(job));
  } catch (problem) {
    card.failed(problem);
    say(`${card.name} can't be tried again: ${problem.message}`);
  }
  counted();
}

async function work() {
  if (atWork >= AT_A_TIME) return;
  atWork += 1;
  for (let task = waiting.shift(); task; task = waiting.shift()) await make(task);
  atWork -= 1;
}

function enqueue(task) {
  task.card.waiting();
  waiting.push(task);
  work();
}

function take(files) {
  const images = [...files];
  if (!images.length || !form.reportValidity()) return;
  const options = chosen(form);
  for (const file of images) {
    const name = file.name || "pasted image";
    const preview = file.type.startsWith("image/") && file.size < 20e6 ? URL.createObjectURL(file) : null;
    const card = new Card({ name, preview });
    card.isNamed = true;
    show(card);
    enqueue({ card, file, options, key: crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}` });
  }
  // On a narrow screen they are below the options.
  if (matchMedia("(max-width: 60rem)").matches) at("list-title").scrollIntoView();
  say(images.length === 1 ? `${images[0].name || "The image"} is sent.` : `${images.length} images are sent.`);
}

function takeInput() {
  at("files").addEventListener("change", (event) => {
    take(event.target.files);
    // The same file may be chosen again, with other options.
    event.target.value = "";
  });
  document.addEventListener("paste", (event) => take(event.clipboardData?.files ?? []));
  const hasFiles = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
  document.addEventListener("dragover", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    at("veil").hidden = false;
  });
  document.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) at("veil").hidden = true;
  });
  document.addEventListener("drop", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    at("veil").hidden = true;
    take(event.dataTransfer.files);
  });
}

async function saveAll() {
  const button = at("save-all");
  button.disabled = true;
  try {
    const names = distinct(made.map((card) => fileName(card.job, card.name)));
    const files = [];
    for (const [index, card] of made.entries()) {
      files.push({ name: names[index], bytes: new Uint8Array(await (await thumbnail(card.job)).arrayBuffer()) });
    }
    save(zip(files), "thumbnails.zip");
    say(`${files.length} thumbnails are saved.`);
  } catch (problem) {
    say(`The thumbnails could not be saved: ${problem.message}`);
  }
  button.disabled = false;
}

/** A page of jobs that were there before this visit. */
async function earlier(path) {
  const page = await read(path);
  await learned;
  for (const job of page.jobs) {
    const card = Card.ofJob(job, offer);
    at("earlier-list").append(card.node);
    if (job.status === "processing") finished(job).then((done) => card.done(done), (problem) => card.failed(problem));
  }
  at("earlier").hidden = !at("earlier-list").childElementCount;
  at("more").hidden = !page.links.next;
  at("more").onclick = () => earlier(page.links.next).catch((problem) => say(problem.message));
}

async function learn() {
  const api = await read("/openapi.json");
  service.maxUploadBytes = api["x-limits"].max_upload_bytes;
  service.canRemove = Boolean(api.paths["/jobs/{id}"]?.delete);
  service.canRetry = Boolean(api.paths["/jobs/{id}/retry"]?.post);
  at("limit").textContent = `, up to ${mebibytes(service.maxUploadBytes)} each`;
  for (const side of ["width", "height"]) at(side).max = api["x-limits"].max_output_side;
}

/** The jobs of before, from the newest on: those that the key sees, where there is one. */
function showEarlier() {
  at("earlier-list").replaceChildren();
  at("earlier").hidden = true;
  earlier(`/jobs?limit=${PAGE}`).catch((problem) => {
    // That a key is needed the form for it says.
    if (problem.code !== "key-needed") say(problem.message);
  });
}

let line = "";
function showLine() {
  line = curlLine(chosen(form));
  at("curl").textContent = line;
}

followOptions(form, showLine);
at("copy-curl").addEventListener("click", (event) => copy(event.currentTarget, line));
at("save-all").addEventListener("click", saveAll);
takeInput();
// The page works without what this tells.
const learned = learn().catch(() => {});
takeKey(() => {
  showLine();
  showEarlier();
});
showEarlier();
