"""Report files of test runs: JUnit XML, TRX, `go test -json`, and the JSON of some runners. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import msgspec

from microloop_cli.core.progress.outcomes import go_test, junit_xml, trx
from microloop_cli.core.progress.outcomes.build import build_outcome
from microloop_cli.core.progress.outcomes.json_report import read_json
from microloop_cli.core.progress.outcomes.junit_xml import JUnit
from microloop_cli.core.progress.outcomes.trx import Trx
from microloop_cli.core.progress.outcomes.xml_stream import read_elements
from microloop_cli.core.progress.signals import TestOutcome, TestStatus

REPORT_BYTES = 16 << 20

_GO_EVENT = b'"Action":"'
_READERS: dict[str, type[JUnit] | type[Trx]] = {
    **dict.fromkeys(junit_xml.ROOTS, JUnit),
    **dict.fromkeys(trx.ROOTS, Trx),
}
_WORST_FIRST: tuple[TestStatus, ...] = ("failed", "crashed", "passed", "all_skipped", "none_collected")


def read_report(name: str, data: bytes) -> TestOutcome | None:
    """What a report file says of its run; None when it is no report, or nothing of it can be read.

    name: only its ending matters, and only where the content leaves it open. Of a half-written file what is
    whole counts, and the outcome is not `complete`. More than 16 MiB are not looked at. Never raises.
    """
    whole, data = len(data) <= REPORT_BYTES, data[:REPORT_BYTES]
    start = data[:64].lstrip(b"\xef\xbb\xbf \t\r\n")
    if _GO_EVENT in data[:8192]:  # its build failures stand before it
        return go_test.read(data.decode("utf-8", "replace"))
    if start.startswith(b"{"):
        return read_json(data)
    other = name.lower().endswith((".html", ".htm", ".svg"))
    if other or not start.startswith((b"<", b"\xff\xfe", b"\xfe\xff")):
        return None
    reader, sound = read_elements(data, _READERS)
    if not isinstance(reader, JUnit | Trx):
        return None
    outcome = reader.outcome(whole and sound)
    return outcome if sound or outcome.failed_count or outcome.passed else None


def merge(outcomes: Sequence[TestOutcome]) -> TestOutcome:
    """One outcome of the files of one run, in any order; at least one. It failed when any of them failed."""
    if len(outcomes) == 1:
        return outcomes[0]
    worst = min((one.status for one in outcomes), key=_WORST_FIRST.index)
    counts = [one.passed for one in outcomes if one.passed is not None]
    merged = build_outcome(
        min(one.runner for one in outcomes),
        {test for one in outcomes for test in one.failed},
        passed=sum(counts) if counts else None,
        status=worst,
        complete=all(one.complete for one in outcomes),
    )
    capped = [one for one in outcomes if one.failed_count > len(one.failed)]
    if not capped:
        return merged
    # Not every failure is here by name, but what they amount to is.
    sets = "\n".join(sorted({one.failing_set for one in outcomes if one.failing_set}))
    return msgspec.structs.replace(
        merged,
        failed_count=sum(one.failed_count for one in outcomes),
        failing_set=hashlib.blake2b(sets.encode(), digest_size=16).hexdigest(),
    )
