// listing.js - LIST and ALL as asynchronous iterators, which hold a few replies at a time.
//
// A listing has a connection for itself: while its reader pauses, so does the connection, and no
// other request waits behind it. It is opened with the first item that is asked for, and closed
// when the listing ends or is left.
"use strict";

const { KvcachedClosedError } = require("./errors");

// What has come and was not taken. It stops the connection while there is something.
class Sink {
  #items = [];
  #wake = null;

  constructor(connection) {
    this.connection = connection;
    this.isEnded = false;
    this.error = null;
  }

  push(item) {
    if (this.#items.length === 0) {
      this.connection.pause();
    }
    this.#items.push(item);
    this.#wake?.();
  }

  end(error) {
    this.isEnded = true;
    this.error = error;
    this.#wake?.();
  }

  take() {
    const items = this.#items;
    this.#items = [];
    return items;
  }

  async changed() {
    if (this.#items.length === 0 && !this.isEnded) {
      this.connection.resume();
      await new Promise((resolve) => {
        this.#wake = resolve;
      });
      this.#wake = null;
    }
  }
}

class Listing {
  #connection;
  #request;
  #sink;
  #options;

  // make(makeSink) makes the request. Options: timeout, of silence, in milliseconds; signal.
  constructor(connection, make, options) {
    this.#connection = connection;
    this.#sink = new Sink(connection);
    this.#request = make(() => this.#sink);
    this.#options = options;
    this.#request.promise.then(() => this.#sink.end(null), (error) => this.#sink.end(error));
  }

  // The items of it fail with the reason.
  stop(reason) {
    this.#request.reject(reason);
    this.#connection.destroy(new KvcachedClosedError("the listing was left"));
  }

  async *items() {
    const { signal } = this.#options;
    const onAbort = () => this.stop(signal.reason);
    signal?.addEventListener("abort", onAbort, { once: true });
    try {
      signal?.throwIfAborted();
      await this.#begin();
      for (;;) {
        yield* this.#taken();
        await this.#more();
        if (this.#sink.isEnded) {
          yield* this.#taken();
          break;
        }
      }
    } finally {
      signal?.removeEventListener("abort", onAbort);
      this.#connection.destroy(new KvcachedClosedError("the listing was left"));
    }
    if (this.#sink.error !== null) {
      throw this.#sink.error;
    }
  }

  *#taken() {
    for (const item of this.#sink.take()) {
      this.#options.signal?.throwIfAborted();
      yield item;
    }
  }

  async #begin() {
    try {
      await this.#connection.open();
    } catch (error) {
      throw this.#sink.error ?? error;
    }
    this.#connection.send(this.#request);
  }

  async #more() {
    const expire = () => this.#connection.expired(this.#request);
    // What is here and unread is read first, where the process was busy.
    let timer = setTimeout(() => {
      timer = setImmediate(expire);
    }, Math.min(this.#options.timeout, 2 ** 31 - 1));
    try {
      await this.#sink.changed();
    } finally {
      clearTimeout(timer);
      clearImmediate(timer);
    }
  }
}

module.exports = { Listing };
