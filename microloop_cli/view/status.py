"""The one line shown while a run goes on. Pure."""

from __future__ import annotations

from microloop_cli.bundle.harmless import harmless
from microloop_cli.view.cells import cut, width_of
from microloop_cli.view.figures import clock

_COMMAND_LEAST = 8


def line(
    steps: int, elapsed_seconds: float, last_command: str, findings: int, width: int, cost: str = ""
) -> str:
    """At most `width` cells, never more than one line, whatever the command holds.

    `microloop  12 steps  1:03  $0.42  2 findings  pytest -q`: the command gives way first, then the findings.
    cost: as `dollars` tells it, "" while nothing has a price.
    """
    parts = ["microloop", f"{steps} step{'' if steps == 1 else 's'}", clock(elapsed_seconds)]
    if cost:
        parts.append(cost)
    if findings:
        parts.append(f"{findings} finding{'' if findings == 1 else 's'}")
    text = "  ".join(parts)
    room = width - width_of(text) - 2
    command = one_line(last_command[: 4 * width])
    if command and room >= _COMMAND_LEAST:
        text = f"{text}  {cut(command, room)}"
    return cut(text, width)


def one_line(text: str) -> str:
    """Harmless text on one line: every run of white space is one space."""
    return harmless(" ".join(text.split()))
