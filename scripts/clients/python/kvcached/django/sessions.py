"""Sessions in kvcached, in a namespace of their own: clearing the cache ends no session.

    SESSION_ENGINE = "kvcached.django.sessions"
    SESSION_CACHE_ALIAS = "default"         # a cache whose backend is KvcachedCache

The namespace is `session_namespace` of the cache's OPTIONS. A session lives as long as its cookie,
and goes away by itself.
"""

from __future__ import annotations

from typing import Any, Dict, Optional

from django.conf import settings
from django.contrib.sessions.backends.base import CreateError, SessionBase, UpdateError
from django.core.cache import caches
from django.core.exceptions import ImproperlyConfigured

from .. import ArgumentError, Client
from .cache import KvcachedCache

TRIES = 1000  # new keys that are tried; the first one is free but for a miracle


class SessionStore(SessionBase):
    """A session. What it holds is what Django's other engines store: signed, as text."""

    def __init__(self, session_key: Optional[str] = None) -> None:
        cache = caches[settings.SESSION_CACHE_ALIAS]
        if not isinstance(cache, KvcachedCache):
            raise ImproperlyConfigured("SESSION_CACHE_ALIAS names no cache of "
                                       "kvcached.django.KvcachedCache")
        self._client: Client = cache.client
        self._namespace: str = cache.session_namespace
        super().__init__(session_key)

    def load(self) -> Dict[str, Any]:
        data = None
        if self.session_key:
            try:
                data = self._client.get(self._namespace, self.session_key)
            except ArgumentError:
                pass  # a cookie can have any key; what cannot be sent is not there
        if data is None:
            self._session_key = None
            return {}
        loaded: Dict[str, Any] = self.decode(data.decode("ascii", "replace"))
        return loaded

    def exists(self, session_key: Optional[str]) -> bool:
        try:
            return bool(session_key) and \
                self._client.ttl(self._namespace, session_key or "") is not None
        except ArgumentError:
            return False

    def create(self) -> None:
        for _ in range(TRIES):
            self._session_key = self._get_new_session_key()
            try:
                self.save(must_create=True)
            except CreateError:
                continue
            self.modified = True
            return
        raise RuntimeError("no session key was free")

    def save(self, must_create: bool = False) -> None:
        if self.session_key is None:
            self.create()
            return
        data = self.encode(self._get_session(no_load=must_create))
        ttl = self.get_expiry_age()
        if ttl <= 0:
            self._client.delete(self._namespace, self.session_key)
        elif must_create:
            if not self._client.add(self._namespace, self.session_key, data, ttl):
                raise CreateError
        # A session that another request has deleted meanwhile stays deleted.
        elif not self._client.touch(self._namespace, self.session_key, ttl):
            raise UpdateError
        else:
            self._client.put(self._namespace, self.session_key, data, ttl)

    def delete(self, session_key: Optional[str] = None) -> None:
        key = session_key or self.session_key
        if key is not None:
            self._client.delete(self._namespace, key)

    @classmethod
    def clear_expired(cls) -> None:
        """Nothing: the daemon does it."""
