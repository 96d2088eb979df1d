"""Keeps what passes: each request as it was sent on, each answer as it came."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from microloop_cli.bundle.model_records import About
from microloop_cli.gateway.model import Asked, Meter, Usage

# No model writes so much; what is longer is kept up to here and marked as not whole.
MOST_KEPT_BYTES = 32 * 2**20

Store = Callable[[About, bytes, bytes], None]
"""Takes a description, the request's body and the answer's; may raise BundleError."""


class Recorder:
    """Numbers records and gives them to `store` when they are complete."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._count = 0

    def over(
        self,
        meter: Meter,
        asked: Asked,
        *,
        call: int | None,
        method: str,
        target: str,
        status: int,
        kind: str,
    ) -> Meter:
        """The meter of an answer, recording what it is fed."""
        self._count += 1
        about = About(
            n=self._count,
            call=call,
            method=method,
            target=target,
            surface=asked.surface,
            model=asked.model,
            status=status,
            content_type=kind,
        )
        return _Recording(meter, about, asked.body, self._store)


class _Recording:
    """A meter that passes all on to another and keeps it. Stored once, at the first `finish`."""

    def __init__(self, meter: Meter, about: About, request: bytes, store: Store) -> None:
        self._meter = meter
        self._about = about
        self._request = request
        self._store = store
        self._chunks: list[bytes] = []
        self._bytes = 0
        self._stored = False

    def feed(self, chunk: bytes) -> bytes:
        room = MOST_KEPT_BYTES - self._bytes
        self._bytes += len(chunk)
        if room > 0:
            self._chunks.append(chunk[:room])
        return self._meter.feed(chunk)

    def finish(self) -> bytes:
        if not self._stored:
            self._stored = True
            answer, self._chunks = b"".join(self._chunks), []
            about = self._about
            if self._bytes > MOST_KEPT_BYTES:
                about = msgspec.structs.replace(about, whole=False)
            self._store(about, self._request, answer)
        return self._meter.finish()

    def usage(self) -> Usage | None:
        return self._meter.usage()

    def seen_output_tokens(self) -> int:
        return self._meter.seen_output_tokens()
