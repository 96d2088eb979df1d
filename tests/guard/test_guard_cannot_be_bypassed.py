"""However a program is started, its exec is seen first and can be refused: it then never runs."""

from __future__ import annotations

import platform
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from microloop_cli.guard import wire

from .conftest import Helper, Need, Run
from .harness import Decider, Launcher, Session

X86 = pytest.mark.skipif(platform.machine() != "x86_64", reason="only x86-64 has these system calls")
REFUSED = "microloop: refused"


class Trap:
    """A marker file that a refused program would make; every exec that names it is refused."""

    def __init__(self, launcher: Launcher, run: Run) -> None:
        self._launcher, self._run = launcher, run
        self.mark = launcher.writable / "mark"
        self.decide = Decider(deny=lambda e: str(self.mark) in e.argv, message=REFUSED)

    def run(self, *command: str) -> Session:
        return self._run(self._launcher, *command, decide=self.decide)

    def python(self, code: str) -> Session:
        return self.run(sys.executable, "-c", f"MARK = {str(self.mark)!r}\n{code}")

    def held(self, session: Session, exe: str | None = None) -> None:
        """It was seen, refused, and did not run."""
        seen = [e for e in session.all(wire.Exec) if str(self.mark) in e.argv]
        assert seen, [e.argv for e in session.all(wire.Exec)]
        assert all(e.verified for e in seen)
        assert exe is None or any(Path(e.exe).name == exe for e in seen), seen
        assert not self.mark.exists()


@pytest.fixture
def trap(launcher: Launcher, run: Run) -> Trap:
    return Trap(launcher, run)


def test_the_trap_itself_works(launcher: Launcher, run: Run) -> None:
    mark = launcher.writable / "mark"
    run(launcher, "/bin/sh", "-c", f"touch {mark}; true")
    assert mark.exists()


def test_by_absolute_path(trap: Trap) -> None:
    session = trap.run("/bin/sh", "-c", f"/usr/bin/touch {trap.mark}; echo $?")
    trap.held(session, "touch")
    assert session.out == b"126\n"


def test_by_relative_path_and_symbolic_link(trap: Trap) -> None:
    session = trap.run("/bin/sh", "-c", f"ln -s /usr/bin/touch harmless; ./harmless {trap.mark}; echo $?")
    trap.held(session, "touch")


def test_copied_and_renamed(trap: Trap) -> None:
    session = trap.run("/bin/sh", "-c", f"cp /usr/bin/touch harmless; ./harmless {trap.mark}; echo $?")
    trap.held(session, "harmless")


def test_under_another_argv0_it_is_known_by_its_file(launcher: Launcher, run: Run) -> None:
    mark = launcher.writable / "mark"
    decide = Decider(deny=lambda e: Path(e.exe).name == "touch")
    code = f"import os; os.execv('/usr/bin/touch', ['innocent', {str(mark)!r}])"
    run(launcher, "/bin/sh", "-c", f'{sys.executable} -c "{code}"; true', decide=decide, config=ASK_ALL)
    assert not mark.exists()


ASK_ALL = wire.Config(nested_local=False)


def test_as_a_static_program(trap: Trap, helper: Helper, launcher: Launcher) -> None:
    program = launcher.writable / "static"
    shutil.copy(helper("touch", "-static"), program)
    session = trap.run("/bin/sh", "-c", f"{program} {trap.mark}; echo $?")
    trap.held(session, "static")
    assert session.out == b"126\n"


def test_with_an_empty_environment(trap: Trap) -> None:
    session = trap.run("/bin/sh", "-c", f"env -i /usr/bin/touch {trap.mark}; echo $?")
    trap.held(session)
    assert session.out == b"126\n"


def test_by_the_dynamic_loader(trap: Trap) -> None:
    loader = next(path for path in Path("/lib64").glob("ld-linux-*.so*")) if X86_HOST else _loader()
    session = trap.run("/bin/sh", "-c", f"{loader} /usr/bin/touch {trap.mark}; echo $?")
    trap.held(session)
    assert session.out == b"126\n"


X86_HOST = platform.machine() == "x86_64"


def _loader() -> Path:
    return next(Path("/lib").glob("ld-linux-*.so*"))


def test_from_memory_without_a_path(trap: Trap, helper: Helper) -> None:
    memfd = helper("memfd")
    decide = Decider(deny=lambda e: e.argv[:1] == ("/usr/bin/touch",), message=REFUSED)
    trap.decide = decide
    session = _asking_all(trap, f"{memfd} /usr/bin/touch {trap.mark}; echo $?")
    assert session.out == b"126\n"
    trap.held(session)
    seen = [e for e in session.all(wire.Exec) if e.argv[:1] == ("/usr/bin/touch",)]
    assert "memfd:nothing-to-see" in seen[0].exe


def test_by_a_scripts_first_line(trap: Trap) -> None:
    script = trap.mark.with_name("script")
    script.write_text("#!/usr/bin/touch\n")
    script.chmod(0o755)
    session = trap.run("/bin/sh", "-c", f"./script {trap.mark}; echo $?")
    trap.held(session, "touch")
    (seen,) = (e for e in session.all(wire.Exec) if str(trap.mark) in e.argv)
    assert seen.argv == ("/usr/bin/touch", "./script", str(trap.mark))
    assert session.out == b"126\n"


def test_by_pythons_execve(trap: Trap) -> None:
    session = trap.python("import os\nos.execve('/usr/bin/touch', ['touch', MARK], {})")
    trap.held(session, "touch")
    assert session.process.returncode == 126


def test_by_pythons_execve_from_a_thread(trap: Trap) -> None:
    code = """
import os, threading
threading.Thread(target=lambda: os.execve("/usr/bin/touch", ["touch", MARK], {})).start()
threading.Event().wait(10)
"""
    session = trap.python(code)
    trap.held(session, "touch")
    assert session.process.returncode == 126


def test_by_pythons_posix_spawn_and_fork(trap: Trap) -> None:
    code = """
import os
pid = os.posix_spawn("/usr/bin/touch", ["touch", MARK], {})
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
pid = os.fork()
if pid == 0:
    os.execv("/usr/bin/touch", ["touch", MARK])
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"""
    session = trap.python(code)
    trap.held(session)
    assert session.out == b"126\n126\n"


def test_by_an_open_file(trap: Trap) -> None:
    code = "import os\nos.execve(os.open('/usr/bin/touch', os.O_RDONLY), ['touch', MARK], {})"
    session = trap.python(code)
    trap.held(session, "touch")


def test_by_node(trap: Trap, need: Need) -> None:
    code = f"""
const {{ spawn, spawnSync, execFileSync }} = require('child_process');
console.log(spawnSync('/usr/bin/touch', ['{trap.mark}']).status);
try {{ execFileSync('/usr/bin/touch', ['{trap.mark}'], {{stdio: 'ignore'}}); }} catch (e) {{ console.log(e.status); }}
spawn('/usr/bin/touch', ['{trap.mark}'], {{detached: true}}).on('exit', code => console.log(code));
"""
    session = trap.run(need("node"), "-e", code)
    trap.held(session)
    assert session.out == b"126\n126\n126\n"


def test_by_busybox(trap: Trap, need: Need) -> None:
    busybox = need("busybox")
    session = trap.run("/bin/sh", "-c", f"{busybox} touch {trap.mark}; echo $?; ln -s {busybox} t; true")
    trap.held(session)
    assert session.out == b"126\n"


def test_an_applet_of_a_busybox_shell_is_an_exec_like_any(launcher: Launcher, run: Run, need: Need) -> None:
    mark = launcher.writable / "mark"
    decide = Decider(deny=lambda e: str(mark) in e.argv)
    script = f"'exec -a x true; /usr/bin/touch {mark}; busybox touch {mark}; true'"
    session = run(
        launcher, "/bin/sh", "-c", f"{need('busybox')} sh -c {script}; true", decide=decide, config=ASK_ALL
    )
    assert not mark.exists(), [e.argv for e in session.all(wire.Exec)]


def test_a_program_that_may_only_be_executed_not_read(trap: Trap, helper: Helper, launcher: Launcher) -> None:
    program = launcher.writable / "unreadable"
    shutil.copy(helper("touch"), program)
    program.chmod(0o111)
    session = trap.run("/bin/sh", "-c", f"{program} {trap.mark}; echo $?")
    assert not trap.mark.exists()
    assert session.out == b"126\n"
    assert any(Path(e.exe).name == "unreadable" for e in session.all(wire.Exec))


def test_an_unreadable_program_that_is_allowed_runs(launcher: Launcher, run: Run, helper: Helper) -> None:
    program = launcher.writable / "unreadable"
    shutil.copy(helper("touch"), program)
    program.chmod(0o111)
    session = run(launcher, "/bin/sh", "-c", f"{program} {launcher.writable}/mark; true")
    assert session.out == b"touched\n", session.err


def test_below_nohup_setsid_timeout_xargs_and_find(trap: Trap) -> None:
    script = f"""
nohup /usr/bin/touch {trap.mark}; setsid -w touch {trap.mark}; timeout 5 touch {trap.mark}
echo {trap.mark} | xargs touch; find /etc/hostname -exec touch {trap.mark} ';'
(setsid touch {trap.mark} &) ; nice touch {trap.mark}; sleep 0.3
"""
    trap.held(_asking_all(trap, script))


def test_below_a_step_that_daemonizes(trap: Trap) -> None:
    code = f"import os; os.fork() and os._exit(0); os.setsid(); os.fork() and os._exit(0); os.execlp('touch', 'touch', '{trap.mark}')"
    trap.held(_asking_all(trap, f'{sys.executable} -c "{code}"; sleep 0.5'))


def _asking_all(trap: Trap, script: str) -> Session:
    return trap._run(trap._launcher, "/bin/sh", "-c", script, decide=trap.decide, config=ASK_ALL)


@X86
def test_the_32_bit_gate_kills(trap: Trap, helper: Helper) -> None:
    program = helper("int80")
    trap.decide = Decider()  # nothing is refused: the gate itself must be shut
    session = trap.run("/bin/sh", "-c", f"{program} /usr/bin/touch {trap.mark}; echo $?")
    assert session.out == b"159\n"  # 128 + SIGSYS
    assert not trap.mark.exists()
    assert session.all(wire.StepEnd)[0].signal == 31


@X86
@pytest.mark.parametrize("number", ["520", "545"])
def test_the_x32_calls_kill(trap: Trap, helper: Helper, number: str) -> None:
    program = helper("x32")
    trap.decide = Decider()  # nothing is refused: the gate itself must be shut
    session = trap.run("/bin/sh", "-c", f"{program} {number} /usr/bin/touch {trap.mark}; echo $?")
    assert session.out == b"159\n"
    assert not trap.mark.exists()


@pytest.mark.parametrize(("first", "tries"), [("good", 1000), ("hood", 1000)])
@pytest.mark.slow
def test_an_argument_swapped_by_a_second_thread_never_wins(
    launcher: Launcher, run: Run, helper: Helper, first: str, tries: int
) -> None:
    """Only `first` is allowed; what ran is told by the files it left."""
    room = launcher.writable / "room"
    room.mkdir()
    decide = Decider(deny=lambda e: e.argv[0].endswith("/touch") and f"/{first}-" not in e.argv[-1])
    program = launcher.writable / "touch"
    shutil.copy(helper("touch", "-static"), program)
    session = run(
        launcher, str(helper("swap")), str(tries), str(program), str(room), decide=decide, stderr=subprocess.DEVNULL
    )  # fmt: skip
    assert session.process.returncode == 0, session.out
    left = [path.name for path in room.iterdir()]
    assert [name for name in left if not name.startswith(first)] == []
    told = session.out.decode().splitlines()[-1]
    ran, refused = int(told.split()[0]), int(told.split()[2])
    assert ran + refused == tries
    assert ran == len(left) > 20
    assert refused > 20
