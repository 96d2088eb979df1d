"""Starting fast: what a command line does not need is not loaded."""

from __future__ import annotations

import subprocess
import sys

import pytest

from microloop_cli import __version__
from microloop_cli.cli.commands import COMMANDS
from tests.cli.calling import microloop

HEAVY = ("rich", "docker", "psutil", "watchdog", "yaml", "asyncio", "microloop_cli.view.terminal")


def loaded_by(*arguments: str) -> set[str]:
    """The modules that are loaded after this command line was performed."""
    program = (
        "import sys; from microloop_cli.cli.main import main; code = main(sys.argv[1:]);"
        "sys.stderr.write('LOADED ' + ' '.join(sys.modules)); sys.exit(code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return set(done.stderr.partition("LOADED ")[2].split())


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["run", "--help"]], ids=" ".join)
def test_nothing_heavy_is_loaded_for(arguments: list[str]) -> None:
    loaded = loaded_by(*arguments)
    assert not loaded & set(HEAVY)


def test_listing_the_commands_loads_none_of_them() -> None:
    assert not loaded_by("--help") & {module for module, _ in COMMANDS.values()}


def test_the_help_names_every_command() -> None:
    done = microloop("--help")
    assert done.returncode == 0
    assert all(f"  {name} " in done.stdout for name in COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself_without_colour(name: str) -> None:
    done = microloop(name, "--help")
    assert done.returncode == 0, done.stderr
    assert f"Usage: microloop {name}" in done.stdout
    assert "\x1b" not in done.stdout


def test_the_version_is_printed() -> None:
    done = microloop("--version")
    assert (done.returncode, done.stdout) == (0, f"microloop {__version__}\n")
