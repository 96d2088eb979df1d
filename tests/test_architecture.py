"""The house rules of ARCHITECTURE.md, held by a test: layers, purity, no cycles, small files."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "microloop_cli"
MODULES = sorted(PACKAGE.rglob("*.py"))

# Low to high: a room may import from rooms before it. `testing` stands apart: product fakes that no room imports.
LAYERS = [
    "errors", "resources", "core", "policy", "bundle", "workspace", "guard", "gateway", "backends", "run", "view", "cli",
    "testing",
]  # fmt: skip
NOT_EACH_OTHER = [("run", "view"), ("view", "run")]
NEVER_IMPORTED = {"testing"}

IMPURE = {
    "asyncio", "ctypes", "datetime", "docker", "fcntl", "glob", "io", "multiprocessing", "os", "pathlib",
    "psutil", "pty", "random", "secrets", "selectors", "shutil", "signal", "socket", "subprocess", "sys",
    "tempfile", "termios", "threading", "time", "uuid", "watchdog",
}  # fmt: skip
PURE_ROOMS = {
    "core": set(),
    "view": set(),
}  # type: dict[str, set[str]]
PURE_FILES = {
    "guard/wire.py",
    "guard/payloads.py",
    "guard/messages.py",
    "guard/facts.py",
    "bundle/harmless.py",
    *(str(path.relative_to(PACKAGE)) for path in (PACKAGE / "gateway" / "wire").rglob("*.py")),
    *(
        f"gateway/{name}.py"
        for name in (
            "model",
            "cost",
            "decoding",
            "listener",
            "outer_proxy",
            "placeholders",
            "reserve",
            "running",
            "spending",
            "tool_talk",
            "upstream",
        )
    ),
    *(
        f"gateway/egress/{name}.py"
        for name in ("hosts", "addresses", "rules", "head", "target", "headers", "answers")
    ),
    *(f"gateway/recording/{name}.py" for name in ("conversation", "tape")),
    "policy/launching.py",
    "bundle/redaction.py",
    "bundle/redaction_assignments.py",
    "bundle/redaction_kinds.py",
    "bundle/redaction_outputs.py",
    "bundle/redaction_values.py",
}
CLOCK_FILES = {"run/clock.py"}
CLOCK_CALLS = {
    ("time", "time"), ("time", "monotonic"), ("time", "perf_counter"), ("time", "time_ns"),
    ("datetime", "now"), ("datetime", "utcnow"), ("datetime", "today"),
}  # fmt: skip
# The supervisor's own starts go through asyncio; these are the few that run a program to its end.
SUBPROCESS_FILES = {"gateway/keys.py", "guard/build.py", "workspace/patch.py"}
MAX_LINES = 300


def name_of(path: Path) -> str:
    return str(path.relative_to(PACKAGE))


def room_of(path: Path) -> str:
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return parts[0]


def imports_of(path: Path) -> list[str]:
    """Every module name imported anywhere in the file, inside functions as well."""
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            module = node.module or ""
            found += (
                [f"{module}.{alias.name}" for alias in node.names]
                if module.startswith("microloop_cli")
                else [module]
            )
    return found


def own_imports(path: Path) -> list[str]:
    return [name.split(".")[1] for name in imports_of(path) if name.startswith("microloop_cli.")]


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_imports_run_one_way(path: Path) -> None:
    room = room_of(path)
    if room == "__init__":
        return
    assert room in LAYERS, f"{room} is not a room of ARCHITECTURE.md"
    for other in own_imports(path):
        if other == "__version__" or other == room:
            continue
        assert other not in NEVER_IMPORTED, f"{name_of(path)} imports the test room {other}"
        assert LAYERS.index(other) < LAYERS.index(room), f"{name_of(path)} imports {other}, which is above it"
        assert (room, other) not in NOT_EACH_OTHER


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_pure_rooms_reach_for_nothing_outside(path: Path) -> None:
    if room_of(path) not in PURE_ROOMS and name_of(path) not in PURE_FILES:
        return
    reached = {name.split(".")[0] for name in imports_of(path)} & IMPURE
    assert not reached, f"{name_of(path)} is pure but imports {sorted(reached)}"
    calls = {node.func.id for node in ast.walk(ast.parse(path.read_text()))
             if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}  # fmt: skip
    assert not calls & {"open", "print", "input", "eval", "exec"}


def test_there_is_no_import_cycle() -> None:
    graph = {module_name(path): modules_imported(path) for path in MODULES}
    done: set[str] = set()

    def visit(name: str, trail: tuple[str, ...]) -> None:
        assert name not in trail, f"import cycle: {' -> '.join((*trail, name))}"
        if name in done or name not in graph:
            return
        for other in graph[name]:
            if other != name:
                visit(other, (*trail, name))
        done.add(name)

    for name in graph:
        visit(name, ())


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def modules_imported(path: Path) -> set[str]:
    """Own modules a file imports; `from package import name` counts for the module when name is one."""
    known = {module_name(other) for other in MODULES}
    found = set()
    for name in imports_of(path):
        while name and name not in known:
            name = name.rpartition(".")[0]
        if name and name != "microloop_cli":
            found.add(name)
    return found


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_only_the_clock_reads_the_clock(path: Path) -> None:
    if name_of(path) in CLOCK_FILES:
        return
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            owner = node.func.value
            last = owner.attr if isinstance(owner, ast.Attribute) else getattr(owner, "id", "")
            assert (last, node.func.attr) not in CLOCK_CALLS, f"{name_of(path)}:{node.lineno} reads the clock"


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_programs_are_started_in_few_files(path: Path) -> None:
    starts = any(name.split(".")[0] == "subprocess" for name in imports_of(path))
    assert not starts or name_of(path) in SUBPROCESS_FILES, f"{name_of(path)} imports subprocess"


def python_and_c_files() -> list[Path]:
    folders = [PACKAGE, ROOT / "tests", ROOT / "scripts", ROOT / "sandboxes"]
    files = [path for folder in folders for path in folder.rglob("*") if path.suffix in {".py", ".c", ".h"}]
    return [path for path in files if "build" not in path.parts]


def test_every_file_is_under_300_lines() -> None:
    long = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in python_and_c_files()}
    assert {name: lines for name, lines in long.items() if lines >= MAX_LINES} == {}


def is_broad(handler: ast.ExceptHandler) -> bool:
    """Catches everything and does not raise it again: clean-up that ends in a bare `raise` swallows nothing."""
    names = (
        {node.id for node in ast.walk(handler.type) if isinstance(node, ast.Name)} if handler.type else set()
    )
    last = handler.body[-1]
    reraises = isinstance(last, ast.Raise) and last.exc is None
    return not reraises and (handler.type is None or bool(names & {"Exception", "BaseException"}))


def test_there_is_one_broad_except() -> None:
    broad = [
        f"{name_of(path)}:{node.lineno}"
        for path in MODULES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ExceptHandler) and is_broad(node)
    ]
    assert [place.partition(":")[0] for place in broad] == ["cli/boundary.py"], broad
