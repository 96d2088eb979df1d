"""`inspect --network` as lines: each request at the egress proxy and what was decided. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from rich.text import Text

from microloop_cli.view.doors import network_told
from microloop_cli.view.figures import plural, seconds, size
from microloop_cli.view.lines import heading, line, one_line, paragraph
from microloop_cli.view.model import RunView
from microloop_cli.view.requests import RequestView, hint_told, place_of, reason_told

REQUESTS_SHOWN = 200
REASON_MOST = 500
_DETAIL = " " * 6


def network_lines(view: RunView, width: int, show_all: bool) -> Iterator[Text]:
    """A line a request, and one below it: rule and address, or why it was refused and how to allow it. A
    refusal of the same host for the same reason is explained once."""
    yield heading(f"network of run {one_line(view.run_id, 40)}")
    yield line((f"  {network_told(view.network)}", ""))
    if not view.requests:
        yield line(("  no request came to the proxy", "dim"))
        return
    places = min(48, max(12, width - 47))
    titles = f"  {'n':>5}  {'at':>8}  {'method':<7}  {'host':<{places}}  {'':<7}  {'took':>8}"
    yield line((titles.rstrip() if width >= 70 else "  requests", "dim"))
    explained: set[tuple[str, int, str]] = set()
    hidden = 0 if show_all else max(0, len(view.requests) - 2 * REQUESTS_SHOWN)
    for number, request in enumerate(view.requests):
        if hidden and number == REQUESTS_SHOWN:
            yield line((f"  ... {plural(hidden, 'request')} left out (--all shows them) ...", "dim"))
        if not hidden or number < REQUESTS_SHOWN or number >= len(view.requests) - REQUESTS_SHOWN:
            yield _row(request, places, width)
            yield from _details(request, width, explained)


def _row(request: RequestView, places: int, width: int) -> Text:
    place = one_line(place_of(request)[:300], places)
    start = f"  {request.n:>5}  "
    when = f"{seconds(request.at_seconds):>8}  " if width >= 70 else ""
    method = one_line(request.method, 7)
    took = f"  {seconds(request.seconds):>8}" if width >= 70 else ""
    mark = ("allowed", "") if request.allowed else ("REFUSED", "red")
    return line(
        (f"{start}{when}{method:<7}  ", "dim"), (f"{place:<{places}}  ", ""), mark, (took.rstrip(" -"), "dim")
    )


def _details(request: RequestView, width: int, explained: set[tuple[str, int, str]]) -> Iterator[Text]:
    if request.allowed:
        yield line((f"{_DETAIL}{one_line(_allowed_told(request), max(20, width - len(_DETAIL)))}", "dim"))
        return
    told = (request.host, request.port, request.reason)
    if told in explained:
        return
    explained.add(told)
    yield from paragraph(f"why: {reason_told(request)[:REASON_MOST]}", width, _DETAIL)
    hint = hint_told(request)
    if hint:
        yield from paragraph(f"to allow it: {hint[:REASON_MOST]}", width, _DETAIL)


def _allowed_told(request: RequestView) -> str:
    parts = [f"by {request.rule[:200]}"] if request.rule else []
    parts += [f"at {request.address[:80]}"] if request.address else []
    parts += [f"HTTP {request.status}"] if request.status is not None else []
    if request.sent_bytes is None or request.received_bytes is None:
        parts.append("no end recorded")
    else:
        parts.append(f"{size(request.sent_bytes)} out, {size(request.received_bytes)} in")
    parts += [f"broke off: {request.error[:300]}"] if request.error else []
    return ", ".join(parts)
