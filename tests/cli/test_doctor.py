"""`microloop doctor` on this host, really trying."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from microloop_cli.backends.base import BOUNDARIES
from microloop_cli.cli.main import main


def test_a_sandbox_that_works_is_usable_and_says_what_it_does_not_enforce(
    bwrap: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["doctor", "--backend", "bwrap"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("bwrap: usable")
    assert "  intercept  seccomp notification" in shown
    assert "  memory     NOT enforced: " in shown


def test_as_json_every_boundary_is_enforced_or_missing(
    bwrap: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["doctor", "--backend", "bwrap", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    (probe,) = document["backends"]
    assert (document["default"], probe["backend"], probe["usable"]) == ("bwrap", "bwrap", True)
    assert {*probe["enforcement"]["enforced"], *probe["enforcement"]["missing"]} == set(BOUNDARIES)


def test_a_sandbox_that_is_not_there_is_code_1_and_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "200")
    assert main(["doctor", "--backend", "bwrap"]) == 1
    shown = capsys.readouterr().out
    assert shown.startswith("bwrap: NOT usable")
    assert "  problem    " in shown
    assert "install" in shown
    assert os.environ["PATH"] == str(tmp_path)


def test_an_unknown_backend_names_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--backend", "bwarp"]) == 2
    assert "did you mean bwrap?" in capsys.readouterr().err
