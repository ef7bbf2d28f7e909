// reconnecting.js - a connection that is made when there is something to send, and made again after
// it was lost, with growing pauses between attempts that fail.
//
// A request waits for the next attempt where that comes within its time, and otherwise fails at
// once. Of those whose reply was lost, reads are sent again, once; nothing else ever is.
"use strict";

const { KvcachedConnectError, KvcachedTimeoutError } = require("./errors");
const { Connection, broken } = require("./connection");

class ReconnectingConnection {
  #options;
  #connection = null;
  #waiting = new Set(); // requests that have not been sent, in their order
  #isOpening = false;
  #failures = 0; // attempts in a row
  #retryAt = 0; // milliseconds of performance.now()
  #retryTimer = null;
  #lastError = null;
  #isClosed = false;

  constructor(options) {
    this.#options = options;
  }

  // Takes a request that was started.
  submit(request) {
    if (!this.#isOpening && this.#connection !== null) {
      this.#connection.send(request);
      return;
    }
    request.holder = this;
    this.#waiting.add(request);
    this.#open();
  }

  // Of a request that waits.
  expired(request) {
    this.#reject(request, this.#lastError ??
      new KvcachedTimeoutError("no connection in time; the request was not sent"));
  }

  aborted(request) {
    this.#waiting.delete(request);
    request.finish();
  }

  close(reason) {
    this.#isClosed = true;
    clearTimeout(this.#retryTimer);
    this.#rejectAll(reason, () => true);
    this.#connection?.destroy(reason);
  }

  #reject(request, error) {
    this.#waiting.delete(request);
    request.finish();
    request.reject(error);
  }

  #rejectAll(error, isMeant) {
    for (const request of this.#waiting) {
      if (isMeant(request)) {
        this.#reject(request, error);
      }
    }
  }

  // Now, or when the pause is over.
  #open() {
    if (this.#isOpening || this.#isClosed) {
      return;
    }
    const pause = this.#retryAt - performance.now();
    if (pause <= 0) {
      this.#attempt();
      return;
    }
    this.#rejectAll(this.#lastError, (request) => request.deadline <= this.#retryAt);
    if (this.#waiting.size > 0 && this.#retryTimer === null) {
      this.#retryTimer = setTimeout(() => {
        this.#retryTimer = null;
        this.#open();
      }, Math.ceil(pause));
    }
  }

  async #attempt() {
    if (this.#waiting.size === 0) {
      return;
    }
    const connection = new Connection(this.#options);
    this.#isOpening = true;
    this.#connection = connection;
    connection.onClosed = () => {};
    try {
      await connection.open();
    } catch (error) {
      this.#isOpening = false;
      this.#connection = null;
      this.#failed(error);
      return;
    }
    this.#isOpening = false;
    this.#lastError = null;
    connection.onClosed = (reason, unanswered) => this.#lost(connection, reason, unanswered);
    this.#sendWaiting();
  }

  #sendWaiting() {
    for (const request of this.#waiting) {
      this.#waiting.delete(request);
      this.#connection.send(request);
    }
  }

  #failed(error) {
    this.#pause(error);
    if (error.code === "DENIED") {
      this.#rejectAll(error, () => true);
    }
    this.#open();
  }

  // Pauses are chosen by chance between half of the longest and that, so that many clients do not
  // all come at once.
  #pause(error) {
    const { retryDelay, maxRetryDelay } = this.#options;
    const longest = Math.min(maxRetryDelay, retryDelay * 2 ** this.#failures);
    this.#failures++;
    this.#lastError = error;
    this.#retryAt = performance.now() + longest * (0.5 + Math.random() / 2);
  }

  #lost(connection, reason, unanswered) {
    this.#connection = null;
    if (connection.hasAnswered) {
      this.#failures = 0;
    } else {
      this.#pause(new KvcachedConnectError(
        `${this.#options.name} closed a connection: ${reason.message}`, reason));
    }
    for (const request of unanswered) {
      this.#repeatOrReject(request, reason);
    }
    if (this.#waiting.size > 0) {
      this.#open();
    }
  }

  #repeatOrReject(request, reason) {
    if (this.#options.repeatReads && request.isRead && !request.wasRepeated && !this.#isClosed) {
      request.wasRepeated = true;
      request.holder = this;
      this.#waiting.add(request);
    } else {
      request.finish();
      request.reject(broken(request, reason));
    }
  }
}

module.exports = { ReconnectingConnection };
