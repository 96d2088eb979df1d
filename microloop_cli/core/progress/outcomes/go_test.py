"""`go test`, plain, `-v` and `-json`. Pure."""

from __future__ import annotations

import re

import msgspec

from microloop_cli.core.progress.outcomes.build import build_outcome
from microloop_cli.core.progress.outcomes.messages import LINE_CHARS, failed_test
from microloop_cli.core.progress.signals import FailedTest, TestOutcome, TestStatus

MARKERS = (
    "--- FAIL: ", "--- PASS: ", "ok  \t", "FAIL\t", "[no test files]",
    '"Action":"pass"', '"Action":"fail"', '"Action":"skip"',
)  # fmt: skip

_END = re.compile(r"\s{0,80}--- (FAIL|PASS|SKIP): (\S{1,500}) \([\d<][^()]{0,20}\)")
_START = re.compile(r"=== (?:RUN|CONT|NAME) {1,4}(\S{1,500})")
_PACKAGE = re.compile(r"(ok  |FAIL|\?   |---)\s{0,4}\t(\S{1,500})(?:\t| )?(.*)$")
_SAID = re.compile(r"\s{4,400}[\w.-]{1,200}\.go:\d{1,7}: ?(.*)$")
_LABELLED = re.compile(r"\s{4,400}(Error|Error Trace|Messages|Test):\s{0,20}(.*)$")
_COMPARED = re.compile(r"\s{4,400}((?:expected|actual) {0,2}: .*)$")
_IN_TRACE = re.compile(r"\S{0,400}\.(Test\w{1,200})(?:\.func[\w.]{1,40})?\(")
_COMPILER = re.compile(r"(?:vet: )?\S{1,500}\.go:\d{1,7}(?::\d{1,6})?: ")
_LEADING = frozenset("-=oF?p#\tf")
_NO_TESTS = ("[no test files]", "[no tests to run]")


class _Line(msgspec.Struct):
    """What is used of an event of `go test -json`."""

    Action: str
    Package: str = ""
    ImportPath: str = ""
    Output: str = ""


class _Run(msgspec.Struct):
    """What is known so far. Tests wait in `open` for the line that names their package."""

    tests: list[FailedTest] = []
    open: dict[str, str] = {}
    said: dict[str, str] = {}
    current: str = ""
    panic: str = ""
    built: dict[str, str] = {}
    building: str = ""
    passed: int = 0
    skipped: int = 0
    verdicts: list[str] = []
    complete: bool = True


def read(text: str) -> TestOutcome | None:
    """What the packages' tests came to; None when no test and no package is reported."""
    if '"Action":"' in text:
        text = _from_json(text)
    run = _Run()
    for line in text.split("\n"):
        if line[:1] in _LEADING or line[:4] == "    " or run.building:
            _take(run, line[:LINE_CHARS].rstrip())
    _close(run, "")
    if not run.verdicts and not run.tests and not run.passed and not run.skipped:
        return None
    return build_outcome(
        "go",
        run.tests,
        passed=run.passed or None,
        skipped=run.skipped,
        status=_status(run),
        complete=run.complete,
    )


def _status(run: _Run) -> TestStatus | None:
    if run.tests:
        built = all(test.error in ("build failed", "setup failed") for test in run.tests)
        return "crashed" if built and not run.passed and "ok" not in run.verdicts else "failed"
    if run.passed or (not run.skipped and "ok" in run.verdicts):
        return "passed"
    return None


def _take(run: _Run, line: str) -> None:
    if match := _END.match(line):
        _end(run, match[1], match[2])
    elif match := _START.match(line):
        run.current = match[1]
    elif match := _PACKAGE.match(line):
        _package(run, match[1].strip(), match[2], match[3])
    elif line.startswith(("panic: ", "fatal error: ")):
        run.panic = run.panic or line.partition(": ")[2].removesuffix(" [recovered]")
    elif line.startswith("# "):
        run.building = line[2:].split(" ")[0].strip("[]")
    elif run.building:
        run.built[run.building] = _COMPILER.sub("", line)
        run.building = ""
    elif run.panic:
        if not run.open and not run.current and (match := _IN_TRACE.match(line)):
            run.current = match[1]
    elif match := _SAID.match(line):
        run.said[run.current] = match[1]
    elif match := _LABELLED.match(line):
        if match[1] == "Error":
            run.said[run.current] = match[2]
    elif match := _COMPARED.match(line):
        run.said[run.current] = f"{run.said.get(run.current, '')} {match[1]}"


def _end(run: _Run, verdict: str, name: str) -> None:
    if verdict == "PASS":
        run.passed += 1
    elif verdict == "SKIP":
        run.skipped += 1
    else:
        run.open[name] = run.said.pop(name, "")
    run.current = name


def _package(run: _Run, verdict: str, name: str, rest: str) -> None:
    if rest.startswith(_NO_TESTS) or rest.endswith(_NO_TESTS):
        run.verdicts.append("none")
    elif verdict == "FAIL":
        failure = rest.strip("[]") if rest.startswith("[") else ""
        named = len(run.tests)
        if failure:
            run.tests.append(failed_test(name, run.built.get(name, ""), error=failure))
        else:
            _close(run, name)
        if len(run.tests) == named:
            run.tests.append(failed_test(name))
            run.complete = False
        run.verdicts.append("FAIL")
    elif verdict == "ok":
        run.verdicts.append("ok")
    run.open, run.said, run.current, run.panic = {}, {}, "", ""


def _close(run: _Run, package: str) -> None:
    """The tests that wait get their package. One that failed by a subtest stands for nothing itself."""
    if run.panic and not run.open:
        run.open[run.current] = ""
    parents = {name.rpartition("/")[0] for name in run.open}
    for name, said in run.open.items():
        if name in parents:
            continue
        said = run.said.get(name, "") or said
        panicked = run.panic if run.panic and (name == run.current or len(run.open) == 1) else ""
        test_id = f"{package}.{name}" if package and name else package or name or "panic"
        run.tests.append(failed_test(test_id, panicked or said, error="panic" if panicked else "Error"))


def _from_json(text: str) -> str:
    """The output the events carry, one package's after the other's; other lines come first."""
    decoder = msgspec.json.Decoder(_Line)
    others: list[str] = []
    packages: dict[str, list[str]] = {}
    for line in text.split("\n"):
        if not line.startswith("{"):
            others.append(line)
            continue
        try:
            event = decoder.decode(line)
        except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
            continue
        if event.Output:
            packages.setdefault(event.Package or event.ImportPath, []).append(event.Output)
    return "\n".join(others) + "\n" + "".join("".join(output) for output in packages.values())
