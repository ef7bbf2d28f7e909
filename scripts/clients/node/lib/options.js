// options.js - what a client is told when it is made: where the daemon is, as what user, and times.
"use strict";

const net = require("node:net");
const { KvcachedArgumentError } = require("./errors");
const words = require("./words");

const PORT = 7171;

const numbers = {
  connections: 2,
  timeout: 2000, // milliseconds, as all times here
  connectTimeout: 5000,
  retryDelay: 50,
  maxRetryDelay: 5000,
};
const known = new Set(["host", "port", "path", "tls", "user", "secret", "repeatReads",
  ...Object.keys(numbers)]);

// `HOST:PORT`, `HOST`, `[ADDRESS]:PORT` or `/PATH`.
function parseAddress(address) {
  if (address.startsWith("/")) {
    return { path: address };
  }
  const parts = /^(?:\[([^[\]]+)\]|([^:[\]]+))(?::([0-9]{1,5}))?$/.exec(address);
  if (parts === null && net.isIPv6(address)) {
    return { host: address };
  }
  if (parts === null) {
    throw new KvcachedArgumentError(
      `an address must be HOST:PORT, HOST, [ADDRESS]:PORT or /PATH, not "${address}"`);
  }
  const host = parts[1] ?? parts[2];
  return parts[3] === undefined ? { host } : { host, port: Number(parts[3]) };
}

function positive(name, value, fallback) {
  if (value === undefined) {
    return fallback;
  }
  if (typeof value !== "number" || !(value > 0)) {
    throw new KvcachedArgumentError(`${name} must be a number above 0, not ${String(value)}`);
  }
  return value;
}

// What net.connect takes.
function socketOf({ host = "127.0.0.1", port = PORT, path }) {
  if (path !== undefined) {
    return { path };
  }
  if (!Number.isInteger(port) || port < 1 || port > 65535) {
    throw new KvcachedArgumentError(`a port must be from 1 to 65535, not ${String(port)}`);
  }
  return { host, port };
}

function nameOf({ path, host, port }) {
  return path ?? (net.isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`);
}

// What tls.connect takes besides, or null without TLS.
function tlsOf({ tls = false }, { host }) {
  if (tls === false) {
    return null;
  }
  const named = host === undefined || net.isIP(host) ? {} : { servername: host };
  return tls === true ? named : { ...named, ...tls };
}

// What has a user without a secret, or a secret that no request can hold, is refused now.
function userOf({ user, secret }) {
  if (user === undefined && secret === undefined) {
    return {};
  }
  words.plainWord("a user", user ?? "");
  words.plainWord("a secret", secret ?? "");
  return { user, secret };
}

// client(address), client(options) and client(address, options).
function readOptions(address, options = {}) {
  const given = typeof address === "string" ? { ...parseAddress(address), ...options }
    : { ...address };
  for (const name of Object.keys(given)) {
    if (!known.has(name)) {
      throw new KvcachedArgumentError(
        `there is no option ${name}; options are ${[...known].join(", ")}`);
    }
  }
  const socket = socketOf(given);
  const result = { socket, name: nameOf(socket), tls: tlsOf(given, socket),
    repeatReads: given.repeatReads ?? true, ...userOf(given) };
  for (const [name, fallback] of Object.entries(numbers)) {
    result[name] = positive(name, given[name], fallback);
  }
  if (!Number.isInteger(result.connections)) {
    throw new KvcachedArgumentError(`connections must be whole, not ${result.connections}`);
  }
  return result;
}

module.exports = { positive, readOptions };
