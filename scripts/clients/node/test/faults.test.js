// faults.test.js - servers that close, are silent, tell half or too much; aborts, times and ends.
"use strict";

const assert = require("node:assert");
const { once } = require("node:events");
const { Worker } = require("node:worker_threads");
const errors = require("kvcached");
const { DEADLINE, SHORT, Server, lines, rejection, serving, test, until } = require("./support.js");

const { Kvcached } = errors;

const NO_RETRY = { retryDelay: 3600000, maxRetryDelay: 3600000 };

// A client of one connection, which is closed when the test ends.
function connecting(context, address, options = {}) {
  const client = new Kvcached(address, { connections: 1, timeout: DEADLINE, ...options });
  context.after(() => client.destroy());
  return client;
}

function isKind(error, Kind, code, outcomeUnknown) {
  assert.ok(error instanceof Kind && error instanceof errors.KvcachedError, String(error));
  assert.equal(error.name, Kind.name);
  assert.equal(error.code, code);
  assert.equal(error.outcomeUnknown, outcomeUnknown, String(error));
}

const isTimeout = (error, unknown) => isKind(error, errors.KvcachedTimeoutError, "TIMEOUT", unknown);
const isClosed = (error, unknown) => isKind(error, errors.KvcachedClosedError, "CLOSED", unknown);
const isUnconnected = (error) => isKind(error, errors.KvcachedConnectError, "CONNECT", false);

// Answers each line that comes with reply(line, peer); null: not at all.
function answering(reply) {
  return (peer) => {
    let answered = 0;
    peer.socket.on("data", () => {
      const all = peer.received.toString("latin1").split("\r\n");
      for (; answered < all.length - 1; answered++) {
        const text = reply(all[answered], peer);
        if (text !== null) {
          peer.socket.write(text);
        }
      }
    });
  };
}

const missing = answering(() => "NOT_FOUND\r\n");

// A port on which nothing listens.
async function freePort() {
  const server = await new Server(() => {}).listen();
  await server.close();
  return server.port;
}

// Waits until a request fails because there is no connection; why.
async function unconnected(client) {
  const error = await until("a request fails", () => client.get("a", "b", { timeout: 20 })
    .then(() => null, (reason) => (reason.code === "CONNECT" ? reason : null)));
  isUnconnected(error);
  return error;
}

// --- time ----------------------------------------------------------------------------------------

test("silence ends a request and its connection", async (context) => {
  const server = await serving(context, () => {});
  const client = connecting(context, server.address,
    { timeout: SHORT, retryDelay: 1, maxRetryDelay: 1 });
  isTimeout(await rejection(client.put("a", "b", "c")), true);
  await until("the connection is closed", () => server.peers[0].isClosed);
  isTimeout(await rejection(client.get("a", "b")), false);
});

test("half a reply is silence too", async (context) => {
  const server = await serving(context, answering(() => "VALUE 5\r\nhel"));
  const client = connecting(context, server.address, { repeatReads: false });
  isTimeout(await rejection(client.get("a", "b", { timeout: SHORT })), false);
  await until("the connection is closed", () => server.peers[0].isClosed);
});

test("a value that is only announced takes no memory", async (context) => {
  const server = await serving(context, answering(() => "VALUE 999999999999999\r\nhello"));
  const client = connecting(context, server.address);
  isTimeout(await rejection(client.get("a", "b", { timeout: SHORT })), false);
});

test("behind a request whose time is over, reads are sent again and writes are not", async (context) => {
  const server = await serving(context, answering((line, peer) =>
    peer === server.peers[0] ? null : "NOT_FOUND\r\n"));
  const client = connecting(context, server.address);
  const [late, write, read] = await Promise.all([rejection(client.get("a", "late", { timeout: SHORT })),
    rejection(client.delete("a", "write")), client.get("a", "read")]);
  isTimeout(late, false);
  isClosed(write, true);
  assert.match(write.message, /not known whether the request was executed/);
  assert.equal(read, undefined);
  assert.equal(server.peers[1].received.toString(), "GET a read\r\n");
});

// A server on a thread of its own. What it is asked, but for the version, it answers while the test
// reads nothing. Words of memory: [0] the reply is on the way, [1] it may be, [2] a request came.
const THREAD = String.raw`
  const { parentPort, workerData: flags } = require("node:worker_threads");
  const tell = (flag) => { Atomics.store(flags, flag, 1); Atomics.notify(flags, flag); };
  const server = require("node:net").createServer((socket) => socket.on("data", (line) => {
    if (String(line) === "VERSION\r\n") {
      socket.write("VERSION kvcached 1\r\n");
      return;
    }
    tell(2);
    Atomics.wait(flags, 1, 0);
    socket.write(String(line) === "PING\r\n" ? "PONG\r\n" : "KEY a\r\nEND\r\n", () => tell(0));
  })).listen(0, "127.0.0.1", () => parentPort.postMessage(server.address().port));`;

for (const [what, ask] of Object.entries({
  request: (client) => client.ping({ timeout: SHORT }),
  listing: (client) => client.list("a", "*", { timeout: SHORT }).next(),
})) {
  test(`a ${what} has its reply where that came in time and is read late`, async (context) => {
    const flags = new Int32Array(new SharedArrayBuffer(12));
    const worker = new Worker(THREAD, { eval: true, workerData: flags });
    context.after(() => worker.terminate());
    const [port] = await once(worker, "message");
    const client = connecting(context, `127.0.0.1:${port}`);
    await client.version();
    const began = performance.now();
    const result = ask(client);
    await until("it came", () => Atomics.load(flags, 2) === 1);
    Atomics.store(flags, 1, 1);
    Atomics.notify(flags, 1);
    Atomics.wait(flags, 0, 0);
    while (performance.now() < began + 2 * SHORT);
    await result;
  });
}

test("a handshake that is not answered ends, and nothing was sent", async (context) => {
  const server = await serving(context, () => {});
  const client = connecting(context, server.address, { tls: true, connectTimeout: SHORT, ...NO_RETRY });
  isUnconnected(await rejection(client.put("a", "b", "c")));
  await until("the connection is closed", () => server.peers[0].isClosed);
});

test("a listing ends when the server is silent", async (context) => {
  const server = await serving(context, answering(() => "KEY a\r\nKEY b\r\nKEY"));
  const client = connecting(context, server.address, { timeout: SHORT });
  const keys = client.list("a");
  assert.equal((await keys.next()).value, "a");
  assert.equal((await keys.next()).value, "b");
  isTimeout(await rejection(keys.next()), false);
  await until("the connection is closed", () => server.peers[0].isClosed);
});

// --- lost connections ----------------------------------------------------------------------------

test("a read whose reply was lost is sent again, once", async (context) => {
  const server = await serving(context, answering((line, peer) => {
    if (line === "PING") {
      return "PONG\r\n";
    }
    peer.socket.end();
    return null;
  }));
  const client = connecting(context, server.address);
  await client.ping();
  isClosed(await rejection(client.get("a", "b")), false);
  const received = server.peers.map((peer) => peer.received.toString());
  assert.deepEqual(received, ["PING\r\nGET a b\r\n", "GET a b\r\n"]);
});

test("a write whose reply was lost is never sent again", async (context) => {
  const server = await serving(context, answering((line, peer) => {
    peer.socket.end();
    return null;
  }));
  const client = connecting(context, server.address, { retryDelay: 1, maxRetryDelay: 1 });
  const writes = [client.put("a", "b", "c"), client.incr("a", "n"), client.delete("a", "b"),
    client.touch("a", "b"), client.add("a", "b", "c"), client.flush("a")];
  for (const error of await Promise.all(writes.map(rejection))) {
    isClosed(error, true);
  }
  assert.equal(server.peers.length, 1);
});

test("a client goes on when the server has come back", async (context) => {
  const first = await new Server(missing).listen();
  const client = connecting(context, first.address);
  assert.equal(await client.get("a", "b"), undefined);
  await first.close();
  const error = await unconnected(client);
  assert.equal(error.cause.code, "ECONNREFUSED");
  const second = await new Server(missing).listen(first.port);
  context.after(() => second.close());
  await until("requests succeed", () => client.get("a", "b").then(() => true, () => false));
});

test("a request waits for a server that comes within its time", async (context) => {
  const port = await freePort();
  const client = connecting(context, `127.0.0.1:${port}`,
    { retryDelay: 10, maxRetryDelay: 20 });
  const write = client.put("a", "b", "c");
  await unconnected(client);
  const server = await new Server(answering((line) => (line === "c" ? "STORED\r\n" : null)))
    .listen(port);
  context.after(() => server.close());
  await write;
});

test("attempts pause, and requests fail at once meanwhile", async (context) => {
  const server = await serving(context, (peer) => peer.socket.destroy());
  const client = connecting(context, server.address, NO_RETRY);
  for (let i = 0; i < 100; i++) {
    await rejection(client.get("a", "b"));
    isUnconnected(await rejection(client.put("a", "b", "c")));
  }
  assert.equal(server.peers.length, 1);
});

test("too many connections: what the server says is the reason", async (context) => {
  const server = await serving(context, (peer) =>
    peer.socket.end("SERVER_ERROR too many connections\r\n"));
  const client = connecting(context, server.address, NO_RETRY);
  await rejection(client.ping());
  const error = await rejection(client.ping());
  assert.match(String(error), /too many connections/);
});

test("a reply without a request closes the connection", async (context) => {
  const server = await serving(context, answering((line, peer) =>
    (peer === server.peers[0] ? "NOT_FOUND\r\nVALUE 1\r\nx\r\n" : "NOT_FOUND\r\n")));
  const client = connecting(context, server.address);
  assert.equal(await client.get("a", "b"), undefined);
  await until("the connection is closed", () => server.peers[0].isClosed);
  assert.equal(await client.get("a", "c"), undefined);
  assert.equal(server.peers[1].received.toString(), "GET a c\r\n");
});

for (const [what, reply] of Object.entries({
  "a word and more": "STORED twice\r\n",
  "a line of 70000 bytes": `${"x".repeat(70000)}\r\n`,
  "70000 bytes without a line end": "x".repeat(70000),
  "an empty line": "\r\n",
  "a length of many digits": "VALUE 99999999999999999999\r\n",
})) {
  test(`garbage: ${what}`, async (context) => {
    const server = await serving(context, answering((line) => (line === "c" ? reply : null)));
    const client = connecting(context, server.address);
    const write = await rejection(client.put("a", "b", "c"));
    isKind(write, errors.KvcachedProtocolError, "PROTOCOL", true);
    await until("the connection is closed", () => server.peers[0].isClosed);
  });
}

test("a key of a listing that is two words is garbage", async (context) => {
  const server = await serving(context, answering(() => "KEY a b\r\nEND\r\n"));
  const client = connecting(context, server.address);
  isKind(await rejection(client.list("a").next()), errors.KvcachedProtocolError, "PROTOCOL", false);
});

// --- login ---------------------------------------------------------------------------------------

test("nothing is sent before the login is answered", async (context) => {
  let allow;
  const allowed = new Promise((resolve) => { allow = resolve; });
  const server = await serving(context, async (peer) => {
    assert.equal(await lines(peer, 1), "AUTH web open-sesame\r\n");
    await allowed;
    assert.equal(peer.received.toString(), "AUTH web open-sesame\r\n");
    peer.socket.write("OK\r\n");
    assert.equal(await lines(peer, 2), "AUTH web open-sesame\r\nGET a b\r\n");
    peer.socket.write("NOT_FOUND\r\n");
  });
  const client = connecting(context, server.address, { user: "web", secret: "open-sesame" });
  const read = client.get("a", "b");
  await until("a connection", () => server.peers.length === 1);
  setImmediate(() => setImmediate(allow));
  assert.equal(await read, undefined);
});

test("a server that closes in the login was not reached", async (context) => {
  const server = await serving(context, async (peer) => {
    await lines(peer, 1);
    peer.socket.end();
  });
  const client = connecting(context, server.address, { user: "web", secret: "x", ...NO_RETRY });
  isUnconnected(await rejection(client.put("a", "b", "c")));
});

test("a user whose secret has changed logs in again", async (context) => {
  const server = await serving(context, answering((line, peer) => {
    if (line.startsWith("AUTH")) {
      return "OK\r\n";
    }
    return peer === server.peers[0] ? "CLIENT_ERROR authenticate first: write AUTH\r\n" : "NOT_FOUND\r\n";
  }));
  const client = connecting(context, server.address, { user: "web", secret: "x" });
  assert.equal((await rejection(client.get("a", "b"))).code, "CLIENT_ERROR");
  assert.equal(await client.get("a", "b"), undefined);
  assert.equal(server.peers[1].received.toString(), "AUTH web x\r\nGET a b\r\n");
  await until("the old connection is closed", () => server.peers[0].isClosed);
});

// --- aborts --------------------------------------------------------------------------------------

test("an abort before anything is sent", async (context) => {
  const server = await serving(context, missing);
  const client = connecting(context, server.address);
  const reason = new Error("enough");
  assert.equal(await rejection(client.get("a", "b", { signal: AbortSignal.abort(reason) })), reason);
  const controller = new AbortController();
  const read = rejection(client.get("a", "never sent", { signal: controller.signal }));
  controller.abort();
  assert.equal((await read).name, "AbortError");
  assert.equal(await client.get("a", "c"), undefined);
  assert.equal(server.peers[0].received.toString(), "GET a c\r\n");
});

test("a reply that comes after the abort is dropped", async (context) => {
  let answer;
  const server = await serving(context, async (peer) => {
    assert.equal(await lines(peer, 2), "GET a first\r\nGET a second\r\n");
    await new Promise((resolve) => { answer = resolve; });
    peer.socket.write("VALUE 5\r\nfirst\r\nVALUE 6\r\nsecond\r\n");
  });
  const client = connecting(context, server.address);
  const controller = new AbortController();
  const first = rejection(client.get("a", "first", { signal: controller.signal }));
  const second = client.get("a", "second", "utf8");
  await until("both were sent", () => answer !== undefined);
  controller.abort();
  assert.equal((await first).name, "AbortError");
  answer();
  assert.equal(await second, "second");
  assert.equal(server.peers.length, 1);
});

test("an aborted request that is never answered still ends its connection", async (context) => {
  const server = await serving(context, () => {});
  const client = connecting(context, server.address, { timeout: SHORT });
  const controller = new AbortController();
  const read = rejection(client.get("a", "b", { signal: controller.signal }));
  await until("it was sent", () => server.peers[0]?.received.length > 0);
  controller.abort();
  await read;
  await until("the connection is closed", () => server.peers[0].isClosed);
});

test("a listing is aborted while its reader waits", async (context) => {
  const server = await serving(context, answering(() => "KEY a\r\n"));
  const client = connecting(context, server.address);
  const controller = new AbortController();
  const keys = client.list("a", undefined, { signal: controller.signal });
  assert.equal((await keys.next()).value, "a");
  const next = rejection(keys.next());
  controller.abort();
  assert.equal((await next).name, "AbortError");
  await until("the connection is closed", () => server.peers[0].isClosed);
  const early = client.list("a", undefined, { signal: controller.signal });
  assert.equal((await rejection(early.next())).name, "AbortError");
  assert.equal(server.peers.length, 1);
});

test("of an aborted listing nothing comes that was there already", async (context) => {
  const server = await serving(context, answering(() => "KEY a\r\nKEY b\r\nKEY c\r\nEND\r\n"));
  const client = connecting(context, server.address);
  const controller = new AbortController();
  const keys = client.list("a", undefined, { signal: controller.signal });
  assert.equal((await keys.next()).value, "a");
  controller.abort();
  assert.equal((await rejection(keys.next())).name, "AbortError");
});

// --- listings ------------------------------------------------------------------------------------

// Sends keys until all are sent, or the peer does not take them.
function pumping(total, progress) {
  const block = "KEY abcdefghijklmnopqrstuvwxyz\r\n".repeat(2000);
  return async (peer) => {
    await lines(peer, 1);
    while (progress.sent < total && !peer.isClosed) {
      progress.sent += block.length;
      if (!peer.socket.write(block)) {
        await Promise.race([new Promise((resolve) => peer.socket.once("drain", resolve)),
          new Promise((resolve) => peer.socket.once("close", resolve))]);
      }
    }
  };
}

test("a listing that is not read stops the server", async (context) => {
  const total = 256 * 2 ** 20;
  const progress = { sent: 0 };
  const server = await serving(context, pumping(total, progress));
  const client = connecting(context, server.address);
  const keys = client.list("a");
  await keys.next();
  let before = -1;
  let same = 0;
  await until("the server waits, or has sent everything", () => {
    same = progress.sent === before ? same + 1 : 0;
    before = progress.sent;
    return same > 2000;
  });
  assert.ok(progress.sent < total / 4, `${progress.sent} bytes were taken`);
  for (let i = 0; i < 100000; i++) {
    assert.equal((await keys.next()).value, "abcdefghijklmnopqrstuvwxyz");
  }
  await keys.return();
  await until("the connection is closed", () => server.peers[0].isClosed);
});

test("an error in place of END comes behind the items", async (context) => {
  const server = await serving(context, answering(() => "KEY a\r\nSERVER_ERROR it ends early\r\n"));
  const client = connecting(context, server.address);
  const keys = client.list("a");
  assert.equal((await keys.next()).value, "a");
  const error = await rejection(keys.next());
  isKind(error, errors.KvcachedServerError, "SERVER_ERROR", false);
  assert.equal(error.text, "it ends early");
  assert.equal((await keys.next()).done, true);
});

// --- ends ----------------------------------------------------------------------------------------

test("close waits for replies, and later requests fail", async (context) => {
  let answer;
  const server = await serving(context, async (peer) => {
    await lines(peer, 1);
    await new Promise((resolve) => { answer = resolve; });
    peer.socket.write("NOT_FOUND\r\n");
  });
  const client = connecting(context, server.address);
  const read = client.get("a", "b");
  await until("it was sent", () => answer !== undefined);
  const closed = [client.close(), client.close()];
  isClosed(await rejection(client.get("a", "c")), false);
  isClosed(await rejection(client.list("a").next()), false);
  answer();
  assert.equal(await read, undefined);
  await Promise.all(closed);
  await client.close();
  await until("the connection is closed", () => server.peers[0].isClosed);
});

test("destroy ends what waits for a reply", async (context) => {
  const server = await serving(context, () => {});
  const client = connecting(context, server.address);
  const [write, item] = [rejection(client.put("a", "b", "c")), rejection(client.list("a").next())];
  await until("both were sent", () =>
    server.peers.length === 2 && server.peers.every(({ received }) => received.length > 0));
  client.destroy();
  isClosed(await write, true);
  isClosed(await item, false);
  await until("the connections are closed", () => server.peers.every(({ isClosed: is }) => is));
});

test("destroy ends what waits for a connection", async (context) => {
  const server = await serving(context, () => {});
  const client = connecting(context, server.address, { tls: true });
  const write = rejection(client.put("a", "b", "c"));
  await until("a connection", () => server.peers.length === 1);
  client.destroy();
  isClosed(await write, false);
  await until("the connection is closed", () => server.peers[0].isClosed);
});

// --- arguments -----------------------------------------------------------------------------------

test("what cannot be sent is refused, and nothing of it is sent", async (context) => {
  const server = await serving(context, missing);
  const client = connecting(context, server.address);
  const refused = [
    client.get("a", "x".repeat(1025)), client.get("a", " ".repeat(257)), client.get("a", 7),
    client.get("a", undefined), client.get("a".repeat(65), "b"), client.get(7, "b"),
    client.get("a", "b", "no encoding"), client.getMany("a", "keys"), client.getMany("a", undefined),
    client.put("a", "b", 7), client.put("a", "b", null), client.put("a", "b", "c", { ttl: -1 }),
    client.put("a", "b", "c", { ttl: NaN }), client.put("a", "b", "c", { ttl: "30" }),
    client.put("a", "b", "c", { ttl: 1e300 }), client.put("a", "b", "c", { flags: -1 }),
    client.put("a", "b", "c", { flags: 2 ** 32 }), client.put("a", "b", "c", { flags: 1.5 }),
    client.putMany("a", [["b", "c"], ["", "d"]]), client.touch("a", "b", { ttl: 0 }),
    client.incr("a", "b", -1), client.incr("a", "b", 1.5), client.incr("a", "b", 2n ** 64n),
    client.decr("a", "b", 2 ** 53), client.flush("a b"), client.stats("a\r\nFLUSH a"),
    client.get("a", "b", { timeout: 0 }), client.get("a", "b", { timeout: "5" }),
  ];
  for (const error of await Promise.all(refused.map(rejection))) {
    isKind(error, errors.KvcachedArgumentError, "ARGUMENT", false);
  }
  const thrown = [
    () => client.list("a b"), () => client.list("a", ""), () => client.list("a", "b\r\nFLUSH a"),
    () => client.all("a", "b", { keyEncoding: "none" }), () => new Kvcached("a:b:c"),
    () => new Kvcached("host:0"), () => new Kvcached("host:65536"), () => new Kvcached(""),
    () => new Kvcached({ hots: "x" }), () => new Kvcached({ user: "x" }),
    () => new Kvcached({ secret: "x" }), () => new Kvcached({ user: "x", secret: "a b" }),
    () => new Kvcached({ connections: 0 }), () => new Kvcached({ connections: 1.5 }),
    () => new Kvcached({ timeout: -1 }),
  ];
  for (const one of thrown) {
    assert.throws(one, { name: "KvcachedArgumentError", code: "ARGUMENT" }, String(one));
  }
  assert.equal(await client.get("a", "the first"), undefined);
  assert.equal(server.peers[0].received.toString(), "GET a the\\x20first\r\n");
});

test("times to live are rounded up to milliseconds", async (context) => {
  const server = await serving(context, missing);
  const client = connecting(context, server.address);
  for (const ttl of [0.2, 1500.5, 7, Infinity, "never", undefined]) {
    await client.touch("a", "b", { ttl });
  }
  const sent = ["1ms", "1501ms", "7ms", "never", "never", "-"].map((ttl) => `TOUCH a b ${ttl}\r\n`);
  assert.equal(server.peers[0].received.toString(), sent.join(""));
});

test("addresses", async (context) => {
  const server = await serving(context, missing);
  const { port } = server;
  for (const client of [new Kvcached(`127.0.0.1:${port}`), new Kvcached({ port }),
    new Kvcached("127.0.0.1", { port }), new Kvcached(`[::ffff:127.0.0.1]:${port}`),
    new Kvcached("::ffff:127.0.0.1", { port })]) {
    assert.equal(await client.get("a", "b"), undefined);
    await client.close();
  }
});
