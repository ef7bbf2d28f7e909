// vectors.test.js - all of vectors.txt: what is sent, and what is made of replies that come whole,
// in two parts cut at every byte, and ended at every byte; by a connection, by the client and, where
// that is to answer so, from a daemon.
"use strict";

const assert = require("node:assert");
const net = require("node:net");
const { Kvcached } = require("kvcached");
const { Connection } = require("../node_modules/kvcached/lib/connection.js");
const { readOptions } = require("../node_modules/kvcached/lib/options.js");
const { onClient, onConnection } = require("./calls.js");
const { DEADLINE, Server, received, test, until } = require("./support.js");
const { readVectors } = require("./vectors.js");

const vectors = readVectors();
const CLOSED = ["error", "closed"];

// Sockets of clients, by their port, so that a server can wait until a part of a reply was read.
const sockets = new Map();
const connect = net.connect;
net.connect = (...words) => {
  const socket = connect(...words);
  socket.once("connect", () => sockets.set(socket.localPort, socket));
  return socket;
};

// Answers with `parts`, each after the one before was read; then closes the connection, or not.
function answering(vector, parts, ends) {
  return async (peer) => {
    await received(peer, vector.send.length);
    let sent = 0;
    for (const part of parts) {
      await until("a part was read", () => sockets.get(peer.socket.remotePort)?.bytesRead === sent);
      peer.socket.write(part);
      sent += part.length;
    }
    if (ends) {
      peer.socket.end();
    }
  };
}

async function openConnection(address) {
  const connection = new Connection(readOptions(address));
  await connection.open();
  return connection;
}

const LEVELS = {
  async connection(address, vector) {
    const connection = await openConnection(address);
    const results = await Promise.all(vector.call.map((call) => onConnection(connection, call)));
    return { results, isOpen: connection.isOpen, close: () => connection.destroy(new Error("end")) };
  },
  async client(address, vector) {
    const client = new Kvcached(address,
      { connections: 1, repeatReads: false, timeout: DEADLINE });
    const results = await Promise.all(vector.call.map((call) => onClient(client, call)));
    return { results, isOpen: null, close: () => client.destroy() };
  },
};

// The results of the calls, and what was sent, of a server that answers so.
async function exchange(level, vector, parts, ends) {
  const server = await new Server(answering(vector, parts, ends)).listen();
  try {
    const made = await LEVELS[level](server.address, vector);
    if (vector.send.length > 0) {
      assert.deepEqual(server.peers[0].received, vector.send);
    }
    const mustClose = made.results.some((result) => ["closed", "protocol"].includes(result[1]));
    if (mustClose) {
      assert.notEqual(made.isOpen, true);
      await until("the client closes its side", () => server.peers[0].isClosed);
    }
    made.close();
    return made.results;
  } finally {
    await server.close();
  }
}

// Words of a result; of some errors the text is of no meaning.
function same(results, expected) {
  assert.deepEqual(results.map((result, i) => result.slice(0, Math.max(expected[i].length, 2))),
    expected.map((words) => words));
}

const isError = (result) => result[0] === "error";
const isBroken = (result) => isError(result) && ["protocol", "closed"].includes(result[1]);

async function checkWhole(level, vector) {
  const ends = vector.then === "closed";
  same(await exchange(level, vector, [vector.reply], ends), vector.result);
  for (let at = 1; at < vector.reply.length; at++) {
    const parts = [vector.reply.subarray(0, at), vector.reply.subarray(at)];
    same(await exchange(level, vector, parts, ends), vector.result);
  }
}

// Of a reply that ends too early, calls get what is theirs, and from one on CLOSED. The number of
// those that are answered never falls with the length.
async function checkEnded(level, vector) {
  let answered = 0;
  for (let at = 0; at < vector.reply.length; at++) {
    const results = await exchange(level, vector, [vector.reply.subarray(0, at)], true);
    const count = results.findIndex((result) => isBroken(result));
    const whole = count === -1 ? results.length : count;
    assert.ok(whole >= answered, `${whole} answers of ${at} bytes, after ${answered} of fewer`);
    same(results.slice(0, whole), vector.result.slice(0, whole));
    for (const [i, result] of results.slice(whole).entries()) {
      const mayBeProtocol = i === 0 && vector.result[whole][1] === "protocol";
      assert.ok(result[1] === "closed" || mayBeProtocol, String(result));
    }
    answered = whole;
  }
  const last = vector.result.at(-1);
  const isLast = vector.call.at(-1).operation !== "put_many" || !isError(last);
  assert.ok(vector.reply.length === 0 || !isLast || answered < vector.call.length,
    "without its last byte the last reply is whole");
}

// A listing has a connection of its own there: it is in no order with other calls.
function isForClient({ call }) {
  return call.every(({ operation }) => operation !== "auth" &&
    (call.length === 1 || !["list", "all"].includes(operation)));
}

for (const vector of vectors) {
  for (const level of ["connection", "client"]) {
    if (level === "client" && !isForClient(vector)) {
      continue;
    }
    test(`${level}: ${vector.name}`, async () => {
      await checkWhole(level, vector);
      await checkEnded(level, vector);
    });
  }
}

// --- a daemon answers ----------------------------------------------------------------------------

async function tell(address, bytes) {
  if (bytes.length === 0) {
    return;
  }
  const { socket: where } = readOptions(address);
  await new Promise((resolve, reject) => {
    const socket = connect(where, () => socket.end(Buffer.concat([bytes, Buffer.from("QUIT\r\n")])));
    socket.on("data", () => {}).on("close", resolve).on("error", reject);
  });
}

for (const vector of vectors.filter(({ daemon }) => daemon !== "no")) {
  test(`daemon: ${vector.name}`, async () => {
    const address = vector.daemon === "users" ? process.env.KVCACHED_USERS_ADDRESS
      : process.env.KVCACHED_ADDRESS;
    await tell(address, vector.given);
    const { results, close } = await LEVELS.connection(address, vector);
    close();
    same(results, vector.result);
  });
}

test("vectors.txt is read as a whole", () => {
  const names = new Set(vectors.map(({ name }) => name));
  assert.equal(names.size, vectors.length);
  assert.ok(vectors.length >= 90);
  assert.ok(vectors.every(({ call, result }) => call.length > 0 && call.length === result.length));
});
