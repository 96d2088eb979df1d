"""The place of a measurement: a workspace with helpers in it; commands run there with and without guard."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from microloop_cli.backends.base import SandboxRequest
from microloop_cli.backends.environment import CHANNEL_NAME, guard_command
from microloop_cli.backends.registry import get_backend
from microloop_cli.guard.binary import find_guard

HELPERS = Path(__file__).resolve().parent.parent / "bench_helpers"
MICROLOOP = [sys.executable, "-m", "microloop_cli.cli.main"]
RESULTS = "results"


class Broken(Exception):
    """A measurement that did not do what it should: no number comes of it."""


@dataclass(frozen=True, slots=True)
class World:
    """workspace: has `true`, `writer`, `spawner`. channel: stands for the channel's folder in plain runs."""

    workspace: Path
    channel: Path

    def microloop(self, *argv: str, options: Sequence[str] = ()) -> list[str]:
        """The command line that runs argv with the guard; options: more of `microloop run`."""
        return [*MICROLOOP, "run", "--sandbox", "bwrap", "--quiet", *options, "--", *argv]

    def policy(self, text: str) -> list[str]:
        """The options for a policy that is the default but for what the YAML says."""
        path = self.workspace / f"policy-{hashlib.blake2b(text.encode(), digest_size=4).hexdigest()}.yaml"
        path.write_text(f"extends: default\n{text}\n")
        return ["--policy", str(path)]

    def python(self, helper: str, *arguments: str) -> list[str]:
        """The command line of a helper that needs nothing but Python, here and in the sandbox."""
        path = self.workspace / helper
        path.write_bytes((HELPERS / helper).read_bytes())
        return [sys.executable, "-I", "-S", str(path), *arguments]

    def plain(self, *argv: str) -> tuple[list[str], dict[str, str]]:
        """bwrap's command line and environment as microloop plans them, with argv in place of the guard."""
        request = SandboxRequest(
            argv=argv,
            workspace=self.workspace,
            cwd=self.workspace,
            runs_dir=self.workspace / ".microloop",
            channel_dir=self.channel,
            guard=find_guard(),
            nonce="0" * 32,
            env={},
            network="none",
            interactive=False,
        )
        spec = get_backend("bwrap").plan(request).launch_spec
        whole, environment, files = spec["argv"], spec["env"], spec["files"]
        assert isinstance(whole, list)
        assert isinstance(environment, dict)
        assert isinstance(files, dict)
        for path, text in files.items():
            Path(path).write_text(text)
        guarded = guard_command(argv)
        assert whole[-len(guarded) :] == list(guarded), "the plan does not end in the guard and the command"
        return [*whole[: -len(guarded)], *argv], environment

    def measure(
        self, argv: list[str], *, guarded: bool, captured: bool = True, options: Sequence[str] = ()
    ) -> list[float]:
        """Run a helper (its RESULTS argument is `results`) and read the figures it leaves."""
        self.no_results()
        self.call(argv, guarded=guarded, captured=captured, options=options)
        return self.results()

    def no_results(self) -> None:
        (self.workspace / RESULTS).unlink(missing_ok=True)

    def results(self) -> list[float]:
        return [float(figure) for figure in (self.workspace / RESULTS).read_text().split()]

    def call(self, argv: list[str], *, guarded: bool, captured: bool, options: Sequence[str] = ()) -> None:
        """Run argv in the sandbox; Broken when it does not exit with 0.

        captured: its output goes into pipes (stdout into a drained one), else to /dev/null, where the guard
        captures nothing.
        """
        command, environment = (
            (self.microloop(*argv, options=options), None) if guarded else self.plain(*argv)
        )
        with subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as drain:
            done = subprocess.run(
                command,
                cwd=self.workspace,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=drain.stdin if captured else subprocess.DEVNULL,
                stderr=subprocess.PIPE if captured else subprocess.DEVNULL,
                check=False,
            )
            assert drain.stdin is not None
            drain.stdin.close()
        if done.returncode != 0:
            said = (done.stderr or b"").decode()[-500:]
            raise Broken(f"exit {done.returncode} of {' '.join(command[-6:])}: {said}")
        shutil.rmtree(self.workspace / ".microloop" / "runs", ignore_errors=True)


@contextmanager
def made_world() -> Iterator[World]:
    """A world below the temporary folder, gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="microloop-bench.") as folder:
        workspace, channel = Path(folder, "workspace"), Path(folder, "channel")
        workspace.mkdir()
        channel.mkdir()
        (workspace / ".microloop").mkdir()
        (channel / CHANNEL_NAME).touch()
        for source in sorted(HELPERS.glob("*.c")):
            _compile(source, workspace / source.stem)
        yield World(workspace, channel)


def _compile(source: Path, target: Path) -> None:
    compiler = "musl-gcc" if shutil.which("musl-gcc") else "cc"
    argv = [compiler, "-O2", "-Wall", "-Wextra", "-Werror", "-static", "-o", str(target), str(source)]
    subprocess.run(argv, check=True)
