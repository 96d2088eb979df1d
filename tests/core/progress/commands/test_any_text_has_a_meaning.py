"""Whatever the text, it has a meaning, in bounded time and size; and wrapping a command does not change it."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from microloop_cli.core.progress.commands.meaning import MAX_PARSED_CHARS, meaning
from microloop_cli.core.progress.signals import Meaning

PIECES = [
    "(", ")", "{ ", "}", "'", '"', "`", "$(", "${", "$((", "<<E\n", "\nE\n", "<<<", "<(", "|", "||", "&&", "&", ";", ";;", "\n", "\\", "\x00", "\ue000", "\ue0000\ue001", "\ud800",
    "if ", "then ", "fi ", "while ", "do ", "done ", "for i in ", "case x in ", "esac", "f() { ", "[[ ", "x=(", "! ", "#", "2>&1", "> f", "< f", "cd ", "a/b ", "..", "/", "~", "-", "--", "-n ", "5", "+5", "cat ", "head ", "tail ", "sed -n '", "1,2p'", "sed -i ",
    "grep ", "rg ", "find . ", "-name ", "-exec ", "xargs ", "ls ", "python ", "-m ", "-c ", "-uc ", "pytest ", "npm ", "go test ", "git ", "checkout ", "stash ", "bash -c ", "eval ", "env ", "timeout ", "time ", "sleep ", "curl ", "-o ", "tee ", "echo ", "awk 'NR>=1 && NR<=2' ",
    "edit {", '"path": ', "edit 1:2\n", "read {", "str_replace_editor {", "}", "[1]", "coverage run ", "npx ", "uv run ", "sudo ", "make -j ", "export A=", "é", " ",
]  # fmt: skip
COMMANDS = [
    "ls a/b", "cat a/b.py", "sed -n '5,9p' a/b.py", "grep -rn x a", "pytest a/b.py -k 'x or y'", "python a/b.py --n 5", "find a -name '*.py'", "git diff", "curl -s http://x:1/y",
    "sed -i 's/a b/c/' a/b.py", "go test ./a", "npm test -- x", "cp a b", "make x", 'python -c "print(\'$x\')"', "echo $A > f.txt", "a | b | c", "a && b",
]  # fmt: skip
ENDINGS = ["{}", "{}\n", "{} # why", "bash <<'XX'\n{}\nXX", "{}\r\n"]
WRAPPERS = [
    "( {} )", "{{ {}; }}", "{} || true", "cd . && {}", "  {}  ", "set -e; {}", "{} 2>&1", "echo start; {}", "cd x/.. && {}", "{}; echo $?",
    "export CI=1; {}", "bash -c {quoted}", "sh -lc {quoted}", "eval {quoted}", "source x && eval {quoted} < /dev/null && pwd -P >| F", "cd /testbed && {}", "true && {}",
]  # fmt: skip


def is_bounded(meant: Meaning) -> bool:
    return (
        len(meant.action) <= 2_100
        and len(meant.paths) <= 32
        and all(len(path) <= 256 for path in meant.paths)
    )


@given(st.text(max_size=200))
def test_any_text(text: str) -> None:
    assert is_bounded(meaning(text))


@settings(max_examples=500)
@given(st.lists(st.sampled_from(PIECES), max_size=24))
def test_anything_made_of_what_shells_and_tools_give_a_meaning(pieces: list[str]) -> None:
    meant = meaning("".join(pieces))
    assert is_bounded(meant)
    assert meaning("".join(pieces)) == meant


@given(st.sampled_from(PIECES), st.integers(1, 3_000))
@settings(max_examples=100, deadline=2_000)
def test_anything_said_over_and_over(piece: str, times: int) -> None:
    assert is_bounded(meaning(piece * times))


def wrapped(command: str, wrappers: list[str]) -> str:
    for wrapper in wrappers:
        quoted = "'" + command.replace("'", "'\\''") + "'"
        command = wrapper.format(command, quoted=quoted)
    return command


@settings(max_examples=300)
@given(st.sampled_from(COMMANDS), st.lists(st.sampled_from(WRAPPERS), max_size=3), st.sampled_from(ENDINGS))
def test_wrapping_does_not_change_the_action(command: str, wrappers: list[str], ending: str) -> None:
    assert meaning(wrapped(command, [*wrappers, ending])).action == meaning(command).action


@given(st.lists(st.sampled_from(["a", "b-c", "d.e", "_f"]), min_size=2, max_size=5), st.integers(1, 4))
def test_a_path_may_be_walked_or_named(parts: list[str], walked: int) -> None:
    walked = min(walked, len(parts) - 1)
    folder, rest = "/".join(parts[:walked]), "/".join(parts[walked:])
    assert meaning(f"cd {folder} && cat {rest}") == meaning(f"cat {folder}/{rest}")
    assert meaning(f"cd ./{folder}/; cat ./{rest}") == meaning(f"cat '{folder}/{rest}'")


@given(st.permutations(["-i", "-w", "-A 3", "-n", "--include=*.py", "-r"]))
def test_the_order_of_a_searchs_flags_does_not_matter(flags: list[str]) -> None:
    assert (
        meaning(f"grep {' '.join(flags)} x src").action
        == meaning("grep -rinw -A3 --include='*.py' x src").action
    )


@pytest.mark.parametrize("piece", ["a|", "x=(", "\x00", ")", "<<", "<<E\n", "((", "'", "$(", "ls | cat | ", "a;\n", "! a;", "sed -n '1,2p' f | ", "bash -c '", "{", "-uc ", "python -uc "])  # fmt: skip
def test_hostile_commands_are_read_in_time(piece: str) -> None:
    text = piece * (MAX_PARSED_CHARS // len(piece))
    started = time.perf_counter()
    for size in (len(text), 8_000, 1_000):
        meaning(text[:size])
        meaning("echo " + text[:size])
    assert time.perf_counter() - started < 2


@pytest.mark.parametrize("text", ["x" * 1_000_000, "a; " * 350_000, "cat > f <<E\n" + "line\n" * 200_000 + "E\n", 'edit {"path": "a", "oldText": "' + "x" * 1_000_000])  # fmt: skip
def test_a_megabyte_is_told_apart_by_its_end_too(text: str) -> None:
    started = time.perf_counter()
    one, other = meaning(text + "1"), meaning(text + "2")
    assert time.perf_counter() - started < 1
    assert one.action != other.action
    assert is_bounded(one)


def test_what_cannot_be_parsed_is_taken_as_it_stands() -> None:
    assert meaning("if then   ((  pytest a").action == "if then (( pytest a"
    assert meaning("echo 'unclosed   words").action == "echo 'unclosed words"


def test_what_cannot_be_parsed_may_write() -> None:
    assert meaning("if then ((  cat a").writes == "perhaps"
    assert meaning("rm a; if then (( cat").writes == "yes"


def test_a_long_script_in_a_heredoc_is_read_whole() -> None:
    body = "x = (1, 2) | {3}\n" * 2_000
    meant = meaning(f"cat > a.py <<'EOF'\n{body}EOF\npytest a.py")
    assert (meant.kind, meant.writes, meant.paths) == ("test", "yes", ("a.py",))


@pytest.mark.parametrize(
    "body", ["it's (not shell\n", "`\n", "$( \n", '"\n', "<<EOF2\n", "\\\n", 'r"""`-k`"""\n']
)
def test_a_heredocs_body_is_data(body: str) -> None:
    meant = meaning(f"cat > a.py <<'EOF'\n{body}EOF\npytest a.py")
    assert (meant.kind, meant.paths) == ("test", ("a.py",))
    assert meant.action.startswith("write a.py <")


def test_two_heredocs_stay_apart() -> None:
    both = "cat > a <<'A' && cat > b <<'B'\n{}\nA\n{}\nB\n"
    actions = {meaning(both.format(one, two)).action for one in "xy" for two in "xy"}
    assert len(actions) == 4
    assert meaning(both.format(1, 2)).paths == ("a", "b")


@pytest.mark.slow
def test_a_new_command_is_read_in_a_fraction_of_a_millisecond() -> None:
    meaning("ls")
    commands = [f"cd src && python -m pytest -q tests/test_{n}.py 2>&1 | tail -20" for n in range(2_000)]
    took = []
    for command in commands:
        started = time.perf_counter()
        meaning(command)
        took.append(time.perf_counter() - started)
    assert sorted(took)[len(took) // 2] < 0.000_3


@pytest.mark.parametrize(
    "text",
    [
        "{\U0010ffff",
        "{\U0010ffff+#\u2028'%\u01009#%\U00020000;]+",
        ">\\[\u03b1$\U00020000>{\U0010ffff",
        "cat <<" + "E" * 3000 + "\nx\n",
        "cat <<É\nx\nÉ\n",
    ],
)
def test_text_that_ended_the_grammars_process_is_read(text: str) -> None:
    assert meaning(text).action
