"""The gateway's listener in a run: what passes becomes facts in the inbox."""

from __future__ import annotations

from collections.abc import Callable

from microloop_cli.core.events import AnyFact
from microloop_cli.core.traffic import ModelAnswered, ModelAsked, ModelRefused, Tokens
from microloop_cli.errors import MicroloopError
from microloop_cli.gateway.listener import Note
from microloop_cli.gateway.model import Asked, CallRecord
from microloop_cli.gateway.spending import NearLimit, Refused
from microloop_cli.gateway.wire.tools.tool import ToolCall, ToolResult
from microloop_cli.run.bounded import bounded
from microloop_cli.run.inbox import Inbox
from microloop_cli.run.tools import ToolIntake

MAX_MODEL_CHARS = 200
MAX_MESSAGE_CHARS = 1_000


class RunListener:
    """A `gateway.listener.Listener`. The first failure to record is told to `on_failure`, then all is silent:
    nothing may go on that could not be written."""

    def __init__(self, inbox: Inbox, tools: ToolIntake, on_failure: Callable[[MicroloopError], None]) -> None:
        self._inbox = inbox
        self._tools = tools
        self._on_failure = on_failure
        self._failed = False

    def asked(self, number: int, asked: Asked) -> None:
        self._put(
            ModelAsked(
                call=number,
                provider=asked.provider,
                surface=asked.surface,
                model=bounded(asked.model, MAX_MODEL_CHARS),
                stream=asked.stream,
                request_bytes=len(asked.body),
            )
        )

    def answered(self, record: CallRecord) -> None:
        usage = record.usage
        tokens = Tokens(
            input=usage.input_tokens,
            cached=usage.cached_tokens,
            cache_write=usage.cache_write_tokens,
            output=max(usage.output_tokens, usage.reasoning_tokens),
            reasoning=usage.reasoning_tokens,
            estimated=usage.estimated,
        )
        self._put(
            ModelAnswered(
                call=record.number,
                status=record.status,
                tokens=tokens,
                cost_usd=None if record.cost_usd is None else format(record.cost_usd, "f"),
                seconds=round(record.seconds, 6),
                cut=record.cut,
            )
        )

    def refused(self, refused: Refused) -> None:
        self._put(ModelRefused(limit=refused.limit, message=bounded(refused.message, MAX_MESSAGE_CHARS)))

    def near(self, near: NearLimit) -> None:
        """The core warns by itself, of the same sums."""

    def tool_called(self, number: int, call: ToolCall) -> None:
        if self._failed:
            return
        try:
            self._tools.called(number, call)
        except MicroloopError as error:
            self._fail(error)

    def tool_answered(self, number: int, result: ToolResult) -> Note | None:
        if self._failed:
            return None
        try:
            return self._tools.answered(number, result)
        except MicroloopError as error:
            self._fail(error)
        return None

    def _put(self, fact: AnyFact) -> None:
        if self._failed:
            return
        try:
            self._inbox.put(fact)
        except MicroloopError as error:
            self._fail(error)

    def _fail(self, error: MicroloopError) -> None:
        self._failed = True
        self._on_failure(error)
