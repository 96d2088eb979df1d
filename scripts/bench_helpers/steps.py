"""A made-up run of any length, the same each time: reads, searches, tests, edits with 4 KiB of output."""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

OUTPUT_BYTES = 4096


@dataclass(frozen=True)
class MadeUpStep:
    command: str
    output: bytes
    exit_code: int
    epoch: int


def made_up_steps(count: int) -> Iterator[MadeUpStep]:
    """`count` steps; a sixth are edits, each of which makes a new epoch."""
    random, epoch = Random(1), 0
    makers = (_view, _search, _test, _view, _run, _edit)
    for number in range(count):
        make = makers[random.randrange(len(makers))]
        epoch += make is _edit
        command, text, exit_code = make(random, number)
        yield MadeUpStep(command, _filled(text, random), exit_code, epoch)


def _filled(text: str, random: Random) -> bytes:
    lines = [text]
    size = len(text)
    while size < OUTPUT_BYTES:
        line = (
            f"    value_{random.randrange(10**6)} = compute(item, {random.randrange(100)})  # of {len(lines)}"
        )
        lines.append(line)
        size += len(line) + 1
    return "\n".join(lines).encode()[:OUTPUT_BYTES]


def _view(random: Random, number: int) -> tuple[str, str, int]:
    return f"cat src/module_{random.randrange(200)}.py", "import os", 0


def _search(random: Random, number: int) -> tuple[str, str, int]:
    return f"grep -rn name_{random.randrange(500)} src | head -50", "src/a.py:12: name", 0


def _run(random: Random, number: int) -> tuple[str, str, int]:
    return f"python scripts/try_{random.randrange(50)}.py --size {number}", "ran in 0.31s", 0


def _edit(random: Random, number: int) -> tuple[str, str, int]:
    line = random.randrange(400)
    return f"sed -i '{line}s/.*/    return {number}/' src/module_{random.randrange(200)}.py", "", 0


def _test(random: Random, number: int) -> tuple[str, str, int]:
    failed = [f"tests/test_{random.randrange(9)}.py::test_{i}" for i in range(random.randrange(4))]
    summary = "\n".join(f"FAILED {name} - AssertionError: assert {number} == 1" for name in failed)
    told = f"{len(failed)} failed, {40 - len(failed)} passed" if failed else "40 passed"
    title = "=== short test summary info ==="
    text = f"collected 40 items\n{title}\n{summary}\n=== {told} in 0.{number % 90 + 10}s ==="
    return "python -m pytest -q tests 2>&1 | tail -40", text, int(bool(failed))
