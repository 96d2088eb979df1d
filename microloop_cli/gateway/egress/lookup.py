"""Names to addresses, on daemon threads: a name server that does not answer holds back no end of a run."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Awaitable, Callable

# (host, port) to the addresses in the order they are to be tried; raises OSError.
Resolve = Callable[[str, int], Awaitable[list[str]]]

MAX_AT_ONCE = 32


class Lookup:
    """A Resolve by the host's own resolver, with at most MAX_AT_ONCE names looked up at a time."""

    def __init__(self) -> None:
        self._free = asyncio.Semaphore(MAX_AT_ONCE)

    async def __call__(self, host: str, port: int) -> list[str]:
        loop = asyncio.get_running_loop()
        await self._free.acquire()
        found: asyncio.Future[list[str]] = loop.create_future()
        args = (loop, found, host, port)
        threading.Thread(target=self._ask, args=args, name="microloop-dns", daemon=True).start()
        return await found

    def _ask(
        self, loop: asyncio.AbstractEventLoop, found: asyncio.Future[list[str]], host: str, port: int
    ) -> None:
        """On a thread of its own. The place is free again only when the system's resolver has returned."""
        result: list[str] | OSError
        try:
            result = _addresses(host, port)
        except (OSError, UnicodeError) as error:
            result = error if isinstance(error, OSError) else OSError(str(error))
        if not loop.is_closed():
            try:
                loop.call_soon_threadsafe(self._tell, found, result)
            except RuntimeError:
                return  # closed in between: nobody waits any more

    def _tell(self, found: asyncio.Future[list[str]], result: list[str] | OSError) -> None:
        self._free.release()
        if found.done():
            return
        if isinstance(result, OSError):
            found.set_exception(result)
        else:
            found.set_result(result)


def _addresses(host: str, port: int) -> list[str]:
    infos = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(info[4][0]) for info in infos))
