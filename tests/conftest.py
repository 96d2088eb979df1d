"""Fixtures every test may use: real sandboxes and daemons, asked for by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.needs import need_bwrap, need_docker, need_docker_image


@pytest.fixture
def bwrap() -> Path:
    """The path of a bubblewrap that can start a sandbox."""
    return need_bwrap()


@pytest.fixture
def docker_daemon() -> str:
    """The version of a Docker daemon that answers."""
    return need_docker()


@pytest.fixture
def test_image() -> str:
    """The name of the Docker image the tests run agents in."""
    return need_docker_image()
