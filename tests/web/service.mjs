// A service of its own for a test: the binary and the components that were built, on a port that the system chose, with data in a temporary
// folder.

import { execFileSync, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import readline from "node:readline";
import { fileURLToPath } from "node:url";

export const ROOT = fileURLToPath(new URL("../..", import.meta.url));

const BINARY = path.join(ROOT, "target/release/thumbs");

/** A key for this name, and its entry of the variable `api_keys`. */
export function newKey(name) {
  const made = execFileSync(BINARY, ["key", "new", name], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  const [, key, entry] = /^key +(\S+)\nentry +(\S+)\n$/.exec(made);
  return { key, entry };
}

/** Starts it with these variables; `origin` is where it answers, `stop` ends it. */
export async function start(variables = {}) {
  const state = await mkdtemp(path.join(tmpdir(), "thumbs-web-"));
  const cache = path.join(ROOT, "target/test-compile-cache");
  const arguments_ = ["up", "--listen", "127.0.0.1:0", "--state-dir", state, "--cache-dir", cache, "--log", "json"];
  const set = Object.entries(variables).map(([name, value]) => [`SPIN_VARIABLE_${name.toUpperCase()}`, value]);
  const env = { ...process.env, ...Object.fromEntries(set) };
  const child = spawn(BINARY, arguments_, { cwd: ROOT, env, stdio: ["ignore", "ignore", "pipe"] });
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
