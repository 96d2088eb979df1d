"""The gateway alone before a model server: `model_gateway.py` URL. Prints its port, and at a line of its
stdin the most memory it had (KiB), how many calls it counted and what they cost.
"""

from __future__ import annotations

import asyncio
import resource
import sys
import time
from datetime import datetime, timezone

from microloop_cli.gateway.listener import Note
from microloop_cli.gateway.model import Asked, CallRecord
from microloop_cli.gateway.prices import Prices
from microloop_cli.gateway.server import Gateway
from microloop_cli.gateway.sockets import listen_tcp
from microloop_cli.gateway.spending import NearLimit, Refused, RunLimits
from microloop_cli.gateway.upstream import upstreams_of
from microloop_cli.gateway.wire.tools.tool import ToolCall, ToolResult


class Nobody:
    """Hears everything and says nothing."""

    def asked(self, number: int, asked: Asked) -> None: ...

    def answered(self, record: CallRecord) -> None: ...

    def refused(self, refused: Refused) -> None: ...

    def near(self, near: NearLimit) -> None: ...

    def tool_called(self, number: int, call: ToolCall) -> None: ...

    def tool_answered(self, number: int, result: ToolResult) -> Note | None:
        return None


async def _main() -> None:
    prices = Prices(datetime(2026, 1, 1, tzinfo=timezone.utc))
    gateway = Gateway(
        upstreams_of({}, {"openai": sys.argv[1]}), prices, RunLimits(), time.monotonic, listener=Nobody()
    )
    sock = listen_tcp("127.0.0.1", 0)
    await gateway.start(sock)
    print(sock.getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(most, gateway.spent.spending.ended, gateway.spent.spending.cost_usd, flush=True)
    await gateway.close()


if __name__ == "__main__":
    asyncio.run(_main())
