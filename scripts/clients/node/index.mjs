// index.mjs - the same client for import.
import client from "./index.js";

export const {
  Kvcached,
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
} = client;
