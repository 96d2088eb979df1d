"""The recorded answers of an earlier run, for a run that asks no model: its bundle may be anybody's."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from microloop_cli.bundle.model_records import ModelRecord, read_model_records
from microloop_cli.bundle.paths import find_run
from microloop_cli.bundle.reader import open_bundle
from microloop_cli.core.events import RunStarted
from microloop_cli.errors import BundleError, UsageError

if TYPE_CHECKING:
    from microloop_cli.gateway.recording.tape import Tape

# All records are held at once; those of a long run are some tens of MiB.
MOST_BYTES = 512 * 2**20


def tape_of(named: str, workspace: Path) -> Tape:
    """What the run `named` (id or path) recorded. Raises UsageError: it cannot be served."""
    from microloop_cli.gateway.recording.tape import Tape

    try:
        bundle = open_bundle(find_run(workspace, named))
        first = next((entry.event for entry in bundle.entries()), None)
        records = list(_bounded(read_model_records(bundle.path)))
    except (BundleError, UsageError) as error:
        raise UsageError(f"--replay-model: {error.message}", hint=error.hint) from None
    if not records:
        raise UsageError(
            f"--replay-model: run {bundle.run_id} has no recorded model calls",
            hint="record one with: microloop run --record-model -- ...",
        )
    recorded_in = first.workspace if isinstance(first, RunStarted) else ""
    return Tape(records, recorded_in=recorded_in, workspace=str(workspace), run=bundle.run_id)


def _bounded(records: Iterator[ModelRecord]) -> Iterator[ModelRecord]:
    held = 0
    for record in records:
        held += len(record.request) + len(record.answer)
        if held > MOST_BYTES:
            raise BundleError(f"the recorded model calls are more than {MOST_BYTES // 2**20} MiB")
        yield record
