"""Durations as people write them on the command line."""

from __future__ import annotations

import re

from microloop_cli.errors import UsageError

_SECONDS_OF = {"d": 86_400, "h": 3600, "m": 60, "s": 1}
_PARTS = re.compile(r"(?:(\d{1,6})d)?(?:(\d{1,6})h)?(?:(\d{1,8})m)?(?:(\d{1,9}(?:\.\d{1,6})?)s?)?", re.ASCII)
_HINT = "write seconds (90), or hours, minutes and seconds: 90s, 30m, 1h30m, 2d"


def parse_duration(text: str) -> float:
    """Seconds of `90`, `90s`, `1.5s`, `30m`, `1h30m`, `2d`; at most a year. Raises UsageError."""
    match = _PARTS.fullmatch(text.strip())
    if match is None or not any(match.groups()):
        raise UsageError(f"{text!r} is no duration", hint=_HINT)
    seconds = sum(
        float(part) * _SECONDS_OF[unit] for part, unit in zip(match.groups(), "dhms", strict=True) if part
    )
    if not 0 < seconds <= 366 * 86_400:
        raise UsageError(f"{text!r} is no usable duration: more than nothing, at most a year", hint=_HINT)
    return seconds
