"""A client of HTTP listeners, and the search for tools that read their answers."""

import base64
import collections
import http.client
import os
import re
import shutil
import socket

from timing import seconds

Answer = collections.namedtuple("Answer", "status headers body")
SAMPLE = re.compile(r'^([a-zA-Z_:][a-zA-Z0-9_:]*)(\{.*\})? (\S+)$')


def basic(name, secret):
    word = base64.b64encode(f"{name}:{secret}".encode()).decode()
    return {"Authorization": f"Basic {word}"}


def dial(address, timeout=10):
    """A socket that is connected to (host, port) or a path."""
    made = socket.socket(socket.AF_UNIX if isinstance(address, str) else socket.AF_INET)
    made.settimeout(seconds(timeout))
    try:
        made.connect(address)
    except BaseException:
        made.close()
        raise
    return made


def fetch(address, path="/metrics", method="GET", headers=None, context=None, timeout=20):
    """One request on a connection of its own."""
    plain = dial(address, timeout)
    connection = http.client.HTTPConnection("localhost", timeout=seconds(timeout))
    connection.sock = plain if context is None else context.wrap_socket(plain)
    try:
        connection.request(method, path, headers=headers or {})
        answer = connection.getresponse()
        return Answer(answer.status, answer.headers, answer.read().decode())
    finally:
        connection.close()


def samples(text):
    """{'name{labels}': value} of /metrics."""
    found = {}
    for line in text.splitlines():
        if not line.startswith("#"):
            name, labels, value = SAMPLE.match(line).groups()
            assert name + (labels or "") not in found, line
            found[name + (labels or "")] = float(value)
    return found


def tool(name):
    """The path of a program, or None. TOOLS names more directories to search."""
    return shutil.which(name, path=os.pathsep.join(
        [os.environ.get("TOOLS", ""), os.environ.get("PATH", ""), "/usr/sbin"]))
