// The browser of these tests: the system's Chromium, headless. What a page says on its console that is an error fails the test that caused it.

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { readFile } from "node:fs/promises";

import { chromium } from "playwright-core";

const PLACES = [process.env.CHROMIUM, "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

/** What a page does not do within this time it does not do. */
const PATIENCE_MS = 15_000;

export async function launch() {
  const executablePath = PLACES.find((place) => place && existsSync(place));
  assert.ok(executablePath, "no Chromium found: scripts/install-web-tests installs it, or set CHROMIUM to one");
  // Its own sandbox needs privileges that containers do not have; what it loads is ours.
  return chromium.launch({ executablePath, args: ["--no-sandbox"] });
}

/** A page at this address that collects what goes wrong on it. */
export async function open(browser, url, options = {}) {
  const context = await browser.newContext({ acceptDownloads: true, ...options });
  context.setDefaultTimeout(PATIENCE_MS);
  const page = await context.newPage();
  const mistakes = [];
  page.on("pageerror", (error) => mistakes.push(error.message));
  page.on("console", (message) => {
    // An answer that is an error, which a page may well ask for, is told by the page itself.
    if (message.type() === "error" && !message.text().startsWith("Failed to load resource")) mistakes.push(message.text());
  });
  page.on("request", (request) => {
    const { origin, protocol } = new URL(request.url());
    if (protocol !== "blob:" && origin !== new URL(url).origin) mistakes.push(`asks another origin: ${request.url()}`);
  });
  await page.goto(url);
  const close = async () => {
    assert.deepEqual(mistakes, []);
    await context.close();
  };
  return { page, close };
}

/** Runs axe-core on the page as it stands; nothing may be wrong. */
export async function isAccessible(page) {
  const source = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
  await page.evaluate(source);
  const { violations } = await page.evaluate(() => globalThis.axe.run());
  const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(" ")}`);
  assert.deepEqual(found, []);
}
