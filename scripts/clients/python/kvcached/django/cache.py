"""The cache backend.

Keys live in one namespace, which `clear` empties: caches with the same namespace share their
records, as far as prefix and version are the same. Numbers are stored so that the daemon can count
with them, all else by `serializer`, which is pickle unless OPTIONS names another.
"""

from __future__ import annotations

import pickle
import threading
from datetime import timedelta
from typing import Any, Dict, Iterable, List, Mapping, Optional, Tuple

from django.core.cache.backends.base import DEFAULT_TIMEOUT, BaseCache
from django.utils.module_loading import import_string

from .. import NEVER, ArgumentError, Client, ClientError
from ..replies import NUMBER_MAX
from ..requests import Ttl, key_word, to_bytes

try:
    from django.core.cache.backends.base import InvalidCacheKey
except ImportError:  # an older Django
    InvalidCacheKey = ValueError

_clients: Dict[Any, Client] = {}
_lock = threading.Lock()


def client_of(location: str, options: Mapping[str, Any]) -> Client:
    """The process's client with these settings: Django makes a cache for each thread, but one pool
    serves them all."""
    made_with = location, tuple(sorted(options.items()))
    with _lock:
        if made_with not in _clients:
            _clients[made_with] = Client(location, **options)
        return _clients[made_with]


class Pickle:
    """What is used where OPTIONS has no serializer: something with dumps and loads."""

    @staticmethod
    def dumps(value: Any) -> bytes:
        return pickle.dumps(value, pickle.HIGHEST_PROTOCOL)

    loads = staticmethod(pickle.loads)


class KvcachedCache(BaseCache):
    """OPTIONS has `namespace` (default "django"), `session_namespace` (default "sessions"),
    `serializer`, and every argument of kvcached.Client."""

    def __init__(self, location: str, params: Dict[str, Any]) -> None:
        super().__init__(params)
        options = dict(params.get("OPTIONS") or {})
        for of_base in ("MAX_ENTRIES", "CULL_FREQUENCY"):
            options.pop(of_base, None)
        self.namespace = options.pop("namespace", "django")
        self.session_namespace = options.pop("session_namespace", "sessions")
        serializer = options.pop("serializer", Pickle)
        if isinstance(serializer, str):
            serializer = import_string(serializer)
        self._serializer = serializer() if isinstance(serializer, type) else serializer
        self.client = client_of(location or "127.0.0.1:7171", options)

    # --- keys, values and times ----------------------------------------------------------------

    def _key(self, key: str, version: Optional[int]) -> str:
        made = self.make_key(key, version=version)
        self.validate_key(made)
        try:
            key_word(made)
        except ArgumentError as error:
            raise InvalidCacheKey(str(error)) from None
        return made

    def _dumps(self, value: Any) -> bytes:
        if type(value) is int and 0 <= value <= NUMBER_MAX:
            return b"%d" % value
        return to_bytes(self._serializer.dumps(value))

    def _loads(self, data: bytes) -> Any:
        # No serializer makes only digits of what is no number: pickle begins with another byte,
        # and JSON means a number by them.
        return int(data) if data.isdigit() else self._serializer.loads(data)

    def _ttl(self, timeout: Any) -> Tuple[Ttl, bool]:
        """The time to live, and whether it is over before it begins."""
        if timeout is DEFAULT_TIMEOUT:
            timeout = self.default_timeout
        if timeout is None:
            return NEVER, False
        if isinstance(timeout, timedelta):
            timeout = timeout.total_seconds()
        return (timeout, False) if timeout > 0 else (None, True)

    # --- the operations of Django's caches ------------------------------------------------------

    def add(self, key: str, value: Any, timeout: Any = DEFAULT_TIMEOUT,
            version: Optional[int] = None) -> bool:
        made, (ttl, over) = self._key(key, version), self._ttl(timeout)
        if over:
            return self.client.ttl(self.namespace, made) is None
        return self.client.add(self.namespace, made, self._dumps(value), ttl)

    def get(self, key: str, default: Any = None, version: Optional[int] = None) -> Any:
        data = self.client.get(self.namespace, self._key(key, version))
        return default if data is None else self._loads(data)

    def set(self, key: str, value: Any, timeout: Any = DEFAULT_TIMEOUT,
            version: Optional[int] = None) -> None:
        made, (ttl, over) = self._key(key, version), self._ttl(timeout)
        if over:
            self.client.delete(self.namespace, made)
        else:
            self.client.put(self.namespace, made, self._dumps(value), ttl)

    def touch(self, key: str, timeout: Any = DEFAULT_TIMEOUT,
              version: Optional[int] = None) -> bool:
        made, (ttl, over) = self._key(key, version), self._ttl(timeout)
        if over:
            return self.client.delete(self.namespace, made)
        return self.client.touch(self.namespace, made, ttl)

    def delete(self, key: str, version: Optional[int] = None) -> bool:
        return self.client.delete(self.namespace, self._key(key, version))

    def has_key(self, key: str, version: Optional[int] = None) -> bool:
        return self.client.ttl(self.namespace, self._key(key, version)) is not None

    def get_many(self, keys: Iterable[str], version: Optional[int] = None) -> Dict[str, Any]:
        made = {self._key(key, version): key for key in keys}
        found = self.client.get_many(self.namespace, made)
        return {made[key]: self._loads(data) for key, data in found.items()}

    def set_many(self, data: Mapping[str, Any], timeout: Any = DEFAULT_TIMEOUT,
                 version: Optional[int] = None) -> List[str]:
        """An empty list: either all are stored, or there is an exception."""
        ttl, over = self._ttl(timeout)
        if over:
            self.delete_many(data, version)
        else:
            self.client.put_many(self.namespace, {self._key(key, version): self._dumps(value)
                                                  for key, value in data.items()}, ttl)
        return []

    def delete_many(self, keys: Iterable[str], version: Optional[int] = None) -> None:
        self.client.delete_many(self.namespace, [self._key(key, version) for key in keys])

    def incr(self, key: str, delta: int = 1, version: Optional[int] = None) -> int:
        """In one step, on the daemon. Its numbers have 64 bits: a decrement stops at 0. What was
        stored as another number, such as one below 0, is counted here, and not in one step."""
        made = self._key(key, version)
        count = self.client.decr if delta < 0 else self.client.incr
        try:
            number = count(self.namespace, made, abs(delta))
        except ClientError:
            number = self._incr_here(made, delta)
        if number is None:
            raise ValueError(f"Key '{key}' not found")
        return number

    def _incr_here(self, made: str, delta: int) -> Optional[int]:
        data, left = self.client.pipeline().get(self.namespace, made) \
            .ttl(self.namespace, made).execute()
        if data is None or left is None:
            return None
        number: int = self._loads(data) + delta
        self.client.put(self.namespace, made, self._dumps(number), left or 0.001)
        return number

    def decr(self, key: str, delta: int = 1, version: Optional[int] = None) -> int:
        return self.incr(key, -delta, version)

    def clear(self) -> None:
        """Empties the namespace, whatever the prefix and version of its keys; no other."""
        self.client.flush(self.namespace)

    def close(self, **kwargs: Any) -> None:
        """Nothing: Django calls it after each request, and connections serve many of them."""
