"""What a step came to, in a word. Pure."""

from __future__ import annotations

from microloop_cli.view.figures import exit_status
from microloop_cli.view.model import StepView


def result_told(step: StepView) -> str:
    """`exit 1`, `SIGKILL`, `-`; of a tool call that no process ran `ok` or `error`."""
    if step.kind == "tool":
        return "error" if step.failed else "ok"
    return exit_status(step.exit_code, step.signal)


def went_wrong(step: StepView) -> bool:
    return step.failed or step.exit_code not in (0, None) or step.signal is not None
