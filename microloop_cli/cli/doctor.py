"""`microloop doctor`: each sandbox really tried on this host."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from microloop_cli.backends.base import Probe

UNUSABLE = 1


def command(
    backend: str | None = typer.Option(None, "--backend", help="Try only this one: bwrap, docker or none."),
    as_json: bool = typer.Option(False, "--json", help="Print JSON."),
) -> int:
    """Try each sandbox: start it, install the filter, capture, kill; say what is enforced and missing.

    Exit code 0 when the sandbox that runs use by default (or the one named) is usable, else 1.
    """
    from microloop_cli.backends.registry import BACKENDS, choose, get_backend
    from microloop_cli.guard.binary import find_guard

    names = [backend] if backend is not None else list(BACKENDS)
    backends = [get_backend(name) for name in names]
    guard = find_guard()
    probes = []
    for candidate in backends:
        probe = candidate.probe(guard)
        probes.append(probe)
        if not as_json:
            _show(probe)
    wanted = backend or choose("auto", None)
    if as_json:
        _print_json(probes, wanted)
    return 0 if any(probe.backend == wanted and probe.usable for probe in probes) else UNUSABLE


def _show(probe: Probe) -> None:
    """At once: the next one may take seconds."""
    import sys

    from microloop_cli.cli.output import width, write_lines
    from microloop_cli.view.probelines import probe_lines

    write_lines(probe_lines(probe, width()))
    sys.stdout.write("\n")
    sys.stdout.flush()


def _print_json(probes: list[Probe], wanted: str) -> None:
    import msgspec

    from microloop_cli.cli.output import write_json

    found: list[Any] = [msgspec.to_builtins(probe) for probe in probes]
    write_json({"schema": 1, "default": wanted, "backends": found})
