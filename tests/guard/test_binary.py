"""The guard binary is found where it was shipped, built where only sources are, or its absence is explained."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

from microloop_cli import resources
from microloop_cli.errors import HostError
from microloop_cli.guard import binary, build

from .conftest import Need

CHECKOUT = Path(__file__).resolve().parents[2]
SOURCE = CHECKOUT / "sandboxes" / "guard"
TINY = "int main(void) { return 0; }\n"


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout of its own with a guard of one line, and a cache of its own."""
    package = tmp_path / "checkout" / "microloop_cli"
    source = package.parent / "sandboxes" / "guard"
    source.mkdir(parents=True)
    package.mkdir()
    (source / "main.c").write_text(TINY)
    monkeypatch.setattr(resources, "_PACKAGE", package)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("MICROLOOP_GUARD", raising=False)
    return source


def program(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


def no_compiler(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir(exist_ok=True)
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))


def test_the_environment_names_the_guard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = program(tmp_path / "mine")
    monkeypatch.setenv("MICROLOOP_GUARD", str(mine))
    assert binary.find_guard() == mine
    mine.chmod(0o644)
    with pytest.raises(HostError, match=r"MICROLOOP_GUARD names .* no executable file"):
        binary.find_guard()


def test_a_guard_newer_than_its_sources_is_used_without_a_compiler(
    checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    built = program(checkout / "build" / f"guard-{build.machine()}")
    no_compiler(monkeypatch, tmp_path)
    assert binary.find_guard() == built


def test_a_guard_older_than_its_sources_is_built_anew_once(checkout: Path, tmp_path: Path) -> None:
    built = program(checkout / "build" / f"guard-{build.machine()}")
    os.utime(built, (1, 1))
    found = binary.find_guard()
    assert found.parent == tmp_path / "cache" / "microloop"
    assert subprocess.run([found], check=False).returncode == 0
    assert stat.S_IMODE(found.stat().st_mode) == 0o755
    assert list(found.parent.iterdir()) == [found]
    before = found.stat().st_mtime_ns
    assert binary.find_guard() == found
    assert found.stat().st_mtime_ns == before


def test_changed_sources_are_another_guard(checkout: Path) -> None:
    first = binary.find_guard()
    (checkout / "main.c").write_text(TINY.replace("0", "3"))
    second = binary.find_guard()
    assert first != second
    assert subprocess.run([second], check=False).returncode == 3


def test_a_cached_guard_that_others_could_write_is_not_trusted(checkout: Path) -> None:
    found = binary.find_guard()
    found.write_text("#!/bin/sh\nexit 66\n")
    found.chmod(0o777)
    again = binary.find_guard()
    assert again == found
    assert subprocess.run([again], check=False).returncode == 0


def test_without_a_guard_and_a_compiler_the_error_says_what_to_install(
    checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    no_compiler(monkeypatch, tmp_path)
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    with pytest.raises(HostError, match="no C compiler") as error:
        binary.find_guard()
    assert "apt install musl-tools" in error.value.hint
    assert "pip install ziglang" in error.value.hint
    assert error.value.exit_code == 125


def test_sources_no_compiler_can_build_are_an_error_with_what_it_said(checkout: Path, tmp_path: Path) -> None:
    (checkout / "main.c").write_text("int main(void) { return nothing; }\n")
    with pytest.raises(HostError, match=r"could not be built.*nothing"):
        binary.find_guard()
    assert list((tmp_path / "cache" / "microloop").iterdir()) == []


def test_compilers_are_tried_one_after_the_other(
    checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tools = tmp_path / "tools"
    broken = program(tools / "musl-gcc")
    broken.write_text("#!/bin/sh\necho 'error: broken' >&2; exit 1\n")
    monkeypatch.setenv("PATH", f"{tools}{os.pathsep}{os.environ['PATH']}")
    assert subprocess.run([binary.find_guard()], check=False).returncode == 0


def test_an_unknown_architecture_is_said_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MICROLOOP_GUARD", raising=False)
    with pytest.raises(HostError, match="no guard for sparc"):
        binary.find_guard("sparc")


def test_an_installation_without_its_data_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "_data").mkdir()
    monkeypatch.setattr(resources, "_PACKAGE", tmp_path)
    with pytest.raises(HostError, match="lacks its policies/"):
        resources.policies_dir()


@pytest.mark.slow
def test_the_real_sources_build_with_every_compiler_here(tmp_path: Path) -> None:
    tried = 0
    for argv in build.compilers_for(build.machine()):
        target = tmp_path / f"guard-{tried}"
        assert build._compile(argv, SOURCE, target) is None, argv
        done = subprocess.run([target], capture_output=True, check=False)
        assert (done.returncode, b"usage" in done.stderr) == (2, True)
        assert b"statically linked" in _file_of(target)
        tried += 1
    assert tried, build.INSTALL_HINT


def _file_of(path: Path) -> bytes:
    """`file`'s word for it, without `file`: no program interpreter is asked for."""
    return b"dynamic" if b"/ld-" in path.read_bytes()[:4096] else b"statically linked"


COPIED = ("LICENSE", "README.md", "pyproject.toml", "microloop_cli", "policies", "sandboxes", "scripts")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory, need: Need) -> Path:
    """The wheel, built from a copy of the checkout with a debug build and object files lying around."""
    room = tmp_path_factory.mktemp("wheel")
    for name in COPIED:
        here = CHECKOUT / name
        if here.is_dir():
            shutil.copytree(here, room / name, ignore=shutil.ignore_patterns("__pycache__", "build"))
            continue
        shutil.copy(here, room / name)
    litter = room / "sandboxes" / "guard" / "build" / "x86_64"
    litter.mkdir(parents=True)
    (litter / "main.o").write_text("object")
    argv = [
        sys.executable,
        "-m",
        "build",
        "--wheel",
        "--no-isolation",
        "--outdir",
        str(room / "dist"),
        str(room),
    ]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (made,) = (room / "dist").glob("*.whl")
    return made


@pytest.mark.slow
def test_the_wheel_holds_guards_sources_and_policies_and_no_litter(wheel: Path) -> None:
    inside = zipfile.ZipFile(wheel)
    names = set(inside.namelist())
    data = "microloop_cli/_data"
    assert {f"{data}/policies/default.yaml", f"{data}/sandboxes/guard/PROTOCOL.md"} <= names
    built = {name for name in names if "/guard/build/" in name}
    assert f"{data}/sandboxes/guard/build/guard-{build.machine()}" in built
    if shutil.which("aarch64-linux-gnu-gcc") or os.environ.get("CI"):
        assert built == {f"{data}/sandboxes/guard/build/guard-{arch}" for arch in build.ARCHES}
    for name in built:
        assert inside.getinfo(name).external_attr >> 16 & 0o111, name
        assert inside.read(name)[:4] == b"\x7fELF"
    machines = {inside.read(name)[18] for name in built}
    assert machines <= {62, 183}  # EM_X86_64, EM_AARCH64
    assert len(machines) == len(built)


@pytest.mark.slow
def test_an_installed_wheel_finds_its_guard_without_a_compiler(wheel: Path, tmp_path: Path) -> None:
    where = tmp_path / "venv"
    venv.create(where, with_pip=True)
    python = where / "bin" / "python"
    install = [str(python), "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", str(wheel)]
    subprocess.run(install, check=True, capture_output=True)
    code = "from microloop_cli.guard.binary import find_guard; print(find_guard())"
    env = {"PATH": str(tmp_path / "nothing"), "HOME": str(tmp_path / "home")}
    done = subprocess.run(
        [str(python), "-c", code], env=env, cwd=tmp_path, capture_output=True, text=True, check=True
    )
    guard = Path(done.stdout.strip())
    assert where in guard.parents
    assert subprocess.run([guard], capture_output=True, check=False).returncode == 2
    assert not (tmp_path / "home").exists()


@pytest.mark.slow
def test_a_wheel_without_any_guard_is_not_built(wheel: Path, tmp_path: Path) -> None:
    room = tmp_path / "room"
    shutil.copytree(wheel.parents[1], room, ignore=shutil.ignore_patterns("dist", "guard-*"))
    (tmp_path / "bin").mkdir()
    argv = [sys.executable, "-m", "build", "--wheel", "--no-isolation", str(room)]
    env = {**os.environ, "PATH": str(tmp_path / "bin")}
    done = subprocess.run(argv, env=env, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "a wheel without any guard is of no use" in done.stdout + done.stderr
    assert "apt install musl-tools" in done.stdout + done.stderr
