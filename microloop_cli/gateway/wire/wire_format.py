"""What each wire format must be able to do; `registry` lists those there are."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from microloop_cli.gateway.wire.tally import Seen


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """What a request body says. body: what is to be sent on; adds_usage: it asks for usage now.

    mode and choices: as in `Asked`; max_output_tokens is of all choices together.
    """

    body: bytes
    model: str = ""
    stream: bool = False
    max_output_tokens: int | None = None
    adds_usage: bool = False
    mode: str = ""
    choices: int = 1


class Wire(msgspec.Struct, frozen=True, kw_only=True):
    """One wire format. The readers give None for what is not of it; none of them ever raises.

    request: reads a request body. event: reads the data of one event (or element) of a streamed answer.
    answer: reads the body of an answer that is not streamed. cut: what ends a streamed answer in the middle.
    """

    request: Callable[[bytes], Request | None]
    event: Callable[[bytes], Seen | None]
    answer: Callable[[bytes], Seen | None]
    cut: Callable[[str], bytes]
