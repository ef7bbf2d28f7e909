// client.js - Kvcached: an operation is a method, and a method is a promise.
//
// Requests of one key go to one of the connections, always the same, so that they are executed in
// the order in which they were made. Those of several keys go where their first key goes.
"use strict";

const { Connection } = require("./connection");
const { KvcachedArgumentError, KvcachedClosedError } = require("./errors");
const { Listing } = require("./listing");
const { positive, readOptions } = require("./options");
const { ReconnectingConnection } = require("./reconnecting");
const requests = require("./requests");
const { bytesOf } = require("./words");

function hash(text) {
  let sum = 0;
  for (let i = 0; i < text.length; i++) {
    sum = (Math.imul(sum, 31) + text.charCodeAt(i)) | 0;
  }
  return sum >>> 0;
}

// get(namespace, key, "utf8") is short for get(namespace, key, { encoding: "utf8" }).
function withEncoding(options = {}) {
  return typeof options === "string" ? { encoding: options } : options;
}

class Kvcached {
  #options;
  #connections;
  #listings = new Set();
  #pending = 0;
  #onIdle = [];
  #isClosed = false;

  constructor(address, options) {
    this.#options = readOptions(address, options);
    this.#connections = Array.from({ length: this.#options.connections },
      () => new ReconnectingConnection(this.#options));
  }

  // --- records ---

  async put(namespace, key, value, options = {}) {
    return this.#run(requests.put(namespace, key, value, options), options, key);
  }

  async putMany(namespace, entries, options = {}) {
    const each = Array.from(entries, ([key, value]) =>
      [requests.put(namespace, key, value, options), key]);
    const replies = await Promise.allSettled(
      each.map(([request, key]) => this.#run(request, options, key)));
    const failed = replies.find((reply) => reply.status === "rejected");
    if (failed !== undefined) {
      throw failed.reason;
    }
  }

  async add(namespace, key, value, options = {}) {
    return this.#run(requests.add(namespace, key, value, options), options, key);
  }

  async get(namespace, key, options) {
    const all = withEncoding(options);
    return this.#run(requests.get(namespace, key, all), all, key);
  }

  async getMany(namespace, keys, options) {
    const all = withEncoding(options);
    const list = listOf(keys);
    return this.#runAny(requests.getMany(namespace, list, all), all, list);
  }

  async delete(namespace, key, options = {}) {
    return this.#run(requests.remove(namespace, key), options, key);
  }

  async deleteMany(namespace, keys, options = {}) {
    const list = listOf(keys);
    return this.#runAny(requests.removeMany(namespace, list), options, list);
  }

  async ttl(namespace, key, options = {}) {
    return this.#run(requests.ttl(namespace, key), options, key);
  }

  async touch(namespace, key, options = {}) {
    return this.#run(requests.touch(namespace, key, options), options, key);
  }

  async incr(namespace, key, by = 1, options = {}) {
    return this.#run(requests.incr(namespace, key, by), options, key);
  }

  async decr(namespace, key, by = 1, options = {}) {
    return this.#run(requests.decr(namespace, key, by), options, key);
  }

  // --- namespaces ---

  list(namespace, pattern, options = {}) {
    const make = (makeSink) => requests.list(namespace, pattern, options, makeSink);
    return this.#listing(make, options);
  }

  all(namespace, pattern, options = {}) {
    const make = (makeSink) => requests.all(namespace, pattern, options, makeSink);
    return this.#listing(make, options);
  }

  async flush(namespace, options = {}) {
    return this.#run(requests.flush(namespace), options);
  }

  async stats(namespace, options = {}) {
    return this.#run(requests.stats(namespace), options);
  }

  // --- the connection ---

  async ping(options = {}) {
    return this.#run(requests.ping(), options);
  }

  async version(options = {}) {
    return this.#run(requests.version(), options);
  }

  // Waits for the replies that are still to come, then closes the connections.
  async close() {
    this.#isClosed = true;
    if (this.#pending > 0) {
      await new Promise((resolve) => {
        this.#onIdle.push(resolve);
      });
    }
    this.destroy();
  }

  // Closes the connections at once; what waits for a reply fails.
  destroy() {
    this.#isClosed = true;
    const reason = new KvcachedClosedError("the client is closed");
    for (const connection of this.#connections) {
      connection.close(reason);
    }
    for (const listing of this.#listings) {
      listing.stop(reason);
    }
  }

  #check(options) {
    if (this.#isClosed) {
      throw new KvcachedClosedError("the client is closed");
    }
    options.signal?.throwIfAborted();
  }

  async #run(request, options, key = "") {
    this.#check(options);
    request.start({
      timeout: positive("timeout", options.timeout, this.#options.timeout),
      signal: options.signal,
    });
    this.#pending++;
    try {
      this.#connectionFor(key).submit(request);
      return await request.promise;
    } finally {
      if (--this.#pending === 0) {
        this.#onIdle.forEach((resolve) => resolve());
      }
    }
  }

  // There is no request of no keys.
  async #runAny(request, options, keys) {
    return request === null ? [] : this.#run(request, options, keys[0]);
  }

  #connectionFor(key) {
    const all = this.#connections;
    return all.length === 1 ? all[0] : all[hash(textOf(key)) % all.length];
  }

  #listing(make, options) {
    const connection = new Connection(this.#options);
    const listing = new Listing(connection, make, {
      timeout: positive("timeout", options.timeout, this.#options.timeout),
      signal: options.signal,
    });
    return this.#items(listing, options);
  }

  async *#items(listing, options) {
    this.#check(options);
    this.#listings.add(listing);
    try {
      yield* listing.items();
    } finally {
      this.#listings.delete(listing);
    }
  }
}

// The same for the same bytes, whether a string or a Buffer holds them.
function textOf(key) {
  return typeof key === "string" && /^[\0-\x7f]*$/.test(key) ? key
    : bytesOf("a key", key).toString("latin1");
}

function listOf(keys) {
  if (typeof keys === "string" || typeof keys?.[Symbol.iterator] !== "function") {
    throw new KvcachedArgumentError("keys must be an array, or another iterable object");
  }
  return Array.from(keys);
}

module.exports = { Kvcached };
