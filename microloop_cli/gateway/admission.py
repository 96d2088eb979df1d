"""Reads a request and lets it through or not: its key, its price, notes on its tool results."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

import msgspec

from microloop_cli.gateway.answering import error_answer
from microloop_cli.gateway.exchange import Exchange
from microloop_cli.gateway.following import Following
from microloop_cli.gateway.model import Asked
from microloop_cli.gateway.placeholders import shown_keys
from microloop_cli.gateway.spending import NOTHING, Refused
from microloop_cli.gateway.spent import Call
from microloop_cli.gateway.surroundings import Surroundings
from microloop_cli.gateway.wire.caps import capped
from microloop_cli.gateway.wire.estimate import input_tokens
from microloop_cli.gateway.wire.registry import ask
from microloop_cli.gateway.wire.tools.history import History

if TYPE_CHECKING:
    from aiohttp import web

T = TypeVar("T")
BAD_REQUEST, UNAUTHORIZED, PAYMENT_REQUIRED, FORBIDDEN, UNAVAILABLE = 400, 401, 402, 403, 503
# What is larger is read in a thread: it would hold up all that goes on in the loop.
READ_AT_ONCE_BYTES = 512 * 1024
_UNCOUNTABLE = (
    "microloop: what this request starts goes on after its answer, and what it costs cannot be counted: "
    "batches, realtime sessions and the like are not let through"
)


class Admission:
    """For each request of one gateway."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around

    async def of(self, request: web.BaseRequest, body: bytes) -> Exchange | web.Response:
        """The exchange to run, or the answer why there is none."""
        around = self._around
        asked = await _aside(body, ask, request.method, request.raw_path, request.headers, body)
        if around.placeholders is not None:
            keys = shown_keys(request.raw_path, request.headers.items())
            objection = around.placeholders.objection(asked.provider, keys)
            if objection:
                return error_answer(asked, UNAUTHORIZED, objection, final=True)
        if asked.billing == "unreadable":
            return error_answer(
                asked, BAD_REQUEST, "microloop: the request's body is no JSON object", final=True
            )
        if asked.billing == "uncountable":
            around.listener.refused(
                Refused(limit="price", used=NOTHING, allowed=NOTHING, message=_UNCOUNTABLE)
            )
            return error_answer(asked, FORBIDDEN, _UNCOUNTABLE, final=True)
        if asked.billing == "free":
            following = Following(around.spent, around.talk, around.listener, None, None)
            return Exchange(around, request, asked, following, outlives=False)
        return await self._call(request, asked)

    async def _call(self, request: web.BaseRequest, asked: Asked) -> Exchange | web.Response:
        around = self._around
        history = await _aside(asked.body, History, asked.surface, asked.body)
        asked = _with_body(asked, around.talk.noted(history))
        call = self._stopped() or await around.spent.begin(asked)
        if isinstance(call, Refused):
            return self._refuse(asked, call)
        asked = self._changed(call, asked, history)
        stopped = self._stopped()  # a result in this very request may have been one too many
        if stopped is not None:
            around.spent.fail(call)
            return self._refuse(asked, stopped)
        conversation = around.talk.conversation(history)
        following = Following(around.spent, around.talk, around.listener, call, history.ids, conversation)
        return Exchange(around, request, asked, following, outlives=not asked.stream)

    def _stopped(self) -> Refused | None:
        why = self._around.stopped()
        message = f"microloop: this run was stopped, and no more model calls are made: {why}"
        return Refused(limit="stopped", used=NOTHING, allowed=NOTHING, message=message) if why else None

    def _refuse(self, asked: Asked, no: Refused) -> web.Response:
        self._around.listener.refused(no)
        status = UNAVAILABLE if no.limit == "unavailable" else PAYMENT_REQUIRED
        return error_answer(asked, status, no.message, final=True)

    def _changed(self, call: Call, asked: Asked, history: History) -> Asked:
        """The request as it is sent on: new results told, their notes put in, its output capped."""
        around = self._around
        if around.talk.answered(call.number, history):
            asked = _with_body(asked, around.talk.noted(history))
        if call.cap_output_tokens is not None and not asked.stream:
            asked = capped(asked, call.cap_output_tokens)
        if asked is not call.asked:
            around.spent.revise(call, asked)
        return asked


def _with_body(asked: Asked, body: bytes) -> Asked:
    if body is asked.body:
        return asked
    return msgspec.structs.replace(asked, body=body, input_estimate_tokens=input_tokens(body))


async def _aside(body: bytes, do: Callable[..., T], *arguments: object) -> T:
    """do(*arguments), in a thread when it has a large body to read."""
    if len(body) <= READ_AT_ONCE_BYTES:
        return do(*arguments)
    return await asyncio.to_thread(do, *arguments)
