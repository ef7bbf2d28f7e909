// errors.js - what a call can fail with. Each class has a code of its own, so that a caller needs
// neither the class nor the text to tell them apart.
"use strict";

class KvcachedError extends Error {
  // outcomeUnknown: the request was sent and may have been executed.
  constructor(message, code, { cause, outcomeUnknown = false } = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.outcomeUnknown = outcomeUnknown;
  }

  get name() {
    return this.constructor.name;
  }
}

// The caller asks for what no request can say. Nothing was sent.
class KvcachedArgumentError extends KvcachedError {
  constructor(message) {
    super(message, "ARGUMENT");
  }
}

// A refusal by the daemon. `text` is the reply without its first word.
class KvcachedReplyError extends KvcachedError {
  constructor(word, text) {
    super(text === "" ? word : `${word} ${text}`, word);
    this.text = text;
  }
}

// CLIENT_ERROR: something is wrong with the request, and sending it again does not help.
class KvcachedClientError extends KvcachedReplyError {}

// SERVER_ERROR: the daemon could not do it.
class KvcachedServerError extends KvcachedReplyError {}

// ERROR: the daemon is older than this client, and does not know the verb.
class KvcachedUnknownVerbError extends KvcachedReplyError {}

// DENIED: user or secret are wrong.
class KvcachedDeniedError extends KvcachedError {
  constructor() {
    super("the daemon denies the user: its name or the secret is wrong", "DENIED");
  }
}

// The reply is none that the request can have. The connection is closed.
class KvcachedProtocolError extends KvcachedError {
  constructor(message, options) {
    super(message, "PROTOCOL", options);
  }
}

// There was no connection to send the request on. Nothing of it was sent.
class KvcachedConnectError extends KvcachedError {
  constructor(message, cause) {
    super(message, "CONNECT", { cause });
  }
}

// The connection ended before the reply did, or the client was closed.
class KvcachedClosedError extends KvcachedError {
  constructor(message, options) {
    super(message, "CLOSED", options);
  }
}

// No reply within the time that the call has. The connection is closed where it was sent.
class KvcachedTimeoutError extends KvcachedError {
  constructor(message, options) {
    super(message, "TIMEOUT", options);
  }
}

// The new number is stored, and too large for a JavaScript number; `value` is it, as a bigint.
class KvcachedRangeError extends KvcachedError {
  constructor(value) {
    super(
      `${value} is stored, but a number holds integers to ${Number.MAX_SAFE_INTEGER} only: ` +
        "call with a bigint, as 1n, to get a bigint",
      "RANGE",
    );
    this.value = value;
  }
}

const refusals = {
  CLIENT_ERROR: KvcachedClientError,
  SERVER_ERROR: KvcachedServerError,
  ERROR: KvcachedUnknownVerbError,
};

// The error of a reply that refuses a request, or null where the reply is another.
function refusal(reply) {
  const Refusal = Object.hasOwn(refusals, reply.word) ? refusals[reply.word] : null;
  return Refusal === null ? null : new Refusal(reply.word, utf8(reply.rest));
}

// Lines of replies are read as one character a byte.
function utf8(line) {
  return Buffer.from(line, "latin1").toString("utf8");
}

module.exports = {
  KvcachedError,
  KvcachedArgumentError,
  KvcachedReplyError,
  KvcachedClientError,
  KvcachedServerError,
  KvcachedUnknownVerbError,
  KvcachedDeniedError,
  KvcachedProtocolError,
  KvcachedConnectError,
  KvcachedClosedError,
  KvcachedTimeoutError,
  KvcachedRangeError,
  refusal,
  utf8,
};
