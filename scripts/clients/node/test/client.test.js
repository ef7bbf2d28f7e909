// client.test.js - a daemon over TCP, a Unix socket and TLS, with users and without.
"use strict";

const assert = require("node:assert");
const { execFile } = require("node:child_process");
const fs = require("node:fs");
const path = require("node:path");
const { promisify } = require("node:util");
const errors = require("kvcached");
const { DEADLINE, namespace, rejection, test, until } = require("./support.js");

const { Kvcached } = errors;
const env = process.env;
const withCa = () => ({ tls: { ca: fs.readFileSync(env.KVCACHED_TLS_CA) } });
const asUser = () => ({ user: env.KVCACHED_USER, secret: env.KVCACHED_PASSWORD });

// What a connection is made with, by its name; null where the daemon has no such listener.
const WAYS = {
  TCP: () => [env.KVCACHED_ADDRESS, {}],
  "a Unix socket": () => [env.KVCACHED_SOCKET, {}],
  TLS: () => [env.KVCACHED_TLS_ADDRESS, withCa()],
  "TCP with a user": () => [env.KVCACHED_USERS_ADDRESS, asUser()],
  "TLS with a user": () => [env.KVCACHED_USERS_TLS_ADDRESS, { ...withCa(), ...asUser() }],
};
const TLS = { skip: env.KVCACHED_TLS_ADDRESS ? false : "the daemon was built without TLS" };

function connecting(context, address, options) {
  const client = new Kvcached(address, { timeout: DEADLINE, ...options });
  context.after(() => client.close());
  return client;
}

const plain = (context, options) => connecting(context, env.KVCACHED_ADDRESS, options);

async function arrayOf(items) {
  const all = [];
  for await (const item of items) {
    all.push(item);
  }
  return all;
}

for (const [way, made] of Object.entries(WAYS)) {
  const options = way.startsWith("TLS") ? TLS : {};

  test(`records over ${way}`, options, async (context) => {
    const client = connecting(context, ...made());
    const ns = namespace();
    assert.equal(await client.put(ns, "alice", "hello", { ttl: 60000 }), undefined);
    assert.deepEqual(await client.get(ns, "alice"), Buffer.from("hello"));
    assert.equal(await client.get(ns, "alice", "utf8"), "hello");
    assert.equal(await client.get(ns, "bob"), undefined);
    assert.equal(await client.add(ns, "alice", "other"), false);
    assert.equal(await client.add(ns, "bob", "other"), true);
    const left = await client.ttl(ns, "alice");
    assert.ok(left > 0 && left <= 60000, String(left));
    assert.equal(await client.touch(ns, "alice", { ttl: Infinity }), true);
    assert.equal(await client.ttl(ns, "alice"), Infinity);
    assert.equal(await client.touch(ns, "none"), false);
    assert.equal(await client.ttl(ns, "none"), undefined);
    assert.equal(await client.delete(ns, "alice"), true);
    assert.equal(await client.delete(ns, "alice"), false);
    assert.equal(await client.flush(ns), 1);
    assert.equal(await client.ping(), undefined);
    assert.match(await client.version(), /^kvcached \d+\.\d+\.\d+/);
  });

  test(`many records over ${way}`, options, async (context) => {
    const client = connecting(context, ...made());
    const ns = namespace();
    const records = new Map(Array.from({ length: 3000 }, (_, i) => [`key ${i}`, `value ${i}`]));
    await client.putMany(ns, records, { ttl: 60000 });
    const keys = [...records.keys(), "none"];
    assert.deepEqual(await client.getMany(ns, keys, "utf8"), [...records.values(), undefined]);
    assert.deepEqual((await arrayOf(client.list(ns))).sort(), [...records.keys()].sort());
    const all = await arrayOf(client.all(ns, "*", { encoding: "utf8" }));
    assert.deepEqual(all.sort(), [...records].sort());
    assert.equal((await arrayOf(client.list(ns, "key\\x202*"))).length, 1111);
    const gone = await client.deleteMany(ns, ["key 1", "none", "key 2"]);
    assert.deepEqual(gone, [true, false, true]);
    assert.equal((await client.stats(ns)).items, "2998");
    assert.equal(await client.flush(ns), 2998);
  });

  test(`a value of a million bytes over ${way}`, options, async (context) => {
    const client = connecting(context, ...made());
    const ns = namespace();
    const value = require("node:crypto").randomBytes(1000000);
    const [, small, large] = await Promise.all(
      [client.put(ns, "large", value), client.get(ns, "small"), client.get(ns, "large")]);
    assert.equal(small, undefined);
    assert.ok(value.equals(large));
    const refused = await rejection(client.put(ns, "large", Buffer.alloc(2000000)));
    assert.ok(refused instanceof errors.KvcachedClientError, String(refused));
    await client.ping();
  });
}

test("a record ends when its time is over, and not before", async (context) => {
  const client = plain(context);
  const ns = namespace();
  const began = performance.now();
  await client.put(ns, "short", "x", { ttl: 60.2 });
  await until("the record ended", async () => (await client.get(ns, "short")) === undefined);
  assert.ok(performance.now() - began >= 60, "it ended early");
  assert.equal(await client.ttl(ns, "short"), undefined);
});

test("numbers, beyond what a number holds too", async (context) => {
  const client = plain(context);
  const ns = namespace();
  assert.equal(await client.incr(ns, "hits"), undefined);
  assert.equal(await client.decr(ns, "hits", 1n), undefined);
  await client.put(ns, "hits", "7");
  assert.equal(await client.incr(ns, "hits"), 8);
  assert.equal(await client.incr(ns, "hits", 34), 42);
  assert.equal(await client.decr(ns, "hits", 2n), 40n);
  assert.equal(await client.decr(ns, "hits", 100), 0);
  assert.equal(await client.incr(ns, "hits", Number.MAX_SAFE_INTEGER), Number.MAX_SAFE_INTEGER);
  const error = await rejection(client.incr(ns, "hits"));
  assert.ok(error instanceof errors.KvcachedRangeError, String(error));
  assert.equal(error.value, 2n ** 53n);
  assert.equal(await client.incr(ns, "hits", 0n), 2n ** 53n);
});

test("keys and values of bytes come back as they went", async (context) => {
  const client = plain(context);
  const ns = namespace();
  const bytes = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
  await client.put(ns, bytes, bytes);
  await client.put(ns, "M\u00fcnchen \u20ac", new Uint16Array([1, 2]));
  assert.deepEqual(await client.get(ns, bytes), bytes);
  assert.deepEqual(await client.get(ns, Buffer.from("M\u00fcnchen \u20ac")), Buffer.from([1, 0, 2, 0]));
  assert.deepEqual(await arrayOf(client.list(ns, "M*")), ["M\u00fcnchen \u20ac"]);
  const found = await arrayOf(client.list(ns, "[^M]*", { keyEncoding: "buffer" }));
  assert.deepEqual(found, [bytes]);
});

test("requests of one key are executed in order", async (context) => {
  const client = plain(context, { connections: 5 });
  const ns = namespace();
  const done = [];
  for (let i = 0; i < 1000; i++) {
    done.push(client.put(ns, `k${i % 10}`, String(i)));
  }
  const last = Array.from({ length: 10 }, (_, i) => client.get(ns, Buffer.from(`k${i}`), "utf8"));
  assert.deepEqual(await Promise.all(last), Array.from({ length: 10 }, (_, i) => String(990 + i)));
  await Promise.all(done);
});

test("a listing is read slowly, with requests in between", async (context) => {
  const client = plain(context, { connections: 1 });
  const ns = namespace();
  const value = Buffer.alloc(5000, "v");
  await client.putMany(ns, Array.from({ length: 2000 }, (_, i) => [`k${i}`, value]));
  let count = 0;
  for await (const [key, found] of client.all(ns)) {
    assert.ok(found.equals(value));
    count += (await client.delete(ns, key)) ? 1 : 0;
  }
  assert.equal(count, 2000);
});

test("a listing is left early", async (context) => {
  const client = plain(context);
  const ns = namespace();
  const value = Buffer.alloc(10000, "v");
  await client.putMany(ns, Array.from({ length: 500 }, (_, i) => [`k${i}`, value]));
  for await (const [key] of client.all(ns)) {
    assert.match(key, /^k/);
    break;
  }
  assert.equal(await client.flush(ns), 500);
});

test("the figures of no namespace are undefined", async (context) => {
  const client = plain(context);
  assert.equal(await client.stats(namespace()), undefined);
  assert.match((await client.stats()).version, /^\d/);
});

test("a reader may read, and nothing else", async (context) => {
  const writer = connecting(context, ...WAYS["TCP with a user"]());
  const reader = connecting(context, env.KVCACHED_USERS_ADDRESS,
    { user: env.KVCACHED_READER, secret: env.KVCACHED_READER_PASSWORD });
  const ns = namespace();
  await writer.put(ns, "alice", "hello");
  assert.equal(await reader.get(ns, "alice", "utf8"), "hello");
  const refused = [reader.put(ns, "alice", "x"), reader.incr(ns, "alice"), reader.flush(ns),
    arrayOf(reader.list(ns))];
  for (const error of await Promise.all(refused.map(rejection))) {
    assert.ok(error instanceof errors.KvcachedClientError, String(error));
    assert.equal(error.code, "CLIENT_ERROR");
    assert.equal(error.outcomeUnknown, false);
  }
  assert.equal(await reader.get(ns, "alice", "utf8"), "hello");
});

test("a wrong secret is denied, and so is everything that waits for it", async (context) => {
  const client = connecting(context, env.KVCACHED_USERS_ADDRESS,
    { user: env.KVCACHED_USER, secret: "wrong", connections: 1 });
  const failed = await Promise.all([rejection(client.get("a", "b")), rejection(client.ping()),
    rejection(client.list("a").next())]);
  for (const error of failed) {
    assert.ok(error instanceof errors.KvcachedDeniedError, String(error));
    assert.equal(error.code, "DENIED");
  }
});

test("a certificate that nothing vouches for is refused", TLS, async (context) => {
  const client = connecting(context, env.KVCACHED_TLS_ADDRESS,
    { tls: true, retryDelay: 3600000, maxRetryDelay: 3600000 });
  const error = await rejection(client.put("a", "b", "c"));
  assert.ok(error instanceof errors.KvcachedConnectError, String(error));
  assert.equal(error.outcomeUnknown, false);
  assert.match(error.cause.code, /CERT|VERIFY/);
});

test("a client that does nothing does not keep its process", async () => {
  const script = `
    const { Kvcached } = require("kvcached");
    const client = new Kvcached(process.env.KVCACHED_ADDRESS);
    client.get("a", "b").then((value) => console.log("got", value));`;
  const { stdout } = await promisify(execFile)(process.execPath, ["-e", script],
    { cwd: path.dirname(__dirname), timeout: DEADLINE });
  assert.equal(stdout, "got undefined\n");
});

test("the secret is not shown when a client is", (context) => {
  const client = connecting(context, ...WAYS["TCP with a user"]());
  const shown = require("node:util").inspect(client, { depth: 9, showHidden: true });
  assert.ok(!shown.includes(env.KVCACHED_PASSWORD), shown);
});
