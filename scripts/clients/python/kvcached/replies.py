"""The replies of the native protocol, read a line at a time; and the parser that feeds them.

Nothing here knows of sockets: bytes are given to a Parser as they come, and complete replies are
taken from it. The parser knows which replies are expected, in order, since the first word of a
reply means something for the request that it answers and nothing for others.
"""

from __future__ import annotations

import re
from collections import deque
from typing import Any, Callable, Deque, List, Mapping, Optional, Sequence, Tuple

from .errors import (AuthenticationError, ClientError, Disconnected, KvcachedError, ProtocolError,
                     ReplyError, ServerError, UnknownVerbError)

LINE_MAX = 65536
NUMBER_MAX = 2 ** 64 - 1

_NUMBER = re.compile(rb"[0-9]{1,20}\Z")
_SECONDS = re.compile(rb"([0-9]{1,12})\.([0-9]{3})\Z")
_ESCAPE = re.compile(rb"\\x([0-9a-fA-F]{2})")
_REFUSALS = {b"CLIENT_ERROR": ClientError, b"SERVER_ERROR": ServerError, b"ERROR": UnknownVerbError}


def text_of(data: bytes) -> str:
    """Text that becomes the same bytes again, whatever they are."""
    return data.decode("utf-8", "surrogateescape")


def unescape_key(word: bytes) -> bytes:
    if b"\\x" not in word:
        return word
    return _ESCAPE.sub(lambda found: bytes((int(found[1], 16),)), word)


def unexpected(line: bytes) -> ProtocolError:
    return ProtocolError(f"not a reply to this request: {line[:100]!r}")


def read_number(word: bytes, line: bytes) -> int:
    if _NUMBER.match(word) and int(word) <= NUMBER_MAX:
        return int(word)
    raise unexpected(line)


def refusal(line: bytes) -> Optional[ReplyError]:
    """The error that the line is, or None."""
    word, _, text = line.partition(b" ")
    kind = _REFUSALS.get(word)
    return None if kind is None else kind(text.decode("utf-8", "replace"))


class Reply:
    """What one request is answered with.

    `line` takes the next line without its end, and returns how many bytes of a value follow, or
    None; `value` takes these. When `done` is set, either `error` or `result` is.
    """

    done = False
    error: Optional[KvcachedError] = None
    result: Any = None

    def line(self, line: bytes) -> Optional[int]:
        raise NotImplementedError

    def value(self, value: bytes) -> None:
        raise NotImplementedError

    def refuse(self, error: KvcachedError) -> None:
        """A line with an error came: nothing else comes."""
        self.error = error
        self.done = True

    def finish(self, result: Any) -> None:
        self.result = result
        self.done = True

    def take(self) -> Any:
        """The result, or the error as an exception."""
        if self.error is not None:
            raise self.error
        return self.result


class Nothing(Reply):
    """The answer to a request about no keys, which is not sent."""

    def __init__(self, result: Any) -> None:
        self.finish(result)


class Word(Reply):
    """A line that is one of a few words, each with its result."""

    def __init__(self, words: Mapping[bytes, Any]) -> None:
        self.words = words

    def line(self, line: bytes) -> Optional[int]:
        if line not in self.words:
            raise unexpected(line)
        self.finish(self.words[line])
        return None


class Login(Word):
    """OK or DENIED."""

    def __init__(self) -> None:
        super().__init__({b"OK": True, b"DENIED": False})

    def finish(self, result: Any) -> None:
        if not result:
            self.error = AuthenticationError("the daemon denied the user or the secret")
        super().finish(result)


class Value(Reply):
    """VALUE and the bytes, or NOT_FOUND, which is None."""

    def line(self, line: bytes) -> Optional[int]:
        if line == b"NOT_FOUND":
            self.finish(None)
            return None
        if not line.startswith(b"VALUE "):
            raise unexpected(line)
        return read_number(line[6:], line)

    def value(self, value: bytes) -> None:
        self.finish(value)


class Number(Reply):
    """The word with a number, or, where it is allowed, NOT_FOUND, which is None."""

    def __init__(self, word: bytes, or_not_found: bool) -> None:
        self.word = word
        self.or_not_found = or_not_found

    def line(self, line: bytes) -> Optional[int]:
        if self.or_not_found and line == b"NOT_FOUND":
            self.finish(None)
            return None
        word, _, number = line.partition(b" ")
        if word != self.word:
            raise unexpected(line)
        self.finish(read_number(number, line))
        return None


class TimeLeft(Reply):
    """TTL and seconds with three decimals, or never; or NOT_FOUND. Results in milliseconds."""

    def __init__(self, of: Callable[[int], Any], never: Any) -> None:
        self.of = of
        self.never = never

    def line(self, line: bytes) -> Optional[int]:
        seconds = _SECONDS.match(line[4:])
        if line == b"NOT_FOUND":
            self.finish(None)
        elif line == b"TTL never":
            self.finish(self.never)
        elif line.startswith(b"TTL ") and seconds:
            self.finish(self.of(int(seconds[1] + seconds[2])))
        else:
            raise unexpected(line)
        return None


class Text(Reply):
    """The word with text behind it."""

    def __init__(self, word: bytes) -> None:
        self.word = word

    def line(self, line: bytes) -> Optional[int]:
        word, space, text = line.partition(b" ")
        if word != self.word or not space:
            raise unexpected(line)
        self.finish(text_of(text))
        return None


class Keys(Reply):
    """KEY lines, then END."""

    def __init__(self) -> None:
        self.keys: List[str] = []

    def line(self, line: bytes) -> Optional[int]:
        if line == b"END":
            self.finish(self.keys)
            return None
        word, _, key = line.partition(b" ")
        if word != b"KEY" or not key:
            raise unexpected(line)
        self.keys.append(text_of(unescape_key(key)))
        return None


class Records(Reply):
    """RECORD lines with values, then END."""

    def __init__(self) -> None:
        self.records: List[Tuple[str, bytes]] = []
        self.key = ""

    def line(self, line: bytes) -> Optional[int]:
        if line == b"END":
            self.finish(self.records)
            return None
        words = line.split(b" ")
        if words[0] != b"RECORD" or len(words) != 3 or not words[1]:
            raise unexpected(line)
        self.key = text_of(unescape_key(words[1]))
        return read_number(words[2], line)

    def value(self, value: bytes) -> None:
        self.records.append((self.key, value))


class Figures(Reply):
    """STAT lines, then END; or NOT_FOUND, which is None."""

    def __init__(self) -> None:
        self.figures: dict[str, str] = {}

    def line(self, line: bytes) -> Optional[int]:
        words = line.split(b" ", 2)
        if line == b"END":
            self.finish(self.figures)
        elif line == b"NOT_FOUND" and not self.figures:
            self.finish(None)
        elif words[0] == b"STAT" and len(words) == 3:
            self.figures[text_of(words[1])] = text_of(words[2])
        else:
            raise unexpected(line)
        return None


class Each(Reply):
    """One reply after the other. An error is the last of them, or, with go_on, only the first
    one is kept and all of them come."""

    def __init__(self, replies: Sequence[Reply], of: Callable[[List[Any]], Any],
                 go_on: bool = False) -> None:
        self.left = deque(replies)
        self.of = of
        self.go_on = go_on
        self.results: List[Any] = []

    def line(self, line: bytes) -> Optional[int]:
        follows = self.left[0].line(line)
        self._step()
        return follows

    def value(self, value: bytes) -> None:
        self.left[0].value(value)
        self._step()

    def refuse(self, error: KvcachedError) -> None:
        if not self.go_on:
            super().refuse(error)
            return
        self.error = self.error or error
        self.left[0].refuse(error)
        self._step()

    def _step(self) -> None:
        if self.left[0].done:
            self.results.append(self.left.popleft().result)
        if not self.left:
            self.finish(None if self.error else self.of(self.results))


class Parser:
    """Bytes as they come in, replies as they are complete.

    After an exception it is of no use any more, and neither is the connection: what comes next
    cannot be told from what came.
    """

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._at = 0  # where the next line or value begins
        self._searched = 0  # up to here there is no line end
        self._expected: Deque[Reply] = deque()
        self._value: Optional[int] = None  # length of the value that comes next

    def expect(self, reply: Reply) -> None:
        """The next request was, or is about to be, sent."""
        self._expected.append(reply)

    @property
    def idle(self) -> bool:
        """Whether every reply has come."""
        return not self._expected

    def feed(self, data: bytes) -> None:
        """Takes what came; replies that are complete with it are done then."""
        self._buffer += data
        while self._expected and self._step():
            if self._expected[0].done:
                self._expected.popleft()
        if self._expected:
            self._drop_read()
        elif self._at < len(self._buffer):
            rest = bytes(self._buffer[self._at:self._at + 100])
            raise ProtocolError(f"more than was asked for: {rest!r}")
        else:
            self._buffer.clear()
            self._at = self._searched = 0

    def end(self) -> Disconnected:
        """The connection has ended; the error for replies that are not complete."""
        return Disconnected("the connection was closed before the reply was complete")

    def _drop_read(self) -> None:
        if self._at > LINE_MAX:
            del self._buffer[:self._at]
            self._searched = max(0, self._searched - self._at)
            self._at = 0

    def _step(self) -> bool:
        """Reads one line or value, if there is all of it."""
        if self._value is not None:
            return self._step_value(self._value)
        end = self._buffer.find(b"\n", max(self._at, self._searched))
        if end < 0:
            self._searched = len(self._buffer)
            if len(self._buffer) - self._at > LINE_MAX:
                raise unexpected(bytes(self._buffer[self._at:self._at + 100]))
            return False
        line = bytes(self._buffer[self._at:end + 1])
        self._at = self._searched = end + 1
        if not line.endswith(b"\r\n"):
            raise unexpected(line)
        self._take_line(self._expected[0], line[:-2])
        return True

    def _take_line(self, reply: Reply, line: bytes) -> None:
        error = refusal(line)
        if error is not None:
            reply.refuse(error)
        else:
            self._value = reply.line(line)

    def _step_value(self, length: int) -> bool:
        end = self._at + length
        if len(self._buffer) < end + 2:
            return False
        if self._buffer[end:end + 2] != b"\r\n":
            raise ProtocolError("no line end behind a value")
        value = bytes(self._buffer[self._at:end])
        self._at = self._searched = end + 2
        self._value = None
        self._expected[0].value(value)
        return True
