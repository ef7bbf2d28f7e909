// package.test.js - what is published: its files, its two kinds of module, its types.
"use strict";

const assert = require("node:assert");
const { execFile, execFileSync } = require("node:child_process");
const fs = require("node:fs");
const path = require("node:path");
const { promisify } = require("node:util");
const { test } = require("./support.js");

const run = promisify(execFile);
const root = path.join(__dirname, "..", "node_modules", "kvcached");
const described = require("kvcached/package.json");

function without(command, ...words) {
  try {
    execFileSync(command, words, { stdio: "ignore" });
    return false;
  } catch {
    return `${command} is not there`;
  }
}

const modules = path.join(__dirname, "..", "node_modules");
// Why a test is skipped that needs packages of npm, or false.
function absent(...names) {
  const name = names.find((each) => !fs.existsSync(path.join(modules, each)));
  return name !== undefined && `npm's ${name} is not there; scripts/setup check brings it`;
}

// TypeScript is npm's, or else the system's.
const tsc = path.join(modules, "typescript", "bin", "tsc");
const [compiler, ...compilerWords] = fs.existsSync(tsc) ? [process.execPath, tsc] : ["tsc"];
const WITHOUT_TYPES = absent("@types/node", "@types/express", "@types/express-session") ||
  without(compiler, ...compilerWords, "--version");

test("import and require give the same", { skip: absent("express-session") }, async () => {
  const required = { ...require("kvcached"), ...require("kvcached/express-session") };
  const imported = { ...await import("kvcached"), ...await import("kvcached/express-session") };
  assert.deepEqual(Object.keys(imported).sort(), Object.keys(required).sort());
  for (const [name, value] of Object.entries(required)) {
    assert.equal(imported[name], value, name);
  }
});

test("what is not exported is not reached", () => {
  assert.throws(() => require("kvcached/lib/client.js"), { code: "ERR_PACKAGE_PATH_NOT_EXPORTED" });
});

test("without express-session the client works by itself", async () => {
  const script = `
    require("node:module")._load = ((load) => (name, ...rest) => {
      if (name === "express-session") throw new Error("it was asked for");
      return load(name, ...rest);
    })(require("node:module")._load);
    const { Kvcached } = require("kvcached");
    new Kvcached(process.env.KVCACHED_ADDRESS).ping().then(() => console.log("ok"));`;
  const { stdout } = await run(process.execPath, ["-e", script], { cwd: path.dirname(__dirname) });
  assert.equal(stdout, "ok\n");
});

test("package.json names what there is, and nothing that it depends on", () => {
  assert.equal(described.name, "kvcached");
  assert.match(described.version, /^\d+\.\d+\.\d+$/);
  assert.equal(described.dependencies, undefined);
  assert.equal(described.engines.node, ">=18");
  const files = Object.values(described.exports).flatMap((kinds) => (typeof kinds === "string"
    ? [kinds] : Object.values(kinds).flatMap((kind) => Object.values(kind))));
  assert.ok(files.length >= 9);
  for (const file of files) {
    assert.ok(fs.statSync(path.join(root, file)).size > 0, file);
  }
});

test("npm packs what is installed here", { skip: without("npm", "--version") }, async (context) => {
  const cache = fs.mkdtempSync(path.join(__dirname, "..", "npm-"));
  context.after(() => fs.rmSync(cache, { recursive: true }));
  const { stdout } = await run("npm", ["pack", "--dry-run", "--json", "--offline"],
    { cwd: root, env: { ...process.env, npm_config_cache: cache, npm_config_update_notifier: "false" } });
  const packed = JSON.parse(stdout)[0].files.map((file) => file.path).sort();
  const here = fs.readdirSync(root, { withFileTypes: true }).flatMap((entry) =>
    (entry.isDirectory() ? fs.readdirSync(path.join(root, entry.name)).map((name) =>
      `${entry.name}/${name}`) : [entry.name])).sort();
  assert.deepEqual(packed, here);
});

test("programs in TypeScript", { skip: WITHOUT_TYPES }, async () => {
  const { stdout } = await run(compiler, [...compilerWords, "-p", path.join(__dirname, "types")])
    .catch((error) => error);
  assert.equal(stdout, "");
});

// What a class has at run time is what its declaration has.
test("the types name every method", () => {
  const text = fs.readFileSync(path.join(root, "index.d.ts"), "utf8");
  const { Kvcached } = require("kvcached");
  const body = /export class Kvcached \{([\s\S]*?)\n\}/.exec(text)[1];
  const declared = new Set(Array.from(body.matchAll(/^  (\w+)\(/gm), ([, name]) => name));
  assert.deepEqual([...declared].sort(), Object.getOwnPropertyNames(Kvcached.prototype).sort());
  const classes = Array.from(text.matchAll(/^export class (\w+)/gm), ([, name]) => name);
  assert.deepEqual(classes.sort(), Object.keys(require("kvcached")).sort());
});
