"""A cache for Django:

    CACHES = {"default": {
        "BACKEND": "kvcached.django.KvcachedCache",
        "LOCATION": "127.0.0.1:7171",       # or the path of a Unix socket
        "OPTIONS": {"namespace": "shop"},
    }}

and sessions in a namespace of their own, see kvcached.django.sessions.
"""

from .cache import KvcachedCache

__all__ = ["KvcachedCache"]
