"""The backends by name, and which one `--sandbox auto` means."""

from __future__ import annotations

import difflib
from collections.abc import Callable

from microloop_cli.backends.base import Backend, BackendName
from microloop_cli.errors import UsageError


def _bwrap() -> Backend:
    from microloop_cli.backends.bwrap import BwrapBackend

    return BwrapBackend()


def _docker() -> Backend:
    from microloop_cli.backends.docker import DockerBackend

    return DockerBackend()


def _none() -> Backend:
    from microloop_cli.backends.none import NoneBackend

    return NoneBackend()


BACKENDS: dict[BackendName, Callable[[], Backend]] = {"bwrap": _bwrap, "docker": _docker, "none": _none}
AUTO = "auto"


def get_backend(name: str) -> Backend:
    """The backend of this name; UsageError for an unknown one. Imports only what that backend needs."""
    if name not in BACKENDS:
        near = difflib.get_close_matches(name, [*BACKENDS, AUTO], n=1)
        meant = f"did you mean {near[0]}? " if near else ""
        raise UsageError(
            f"there is no sandbox backend {name!r}", hint=f"{meant}it is one of {', '.join(BACKENDS)}"
        )
    return BACKENDS[name]()


def choose(name: str, image: str | None) -> BackendName:
    """The backend a run uses: `auto` takes docker when an image is asked for, else bwrap; never none."""
    if name == AUTO:
        return "docker" if image is not None else "bwrap"
    chosen = get_backend(name).name
    if image is not None and chosen != "docker":
        raise UsageError(
            f"--sandbox {chosen} has no images, but the image {image!r} was asked for",
            hint="use --sandbox docker, or leave the image out",
        )
    return chosen
