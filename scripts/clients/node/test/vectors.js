// vectors.js - reads vectors.txt, whose form is told at its top.
"use strict";

const fs = require("node:fs");
const path = require("node:path");

const ESCAPES = { r: "\r", n: "\n", t: "\t", '"': '"', "\\": "\\" };

function bytesOf(quoted) {
  const text = quoted.slice(1, -1).replace(/\\(x[0-9a-f]{2}|.)/gi, (_, escape) =>
    escape.length === 3 ? String.fromCharCode(parseInt(escape.slice(1), 16)) : ESCAPES[escape]);
  return Buffer.from(text, "latin1");
}

// Strings become Buffers, all else stays text.
function wordsOf(text) {
  return (text.match(/"(?:[^"\\]|\\.)*"|[^ "]+/g) ?? [])
    .map((word) => (word.startsWith('"') ? bytesOf(word) : word));
}

function callOf(text) {
  const [operation, ...rest] = wordsOf(text);
  const named = {};
  const given = [];
  for (const word of rest) {
    if (Buffer.isBuffer(word)) {
      given.push(word);
    } else {
      const [name, value] = word.split("=");
      named[name] = value;
    }
  }
  return { operation, given, named };
}

function vectorOf(block) {
  const vector = { name: "", given: [], call: [], send: [], reply: [], result: [] };
  for (const line of block) {
    const [, field, text] = /^([a-z]+): (.*)$/.exec(line);
    if (field === "call") {
      vector.call.push(callOf(text));
    } else if (field === "result") {
      vector.result.push(wordsOf(text));
    } else if (Array.isArray(vector[field])) {
      vector[field].push(bytesOf(text));
    } else {
      vector[field] = text;
    }
  }
  for (const field of ["given", "send", "reply"]) {
    vector[field] = Buffer.concat(vector[field]);
  }
  return vector;
}

function readVectors() {
  const text = fs.readFileSync(path.join(__dirname, "..", "vectors.txt"), "latin1");
  return text.split(/\n\n+/)
    .map((block) => block.split("\n").filter((line) => line !== "" && !line.startsWith("#")))
    .filter((block) => block.length > 0)
    .map(vectorOf);
}

module.exports = { readVectors };
