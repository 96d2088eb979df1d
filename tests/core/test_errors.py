"""The error a failed command ended with, as two words that stay the same while it stays the same."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from microloop_cli.core.progress.errors import error_signature
from microloop_cli.core.progress.signals import ErrorSignature

TRACEBACK = """Traceback (most recent call last):
  File "a.py", line {line}, in <module>
    main()
  File "a.py", line 3, in main
    raise KeyError('x')
{error}
"""
CASES = [
    (TRACEBACK.format(line=3, error="KeyError: 'x'"), "KeyError", "'x'"),
    (TRACEBACK.format(line=3, error="re.error: bad escape at position 3"), "re.error", "bad escape at position <n>"),
    (TRACEBACK.format(line=3, error="AssertionError"), "AssertionError", ""),
    ("start\n" + TRACEBACK.format(line=1, error="a.b.Failed: x\nmore words") + "make: *** [t] Error 1", "a.b.Failed", "x"),
    (
        '  File "r.py", line 72\n    print(\n       ^\nSyntaxError: invalid syntax',
        "SyntaxError", "invalid syntax",
    ),
    ("E   ValueError: 13\n\nt.py:19: ValueError\n", "ValueError", "13"),
    ("error[E0308]: mismatched types\n --> src/a.rs:3:5\nerror[E0425]: cannot find\nerror: could not compile `x`",
     "error[E0308]", "mismatched types"),
    ("f.c:12:3: error: expected ';'\nf.c:20:1: error: other\nmake: *** [Makefile:2: f.o] Error 1", "error", "expected ';'"),
    ("src/a.ts(3,5): error TS2305: Module has no member 'x'.\n", "error TS2305", "Module has no member 'x'."),
    ("/usr/bin/ld: a.o: in function `main':\na.c:(.text+0x5): undefined reference to `f'\ncollect2: error: ld returned 1 exit status",
     "ld", "undefined reference to `f'"),
    ("# pkg\n./main.go:7:2: undefined: foo\n", "go", "undefined: foo"),
    ("/x/a.js:3\n  f()\n  ^\n\nTypeError: f is not a function\n    at Object.<anonymous> (/x/a.js:3:3)\n\nNode.js v20.1.0",
     "TypeError", "f is not a function"),
    ('Exception in thread "main" java.lang.IllegalStateException: bad\n\tat A.main(A.java:3)', "java.lang.IllegalStateException",
     "bad"),
    ("x.Y: outer\nCaused by: java.io.IOException: disk\n\tat B.c(B.java:9)\n\t... 3 more", "java.io.IOException", "disk"),
    ("panic: runtime error: index out of range [5] with length 3\n\ngoroutine <n> [running]:\nmain.main()", "panic",
     "runtime error: index out of range [5] with length 3"),
    ("bash: line <n>: pytest: command not found", "command not found", "pytest"),
    ("bash: pytest: command not found", "command not found", "pytest"),
    ("ls: cannot access 'a': No such file or directory", "ls", "cannot access 'a': No such file or directory"),
    ("cat: b: Permission denied", "cat", "b: Permission denied"),
    ("/usr/bin/python3: No module named pytest", "python", "No module named pytest"),
    ("fatal: not a git repository", "fatal", "not a git repository"),
    ("error: pathspec 'x' did not match", "error", "pathspec 'x' did not match"),
    ("npm ERR! code ELIFECYCLE\nnpm ERR! errno 1\nnpm ERR! A complete log of this run", "npm", "ELIFECYCLE"),
    ("cc x\nmake[<n>]: *** [Makefile:3: all] Error 2", "make", "[Makefile: all] Error 2"),
    ("usage: t [-h]\nt: error: unrecognized arguments: --no", "t", "unrecognized arguments: --no"),
    ("sed: -e expression #1, char 20: unterminated `s' command", "edit", "expression"),
    ("error: patch failed: a.py:3\nerror: a.py: patch does not apply", "edit", "patch"),
    ("some words\nthe last of them\n\n", "exit 3", "the last of them"),
    ("<output>\nall that was said\n</output>", "exit 3", "all that was said"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "kind", "message"), CASES)
def test_the_telling_error_is_found(text: str, kind: str, message: str) -> None:
    assert error_signature(text, 3) == ErrorSignature(kind, message)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (TRACEBACK.format(line=3, error="E: 1"), TRACEBACK.format(line=99, error="E: 1")),
        ("a.c:12:3: error: no", "a.c:14:1: error: no"),
        ("ValueError: at 0x7f3a offset 33", "ValueError: at 0x7f44 offset 34"),
        ("ValueError: 0.123456 off", "ValueError: 0.654321 off"),
    ],
)
def test_positions_addresses_and_long_fractions_do_not_count(first: str, second: str) -> None:
    assert error_signature(first, 1) == error_signature(second, 1)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("KeyError: 'a'", "KeyError: 'b'"),
        ("cat: a: No such file or directory", "cat: b: No such file or directory"),
        ("AssertionError: 3 != 4", "AssertionError: 3 != 5"),
    ],
)
def test_what_is_quoted_paths_and_values_count(first: str, second: str) -> None:
    assert error_signature(first, 1) != error_signature(second, 1)


def test_success_has_no_error_and_without_an_exit_code_only_sure_signs_count() -> None:
    assert error_signature("KeyError: 'a'", 0) is None
    assert error_signature("KeyError: 'a'", None) is not None
    assert error_signature("all good", None) is None
    assert error_signature("", 1) is None
    assert error_signature(" \n\n", 1) is None


@given(st.text(max_size=300), st.sampled_from([None, 1, 127]))
def test_any_text_can_be_read(text: str, exit_code: int | None) -> None:
    found = error_signature(text, exit_code)
    assert found is None or len(found.message) <= 200


@pytest.mark.parametrize(
    "piece",
    [" ", "a", ".", "a.", "a: ", "Error", ":1", "[", "E   ", "Caused by: a.", "x: no ", "/", "error: "],
)
def test_a_line_of_a_megabyte_does_not_hang(piece: str) -> None:
    error_signature(piece * (1_000_000 // len(piece)), 1)
    error_signature((piece + "\n") * 100_000, 1)
