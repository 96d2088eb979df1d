"""What one runner prints is read as that runner's, however it was started."""

from __future__ import annotations

from pathlib import Path

import pytest

from microloop_cli.core.progress.outcomes import (
    dotnet,
    gradle,
    jest,
    maven,
    mocha,
    node_test,
    phpunit,
    vitest,
)
from microloop_cli.core.progress.outcomes.read import read_outcome
from tests.core.progress.outcomes.printed import SAMPLES, Reader

OWN: dict[str, Reader] = {
    "jest": jest, "vitest": vitest, "mocha": mocha, "node": node_test, "maven": maven, "gradle": gradle,
    "phpunit": phpunit, "dotnet": dotnet,
}  # fmt: skip
PRINTED = sorted(SAMPLES.glob("*.txt"))


def owner(path: Path) -> str:
    return path.stem.partition("_")[0]


@pytest.mark.parametrize("path", [path for path in PRINTED if owner(path) in OWN], ids=lambda path: path.stem)
@pytest.mark.parametrize("command", ["make test", "npm test 2>&1 | tail -n 500"])
def test_a_script_that_runs_tests_tells_as_much_as_the_runner_itself(path: Path, command: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert read_outcome(command, text) == OWN[owner(path)].read(text)


@pytest.mark.parametrize("path", PRINTED, ids=lambda path: path.stem)
def test_no_other_runner_takes_it_for_its_own(path: Path) -> None:
    text = path.read_text(encoding="utf-8", errors="replace")
    assert [
        name for name, runner in OWN.items() if name != owner(path) and runner.read(text) is not None
    ] == []
