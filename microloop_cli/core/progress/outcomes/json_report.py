"""Test reports in JSON, as Jest, Vitest, Mocha and RSpec write them. Pure."""

from __future__ import annotations

import msgspec

from microloop_cli.core.progress.outcomes.listed import listed_outcome
from microloop_cli.core.progress.outcomes.thrown import BODY_LINES, thrown
from microloop_cli.core.progress.signals import TestOutcome


class _Assertion(msgspec.Struct):
    status: str = ""
    fullName: str = ""
    failureMessages: list[str] | None = None
    ancestorTitles: list[str] = []
    title: str = ""


class _JestFile(msgspec.Struct):
    name: str = ""
    status: str = ""
    message: str = ""
    assertionResults: list[_Assertion] = []


class _MochaError(msgspec.Struct):
    message: str = ""
    stack: str = ""


class _MochaTest(msgspec.Struct):
    fullTitle: str = ""
    file: str | None = None
    err: _MochaError = msgspec.field(default_factory=_MochaError)


class _MochaStats(msgspec.Struct):
    passes: int = 0
    pending: int = 0
    failures: int = 0


class _RaisedInRuby(msgspec.Struct, rename={"kind": "class"}):
    kind: str = ""
    message: str = ""


class _Example(msgspec.Struct):
    full_description: str = ""
    file_path: str = ""
    status: str = ""
    exception: _RaisedInRuby | None = None


class _AnyReport(msgspec.Struct):
    """What each of the four has at its top; the others' keys are missing."""

    testResults: list[_JestFile] | None = None
    stats: _MochaStats | None = None
    failures: list[_MochaTest] | None = None
    examples: list[_Example] | None = None


def read_json(data: bytes) -> TestOutcome | None:
    """One JSON document of Jest, Vitest, Mocha or RSpec; None when it is none of theirs."""
    try:
        report = msgspec.json.decode(data, type=_AnyReport)
    except (msgspec.MsgspecError, RecursionError):
        return None
    if report.testResults is not None:
        return _of_jest(report.testResults)
    if report.stats is not None and report.failures is not None:
        return _of_mocha(report.stats, report.failures)
    return _of_rspec(report.examples) if report.examples is not None else None


def _of_jest(files: list[_JestFile]) -> TestOutcome:
    results = [(file, one) for file in files for one in file.assertionResults]
    failed = [
        thrown(" \u203a ".join([file.name, *one.ancestorTitles, one.title]), _first(one.failureMessages))
        for file, one in results
        if one.status == "failed"
    ]
    broken = [
        thrown(file.name, file.message.splitlines()[:BODY_LINES])
        for file in files
        if file.status == "failed" and not any(one.status == "failed" for one in file.assertionResults)
    ]
    passed = sum(one.status == "passed" for _, one in results)
    return listed_outcome(
        "jest",
        failed + broken,
        len(failed + broken),
        passed=passed,
        skipped=sum(one.status in ("pending", "skipped", "todo", "disabled") for _, one in results),
        status="crashed" if broken and not failed and not passed else None,
    )


def _first(messages: list[str] | None) -> list[str]:
    return messages[0].splitlines()[:BODY_LINES] if messages else []


def _of_mocha(stats: _MochaStats, failures: list[_MochaTest]) -> TestOutcome:
    failed = [thrown(one.fullTitle, _of_stack(one.err)) for one in failures]
    return listed_outcome("mocha", failed, stats.failures, passed=stats.passes, skipped=stats.pending)


def _of_stack(error: _MochaError) -> list[str]:
    return (error.stack or error.message).splitlines()[:BODY_LINES]


def _of_rspec(examples: list[_Example]) -> TestOutcome:
    failed = []
    for one in examples:
        if one.status == "failed":
            raised = one.exception or _RaisedInRuby()
            name = f"{one.file_path} > {one.full_description}"
            found = thrown(name, raised.message.splitlines()[:BODY_LINES])
            failed.append(msgspec.structs.replace(found, error=raised.kind[:200]))
    return listed_outcome(
        "rspec",
        failed,
        len(failed),
        passed=sum(one.status == "passed" for one in examples),
        skipped=sum(one.status == "pending" for one in examples),
    )
