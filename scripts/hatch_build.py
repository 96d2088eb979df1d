"""Wheel build hook: builds the guard for both architectures and puts it into the wheel, with its sources."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

INSIDE = "microloop_cli/_data"


class GuardBuildHook(BuildHookInterface[Any]):
    """Ships sandboxes/guard/build/guard-<arch>. An editable install is left alone: it builds on first use."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if self.target_name != "wheel" or version == "editable":
            return
        root = Path(self.root)
        sandboxes = root / "sandboxes"
        for path in [*_sources(sandboxes), *_build_guards(root)]:
            build_data["force_include"][str(path)] = f"{INSIDE}/{path.relative_to(root).as_posix()}"


def _sources(sandboxes: Path) -> list[Path]:
    made = sandboxes / "guard" / "build"
    files = (path for path in sorted(sandboxes.rglob("*")) if path.is_file())
    return [path for path in files if made not in path.parents and "__pycache__" not in path.parts]


def _build_guards(root: Path) -> list[Path]:
    """The guards that could be built; none at all is an error, one is a warning."""
    sys.path.insert(0, str(root))
    try:
        from microloop_cli.errors import HostError
        from microloop_cli.guard import build
    finally:
        sys.path.remove(str(root))
    source = root / "sandboxes" / "guard"
    built, failures = [], []
    for arch in build.ARCHES:
        target = source / "build" / build.guard_name(arch)
        try:
            build.build_guard(source, arch, target)
            built.append(target)
        except HostError as error:
            failures.append(f"{error.message} ({error.hint})")
    if not built:
        raise SystemExit("microloop: a wheel without any guard is of no use: " + "; ".join(failures))
    for failure in failures:
        warnings.warn(f"microloop: the wheel lacks a guard: {failure}", stacklevel=1)
    return built
