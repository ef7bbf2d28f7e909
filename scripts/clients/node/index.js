// index.js - the client. The session store for Express is kvcached/express-session.
"use strict";

const { Kvcached } = require("./lib/client");
const errors = require("./lib/errors");

module.exports = {
  Kvcached,
  KvcachedError: errors.KvcachedError,
  KvcachedArgumentError: errors.KvcachedArgumentError,
  KvcachedReplyError: errors.KvcachedReplyError,
  KvcachedClientError: errors.KvcachedClientError,
  KvcachedServerError: errors.KvcachedServerError,
  KvcachedUnknownVerbError: errors.KvcachedUnknownVerbError,
  KvcachedDeniedError: errors.KvcachedDeniedError,
  KvcachedProtocolError: errors.KvcachedProtocolError,
  KvcachedConnectError: errors.KvcachedConnectError,
  KvcachedClosedError: errors.KvcachedClosedError,
  KvcachedTimeoutError: errors.KvcachedTimeoutError,
  KvcachedRangeError: errors.KvcachedRangeError,
};
