"""The client for threads."""

from __future__ import annotations

from types import TracebackType
from typing import Any, Dict, Iterable, List, Mapping, Optional, Sequence, Tuple, Type

from . import requests
from .errors import Disconnected
from .pipeline import PipelineBase
from .replies import Reply
from .requests import Request, T, Text, TimeLeft, Ttl
from .settings import Address, Batch, Settings, Tls, results_of
from .wire import Connection, Pool


class Client:
    """A client of one daemon, for any number of threads.

    address             "HOST:PORT", "[IPV6]:PORT", the path of a Unix socket, or (HOST, PORT)
    user, secret        where the daemon has users
    tls                 True for certificates that the system trusts, a file with those that are
                        trusted, or an ssl.SSLContext
    server_hostname     the name in the daemon's certificate, where it is not HOST
    timeout             seconds for a call as a whole, connecting included; None for any time
    max_connections     how many there are at most; a call waits for one, within its timeout

    Connections are made when they are needed. One that broke is closed; the next call makes
    another. A request that only reads is sent a second time when its connection broke; one that
    writes never is, and its exception says in outcome_unknown whether it may have been done.

    A ttl is in seconds, or a timedelta, NEVER, or None for what the namespace has. Keys and values
    are bytes, or str, which stands for its UTF-8. Values are returned as bytes, and keys as str.
    """

    def __init__(self, address: Address = "127.0.0.1:7171", *, user: Optional[Text] = None,
                 secret: Optional[Text] = None, tls: Tls = None,
                 server_hostname: Optional[str] = None, timeout: Optional[float] = 5.0,
                 max_connections: int = 16) -> None:
        self._settings = Settings(address, user, secret, tls, server_hostname, timeout)
        self._pool = Pool(self._settings, max_connections)

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, kind: Optional[Type[BaseException]], error: Optional[BaseException],
                 traceback: Optional[TracebackType]) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<kvcached.Client of {self._settings}>"

    def close(self) -> None:
        """Closes all connections; calls after it fail."""
        self._pool.close()

    def pipeline(self) -> "Pipeline":
        """Several requests that are sent at once, on one connection, in order."""
        return Pipeline(self)

    # --- writing -------------------------------------------------------------------------------

    def put(self, namespace: str, key: Text, value: Text, ttl: Ttl = None, *,
            flags: int = 0) -> None:
        """Stores a value in place of any older one."""
        self._call(requests.put(namespace, key, value, ttl, flags))

    def put_many(self, namespace: str, records: Mapping[Any, Text], ttl: Ttl = None) -> None:
        """Stores several values at once. An exception is that of the first one that was refused;
        the others were stored."""
        self._call(requests.put_many(namespace, records, ttl))

    def add(self, namespace: str, key: Text, value: Text, ttl: Ttl = None, *,
            flags: int = 0) -> bool:
        """Stores a value unless there is one; tells whether it did."""
        return self._call(requests.add(namespace, key, value, ttl, flags))

    def delete(self, namespace: str, key: Text) -> bool:
        """Deletes a record; tells whether there was one."""
        return self._call(requests.delete(namespace, key))

    def delete_many(self, namespace: str, keys: Iterable[Text]) -> List[bool]:
        """Deletes several records; tells of each whether there was one."""
        return self._call(requests.delete_many(namespace, keys))

    def touch(self, namespace: str, key: Text, ttl: Ttl = None) -> bool:
        """Gives a record a new time to live, counted from now; tells whether there is one."""
        return self._call(requests.touch(namespace, key, ttl))

    def incr(self, namespace: str, key: Text, by: int = 1) -> Optional[int]:
        """Adds to a number, in one step; the new one, or None where there is no record."""
        return self._call(requests.incr(namespace, key, by))

    def decr(self, namespace: str, key: Text, by: int = 1) -> Optional[int]:
        """Subtracts from a number, down to 0; the new one, or None where there is no record."""
        return self._call(requests.decr(namespace, key, by))

    def flush(self, namespace: str) -> int:
        """Deletes all records of a namespace; how many there were."""
        return self._call(requests.flush(namespace))

    # --- reading -------------------------------------------------------------------------------

    def get(self, namespace: str, key: Text) -> Optional[bytes]:
        """A value, or None where there is no record."""
        return self._call(requests.get(namespace, key))

    def get_many(self, namespace: str, keys: Iterable[Any]) -> Dict[Any, bytes]:
        """The values of those keys that there are."""
        return self._call(requests.get_many(namespace, keys))

    def ttl(self, namespace: str, key: Text) -> TimeLeft:
        """How many seconds a record still lives, as a float; NEVER; or None where there is none."""
        return self._call(requests.ttl(namespace, key))

    def list(self, namespace: str, pattern: Optional[Text] = None) -> List[str]:
        """The keys of a namespace, or those that match."""
        return self._call(requests.list_keys(namespace, pattern))

    def all(self, namespace: str, pattern: Optional[Text] = None) -> List[Tuple[str, bytes]]:
        """The keys and values of a namespace, or of those keys that match."""
        return self._call(requests.all_records(namespace, pattern))

    def stats(self, namespace: Optional[str] = None) -> Optional[Dict[str, str]]:
        """The figures of the daemon, or of a namespace; None where there is no such namespace."""
        return self._call(requests.stats(namespace))

    def ping(self) -> None:
        """Returns when the daemon answers."""
        self._call(requests.ping())

    def version(self) -> str:
        """What the daemon is, such as "kvcached 0.1.0"."""
        return self._call(requests.version())

    # --- how -----------------------------------------------------------------------------------

    def _call(self, request: Request[T]) -> T:
        result: T = self._run([request])[0].take()
        return result

    def _run(self, asked: Sequence[Request[Any]]) -> Sequence[Reply]:
        """Sends the requests and returns their replies, which may be errors."""
        batch = Batch(asked)
        if not batch.data:
            return [request.reply() for request in asked]
        deadline = self._settings.deadline()
        connection = self._pool.acquire(deadline)
        try:
            self._exchange(connection, batch, deadline)
        except Disconnected:
            if not batch.may_be_repeated():
                raise
            connection = self._pool.acquire(deadline)
            self._exchange(connection, batch, deadline)
        return batch.replies

    def _exchange(self, connection: Connection, batch: Batch, deadline: Optional[float]) -> None:
        good = False
        try:
            connection.exchange(batch, deadline)
            good = True
        finally:
            self._pool.release(connection, good)


class Pipeline(PipelineBase):
    """Requests that are sent at once:

        found, count = client.pipeline().get("pages", "index").incr("hits", "index").execute()
    """

    def __init__(self, client: Client) -> None:
        super().__init__()
        self._client = client

    def execute(self, *, raise_errors: bool = True) -> List[Any]:
        """Sends what was collected; the results, in order. When all have come, the first error is
        raised, or, with raise_errors=False, errors are in the list."""
        taken = self._take()
        return results_of(self._client._run(taken), raise_errors) if taken else []
