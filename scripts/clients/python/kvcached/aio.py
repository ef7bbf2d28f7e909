"""The client for asyncio: the same operations, awaited."""

from __future__ import annotations

import asyncio
from collections import deque
from types import TracebackType
from typing import Any, Deque, Dict, Iterable, List, Mapping, Optional, Sequence, Tuple, Type

from . import requests
from .errors import Disconnected, KvcachedError, TimedOut
from .pipeline import PipelineBase
from .replies import Parser, Reply
from .requests import Request, T, Text, TimeLeft, Ttl
from .settings import Address, Batch, Settings, Tls, results_of, time_left


class Connection(asyncio.Protocol):
    """One connection, of one task at a time. When it has failed it is closed."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._parser = Parser()
        self._transport: Optional[asyncio.WriteTransport] = None
        self._waiter: Optional["asyncio.Future[None]"] = None
        self._failed: Optional[KvcachedError] = None
        self._closed = self._loop.create_future()

    @classmethod
    async def open(cls, settings: Settings, deadline: Optional[float]) -> "Connection":
        """Connects, and authenticates."""
        try:
            connection = await asyncio.wait_for(cls._connect(settings), time_left(deadline))
        except asyncio.TimeoutError as error:
            raise TimedOut(f"{settings}: timed out") from error
        except OSError as error:
            raise Disconnected(f"{settings}: {error}") from error
        try:
            if settings.login is not None:
                login = Batch([settings.login])
                await connection.exchange(login, deadline)
                login.replies[0].take()
        except BaseException:
            connection.close()
            raise
        return connection

    @classmethod
    async def _connect(cls, settings: Settings) -> "Connection":
        loop = asyncio.get_running_loop()
        hostname = settings.server_hostname if settings.tls else None
        if settings.path is not None:
            return (await loop.create_unix_connection(
                cls, settings.path, ssl=settings.tls, server_hostname=hostname))[1]
        return (await loop.create_connection(
            cls, settings.host, settings.port, ssl=settings.tls, server_hostname=hostname))[1]

    def is_usable(self) -> bool:
        return self._failed is None

    def close(self) -> None:
        self._fail(Disconnected("the connection was closed"))

    async def wait_closed(self) -> None:
        await self._closed

    async def exchange(self, batch: Batch, deadline: Optional[float]) -> None:
        """Sends it and reads the replies; those that came before an exception are there too."""
        batch.expect(self._parser)
        timer = None
        try:
            if self._failed is not None:
                raise Disconnected("the connection was closed before")
            self._waiter = self._loop.create_future()
            left = time_left(deadline)
            if left is not None:
                timer = self._loop.call_later(left, self._fail, TimedOut("timed out"))
            batch.sent = True
            assert self._transport is not None
            self._transport.write(batch.data)
            await self._waiter
        except KvcachedError as error:
            batch.mark(error)
            raise
        finally:
            self._waiter = None
            if timer is not None:
                timer.cancel()

    def _fail(self, error: KvcachedError) -> None:
        if self._failed is None:
            self._failed = error
            if self._transport is not None:
                self._transport.abort()
            if self._waiter is not None and not self._waiter.done():
                self._waiter.set_exception(error)

    # --- what the event loop calls --------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]
        if self._failed is not None:
            self._transport.abort()  # type: ignore[union-attr]

    def data_received(self, data: bytes) -> None:
        if self._failed is not None:
            return
        try:
            self._parser.feed(data)
        except KvcachedError as error:
            self._fail(error)
            return
        if self._parser.idle and self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def eof_received(self) -> bool:
        self._fail(self._parser.end())
        return False

    def connection_lost(self, error: Optional[Exception]) -> None:
        lost = self._parser.end()
        if error is not None:
            lost = Disconnected(f"the connection broke: {error}")
            lost.__cause__ = error
        self._fail(lost)
        if not self._closed.done():
            self._closed.set_result(None)


class Pool:
    """At most `size` connections, of one event loop. Tasks that wait for one get it in order."""

    def __init__(self, settings: Settings, size: int) -> None:
        if size < 1:
            raise ValueError("a pool has at least one connection")
        self.settings = settings
        self.size = size
        self.closed = False
        self._idle: List[Connection] = []
        self._waiting: Deque["asyncio.Future[None]"] = deque()
        self._count = 0
        self._loop: Optional[asyncio.AbstractEventLoop] = None

    async def acquire(self, deadline: Optional[float]) -> Connection:
        """A connection, an idle one or a new one."""
        await self._take_slot(deadline)
        try:
            while self._idle:
                connection = self._idle.pop()
                if connection.is_usable():
                    return connection
            return await Connection.open(self.settings, deadline)
        except BaseException:
            self._give_slot()
            raise

    def release(self, connection: Connection, good: bool) -> None:
        """Gives it back; where it is not good it is closed."""
        if good and not self.closed:
            self._idle.append(connection)
        else:
            connection.close()
        self._give_slot()

    async def close(self) -> None:
        """Closes those that are idle, and each that is used when it is given back."""
        self.closed = True
        for waiter in self._waiting:
            if not waiter.done():
                waiter.set_exception(Disconnected("the client is closed"))
        idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()
        for connection in idle:
            await connection.wait_closed()

    async def _take_slot(self, deadline: Optional[float]) -> None:
        if self.closed:
            raise Disconnected("the client is closed")
        self._check_loop()
        if self._count < self.size:
            self._count += 1
            return
        await self._wait_for_slot(deadline)

    def _check_loop(self) -> None:
        """Connections are those of the event loop that made them."""
        loop = asyncio.get_running_loop()
        if self._loop is None:
            self._loop = loop
        elif self._loop is not loop:
            raise RuntimeError("a kvcached.aio.Client belongs to one event loop: make another one")

    async def _wait_for_slot(self, deadline: Optional[float]) -> None:
        loop = asyncio.get_running_loop()
        waiter = loop.create_future()
        left = time_left(deadline)
        timer = None
        if left is not None:
            timer = loop.call_later(left, self._give_up, waiter)
        self._waiting.append(waiter)
        try:
            await waiter
        except asyncio.CancelledError:
            if waiter.done() and not waiter.cancelled() and waiter.exception() is None:
                self._give_slot()  # it was this task's already
            raise
        finally:
            if timer is not None:
                timer.cancel()
            if waiter in self._waiting:
                self._waiting.remove(waiter)

    def _give_up(self, waiter: "asyncio.Future[None]") -> None:
        if not waiter.done():
            waiter.set_exception(TimedOut(f"none of {self.size} connections became free"))

    def _give_slot(self) -> None:
        while self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_result(None)
                return
        self._count -= 1


class Client:
    """A client of one daemon, for the tasks of one event loop. Its arguments, operations and
    promises are those of kvcached.Client. A task that is cancelled in the middle of a call closes
    that call's connection."""

    def __init__(self, address: Address = "127.0.0.1:7171", *, user: Optional[Text] = None,
                 secret: Optional[Text] = None, tls: Tls = None,
                 server_hostname: Optional[str] = None, timeout: Optional[float] = 5.0,
                 max_connections: int = 16) -> None:
        self._settings = Settings(address, user, secret, tls, server_hostname, timeout)
        self._pool = Pool(self._settings, max_connections)

    async def __aenter__(self) -> "Client":
        return self

    async def __aexit__(self, kind: Optional[Type[BaseException]], error: Optional[BaseException],
                        traceback: Optional[TracebackType]) -> None:
        await self.close()

    def __repr__(self) -> str:
        return f"<kvcached.aio.Client of {self._settings}>"

    async def close(self) -> None:
        """Closes all connections; calls after it fail."""
        await self._pool.close()

    def pipeline(self) -> "Pipeline":
        """Several requests that are sent at once, on one connection, in order."""
        return Pipeline(self)

    # --- writing -------------------------------------------------------------------------------

    async def put(self, namespace: str, key: Text, value: Text, ttl: Ttl = None, *,
                  flags: int = 0) -> None:
        """Stores a value in place of any older one."""
        await self._call(requests.put(namespace, key, value, ttl, flags))

    async def put_many(self, namespace: str, records: Mapping[Any, Text], ttl: Ttl = None) -> None:
        """Stores several values at once. An exception is that of the first one that was refused;
        the others were stored."""
        await self._call(requests.put_many(namespace, records, ttl))

    async def add(self, namespace: str, key: Text, value: Text, ttl: Ttl = None, *,
                  flags: int = 0) -> bool:
        """Stores a value unless there is one; tells whether it did."""
        return await self._call(requests.add(namespace, key, value, ttl, flags))

    async def delete(self, namespace: str, key: Text) -> bool:
        """Deletes a record; tells whether there was one."""
        return await self._call(requests.delete(namespace, key))

    async def delete_many(self, namespace: str, keys: Iterable[Text]) -> List[bool]:
        """Deletes several records; tells of each whether there was one."""
        return await self._call(requests.delete_many(namespace, keys))

    async def touch(self, namespace: str, key: Text, ttl: Ttl = None) -> bool:
        """Gives a record a new time to live, counted from now; tells whether there is one."""
        return await self._call(requests.touch(namespace, key, ttl))

    async def incr(self, namespace: str, key: Text, by: int = 1) -> Optional[int]:
        """Adds to a number, in one step; the new one, or None where there is no record."""
        return await self._call(requests.incr(namespace, key, by))

    async def decr(self, namespace: str, key: Text, by: int = 1) -> Optional[int]:
        """Subtracts from a number, down to 0; the new one, or None where there is no record."""
        return await self._call(requests.decr(namespace, key, by))

    async def flush(self, namespace: str) -> int:
        """Deletes all records of a namespace; how many there were."""
        return await self._call(requests.flush(namespace))

    # --- reading -------------------------------------------------------------------------------

    async def get(self, namespace: str, key: Text) -> Optional[bytes]:
        """A value, or None where there is no record."""
        return await self._call(requests.get(namespace, key))

    async def get_many(self, namespace: str, keys: Iterable[Any]) -> Dict[Any, bytes]:
        """The values of those keys that there are."""
        return await self._call(requests.get_many(namespace, keys))

    async def ttl(self, namespace: str, key: Text) -> TimeLeft:
        """How many seconds a record still lives, as a float; NEVER; or None where there is none."""
        return await self._call(requests.ttl(namespace, key))

    async def list(self, namespace: str, pattern: Optional[Text] = None) -> List[str]:
        """The keys of a namespace, or those that match."""
        return await self._call(requests.list_keys(namespace, pattern))

    async def all(self, namespace: str, pattern: Optional[Text] = None) -> List[Tuple[str, bytes]]:
        """The keys and values of a namespace, or of those keys that match."""
        return await self._call(requests.all_records(namespace, pattern))

    async def stats(self, namespace: Optional[str] = None) -> Optional[Dict[str, str]]:
        """The figures of the daemon, or of a namespace; None where there is no such namespace."""
        return await self._call(requests.stats(namespace))

    async def ping(self) -> None:
        """Returns when the daemon answers."""
        await self._call(requests.ping())

    async def version(self) -> str:
        """What the daemon is, such as "kvcached 0.1.0"."""
        return await self._call(requests.version())

    # --- how -----------------------------------------------------------------------------------

    async def _call(self, request: Request[T]) -> T:
        result: T = (await self._run([request]))[0].take()
        return result

    async def _run(self, asked: Sequence[Request[Any]]) -> Sequence[Reply]:
        """Sends the requests and returns their replies, which may be errors."""
        batch = Batch(asked)
        if not batch.data:
            return [request.reply() for request in asked]
        deadline = self._settings.deadline()
        connection = await self._pool.acquire(deadline)
        try:
            await self._exchange(connection, batch, deadline)
        except Disconnected:
            if not batch.may_be_repeated():
                raise
            connection = await self._pool.acquire(deadline)
            await self._exchange(connection, batch, deadline)
        return batch.replies

    async def _exchange(self, connection: Connection, batch: Batch,
                        deadline: Optional[float]) -> None:
        good = False
        try:
            await connection.exchange(batch, deadline)
            good = True
        finally:
            self._pool.release(connection, good)


class Pipeline(PipelineBase):
    """Requests that are sent at once:

        pipeline = client.pipeline().get("pages", "index").incr("hits", "index")
        found, count = await pipeline.execute()
    """

    def __init__(self, client: Client) -> None:
        super().__init__()
        self._client = client

    async def execute(self, *, raise_errors: bool = True) -> List[Any]:
        """Sends what was collected; the results, in order. When all have come, the first error is
        raised, or, with raise_errors=False, errors are in the list."""
        taken = self._take()
        return results_of(await self._client._run(taken), raise_errors) if taken else []
