"""Where the shipped `policies/` and `sandboxes/` are: beside the package in a checkout, else inside it."""

from __future__ import annotations

from pathlib import Path

from microloop_cli.errors import HostError

_PACKAGE = Path(__file__).resolve().parent


def policies_dir() -> Path:
    """The directory of the bundled policies. Raises HostError when the installation lacks it."""
    return _shipped("policies")


def sandboxes_dir() -> Path:
    """The directory of the sandboxes' far side. Raises HostError when the installation lacks it."""
    return _shipped("sandboxes")


def is_checkout() -> bool:
    """True when the package lies in its source tree, so that sources may be newer than what was built."""
    return not (_PACKAGE / "_data").is_dir()


def _shipped(name: str) -> Path:
    root = _PACKAGE.parent if is_checkout() else _PACKAGE / "_data"
    directory = root / name
    if not directory.is_dir():
        raise HostError(
            f"this installation of microloop lacks its {name}/ ({directory})",
            hint="install it again: pip install --force-reinstall microloop-cli",
        )
    return directory
