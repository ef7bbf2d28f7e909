// requests.js - a function for each operation, which makes its request.
//
// Each throws KvcachedArgumentError for what cannot be sent.
"use strict";

const { KvcachedArgumentError, KvcachedDeniedError, KvcachedRangeError } = require("./errors");
const { PENDING, Request, unexpected } = require("./request");
const words = require("./words");

const LINE_END = Buffer.from("\r\n");
const JOINED_MAX = 16384; // bytes of a value that is copied behind its line

// --- what replies mean ---------------------------------------------------------------------------

// For replies of one word: { WORD: result }.
function wordOf(results) {
  return () => (reply) => {
    if (reply.rest !== "" || reply.value !== null || !Object.hasOwn(results, reply.word)) {
      throw unexpected(reply);
    }
    return results[reply.word];
  };
}

// For replies `word text`, where parse(text) is the result or null; NOT_FOUND where that can be.
function textOf(word, parse, canBeMissing) {
  return () => (reply) => {
    if (canBeMissing && reply.word === "NOT_FOUND" && reply.rest === "") {
      return undefined;
    }
    const result = reply.word === word ? parse(reply.rest) : null;
    if (result === null) {
      throw unexpected(reply);
    }
    return result;
  };
}

// What came may be a small part of a large piece of memory, which the caller should not hold.
function owned(view) {
  return view.length * 2 > view.buffer.byteLength ? view : Buffer.from(view);
}

function valueOf(reply, encoding) {
  if (reply.word === "VALUE" && reply.value !== null) {
    return encoding === undefined ? owned(reply.value) : reply.value.toString(encoding);
  }
  if (reply.word === "NOT_FOUND" && reply.rest === "") {
    return undefined;
  }
  throw unexpected(reply);
}

// One reply for each of so many keys.
function each(count, read) {
  return () => {
    const results = [];
    return (reply) => {
      results.push(read(reply));
      return results.length < count ? PENDING : results;
    };
  };
}

// Lines `word ...` until END; read(reply) makes an item of each, which goes to a sink.
function listing(word, read, makeSink) {
  return () => {
    const sink = makeSink();
    return (reply) => {
      if (reply.word === "END" && reply.rest === "") {
        return sink;
      }
      if (reply.word !== word || reply.rest === "") {
        throw unexpected(reply);
      }
      sink.push(read(reply));
      return PENDING;
    };
  };
}

// --- requests ------------------------------------------------------------------------------------

function line(text) {
  return [Buffer.from(`${text}\r\n`, "latin1")];
}

function withValue(text, value) {
  if (value.length > JOINED_MAX) {
    return [Buffer.from(`${text}\r\n`, "latin1"), value, LINE_END];
  }
  const bytes = Buffer.allocUnsafe(text.length + value.length + 4);
  bytes.latin1Write(text, 0);
  LINE_END.copy(bytes, text.length);
  value.copy(bytes, text.length + 2);
  LINE_END.copy(bytes, text.length + 2 + value.length);
  return [bytes];
}

const STORED = wordOf({ STORED: undefined });
const STORED_OR_EXISTS = wordOf({ STORED: true, EXISTS: false });
const TOUCHED = wordOf({ TOUCHED: true, NOT_FOUND: false });

function storing(verb, expect, namespace, key, value, options) {
  const bytes = words.bytesOf("a value", value);
  const text = `${verb} ${words.namespaceWord(namespace)} ${words.keyWord(key)} ` +
    `${words.ttlWord(options.ttl)} ${bytes.length}${words.flagsWords(options.flags)}`;
  return new Request(withValue(text, bytes), expect, false);
}

function put(namespace, key, value, options = {}) {
  return storing("PUT", STORED, namespace, key, value, options);
}

function add(namespace, key, value, options = {}) {
  return storing("ADD", STORED_OR_EXISTS, namespace, key, value, options);
}

function encodingOf(encoding) {
  if (encoding !== undefined && !Buffer.isEncoding(encoding)) {
    throw new KvcachedArgumentError(`an encoding must be one of Node's, not ${encoding}`);
  }
  return encoding;
}

function get(namespace, key, options = {}) {
  const encoding = encodingOf(options.encoding);
  const text = `GET ${words.namespaceWord(namespace)} ${words.keyWord(key)}`;
  return new Request(line(text), () => (reply) => valueOf(reply, encoding), true);
}

function keyWords(keys) {
  return keys.map((key) => words.keyWord(key));
}

function getMany(namespace, keys, options = {}) {
  const encoding = encodingOf(options.encoding);
  const all = keyWords(keys);
  const text = `GET ${words.namespaceWord(namespace)} ${all.join(" ")}`;
  return all.length === 0
    ? null
    : new Request(line(text), each(all.length, (reply) => valueOf(reply, encoding)), true);
}

const DELETED = wordOf({ DELETED: true, NOT_FOUND: false });

function remove(namespace, key) {
  const text = `DEL ${words.namespaceWord(namespace)} ${words.keyWord(key)}`;
  return new Request(line(text), DELETED, false);
}

function removeMany(namespace, keys) {
  const all = keyWords(keys);
  const text = `DEL ${words.namespaceWord(namespace)} ${all.join(" ")}`;
  return all.length === 0
    ? null
    : new Request(line(text), each(all.length, DELETED()), false);
}

function ttl(namespace, key) {
  const text = `TTL ${words.namespaceWord(namespace)} ${words.keyWord(key)}`;
  return new Request(line(text), textOf("TTL", words.ttlOf, true), true);
}

function touch(namespace, key, options = {}) {
  const text = `TOUCH ${words.namespaceWord(namespace)} ${words.keyWord(key)} ` +
    words.ttlWord(options.ttl);
  return new Request(line(text), TOUCHED, false);
}

// A bigint where the caller gave one, else a number.
function counting(verb, namespace, key, by) {
  const text = `${verb} ${words.namespaceWord(namespace)} ${words.keyWord(key)} ` +
    words.numberWord(by);
  const request = new Request(line(text), textOf("NUMBER", words.numberOf, true), false);
  if (typeof by !== "bigint") {
    request.promise = request.promise.then(safe);
  }
  return request;
}

function safe(number) {
  if (number === undefined) {
    return undefined;
  }
  if (number > Number.MAX_SAFE_INTEGER) {
    throw new KvcachedRangeError(number);
  }
  return Number(number);
}

function listed(verb, namespace, pattern) {
  const text = `${verb} ${words.namespaceWord(namespace)}`;
  return line(pattern === undefined || pattern === null
    ? text : `${text} ${words.plainWord("a pattern", pattern)}`);
}

const toArray = () => [];

function keyEncodingOf(options) {
  const encoding = options.keyEncoding ?? "utf8";
  return encoding === "buffer" ? encoding : encodingOf(encoding);
}

// makeSink() makes what has push(item); the result of the request is it, an array by default.
function list(namespace, pattern, options = {}, makeSink = toArray) {
  const encoding = keyEncodingOf(options);
  const read = (reply) => {
    if (reply.rest.includes(" ")) {
      throw unexpected(reply);
    }
    return words.keyOf(reply.rest, encoding);
  };
  return new Request(listed("LIST", namespace, pattern), listing("KEY", read, makeSink), true);
}

function all(namespace, pattern, options = {}, makeSink = toArray) {
  const keys = keyEncodingOf(options);
  const values = encodingOf(options.encoding);
  const read = ({ rest, value }) =>
    [words.keyOf(rest, keys), values === undefined ? owned(value) : value.toString(values)];
  return new Request(listed("ALL", namespace, pattern), listing("RECORD", read, makeSink), true);
}

function flush(namespace) {
  const request = new Request(line(`FLUSH ${words.namespaceWord(namespace)}`),
    textOf("FLUSHED", words.numberOf, false), false);
  request.promise = request.promise.then(Number);
  return request;
}

function readStat(reply) {
  const space = reply.rest.indexOf(" ");
  if (space < 1) {
    throw unexpected(reply);
  }
  return [words.utf8(reply.rest.slice(0, space)), words.utf8(reply.rest.slice(space + 1))];
}

function stats(namespace) {
  const pairs = listing("STAT", readStat, toArray);
  const text = namespace === undefined ? "STATS" : `STATS ${words.namespaceWord(namespace)}`;
  const expect = () => {
    const take = pairs();
    let count = 0;
    return (reply) => {
      if (count++ === 0 && namespace !== undefined && reply.word === "NOT_FOUND") {
        return undefined;
      }
      const result = take(reply);
      return result === PENDING ? PENDING : Object.fromEntries(result);
    };
  };
  return new Request(line(text), expect, true);
}

function auth(user, secret) {
  const text = `AUTH ${words.plainWord("a user", user)} ${words.plainWord("a secret", secret)}`;
  const request = new Request(line(text), wordOf({ OK: true, DENIED: false }), false);
  request.promise = request.promise.then((is) => {
    if (!is) {
      throw new KvcachedDeniedError();
    }
  });
  return request;
}

function ping() {
  return new Request(line("PING"), wordOf({ PONG: undefined }), true);
}

function version() {
  const text = (rest) => (rest === "" ? null : words.utf8(rest));
  return new Request(line("VERSION"), textOf("VERSION", text, false), true);
}

module.exports = {
  add,
  all,
  auth,
  decr: (namespace, key, by = 1) => counting("DECR", namespace, key, by),
  flush,
  get,
  getMany,
  incr: (namespace, key, by = 1) => counting("INCR", namespace, key, by),
  list,
  ping,
  put,
  remove,
  removeMany,
  stats,
  touch,
  ttl,
  version,
};
