"""Errors in each provider's own shape, so that clients show their message and do not try again."""

from __future__ import annotations

from typing import Any

import msgspec

from microloop_cli.gateway.model import Provider
from microloop_cli.gateway.wire.reading import text

# A limit of microloop's is told as 402, which is what each provider says when the money is gone.
LIMIT_STATUS = 402

_OPENAI = {
    400: ("invalid_request_error", "bad_request"),
    401: ("invalid_request_error", "invalid_api_key"),
    402: ("insufficient_quota", "insufficient_quota"),
    403: ("permission_error", "forbidden"),
    404: ("invalid_request_error", "not_found"),
    413: ("invalid_request_error", "request_too_large"),
    429: ("rate_limit_error", "rate_limit_exceeded"),
}
_ANTHROPIC = {
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    504: "timeout_error",
    529: "overloaded_error",
}
_GOOGLE = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    402: "FAILED_PRECONDITION",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    413: "INVALID_ARGUMENT",
    429: "RESOURCE_EXHAUSTED",
    501: "UNIMPLEMENTED",
    502: "UNAVAILABLE",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}


def encoded(value: Any) -> bytes:
    return msgspec.json.encode(value)


def error_of(provider: Provider, status: int, message: str) -> dict[str, Any]:
    """The provider's error object for an HTTP status, ready to be encoded."""
    message = text(message)
    if provider == "anthropic":
        fallback = "api_error" if status >= 500 else "invalid_request_error"
        return {"type": "error", "error": {"type": _ANTHROPIC.get(status, fallback), "message": message}}
    if provider == "google":
        named = _GOOGLE.get(status, "INTERNAL" if status >= 500 else "FAILED_PRECONDITION")
        return {"error": {"code": status, "message": message, "status": named}}
    unknown = ("server_error", "server_error") if status >= 500 else ("invalid_request_error", "bad_request")
    kind, code = _OPENAI.get(status, unknown)
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}
