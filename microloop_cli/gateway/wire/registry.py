"""All wire formats: reads a request, meters its answer, and says no in the provider's own words."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from microloop_cli.gateway.model import Asked, Billing, Meter, Provider, Surface
from microloop_cli.gateway.wire import chat, generate, messages, other, responses
from microloop_cli.gateway.wire.billing import billing, model_in_form
from microloop_cli.gateway.wire.estimate import input_tokens
from microloop_cli.gateway.wire.failures import encoded, error_of
from microloop_cli.gateway.wire.meters import ArrayMeter, BodyMeter, SilentMeter, StreamMeter
from microloop_cli.gateway.wire.places import Place, place, plain_path
from microloop_cli.gateway.wire.reading import text
from microloop_cli.gateway.wire.wire_format import Request, Wire

WIRES: dict[Surface, Wire] = {
    "chat": chat.WIRE,
    "responses": responses.WIRE,
    "messages": messages.WIRE,
    "generate": generate.WIRE,
}
# How an answer that is on no known surface ends: as its provider's others do.
_OTHER: dict[Provider, Wire] = {
    "openai": msgspec.structs.replace(other.WIRE, cut=chat.cut),
    "anthropic": msgspec.structs.replace(other.WIRE, cut=messages.cut),
    "google": msgspec.structs.replace(other.WIRE, cut=generate.cut),
}

_JSON_LINES = frozenset({"application/x-ndjson", "application/ndjson", "application/jsonl"})


def ask(method: str, path: str, headers: Mapping[str, str], body: bytes) -> Asked:
    """What a request asks for, and whether it may cost. A body that is no JSON object is left as it is, as
    surface "other".

    `path` is the request target, query and all. Never raises.
    """
    where = place(method, path, headers)
    if where.surface != "other":
        request = WIRES[where.surface].request(body)
        if request is not None:
            return _asked(where, where.surface, request, "metered")
        return _asked(where, "other", Request(body=body), "unreadable")
    request = other.read_request(body) or Request(body=body, model=model_in_form(body))
    plain = plain_path(text(path))
    return _asked(where, "other", request, billing(method, plain, bool(body), request.model or where.model))


def _asked(where: Place, surface: Surface, request: Request, billed: Billing) -> Asked:
    return Asked(
        provider=where.provider,
        surface=surface,
        model=request.model or where.model,
        stream=request.stream or where.streams,
        body=request.body,
        input_estimate_tokens=0 if billed == "free" else input_tokens(request.body),
        max_output_tokens=request.max_output_tokens,
        adds_usage=request.adds_usage,
        billing=billed,
        mode=request.mode,
        choices=request.choices,
    )


def meter(asked: Asked, status: int, content_type: str) -> Meter:
    """A meter for one answer. Errors cost nothing, nor does what was asked without a body (GET).

    What is streamed is told by the content type; where there is none, by what was asked.
    """
    if not 200 <= status < 300 or (asked.surface == "other" and not asked.body):
        return SilentMeter()
    wire = WIRES.get(asked.surface) or _OTHER[asked.provider]
    kind = content_type.partition(";")[0].strip().lower()
    is_json = kind == "application/json" or kind.endswith("+json")
    is_model_call = asked.surface != "other"
    if kind == "text/event-stream" or (is_model_call and asked.stream and not is_json):
        return StreamMeter(asked, wire.event)
    if (asked.surface == "generate" and asked.stream) or kind in _JSON_LINES:
        return ArrayMeter(asked, wire.event)
    return BodyMeter(asked, wire.answer)


def refusal(asked: Asked, status: int, message: str) -> tuple[str, bytes]:
    """Content type and body of an error answer with that HTTP status, in the provider's own shape."""
    return "application/json", encoded(error_of(asked.provider, status, message))


def cut(asked: Asked, message: str) -> bytes:
    """What is written to end a streamed answer in the middle, after what the meter has passed on, so that the
    client reports an error. Each surface's own `cut` says what its clients do with it.
    """
    wire = WIRES.get(asked.surface) or _OTHER[asked.provider]
    return wire.cut(message)
