"""The command the agent meant, as people and detectors see it."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from microloop_cli.core.progress.command import canonical
from microloop_cli.core.settings import AgentProfile
from microloop_cli.policy.profiles import load_profile, profile_names

GENERIC = AgentProfile()
SOURCE = "source /h/.claude/shell-snapshots/snapshot-bash-1.sh 2>/dev/null || true && shopt -u extglob 2>/dev/null || true"


@pytest.mark.parametrize(
    "argv",
    [
        ("sh", "-c", "pytest -q"),
        ("/bin/bash", "-lc", " pytest -q\n"),
        ("bash", "-c", "-l", "pytest -q"),
        ("bash", "-euo", "pipefail", "-c", "pytest -q"),
        ("busybox", "sh", "-c", "pytest -q"),
        ("zsh", "-o", "extendedglob", "-c", "--", "pytest -q"),
        ("sh", "-c", "pytest -q", "sh"),
        ("pytest", "-q"),
    ],
)
def test_the_shell_around_a_command_does_not_matter(argv: tuple[str, ...]) -> None:
    assert canonical(argv, GENERIC) == "pytest -q"


def test_a_program_with_arguments_is_quoted_as_a_shell_would_read_it() -> None:
    assert canonical(("git", "commit", "-m", "it's done"), GENERIC) == "git commit -m 'it'\"'\"'s done'"


def test_arguments_of_a_command_string_are_part_of_it() -> None:
    one, two = (canonical(("sh", "-c", 'echo "$1"', "_", word), GENERIC) for word in ("one", "two"))
    assert one != two


@pytest.mark.parametrize(
    ("wrapped", "meant"),
    [
        (
            f"{SOURCE} && eval 'python3 -m pytest -q' < /dev/null && pwd -P >| /tmp/claude-bb1c-cwd",
            "python3 -m pytest -q",
        ),
        (
            f"{SOURCE} && eval 'sed -i '\"'\"'s/a - b/a + b/'\"'\"' calc.py' < /dev/null && pwd -P >| /tmp/claude-1-cwd",
            "sed -i 's/a - b/a + b/' calc.py",
        ),
        ("source x && eval ls \\< /dev/null && pwd -P >| /tmp/c", "ls"),
        (
            "source x && eval 'eval \"x\" && pwd -P >| f' < /dev/null && pwd -P >| /tmp/c",
            'eval "x" && pwd -P >| f',
        ),
        ("source x && eval 'cat <<E\nline\nE\n' < /dev/null && pwd -P >| /tmp/c", "cat <<E\nline\nE"),
    ],
)
def test_claudes_wrapping_is_taken_off(wrapped: str, meant: str) -> None:
    for argv in (("/bin/bash", "-c", wrapped), ("/bin/bash", "-c", "-l", wrapped)):
        assert canonical(argv, load_profile("claude")) == meant


@pytest.mark.parametrize(
    "wrapped",
    [
        "shopt -u promptvars nullglob; _bgpids_file=/tmp/g-DJy/b.tmp\n(\ntrap 'jobs -p > \"$_bgpids_file\"' EXIT\n{}\n)\n"
        "__code=$?\nexit $__code",
        "shopt -u promptvars nullglob; ( trap 'x' EXIT; {}; ); __code=$?; exit $__code",
        "shopt -u promptvars nullglob; {{ {}; }}; __code=$?; pgrep -g 0 >/tmp/shell_pgrep_7ad6.tmp 2>&1; exit $__code;",
        "{{ {}; }}; __code=$?; pgrep -g 0 >/tmp/p.tmp 2>&1; ( trap '' PIPE ; echo >&2 ); exit $__code;",
        "shopt -u promptvars nullglob extglob; {}",
    ],
)
def test_geminis_wrapping_is_taken_off(wrapped: str) -> None:
    argv = ("bash", "-c", wrapped.format("(cd a && pytest -q) | tail"))
    assert canonical(argv, load_profile("gemini")).rstrip(";") == "(cd a && pytest -q) | tail"


def test_what_looks_like_a_wrapper_but_is_not_stays_as_it_is() -> None:
    for command in ("eval 'x", "eval x && ls", "source a && eval 'b' 'c"):
        assert canonical(("bash", "-c", command), load_profile("claude")) == command


@given(
    st.lists(
        st.one_of(st.sampled_from(["bash", "sh", "-c", "-l", "busybox", "fish", "--command=x"]), st.text()),
        max_size=6,
    ),
    st.sampled_from(profile_names()),
)
def test_no_argv_is_too_strange_for_a_name(argv: list[str], name: str) -> None:
    assert isinstance(canonical(argv, load_profile(name)), str)


@pytest.mark.parametrize(
    "piece",
    [
        "eval ",
        "&& eval 'x' ",
        "eval ' && pwd -P >| a ",
        "}; __code=$?; pgrep -g 0 >a 2>&1; ",
        "(trap '' EXIT ",
        ")\n__code=$?\nexit $__code\n ",
        "'\"'\"'",
        "shopt -u a; ",
    ],
)
def test_a_command_made_to_be_slow_is_named_in_time(piece: str) -> None:
    text = (piece * 32_768)[:32_768]
    started = time.perf_counter()
    for name in profile_names():
        for command in (text, "eval " + text, "{ " + text, "shopt -u a; ( trap '' EXIT " + text):
            canonical(("bash", "-c", command), load_profile(name))
    assert time.perf_counter() - started < 5
