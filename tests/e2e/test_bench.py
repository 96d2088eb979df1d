"""The benchmark measures: every row has figures of both sides."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.needs import need_bwrap, need_one_of

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("parts", "rows"),
    [(("execs", "parallel"), 9), (("door", "egress"), 8)],
    ids=["programs", "ways out"],
)
def test_a_short_benchmark_gives_figures_for_each_side(
    tmp_path: Path, parts: tuple[str, ...], rows: int
) -> None:
    need_bwrap()
    need_one_of("musl-gcc", "cc")
    small = ["--rounds", "1", "--execs", "10", "--warmup", "1", "--only", *parts]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", *small, "--json", str(tmp_path / "figures")],
        env={**os.environ, "PYTHONPATH": f"{ROOT / 'scripts'}{os.pathsep}{ROOT}"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ", 0 broken" in done.stdout, done.stdout + done.stderr
    found = json.loads((tmp_path / "figures").read_text())["rows"]
    assert len(found) == rows
    assert all(row["plain"]["p50"] > 0 and row["guarded"]["p50"] > 0 for row in found)
