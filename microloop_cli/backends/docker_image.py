"""The image used when none is named: built once from sandboxes/docker/Dockerfile, tagged by its content."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from microloop_cli import resources
from microloop_cli.errors import SandboxError

if TYPE_CHECKING:
    from docker import APIClient

BASE_VARIABLE = "MICROLOOP_DOCKER_BASE"
DEFAULT_BASE = "debian:bookworm-slim"
REPOSITORY = "microloop-base"


def base_image() -> str:
    """What the built image starts from; a complete local base needs no network to build on."""
    return os.environ.get(BASE_VARIABLE) or DEFAULT_BASE


def built_tag(base: str) -> str:
    """The name of the image built on `base`: equal Dockerfile and base, equal name."""
    digest = hashlib.sha256(_dockerfile().read_bytes() + b"\0" + base.encode()).hexdigest()
    return f"{REPOSITORY}:{digest[:16]}"


def build(api: APIClient, base: str) -> None:
    """Build and tag the image; SandboxError holds the last lines of the build. Blocks, up to minutes."""
    last: list[str] = []
    with tempfile.TemporaryDirectory(prefix="microloop-build-") as context:
        Path(context, "Dockerfile").write_bytes(_dockerfile().read_bytes())
        for event in api.build(
            path=context, tag=built_tag(base), buildargs={"BASE": base}, rm=True, decode=True
        ):
            text = str(event.get("stream") or event.get("error") or "").strip()
            if text:
                last = [*last[-4:], text]
            if "error" in event:
                raise SandboxError(
                    f"the sandbox image could not be built on {base}: {' / '.join(last)}",
                    hint=f"name an image with --image, or a local base in {BASE_VARIABLE}",
                )


def _dockerfile() -> Path:
    return resources.sandboxes_dir() / "docker" / "Dockerfile"
