// A service of its own for a test: the binary and the components that were built, on a port that the system chose, with data in a temporary
// folder.

import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import readline from "node:readline";
import { fileURLToPath } from "node:url";

export const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** Starts it; `origin` is where it answers, `stop` ends it. */
export async function start() {
  const state = await mkdtemp(path.join(tmpdir(), "thumbs-web-"));
  const binary = path.join(ROOT, "target/release/thumbs");
  const cache = path.join(ROOT, "target/test-compile-cache");
  const arguments_ = ["up", "--listen", "127.0.0.1:0", "--state-dir", state, "--cache-dir", cache, "--log", "json"];
  const child = spawn(binary, arguments_, { cwd: ROOT, stdio: ["ignore", "ignore", "pipe"] });
  const ended = new Promise((resolve) => child.once("exit", resolve));
  const address = await new Promise((resolve, reject) => {
    const lines = [];
    child.once("error", reject);
    ended.then(() => reject(new Error(`the service does not start (were it and its components built? make build):\n${lines.join("\n")}`)));
    readline.createInterface(child.stderr).on("line", (line) => {
      lines.push(line);
      const event = line.startsWith("{") ? JSON.parse(line) : {};
      if (event.event === "started") resolve(event.address);
    });
  });
  const stop = async () => {
    child.kill("SIGTERM");
    await ended;
    await rm(state, { recursive: true });
  };
  return { origin: `http://${address}`, stop };
}
