// express-session.js - sessions of express-session in kvcached: a record is a session, in a
// namespace for nothing else.
//
// The record's time to live is the cookie's, so that the daemon forgets a session when the browser
// does. Sessions that are not there, or no longer, are no error.
"use strict";

const { Store } = require("express-session");
const { Kvcached, KvcachedArgumentError } = require("./index.js");

const DAY = 86400000; // milliseconds

function readOptions({ client, namespace = "sessions", ttl = DAY, serializer = JSON, ...rest }) {
  if (typeof client?.get !== "function") {
    throw new KvcachedArgumentError("the option client must be a Kvcached");
  }
  if (typeof ttl !== "number" || !(ttl > 0)) {
    throw new KvcachedArgumentError(`ttl must be milliseconds above 0, not ${String(ttl)}`);
  }
  const unknown = Object.keys(rest);
  if (unknown.length > 0) {
    throw new KvcachedArgumentError(`there is no option ${unknown[0]}; options are client, ` +
      "namespace, ttl, serializer");
  }
  return { client, namespace, ttl, serializer };
}

// What calls back throws where nothing catches it, as it would without a promise.
function callBack(promise, callback) {
  if (typeof callback !== "function") {
    return promise;
  }
  promise.then((result) => process.nextTick(callback, null, result),
    (error) => process.nextTick(callback, error));
  return undefined;
}

class KvcachedStore extends Store {
  #client;
  #namespace;
  #ttl;
  #serializer;

  constructor(options = {}) {
    super(options);
    const { client, namespace, ttl, serializer } = readOptions(options);
    this.#client = client;
    this.#namespace = namespace;
    this.#ttl = ttl;
    this.#serializer = serializer;
  }

  get(id, callback) {
    return callBack(this.#get(id), callback);
  }

  set(id, session, callback) {
    return callBack(this.#set(id, session), callback);
  }

  destroy(id, callback) {
    return callBack(this.#destroy(id), callback);
  }

  touch(id, session, callback) {
    return callBack(this.#touch(id, session), callback);
  }

  all(callback) {
    return callBack(this.#all(), callback);
  }

  length(callback) {
    return callBack(this.#length(), callback);
  }

  // Of this store's namespace, and no other.
  clear(callback) {
    return callBack(this.#clear(), callback);
  }

  async #get(id) {
    const text = await this.#client.get(this.#namespace, id, "utf8");
    return text === undefined ? null : this.#serializer.parse(text);
  }

  async #set(id, session) {
    const ttl = this.#ttlOf(session);
    if (ttl <= 0) {
      await this.#destroy(id);
      return;
    }
    await this.#client.put(this.#namespace, id, this.#serializer.stringify(session), { ttl });
  }

  async #destroy(id) {
    await this.#client.delete(this.#namespace, id);
  }

  async #touch(id, session) {
    const ttl = this.#ttlOf(session);
    if (ttl <= 0) {
      await this.#destroy(id);
      return;
    }
    await this.#client.touch(this.#namespace, id, { ttl });
  }

  async #all() {
    const sessions = [];
    const seen = new Set();
    const records = this.#client.all(this.#namespace, undefined, { encoding: "utf8" });
    for await (const [id, text] of records) {
      if (!seen.has(id)) {
        seen.add(id);
        sessions.push({ ...this.#serializer.parse(text), id });
      }
    }
    return sessions;
  }

  // A key may be listed twice.
  async #length() {
    const seen = new Set();
    for await (const id of this.#client.list(this.#namespace)) {
      seen.add(id);
    }
    return seen.size;
  }

  async #clear() {
    await this.#client.flush(this.#namespace);
  }

  // Milliseconds. A cookie that ends with the browser has no time of its own.
  #ttlOf(session) {
    const expires = session?.cookie?.expires;
    if (expires === undefined || expires === null || expires === false) {
      return this.#ttl;
    }
    const left = new Date(expires).getTime() - Date.now();
    return Number.isNaN(left) ? this.#ttl : left;
  }
}

module.exports = { KvcachedStore };
