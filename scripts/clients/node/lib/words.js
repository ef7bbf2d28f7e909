// words.js - arguments of calls as words of requests, and words of replies as what calls return.
//
// A daemon cannot detect that a key holds a line end and a command: everything that comes from a
// caller is escaped or refused here. Lines are strings with one character for each byte.
"use strict";

const { KvcachedArgumentError, utf8 } = require("./errors");

const NUMBER_MAX = 2n ** 64n - 1n;
const FLAGS_MAX = 2 ** 32 - 1;
const KEY_MAX = 1024; // bytes, as they are sent

function refuse(what, value) {
  const given = typeof value === "bigint" ? `${value}n` : typeof value === "string"
    ? JSON.stringify(value.length > 80 ? `${value.slice(0, 80)}...` : value) : String(value);
  throw new KvcachedArgumentError(`${what}, not ${given}`);
}

function bytesOf(what, value) {
  if (typeof value === "string") {
    return Buffer.from(value, "utf8");
  }
  if (Buffer.isBuffer(value)) {
    return value;
  }
  if (ArrayBuffer.isView(value)) {
    return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  }
  return refuse(`${what} must be a string, a Buffer or another view of bytes`, typeof value);
}

function namespaceWord(name) {
  if (typeof name !== "string" || !/^[A-Za-z0-9_.-]{1,64}$/.test(name)) {
    refuse("a namespace must be 1 to 64 of A-Z a-z 0-9 _ . -", name);
  }
  return name;
}

function escapeByte(character) {
  return `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`;
}

function keyWord(key) {
  if (typeof key === "string" && /^[!-[\]-~]{1,1024}$/.test(key)) {
    return key;
  }
  const word = bytesOf("a key", key).toString("latin1")
    .replace(/[\0-\x20\x7f]|\\(?=x[0-9A-Fa-f]{2})/g, escapeByte);
  if (word.length < 1 || word.length > KEY_MAX) {
    throw new KvcachedArgumentError(
      `a key must have 1 to ${KEY_MAX} bytes as it is sent, not ${word.length}`);
  }
  return word;
}

function keyBytes(word) {
  return Buffer.from(word.replace(/\\x([0-9A-Fa-f]{2})/g,
    (_, digits) => String.fromCharCode(parseInt(digits, 16))), "latin1");
}

// A key of a reply, as a string, or as a Buffer where the caller wants bytes.
function keyOf(word, encoding) {
  if (encoding === "utf8" && /^[!-[\]-~]*$/.test(word)) {
    return word;
  }
  const bytes = keyBytes(word);
  return encoding === "buffer" ? bytes : bytes.toString(encoding);
}

// What is sent as it is: a pattern, a user, a secret.
function plainWord(what, value) {
  const word = bytesOf(what, value).toString("latin1");
  if (!/^[^\0-\x20\x7f]+$/.test(word)) {
    throw new KvcachedArgumentError(
      `${what} must have at least one byte, and neither space nor control characters`);
  }
  return word;
}

// A time to live in milliseconds; the namespace's own where there is none.
function ttlWord(ttl) {
  if (ttl === undefined || ttl === null) {
    return "-";
  }
  if (ttl === Infinity || ttl === "never") {
    return "never";
  }
  if (typeof ttl !== "number" || !(ttl > 0) || ttl > Number.MAX_SAFE_INTEGER) {
    refuse("a ttl must be a number of milliseconds above 0, or Infinity", ttl);
  }
  return `${Math.ceil(ttl)}ms`;
}

function numberWord(by) {
  const whole = typeof by === "bigint" || Number.isSafeInteger(by);
  if (!whole || by < 0 || by > NUMBER_MAX) {
    refuse(`a number must be whole, from 0 to ${NUMBER_MAX}`, by);
  }
  return String(by);
}

function flagsWords(flags) {
  if (flags === undefined || flags === 0) {
    return "";
  }
  if (!Number.isInteger(flags) || flags < 0 || flags > FLAGS_MAX) {
    refuse(`flags must be a whole number from 0 to ${FLAGS_MAX}`, flags);
  }
  return ` ${flags}`;
}

// A number of 64 bits, or null where the text is none.
function numberOf(text) {
  const number = /^[0-9]{1,20}$/.test(text) ? BigInt(text) : null;
  return number === null || number > NUMBER_MAX ? null : number;
}

// `seconds.mmm` as milliseconds, `never` as Infinity; null where the text is neither.
function ttlOf(text) {
  if (text === "never") {
    return Infinity;
  }
  return /^[0-9]{1,12}\.[0-9]{3}$/.test(text) ? Number(text.replace(".", "")) : null;
}

module.exports = {
  bytesOf,
  flagsWords,
  keyOf,
  keyWord,
  namespaceWord,
  numberOf,
  numberWord,
  plainWord,
  ttlOf,
  ttlWord,
  utf8,
};
