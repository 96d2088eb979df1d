"""Corpora as they come: packed or not, long, damaged, hostile."""

from __future__ import annotations

import gzip
import json
import os
import threading
from pathlib import Path

import pytest

from microloop_cli.bundle import corpus
from microloop_cli.bundle.corpus import read_corpus
from microloop_cli.errors import UsageError

STEP = {"step": 1, "action": "ls", "observation": "x"}


def line(run_id: str) -> bytes:
    return json.dumps({"id": run_id, "steps": [STEP]}).encode() + b"\n"


def ids(path: Path) -> list[str]:
    return [run.id for run in read_corpus(path)]


def problem(path: Path) -> str:
    with pytest.raises(UsageError) as error:
        ids(path)
    assert error.value.exit_code == 2
    return error.value.message


def test_lines_are_runs_and_blank_lines_are_nothing(tmp_path: Path) -> None:
    path = tmp_path / "runs.jsonl"
    path.write_bytes(line("a") + b"\n" + line("b").rstrip(b"\n"))
    assert ids(path) == ["a", "b"]


def test_gzip_is_known_by_its_content_whatever_the_name(tmp_path: Path) -> None:
    path = tmp_path / "runs"
    path.write_bytes(gzip.compress(line("a") + line("b")))
    assert ids(path) == ["a", "b"]


def test_a_pipe_can_be_read(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_bytes, args=(gzip.compress(line("a")),))
    writer.start()
    assert ids(path) == ["a"]
    writer.join()


def test_a_document_over_many_lines_is_one_run_named_by_its_file(tmp_path: Path) -> None:
    path = tmp_path / "django-1.traj.json"
    path.write_text(json.dumps({"trajectory": [{"action": "ls", "observation": "x"}]}, indent=2))
    assert ids(path) == ["django-1"]


def test_the_line_that_is_wrong_is_named(tmp_path: Path) -> None:
    path = tmp_path / "runs.jsonl"
    path.write_bytes(line("a") + b'{"id": "b", "steps": [{"step": 1}]}\n')
    assert problem(path) == f"{path}:2: steps[0].action: it is missing"
    path.write_bytes(line("a") + b"{not json}\n")
    assert problem(path).startswith(f"{path}:2: it is not JSON")
    path.write_bytes(line("a") + b'{"id": "\xff", "steps": []}\n')
    assert problem(path).startswith(f"{path}:2: it is not UTF-8")


def test_runs_before_the_damage_are_given(tmp_path: Path) -> None:
    path = tmp_path / "runs.jsonl.gz"
    packed = gzip.compress(line("a") + os.urandom(100_000).hex().encode())
    path.write_bytes(packed[: len(packed) // 2])
    runs = read_corpus(path)
    assert next(runs).id == "a"
    with pytest.raises(UsageError, match=r":2: the gzip data is damaged"):
        next(runs)
    path.write_bytes(packed[:200] + b"\0" * 50 + packed[250:])
    assert "damaged" in problem(path) or "not UTF-8" in problem(path) or "not JSON" in problem(path)


def test_a_line_without_end_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(corpus, "LINE_LIMIT_BYTES", 1024 * 1024)
    path = tmp_path / "runs.jsonl.gz"
    path.write_bytes(gzip.compress(b'{"id": "' + b"x" * 2 * 1024 * 1024 + b'"}'))
    assert problem(path) == f"{path}:1: longer than 1 MiB in one piece, and not read"
    path.write_bytes(b'{\n"id": "' + b"x" * 2 * 1024 * 1024 + b'"}')
    assert "longer than 1 MiB" in problem(path)


def test_what_holds_no_runs_is_told(tmp_path: Path) -> None:
    path = tmp_path / "runs.jsonl"
    path.write_bytes(b"\n \n")
    assert problem(path) == f"{path} holds no runs"
    assert "cannot be read: No such file" in problem(tmp_path / "nowhere")
    assert "cannot be read: Is a directory" in problem(tmp_path)
