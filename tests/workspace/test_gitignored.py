"""Directories a repository leaves out are no progress; every decision is compared with git's own."""

from __future__ import annotations

import os
import subprocess
import time
import warnings
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from microloop_cli.workspace.git_index import tracked_paths
from microloop_cli.workspace.gitignored import read_repository, understood
from microloop_cli.workspace.ignore import IgnoreRules
from microloop_cli.workspace.repository_rules import RepositoryRules
from tests.needs import need


class Repository:
    """A real repository with files in it."""

    def __init__(self, place: Path) -> None:
        self.place = place
        place.mkdir()
        self.git("init", "-q")

    def git(self, *argv: str, code: int = 0) -> str:
        name = ["-c", "user.name=a", "-c", "user.email=a@example.com"]
        done = subprocess.run(
            [str(need("git")), *name, *argv], cwd=self.place, capture_output=True, text=True, check=False
        )
        assert done.returncode <= code, done.stderr
        return done.stdout

    def write(self, name: str, content: str = "x") -> None:
        path = self.place / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)

    def rules(self, *patterns: str) -> IgnoreRules:
        root = os.path.realpath(self.place)
        return IgnoreRules(patterns, read_repository(root, IgnoreRules(patterns)))

    def left_out(self, *folders: str) -> list[str]:
        """Those of some directories that are ignored, looked at from the top as a walk does."""
        rules = self.rules()

        def ignored(folder: str) -> bool:
            parts = folder.split("/")
            return any(
                rules.ignores("/".join(parts[:depth]), is_dir=True) for depth in range(1, len(parts) + 1)
            )

        return [folder for folder in folders if ignored(folder)]

    def git_leaves_out(self, *folders: str) -> list[str]:
        said = self.git("check-ignore", "--no-index", *(f"{folder}/" for folder in folders), code=1)
        return [line.rstrip("/") for line in said.splitlines()]


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "project")


FOLDERS = (
    "build", "src/build", "out", "src/out", "a.egg-info", "cmake-build-debug", "bin", "Bin", "src",
    "packages/x/dist", "packages/x/y/dist", "keep", "docs/_build", "docs/a/_build", "lib", "tmp/keep", "node",
)  # fmt: skip


def test_each_directory_is_left_out_as_git_does(repository: Repository) -> None:
    lines = "build/ /out *.egg-info/ cmake-build-*/ [Bb]in/ packages/*/dist/ **/_build !/docs/_build tmp/* !tmp/keep"
    repository.write(".gitignore", "# comment\n\n" + "\n".join(lines.split()) + "\n")
    repository.write("src/.gitignore", "!build/\nout/\n")
    for folder in FOLDERS:
        repository.write(f"{folder}/file")
    assert repository.left_out(*FOLDERS) == repository.git_leaves_out(*FOLDERS)
    assert "build" in repository.left_out(*FOLDERS)


def test_a_single_file_that_git_ignores_still_counts(repository: Repository) -> None:
    repository.write(".gitignore", ".env\n*.local\nlogs/\n")
    rules = repository.rules()
    assert not rules.ignores(".env", is_dir=False)
    assert not rules.ignores("config.local", is_dir=False)
    assert rules.ignores("logs", is_dir=True)


def test_a_directory_made_later_is_left_out_and_rules_written_later_are_not_read(
    repository: Repository,
) -> None:
    repository.write(".gitignore", "build/\n")
    rules = repository.rules()
    repository.write(".gitignore", "build/\nsrc/\n")
    assert rules.ignores("build", is_dir=True)
    assert not rules.ignores("src", is_dir=True)


def test_a_cache_that_leaves_itself_out_is_left_out(repository: Repository) -> None:
    """Tools put a .gitignore of one star into what they make."""
    repository.write("cache/.gitignore", "# made by a tool\n*\n")
    repository.write("cache/deep/file")
    assert repository.left_out("cache", "src") == ["cache"]


def test_in_a_tracked_directory_that_leaves_out_its_contents_the_directories_do_not_count(
    repository: Repository,
) -> None:
    repository.write("storage/.gitignore", "*\n!.gitignore\n")
    repository.write("storage/cache/file")
    repository.git("add", "storage")
    assert repository.left_out("storage", "storage/cache") == ["storage/cache"]


def test_a_repository_that_leaves_out_everything_says_nothing(repository: Repository) -> None:
    repository.write(".gitignore", "*\n")
    assert repository.left_out("src", "build") == []


def test_what_is_tracked_all_the_same_counts(repository: Repository) -> None:
    repository.write(".gitignore", "lib/\nbuild/\n")
    repository.write("lib/deep/source.py")
    repository.write("build/file")
    repository.git("add", "-f", "lib")
    assert repository.left_out("lib", "lib/deep", "build") == ["build"]


def test_a_pattern_of_mere_names_leaves_what_is_tracked_alone(repository: Repository) -> None:
    """Many a repository keeps its sources in `build/` or fixtures in `*.log`."""
    repository.write("build/tools/make.py")
    repository.write("tests/sample.log")
    repository.write("docs/build/page")
    repository.git("add", "build", "tests")
    rules = repository.rules("build/", "*.log")
    assert not rules.ignores("build", is_dir=True)
    assert not rules.ignores("build/tools", is_dir=True)
    assert not rules.ignores("tests/sample.log", is_dir=False)
    assert rules.ignores("docs/build", is_dir=True)
    assert rules.ignores("build/tools/debug.log", is_dir=False)
    assert repository.rules("/build/").ignores("build", is_dir=True)
    assert repository.rules("*.log", "!*.log", "tests/*.log").ignores("tests/sample.log", is_dir=False)


def test_gitignore_files_can_be_left_unread(repository: Repository) -> None:
    repository.write(".gitignore", "build/\n")
    repository.write("lib/file")
    repository.git("add", "lib")
    found = read_repository(str(repository.place), IgnoreRules(), gitignored=False)
    assert not found.excludes("build")
    assert "lib/file" in found.tracked


@pytest.mark.parametrize("version", ["2", "3", "4"])
def test_tracked_paths_are_those_git_names(repository: Repository, version: str) -> None:
    names = [
        "a",
        "b/c",
        "b/d/e",
        "b/d/f g",
        "längs/ü",
        "x/" + "y" * 200 + "/z",
        *(f"m{n}/f" for n in range(300)),
    ]
    for name in names:
        repository.write(name)
    repository.git("update-index", "--index-version", version)
    repository.git("add", ".")
    if version == "3":
        repository.git("add", "-N", "a")
        repository.write("new/file")
        repository.git("add", "-N", "new/file")
        names.append("new/file")
    assert (repository.place / ".git" / "index").read_bytes()[7] == int(version)
    wanted = {os.path.dirname(name) for name in names} - {""} | {"b", "x", *names}
    assert tracked_paths(str(repository.place)) == frozenset(wanted)


def test_a_worktree_is_read_through_its_git_file(repository: Repository, tmp_path: Path) -> None:
    repository.write("lib/source.py")
    repository.git("add", ".")
    repository.git("commit", "-qm", "all")
    repository.git("worktree", "add", "-q", str(tmp_path / "tree"))
    assert tracked_paths(str(tmp_path / "tree")) == frozenset({"lib", "lib/source.py"})


def test_without_a_repository_the_rules_hold_all_the_same(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_text("build/\n")
    found = read_repository(str(tmp_path), IgnoreRules())
    assert found.excludes("build")
    assert tracked_paths(str(tmp_path)) == frozenset()


def test_an_index_that_cannot_be_understood_switches_the_rules_off(repository: Repository) -> None:
    repository.write(".gitignore", "build/\n")
    repository.write("src/file")
    repository.git("add", ".")
    index = repository.place / ".git" / "index"
    whole = index.read_bytes()
    for wrong in (
        b"",
        b"DIRC",
        whole[:-30],
        whole[:40],
        b"X" + whole[1:],
        whole[:7] + b"\x09" + whole[8:],
        whole + b"z" * 40,
    ):
        index.write_bytes(wrong)
        assert tracked_paths(str(repository.place)) is None
        assert repository.left_out("build") == []
    index.unlink()
    index.symlink_to("/etc/passwd")
    assert tracked_paths(str(repository.place)) is None


def test_a_split_index_switches_the_rules_off(repository: Repository) -> None:
    repository.write("src/file")
    repository.git("add", ".")
    repository.git("update-index", "--split-index")
    assert tracked_paths(str(repository.place)) is None


def test_sha256_repositories_switch_the_rules_off(tmp_path: Path) -> None:
    place = tmp_path / "project"
    made = subprocess.run(
        [str(need("git")), "init", "-q", "--object-format=sha256", str(place)],
        capture_output=True,
        check=False,
    )
    if made.returncode != 0:
        pytest.skip("this git knows no SHA-256 repositories")
    for number in range(20):
        (place / f"d{number}").mkdir()
        (place / f"d{number}" / "file").write_text(str(number))
    subprocess.run([str(need("git")), "add", "."], cwd=place, check=True)
    assert tracked_paths(str(place)) is None


def test_patterns_of_strangers_are_taken_only_when_they_are_harmless() -> None:
    text = "a*b*c*d*e\n[a-\n[?-.]\n" + "x" * 300 + "\nfoo\\ \n\udcff\nok/\n!ok*\n*\n/**/a/**\n"
    assert understood(text) == ["ok/", "!ok*", "*", "/**/a/**"]


@given(st.text("ab*?[]!/\\-.c # \n{}~", max_size=60) | st.text(max_size=60))
@settings(max_examples=300, deadline=None)
def test_no_gitignore_raises_or_warns(text: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        rules = RepositoryRules(frozenset())
        rules.learn("", understood(text))
        rules.learn("a", understood(text))
        assert rules.excludes("a/b") in {True, False}


def test_a_hostile_gitignore_takes_no_time(repository: Repository) -> None:
    repository.write(".gitignore", "\n".join("*" + "a" * 90 + "*b" for _ in range(400)))
    repository.write("big/.gitignore", "z/\n" * 40_000)
    repository.write("big/build/file")
    os.mkfifo(repository.place / "big" / "build" / ".gitignore")
    (repository.place / "link").mkdir()
    (repository.place / "link" / ".gitignore").symlink_to("/dev/zero")
    (repository.place / ("a" * 250)).mkdir()
    start = time.perf_counter()
    rules = repository.rules()
    assert not rules.ignores("a" * 250, is_dir=True)
    assert not rules.ignores("big/z", is_dir=True)
    assert time.perf_counter() - start < 2.0
