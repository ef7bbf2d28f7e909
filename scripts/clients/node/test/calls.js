// calls.js - the calls of vectors.txt, made on a connection or on a client, and what they give in
// the words of that file.
"use strict";

const errors = require("kvcached");
const requests = require("../node_modules/kvcached/lib/requests.js");

const KINDS = [
  [errors.KvcachedArgumentError, "ARGUMENT", "argument"],
  [errors.KvcachedClientError, "CLIENT_ERROR", "client"],
  [errors.KvcachedServerError, "SERVER_ERROR", "server"],
  [errors.KvcachedUnknownVerbError, "ERROR", "unknown"],
  [errors.KvcachedDeniedError, "DENIED", "denied"],
  [errors.KvcachedProtocolError, "PROTOCOL", "protocol"],
  [errors.KvcachedClosedError, "CLOSED", "closed"],
];

function errorWords(error) {
  const kind = KINDS.find(([Kind]) => error instanceof Kind);
  if (kind === undefined || error.code !== kind[1] || !(error instanceof errors.KvcachedError)) {
    throw error;
  }
  const text = error instanceof errors.KvcachedReplyError ? [Buffer.from(error.text)] : [];
  return ["error", kind[2], ...text];
}

function optionsOf({ ttl, flags }) {
  return {
    ttl: ttl === undefined ? undefined : ttl === "never" ? Infinity : Number(ttl),
    flags: flags === undefined ? undefined : Number(flags),
  };
}

function byOf({ by }) {
  return by === undefined || BigInt(by) <= Number.MAX_SAFE_INTEGER ? Number(by ?? 1) : BigInt(by);
}

const bytes = (value) => Buffer.from(value);
const orMissing = (words) => (value) => (value === undefined ? ["not_found"] : words(value));
const ok = (value) => (value === undefined ? ["ok"] : ["not ok", value]);
const bool = (value) => [String(value)];
const number = (value) => ["number", String(value)];
const pairs = (entries) => entries.flatMap(([key, value]) => [bytes(key), bytes(value)]);

// What a call gives, in words of vectors.txt.
const RESULTS = {
  put: ok,
  put_many: ok,
  add: bool,
  get: orMissing((value) => ["value", value]),
  get_many: (values) => ["values", ...values.map((value) => value ?? "not_found")],
  delete: bool,
  delete_many: (flags) => ["flags", ...flags.map(String)],
  touch: bool,
  ttl: orMissing((ttl) => ["ttl", ttl === Infinity ? "never" : String(ttl)]),
  incr: orMissing(number),
  decr: orMissing(number),
  list: (keys) => ["list", ...keys.map(bytes)],
  all: (records) => ["records", ...pairs(records)],
  flush: number,
  stats: orMissing((stats) => ["pairs", ...pairs(Object.entries(stats))]),
  auth: ok,
  ping: ok,
  version: (text) => ["text", bytes(text)],
};

function entriesOf(rest) {
  return Array.from({ length: rest.length / 2 }, (_, i) => [rest[2 * i], rest[2 * i + 1]]);
}

const KEYS = { keyEncoding: "buffer" };

async function firstError(promises) {
  const failed = (await Promise.allSettled(promises)).find(({ status }) => status === "rejected");
  if (failed !== undefined) {
    throw failed.reason;
  }
}

// Requests on one connection, in the order of the calls.
const ON_CONNECTION = {
  put: (send, named, ns, key, value) => send(requests.put(ns, key, value, optionsOf(named))),
  put_many: (send, named, ns, ...rest) => firstError(
    entriesOf(rest).map(([key, value]) => requests.put(ns, key, value, optionsOf(named))).map(send)),
  add: (send, named, ns, key, value) => send(requests.add(ns, key, value, optionsOf(named))),
  get: (send, named, ns, key) => send(requests.get(ns, key)),
  get_many: (send, named, ns, ...keys) => send(requests.getMany(ns, keys)),
  delete: (send, named, ns, key) => send(requests.remove(ns, key)),
  delete_many: (send, named, ns, ...keys) => send(requests.removeMany(ns, keys)),
  touch: (send, named, ns, key) => send(requests.touch(ns, key, optionsOf(named))),
  ttl: (send, named, ns, key) => send(requests.ttl(ns, key)),
  incr: (send, named, ns, key) => send(requests.incr(ns, key, byOf(named))),
  decr: (send, named, ns, key) => send(requests.decr(ns, key, byOf(named))),
  list: (send, named, ns, pattern) => send(requests.list(ns, pattern, KEYS)),
  all: (send, named, ns, pattern) => send(requests.all(ns, pattern, KEYS)),
  flush: (send, named, ns) => send(requests.flush(ns)),
  stats: (send, named, ns) => send(requests.stats(ns)),
  auth: (send, named, user, secret) => send(requests.auth(user, secret)),
  ping: (send) => send(requests.ping()),
  version: (send) => send(requests.version()),
};

async function arrayOf(items) {
  const all = [];
  for await (const item of items) {
    all.push(item);
  }
  return all;
}

const ON_CLIENT = {
  put: (client, named, ns, key, value) => client.put(ns, key, value, optionsOf(named)),
  put_many: (client, named, ns, ...rest) => client.putMany(ns, entriesOf(rest), optionsOf(named)),
  add: (client, named, ns, key, value) => client.add(ns, key, value, optionsOf(named)),
  get: (client, named, ns, key) => client.get(ns, key),
  get_many: (client, named, ns, ...keys) => client.getMany(ns, keys),
  delete: (client, named, ns, key) => client.delete(ns, key),
  delete_many: (client, named, ns, ...keys) => client.deleteMany(ns, keys),
  touch: (client, named, ns, key) => client.touch(ns, key, optionsOf(named)),
  ttl: (client, named, ns, key) => client.ttl(ns, key),
  incr: (client, named, ns, key) => client.incr(ns, key, byOf(named)),
  decr: (client, named, ns, key) => client.decr(ns, key, byOf(named)),
  list: async (client, named, ns, pattern) => arrayOf(client.list(ns, pattern, KEYS)),
  all: async (client, named, ns, pattern) => arrayOf(client.all(ns, pattern, KEYS)),
  flush: (client, named, ns) => client.flush(ns),
  stats: (client, named, ns) => client.stats(ns),
  ping: (client) => client.ping(),
  version: (client) => client.version(),
};

const AS_BYTES = new Set(["auth"]);

function argumentsOf({ operation, given }) {
  return AS_BYTES.has(operation) || given.length === 0 ? given
    : [given[0].toString("latin1"), ...given.slice(1)];
}

// Starts a call; a promise of its result in words.
async function make(call, operations, target) {
  try {
    const result = operations[call.operation](target, call.named, ...argumentsOf(call));
    return RESULTS[call.operation](await result);
  } catch (error) {
    return errorWords(error);
  }
}

const onConnection = (connection, call) => make(call, ON_CONNECTION,
  (request) => (request === null ? Promise.resolve([]) : connection.send(request)));
const onClient = (client, call) => make(call, ON_CLIENT, client);

module.exports = { onClient, onConnection };
