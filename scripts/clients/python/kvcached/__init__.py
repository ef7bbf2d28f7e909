"""A client of kvcached, a cache server with namespaces and exact times to live.

    cache = kvcached.Client("127.0.0.1:7171")
    cache.put("sessions", "alice", "hello", ttl=1800)
    cache.get("sessions", "alice")

kvcached.aio has the same for asyncio, kvcached.django a cache and sessions for Django.
"""

from .client import Client, Pipeline
from .errors import (ArgumentError, AuthenticationError, ClientError, Disconnected, KvcachedError,
                     ProtocolError, ReplyError, ServerError, TimedOut, UnknownVerbError)
from .requests import NEVER

__version__ = "0.1.0"

__all__ = ["ArgumentError", "AuthenticationError", "Client", "ClientError", "Disconnected",
           "KvcachedError", "NEVER", "Pipeline", "ProtocolError", "ReplyError", "ServerError",
           "TimedOut", "UnknownVerbError"]
