"""The egress proxy alone at a Unix socket: `egress_proxy.py SOCKET PORT` lets that port of loopback be
reached. Prints the port when it serves, and ends at a line of its stdin.
"""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path

from microloop_cli.gateway.egress.presets import load_rules
from microloop_cli.gateway.egress.proxy import EgressProxy
from microloop_cli.gateway.sockets import listen_unix
from microloop_cli.policy.model import Network


async def _main() -> None:
    port = sys.argv[2]
    rules = load_rules(Network(allow=(f"127.0.0.1:{port}",), private=("127.0.0.1",)))
    proxy = EgressProxy(rules, lambda _event: None, time.monotonic)
    await proxy.start(listen_unix(Path(sys.argv[1])))
    print(port, flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
    await proxy.close()


if __name__ == "__main__":
    asyncio.run(_main())
