// reader.js - bytes that come, cut into replies, however they were cut on their way.
//
// A reply is a line, and with VALUE and RECORD so many bytes behind it. What the words mean to a
// request is not known here. No memory is set aside for bytes that are only announced.
"use strict";

const { KvcachedProtocolError } = require("./errors");

const LINE_MAX = 65536; // bytes
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const NOTHING = Buffer.alloc(0);

class ReplyReader {
  #chunks = []; // what has come and was not read, the first one from #at
  #at = 0;
  #size = 0;
  #scanned = 0; // so many bytes from #at on hold no line feed
  #head = null; // the reply whose value has not come

  push(chunk) {
    if (chunk.length > 0) {
      this.#chunks.push(chunk);
      this.#size += chunk.length;
    }
  }

  // The next reply, { word, rest, value }, or null where it has not come as a whole. The value,
  // null or a Buffer, may be a view of what was pushed.
  next() {
    if (this.#head === null) {
      const line = this.#line();
      if (line === null) {
        return null;
      }
      const reply = cut(line);
      if (reply.length === -1) {
        return reply;
      }
      this.#head = reply;
    }
    return this.#withValue();
  }

  #withValue() {
    const reply = this.#head;
    const bytes = this.#take(reply.length + 2);
    if (bytes === null) {
      return null;
    }
    if (bytes[reply.length] !== CARRIAGE_RETURN || bytes[reply.length + 1] !== LINE_FEED) {
      throw new KvcachedProtocolError(`no line end behind the ${reply.length} bytes of a value`);
    }
    this.#head = null;
    reply.value = bytes.subarray(0, reply.length);
    return reply;
  }

  #line() {
    if (this.#size === 0) {
      return null;
    }
    this.#merge();
    const chunk = this.#chunks[0];
    const end = chunk.indexOf(LINE_FEED, this.#at + this.#scanned);
    if ((end === -1 ? this.#size : end - this.#at) > LINE_MAX) {
      throw new KvcachedProtocolError(`a line of more than ${LINE_MAX} bytes`);
    }
    if (end === -1) {
      this.#scanned = this.#size;
      return null;
    }
    if (end === this.#at || chunk[end - 1] !== CARRIAGE_RETURN) {
      throw new KvcachedProtocolError("a line without a carriage return at its end");
    }
    const line = chunk.latin1Slice(this.#at, end - 1);
    this.#skip(end + 1 - this.#at);
    this.#scanned = 0;
    return line;
  }

  #take(count) {
    if (this.#size < count) {
      return null;
    }
    if (this.#chunks[0].length - this.#at < count) {
      this.#merge();
    }
    const bytes = this.#chunks[0].subarray(this.#at, this.#at + count);
    this.#skip(count);
    return bytes;
  }

  #merge() {
    if (this.#chunks.length > 1) {
      this.#chunks[0] = this.#chunks[0].subarray(this.#at);
      this.#chunks = [Buffer.concat(this.#chunks, this.#size)];
      this.#at = 0;
    }
  }

  // Of the first chunk only.
  #skip(count) {
    this.#at += count;
    this.#size -= count;
    if (this.#at === this.#chunks[0].length) {
      this.#chunks.shift();
      this.#at = 0;
    }
  }
}

// `length` is that of the value which follows, or -1.
function cut(line) {
  const space = line.indexOf(" ");
  const word = space === -1 ? line : line.slice(0, space);
  const rest = space === -1 ? "" : line.slice(space + 1);
  if (word !== "VALUE" && word !== "RECORD") {
    return { word, rest, value: null, length: -1 };
  }
  const last = rest.lastIndexOf(" ");
  const length = rest.slice(last + 1);
  const words = last === -1 ? 1 : rest.indexOf(" ") === last && last > 0 ? 2 : 0;
  if (!/^[0-9]{1,15}$/.test(length) || words !== (word === "VALUE" ? 1 : 2)) {
    throw new KvcachedProtocolError(`not a reply: ${JSON.stringify(line.slice(0, 80))}`);
  }
  return { word, rest: rest.slice(0, Math.max(last, 0)), value: NOTHING, length: Number(length) };
}

module.exports = { ReplyReader };
