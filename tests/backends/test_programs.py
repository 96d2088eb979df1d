"""The agent's program is found wherever it was installed, and nothing else of the home comes with it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from microloop_cli.backends.programs import ProgramNeeds, find_program, follow, needs_of, shebang
from microloop_cli.errors import CommandNotExecutable, CommandNotFound
from tests.backends import homes
from tests.backends.world import World

ROOTS = [Path(root) for root in ("/usr", "/bin", "/sbin", "/lib", "/lib64", "/etc", "/opt")]
INSTALLATIONS = [
    (homes.uv_tool, {".local/share/uv/tools/agent", f".local/share/uv/python/{homes.UV_PYTHON}"}),
    (homes.nvm, {".nvm/versions/node/v22.1.0"}),
    (homes.pyenv, {".pyenv"}),
    (homes.native, {".local/share/agent/versions/2.1.0"}),
    (homes.cargo, {".cargo/bin/agent"}),
    (homes.user_site, {".local/bin/agent", ".local/lib/python3.11"}),
    (homes.sdk, {"tools/sdk/bin", "tools/sdk/lib"}),
]  # fmt: skip
Install = Callable[[Path], Path]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "home" / "work" / "project").mkdir(parents=True)
    return homes.with_secrets(tmp_path / "home")


def needs(home: Path, program: Path, name: str = "agent") -> ProgramNeeds:
    project = home / "work" / "project"
    path = f"{program.parent}:/usr/bin:/bin"
    return needs_of(name, path=path, cwd=project, home=home, workspace=project, roots=ROOTS)


@pytest.mark.parametrize(
    ("install", "mounts"), INSTALLATIONS, ids=lambda value: getattr(value, "__name__", "")
)
def test_just_the_installation_is_mounted(home: Path, install: Install, mounts: set[str]) -> None:
    found = needs(home, install(home))
    assert {str(mount.relative_to(home)) for mount in found.mounts} == mounts


@pytest.mark.parametrize(
    "install", [install for install, _ in INSTALLATIONS], ids=lambda value: value.__name__
)
def test_the_directory_it_was_found_in_is_still_on_the_path(home: Path, install: Install) -> None:
    program = install(home)
    assert str(program.parent) in needs(home, program).path


@pytest.mark.parametrize(
    "install", [install for install, _ in INSTALLATIONS], ids=lambda value: value.__name__
)
def test_it_runs_in_the_sandbox_and_no_secret_is_there(
    bwrap: World, install: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = homes.with_secrets(bwrap.top / "home")
    program = install(home)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    done = bwrap.run(["agent"], env={"SEARCH": str(home)})
    assert (done.returncode, done.stdout) == (0, b"ran\n"), done.stderr


def test_a_link_to_an_installation_is_made_again_so_that_programs_find_themselves(home: Path) -> None:
    found = needs(home, homes.uv_tool(home))
    assert (home / ".local/bin/agent", str(home / ".local/share/uv/tools/agent/bin/agent")) in found.links
    assert home / ".local/share/uv/python/cpython-3.12-linux-x86_64-gnu" in dict(found.links)


def test_a_global_npm_package_with_a_node_from_elsewhere_needs_both(home: Path, tmp_path: Path) -> None:
    node = homes.script(tmp_path / "tools" / "node-22" / "bin" / "node")
    homes.write(tmp_path / "tools" / "node-22" / "include" / "node" / "node.h", "")
    program = homes.npm_prefix(home, node)
    project = home / "work" / "project"
    found = needs_of(
        "agent",
        path=f"{program.parent}:{node.parent}:/usr/bin",
        cwd=project,
        home=home,
        workspace=project,
        roots=ROOTS,
    )
    assert set(found.mounts) == {home / ".npm-global", tmp_path / "tools" / "node-22"}


def test_a_virtual_environment_in_the_workspace_brings_the_python_behind_it(home: Path) -> None:
    homes.uv_tool(home)
    base = home / f".local/share/uv/python/{homes.UV_PYTHON}"
    venv = home / "work" / "project" / ".venv"
    homes.write(venv / "pyvenv.cfg", f"home = {base}/bin\n")
    homes.link(venv / "bin" / "python", base / "bin" / "python3.12")
    homes.script(venv / "bin" / "tool", interpreter=str(venv / "bin" / "python"))
    assert needs(home, venv / "bin" / "tool", ".venv/bin/tool").mounts == (base,)


@pytest.mark.parametrize("where", ["", "work", "work/project"])
def test_a_home_or_what_holds_the_workspace_is_never_mounted(home: Path, where: str) -> None:
    prefix = home / where
    homes.write(prefix / "pyvenv.cfg", "home = /usr/bin\n")
    homes.write(prefix / "lib" / "python3.11" / "os.py", "")
    found = needs(home, homes.script(prefix / "bin" / "agent"))
    assert all(mount.is_relative_to(prefix / "bin") for mount in found.mounts)


def test_a_directory_that_many_programs_share_is_never_mounted(home: Path) -> None:
    homes.write(home / ".local" / "lib" / "node_modules" / "other" / "index.js", "")
    found = needs(home, homes.script(home / ".local" / "bin" / "agent"))
    assert found.mounts == (home / ".local" / "bin" / "agent",)


def test_the_tools_the_user_sees_are_there_too(home: Path) -> None:
    homes.pyenv(home)
    homes.script(home / ".pyenv" / "shims" / "python3", interpreter="/usr/bin/env bash")
    project = home / "work" / "project"
    path = f"{home}/.pyenv/shims:/usr/bin"
    found = needs_of("sh", path=path, cwd=project, home=home, workspace=project, roots=ROOTS)
    assert found.mounts == (home / ".pyenv",)
    assert found.variables == {"PYENV_ROOT": str(home / ".pyenv")}
    assert found.path[0] == f"{home}/.pyenv/shims"


def test_version_managers_are_told_where_they_are_because_home_is_another_one(home: Path) -> None:
    (home / ".asdf" / "installs").mkdir(parents=True)
    found = needs(home, homes.script(home / ".asdf" / "shims" / "agent"))
    assert found.mounts == (home / ".asdf",)
    assert found.variables == {"ASDF_DATA_DIR": str(home / ".asdf")}


def test_a_path_entry_that_is_not_there_inside_is_left_out(home: Path) -> None:
    program = homes.cargo(home)
    project = home / "work" / "project"
    path = f"{program.parent}:{home}/.config:relative::/usr/bin"
    found = needs_of("agent", path=path, cwd=project, home=home, workspace=project, roots=ROOTS)
    assert found.path[:2] == (str(program.parent), "/usr/bin")


def test_a_missing_command_is_said_with_a_hint(tmp_path: Path) -> None:
    with pytest.raises(CommandNotFound, match="no-such-agent: command not found") as caught:
        find_program("no-such-agent", ["/usr/bin"], tmp_path)
    assert "command -v" in caught.value.hint
    with pytest.raises(CommandNotFound, match="there is no such file"):
        find_program("./tool", ["/usr/bin"], tmp_path)


def test_a_command_that_cannot_be_executed_is_said_so(tmp_path: Path) -> None:
    homes.write(tmp_path / "tool", "text")
    with pytest.raises(CommandNotExecutable, match="permission denied") as caught:
        find_program("./tool", [], tmp_path)
    assert "chmod +x" in caught.value.hint
    with pytest.raises(CommandNotExecutable, match="is a directory"):
        find_program("./", [], tmp_path)


def test_the_first_match_on_the_path_wins_and_what_is_not_executable_is_passed_over(tmp_path: Path) -> None:
    homes.write(tmp_path / "a" / "tool", "text")
    (tmp_path / "b" / "tool").mkdir(parents=True)
    good = homes.script(tmp_path / "c" / "tool")
    path = [str(tmp_path / name) for name in "abcd"]
    assert find_program("tool", path, tmp_path) == good


def test_links_that_go_in_circles_end(tmp_path: Path) -> None:
    homes.link(tmp_path / "a", "b")
    homes.link(tmp_path / "b", "a")
    assert follow(tmp_path / "a")[0] is None


def test_shebang_lines_are_split_as_the_kernel_does(tmp_path: Path) -> None:
    assert shebang(homes.write(tmp_path / "a", "#! /usr/bin/env -S python3 -u\n")) == [
        "/usr/bin/env", "-S", "python3", "-u",
    ]  # fmt: skip
    assert shebang(homes.write(tmp_path / "b", "\x7fELF")) == []
    assert shebang(tmp_path / "missing") == []
