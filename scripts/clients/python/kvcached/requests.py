"""The requests of the native protocol: for each operation its bytes, and what answers it.

Every argument is checked here, before a byte is sent: a key is data, and must never become a word
or a line of its own.
"""

from __future__ import annotations

import math
import re
from datetime import timedelta
from typing import (Any, Callable, Dict, Generic, Iterable, List, Mapping, Optional, Tuple,
                    TypeVar, Union)

from . import replies
from .errors import ArgumentError
from .replies import Reply

T = TypeVar("T")
Bytes = Union[bytes, bytearray, memoryview]
Text = Union[str, Bytes]


class Never:
    """The time to live of what does not expire."""

    def __repr__(self) -> str:
        return "kvcached.NEVER"

    def __reduce__(self) -> str:
        return "NEVER"


NEVER = Never()

# In seconds; NEVER; or None for the namespace's own.
Ttl = Union[None, int, float, timedelta, Never]

# What a record still has.
TimeLeft = Union[None, float, Never]

KEY_MAX = 1024
FLAGS_MAX = 2 ** 32 - 1

_NAMESPACE = re.compile(r"[A-Za-z0-9_.-]{1,64}\Z")
_BLANK = re.compile(rb"[\x00-\x20\x7f]")
_ESCAPED = re.compile(rb"[\x00-\x20\x7f]|\\(?=x[0-9a-fA-F]{2})")


class Request(Generic[T]):
    """Bytes to be sent, and how to make what reads the reply. `reads` says that the request changes
    nothing, so that it may be sent again when its reply was lost."""

    __slots__ = ("data", "reply", "reads")

    def __init__(self, data: bytes, reply: Callable[[], Reply], reads: bool = False) -> None:
        self.data = data
        self.reply = reply
        self.reads = reads


# --- words -------------------------------------------------------------------------------------


def to_bytes(text: Text) -> bytes:
    """Bytes as they are, text in UTF-8. Text that came from a reply becomes what it was."""
    if isinstance(text, str):
        try:
            return text.encode("utf-8", "surrogateescape")
        except UnicodeEncodeError as error:
            raise ArgumentError(f"text that has no UTF-8: {error}") from None
    if isinstance(text, (bytes, bytearray, memoryview)):
        return bytes(text)
    raise TypeError(f"expected str or bytes, not {type(text).__name__}")


def namespace_word(namespace: str) -> bytes:
    if not isinstance(namespace, str):
        raise TypeError(f"a namespace is a str, not {type(namespace).__name__}")
    if not _NAMESPACE.match(namespace):
        raise ArgumentError(f"a namespace is 1 to 64 of A-Z a-z 0-9 _ . - : {namespace!r}")
    return namespace.encode("ascii")


def key_word(key: Text) -> bytes:
    word = _ESCAPED.sub(lambda found: b"\\x%02x" % found[0][0], to_bytes(key))
    if not 1 <= len(word) <= KEY_MAX:
        raise ArgumentError(f"a key has 1 to {KEY_MAX} bytes as it is sent, not {len(word)}")
    return word


def plain_word(text: Text, what: str) -> bytes:
    """A word that is sent as it is: a pattern, a user, a secret."""
    word = to_bytes(text)
    if not word or _BLANK.search(word):
        raise ArgumentError(f"{what} that is empty, or has a space or a control character")
    return word


def ttl_word(ttl: Ttl) -> bytes:
    if ttl is None:
        return b"-"
    if ttl is NEVER:
        return b"never"
    if isinstance(ttl, timedelta):
        milliseconds = -(-ttl // timedelta(milliseconds=1))
    elif isinstance(ttl, int) and not isinstance(ttl, bool):
        milliseconds = ttl * 1000
    elif isinstance(ttl, float):
        milliseconds = _milliseconds(ttl)
    else:
        raise TypeError(f"a ttl is seconds, a timedelta, NEVER or None, not {ttl!r}")
    if milliseconds < 1:
        raise ArgumentError(f"a ttl that is over already: {ttl!r}; NEVER is without an end")
    return b"%dms" % milliseconds


def _milliseconds(seconds: float) -> int:
    """Rounded up; but 0.07 seconds are 70 milliseconds, though the product is a little more."""
    if not math.isfinite(seconds):
        raise ArgumentError(f"a ttl that is no time: {seconds!r}; NEVER is without an end")
    return max(math.ceil(round(seconds * 1000, 6)), 1 if seconds > 0 else 0)


def number_word(number: int, most: int = replies.NUMBER_MAX) -> bytes:
    if isinstance(number, bool) or not isinstance(number, int):
        raise TypeError(f"expected an int, not {type(number).__name__}")
    if not 0 <= number <= most:
        raise ArgumentError(f"a number from 0 to {most} is wanted, not {number}")
    return b"%d" % number


def keys_of(keys: Iterable[Any]) -> List[Any]:
    if isinstance(keys, (str, bytes, bytearray, memoryview)):
        raise TypeError("expected several keys, not one")
    return list(keys)


# --- requests ----------------------------------------------------------------------------------


def _store(verb: bytes, namespace: bytes, key: Text, value: Text, ttl: bytes, flags: int) -> bytes:
    body = to_bytes(value)
    last = b" " + number_word(flags, FLAGS_MAX) if flags else b""
    head = b" ".join((verb, namespace, key_word(key), ttl, b"%d" % len(body)))
    return b"".join((head, last, b"\r\n", body, b"\r\n"))


def _stored() -> Reply:
    return replies.Word({b"STORED": None})


def put(namespace: str, key: Text, value: Text, ttl: Ttl = None, flags: int = 0) -> Request[None]:
    data = _store(b"PUT", namespace_word(namespace), key, value, ttl_word(ttl), flags)
    return Request(data, _stored)


def put_many(namespace: str, records: Mapping[Any, Text], ttl: Ttl = None) -> Request[None]:
    ns, word, count = namespace_word(namespace), ttl_word(ttl), len(records)
    data = b"".join([_store(b"PUT", ns, key, value, word, 0) for key, value in records.items()])
    if not count:
        return Request(b"", lambda: replies.Nothing(None))
    return Request(data, lambda: replies.Each([_stored() for _ in range(count)],
                                              of=lambda _: None, go_on=True))


def add(namespace: str, key: Text, value: Text, ttl: Ttl = None, flags: int = 0) -> Request[bool]:
    data = _store(b"ADD", namespace_word(namespace), key, value, ttl_word(ttl), flags)
    return Request(data, lambda: replies.Word({b"STORED": True, b"EXISTS": False}))


def get(namespace: str, key: Text) -> Request[Optional[bytes]]:
    data = b"GET %b %b\r\n" % (namespace_word(namespace), key_word(key))
    return Request(data, replies.Value, reads=True)


def get_many(namespace: str, keys: Iterable[Any]) -> Request[Dict[Any, bytes]]:
    asked = keys_of(keys)
    words = [namespace_word(namespace), *map(key_word, asked)]

    def of(values: List[Optional[bytes]]) -> Dict[Any, bytes]:
        return {key: value for key, value in zip(asked, values) if value is not None}
    if not asked:
        return Request(b"", lambda: replies.Nothing({}), reads=True)
    return Request(b"GET %b\r\n" % b" ".join(words),
                   lambda: replies.Each([replies.Value() for _ in asked], of), reads=True)


def _deleted() -> Reply:
    return replies.Word({b"DELETED": True, b"NOT_FOUND": False})


def delete(namespace: str, key: Text) -> Request[bool]:
    return Request(b"DEL %b %b\r\n" % (namespace_word(namespace), key_word(key)), _deleted)


def delete_many(namespace: str, keys: Iterable[Text]) -> Request[List[bool]]:
    words = [namespace_word(namespace), *map(key_word, keys_of(keys))]
    count = len(words) - 1
    if not count:
        return Request(b"", lambda: replies.Nothing([]))
    return Request(b"DEL %b\r\n" % b" ".join(words),
                   lambda: replies.Each([_deleted() for _ in range(count)], list))


def touch(namespace: str, key: Text, ttl: Ttl = None) -> Request[bool]:
    data = b"TOUCH %b %b %b\r\n" % (namespace_word(namespace), key_word(key), ttl_word(ttl))
    return Request(data, lambda: replies.Word({b"TOUCHED": True, b"NOT_FOUND": False}))


def ttl(namespace: str, key: Text) -> Request[TimeLeft]:
    data = b"TTL %b %b\r\n" % (namespace_word(namespace), key_word(key))
    return Request(data, lambda: replies.TimeLeft(lambda left: left / 1000, NEVER), reads=True)


def count(verb: bytes, namespace: str, key: Text, by: int) -> Request[Optional[int]]:
    data = b"%b %b %b %b\r\n" % (verb, namespace_word(namespace), key_word(key), number_word(by))
    return Request(data, lambda: replies.Number(b"NUMBER", or_not_found=True))


def incr(namespace: str, key: Text, by: int = 1) -> Request[Optional[int]]:
    return count(b"INCR", namespace, key, by)


def decr(namespace: str, key: Text, by: int = 1) -> Request[Optional[int]]:
    return count(b"DECR", namespace, key, by)


def _listing(verb: bytes, namespace: str, pattern: Optional[Text]) -> bytes:
    last = b"" if pattern is None else b" " + plain_word(pattern, "a pattern")
    return b"%b %b%b\r\n" % (verb, namespace_word(namespace), last)


def list_keys(namespace: str, pattern: Optional[Text] = None) -> Request[List[str]]:
    return Request(_listing(b"LIST", namespace, pattern), replies.Keys, reads=True)


def all_records(namespace: str, pattern: Optional[Text] = None) -> Request[List[Tuple[str, bytes]]]:
    return Request(_listing(b"ALL", namespace, pattern), replies.Records, reads=True)


def flush(namespace: str) -> Request[int]:
    return Request(b"FLUSH %b\r\n" % namespace_word(namespace),
                   lambda: replies.Number(b"FLUSHED", or_not_found=False))


def stats(namespace: Optional[str] = None) -> Request[Optional[Dict[str, str]]]:
    last = b"" if namespace is None else b" " + namespace_word(namespace)
    return Request(b"STATS%b\r\n" % last, replies.Figures, reads=True)


def auth(user: Text, secret: Text) -> Request[bool]:
    data = b"AUTH %b %b\r\n" % (plain_word(user, "a user"), plain_word(secret, "a secret"))
    return Request(data, replies.Login, reads=True)


def ping() -> Request[None]:
    return Request(b"PING\r\n", lambda: replies.Word({b"PONG": None}), reads=True)


def version() -> Request[str]:
    return Request(b"VERSION\r\n", lambda: replies.Text(b"VERSION"), reads=True)
