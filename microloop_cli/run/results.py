"""What is kept of a tool's result: its first and last bytes without secrets, and what is known of all."""

from __future__ import annotations

import re
from hashlib import blake2b

from microloop_cli.bundle.redaction import Redactor
from microloop_cli.bundle.writer import KeptOutput
from microloop_cli.core.events import Stream
from microloop_cli.gateway.wire.tools.tool import ToolResult
from microloop_cli.guard.facts import KeptStream
from microloop_cli.run.redacting import OutputRedactor

_HOLDS_DIGIT = re.compile(rb"[^\s\d]*\d[^\s]*")


def kept_result(result: ToolResult, head_bytes: int, tail_bytes: int, redactor: Redactor) -> KeptOutput:
    """As a step's stdout. The gateway has left out the middle of a very long text: then it is no whole."""
    data = result.text.encode("utf-8", "replace")
    total = max(result.size_bytes, len(data))
    if total == len(data) <= head_bytes + tail_bytes:
        head, tail, coarse = data[:head_bytes], data[head_bytes:], ""
    else:
        head, tail = (
            data[: min(head_bytes, len(data) // 2)],
            data[max(len(data) - tail_bytes, len(data) // 2) :],
        )
        coarse = blake2b(_HOLDS_DIGIT.sub(b"", data), digest_size=16).hexdigest()
        total = max(total, len(head) + len(tail) + 1)
    fact = Stream(
        bytes=total,
        blake2b=blake2b(data, digest_size=32).hexdigest(),
        head_bytes=len(head),
        tail_bytes=len(tail),
        coarse=coarse,
    )
    kept = OutputRedactor(redactor)(KeptStream(head=head, tail=tail, fact=fact))
    return KeptOutput(kept.fact, kept.head, kept.tail)
