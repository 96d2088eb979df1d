"""Patterns of ignored paths: the quick no never says anything else than the whole pattern matcher."""

from __future__ import annotations

import re
import warnings

import pathspec
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from microloop_cli.errors import UsageError
from microloop_cli.workspace.ignore import IgnoreRules
from microloop_cli.workspace.patterns import PatternList

PATTERN = st.text("ab.*?[]!/\\-c #", min_size=1, max_size=6)
NAME = st.text("abc.-! \\*[#", min_size=1, max_size=4).filter(lambda name: name not in {".", ".."})


@given(st.lists(PATTERN, min_size=1, max_size=4), st.lists(NAME, min_size=1, max_size=3), st.booleans())
@settings(max_examples=500, deadline=None)
def test_below_parents_that_count_every_decision_is_gits(
    patterns: list[str], names: list[str], is_dir: bool
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            spec = pathspec.GitIgnoreSpec.from_lines(patterns)
        except (ValueError, re.error):
            with pytest.raises(UsageError):
                PatternList(patterns)
            return
        parents = ["/".join(names[:depth]) + "/" for depth in range(1, len(names))]
        assume(all(spec.check_file(parent).include is None for parent in parents))
        path = "/".join(names)
        wanted = spec.check_file(path + "/" if is_dir else path).include
        assert PatternList(patterns).decides(path, is_dir=is_dir) == wanted


@pytest.mark.parametrize(
    ("pattern", "ignored", "kept"),
    [
        ("build/", ["build/", "a/build/"], ["build", "a/build.py", "builds/"]),
        ("/out/", ["out/"], ["a/out/", "out"]),
        ("*.log", ["x.log", "a/b.log", "dir.log/"], ["log", "x.log.txt"]),
        (".coverage.*", [".coverage.host.1"], [".coveragerc", "a.coverage.x"]),
        ("cmake-build-*/", ["cmake-build-debug/"], ["cmake-build-debug"]),
        ("storage/logs/", ["storage/logs/"], ["a/storage/logs/", "storage/"]),
        ("[Oo]bj/", ["obj/", "a/Obj/"], ["OBJ/", "object/"]),
    ],
)
def test_each_form_of_pattern(pattern: str, ignored: list[str], kept: list[str]) -> None:
    rules = IgnoreRules([pattern])

    def ignores(path: str) -> bool:
        return rules.ignores(path.rstrip("/"), is_dir=path.endswith("/"))

    assert [path for path in ignored if not ignores(path)] == []
    assert [path for path in kept if ignores(path)] == []


@pytest.mark.parametrize("pattern", ["!", "[?-.]"])
def test_a_pattern_that_is_none_is_a_users_error(pattern: str) -> None:
    with pytest.raises(UsageError, match="pattern of ignored paths is wrong"):
        IgnoreRules([pattern])


def test_a_later_pattern_brings_a_path_back() -> None:
    rules = IgnoreRules(["*.log", "!keep.log", "tmp*", "!/tmp-wanted/"])
    assert rules.ignores("a.log", is_dir=False)
    assert not rules.ignores("keep.log", is_dir=False)
    assert not rules.ignores("tmp-wanted", is_dir=True)
    assert rules.ignores("tmp-wanted", is_dir=False)
