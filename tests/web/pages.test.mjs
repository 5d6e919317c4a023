// The pages as people meet them, in a real Chromium, against a service of their own.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { after, before, test } from "node:test";

import { isAccessible, launch, open } from "./browser.mjs";
import { ROOT, start } from "./service.mjs";

const PICTURES = path.join(ROOT, "docs/pictures");
const LANDSCAPE = path.join(PICTURES, "landscape.jpg");
const EMOJI = path.join(PICTURES, "emoji.gif");
const NOTE = { name: "note.png", mimeType: "image/png", buffer: Buffer.from("hello") };

let service;
let browser;

before(async () => {
  service = await start();
  browser = await launch();
});

after(async () => {
  await browser?.close();
  await service?.stop();
});

const home = (options) => open(browser, `${service.origin}/`, options);

/** The card of this file on the page. */
const card = (page, name) => page.locator("#list .card", { has: page.locator("h3", { hasText: name }) });

/** Its thumbnail, once it is there. */
async function picture(page, name) {
  const image = card(page, name).locator("img.checked");
  await image.waitFor();
  await page.waitForFunction((node) => node.complete && node.naturalWidth > 0, await image.elementHandle());
  return image;
}

/** Red, green and blue of a pixel of a picture, each 0 to 255. */
const pixel = (image, x, y) =>
  image.evaluate((node, [x, y]) => {
    const canvas = new OffscreenCanvas(node.naturalWidth, node.naturalHeight);
    const context = canvas.getContext("2d");
    context.drawImage(node, 0, 0);
    return [...context.getImageData(x, y, 1, 1).data.slice(0, 3)];
  }, [x, y]);

test("an image becomes a thumbnail of its pixels", async () => {
  const { page, close } = await home();
  await page.setInputFiles("#files", LANDSCAPE);
  const image = await picture(page, "landscape.jpg");
  assert.deepEqual(await image.evaluate((node) => [node.naturalWidth, node.naturalHeight]), [100, 100]);
  const sky = await pixel(image, 5, 3);
  const hills = await pixel(image, 50, 97);
  assert.ok(sky[2] > sky[0] + 30, `the sky is blue: ${sky}`);
  assert.ok(Math.max(...hills) < 100, `the hills are dark: ${hills}`);
  await card(page, "landscape.jpg").getByText("100 × 100 PNG").waitFor();
  assert.match(await page.locator("#status").textContent(), /landscape\.jpg is ready/);
  await close();
});

test("options reach the thumbnail, and the line of curl says the same", async () => {
  const { page, close } = await home();
  await page.getByLabel("Width").fill("64");
  await page.getByLabel("Height").fill("32");
  await page.getByRole("radio", { name: "Contain" }).check();
  await page.getByRole("radio", { name: "WebP" }).check();
  assert.equal(
    await page.locator("#curl").textContent(),
    `curl -F image=@photo.jpg -F width=64 -F height=32 -F fit=contain -F format=webp ${service.origin}/jobs`,
  );
  await page.setInputFiles("#files", LANDSCAPE);
  const image = await picture(page, "landscape.jpg");
  assert.deepEqual(await image.evaluate((node) => [node.naturalWidth, node.naturalHeight]), [64, 32]);
  await card(page, "landscape.jpg").getByText("64 × 32 WEBP").waitFor();
  await close();
});

test("a preset makes an emoji within its bounds", async () => {
  const { page, close } = await home();
  await page.getByRole("radio", { name: "Slack" }).check();
  await page.setInputFiles("#files", EMOJI);
  await picture(page, "emoji.gif");
  await card(page, "emoji.gif").locator("strong", { hasText: "128 × 128 GIF" }).waitFor();
  const { jobs } = await (await page.request.get(`${service.origin}/jobs?limit=1`)).json();
  assert.equal(jobs[0].parameters.preset, "slack");
  assert.ok(jobs[0].result.bytes <= 128_000);
  await close();
});

test("a file that is no image says so, and leads to what to do", async () => {
  const { page, close } = await home();
  await page.setInputFiles("#files", NOTE);
  const failed = card(page, "note.png");
  await failed.getByText("Send one of these.").waitFor();
  await failed.getByRole("link", { name: "More" }).click();
  await page.getByRole("heading", { name: "Not an accepted kind of image" }).waitFor();
  await close();
});

test("several at once, dropped, are saved as one archive", async () => {
  const { page, close } = await home();
  const bytes = [...(await readFile(LANDSCAPE))];
  await page.evaluate((bytes) => {
    const dropped = new DataTransfer();
    for (const name of ["a.jpg", "a.jpg", "b.jpg", "c.jpg"]) dropped.items.add(new File([new Uint8Array(bytes)], name, { type: "image/jpeg" }));
    document.dispatchEvent(new DragEvent("drop", { dataTransfer: dropped, bubbles: true, cancelable: true }));
  }, bytes);
  await page.getByRole("button", { name: "Download all (4)" }).waitFor();
  const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "Download all" }).click()]);
  assert.equal(download.suggestedFilename(), "thumbnails.zip");
  const archive = await readFile(await download.path());
  assert.equal(archive.readUInt32LE(archive.length - 22), 0x06054b50, "the end of the directory");
  assert.equal(archive.readUInt16LE(archive.length - 12), 4, "four entries");
  const text = archive.toString("latin1");
  for (const name of ["a-100x100.png", "a-100x100-2.png", "b-100x100.png", "c-100x100.png"]) assert.ok(text.includes(name), name);
  await close();
});

test("jobs of before are there at the next visit", async () => {
  const first = await home();
  await first.page.setInputFiles("#files", LANDSCAPE);
  await picture(first.page, "landscape.jpg");
  await first.close();
  const { page, close } = await home();
  await page.locator("#earlier-list .card img.checked").first().waitFor();
  await close();
});

test("a job is deleted, by keyboard as well, and is gone for all", async () => {
  const { page, close } = await home();
  await page.setInputFiles("#files", LANDSCAPE);
  await picture(page, "landscape.jpg");
  const { jobs } = await (await page.request.get(`${service.origin}/jobs?limit=1`)).json();
  const button = page.getByRole("button", { name: "Delete landscape.jpg" });
  await button.focus();
  await page.keyboard.press("Enter");
  await card(page, "landscape.jpg").waitFor({ state: "detached" });
  await page.locator("#status", { hasText: "landscape.jpg is deleted." }).waitFor();
  for (const link of [jobs[0].links.self, jobs[0].links.thumbnail]) {
    assert.equal((await page.request.get(`${service.origin}${link}`)).status(), 404, link);
  }
  await close();
});

test("a job that failed is tried again, and says why where it can't be", async () => {
  const { page, close } = await home();
  // It decodes, and no thumbnail is as small as that.
  const refused = await page.request.post(`${service.origin}/jobs?max_bytes=1`, { data: await readFile(LANDSCAPE), headers: { "content-type": "image/jpeg" } });
  const job = await refused.json();
  await page.request.get(`${service.origin}${job.links.self}?wait=20`);
  await page.reload();
  const failed = page.locator("#earlier-list .card", { has: page.locator(".badge.failed") }).first();
  await failed.getByRole("button", { name: "Try again" }).click();
  await page.locator("#status", { hasText: "No thumbnail is as small" }).waitFor();
  assert.ok(await page.evaluate(() => document.activeElement.matches("#earlier-list .card")), "who works by keyboard stays there");
  await isAccessible(page);
  await close();
});

test("it all works by keyboard", async () => {
  const { page, close } = await home();
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement.textContent), "Skip to the thumbnails");
  for (let step = 0; step < 3; step += 1) await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement.id), "files", "behind the links at the top");
  await page.getByRole("radio", { name: "Cover" }).focus();
  await page.keyboard.press("ArrowRight");
  assert.ok(await page.getByRole("radio", { name: "Contain" }).isChecked());
  await page.setInputFiles("#files", LANDSCAPE);
  await picture(page, "landscape.jpg");
  await page.getByRole("link", { name: "Download the thumbnail of landscape.jpg" }).focus();
  await close();
});

for (const colorScheme of ["light", "dark"]) {
  for (const [device, viewport] of [["a desk", { width: 1280, height: 900 }], ["a phone", { width: 390, height: 844 }]]) {
    test(`nothing is in the way of people on ${device}, ${colorScheme}`, async () => {
      const { page, close } = await home({ colorScheme, viewport });
      await page.setInputFiles("#files", LANDSCAPE);
      await page.setInputFiles("#files", NOTE);
      await picture(page, "landscape.jpg");
      await card(page, "note.png").getByText("Failed", { exact: true }).waitFor();
      await page.getByText("More", { exact: true }).first().click();
      assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), "nothing is wider than the screen");
      await isAccessible(page);
      await close();
      for (const path of ["/docs", "/problems/image-over-limit"]) {
        const other = await open(browser, `${service.origin}${path}`, { colorScheme, viewport });
        if (path === "/docs") await other.page.locator("#createJob").waitFor();
        assert.ok(await other.page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${path} is not wider than the screen`);
        await isAccessible(other.page);
        await other.close();
      }
    });
  }
}

test("the page of the API sends a request and shows what comes back", async () => {
  const { page, close } = await open(browser, `${service.origin}/docs`);
  const list = page.locator("#listJobs");
  await list.getByText("Try it").click();
  await list.getByLabel("limit").fill("1");
  await list.getByRole("button", { name: "Send" }).click();
  await list.locator(".came-back").getByText('"jobs"').waitFor();
  const create = page.locator("#createJob");
  await create.getByText("Try it").click();
  await create.getByLabel("image").setInputFiles(LANDSCAPE);
  await create.getByLabel("width").fill("48");
  await create.getByRole("button", { name: "Send" }).click();
  await create.locator(".came-back").getByText('"width": 48').waitFor();
  await close();
});
