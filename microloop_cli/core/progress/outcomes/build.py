"""A TestOutcome from what a runner's output names and counts. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from microloop_cli.core.progress.signals import FAILED_TESTS_KEPT, FailedTest, TestOutcome, TestStatus


def build_outcome(
    runner: str,
    failed: Iterable[FailedTest] = (),
    *,
    failed_count: int | None = None,
    passed: int | None = None,
    skipped: int = 0,
    status: TestStatus | None = None,
    complete: bool = True,
) -> TestOutcome:
    """The outcome of a run, from the failed tests it names and what it counts.

    failed: in any order. failed_count: what the runner says failed (None: it
    does not say). `status` is worked out when not given: failed when any failed, passed when any passed,
    all_skipped when only skipped ones are left, else none_collected; give it for a crash, or for a run that
    ended well without a count.
    """
    named = list(failed)
    tests = sorted(set(named))
    count = len(tests) if failed_count is None else max(failed_count, len(tests))
    return TestOutcome(
        runner=runner,
        status=status or _status(count, passed, skipped),
        failed=tuple(tests[:FAILED_TESTS_KEPT]),
        failed_count=count,
        passed=passed,
        complete=complete and len(named) >= count,
        failing_set=failing_set(tests),
    )


def failing_set(tests: Iterable[FailedTest]) -> str:
    """32 hex digits, equal for equal sets of (id, error, message); "" for none. `tests` is sorted."""
    parts = [f"{test.id}\0{test.error}\0{test.message}\0" for test in tests]
    if not parts:
        return ""
    return hashlib.blake2b("\n".join(parts).encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def same_failures(one: TestOutcome, other: TestOutcome) -> bool:
    """Whether both runs failed in the same way, as far as both say, when one may say less than the other.

    A cut output (`| tail`) names fewer tests of as many, `--tb=no` or a narrow terminal drops an error's type
    or cuts its message (`...`): what is left must agree. False when one of them names nothing at all.
    """
    if one.failing_set == other.failing_set:
        return one.failing_set != ""
    if one.failed_count != other.failed_count or not one.failed or not other.failed:
        return False
    if one.complete and other.complete:
        return len(one.failed) == len(other.failed) and all(map(_agree, one.failed, other.failed))
    fewer, more = sorted((one.failed, other.failed), key=len)
    by_id: dict[str, list[FailedTest]] = {}
    for test in more:
        by_id.setdefault(test.id, []).append(test)
    return all(any(_agree(test, known) for known in by_id.get(test.id, ())) for test in fewer)


def _agree(one: FailedTest, other: FailedTest) -> bool:
    if one.id != other.id or (one.error and other.error and one.error != other.error):
        return False
    return not one.message or not other.message or _cut_of(one.message, other.message)


def _cut_of(one: str, other: str) -> bool:
    if one.endswith("..."):
        return other.startswith(one[:-3]) or (other.endswith("...") and one.startswith(other[:-3]))
    return one == other or (other.endswith("...") and one.startswith(other[:-3]))


def _status(failed: int, passed: int | None, skipped: int) -> TestStatus:
    if failed:
        return "failed"
    if passed:
        return "passed"
    return "all_skipped" if skipped else "none_collected"
