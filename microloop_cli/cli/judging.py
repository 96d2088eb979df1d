"""From what a command names to runs that can be judged again: corpora, bundles, and the policies for both."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from microloop_cli.bundle.paths import find_run
from microloop_cli.bundle.recorded import GENERIC_PROFILE, recorded_policy, recorded_profile
from microloop_cli.cli.place import workspace_of
from microloop_cli.errors import BundleError, PolicyError, UsageError

if TYPE_CHECKING:
    from microloop_cli.bundle.reader import Bundle
    from microloop_cli.core.settings import AgentProfile, Settings


def place_named(argument: str | None, workspace: str | None) -> Path:
    """The file or directory an argument names, else the run whose id starts so. RunNotFound, UsageError."""
    if argument is not None:
        path = Path(argument)
        if path.exists():
            return path
        if "/" in argument or path.suffix in {".jsonl", ".gz", ".json", ".traj"}:
            raise UsageError(f"{argument}: there is no such file", hint="a corpus, a bundle, or a run id")
    return find_run(workspace_of(workspace), argument)


def settings_for(policy: str | None, bundle: Bundle | None = None) -> Settings:
    """The settings of a named policy, with the agent profile a bundle was recorded with. PolicyError."""
    from microloop_cli.policy.load import load
    from microloop_cli.policy.settings import to_settings

    return to_settings(load(policy), profile_of(bundle))


def own_settings(bundle: Bundle) -> Settings:
    """The settings a bundle's run was judged by. BundleError when its policy cannot be read any more."""
    from microloop_cli.policy.layers import resolve
    from microloop_cli.policy.load import parse_policy
    from microloop_cli.policy.settings import to_settings

    name = str(bundle.path / "policy.yaml")
    try:
        resolved = resolve([parse_policy(recorded_policy(bundle), name)])
    except PolicyError as error:
        raise BundleError(error.message, hint="--policy default judges the run under that one") from error
    return to_settings(resolved, profile_of(bundle))


def profile_of(bundle: Bundle | None) -> AgentProfile:
    """The shipped profile a bundle names; what else it may name is not opened. BundleError."""
    from microloop_cli.policy.profiles import load_profile, profile_names

    name = GENERIC_PROFILE if bundle is None else recorded_profile(bundle)
    if name not in profile_names():
        raise BundleError(
            f"the run was recorded with the agent profile {name[:100]!r}, which is not one of microloop's",
            hint="which of its programs were steps cannot be told again",
        )
    return load_profile(name)
