// connection.js - one connection: requests are written as they come, replies matched in order.
//
// Where the order cannot be relied upon any longer (a reply that no request can have, a request
// whose time is over) the connection is closed. It is never opened again, and repeats nothing.
"use strict";

const net = require("node:net");
const tls = require("node:tls");
const { KvcachedClosedError, KvcachedConnectError, KvcachedProtocolError, KvcachedTimeoutError,
  refusal } = require("./errors");
const { Queue } = require("./queue");
const { ReplyReader } = require("./reader");
const requests = require("./requests");

// Why a request has no reply, for its caller.
function broken(request, reason) {
  const unknown = request.isRead ? "" : "; it is not known whether the request was executed";
  const message = `the connection was closed before the reply: ${reason.message}${unknown}`;
  return new KvcachedClosedError(message, { cause: reason, outcomeUnknown: !request.isRead });
}

// The configuration has changed the user's secret since the login. Only the text tells.
function mustLogIn(reply) {
  return reply.word === "CLIENT_ERROR" && reply.rest.startsWith("authenticate first");
}

class Connection {
  #endpoint;
  #socket = null;
  #reader = new ReplyReader();
  #outstanding = new Queue();
  #closed = null; // why
  #corked = false;
  #abandon = null; // while it is being opened

  constructor(endpoint) {
    this.#endpoint = endpoint;
    this.hasAnswered = false;
    // Called once, with the reason and the requests that have no reply, none of which is settled.
    this.onClosed = (reason, unanswered) => {
      for (const request of unanswered) {
        request.finish();
        request.reject(broken(request, reason));
      }
    };
  }

  get isOpen() {
    return this.#closed === null;
  }

  // Connects, and authenticates where there is a user. Called once.
  async open() {
    const { connectTimeout, name, user, secret } = this.#endpoint;
    if (this.#closed !== null) {
      throw this.#closed;
    }
    let timer = null;
    const abandoned = new Promise((_, reject) => {
      this.#abandon = reject;
      timer = setTimeout(() => this.destroy(
        new KvcachedTimeoutError(`no connection within ${connectTimeout} ms`)), connectTimeout);
    });
    try {
      await Promise.race([this.#connect(), abandoned]);
      if (user !== undefined) {
        await Promise.race([this.send(requests.auth(user, secret)), abandoned]);
      }
    } catch (error) {
      this.destroy(error);
      const why = `cannot connect to ${name}: ${error.message || error.code}`;
      throw error.code === "DENIED" ? error : new KvcachedConnectError(why, error);
    } finally {
      clearTimeout(timer);
      this.#abandon = null;
    }
  }

  #connect() {
    return new Promise((resolve) => {
      const { socket: where, tls: secure } = this.#endpoint;
      const socket = secure === null ? net.connect(where)
        : tls.connect({ ...where, ...secure });
      this.#socket = socket;
      socket.setNoDelay(true);
      socket.once(secure === null ? "connect" : "secureConnect", () => {
        socket.unref();
        resolve();
      });
      socket.on("data", (chunk) => this.#onData(chunk));
      socket.on("end", () => this.destroy(new Error("the other side closed it")));
      socket.on("error", (error) => this.destroy(error));
      socket.on("close", () => this.destroy(new Error("the socket was closed")));
    });
  }

  // Returns the request's promise. The connection must be open.
  send(request) {
    const idle = this.#outstanding.length === 0;
    request.holder = this;
    request.prepare();
    this.#outstanding.push(request);
    if (idle) {
      this.#socket.ref();
    }
    if (!this.#corked) {
      this.#corked = true;
      this.#socket.cork();
      process.nextTick(() => this.#uncork());
    }
    for (const chunk of request.chunks) {
      this.#socket.write(chunk);
    }
    return request.promise;
  }

  // What one turn of the event loop sends leaves in one write.
  #uncork() {
    this.#corked = false;
    this.#socket.uncork();
  }

  pause() {
    this.#socket.pause();
  }

  resume() {
    this.#socket.resume();
  }

  // What comes later would be taken for the reply to another request.
  expired(request) {
    const unknown = request.isRead ? "" : "; it is not known whether the request was executed";
    const error = new KvcachedTimeoutError(`no reply in time${unknown}`,
      { outcomeUnknown: !request.isRead });
    request.reject(error);
    this.destroy(new Error("a request before had no reply in time"));
  }

  // The reply still comes, and has to be taken.
  aborted() {}

  destroy(reason) {
    if (this.#closed !== null) {
      return;
    }
    this.#closed = reason;
    this.#abandon?.(reason);
    this.#socket?.destroy();
    const unanswered = [];
    for (const request of this.#outstanding.drain()) {
      if (request.isSettled) {
        request.finish();
      } else {
        unanswered.push(request);
      }
    }
    this.onClosed(reason, unanswered);
  }

  #onData(chunk) {
    this.#reader.push(chunk);
    try {
      let reply;
      while (this.#closed === null && (reply = this.#reader.next()) !== null) {
        this.#deliver(reply);
      }
    } catch (error) {
      if (!(error instanceof KvcachedProtocolError)) {
        throw error;
      }
      this.#misled(error);
    }
  }

  // By a reply that belongs to no request.
  #misled(error) {
    const request = this.#outstanding.peek();
    if (request !== undefined) {
      error.outcomeUnknown = !request.isRead;
      request.reject(error);
    }
    this.destroy(error);
  }

  #deliver(reply) {
    const request = this.#outstanding.peek();
    if (request === undefined) {
      this.destroy(refusal(reply) ?? new KvcachedProtocolError("a reply without a request"));
      return;
    }
    if (!request.accept(reply)) {
      return;
    }
    this.hasAnswered = true;
    this.#outstanding.shift().finish();
    if (this.#endpoint.user !== undefined && mustLogIn(reply)) {
      this.destroy(new Error("the user has to authenticate again"));
    } else if (this.#outstanding.length === 0) {
      this.#socket.unref();
    }
  }
}

module.exports = { Connection, broken };
