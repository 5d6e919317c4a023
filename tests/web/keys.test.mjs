// The pages where the service needs a key: asked for, kept for the tab, sent with each request, and nowhere else.

import assert from "node:assert/strict";
import path from "node:path";
import { after, before, test } from "node:test";

import { isAccessible, launch, open } from "./browser.mjs";
import { ROOT, newKey, start } from "./service.mjs";

const LANDSCAPE = path.join(ROOT, "docs/pictures/landscape.jpg");

const shop = newKey("shop");
const web = newKey("web");
let service;
let browser;

before(async () => {
  service = await start({ api_keys: `${shop.entry},${web.entry}` });
  browser = await launch();
});

after(async () => {
  await browser?.close();
  await service?.stop();
});

async function give(page, key) {
  await page.getByLabel("API key").fill(key);
  await page.getByRole("button", { name: "Use it" }).click();
}

/** What the form for the key says. */
const why = (page, text) => page.locator("#key-why", { hasText: text }).waitFor();

/** The one picture on the page, with its pixels. */
async function picture(page) {
  const image = page.locator("img.checked");
  await image.waitFor();
  await page.waitForFunction((node) => node.complete && node.naturalWidth > 0, await image.elementHandle());
  return image;
}

test("a key is asked for, and what it made is shown to it alone", async () => {
  const { page, close } = await open(browser, `${service.origin}/`);
  const addresses = [];
  page.on("request", (request) => addresses.push(request.url()));
  await why(page, "This service needs an API key.");
  await isAccessible(page);
  await give(page, "thumbs_wrong");
  await why(page, "What was sent is not one API key.");
  await isAccessible(page);
  await give(page, shop.key);
  await why(page, "Your key is kept until this tab is closed.");
  await page.setInputFiles("#files", LANDSCAPE);
  assert.match(await (await picture(page)).getAttribute("src"), /^blob:/);
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("link", { name: "Download the thumbnail of landscape.jpg" }).click(),
  ]);
  assert.equal(download.suggestedFilename(), "landscape-100x100.png");
  assert.match(await page.locator("#curl").textContent(), /Bearer \$THUMBS_KEY/);
  await isAccessible(page);
  // The tab has it still, and shows the job of before.
  await page.reload();
  await picture(page);
  // Another key comes upon other jobs: none.
  await give(page, web.key);
  await page.locator("#earlier").waitFor({ state: "hidden" });
  await page.getByRole("button", { name: "Forget it" }).click();
  await why(page, "This service needs an API key.");
  for (const secret of [shop.key, web.key]) {
    assert.ok(!addresses.some((address) => address.includes(secret)), "no address has the key");
  }
  await close();
});

test("the page of the API asks for a key as well", async () => {
  const { page, close } = await open(browser, `${service.origin}/docs`);
  const list = page.locator("#listJobs");
  await list.getByText("Try it").click();
  await list.getByRole("button", { name: "Send" }).click();
  await list.locator(".came-back").getByText('"key-needed"').waitFor();
  await give(page, shop.key);
  await list.getByRole("button", { name: "Send" }).click();
  await list.locator(".came-back").getByText('"jobs"').waitFor();
  await isAccessible(page);
  await close();
});
