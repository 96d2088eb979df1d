"""Reads requests' bodies: each of a bounded size, and all together, for an agent may send many at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aiohttp import web

# No provider takes more in one request (but uploads of files, which are no model calls).
MOST_BYTES = 64 * 2**20
MOST_BYTES_AT_ONCE = 256 * 2**20
BAD_REQUEST, TOO_LARGE, BUSY = 400, 413, 503


class BodyRefused(Exception):
    """status and message: what the client is told. At BUSY it may ask again."""

    BUSY = BUSY

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


class Bodies:
    """Counts what all requests hold at this moment."""

    def __init__(self, most_bytes: int = MOST_BYTES, at_once: int = MOST_BYTES_AT_ONCE) -> None:
        self._most_bytes = most_bytes
        self._at_once = at_once
        self.held_bytes = 0

    async def read(self, request: web.BaseRequest) -> bytes:
        """The body without its content coding, counted until it is released. Raises BodyRefused."""
        from aiohttp import ClientError, http_exceptions, web

        held = bytearray()
        whole = False
        try:
            if request.headers.get("Expect", "").lower() == "100-continue":
                await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
                request.writer.output_size = 0
            async for chunk in request.content.iter_any():
                self.held_bytes += len(chunk)
                held += chunk
                self._check(len(held))
            whole = True
            return bytes(held)
        except (http_exceptions.HttpProcessingError, web.RequestPayloadError, ClientError) as error:
            said = f"microloop: the request's body cannot be read: {type(error).__name__}"
            raise BodyRefused(BAD_REQUEST, said) from None
        finally:
            if not whole:
                self.release(len(held))

    def release(self, size: int) -> None:
        self.held_bytes -= size

    def _check(self, size: int) -> None:
        if size > self._most_bytes:
            most = self._most_bytes // 2**20
            raise BodyRefused(TOO_LARGE, f"microloop: the request is larger than {most} MiB")
        if self.held_bytes > self._at_once:
            raise BodyRefused(BUSY, "microloop: too many large requests at once")
