"""Several requests in one go: what the pipelines of both kinds of clients have in common."""

from __future__ import annotations

from typing import Any, Iterable, List, Mapping, Optional, TypeVar

from . import requests
from .requests import Request, Text, Ttl

Self = TypeVar("Self", bound="PipelineBase")


class PipelineBase:
    """Collects requests; nothing is sent before `execute`. Each method has the arguments of the
    client's, and returns the pipeline."""

    def __init__(self) -> None:
        self._requests: List[Request[Any]] = []

    def __len__(self) -> int:
        return len(self._requests)

    def _add(self: Self, request: Request[Any]) -> Self:
        self._requests.append(request)
        return self

    def _take(self) -> List[Request[Any]]:
        taken, self._requests = self._requests, []
        return taken

    def put(self: Self, namespace: str, key: Text, value: Text, ttl: Ttl = None, *,
            flags: int = 0) -> Self:
        return self._add(requests.put(namespace, key, value, ttl, flags))

    def put_many(self: Self, namespace: str, records: Mapping[Any, Text], ttl: Ttl = None) -> Self:
        return self._add(requests.put_many(namespace, records, ttl))

    def add(self: Self, namespace: str, key: Text, value: Text, ttl: Ttl = None, *,
            flags: int = 0) -> Self:
        return self._add(requests.add(namespace, key, value, ttl, flags))

    def get(self: Self, namespace: str, key: Text) -> Self:
        return self._add(requests.get(namespace, key))

    def get_many(self: Self, namespace: str, keys: Iterable[Any]) -> Self:
        return self._add(requests.get_many(namespace, keys))

    def delete(self: Self, namespace: str, key: Text) -> Self:
        return self._add(requests.delete(namespace, key))

    def delete_many(self: Self, namespace: str, keys: Iterable[Text]) -> Self:
        return self._add(requests.delete_many(namespace, keys))

    def touch(self: Self, namespace: str, key: Text, ttl: Ttl = None) -> Self:
        return self._add(requests.touch(namespace, key, ttl))

    def ttl(self: Self, namespace: str, key: Text) -> Self:
        return self._add(requests.ttl(namespace, key))

    def incr(self: Self, namespace: str, key: Text, by: int = 1) -> Self:
        return self._add(requests.incr(namespace, key, by))

    def decr(self: Self, namespace: str, key: Text, by: int = 1) -> Self:
        return self._add(requests.decr(namespace, key, by))

    def list(self: Self, namespace: str, pattern: Optional[Text] = None) -> Self:
        return self._add(requests.list_keys(namespace, pattern))

    def all(self: Self, namespace: str, pattern: Optional[Text] = None) -> Self:
        return self._add(requests.all_records(namespace, pattern))

    def flush(self: Self, namespace: str) -> Self:
        return self._add(requests.flush(namespace))

    def stats(self: Self, namespace: Optional[str] = None) -> Self:
        return self._add(requests.stats(namespace))

    def ping(self: Self) -> Self:
        return self._add(requests.ping())

    def version(self: Self) -> Self:
        return self._add(requests.version())
