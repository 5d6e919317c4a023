// The service as this page uses it: uploads with progress, jobs, thumbnails.

import { keyHeaders, keyNeeded } from "./key.js";

/** What a request was answered with instead of what was asked for. */
export class Problem extends Error {
  /** @param {{ title?: string, detail?: string, type?: string, code?: string, status?: number }} document */
  constructor(document) {
    super(document.detail ?? document.title ?? "The service did not say why.");
    this.code = document.code;
    this.href = document.type?.startsWith("/problems/") ? document.type : null;
    // What may pass by itself; an answer that never came as well.
    this.passes = !document.status || document.status === 429 || document.status >= 500;
  }
}

/** What an answer says that is not the one that was asked for. */
function problem(status, text) {
  const told = new Problem({ status, title: `The service answered ${status}.`, ...parsed(text) });
  if (status === 401) keyNeeded(told.message);
  return told;
}

const UNREACHABLE = { detail: "The service can't be reached. Check the connection and try again." };

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}

/** `POST /jobs`; tells how much of the file is sent, from 0 to 1. */
export function upload(file, options, key, onProgress) {
  return new Promise((resolve, reject) => {
    const form = new FormData();
    for (const [name, value] of options) form.set(name, value);
    form.set("image", file);
    const request = new XMLHttpRequest();
    request.open("POST", "/jobs");
    request.setRequestHeader("Idempotency-Key", key);
    for (const [name, value] of Object.entries(keyHeaders())) request.setRequestHeader(name, value);
    request.upload.addEventListener("progress", (event) => event.lengthComputable && onProgress(event.loaded / event.total));
    request.addEventListener("load", () => {
      if (request.status >= 200 && request.status < 300) resolve(parsed(request.responseText));
      else reject(problem(request.status, request.responseText));
    });
    request.addEventListener("error", () => reject(new Problem(UNREACHABLE)));
    request.send(form);
  });
}

async function ask(path, init) {
  let answer;
  try {
    answer = await fetch(path, { ...init, headers: keyHeaders() });
  } catch {
    throw new Problem(UNREACHABLE);
  }
  const text = await answer.text();
  if (!answer.ok) throw problem(answer.status, text);
  return parsed(text);
}

/** `GET` of a path that answers JSON. */
export const read = (path) => ask(path);

/** `POST /jobs/{id}/retry`, where the service has it. */
export const retry = (job) => ask(`${job.links.self}/retry`, { method: "POST" });

/** `DELETE /jobs/{id}`, where the service has it. */
export const remove = (job) => ask(job.links.self, { method: "DELETE" });

/** The job once it is done: held by the service at first, then asked for now and then. */
export async function finished(job) {
  let current = job;
  for (let round = 0; current.status === "processing"; round += 1) {
    const isHeld = round < 3;
    if (!isHeld) await new Promise((resolve) => setTimeout(resolve, 2000));
    try {
      current = await read(isHeld ? `${job.links.self}?wait=10` : job.links.self);
    } catch (problem) {
      if (!problem.passes || round > 100) throw problem;
      await new Promise((resolve) => setTimeout(resolve, 2000));
    }
  }
  return current;
}

/** The bytes of a thumbnail. */
export async function thumbnail(job) {
  const answer = await fetch(job.links.thumbnail, { headers: keyHeaders() });
  if (!answer.ok) throw problem(answer.status, await answer.text());
  return answer.blob();
}
