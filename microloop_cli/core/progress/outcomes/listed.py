"""A TestOutcome from a list of failures and the number the runner states beside it. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from microloop_cli.core.progress.outcomes.build import build_outcome
from microloop_cli.core.progress.signals import FailedTest, TestOutcome, TestStatus


def listed_outcome(
    runner: str,
    tests: Sequence[FailedTest],
    failed: int,
    *,
    passed: int | None = None,
    skipped: int = 0,
    status: TestStatus | None = None,
    complete: bool = True,
) -> TestOutcome:
    """The outcome when `tests` are the entries of a list and `failed` is how many the runner says there are.

    Two entries may be equal (one name in two files, a table of cases): the list is whole when it is as long
    as the runner says, whatever is left of it as a set.
    """
    distinct = set(tests)
    whole = len(tests) >= failed
    return build_outcome(
        runner,
        distinct,
        failed_count=len(distinct) if whole else max(failed, len(distinct)),
        passed=passed,
        skipped=skipped,
        status=status,
        complete=complete,
    )
