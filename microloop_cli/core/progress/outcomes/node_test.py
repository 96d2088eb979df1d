"""`node --test`: its spec and TAP reporters. Pure."""

from __future__ import annotations

import re

from microloop_cli.core.progress.outcomes.build import build_outcome
from microloop_cli.core.progress.outcomes.listed import listed_outcome
from microloop_cli.core.progress.outcomes.messages import lines_of
from microloop_cli.core.progress.outcomes.thrown import BODY_LINES, thrown
from microloop_cli.core.progress.signals import FailedTest, TestOutcome

MARKERS: tuple[str, ...] = (
    "\u2139 tests ",
    "# tests ",
    "✖ ",
    "# Subtest: ",
    "failureType: ",
    "Could not find '",
)

_COUNT = re.compile(r"(?:\u2139|#) (tests|pass|fail|cancelled|skipped|todo) (\d{1,9})$")
_AT = re.compile(r"test at (.{1,400}?)(?::\d{1,7}){0,2}$")
_CROSS = re.compile(r"( {0,200})✖ (\S.*?)( \(\d{1,9}(?:\.\d{1,9})?ms\))?$")
_BRANCH = re.compile(r"( {0,200})▶ (\S.*?)(?: \(\d{1,9}(?:\.\d{1,9})?ms\))?$")
_NOT_OK = re.compile(r"( {0,200})not ok \d{1,9}(?: - (.*))?$")
_SUBTEST = re.compile(r"( {0,200})# Subtest: (.*)$")
_SCRIPT = re.compile(r"[^ ]{0,400}\.[cm]?[jt]sx?$")
_ERROR_LINE = re.compile(r"(?:# )?[A-Za-z]{0,80}Error(?: \[\w{1,60}\])?: ")
_FILE_FAILED = ("'test failed'", "test failed")
_NONE = re.compile(r"Could not find '[^\n]{1,400}'\s*$")


class _Failure:
    def __init__(self, name: str, indent: int) -> None:
        self.name = name
        self.indent = indent
        self.body: list[str] = []

    @property
    def is_file(self) -> bool:
        """A test file that could not be run at all."""
        return bool(_SCRIPT.match(self.name)) and "/" in self.name


class _Reading:
    def __init__(self) -> None:
        self.counts: dict[str, int] = {}
        self.tree: list[_Failure] = []
        self.listed: list[_Failure] | None = None  # below "failing tests:", when it was seen
        self.timed = False  # its crosses have durations, as others' have not
        self.branches: set[str] = set()
        self.where = ""
        self.tap: list[_Failure] = []
        self.path: list[tuple[int, str]] = []
        self.current: _Failure | None = None
        self.error_line = ""
        self.loading: dict[str, str] = {}  # a file that could not be run -> what it died of

    def take(self, line: str) -> None:
        if line[:2] in ("\u2139 ", "# ") and (match := _COUNT.match(line)):
            self.counts[match[1]] = self.counts.get(match[1], 0) + int(match[2])
            self.current = None
        elif "✖ " in line and (match := _CROSS.match(line)):
            self.timed |= match[3] is not None
            self._cross(match[2], len(match[1]))
        elif "▶ " in line and (match := _BRANCH.match(line)):
            self.branches.add(match[2])
            self.current = None
        elif line.startswith("test at ") and (match := _AT.match(line)):
            self.where, self.current = match[1], None
        elif "# Subtest: " in line and (match := _SUBTEST.match(line)):
            self._subtest(match[2], len(match[1]))
        elif "not ok " in line and (match := _NOT_OK.match(line)):
            self._not_ok(match[2] or "", len(match[1]))
        else:
            self._other(line)

    def _cross(self, name: str, indent: int) -> None:
        if name == "failing tests:":
            self.listed, self.current = [], None
            return
        if name.endswith("# TODO"):
            self.current = None
            return
        self.current = _Failure(name, indent)
        if self.listed is None:
            self._load(self.current)
            self.tree.append(self.current)
            return
        if self.where and not self.current.is_file:
            self.current.name = f"{self.where} > {name}"
        self.where = ""
        self.listed.append(self.current)

    def _subtest(self, name: str, indent: int) -> None:
        self.current = None
        while self.path and self.path[-1][0] >= indent:
            self.path.pop()
        self.path.append((indent, name))

    def _not_ok(self, name: str, indent: int) -> None:
        above = [title for depth, title in self.path if depth < indent]
        self.current = _Failure(" > ".join([*above, name.replace("\\#", "#")]), indent)
        if name.endswith("# TODO"):
            self.current = None
            return
        self._load(self.current)
        self.tap.append(self.current)

    def _load(self, failure: _Failure) -> None:
        if failure.is_file and self.error_line:
            self.loading[failure.name] = self.error_line
            self.error_line = ""

    def _other(self, line: str) -> None:
        if "Error" in line[:90] and _ERROR_LINE.match(line):
            self.error_line = line.removeprefix("# ")
        if self.current is not None and len(self.current.body) < BODY_LINES:
            self.current.body.append(line)


def read(text: str) -> TestOutcome | None:
    """A run of node's test runner; None when the text shows none."""
    reading = _Reading()
    for line in lines_of(text):
        reading.take(line)
    if "tests" not in reading.counts and "fail" not in reading.counts:
        return _without_summary(reading, text)
    failures, parents = _failures(reading)
    failed = reading.counts.get("fail", 0) + reading.counts.get("cancelled", 0)
    passed = reading.counts.get("pass", 0)
    # A test with failing subtests counts as failed, too, but is no failure of its own.
    own = max(failed - parents, 1) if failed else 0
    crashed = bool(failures) and not passed and all(failure.is_file for failure in failures)
    return listed_outcome(
        "node",
        [_test(reading, failure) for failure in failures],
        own,
        passed=passed,
        skipped=reading.counts.get("skipped", 0) + reading.counts.get("todo", 0),
        status="crashed" if crashed else "failed" if failed else None,
    )


def _without_summary(reading: _Reading, text: str) -> TestOutcome | None:
    if len(text) < 1000 and any(_NONE.match(line) for line in text.splitlines()):
        return build_outcome("node", status="none_collected")
    known = reading.listed is not None or reading.timed
    if not known and not any("failureType:" in row for one in reading.tap for row in one.body):
        return None
    failures, _ = _failures(reading)
    if not failures:
        return None
    return build_outcome(
        "node", {_test(reading, failure) for failure in failures}, status="failed", complete=False
    )


def _failures(reading: _Reading) -> tuple[list[_Failure], int]:
    """The failures worth naming, and how many more may be counted for the parents of some."""
    if reading.tap:
        own = [one for one in reading.tap if _field(one.body, "failureType") != "subtestsFailed"]
        return own, len(reading.tap) - len(own)
    if reading.listed is not None:
        return reading.listed, len(reading.branches)
    return [one for one in reading.tree if one.name not in reading.branches], len(reading.branches)


def _test(reading: _Reading, failure: _Failure) -> FailedTest:
    if failure.is_file:
        said = reading.loading.get(failure.name, "")
        return thrown(failure.name, [said] if said else failure.body)
    if _field(failure.body, "failureType") is None:
        return thrown(failure.name, (line.strip().strip("'") for line in failure.body))
    where = (_field(failure.body, "location") or "").strip("'")
    file = re.sub(r"(?::\d{1,7}){1,2}$", "", where)
    name = f"{file} > {failure.name}" if file else failure.name
    error, message = _field(failure.body, "name") or "", _message(failure.body)
    return thrown(name, [f"{error.strip(chr(39))}: {message[0]}" if error else message[0], *message[1:]])


def _field(body: list[str], key: str) -> str | None:
    for line in body:
        if line.lstrip().startswith(f"{key}: "):
            return line.lstrip()[len(key) + 2 :].strip().strip("'")
    return None


def _message(body: list[str]) -> list[str]:
    """The `error` of a YAML block: on its line, or indented below `|-`."""
    at = next((n for n, line in enumerate(body) if line.lstrip().startswith("error: ")), None)
    if at is None:
        return [""]
    said = body[at].lstrip()[len("error: ") :].strip()
    if said not in ("|-", "|", ">-"):
        return [said.strip("'")]
    indent = len(body[at]) - len(body[at].lstrip())
    block: list[str] = []
    for line in body[at + 1 :]:
        if line.strip() and len(line) - len(line.lstrip()) <= indent:
            break
        if line.strip():
            block.append(line.strip())
    return block or [""]
