"""What a scripted model asks for: nine ways of going in circles, and eight of working that only look alike."""

from __future__ import annotations

import stat
from dataclasses import dataclass, field
from pathlib import Path

# -B: a .pyc would hide an edit of the same size within the same second.
TESTS = "python3 -B -m unittest -q test_calc"
FEWEST_ASKED = 18

NOISY = """\
#!/bin/sh
echo "$(date '+%Y-%m-%d %H:%M:%S,%3N') ERROR worker[$$]: connection to 127.0.0.1:$((20000 + $$ % 9999)) failed"
echo "make[$(($$ % 4))]: *** Error 2 (tmp dir $(mktemp -u /tmp/tmp.XXXXXXXXXX)), after 0.$$s"
exit 1
"""
NEXT = """\
#!/bin/sh
n=$(cat /tmp/count 2>/dev/null || echo 0); n=$((n + 1)); echo $n > /tmp/count
echo "[ $((n * 7))%] $n of 14 files"
"""
FETCH = """\
#!/bin/sh
n=$(cat /tmp/tries 2>/dev/null || echo 0); n=$((n + 1)); echo $n > /tmp/tries
[ $n -gt 2 ] || { echo "curl: (6) Could not resolve host: mirror.example" >&2; exit 6; }
echo fetched
"""
FLAKY_TEST = """\
import random, unittest, value


class Flaky(unittest.TestCase):
    def test_large(self):
        print(f"task {random.randrange(10**6)} order={random.sample('abcdef', 6)}")
        self.assertEqual(random.random(), 1.0 + value.VALUE * 0)
"""
MANY_TESTS = """\
import unittest, value


class Many(unittest.TestCase):
    pass


def case(n):
    return lambda self: self.assertNotIn(n, value.FAILING, f"case {n} fails")


for n in range(8):
    setattr(Many, f"test_{n}", case(n))
"""
FILES = {
    "calc.py": "def add(a, b):\n    return a - b\n",
    "test_calc.py": "import unittest, calc\n\n\nclass Calc(unittest.TestCase):\n"
    "    def test_add(self):\n        self.assertEqual(calc.add(2, 3), 5)\n",
    "value.py": "VALUE = 0\nFAILING = ()\n",
    "test_flaky.py": FLAKY_TEST,
    "test_many.py": MANY_TESTS,
    "test_green.py": "import unittest\n\n\nclass Green(unittest.TestCase):\n    def test_one(self):\n        pass\n",
    "build.log": "[ 41%] Building parser.o\n[ 42%] Building core.o\n",
    "noisy.sh": NOISY,
    "next.sh": NEXT,
    "fetch.sh": FETCH,
}


@dataclass(frozen=True)
class Behaviour:
    """`commands` in the order they are asked for."""

    name: str
    commands: tuple[str, ...]
    files: dict[str, str] = field(default_factory=lambda: FILES)

    def prepare(self, workspace: Path) -> None:
        workspace.mkdir()
        for name, text in self.files.items():
            path = workspace / name
            path.write_text(text)
            if name.endswith(".sh"):
                path.chmod(path.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)


def _rounds(*commands: str) -> tuple[str, ...]:
    return commands * (FEWEST_ASKED // len(commands) + 1)


def _between(edit: str, check: str, times: int) -> tuple[str, ...]:
    """check, edit, check, edit ...; `{n}` in the edit counts."""
    return tuple(command for n in range(times) for command in (check, edit.replace("{n}", str(n))))


def _failing(*sets: tuple[int, ...]) -> tuple[str, ...]:
    """A test run after each edit, with exactly these failing."""
    edits = [f"sed -i 's/^FAILING.*/FAILING = {failing}/' value.py" for failing in sets]
    return tuple(command for edit in edits for command in (edit, "python3 -B -m unittest -q test_many"))


LOOPS = (
    Behaviour("identical", _rounds("cat calc.py")),
    Behaviour("ab", _rounds("ls", "cat calc.py")),
    Behaviour("abc", _rounds("ls", "cat calc.py", "grep -n add calc.py")),
    Behaviour(
        "semantic equal",
        _rounds(
            "cat calc.py", "cat < calc.py", "head -500 calc.py", "cat ./calc.py", "sed -n '1,200p' calc.py",
            'cat "calc.py"', "tail -n +1 calc.py", "cat calc.py | cat",
        ),
    ),
    Behaviour("volatile", _rounds("./noisy.sh")),
    Behaviour("slow poll", _rounds("sleep 0.1; tail -n 3 build.log")),
    Behaviour(
        "failing tests, spelled differently",
        _rounds(TESTS, f"{TESTS} 2>&1", f"{TESTS} 2>&1 | tail -50", f"({TESTS})", f"time {TESTS}", f'bash -c "{TESTS}"'),
    ),
    Behaviour("failing tests, empty edits", _between("echo '# note {n}' >> calc.py", TESTS, FEWEST_ASKED)),
    Behaviour(
        "failing tests, real edits, noise",
        _between("sed -i 's/^VALUE.*/VALUE = {n} + 1/' value.py", "python3 -B -m unittest -q test_flaky", FEWEST_ASKED),
    ),
)  # fmt: skip

HEALTHY = (
    Behaviour("batch over targets", tuple(f"python3 -m py_compile {name}" for name in FILES if name.endswith(".py"))),
    Behaviour("failing set moves", _failing((0, 1), (1, 2), (2, 3), (3, 4), (4, 5), (5, 6), ())),
    Behaviour(
        "green check between edits",
        _between("echo 'x = {n}' >> value.py", "python3 -B -m unittest -q test_green", 7),
    ),
    Behaviour("poll that moves", ("sleep 0.1; ./next.sh",) * 12),
    Behaviour("same action, new output", ("./next.sh",) * 12),
    Behaviour("status between edits", _between("echo 'y = {n}' >> value.py", "ls", 8)),
    Behaviour(
        "tests after edits", _failing((0, 1, 2, 3, 4), (0, 1, 2, 3), (0, 1, 2, 3), (0, 1), (0,), (0,), ()),
    ),
    Behaviour("transient retry", ("./fetch.sh",) * 3),
)  # fmt: skip
