// session.test.js - the session store by itself, and below express-session and express.
"use strict";

const assert = require("node:assert");
const http = require("node:http");
const { Kvcached } = require("kvcached");
const { DEADLINE, namespace, rejection, serving, test, until } = require("./support.js");

function optional(name) {
  try {
    return require(name);
  } catch (error) {
    if (error.code !== "MODULE_NOT_FOUND") {
      throw error;
    }
    return null;
  }
}

const express = optional("express");
const session = optional("express-session");
const NEEDED = { skip: express === null || session === null
  ? "express and express-session are not there; scripts/setup check brings them" : false };
const { KvcachedStore } = session === null ? {} : require("kvcached/express-session");

function storing(context, options = {}, address = process.env.KVCACHED_ADDRESS) {
  const client = new Kvcached(address, { timeout: DEADLINE });
  context.after(() => client.close());
  const store = new KvcachedStore({ client, namespace: namespace(), ...options });
  return { client, store, ns: options.namespace };
}

// What express-session gives a store.
function sessionOf(cookie, data) {
  return { ...data, cookie: new session.Cookie(cookie) };
}

function calling(store, method, ...words) {
  return new Promise((resolve, reject) => {
    store[method](...words, (error, result) => (error ? reject(error) : resolve(result)));
  });
}

test("a session is stored, read, renewed and destroyed", NEEDED, async (context) => {
  const ns = namespace();
  const { client, store } = storing(context, { namespace: ns });
  assert.equal(await calling(store, "get", "s1"), null);
  await calling(store, "set", "s1", sessionOf({ maxAge: 60000 }, { user: "alice" }));
  const found = await calling(store, "get", "s1");
  assert.equal(found.user, "alice");
  assert.equal(found.cookie.originalMaxAge, 60000);
  const left = await client.ttl(ns, "s1");
  assert.ok(left > 50000 && left <= 60000, String(left));
  await calling(store, "touch", "s1", sessionOf({ maxAge: 3600000 }));
  assert.ok(await client.ttl(ns, "s1") > 3500000);
  assert.equal((await calling(store, "get", "s1")).user, "alice");
  await calling(store, "destroy", "s1");
  assert.equal(await calling(store, "get", "s1"), null);
  await calling(store, "destroy", "s1");
  await calling(store, "touch", "s1", sessionOf({ maxAge: 60000 }));
  assert.equal(await client.get(ns, "s1"), undefined);
});

test("without a callback there is a promise", NEEDED, async (context) => {
  const { store } = storing(context);
  await store.set("s1", sessionOf({ maxAge: 60000 }, { user: "alice" }));
  assert.equal((await store.get("s1")).user, "alice");
  await store.touch("s1", sessionOf({ maxAge: 60000 }));
  assert.equal(await store.length(), 1);
  assert.deepEqual((await store.all()).map(({ id, user }) => [id, user]), [["s1", "alice"]]);
  await store.destroy("s1");
  await store.clear();
  assert.equal(await store.length(), 0);
});

test("the time to live is the cookie's", NEEDED, async (context) => {
  const ns = namespace();
  const { client, store } = storing(context, { namespace: ns, ttl: 5000000 });
  const between = async (id, least, most) => {
    const left = await client.ttl(ns, id);
    assert.ok(left > least && left <= most, `${id}: ${left}`);
  };
  await store.set("maxAge", sessionOf({ maxAge: 700000 }));
  await between("maxAge", 600000, 700000);
  await store.set("expires", sessionOf({ expires: new Date(Date.now() + 800000) }));
  await between("expires", 700000, 800000);
  await store.set("text", { cookie: { expires: new Date(Date.now() + 900000).toISOString() } });
  await between("text", 800000, 900000);
  await store.set("browser's", sessionOf({}));
  await between("browser's", 4900000, 5000000);
  await store.set("no cookie", {});
  await between("no cookie", 4900000, 5000000);
});

test("a session whose time is over is not kept", NEEDED, async (context) => {
  const { store } = storing(context);
  for (const over of [{ maxAge: -1 }, { expires: new Date(0) }, { maxAge: 0 }]) {
    await store.set("s1", sessionOf({ maxAge: 60000 }, { user: "alice" }));
    await store.set("s1", sessionOf(over, { user: "alice" }));
    assert.equal(await store.get("s1"), null);
    await store.set("s1", sessionOf({ maxAge: 60000 }, { user: "alice" }));
    await store.touch("s1", sessionOf(over, { user: "alice" }));
    assert.equal(await store.get("s1"), null);
  }
  await store.set("s1", sessionOf({ maxAge: 50 }, { user: "alice" }));
  await until("the session ended", async () => (await store.get("s1")) === null);
});

test("all, length and clear are about one namespace", NEEDED, async (context) => {
  const one = storing(context);
  const other = storing(context);
  for (let i = 0; i < 100; i++) {
    await one.store.set(`s ${i}`, sessionOf({ maxAge: 60000 }, { i }));
  }
  await other.store.set("s 1", sessionOf({ maxAge: 60000 }, { user: "other" }));
  assert.equal(await calling(one.store, "length"), 100);
  const all = await calling(one.store, "all");
  assert.deepEqual(all.map(({ id }) => id).sort(), Array.from({ length: 100 }, (_, i) => `s ${i}`).sort());
  assert.ok(all.every(({ id, i }) => id === `s ${i}`));
  await calling(one.store, "clear");
  assert.equal(await calling(one.store, "length"), 0);
  assert.deepEqual(await calling(one.store, "all"), []);
  assert.equal(await calling(other.store, "length"), 1);
  assert.equal((await calling(other.store, "get", "s 1")).user, "other");
});

test("another serializer", NEEDED, async (context) => {
  const ns = namespace();
  const serializer = {
    stringify: (value) => Buffer.from(JSON.stringify(value)).toString("base64"),
    parse: (text) => JSON.parse(Buffer.from(text, "base64").toString()),
  };
  const { client, store } = storing(context, { namespace: ns, serializer });
  await store.set("s1", sessionOf({ maxAge: 60000 }, { user: "alice" }));
  assert.match(await client.get(ns, "s1", "latin1"), /^[A-Za-z0-9+/=]+$/);
  assert.equal((await store.get("s1")).user, "alice");
});

test("errors go to the callback", NEEDED, async (context) => {
  const server = await serving(context, (peer) =>
    peer.socket.on("data", () => peer.socket.write("SERVER_ERROR out of memory\r\n")));
  const { store } = storing(context, {}, server.address);
  const words = { get: ["s1"], set: ["s1", sessionOf({})], destroy: ["s1"],
    touch: ["s1", sessionOf({})], all: [], length: [], clear: [] };
  for (const [method, given] of Object.entries(words)) {
    assert.equal((await rejection(calling(store, method, ...given))).code, "SERVER_ERROR", method);
  }
});

test("a record that is no session is an error, and not a session", NEEDED, async (context) => {
  const ns = namespace();
  const { client, store } = storing(context, { namespace: ns });
  await client.put(ns, "s1", "{");
  assert.ok((await rejection(calling(store, "get", "s1"))) instanceof SyntaxError);
});

test("options that make no sense are refused", NEEDED, (context) => {
  const { client } = storing(context);
  for (const options of [undefined, {}, { client: {} }, { client, ttl: 0 }, { client, ttl: "1" },
    { client, prefix: "x" }]) {
    assert.throws(() => new KvcachedStore(options), { code: "ARGUMENT" });
  }
});

// --- below express -------------------------------------------------------------------------------

// Each is like a process of its own.
async function starting(context, ns, cookie) {
  const { store } = storing(context, { namespace: ns });
  const app = express();
  app.use(session({ secret: "a test's", resave: false, saveUninitialized: false, cookie, store }));
  app.get("/login", (request, reply) => {
    request.session.user = "alice";
    request.session.visits = 0;
    reply.json({});
  });
  app.get("/", (request, reply) => {
    if (request.session.user) {
      request.session.visits++;
    }
    reply.json({ user: request.session.user, visits: request.session.visits });
  });
  app.get("/look", (request, reply) => reply.json({ user: request.session.user }));
  app.get("/renew", (request, reply) => request.session.regenerate(() => {
    request.session.user = "renewed";
    reply.json({});
  }));
  app.get("/logout", (request, reply) => request.session.destroy(() => reply.json({})));
  const server = http.createServer(app);
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  context.after(() => new Promise((resolve) => server.close(resolve)));
  return { port: server.address().port, store };
}

function visit({ port }, path, cookie) {
  return new Promise((resolve, reject) => {
    const headers = { connection: "close", ...(cookie ? { cookie } : {}) };
    http.get({ host: "127.0.0.1", port, path, headers }, (reply) => {
      let text = "";
      reply.on("data", (part) => { text += part; });
      reply.on("end", () => (reply.statusCode === 200
        ? resolve({ ...JSON.parse(text), cookie: reply.headers["set-cookie"]?.[0].split(";")[0] })
        : reject(new Error(text))));
    }).on("error", reject);
  });
}

test("express: sessions of two processes", NEEDED, async (context) => {
  const ns = namespace();
  const one = await starting(context, ns, { maxAge: 100000 });
  const other = await starting(context, ns, { maxAge: 100000 });
  assert.equal((await visit(one, "/")).user, undefined);
  assert.equal(await one.store.length(), 0);
  const { cookie } = await visit(one, "/login");
  assert.equal((await visit(one, "/", cookie)).visits, 1);
  assert.equal((await visit(other, "/", cookie)).visits, 2);
  assert.equal((await visit(one, "/", cookie)).user, "alice");
  const many = await Promise.all(Array.from({ length: 50 }, () => visit(one, "/login")));
  assert.equal(new Set(many.map((each) => each.cookie)).size, 50);
  assert.equal(await other.store.length(), 51);
  const renewed = (await visit(one, "/renew", cookie)).cookie;
  assert.equal((await visit(other, "/", cookie)).user, undefined);
  assert.equal((await visit(other, "/", renewed)).user, "renewed");
  await visit(one, "/logout", renewed);
  assert.equal((await visit(other, "/", renewed)).user, undefined);
  assert.equal(await one.store.length(), 50);
});

test("express: a session that is looked at is renewed, and ends when it is left", NEEDED, async (context) => {
  const ns = namespace();
  const one = await starting(context, ns, { maxAge: 100000 });
  const { cookie } = await visit(one, "/login");
  const client = new Kvcached(process.env.KVCACHED_ADDRESS);
  context.after(() => client.close());
  const [id] = [await client.list(ns).next()].map(({ value }) => value);
  await client.touch(ns, id, { ttl: 50000 });
  assert.equal((await visit(one, "/look", cookie)).user, "alice");
  assert.ok(await client.ttl(ns, id) > 50000);
  await client.touch(ns, id, { ttl: 20 });
  await until("the record ended", async () => (await client.get(ns, id)) === undefined);
  assert.equal((await visit(one, "/look", cookie)).user, undefined);
});
