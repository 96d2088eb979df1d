"""Policy files are read strictly: every mistake is named with file, line and key; none is a traceback."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from microloop_cli.errors import PolicyError
from microloop_cli.policy.document import MAX_BYTES
from microloop_cli.policy.layers import resolve
from microloop_cli.policy.load import load, parse_policy
from microloop_cli.policy.model import key_types


def said(text: str | bytes) -> PolicyError:
    data = text.encode() if isinstance(text, str) else text
    with pytest.raises(PolicyError) as caught:
        resolve([parse_policy(data, "p.yaml")])
    return caught.value


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("limits:\n  steps: many\n", "p.yaml:2: limits.steps: expected int | null, got str, found many"),
        ("limits:\n  steps: 0\n", "p.yaml:2: limits.steps: expected int >= 1, found 0"),
        ("limits:\n  steps: yes\n", "p.yaml:2: limits.steps: expected int | null, got bool, found True"),
        ("limits:\n  wall_seconds: .nan\n", "p.yaml:2: limits.wall_seconds: "),
        ("limits:\n  wall_seconds: .inf\n", "p.yaml:2: limits.wall_seconds: "),
        (
            "limits:\n  wall_seconds: 2026-11-21\n",
            "p.yaml:2: limits.wall_seconds: expected float | null, got str",
        ),
        ("limits:\n  steps: 1" + "0" * 5000, "p.yaml:2: limits.steps: "),
        ("sandbox:\n  network: all\n", "p.yaml:2: sandbox.network: expected one of none, host, found all"),
        ("sandbox:\n  env: HOME\n", "p.yaml:2: sandbox.env: expected array, got str, found HOME"),
        ("sandbox:\n  env: [1X=2]\n", "p.yaml:2: sandbox.env: "),
        ("sandbox:\n  env: [{a: b}]\n", "p.yaml:2: sandbox.env: "),
        ("sandbox:\n  image: {a: b}\n", "p.yaml:2: sandbox.image: expected a value, found keys below it"),
        ("limits: 5\n", "p.yaml:1: limits: expected keys below it"),
        ("- a\n", "p.yaml:1: expected keys and values"),
        ("limits:\n  steps: 1\n  steps: 2\n", "p.yaml:3: limits.steps: stands twice (first in line 2)"),
        ("limits:\n\tsteps: 1\n", "p.yaml:2: "),
        ("1: 2\n", "p.yaml:1: a key must be a word"),
        ("? [a]\n: b\n", "p.yaml:1: a key must be a word"),
        ("a: b: c\n", "p.yaml:1: "),
        ("schema: 2\n", "p.yaml:1: schema: expected one of 1, found 2"),
        ("limits: !!python/object:os.system {}\n", "p.yaml:1: limits: the tag "),
        ("limits:\n  steps: !!binary aGk=\n", "p.yaml:2: limits.steps: the tag "),
        ("a: 1\n---\nb: 2\n", "p.yaml:2: "),
        ("progress:\n  ignore: ['!']\n", "p.yaml:2: progress.ignore: "),
        ("progress:\n  repeat: {nudge: 1}\n", "p.yaml:2: progress.repeat.nudge: expected int >= 2, found 1"),
    ],
)
def test_a_mistake_is_named_with_file_line_key_and_what_was_expected(text: str, message: str) -> None:
    assert said(text).message.startswith(message)


@pytest.mark.parametrize(
    ("text", "near"),
    [("limit:\n  steps: 1\n", "limits"), ("limits:\n  step: 1\n", "limits.steps"), ("extend: ci\n", "extends"),
     ("sandbox:\n  memory: 5\n", "sandbox.memory_mib"), ("progress:\n  repeat:\n    nugde: 3\n", "progress.repeat.nudge")],
)  # fmt: skip
def test_an_unknown_key_is_answered_with_the_nearest_known_one(text: str, near: str) -> None:
    error = said(text)
    assert "there is no such key" in error.message
    assert error.hint == f"did you mean {near}?"


def test_an_unknown_key_like_no_other_is_answered_with_all_keys() -> None:
    assert "limits.idle_seconds" in said("limits:\n  zzz: 1\n").hint


def test_tabs_are_explained() -> None:
    assert said("limits:\n\tsteps: 1\n").hint == "YAML is indented with spaces, not tabs"


@pytest.mark.parametrize(
    "data",
    [
        b"\xff\xfe\x00", b"a: \x00\n", b"x" * (MAX_BYTES + 1), b"[" * 200_000, b"{a: " * 50_000, b"- " * 60_000,
        b"a: &a [*a]\n", b"&a {a: *a}\n", b"a: [" + b"1," * 60_000 + b"]",
        b"a: &a [x,x,x,x,x,x,x,x,x]\n" + b"".join(
            b"%c: &%c [%s]\n" % (98 + n, 98 + n, b",".join([b"*%c" % (97 + n)] * 9)) for n in range(9)
        ),
    ],
    ids=["utf8", "nul", "large", "deep list", "deep map", "deep block", "self", "self map", "long", "bomb"],
)  # fmt: skip
def test_a_file_made_to_hurt_is_refused_at_once(data: bytes) -> None:
    assert said(data).message.startswith("p.yaml")


def test_anchors_are_fine_and_an_empty_file_changes_nothing() -> None:
    layer = parse_policy(b"limits:\n  wall_seconds: &t 60\n  idle_seconds: *t\n", "p.yaml")
    assert layer["limits.idle_seconds"].value == 60
    for empty in (b"", b"# nothing\n", b"limits:\n", b"\xef\xbb\xbf"):
        assert parse_policy(empty, "p.yaml") == {}


def test_a_policy_that_does_not_exist_is_answered_with_the_ones_that_do(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="no policy named 'stict'") as caught:
        load("stict")
    assert caught.value.hint.startswith("did you mean strict? known: ci, default,")
    for missing in (str(tmp_path / "gone.yaml"), "./gone.yaml", "a\0b.yaml", "x" * 5000 + ".yaml"):
        with pytest.raises(PolicyError, match="there is no such policy file"):
            load(missing)


def test_a_file_that_cannot_be_read_says_why(tmp_path: Path) -> None:
    (tmp_path / "dir.yaml").mkdir()
    with pytest.raises(PolicyError, match="cannot be read: Is a directory"):
        load(str(tmp_path / "dir.yaml"))


def test_the_parent_that_does_not_exist_is_named_with_the_line(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text("schema: 1\nextends: nope\n")
    with pytest.raises(PolicyError, match=r"a\.yaml:2: there is no policy named 'nope'"):
        load(str(file))


LINES = st.lists(
    st.sampled_from(
        ["limits:", "  steps: 5", "  steps: &a 5", "  idle_seconds: *a", "\tx: 1", "- a", "  - a", "sandbox: {", "}",
         "<<: *a", "? x", ": y", "---", "...", "%YAML 9.9", "!!set {a}", "a: !x b", "'", '"', "|", "  >-", "#", "[", "]",
         "progress:", "  ignore:", "  - '\\'", "  repeat_nudge: 1e400", "schema: 0o7", "extends: ~", "key: 0x", "\x85",
         "a: 1:99:99", "a: 2001-99-99", "a: =", "&a *a", "*a", "\u2028", "= : 1"]
    ), max_size=8,
).map("\n".join)  # fmt: skip


@settings(max_examples=300)
@given(st.one_of(LINES, st.text(), st.text(alphabet="{}[]:,&*!|>'\"%@`#-? \nab1\t")).map(str))
def test_no_text_makes_loading_fail_but_with_a_policy_error(text: str) -> None:
    message = "p.yaml"
    try:
        resolve([parse_policy(text.encode("utf-8", "surrogatepass"), "p.yaml")])
    except PolicyError as error:
        message = error.message
    assert message.startswith("p.yaml")


@settings(max_examples=200)
@given(
    st.sampled_from(list(key_types())),
    st.one_of(st.text(), st.integers(), st.floats(), st.none(), st.booleans(), st.lists(st.text())),
)
def test_no_option_value_makes_resolving_fail_but_with_a_policy_error(path: str, value: object) -> None:
    if path == "extends":
        return
    message = path
    try:
        load(options={path: ("--option", value)})
    except PolicyError as error:
        message = error.message
    assert path in message
