"""What a model call is, whatever its wire format: what is asked, what was used, what it cost. Pure."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal, Protocol

import msgspec

Provider = Literal["openai", "anthropic", "google"]
Surface = Literal["chat", "responses", "messages", "generate", "other"]
# What becomes of a request: free ones pass, a bill nobody could count does not, all else is a model call.
Billing = Literal["metered", "free", "uncountable", "unreadable"]


class Usage(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Tokens of one call. input_tokens counts all input, cached too; output_tokens counts reasoning, too.

    cached_tokens were read from a cache, cache_write_tokens written to one; cache_write_1h_tokens are those
    of them that are to be kept for an hour, which costs more.
    `estimated`: the server did not say.
    """

    input_tokens: int = 0
    cached_tokens: int = 0
    cache_write_tokens: int = 0
    cache_write_1h_tokens: int = 0
    output_tokens: int = 0
    reasoning_tokens: int = 0
    estimated: bool = False


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A request to a model, read before it is sent on. `body` is what is sent: usage is asked for where the
    client did not (`adds_usage`; its answer is then hidden from the client again).

    surface "other" is all that is no conversation with a model. Of it lists and counting are free; what names
    a model is metered as far as it tells its usage; what starts work elsewhere (batches) is uncountable. A
    body on a known surface that is no JSON object is unreadable. model is "" and max_output_tokens None when
    the request does not say. input_estimate errs high. mode: the service tier or speed that has a price of
    its own, "" standard. choices: how many answers it wants.
    """

    provider: Provider
    surface: Surface
    model: str
    stream: bool
    body: bytes
    input_estimate_tokens: int
    max_output_tokens: int | None = None
    adds_usage: bool = False
    billing: Billing = "metered"
    mode: str = ""
    choices: int = 1


class Meter(Protocol):
    """Reads one response while it passes; told of its status and content type when it was made."""

    def feed(self, chunk: bytes) -> bytes:
        """What is passed to the client of this chunk (decoded from any content coding): nearly always it."""

    def finish(self) -> bytes:
        """What was held back until the end."""

    def usage(self) -> Usage | None:
        """What is known so far; None when nothing was said yet."""

    def seen_output_tokens(self) -> int:
        """An estimate of the output tokens that have passed, for a stream that has not told its usage."""


class Price(msgspec.Struct, frozen=True, kw_only=True):
    """US dollars per million tokens; cached None and cache_write None: as input; 1h None: as cache_write.

    above: (input tokens, price) in rising order: a call with more input pays that price for all of it.
    """

    input_usd: Decimal
    output_usd: Decimal
    cached_usd: Decimal | None = None
    cache_write_usd: Decimal | None = None
    cache_write_1h_usd: Decimal | None = None
    above: tuple[tuple[int, Price], ...] = ()


class CallRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One finished call, as it is told to people and kept. cost_usd None: the model has no price.

    status 0: there was no answer. An answer that is an error costs nothing. first_byte_seconds: from the
    request to the first of the answer's body, None when there was none.
    """

    number: int
    provider: Provider
    surface: Surface
    model: str
    status: int
    usage: Usage
    cost_usd: Decimal | None
    seconds: float
    first_byte_seconds: float | None = None
    cut: bool = False
