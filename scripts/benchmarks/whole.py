"""What a whole `microloop` process costs, beside others that do a part of its job."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from pathlib import Path

from benchmarks.table import Report, Row, p50
from benchmarks.world import MICROLOOP, Broken, World

RUN_MS, HELP_MS, DOCKER_FACTOR = 250.0, 150.0, 1.5
IMAGE = "microloop-test:latest"


def milliseconds(argv: list[str], folder: Path) -> float:
    """Wall time of one process; Broken when it does not exit with 0."""
    before = time.perf_counter()
    done = subprocess.run(argv, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    took = (time.perf_counter() - before) * 1000
    if done.returncode != 0:
        raise Broken(f"exit {done.returncode} of {' '.join(argv)}: {done.stderr.decode()[-300:]}")
    return took


def in_turn(commands: dict[str, list[str]], folder: Path, times: int) -> dict[str, list[float]]:
    """Milliseconds of each command, run one after the other, `times` times; one run of each before that."""
    took: dict[str, list[float]] = {name: [] for name in commands}
    for number in range(times + 1):
        for name, argv in commands.items():
            one = milliseconds(argv, folder)
            if number:
                took[name].append(one)
    return took


def startup(world: World, report: Report, times: int) -> None:
    """`microloop run -- true`, `bwrap true`, `srt true` and `microloop --help`, interleaved."""
    plain, _ = world.plain("/bin/true")
    commands = {"run": world.microloop("true"), "bwrap": plain, "help": [*MICROLOOP, "--help"]}
    srt = find_srt()
    if srt is not None:
        commands["srt"] = [str(srt), "true"]
    try:
        took = in_turn(commands, world.workspace, times)
    except Broken as broken:
        if srt is None or "srt" not in str(broken):
            raise
        print(f"(srt does not run here: {broken})")
        took = in_turn(
            {name: argv for name, argv in commands.items() if name != "srt"}, world.workspace, times
        )
    run = took["run"]
    report.add(
        Row(
            "microloop run -- true; bwrap true",
            "ms",
            took["bwrap"],
            run,
            "at most 250 ms",
            p50(run) <= RUN_MS,
        )
    )
    if "srt" in took:
        met = p50(run) < p50(took["srt"])
        report.add(Row("microloop run -- true; srt true", "ms", took["srt"], run, "below srt", met))
    helped = took["help"]
    report.add(Row("microloop --help", "ms", [], helped, "at most 150 ms", p50(helped) <= HELP_MS))


def docker(world: World, report: Report, times: int) -> None:
    """The docker backend beside `docker run` of the same image."""
    docker_client = shutil.which("docker")
    if (
        docker_client is None
        or subprocess.run(["docker", "image", "inspect", IMAGE], capture_output=True).returncode
    ):
        print(f"(no {IMAGE} here: scripts/build-test-image makes it)")
        return
    if os.getuid() == 0:
        os.chown(world.workspace, 1000, 1000)
    microloop = [*MICROLOOP, "run", "--sandbox", "docker", "--image", IMAGE, "--quiet", "--", "true"]
    sides = {
        "docker run": ["docker", "run", "--rm", IMAGE, "true"],
        "docker run --network none": ["docker", "run", "--rm", "--network", "none", IMAGE, "true"],
        "microloop": microloop,
    }
    took = in_turn(sides, world.workspace, times)
    run = took.pop("microloop")
    for name, plain in took.items():
        met = p50(run) <= DOCKER_FACTOR * p50(plain)
        report.add(Row(f"microloop run, docker; {name}", "ms", plain, run, "at most 1.5x", met))


def find_srt() -> Path | None:
    """srt as scripts/install-agents installed it, or on PATH."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "microloop-test"
    installed = cache / "agents" / "npm" / "node_modules" / ".bin" / "srt"
    found = shutil.which("srt")
    return installed if installed.exists() else Path(found) if found else None
