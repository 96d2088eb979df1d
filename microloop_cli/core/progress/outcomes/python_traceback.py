"""What a Python traceback ends with. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from microloop_cli.core.progress.outcomes.messages import LINE_CHARS, split_error

_START = "Traceback (most recent call last)"
_ERROR = re.compile(r"[A-Za-z_][\w.]{0,200}:")


def last_error(lines: Sequence[str]) -> str:
    """`Type: message` of the last traceback in the lines, at any indentation; "" without one, or when the
    text was cut before its end."""
    found = ""
    margin = -1
    for line in lines:
        bare = line.lstrip()
        if bare.startswith(_START):
            margin = len(line) - len(bare)
        elif margin >= 0 and bare and len(line) - len(bare) <= margin:
            bare = bare[:LINE_CHARS].rstrip()
            found = bare if _ERROR.match(bare) or split_error(bare)[0] else ""
            margin = -1
    return found
