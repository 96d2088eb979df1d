"""A gateway without a sandbox, from its start to its end, with the agent in front of it or without one."""

from __future__ import annotations

import asyncio
import secrets
import signal
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from microloop_cli import __version__
from microloop_cli.bundle.manifest import BUNDLE_SCHEMA
from microloop_cli.bundle.redaction import Redactor
from microloop_cli.bundle.redaction_values import secret_values
from microloop_cli.cli.agent_process import AgentProcess
from microloop_cli.core.actions import Ended
from microloop_cli.core.events import AgentExited, Interrupted, RunStarted
from microloop_cli.errors import PolicyError
from microloop_cli.gateway.placeholders import Placeholders
from microloop_cli.gateway.sockets import listen_tcp
from microloop_cli.policy.profiles import GENERIC, agent_for, load_agent
from microloop_cli.policy.settings import to_settings
from microloop_cli.run.agent_doors import AgentDoors, agent_doors
from microloop_cli.run.clock import SystemClock
from microloop_cli.run.metered import Metered, model_upstreams
from microloop_cli.run.outside import outside_environment
from microloop_cli.run.serving import Models
from microloop_cli.run.standalone import Standalone
from microloop_cli.run.ways_out import LOOPBACK, WaysOut

if TYPE_CHECKING:
    from microloop_cli.gateway.listener import Listener
    from microloop_cli.policy.layers import Resolved

ENDING_SIGNALS = (signal.SIGINT, signal.SIGTERM)
TICK_SECONDS = 0.5


class Teller(Protocol):
    """Who says on stderr what happens."""

    def began(self, address: str) -> None: ...
    def say(self, text: str) -> None: ...
    def ticked(self, at: float) -> None: ...
    def over(self, standalone: Standalone) -> Listener:
        """A listener that passes all on; watches the inbox from now on."""


class Alone:
    """argv: the agent's command; empty: serve until a signal. Raises PolicyError, UsageError and HostError
    for what is wrong with upstreams and keys, whose command may be run."""

    def __init__(self, resolved: Resolved, argv: tuple[str, ...], environ: Mapping[str, str]) -> None:
        policy = resolved.policy
        if not policy.model.gateway:
            source = resolved.provenance["model.gateway"]
            raise PolicyError(f"{source}: model.gateway: this policy has no way to models")
        profile = policy.agent.profile
        named = GENERIC if not argv and profile == "auto" else profile
        self._agent = agent_for(argv, named) if argv else load_agent(named)
        self._settings = to_settings(resolved, self._agent.profile)
        self._policy = policy
        self._argv = argv
        self._environ = environ
        self._clock = SystemClock()
        self._placeholders = Placeholders(secrets.token_hex(16))
        self._models = Models(upstreams=model_upstreams(policy, environ))

    async def run(self, teller: Teller, port: int) -> Ended:
        """CommandNotFound and CommandNotExecutable for an agent that cannot be; HostError."""
        standalone = Standalone(self._settings, self._metered(), self._redactor())
        sock = listen_tcp(LOOPBACK, port)
        address = f"http://{LOOPBACK}:{sock.getsockname()[1]}"
        ticking = asyncio.ensure_future(_tick(teller, standalone))
        try:
            async with AsyncExitStack() as closing:
                listener = teller.over(standalone)
                await standalone.serve(listener, sock, self._started(), closing)
                teller.began(address)
                exited = await self._until_the_end(standalone, teller, address)
            standalone.inbox.put(exited)
        finally:
            ticking.cancel()
        assert standalone.ended is not None, "the agent exited"
        return standalone.ended

    async def _until_the_end(self, standalone: Standalone, teller: Teller, address: str) -> AgentExited:
        loop = asyncio.get_running_loop()
        if not self._argv:
            told = asyncio.Event()
            for number in ENDING_SIGNALS:
                loop.add_signal_handler(number, told.set)
            await told.wait()
            return AgentExited(exit_code=0)
        doors = self._doors(address)
        self._tell_of_files(teller, doors)
        environment = outside_environment(self._environ, doors.variables, self._policy.model.keys)
        hurry = asyncio.Event()

        def interrupted(number: int) -> None:
            if standalone.stopping.is_set():
                hurry.set()
            standalone.inbox.put(Interrupted(signal=number))

        for number in ENDING_SIGNALS:
            loop.add_signal_handler(number, interrupted, number)
        agent = await AgentProcess.start(doors.argv, environment, self._policy.limits.grace_seconds)
        return await agent.exited(standalone.stopping, lambda: standalone.inbox.state.stop, hurry)

    def _tell_of_files(self, teller: Teller, doors: AgentDoors) -> None:
        name = self._agent.profile.name
        for path, content in doors.unwritten.items():
            if not Path(self._environ.get("HOME", "/"), path).exists():
                teller.say(f"{name} may need ~/{path}, which is not made outside a sandbox: {content}")

    def _doors(self, address: str) -> AgentDoors:
        return agent_doors(
            self._argv,
            self._agent,
            self._policy,
            WaysOut(model=address),
            self._placeholders,
            self._environ,
            (),
            home=None,
            replays=False,
        )

    def _metered(self) -> Metered:
        return Metered(
            policy=self._policy,
            upstreams=self._models.upstreams,
            placeholders=self._placeholders,
            project=Path.cwd(),
            environ=self._environ,
            clock=self._clock,
        )

    def _redactor(self) -> Redactor:
        return Redactor({**secret_values({}, self._environ), **self._models.secrets})

    def _started(self) -> RunStarted:
        here = str(Path.cwd())
        return RunStarted(
            run_id="",
            schema=BUNDLE_SCHEMA,
            microloop_version=__version__,
            started_at=self._clock.utc_now().isoformat(timespec="milliseconds"),
            argv=self._argv,
            cwd=here,
            workspace=here,
            backend="none",
            epoch="",
        )


async def _tick(teller: Teller, standalone: Standalone) -> None:
    while True:
        await asyncio.sleep(TICK_SECONDS)
        teller.ticked(standalone.inbox.elapsed_seconds)
