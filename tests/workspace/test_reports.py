"""The test reports a step wrote: which are found, and that nothing outside of the workspace ever is."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from microloop_cli.workspace.report_paths import reports_said
from microloop_cli.workspace.reports import REPORT_BYTES, REPORTS, reports_of

SUITE = b'<testsuite name="s"><testcase name="t"/></testsuite>'


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    folder = tmp_path / "workspace"
    folder.mkdir()
    return folder


def put(path: Path, content: bytes = SUITE, *, at_ns: int | None = None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    if at_ns is not None:
        os.utime(path, ns=(at_ns, at_ns))
    return path


def names(
    workspace: Path, command: str, *, cwd: str = "", since_ns: int = 0, changed: tuple[str, ...] = ()
) -> list[str]:
    return [name for name, _ in reports_of(command, workspace / cwd, workspace, since_ns, changed)]


@pytest.mark.parametrize(
    "command",
    [
        "pytest --junitxml=out/r.xml",
        "python -m pytest -q --junit-xml out/r.xml tests",
        "ctest --output-junit out/r.xml",
        "vendor/bin/phpunit --log-junit 'out/r.xml'",
        "nosetests --with-xunit --xunit-file=out/r.xml",
        'npx vitest run --reporter=junit --outputFile="out/r.xml"',
        "npx jest --json --outputFile=out/r.xml",
        "MOCHA_FILE=out/r.xml npx mocha --reporter mocha-junit-reporter",
        "npx mocha --reporter xunit --reporter-option output=out/r.xml",
        "npx mocha -R xunit -O output=out/r.xml",
        "gotestsum --junitfile out/r.xml ./...",
        "go test -json ./... > out/r.xml",
        "go test -json ./... | tee out/r.xml",
        "bundle exec rspec --format RspecJunitFormatter --out out/r.xml",
        "rspec -f RspecJunitFormatter -o out/r.xml",
        "./calc_test --gtest_output=xml:out/r.xml",
        "node --test --test-reporter=junit --test-reporter-destination=out/r.xml",
        "cd out && pytest --junitxml=r.xml",
        "cd out; cd ..; pytest --junitxml out/../out/r.xml",
        'dotnet test --logger "junit;LogFilePath=out/r.xml"',
        "pytest --junitxml=$PWD_NOT_KNOWN/x.xml --junitxml out/r.xml",
    ],
)
def test_a_report_named_by_the_command_is_found(workspace: Path, command: str) -> None:
    put(workspace / "out/r.xml")
    assert names(workspace, command) == ["out/r.xml"]


def test_paths_are_taken_from_where_the_step_began_or_as_absolute(workspace: Path) -> None:
    put(workspace / "sub/r.xml")
    assert names(workspace, "pytest --junitxml=r.xml", cwd="sub") == ["sub/r.xml"]
    assert names(workspace, "pytest --junitxml=../sub/r.xml", cwd="sub") == ["sub/r.xml"]
    assert names(workspace, f"pytest --junitxml={workspace}/sub/r.xml") == ["sub/r.xml"]
    assert reports_of("pytest --junitxml=sub/r.xml", Path("/"), workspace, 0, ()) == ()


def test_a_results_file_of_dotnet_is_looked_for_where_dotnet_puts_it(workspace: Path) -> None:
    put(workspace / "Demo.Tests/TestResults/run.trx")
    put(workspace / "results/deep/other.trx")
    assert names(workspace, 'dotnet test --logger "trx;LogFileName=run.trx"') == [
        "Demo.Tests/TestResults/run.trx"
    ]
    assert "results/deep/other.trx" in names(
        workspace, "dotnet test --logger trx --results-directory results"
    )


def test_changed_files_that_look_like_reports_are_found_whatever_ran(workspace: Path) -> None:
    for name in (
        "TEST-a.xml",
        "x/junit.xml",
        "x/report.xml",
        "test-results-1.xml",
        "a.trx",
        "pom.xml",
        "notes.md",
    ):
        put(workspace / name)
    changed = (
        "TEST-a.xml",
        "x/junit.xml",
        "x/report.xml",
        "test-results-1.xml",
        "a.trx",
        "pom.xml",
        "notes.md",
    )
    found = names(workspace, "make check", changed=changed)
    assert found == ["TEST-a.xml", "a.trx", "test-results-1.xml", "x/junit.xml", "x/report.xml"]


def test_a_report_that_git_brought_back_is_not_one_of_a_test_run(workspace: Path) -> None:
    put(workspace / "junit.xml")
    assert names(workspace, "git stash pop", changed=("junit.xml",)) == []


def test_a_report_kept_as_an_example_is_not_one_of_a_test_run(workspace: Path) -> None:
    put(workspace / "tests/fixtures/junit.xml")
    assert names(workspace, "python make_fixture.py", changed=("tests/fixtures/junit.xml",)) == []
    assert names(workspace, "pytest --junitxml=tests/fixtures/junit.xml") == ["tests/fixtures/junit.xml"]


@pytest.mark.parametrize(
    ("command", "folder"),
    [
        ("mvn -q test", "target/surefire-reports"),
        ("./mvnw verify", "target/failsafe-reports"),
        ("cd . && ./gradlew test", "build/test-results/test"),
        ("gradle check --offline", "build/test-results/integrationTest"),
        ("mvn -pl core test", "core/target/surefire-reports"),
        ("mvn test", "services/core/target/surefire-reports"),
        ("gradle -p app test", "app/build/test-results/test"),
        ("cargo nextest run", "target/nextest/default"),
    ],
)
def test_builders_reports_are_found_in_their_folders(workspace: Path, command: str, folder: str) -> None:
    put(workspace / folder / "TEST-com.example.CalcTest.xml")
    put(workspace / folder / "com.example.CalcTest.txt")
    assert names(workspace, command) == [f"{folder}/TEST-com.example.CalcTest.xml"]


def test_reports_of_an_earlier_step_are_left_out(workspace: Path) -> None:
    began = 1_700_000_000_000_000_000
    put(workspace / "target/surefire-reports/TEST-old.xml", at_ns=began - 10**9)
    put(workspace / "target/surefire-reports/TEST-new.xml", at_ns=began + 10**9)
    put(workspace / "r.xml", at_ns=began - 10**9)
    assert names(workspace, "mvn test", since_ns=began) == ["target/surefire-reports/TEST-new.xml"]
    assert names(workspace, "pytest --junitxml=r.xml", since_ns=began) == []
    assert names(workspace, "pytest --junitxml=r.xml", since_ns=began, changed=("report.xml",)) == []


def test_a_report_written_within_the_tick_the_step_began_in_counts(workspace: Path) -> None:
    began = time.time_ns()
    put(workspace / "r.xml")
    assert names(workspace, "pytest --junitxml=r.xml", since_ns=began) == ["r.xml"]


def test_no_link_leads_out_of_the_workspace(workspace: Path, tmp_path: Path) -> None:
    put(tmp_path / "secret/TEST-x.xml")
    (workspace / "r.xml").symlink_to(tmp_path / "secret/TEST-x.xml")
    (workspace / "out").symlink_to(tmp_path / "secret")
    (workspace / "target").mkdir()
    (workspace / "target/surefire-reports").symlink_to(tmp_path / "secret")
    (workspace / "core").symlink_to(tmp_path / "secret")
    changed = ("out/TEST-x.xml", "../secret/TEST-x.xml", "/etc/report.xml", "a/../../secret/TEST-x.xml")
    for command in ("pytest --junitxml=r.xml", "pytest --junitxml=../secret/TEST-x.xml", "mvn test",
                    f"pytest --junitxml={tmp_path}/secret/TEST-x.xml"):  # fmt: skip
        assert names(workspace, command, changed=changed) == []


def test_only_regular_files_are_opened_and_none_is_waited_for(workspace: Path) -> None:
    os.mkfifo(workspace / "r.xml")
    (workspace / "junit.xml").mkdir()
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(20):
        assert names(workspace, "pytest --junitxml=r.xml", changed=("junit.xml", "junit.xml/r.xml")) == []
    assert len(os.listdir("/proc/self/fd")) == before


def test_what_vanished_is_skipped(workspace: Path) -> None:
    put(workspace / "junit.xml")
    found = names(workspace, "pytest --junitxml=gone.xml", changed=("gone/junit.xml", "junit.xml"))
    assert found == ["junit.xml"]
    assert reports_of("pytest --junitxml=r.xml", workspace / "gone", workspace / "gone", 0, ()) == ()


def test_files_and_bytes_are_bounded(workspace: Path) -> None:
    for n in range(REPORTS + 20):
        put(workspace / f"target/surefire-reports/TEST-{n:03}.xml")
    assert len(names(workspace, "mvn test")) == REPORTS
    put(workspace / "a/junit.xml", b" " * (REPORT_BYTES - 10))
    put(workspace / "b/junit.xml", b" " * 100)
    put(workspace / "c/junit.xml", b" " * 100)
    found = reports_of("make", workspace, workspace, 0, ("a/junit.xml", "b/junit.xml", "c/junit.xml"))
    assert [len(content) for _, content in found] == [REPORT_BYTES - 10, 10]


def test_a_wide_workspace_is_not_searched_without_end(workspace: Path) -> None:
    for n in range(400):
        (workspace / f"m{n}/n").mkdir(parents=True)
    put(workspace / "m1/target/surefire-reports/TEST-a.xml")
    start = time.perf_counter()
    names(workspace, "mvn test")
    assert time.perf_counter() - start < 2


def test_a_command_that_runs_no_tests_costs_nothing(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[object] = []

    def refuse(path: object, *_: object, **__: object) -> int:
        opened.append(path)
        raise OSError

    monkeypatch.setattr(os, "open", refuse)
    assert reports_of("ls -la && cat README.md", workspace, workspace, 0, ("src/a.py", "b.md")) == ()
    assert opened == []


@given(st.text(max_size=200))
def test_any_command_is_understood_or_passed_over(command: str) -> None:
    reports_said(command)
    reports_said("--junitxml " + command + " mvn")


@given(st.text(max_size=60), st.lists(st.text(max_size=30), max_size=5))
def test_any_path_is_looked_for_or_passed_over(path: str, changed: list[str]) -> None:
    here = Path(__file__).parent / "samples-that-are-not-here"
    changed = [name + "junit.xml" for name in changed]
    reports_of(f"pytest --junitxml='{path}'", here.parent, here.parent, 0, changed)


@pytest.mark.parametrize(
    "command", ["a" * 100_000, "'" * 10_000 + "--junitxml", "mvn " * 50_000, "--out \\" * 5000]
)
def test_hostile_commands_are_passed_over_quickly(command: str) -> None:
    start = time.perf_counter()
    reports_said(command + "x")
    assert time.perf_counter() - start < 0.5
