// One thumbnail on the page, from the file that is chosen to the picture that is made.

import { thumbnail } from "./api.js";
import { element } from "./dom.js";
import { hasKey } from "./key.js";
import { bytes, extension, format, millis, moment, stem } from "./text.js";

const WARNINGS = {
  "truncated": "the file ends early",
  "animation-dropped": "first frame only",
  "profile-ignored": "colour profile ignored",
  "enlarged": "enlarged",
};

const CONCESSIONS = {
  quality: (value) => `quality down to ${value}`,
  colours: (value) => `${value} colours`,
  frames: (value) => `${value} frames`,
  width: (value) => `${value} pixels wide`,
};

/** The name under which a thumbnail is saved. */
export function fileName(job, name) {
  return `${stem(name ?? job.job_id)}-${job.result.width}x${job.result.height}.${extension(job.result.content_type)}`;
}

function facts(job) {
  const { result, source, cost } = job;
  const frames = result.frames > 1 ? `, ${result.frames} frames` : "";
  return [
    element("p", { class: "facts" }, element("strong", {}, `${result.width} × ${result.height} ${format(result.content_type)}, ${bytes(result.bytes)}`), frames),
    element("p", { class: "facts" }, `from ${source.width} × ${source.height} ${format(source.content_type)}, ${bytes(source.bytes)}`),
    job.cached ? element("p", { class: "facts" }, "made before, and given out again") : cost && element("p", { class: "facts" }, `${millis(cost.total_ms)}, ${bytes(cost.peak_memory_bytes)} of memory`),
  ];
}

function tags(result) {
  const words = [
    ...result.warnings.map((warning) => WARNINGS[warning] ?? warning),
    ...result.concessions.map(({ kind, value }) => CONCESSIONS[kind]?.(value) ?? `${kind} ${value}`),
  ];
  return words.length ? element("ul", { class: "tags", "aria-label": "To know of it" }, ...words.map((word) => element("li", {}, word))) : null;
}

/** A card: an element of the list, and what it shows at each step. */
export class Card {
  /**
   * @param {{ name: string, preview?: string, onRetry?: () => void, onRemove?: () => void }} about
   */
  constructor({ name, preview, onRetry, onRemove }) {
    this.name = name;
    this.preview = preview;
    this.onRetry = onRetry;
    this.onRemove = onRemove;
    this.stage = element("div", { class: "stage" });
    this.words = element("div", { class: "words" });
    this.node = element("li", { class: "card" }, this.stage, this.words);
    this.job = null;
  }

  /** @param {(Node | null | false)[]} content */
  #show(badge, content, picture) {
    this.stage.replaceChildren(...[picture ?? this.#previewed(), badge].filter(Boolean));
    this.words.replaceChildren(element("h3", { title: this.name }, this.name), ...content.filter(Boolean));
  }

  #previewed() {
    return this.preview ? element("img", { class: "preview", src: this.preview, alt: "" }) : null;
  }

  waiting() {
    this.#show(element("span", { class: "badge" }, "Waiting"), []);
  }

  /** `part` from 0 to 1. */
  uploading(part) {
    if (this.bar && part < 1) {
      this.bar.value = part;
      return;
    }
    this.bar = element("progress", { max: 1, value: part, "aria-label": `Uploading ${this.name}` });
    this.#show(element("span", { class: "badge" }, "Uploading"), [this.bar]);
  }

  making(job) {
    this.bar = null;
    const why = job?.error ? element("p", { class: "facts" }, `Tried again: ${job.error.message}`) : null;
    this.#show(element("span", { class: "badge" }, "Making"), [element("progress", { "aria-label": `Making the thumbnail of ${this.name}` }), why]);
  }

  /** A job that is over. */
  done(job) {
    this.job = job;
    if (job.status === "failed") {
      this.failed({ message: job.error?.message ?? "The job failed.", href: job.error && `/problems/${job.error.code}` });
      return;
    }
    // A picture and a link can show no key: with one, they are given a copy of the bytes.
    const place = hasKey() ? null : job.links.thumbnail;
    const picture = element("img", {
      class: "checked", src: place, alt: `Thumbnail of ${this.name}`, width: job.result.width, height: job.result.height, loading: "lazy",
    });
    const download = element("a", { class: "button quiet-button", href: place, download: fileName(job, this.isNamed ? this.name : null) }, "Download",
      element("span", { class: "unseen" }, ` the thumbnail of ${this.name}`));
    this.#show(null, [...facts(job), tags(job.result), element("div", { class: "actions" }, download, this.#removal())], picture);
    this.#release();
    if (place) return;
    thumbnail(job).then((blob) => {
      this.copy = URL.createObjectURL(blob);
      picture.src = this.copy;
      download.href = this.copy;
    }, (problem) => this.failed(problem));
  }

  /** @param {{ message: string, href?: string | null }} problem */
  failed({ message, href }) {
    this.bar = null;
    this.#show(element("span", { class: "badge failed" }, "Failed"), [
      element("p", { class: "why" }, message, " ", href && element("a", { href }, "More")),
      element("div", { class: "actions" },
        this.onRetry && element("button", { type: "button", class: "quiet-button", click: this.onRetry }, "Try again",
          element("span", { class: "unseen" }, `: ${this.name}`)),
        this.#removal()),
    ]);
  }

  #removal() {
    return this.onRemove && element("button", { type: "button", class: "quiet-button", click: this.onRemove }, "Delete",
      element("span", { class: "unseen" }, ` ${this.name}`));
  }

  #release() {
    if (this.preview) URL.revokeObjectURL(this.preview);
    this.preview = null;
  }

  /** Takes it off the page. */
  remove() {
    if (this.copy) URL.revokeObjectURL(this.copy);
    this.node.remove();
  }

  /** The card of a job that was there before the page was; `offer` says what people may do with it. */
  static ofJob(job, offer) {
    const card = new Card({ name: `${format(job.source.content_type)}, ${moment(job.created_at)}` });
    card.isNamed = false;
    offer(card);
    if (job.status === "processing") card.making(job);
    else card.done(job);
    return card;
  }
}
