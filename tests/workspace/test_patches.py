"""The patch: applied to the tree as it was it gives the tree as it is, and nothing of the agent's runs."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from microloop_cli.workspace.patch import Changes
from microloop_cli.workspace.snapshot import Snapshot
from tests.needs import need
from tests.workspace.places import changes_of, epoch_of, snapshot_of

ODD = os.fsdecode(b'caf\xe9 "quoted" \'n\tame\\')


def patched(place: Path, work: Callable[[Path], None]) -> Changes:
    """Do `work`; the patch of it must turn a copy of the tree before into the tree after."""
    need("git")
    before = place.parent / "before"
    shutil.copytree(place, before, symlinks=True)
    snapshot = snapshot_of(place)
    work(place)
    changes = changes_of(snapshot)
    assert (changes.epoch_before, changes.epoch_after) == (snapshot.epoch, epoch_of(place))
    apply(before, snapshot)
    assert epoch_of(before) == epoch_of(place)
    return changes


def apply(tree: Path, snapshot: Snapshot) -> None:
    patch = snapshot.store.parent / "out" / "changes.patch"
    argv = ["git", "apply", "--whitespace=nowarn", str(patch)]
    done = subprocess.run(
        argv, cwd=tree, env=os.environ | {"GIT_CEILING_DIRECTORIES": str(tree.parent)}, check=False
    )
    assert done.returncode == 0, patch.read_bytes()


def test_edits_new_files_and_deletions(place: Path) -> None:
    def work(at: Path) -> None:
        (at / "src/calc.py").write_text("def add(a, b):\n    return a + b\n")
        (at / "new/deep").mkdir(parents=True)
        (at / "new/deep/file.txt").write_text("new\n")
        (at / "new/empty").touch()
        (at / "README").unlink()

    changes = patched(place, work)
    assert [(change.path, change.kind, change.in_patch) for change in changes.changes] == [
        ("README", "deleted", True),
        ("new/deep/file.txt", "added", True),
        ("new/empty", "added", True),
        ("src/calc.py", "modified", True),
    ]
    calc = changes.changes[3]
    assert (calc.bytes_before, calc.bytes_after) == (32, 32)
    assert calc.sha256_before != calc.sha256_after


def test_a_patch_reads_as_people_expect(place: Path) -> None:
    def work(at: Path) -> None:
        (at / "src/calc.py").write_text("def add(a, b):\n    return a + b\n")

    patched(place, work)
    text = (place.parent / "out" / "changes.patch").read_text()
    assert text.startswith("diff --git a/src/calc.py b/src/calc.py\n")
    assert "-    return a - b\n+    return a + b\n" in text
    assert str(place.parent) not in text


def test_execute_bits_of_text_and_binary(place: Path) -> None:
    def work(at: Path) -> None:
        (at / "README").chmod(0o755)
        (at / "image.bin").chmod(0o755)
        (at / "script").write_text("#!/bin/sh\n")
        (at / "script").chmod(0o700)

    changes = patched(place, work)
    assert [(change.path, change.kind) for change in changes.changes] == [
        ("README", "mode"),
        ("image.bin", "mode"),
        ("script", "added"),
    ]


def test_line_ends_stay_as_they_are(place: Path) -> None:
    (place / "crlf").write_bytes(b"one\r\ntwo\r\nthree\r\n")
    (place / "no-newline").write_bytes(b"one\ntwo")
    (place / "bare-cr").write_bytes(b"a\rb\rc")

    def work(at: Path) -> None:
        (at / "crlf").write_bytes(b"one\r\n2\r\nthree\n")
        (at / "no-newline").write_bytes(b"one\ntwo\nthree")
        (at / "bare-cr").write_bytes(b"a\rB\rc\n\x0c\x1b[31m")
        (at / "latin").write_bytes(b"caf\xe9\n")

    patched(place, work)


def test_names_with_spaces_quotes_tabs_and_bytes_that_are_no_utf8(place: Path) -> None:
    (place / ODD).write_text("one\n")
    (place / "a b").mkdir()

    def work(at: Path) -> None:
        (at / ODD).write_text("two\n")
        (at / "a b" / f"new {ODD}").write_text("x\n")
        (at / "line\nbreak").write_text("x\n")
        (at / "--output=evil").write_text("x\n")
        (at / "ü").write_text("x\n")

    changes = patched(place, work)
    odd = next(change for change in changes.changes if change.path.startswith("caf"))
    assert odd.path == 'caf\\xe9 "quoted" \'n\tame\\'
    assert bytes.fromhex(odd.path_hex) == os.fsencode(ODD)


def test_links_and_what_takes_the_place_of_what(place: Path) -> None:
    (place / "link").symlink_to("README")
    (place / "dir-to-file").mkdir()
    (place / "dir-to-file" / "x").write_text("x\n")
    (place / "file-to-dir").write_text("x\n")
    (place / "file-to-link").write_text("x\n")

    def work(at: Path) -> None:
        (at / "link").unlink()
        (at / "link").symlink_to("src")
        (at / "out").symlink_to("/etc/passwd")
        shutil.rmtree(at / "dir-to-file")
        (at / "dir-to-file").write_text("y\n")
        (at / "file-to-dir").unlink()
        (at / "file-to-dir").mkdir()
        (at / "file-to-dir" / "y").write_text("y\n")
        (at / "file-to-link").unlink()
        (at / "file-to-link").symlink_to("README")

    changes = patched(place, work)
    assert all(change.in_patch for change in changes.changes)
    assert "root:" not in (place.parent / "out" / "changes.patch").read_text()


def test_binary_and_large_files_are_listed_and_left_out(place: Path) -> None:
    snapshot = snapshot_of(place)
    (place / "image.bin").write_bytes(b"\0other")
    (place / "README").write_bytes(b"now\0binary")
    (place / "large.txt").write_bytes(b"x" * (2 << 20))
    os.mkfifo(place / "fifo")
    changes = changes_of(snapshot)
    assert {change.path: change.left_out for change in changes.changes} == {
        "image.bin": "binary or large",
        "README": "binary",
        "large.txt": "large",
        "fifo": "a fifo",
    }
    assert changes.patch is None
    assert not (place.parent / "out" / "changes.patch").exists()


def test_no_change_is_an_empty_list(place: Path) -> None:
    changes = changes_of(snapshot_of(place))
    assert changes.changes == ()
    assert changes.patch is None
    assert changes.epoch_before == changes.epoch_after
    assert json.loads((place.parent / "out" / "changes.json").read_text())["changes"] == []


def test_nothing_the_agent_configures_runs_or_bends_the_patch(place: Path, tmp_path: Path) -> None:
    """Everything git can be told to run, in every place the agent can write; each would leave a mark."""
    mark = tmp_path / "mark"
    evil = f"sh -c 'echo ran >> {mark}'"

    def work(at: Path) -> None:
        (at / ".git").mkdir()
        for config in (at / ".git" / "config", at / ".gitconfig", at / ".config"):
            config.write_text(
                f'[core]\n\tfsmonitor = "{evil}"\n\tpager = "{evil}"\n\tautocrlf = true\n'
                f'[diff]\n\texternal = "{evil}"\n[diff "e"]\n\ttextconv = "{evil}"\n\tcommand = "{evil}"\n'
                f'[filter "e"]\n\tclean = "{evil}"\n\tsmudge = "{evil}"\n\tprocess = "{evil}"\n'
            )
        for folder in (at, at / "src", at / "new"):
            folder.mkdir(exist_ok=True)
            (folder / ".gitattributes").write_text(
                "* diff=e filter=e text eol=lf ident working-tree-encoding=UTF-16\n*.py -diff binary\n"
            )
        (at / "new" / "git").write_text(f"#!/bin/sh\n{evil}\n")
        (at / "new" / "git").chmod(0o755)
        (at / "src" / "calc.py").write_bytes(b"now\r\n$Id$\r\n")
        (at / "src" / "new.py").write_bytes(b"$Id: x$\r\n")

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", f"{place / 'new'}:.:{os.environ['PATH']}")
        patch.setenv("GIT_EXTERNAL_DIFF", evil)
        patch.setenv("GIT_CONFIG_COUNT", "1")
        patch.setenv("GIT_CONFIG_KEY_0", "diff.external")
        patch.setenv("GIT_CONFIG_VALUE_0", evil)
        patch.setenv("HOME", str(place))
        snapshot = snapshot_of(place)
        work(place)
        changes = changes_of(snapshot)
    assert not mark.exists()
    text = (place.parent / "out" / "changes.patch").read_bytes()
    assert b"+++ b/new/.gitattributes\n" in text
    assert b".neutral-" not in text
    assert b"+now\r\n+$Id$\r\n" in text
    assert {change.path for change in changes.changes if change.in_patch} >= {".gitattributes", "src/calc.py"}


def test_attribute_files_are_in_the_patch_under_their_own_name(place: Path) -> None:
    (place / ".gitattributes").write_text("*.bin -text\n")

    def work(at: Path) -> None:
        (at / ".gitattributes").write_text("*.py text\n")
        (at / f"{ODD}").mkdir()
        (at / f"{ODD}" / ".gitattributes").write_text("*.x text\n")

    patched(place, work)


def test_without_git_the_changes_are_listed_and_the_reason_said(
    place: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    snapshot = snapshot_of(place)
    (place / "README").write_text("other\n")
    monkeypatch.setenv("PATH", str(tmp_path))
    changes = changes_of(snapshot)
    assert changes.no_patch == "git is not installed"
    assert [(change.path, change.in_patch, change.left_out) for change in changes.changes] == [
        ("README", False, "git is not installed")
    ]


def test_a_git_that_hangs_is_given_up(place: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "git").write_text("#!/bin/sh\nexec sleep 60\n")
    (programs / "git").chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    monkeypatch.setattr("microloop_cli.workspace.patch.GIT_SECONDS", 0.2)
    snapshot = snapshot_of(place)
    (place / "README").write_text("other\n")
    assert "git needed more than" in changes_of(snapshot).no_patch


def test_more_than_a_patch_may_hold_is_cut_and_said(place: Path) -> None:
    from microloop_cli.workspace.patch import make_patch

    snapshot = snapshot_of(place)
    for number in range(10):
        (place / f"file{number}").write_bytes(b"x" * 1000)
    out = place.parent / "out"
    out.mkdir()
    changes = make_patch(snapshot, out, limit_bytes=5500)
    assert changes.cut
    assert sum(change.in_patch for change in changes.changes) == 5
    assert [change.left_out for change in changes.changes].count("the patch is full") == 5
