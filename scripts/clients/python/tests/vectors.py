"""Reads vectors.txt, and says what its calls are in this client."""

import os
import re

from kvcached import (NEVER, ArgumentError, AuthenticationError, ClientError, Disconnected,
                      ProtocolError, ServerError, UnknownVerbError, requests)
from kvcached.requests import to_bytes

PATH = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "vectors.txt")

_STRING = re.compile(r'"((?:[^"\\]|\\.)*)"')
_WORD = re.compile(r'"(?:[^"\\]|\\.)*"|[^\s"]+')
_LETTERS = {"r": "\r", "n": "\n", "t": "\t", '"': '"', "\\": "\\"}

FIELDS = {"name", "call", "result", "send", "reply", "given", "then", "daemon"}

ERRORS = {"argument": ArgumentError, "client": ClientError, "server": ServerError,
          "unknown": UnknownVerbError, "denied": AuthenticationError, "protocol": ProtocolError,
          "closed": Disconnected}


def string(word):
    """The bytes that a string of the file stands for."""
    found = _STRING.fullmatch(word)
    if not found:
        raise ValueError(f"no string: {word}")

    def character(escape):
        letter = escape[1]
        return _LETTERS[letter] if letter in _LETTERS else chr(int(letter[1:], 16))
    return re.sub(r"\\(x[0-9a-fA-F]{2}|.)", character, found[1]).encode("latin-1")


class Vector:
    """One of them: `calls` and `results` as their words, `send`, `reply` and `given` as bytes."""

    def __init__(self, fields):
        self.name = fields["name"][0]
        self.calls = fields["call"]
        self.results = fields["result"]
        self.send = b"".join(map(string, fields["send"]))
        self.reply = b"".join(map(string, fields["reply"]))
        self.given = b"".join(map(string, fields.get("given", [])))
        self.closes = fields.get("then") == ["closed"]
        self.daemon = fields.get("daemon", ["yes"])[0]
        unknown = set(fields) - FIELDS
        if unknown or len(self.calls) != len(self.results):
            raise ValueError(f"vector {self.name}: {unknown or 'calls and results do not match'}")

    def requests(self):
        return [request_of(call) for call in self.calls]


def read():
    vectors, fields = [], {}
    with open(PATH, encoding="ascii") as file:
        for line in [*file.read().split("\n"), ""]:
            if line.startswith("#"):
                continue
            if line:
                name, _, value = line.partition(":")
                fields.setdefault(name, []).append(value.strip())
            elif fields:
                vectors.append(Vector(fields))
                fields = {}
    return vectors


def _options(words):
    options = dict(word.split("=", 1) for word in words)
    if "ttl" in options:
        ttl = options["ttl"]
        options["ttl"] = NEVER if ttl == "never" else int(ttl) / 1000
    return {name: int(value) if name in ("by", "flags") else value
            for name, value in options.items()}


def call_of(call):
    """The name of an operation of vectors.txt, and its arguments for this client."""
    operation, *words = _WORD.findall(call)
    options = _options([word for word in words if not word.startswith('"')])
    strings = [string(word) for word in words if word.startswith('"')]
    if operation == "auth":
        return operation, strings, options
    if strings:
        strings[0] = strings[0].decode("latin-1")
    if operation == "put_many":
        strings[1:] = [dict(zip(strings[1::2], strings[2::2]))]
    elif operation in ("get_many", "delete_many"):
        strings[1:] = [strings[1:]]
    return operation, strings, options


def request_of(call):
    operation, arguments, options = call_of(call)
    function = {"list": "list_keys", "all": "all_records"}.get(operation, operation)
    return getattr(requests, function)(*arguments, **options)


def _wanted(result):
    """The kind of a result of vectors.txt, and the values behind it."""
    kind, *words = _WORD.findall(result)
    read_word = {"not_found": None, "true": True, "false": False}
    return kind, [string(word) if word.startswith('"') else read_word.get(word, word)
                  for word in words]


def matches(call, wanted, got):
    """Whether the result, or the exception, is the one that the vector wants."""
    operation, arguments, _ = call_of(call)
    kind, values = _wanted(wanted)
    if kind == "error":
        if type(got) is not ERRORS[values[0]]:
            return False
        return len(values) == 1 or to_bytes(str(got)) == values[1]
    if isinstance(got, Exception):
        return False
    if kind in ("true", "false"):
        return got is (kind == "true")
    if kind in ("ok", "not_found"):
        return got is (True if operation == "auth" else None)
    if kind in ("value", "text"):
        return got == (values[0].decode() if kind == "text" else values[0])
    if kind == "number":
        return type(got) is int and got == int(values[0])
    if kind == "ttl":
        return got is NEVER if values == ["never"] else got == int(values[0]) / 1000
    if kind == "values":
        return got == {key: value for key, value in zip(arguments[1], values) if value is not None}
    if kind == "flags":
        return got == values
    if kind == "list":
        return [to_bytes(key) for key in got] == values
    if kind == "records":
        return [part for key, value in got for part in (to_bytes(key), value)] == values
    if kind == "pairs":
        return [to_bytes(part) for pair in got.items() for part in pair] == values
    raise ValueError(f"unknown result: {wanted}")
