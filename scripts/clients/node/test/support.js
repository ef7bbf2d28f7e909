// support.js - what the tests share: a server that does what a test tells it, and conditions.
"use strict";

const assert = require("node:assert");
const net = require("node:net");
const nodeTest = require("node:test");

const SLOW = Number(process.env.E2E_SLOW ?? 1);
const DEADLINE = 30000 * SLOW; // milliseconds, for what comes
const SHORT = 200 * SLOW; // for what does not

// A test fails where it waits for ever.
function test(name, options, body = options) {
  return nodeTest.test(name, { timeout: 2 * DEADLINE, ...(body === options ? {} : options) }, body);
}

// Polls; bounded, since the condition is one that comes.
async function until(what, condition) {
  const deadline = performance.now() + DEADLINE;
  for (;;) {
    const result = await condition();
    if (result) {
      return result;
    }
    assert.ok(performance.now() < deadline, `never: ${what}`);
    await new Promise(setImmediate);
  }
}

// Serves each connection with handler(peer); a peer collects what came, in `received`.
class Server {
  #server;
  #sockets = new Set();

  constructor(handler) {
    this.peers = [];
    this.#server = net.createServer((socket) => {
      const peer = { socket, received: Buffer.alloc(0), isClosed: false };
      this.peers.push(peer);
      this.#sockets.add(socket);
      socket.setNoDelay(true);
      socket.on("error", () => {});
      socket.on("close", () => {
        peer.isClosed = true;
        this.#sockets.delete(socket);
      });
      socket.on("data", (chunk) => {
        peer.received = Buffer.concat([peer.received, chunk]);
      });
      Promise.resolve(handler(peer)).catch((error) => {
        this.error = error;
        socket.destroy();
      });
    });
  }

  // port: 0 for any.
  async listen(port = 0) {
    await new Promise((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(port, "127.0.0.1", resolve);
    });
    this.port = this.#server.address().port;
    this.address = `127.0.0.1:${this.port}`;
    return this;
  }

  async close() {
    for (const socket of this.#sockets) {
      socket.destroy();
    }
    await new Promise((resolve) => this.#server.close(resolve));
    if (this.error !== undefined) {
      throw this.error;
    }
  }
}

// A server for the length of a test.
async function serving(context, handler) {
  const server = await new Server(handler).listen();
  context.after(() => server.close());
  return server;
}

// Waits until the peer has sent so many bytes.
function received(peer, count) {
  return until(`${count} bytes`, () => peer.received.length >= count);
}

// Waits until the peer has sent so many lines, and returns all that it sent.
async function lines(peer, count) {
  await until(`${count} lines`, () => peer.received.toString("latin1").split("\n").length > count);
  return peer.received.toString("latin1");
}

async function rejection(promise) {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  return assert.fail("it did not fail");
}

// A namespace for one test.
let namespaces = 0;
function namespace() {
  return `node.${process.pid}.${++namespaces}`;
}

module.exports = { DEADLINE, SHORT, Server, lines, namespace, received, rejection, serving, test, until };
