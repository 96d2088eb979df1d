"""What a bundle says about how it was judged: facts and decisions, its policy's text, its agent profile."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from microloop_cli.bundle.ledger import Unknown
from microloop_cli.bundle.manifest import LEDGER_NAME
from microloop_cli.bundle.paths import runs_dir
from microloop_cli.bundle.reader import Bundle
from microloop_cli.core.actions import AnyDecision
from microloop_cli.core.events import AnyFact
from microloop_cli.errors import BundleError, UsageError

GENERIC_PROFILE = "generic"


def recorded_events(bundle: Bundle) -> Iterator[tuple[float, AnyFact | AnyDecision]]:
    """Facts and decisions with their seconds, in ledger order; what a later version added is left out."""
    for entry in bundle.entries():
        if not isinstance(entry.event, Unknown):
            yield entry.at, entry.event


def recorded_policy(bundle: Bundle) -> bytes:
    """The text of the policy the run had. BundleError when the bundle has none."""
    text = bundle.text("policy.yaml")
    if text is None:
        raise BundleError(
            f"{bundle.path} has no policy.yaml: under which policy the run was judged is not known",
            hint="--policy default judges it under that one",
        )
    return text.encode()


def recorded_profile(bundle: Bundle) -> str:
    """The name of the agent profile the run had. BundleError when environment.json does not fit."""
    environment = bundle.environment()
    if environment is None:
        return GENERIC_PROFILE
    name = environment.get("agent_profile") if isinstance(environment, dict) else None
    if not isinstance(name, str):
        raise BundleError(f"{bundle.path / 'environment.json'} is damaged: agent_profile is no text")
    return name


def bundles_in(folder: Path) -> list[Path]:
    """The bundles a directory is or holds: itself, its children, or the runs of a workspace. UsageError."""
    if (folder / LEDGER_NAME).exists():
        return [folder]
    for place in (folder, runs_dir(folder)):
        try:
            found = sorted(path.parent for path in place.glob(f"*/{LEDGER_NAME}"))
        except OSError as error:
            raise UsageError(f"{place} cannot be listed: {error.strerror}") from None
        if found:
            return found
    raise UsageError(f"{folder} holds no bundles", hint="give a bundle, a directory of them, or a workspace")
