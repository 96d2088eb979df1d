"""What real runners printed (samples/), and what every reader must bear of it."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from microloop_cli.core.progress.signals import TestOutcome

SAMPLES = Path(__file__).parent / "samples"
Read = Callable[[str], TestOutcome | None]


class Reader(Protocol):
    """The module of a runner."""

    MARKERS: tuple[str, ...]

    def read(self, text: str) -> TestOutcome | None: ...


def printed(name: str) -> str:
    return (SAMPLES / f"{name}.txt").read_text(encoding="utf-8")


def outcome(read: Read, name: str) -> TestOutcome:
    found = read(printed(name))
    assert found is not None, f"{name} was not read as a test run"
    return found


def failures(found: TestOutcome) -> dict[str, tuple[str, str]]:
    return {test.id: (test.error, test.message) for test in found.failed}


def bears_cuts(read: Read, runner: str) -> None:
    """Every sample of the runner, cut at many places from both ends, is read or refused, never an error."""
    for path in sorted(SAMPLES.glob(f"{runner}_*.txt")):
        text = path.read_text(encoding="utf-8")
        for at in range(0, len(text), max(1, len(text) // 30)):
            read(text[:at])
            read(text[at:])
            read(text[: at // 2] + "\n" + text[at:])


def bears_rubbish(read: Read, markers: tuple[str, ...]) -> None:
    """Its own words in any order, among anything."""
    chance = random.Random(7)
    bits = [
        *markers,
        "\n",
        " ",
        "FAILED",
        "1) ",
        ": ",
        "\x1b[31m",
        "\0",
        "\udce2",
        "Error: ",
        "9" * 40,
        "(",
        " > ",
    ]
    for _ in range(300):
        read("".join(chance.choice(bits) for _ in range(60)))


def marked(text: str, markers: tuple[str, ...]) -> bool:
    return any(marker in text for marker in markers)
