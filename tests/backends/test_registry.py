"""Backends by name, and which one `auto` means."""

from __future__ import annotations

import subprocess
import sys

import pytest

from microloop_cli.backends.registry import BACKENDS, choose, get_backend
from microloop_cli.errors import UsageError


@pytest.mark.parametrize("name", list(BACKENDS))
def test_every_backend_answers_to_its_name(name: str) -> None:
    assert get_backend(name).name == name


def test_auto_takes_docker_for_an_image_and_bubblewrap_otherwise() -> None:
    assert choose("auto", None) == "bwrap"
    assert choose("auto", "debian:12") == "docker"
    assert choose("docker", None) == "docker"
    assert choose("none", None) == "none"


def test_an_unknown_backend_is_an_error_that_knows_the_nearest_name() -> None:
    with pytest.raises(UsageError, match="'dokcer'") as caught:
        choose("dokcer", None)
    assert "did you mean docker?" in caught.value.hint


@pytest.mark.parametrize("name", ["bwrap", "none"])
def test_an_image_for_a_backend_without_images_is_an_error(name: str) -> None:
    with pytest.raises(UsageError, match="has no images"):
        choose(name, "debian:12")


def test_bubblewrap_does_not_load_dockers_library() -> None:
    code = (
        "import sys; from microloop_cli.backends.registry import get_backend; get_backend('bwrap');"
        "get_backend('none'); sys.exit('docker' in sys.modules or 'requests' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
