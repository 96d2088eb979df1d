"""From a sign to an answer: nudge, then refuse, then stop, as the settings say for each detector. Pure."""

from __future__ import annotations

from typing import Literal

import msgspec

from microloop_cli.core.progress.detectors.sign import Sign
from microloop_cli.core.settings import Ladder, Progress

Answer = Literal["record", "nudge", "refuse", "stop"]


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """A finding about `step`, what is done about it, and the text for the agent (of a stop, the reason)."""

    detector: str
    answer: Answer
    step: int
    steps: tuple[int, ...]
    text: str
    confidence: float


def ladder_of(rules: Progress, sign: Sign) -> Ladder:
    ladder: Ladder = getattr(rules, sign.detector)
    return ladder


def reaches(threshold: int | None, sign: Sign) -> bool:
    return threshold is not None and sign.count >= threshold + sign.patience


def found(sign: Sign, answer: Answer, step: int, *, refusals: int = 0, has_run: bool = False) -> Found:
    """has_run: what is refused was done already, by the agent itself; only its result can be kept back."""
    text = _withhold_text if has_run and answer == "refuse" else _TEXTS[answer]
    return Found(
        detector=sign.detector,
        answer=answer,
        step=step,
        steps=sign.steps,
        text=text(sign, refusals),
        confidence=round(sign.confidence, 2),
    )


def _nudge_text(sign: Sign, refusals: int) -> str:
    return f"microloop: {sign.evidence}. {sign.advice}"


def _refuse_text(sign: Sign, refusals: int) -> str:
    return (
        f"microloop: refused: {sign.evidence}, so this was not run. {sign.advice} "
        "It is allowed again as soon as a file changes."
    )


def _withhold_text(sign: Sign, refusals: int) -> str:
    return (
        f"microloop: refused: {sign.evidence}, so the result is not shown. {sign.advice} "
        "It is shown again as soon as a file changes."
    )


def _stop_text(sign: Sign, refusals: int) -> str:
    tries = f", and it was tried again after {refusals} refusals" if refusals > 1 else ""
    return f"{sign.evidence}{tries}"


_TEXTS = {"record": _nudge_text, "nudge": _nudge_text, "refuse": _refuse_text, "stop": _stop_text}
