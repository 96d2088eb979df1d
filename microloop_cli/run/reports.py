"""The test reports a step wrote into the workspace, read as outcomes."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from pathlib import Path

from microloop_cli.core.progress.signals import TestOutcome
from microloop_cli.core.state import OpenStep

NANOSECONDS = 1_000_000_000


class ReportFiles:
    """Finds them in one workspace. `started_at`: when the run began, for the age of a file.

    redact: takes secrets out before anything is read off them.
    """

    def __init__(
        self,
        workspace: Path,
        started_at: datetime.datetime,
        redact: Callable[[bytes], bytes] | None = None,
    ) -> None:
        self._workspace = workspace
        self._redact = redact
        self._started_ns = int(started_at.timestamp() * NANOSECONDS)

    def outcome(self, step: OpenStep, changed: tuple[str, ...]) -> TestOutcome | None:
        """What the reports of a test run say; None for other steps and without a whole report.

        changed: paths that changed while it ran. A torn report says less than the words on the terminal.
        """
        attempt = step.attempt
        if attempt.meaning.kind != "test":
            return None
        from microloop_cli.core.progress.outcomes.report import merge, read_report
        from microloop_cli.workspace.reports import reports_of

        since_ns = self._started_ns + int(step.began * NANOSECONDS)
        files = reports_of(attempt.command, Path(step.cwd), self._workspace, since_ns, changed)
        if self._redact is not None:
            files = tuple((name, self._redact(data)) for name, data in files)
        outcomes = [outcome for name, data in files if (outcome := read_report(name, data)) is not None]
        merged = merge(outcomes) if outcomes else None
        return merged if merged is not None and merged.complete else None
