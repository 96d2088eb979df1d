"""Report files of test runs: what they say, and what is made of broken and hostile ones."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from microloop_cli.core.progress.outcomes.report import merge, read_report
from microloop_cli.core.progress.signals import TestOutcome as Outcome
from tests.core.progress.outcomes.printed import SAMPLES, failures

REPORTS = sorted(path for path in SAMPLES.glob("report_*") if path.suffix in {".xml", ".trx", ".json"})


def report(name: str) -> Outcome:
    found = read_report(name, (SAMPLES / f"report_{name}").read_bytes())
    assert found is not None, f"{name} was not read as a report"
    return found


@pytest.mark.parametrize(
    ("name", "runner", "status", "failed", "passed"),
    [
        ("pytest_junit.xml", "junit", "failed", 6, 1),
        ("pytest_collect_junit.xml", "junit", "crashed", 1, 0),
        ("surefire_CalcTestInner.xml", "junit", "failed", 8, 1),
        ("surefire_HookTest.xml", "junit", "failed", 1, 0),
        ("surefire_OkTest.xml", "junit", "passed", 0, 1),
        ("jest_junit.xml", "junit", "failed", 13, 3),
        ("vitest_junit.xml", "junit", "failed", 16, 2),
        ("mocha_xunit.xml", "junit", "failed", 9, 2),
        ("node_junit.xml", "junit", "failed", 10, 2),
        ("phpunit_junit.xml", "junit", "failed", 8, 3),
        ("ctest_junit.xml", "junit", "failed", 2, 1),
        ("nextest.xml", "junit", "failed", 1, 1),
        ("gtest.xml", "junit", "failed", 1, 1),
        ("trx.trx", "trx", "failed", 2, 1),
        ("go.json", "go", "failed", 3, 2),
        ("jest.json", "jest", "failed", 11, 1),
        ("mocha.json", "mocha", "failed", 9, 2),
    ],
)
def test_each_kind_of_report_is_read(name: str, runner: str, status: str, failed: int, passed: int) -> None:
    found = report(name)
    assert (found.runner, found.status, found.failed_count, found.passed) == (runner, status, failed, passed)
    assert found.complete
    assert len(found.failed) == failed


def test_failures_have_their_error_and_the_first_line_of_their_message() -> None:
    assert failures(report("pytest_junit.xml"))["test_calc.test_raises"] == ("KeyError", "'x'")
    assert failures(report("pytest_collect_junit.xml")) == {
        "test_bad": ("ModuleNotFoundError", "No module named 'nothere'")
    }
    surefire = failures(report("surefire_CalcTestInner.xml"))
    assert surefire["com.example.CalcTest.throwsIt"] == ("IllegalStateException", "bad state 17")
    phpunit = failures(report("phpunit_junit.xml"))['App\\Tests\\CalcTest::testData with data set "one"']
    assert phpunit == ("ExpectationFailedException", "Failed asserting that 1 is identical to 0.")
    assert failures(report("nextest.xml"))["demo.tests::adds"][1].startswith(
        "assertion `left == right` failed left: -1"
    )
    assert failures(report("gtest.xml"))["CalcTest.Adds"][1].startswith("Expected equality of these values:")
    assert failures(report("trx.trx"))["Demo.Tests.CalcTests.Throws"] == (
        "InvalidOperationException",
        "bad state 17",
    )


def test_rspec_json_is_read() -> None:
    data = b"""{"version":"3.12","examples":[
      {"full_description":"Calc adds","file_path":"./spec/calc_spec.rb","status":"failed",
       "exception":{"class":"RSpec::Expectations::ExpectationNotMetError","message":"expected: 3\\n     got: -1\\n"}},
      {"full_description":"Calc is","file_path":"./spec/calc_spec.rb","status":"passed"}],
      "summary":{"example_count":2}}"""
    found = read_report("out.json", data)
    assert found is not None
    assert (found.runner, found.failed_count, found.passed) == ("rspec", 1, 1)


def test_a_message_that_names_a_duration_is_the_same_each_time() -> None:
    text = '<testsuite name="s"><testcase classname="c" name="t"><failure message="late after {} ms"/></testcase></testsuite>'
    first, second = (read_report("r.xml", text.format(ms).encode()) for ms in (17, 902))
    assert first is not None
    assert second is not None
    assert first.failing_set == second.failing_set


def test_the_cases_of_a_table_in_trx_count_and_the_table_does_not() -> None:
    text = """<TestRun><Results><UnitTestResult testName="Adds" outcome="Failed" testId="t"><InnerResults>
      <UnitTestResult testName="Adds (1)" outcome="Passed" testId="t"/>
      <UnitTestResult testName="Adds (2)" outcome="Failed" testId="t">
        <Output><ErrorInfo><Message>bad</Message></ErrorInfo></Output></UnitTestResult>
      </InnerResults></UnitTestResult></Results></TestRun>"""
    found = read_report("r.trx", text.encode())
    assert found is not None
    assert (failures(found), found.passed) == ({"Adds (2)": ("", "bad")}, 1)


def test_a_failure_that_was_expected_is_none() -> None:
    text = '<testsuite name="s"><testcase name="t"><skipped type="todo"/><failure message="x"/></testcase></testsuite>'
    found = read_report("r.xml", text.encode())
    assert found is not None
    assert (found.status, found.failed_count) == ("all_skipped", 0)


def test_a_half_written_report_counts_up_to_where_it_breaks() -> None:
    data = (SAMPLES / "report_pytest_junit.xml").read_bytes()
    found = read_report("r.xml", data[: len(data) * 2 // 3])
    assert found is not None
    assert 0 < found.failed_count < 6
    assert not found.complete
    assert read_report("r.xml", data[:40]) is None


def test_control_characters_and_broken_utf8_of_a_test_do_not_hide_its_failure() -> None:
    data = b'<testsuite name="s"><testcase classname="c" name="t"><failure message="x">\x1b[31mbad\x00\xff</failure></testcase></testsuite>'
    found = read_report("r.xml", data.replace(b"\x00", b"\x01"))
    assert found is not None
    assert (found.failed_count, found.complete) == (1, True)


def test_utf_16_is_read() -> None:
    text = (SAMPLES / "report_trx.trx").read_text(encoding="utf-8").replace('"utf-8"', '"utf-16"')
    found = read_report("r.trx", text.encode("utf-16"))
    assert found is not None
    assert found.failing_set == report("trx.trx").failing_set


BOMB = b"""<?xml version="1.0"?><!DOCTYPE testsuites [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">
<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;">]><testsuites><testsuite name="&c;"><testcase name="t"/></testsuite></testsuites>"""
OUTSIDE = b"""<!DOCTYPE testsuites [<!ENTITY x SYSTEM "file:///etc/passwd">]><testsuites><testsuite name="s">
<testcase name="t"><failure>&x;</failure></testcase></testsuite></testsuites>"""


@pytest.mark.parametrize("data", [BOMB, OUTSIDE, b"<!DOCTYPE testsuite><testsuite/>"])
def test_a_report_that_declares_a_document_type_is_refused(data: bytes) -> None:
    assert read_report("r.xml", data) is None


def test_depth_and_size_are_bounded() -> None:
    start = time.perf_counter()
    deep = read_report("r.xml", b"<testsuite>" * 500_000)
    assert deep is None
    wide = read_report("r.xml", b"<testsuite>" + b'<testcase name="t"><failure/></testcase>' * 60_000)
    assert wide is not None
    assert not wide.complete
    long = b'<testsuite><testcase name="' + b"n" * (8 << 20) + b'"><failure>' + b"f " * (8 << 20)
    found = read_report("r.xml", long + b"</failure></testcase></testsuite>")
    assert found is None or not found.complete
    assert read_report("r.json", b'{"testResults":' + b"[" * 500_000) is None
    assert time.perf_counter() - start < 10


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<",
        b"\0",
        b"<html><body/></html>",
        b"{}",
        b"[]",
        b"not xml",
        b"<coverage/>",
        b'{"testResults":3}',
        b"\xff\xfe<",
    ],
)
def test_other_files_are_no_reports(data: bytes) -> None:
    assert read_report("report.xml", data) is None


@pytest.mark.parametrize("path", REPORTS, ids=lambda path: path.name)
def test_a_report_cut_anywhere_is_borne(path: Path) -> None:
    data = path.read_bytes()
    for at in range(0, len(data), max(1, len(data) // 40)):
        found = read_report(path.name, data[:at])
        assert found is None or found.failed_count >= len(found.failed)
        read_report(path.name, data[at:])


@given(st.binary(max_size=300), st.sampled_from(["r.xml", "r.trx", "r.json", ""]))
def test_any_bytes_are_read_or_refused(data: bytes, name: str) -> None:
    read_report(name, data)


@given(st.lists(st.sampled_from([
    b"<testsuites>", b"</testsuites>", b'<testsuite name="s">', b"</testsuite>", b'<testcase name="t">', b"</testcase>",
    b'<failure message="m">', b"</failure>", b"<error/>", b"<skipped/>", b"<TestRun>", b"<UnitTestResult>", b"text", b"&lt;",
    b"<![CDATA[", b"]]>", b"<!--", b"-->", b'<?xml version="1.0" encoding="rot13"?>', b"&x;", b"<a:b/>",
]), max_size=30))  # fmt: skip
@settings(max_examples=200)
def test_any_order_of_elements_is_read_or_refused(parts: list[bytes]) -> None:
    read_report("r.xml", b"".join(parts))


def test_the_files_of_one_run_are_one_outcome_in_any_order() -> None:
    parts = [report(f"surefire_{name}.xml") for name in ("CalcTestInner", "HookTest", "OkTest")]
    found = merge(parts)
    assert (found.status, found.failed_count, found.passed, found.complete) == ("failed", 9, 2, True)
    assert merge(parts[::-1]) == found
    assert merge(parts[:1]) is parts[0]


def test_many_failures_merge_to_a_set_that_moves_with_each_of_them() -> None:
    def suite(fixed: int) -> Outcome:
        failure = '<failure message="m"/>'
        cases = "".join(
            f'<testcase classname="c" name="t{n}">{"" if n == fixed else failure}</testcase>'
            for n in range(300)
        )
        found = read_report("r.xml", f'<testsuite name="s">{cases}</testsuite>'.encode())
        assert found is not None
        return found

    other = report("surefire_HookTest.xml")
    assert merge([suite(-1), other]).failing_set == merge([other, suite(-1)]).failing_set
    assert merge([suite(-1), other]).failing_set != merge([suite(299), other]).failing_set
