/// <reference types="node" />
import type { ConnectionOptions } from "node:tls";

/** Strings are sent in UTF-8. */
export type Bytes = string | Uint8Array;

export interface ConnectOptions {
  /** 127.0.0.1 by default. */
  host?: string;
  /** 7171 by default. */
  port?: number;
  /** Of a Unix socket, in place of host and port. */
  path?: string;
  /** true, or what node:tls takes: ca, cert, key, servername... */
  tls?: boolean | ConnectionOptions;
  user?: string;
  secret?: string;
  /** How many connections at most, listings not counted; 2 by default. */
  connections?: number;
  /** Milliseconds for a request, 2000 by default; Infinity is none. */
  timeout?: number;
  /** Milliseconds until a connection is there and authenticated, 5000 by default. */
  connectTimeout?: number;
  /** Milliseconds between the first attempts to connect, 50 by default; doubles each time. */
  retryDelay?: number;
  /** Milliseconds between attempts at most, 5000 by default. */
  maxRetryDelay?: number;
  /** Whether a read whose reply was lost is sent again, once; true by default. */
  repeatReads?: boolean;
}

export interface RequestOptions {
  /** Milliseconds; the client's by default. For list and all: of silence. */
  timeout?: number;
  /** An abort rejects the promise. Whether a write was executed is then not known. */
  signal?: AbortSignal;
}

export interface TtlOptions extends RequestOptions {
  /**
   * Milliseconds above 0, rounded up; Infinity: does not expire. Left out: the namespace's own,
   * which is not the same.
   */
  ttl?: number | "never";
}

export interface PutOptions extends TtlOptions {
  /** A number of 32 bits, which clients of memcached see with the value. */
  flags?: number;
}

export interface GetOptions extends RequestOptions {
  encoding?: undefined;
}

export interface GetStringOptions extends RequestOptions {
  encoding: BufferEncoding;
}

export interface KeyOptions {
  keyEncoding?: BufferEncoding;
}

export interface KeyBufferOptions {
  keyEncoding: "buffer";
}

export class Kvcached {
  /** `HOST:PORT`, `HOST`, `[ADDRESS]:PORT` or `/PATH`. Connects with the first request. */
  constructor(address: string, options?: ConnectOptions);
  constructor(options?: ConnectOptions);

  put(namespace: string, key: Bytes, value: Bytes, options?: PutOptions): Promise<void>;
  /** A request for each. All replies are awaited, then the first error is thrown. */
  putMany(namespace: string, entries: Iterable<readonly [Bytes, Bytes]>, options?: PutOptions): Promise<void>;
  /** False: there is such a record, which stays as it is. */
  add(namespace: string, key: Bytes, value: Bytes, options?: PutOptions): Promise<boolean>;

  /** undefined: there is no such record. */
  get(namespace: string, key: Bytes, options?: GetOptions): Promise<Buffer | undefined>;
  get(namespace: string, key: Bytes, options: BufferEncoding | GetStringOptions): Promise<string | undefined>;
  /** In the order of the keys. */
  getMany(namespace: string, keys: Iterable<Bytes>, options?: GetOptions): Promise<(Buffer | undefined)[]>;
  getMany(namespace: string, keys: Iterable<Bytes>, options: BufferEncoding | GetStringOptions): Promise<(string | undefined)[]>;

  /** False: there was no such record. */
  delete(namespace: string, key: Bytes, options?: RequestOptions): Promise<boolean>;
  deleteMany(namespace: string, keys: Iterable<Bytes>, options?: RequestOptions): Promise<boolean[]>;

  /** Milliseconds that are left, Infinity, or undefined: there is no such record. */
  ttl(namespace: string, key: Bytes, options?: RequestOptions): Promise<number | undefined>;
  /** False: there is no such record. */
  touch(namespace: string, key: Bytes, options?: TtlOptions): Promise<boolean>;

  /** The new number, or undefined: there is no such record. A bigint gives a bigint. */
  incr(namespace: string, key: Bytes, by?: number, options?: RequestOptions): Promise<number | undefined>;
  incr(namespace: string, key: Bytes, by: bigint, options?: RequestOptions): Promise<bigint | undefined>;
  /** Stops at 0. */
  decr(namespace: string, key: Bytes, by?: number, options?: RequestOptions): Promise<number | undefined>;
  decr(namespace: string, key: Bytes, by: bigint, options?: RequestOptions): Promise<bigint | undefined>;

  /** Keys, on a connection for them alone. One that is written meanwhile may come twice. */
  list(namespace: string, pattern?: Bytes, options?: RequestOptions & KeyOptions): AsyncGenerator<string, void, void>;
  list(namespace: string, pattern: Bytes | undefined, options: RequestOptions & KeyBufferOptions): AsyncGenerator<Buffer, void, void>;
  /** Keys and values. */
  all(namespace: string, pattern?: Bytes, options?: GetOptions & KeyOptions): AsyncGenerator<[string, Buffer], void, void>;
  all(namespace: string, pattern: Bytes | undefined, options: GetStringOptions & KeyOptions): AsyncGenerator<[string, string], void, void>;
  all(namespace: string, pattern: Bytes | undefined, options: GetOptions & KeyBufferOptions): AsyncGenerator<[Buffer, Buffer], void, void>;
  all(namespace: string, pattern: Bytes | undefined, options: GetStringOptions & KeyBufferOptions): AsyncGenerator<[Buffer, string], void, void>;

  /** Forgets all records of the namespace; how many there were. */
  flush(namespace: string, options?: RequestOptions): Promise<number>;
  /** Figures of the daemon. */
  stats(namespace?: undefined, options?: RequestOptions): Promise<Record<string, string>>;
  /** Figures of a namespace, or undefined: there is none of that name. */
  stats(namespace: string, options?: RequestOptions): Promise<Record<string, string> | undefined>;

  ping(options?: RequestOptions): Promise<void>;
  version(options?: RequestOptions): Promise<string>;

  /** Waits for the replies that are to come, then closes the connections. */
  close(): Promise<void>;
  /** Closes the connections; what waits for a reply fails. */
  destroy(): void;
}

/** All that a call fails with, but for an abort: that fails with the signal's reason. */
export class KvcachedError extends Error {
  readonly code: string;
  /** The request was sent, no reply came, and it may have been executed. */
  readonly outcomeUnknown: boolean;
}

/** The call asks for what cannot be sent, and nothing was. */
export class KvcachedArgumentError extends KvcachedError {
  readonly code: "ARGUMENT";
}

/** The daemon refuses; `text` says why. */
export class KvcachedReplyError extends KvcachedError {
  readonly code: "CLIENT_ERROR" | "SERVER_ERROR" | "ERROR";
  readonly text: string;
}

/** Something is wrong with the request. Sending it again does not help. */
export class KvcachedClientError extends KvcachedReplyError {
  readonly code: "CLIENT_ERROR";
}

/** The daemon could not do it. */
export class KvcachedServerError extends KvcachedReplyError {
  readonly code: "SERVER_ERROR";
}

/** The daemon is older than this client. */
export class KvcachedUnknownVerbError extends KvcachedReplyError {
  readonly code: "ERROR";
}

/** User or secret are wrong. */
export class KvcachedDeniedError extends KvcachedError {
  readonly code: "DENIED";
}

/** The reply is none that the request can have. The connection is closed. */
export class KvcachedProtocolError extends KvcachedError {
  readonly code: "PROTOCOL";
}

/** There was no connection; nothing was sent. `cause` says why. */
export class KvcachedConnectError extends KvcachedError {
  readonly code: "CONNECT";
}

/** The connection ended before the reply did, or the client was closed. */
export class KvcachedClosedError extends KvcachedError {
  readonly code: "CLOSED";
}

/** No reply in time. Where the request had been sent, its connection is closed. */
export class KvcachedTimeoutError extends KvcachedError {
  readonly code: "TIMEOUT";
}

/** The new number is stored; a JavaScript number cannot hold it. */
export class KvcachedRangeError extends KvcachedError {
  readonly code: "RANGE";
  readonly value: bigint;
}
