"""A run's facts and kept outputs without secrets."""

from __future__ import annotations

from hashlib import blake2b

from msgspec.structs import replace

from microloop_cli.bundle.redaction import Redactor
from microloop_cli.bundle.redaction_outputs import redacted_output
from microloop_cli.core.events import AnyFact, ExecStarted
from microloop_cli.guard.facts import KeptStream


class FactRedactor:
    """Takes secrets out of facts, before they are judged and recorded."""

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor

    def __call__(self, fact: AnyFact) -> AnyFact:
        """The very same object when there is no secret in it."""
        fact = self._redactor.fact(fact)
        if isinstance(fact, ExecStarted) and fact.argv_truncated and fact.argv:
            return replace(fact, argv=(*fact.argv[:-1], self._cut(fact.argv[-1])))
        return fact

    def _cut(self, argument: str) -> str:
        """The last argument the guard could tell of; it may end within a secret."""
        data = argument.encode("utf-8", "surrogateescape")
        head, _ = redacted_output(self._redactor, data, b"", is_whole=False)
        return head.decode("utf-8", "surrogateescape")


class OutputRedactor:
    """Takes secrets out of kept outputs. Their sizes and digest become those of what is left."""

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor

    def __call__(self, stream: KeptStream) -> KeptStream:
        """The very same object when there is no secret in it."""
        is_whole = len(stream.head) + len(stream.tail) == stream.fact.bytes
        head, tail = redacted_output(self._redactor, stream.head, stream.tail, is_whole=is_whole)
        if head is stream.head and tail is stream.tail:
            return stream
        digest = blake2b(head, digest_size=32)
        digest.update(tail)
        fact = replace(
            stream.fact,
            head_bytes=len(head),
            tail_bytes=len(tail),
            blake2b=digest.hexdigest(),
            redacted=True,
        )
        return KeptStream(head=head, tail=tail, fact=fact)
