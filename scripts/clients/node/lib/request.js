// request.js - one request: its bytes, how its replies become a result, and the promise of it.
//
// A request is held by what has to send it, or by the connection that awaits its replies; the
// holder is told when its time is over or its caller aborts. A request that was aborted after it
// was sent is settled, but not finished: its replies still come, and are dropped.
"use strict";

const { KvcachedProtocolError, refusal } = require("./errors");

const TIMER_MAX = 2 ** 31 - 1; // milliseconds; Node's timers take no more
const PENDING = Symbol("more replies belong to the request");

function unexpected(reply) {
  const line = reply.rest === "" ? reply.word : `${reply.word} ${reply.rest}`;
  return new KvcachedProtocolError(
    `a reply that the request cannot have: ${JSON.stringify(line.slice(0, 80))}`);
}

class Request {
  #expect;
  #take = null;
  #resolve;
  #reject;
  #timer = null;
  #signal = null;
  #onAbort = null;

  // expect() makes a function that is given one reply after another, and returns PENDING or the
  // result; it throws unexpected(reply) for what it cannot be given.
  constructor(chunks, expect, isRead) {
    this.chunks = chunks;
    this.isRead = isRead;
    this.holder = null; // has expired(request) and aborted(request)
    this.deadline = Infinity; // milliseconds of performance.now()
    this.wasRepeated = false;
    this.isSettled = false;
    this.#expect = expect;
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  // timeout: milliseconds from now to the last byte of the reply; above TIMER_MAX there is none.
  start({ timeout = Infinity, signal = null } = {}) {
    if (timeout <= TIMER_MAX) {
      this.deadline = performance.now() + timeout;
      this.#timer = setTimeout(() => this.#expire(), timeout);
    }
    if (signal) {
      this.#signal = signal;
      this.#onAbort = () => {
        this.reject(signal.reason);
        this.holder.aborted(this);
      };
      signal.addEventListener("abort", this.#onAbort, { once: true });
    }
    return this;
  }

  // Before each time that it is sent.
  prepare() {
    this.#take = this.#expect();
  }

  // Whether the reply was the last one of the request.
  accept(reply) {
    const error = refusal(reply);
    if (error !== null) {
      this.reject(error);
      return true;
    }
    const result = this.#take(reply);
    if (result === PENDING) {
      return false;
    }
    this.#settle(this.#resolve, result);
    return true;
  }

  // Where the process was busy, the reply may be here and unread: it is read first.
  #expire() {
    this.#timer = setImmediate(() => this.holder.expired(this));
  }

  reject(error) {
    this.#settle(this.#reject, error);
  }

  // No holder has it any longer.
  finish() {
    clearTimeout(this.#timer);
    clearImmediate(this.#timer);
    this.#forget();
  }

  #settle(settle, what) {
    if (!this.isSettled) {
      this.isSettled = true;
      this.#forget();
      settle(what);
    }
  }

  #forget() {
    if (this.#signal !== null) {
      this.#signal.removeEventListener("abort", this.#onAbort);
      this.#signal = null;
    }
  }
}

module.exports = { PENDING, Request, unexpected };
