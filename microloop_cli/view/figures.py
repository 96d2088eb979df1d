"""Numbers as people read them: seconds, clocks, bytes, counts, exit codes. Pure."""

from __future__ import annotations

LONGEST_SECONDS = 3600.0 * 99_999

# By number, as on Linux for x86-64 and arm64.
_SIGNALS = (
    "", "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE",
    "ALRM", "TERM", "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ", "VTALRM",
    "PROF", "WINCH", "IO", "PWR", "SYS",
)  # fmt: skip


def seconds(value: float | None) -> str:
    """`4 ms`, `0.42 s`, `12.3 s`, `3:05`, `1:02:03`; `-` for None."""
    if value is None:
        return "-"
    value = believable(value)
    if value < 0.0995:
        return f"{value * 1000:.0f} ms"
    if value < 10:
        return f"{value:.2f} s"
    return f"{value:.1f} s" if value < 60 else clock(value)


def clock(value: float) -> str:
    """`0:07`, `12:34`, `1:02:03`."""
    whole = int(believable(value))
    hours, minutes = whole // 3600, whole // 60 % 60
    return f"{hours}:{minutes:02d}:{whole % 60:02d}" if hours else f"{minutes}:{whole % 60:02d}"


def believable(value: float) -> float:
    """A ledger may hold any number; what is no time of a run is cut to one."""
    return min(max(value, 0.0), LONGEST_SECONDS)


def size(value: int) -> str:
    """`17 B`, `4.0 KiB`, `12 MiB`."""
    amount = float(value)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if amount < 1024:
            return f"{amount:.0f} {unit}" if unit == "B" or amount >= 10 else f"{amount:.1f} {unit}"
        amount /= 1024
    return f"{amount:.1f} TiB"


def plural(count: int, word: str) -> str:
    """`1 step`, `2 steps`, `12,345 processes`."""
    ending = "" if count == 1 else "es" if word.endswith("s") else "s"
    return f"{count:,} {word}{ending}"


def exit_status(code: int | None, signal_number: int | None) -> str:
    """`exit 1`, `SIGKILL`, `-` when neither is known."""
    if signal_number is not None:
        return signal_name(signal_number)
    return "-" if code is None else f"exit {code}"


def signal_name(number: int) -> str:
    """`SIGKILL`; Linux's numbers, whatever the machine this is read on."""
    name = _SIGNALS[number] if 0 < number < len(_SIGNALS) else ""
    return f"SIG{name}" if name else f"signal {number}"
