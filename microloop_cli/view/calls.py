"""What passed the model's door, for a person: model calls, the tool calls asked for in them, their sums."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

import msgspec

from microloop_cli.core.traffic import Tokens


class ToolCallView(msgspec.Struct, frozen=True, kw_only=True):
    """A tool the model asked for. Times are seconds of the run, None: not seen.

    arguments: as the model wrote them, cut after ARGUMENTS_KEPT characters; arguments_chars counts those
    recorded. digest: equal for results that mean the same. steps: the numbers of the steps it came to.
    answer: what was done to its result on the way back; text: what was added to it or stood for it.
    """

    id: str
    call: int
    tool: str
    arguments: str = ""
    arguments_chars: int = 0
    command: str | None = None
    at_seconds: float | None = None
    answered_at_seconds: float | None = None
    result_bytes: int | None = None
    failed: bool = False
    digest: str | None = None
    answer: Literal["pass", "append", "replace"] = "pass"
    text: str = ""
    steps: tuple[int, ...] = ()


class CallView(msgspec.Struct, frozen=True, kw_only=True):
    """A model call. status: HTTP, 0 for no answer, None while none is recorded. tools: ids, as asked.

    cost_usd: None when the model has no price or the call has not ended.
    """

    number: int
    model: str = ""
    provider: str = ""
    surface: str = ""
    stream: bool = False
    request_bytes: int = 0
    at_seconds: float = 0.0
    status: int | None = None
    tokens: Tokens = Tokens()
    cost_usd: Decimal | None = None
    seconds: float | None = None
    cut: bool = False
    tools: tuple[str, ...] = ()

    @property
    def failed(self) -> bool:
        """It ended without an answer that could be used."""
        return self.status is not None and not 200 <= self.status < 300

    @property
    def unpriced(self) -> bool:
        """It was answered, and what that cost is not known."""
        return self.status is not None and not self.failed and self.cost_usd is None


class RefusalView(msgspec.Struct, frozen=True):
    """A model request that the gateway answered itself; after_call: the last call before it, 0: none."""

    at_seconds: float
    limit: str
    message: str
    after_call: int


class ModelLine(msgspec.Struct, frozen=True, kw_only=True):
    """The calls of one model together."""

    model: str
    calls: int = 0
    failed: int = 0
    unpriced: int = 0
    tokens: Tokens = Tokens()
    cost_usd: Decimal | None = None


class ToolSums(msgspec.Struct, frozen=True, kw_only=True):
    """The tool calls of a run. nudged, refused: had a line added to their result, or another in its place."""

    calls: int = 0
    answered: int = 0
    failed: int = 0
    nudged: int = 0
    refused: int = 0


class ModelTotals(msgspec.Struct, frozen=True, kw_only=True):
    """All model calls of a run. calls: let through, failed ones too; refused: answered by the gateway.

    cost_usd: the sum of what has a price, None when nothing has; unpriced: calls that are not in it.
    estimated: calls whose tokens nobody said. waiting_seconds: at least one call was under way.
    rate_limited_seconds: from an answer 429, 503 or 529 to the next call. working_seconds: the rest of the
    run's wall time.
    """

    calls: int = 0
    failed: int = 0
    refused: int = 0
    unpriced: int = 0
    estimated: int = 0
    cut: int = 0
    tokens: Tokens = Tokens()
    cost_usd: Decimal | None = None
    waiting_seconds: float = 0.0
    rate_limited_seconds: float = 0.0
    working_seconds: float = 0.0
    models: tuple[ModelLine, ...] = ()
    refusals: tuple[RefusalView, ...] = ()
    tools: ToolSums = ToolSums()

    @property
    def spent_tokens(self) -> int:
        """As limits count them: input and output."""
        return self.tokens.input + self.tokens.output


def added(one: Tokens, other: Tokens) -> Tokens:
    """Two calls' tokens together."""
    return Tokens(
        input=one.input + other.input,
        cached=one.cached + other.cached,
        cache_write=one.cache_write + other.cache_write,
        output=one.output + other.output,
        reasoning=one.reasoning + other.reasoning,
        estimated=one.estimated or other.estimated,
    )
