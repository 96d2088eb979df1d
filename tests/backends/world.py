"""A place to run in, for one backend: a workspace with a bundle, a secret beside it, a way to run."""

from __future__ import annotations

import json
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from microloop_cli.guard.binary import find_guard

ROOT = Path(__file__).resolve().parents[2]
LAUNCHER = Path(__file__).with_name("launcher.py")
IMAGE = os.environ.get("MICROLOOP_TEST_IMAGE", "microloop-test:latest")
AGENT_UID = 1000
SECONDS = 60


@dataclass
class World:
    """One backend and one private directory tree. `user` runs the launcher as another (ordinary) user."""

    backend: str
    top: Path
    user: str | None = None
    python: list[str] = field(default_factory=lambda: [sys.executable])
    variables: dict[str, str] = field(default_factory=dict)
    count: int = 0

    @property
    def workspace(self) -> Path:
        return self.top / "workspace"

    @property
    def outside(self) -> Path:
        return self.top / "outside"

    @property
    def contained(self) -> bool:
        return self.backend not in ("none", "fake")

    def spec(self, argv: Sequence[str], **more: Any) -> Path:
        """Write what the launcher reads; `more` overrides fields of the request."""
        self.count += 1
        here = self.top / f"run{self.count}"
        (here / "channel").mkdir(parents=True)
        request = {
            "argv": list(argv),
            "workspace": str(self.workspace),
            "cwd": str(self.workspace),
            "runs_dir": str(self.workspace / ".microloop"),
            "channel_dir": str(here / "channel"),
            "guard": str(self.top / "guard"),
            "nonce": "0123456789abcdef" * 2,
            "env": {},
            "network": "none",
            "interactive": False,
            "image": IMAGE if self.backend == "docker" else None,
        }
        path = here / "spec.json"
        spec = {
            "backend": self.backend,
            "request": request | more,
            "state": str(here / "state"),
            "kill": str(here / "kill"),
        }
        path.write_text(json.dumps(spec))
        self._give(here)
        return path

    def command(self, spec: Path) -> list[str]:
        prefix = [] if self.user is None else ["runuser", "-u", self.user, "--", "env"]
        return [
            *prefix,
            *(f"{k}={v}" for k, v in self._told().items()),
            *self.python,
            str(LAUNCHER),
            str(spec),
        ]

    def environment(self) -> dict[str, str]:
        paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
        return {**os.environ, "PYTHONPATH": os.pathsep.join(paths), **self.variables}

    def start(self, argv: Sequence[str], *, streams: int | None = subprocess.PIPE, **more: Any) -> Started:
        spec = self.spec(argv, **more)
        process = subprocess.Popen(
            self._argv(spec),
            stdin=streams,
            stdout=streams,
            stderr=streams,
            cwd=self.workspace,
            env=self.environment(),
        )
        return Started(process, spec.parent)

    def run(self, argv: Sequence[str], stdin: bytes = b"", **more: Any) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            self._argv(self.spec(argv, **more)),
            input=stdin,
            capture_output=True,
            cwd=self.workspace,
            env=self.environment(),
            timeout=SECONDS,
            check=False,
        )

    def sh(self, script: str, **more: Any) -> str:
        """stdout of a shell script that must succeed."""
        done = self.run(["sh", "-c", script], **more)
        assert done.returncode == 0, (done.returncode, done.stdout, done.stderr)
        return done.stdout.decode()

    def _argv(self, spec: Path) -> list[str]:
        return self.command(spec) if self.user is not None else [*self.python, str(LAUNCHER), str(spec)]

    def _told(self) -> dict[str, str]:
        return {"HOME": str(self.top / "home"), "PYTHONPATH": self.environment()["PYTHONPATH"]}

    def _give(self, path: Path) -> None:
        if self.user is not None:
            owner = pwd.getpwnam(self.user)
            for item in (path, *path.rglob("*")):
                os.chown(item, owner.pw_uid, owner.pw_gid)


@dataclass
class Started:
    """A launcher that is running."""

    process: subprocess.Popen[bytes]
    here: Path

    def state(self) -> dict[str, Any]:
        """What the launcher said once the guard had spoken."""
        wait_for(lambda: (self.here / "state").exists() or self.process.poll() is not None)
        found: dict[str, Any] = json.loads((self.here / "state").read_text())
        return found

    def ask_for_kill(self) -> None:
        (self.here / "kill").touch()

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
        self.process.communicate()


def make_world(backend: str, user: str | None = None) -> World:
    """A world below /tmp that every user may reach; its maker removes `top`."""
    top = Path(tempfile.mkdtemp(prefix="microloop-backend-test-", dir="/tmp"))
    top.chmod(0o755)
    world = World(backend, top, user)
    (world.workspace / ".microloop" / "runs").mkdir(parents=True)
    (world.workspace / ".microloop" / "runs" / "secret").write_text("the bundle of this run")
    world.outside.write_text("not to be seen")
    (top / "home").mkdir()
    shutil.copy(find_guard(), top / "guard")
    (top / "guard").chmod(0o755)
    if backend == "docker" and user is None and os.getuid() == 0:
        _give_all(world.workspace, AGENT_UID, AGENT_UID)
    elif user is not None:
        owner = pwd.getpwnam(user)
        _give_all(world.workspace, owner.pw_uid, owner.pw_gid)
        _give_all(top / "home", owner.pw_uid, owner.pw_gid)
    return world


def wait_for(condition: Callable[[], object], seconds: float = 20) -> None:
    """Return when the condition holds; fail the test when it does not in time."""
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "it did not happen in time"
        time.sleep(0.02)


def processes_saying(mark: str) -> list[int]:
    """Host pids whose command line holds `mark` (the launcher's own excepted: it gets a file)."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                text = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if mark.encode() in text and b"launcher.py" not in text:
                found.append(int(entry.name))
    return found


def _give_all(top: Path, uid: int, gid: int) -> None:
    for item in (top, *top.rglob("*")):
        os.chown(item, uid, gid)
