"""What `doctor` found as lines. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from rich.text import Text

from microloop_cli.backends.base import Probe
from microloop_cli.view.lines import labelled, line


def probe_lines(probe: Probe, width: int) -> Iterator[Text]:
    """One backend: whether a run could start with it, what it enforces, what is missing and what mends it."""
    usable = ("usable", "green") if probe.usable else ("NOT usable", "red")
    versions = ", ".join(f"{name} {version}" for name, version in probe.versions.items())
    yield line((f"{probe.backend}: ", "bold"), usable, (f"  {versions}" if versions else "", "dim"))
    for boundary, how in probe.enforcement.enforced.items():
        yield from labelled(boundary, how, width, "green")
    for boundary, why in probe.enforcement.missing.items():
        yield from labelled(boundary, f"NOT enforced: {why}", width, "yellow")
    for problem in probe.problems:
        yield from labelled("problem", f"{problem.what}: {problem.why}", width, "red")
        yield from labelled("  mend", problem.mend, width, "bold")
