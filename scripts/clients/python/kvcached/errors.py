"""What can go wrong, as exceptions. All of them are KvcachedError."""

from __future__ import annotations


class KvcachedError(Exception):
    """Any error of this package.

    outcome_unknown tells whether a write was on its way when the connection failed: the daemon may
    have carried it out, or not. Where it is False, nothing was written.
    """

    outcome_unknown = False


class ArgumentError(KvcachedError, ValueError):
    """The call cannot be sent: an empty key, a namespace with a space. Nothing was sent."""


class ReplyError(KvcachedError):
    """The daemon refused the request; the message is the daemon's. The connection goes on."""


class ClientError(ReplyError):
    """CLIENT_ERROR: something is wrong with the request, or the user may not do this."""


class ServerError(ReplyError):
    """SERVER_ERROR: the daemon could not do it, for want of memory for instance."""


class UnknownVerbError(ReplyError):
    """ERROR: the daemon does not know the verb; it is older than this client."""


class AuthenticationError(KvcachedError):
    """The daemon denied the user or the secret."""


class ProtocolError(KvcachedError):
    """What came is no reply to this request. The connection was closed."""


class Disconnected(KvcachedError, ConnectionError):
    """No connection could be made, or it ended before the reply did."""


class TimedOut(KvcachedError, TimeoutError):
    """The reply did not come in time, or no connection. The connection was closed."""
