"""Adds up what the pieces of one answer say about its use."""

from __future__ import annotations

import msgspec

from microloop_cli.gateway.model import Usage
from microloop_cli.gateway.wire.estimate import tokens_of
from microloop_cli.gateway.wire.reading import most


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What a server said of the whole call so far, in the terms of `Usage`; None: it did not say."""

    input_tokens: int | None = None
    cached_tokens: int | None = None
    cache_write_tokens: int | None = None
    cache_write_1h_tokens: int | None = None
    output_tokens: int | None = None
    reasoning_tokens: int | None = None


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """What one piece of an answer holds: an event of a stream, or a whole body.

    new_bytes: output text that was not in an earlier piece. whole_bytes: output text of the whole answer,
    where a piece repeats it. usage_only: it is there for nothing but its usage.
    """

    told: Told | None = None
    new_bytes: int = 0
    whole_bytes: int = 0
    usage_only: bool = False


NOTHING = Seen()


class Tally:
    """The greatest of each number wins: servers repeat and raise them, they do not take back."""

    def __init__(self) -> None:
        self._told = Told()
        self._all_bytes = 0
        self._bytes_since_told = 0
        self.said_anything = False

    def add(self, seen: Seen) -> None:
        repeated = max(0, seen.whole_bytes - self._all_bytes)
        self._all_bytes += seen.new_bytes + repeated
        self._bytes_since_told += seen.new_bytes + repeated
        if seen.told is not None:
            self._hear(seen.told)

    def add_unread(self, size: int) -> None:
        """What could not be read is taken for output text."""
        self.add(Seen(new_bytes=size))

    def _hear(self, told: Told) -> None:
        # Some servers send zeros when they mean "unknown".
        said_output = told.output_tokens is not None and (told.output_tokens > 0 or self._all_bytes == 0)
        before = self._told
        self.said_anything = self.said_anything or bool(told.input_tokens) or said_output
        self._told = Told(
            input_tokens=most(before.input_tokens, told.input_tokens or None),
            cached_tokens=most(before.cached_tokens, told.cached_tokens),
            cache_write_tokens=most(before.cache_write_tokens, told.cache_write_tokens),
            cache_write_1h_tokens=most(before.cache_write_1h_tokens, told.cache_write_1h_tokens),
            output_tokens=most(before.output_tokens, told.output_tokens if said_output else None),
            reasoning_tokens=most(before.reasoning_tokens, told.reasoning_tokens),
        )
        if said_output:
            self._bytes_since_told = 0

    def output_tokens(self) -> int:
        return (self._told.output_tokens or 0) + tokens_of(self._bytes_since_told)

    def usage(self, input_estimate_tokens: int) -> Usage:
        """What was told; what was not is estimated, and then the whole is marked so."""
        told = self._told
        sure = told.input_tokens is not None and told.output_tokens is not None
        all_input = input_estimate_tokens if told.input_tokens is None else told.input_tokens
        output = self.output_tokens()
        cached = min(told.cached_tokens or 0, all_input)
        written = min(told.cache_write_tokens or 0, all_input - cached)
        return Usage(
            input_tokens=all_input,
            cached_tokens=cached,
            cache_write_tokens=written,
            cache_write_1h_tokens=min(told.cache_write_1h_tokens or 0, written),
            output_tokens=output,
            reasoning_tokens=min(told.reasoning_tokens or 0, output),
            estimated=not sure or self._bytes_since_told > 0,
        )
