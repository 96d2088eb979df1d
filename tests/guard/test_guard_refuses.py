"""A refused program does not run; its parent sees exit 126 and the reason, whatever its stdio is."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

from microloop_cli.guard import wire

from .conftest import Need, Run, Start
from .harness import Decider, Launcher, Session

MESSAGE = "microloop: refused: this was run three times\nwith the same output"


def refuses(word: str) -> Decider:
    return Decider(deny=lambda e: word in e.argv, message=MESSAGE)


def test_a_shell_sees_126_and_the_reason(launcher: Launcher, run: Run) -> None:
    script = "echo before; /bin/echo forbidden; echo code $?; /bin/echo after"
    session = run(launcher, "/bin/sh", "-c", script, decide=refuses("forbidden"))
    assert session.out == b"before\ncode 126\nafter\n"
    assert session.err == MESSAGE.encode()
    assert session.process.returncode == 0


def test_a_python_agent_sees_126_and_the_reason_on_the_programs_stderr(launcher: Launcher, run: Run) -> None:
    code = """
import subprocess
done = subprocess.run(["/bin/echo", "forbidden"], capture_output=True)
assert done.returncode == 126 and done.stdout == b"", done
print(done.stderr.decode(), end="")
"""
    session = run(launcher, sys.executable, "-c", code, decide=refuses("forbidden"))
    assert (session.out.decode(), session.err) == (MESSAGE, b"")


def test_a_node_agent_sees_126_and_the_reason_over_its_sockets(
    launcher: Launcher, run: Run, need: Need
) -> None:
    code = """
const { spawnSync, spawn } = require('child_process');
const done = spawnSync('/bin/echo', ['forbidden']);
console.log(done.status, done.error || '', done.stdout.length, done.stderr.toString());
const child = spawn('/bin/echo', ['forbidden']);
let said = '';
child.stderr.on('data', data => said += data);
child.on('close', (code, signal) => console.log(code, signal, said));
"""
    session = run(launcher, need("node"), "-e", code, decide=refuses("forbidden"))
    assert session.out.decode() == f"126  0 {MESSAGE}\n126 null {MESSAGE}\n"


@pytest.mark.parametrize("redirect", ["2>/dev/null", "2>&-", "2>/dev/full", ">&- 2>&-", "2</dev/null"])
def test_a_refused_program_does_not_run_where_its_stderr_leads_nowhere(
    launcher: Launcher, run: Run, redirect: str
) -> None:
    mark = launcher.writable / "mark"
    script = f"touch {mark} {redirect}; echo $?"
    decide = Decider(deny=lambda e: str(mark) in e.argv, message="no\n")
    session = run(launcher, "/bin/sh", "-c", script, decide=decide)
    assert not mark.exists()
    assert session.out in (b"126\n", b"no\n126\n")  # where stderr takes nothing, stdout may carry the reason


def test_a_refusal_reaches_a_file_behind_what_stands_there(launcher: Launcher, run: Run) -> None:
    said = launcher.writable / "said"
    script = f"exec 2>{said}; echo first >&2; /bin/echo forbidden; echo last >&2"
    run(launcher, "/bin/sh", "-c", script, decide=refuses("forbidden"))
    assert said.read_text() == f"first\n{MESSAGE}last\n"


def test_a_refused_program_with_a_full_pipe_for_stderr_holds_up_nobody_else(
    launcher: Launcher, run: Run
) -> None:
    code = """
import fcntl, os, subprocess, time
r, w = os.pipe()
fcntl.fcntl(w, fcntl.F_SETFL, os.O_NONBLOCK)
try:
    while True:
        os.write(w, b"x" * 4096)
except BlockingIOError:
    fcntl.fcntl(w, fcntl.F_SETFL, 0)
stuck = subprocess.Popen(["/bin/echo", "forbidden"], stderr=w)
begun = time.monotonic()
for _ in range(5):
    assert subprocess.run(["/bin/true"]).returncode == 0
assert time.monotonic() - begun < 2
stuck.kill()
assert stuck.wait() in (-9, 126)
"""
    session = run(launcher, sys.executable, "-c", code, decide=refuses("forbidden"))
    assert session.process.returncode == 0, session.err


def test_the_agent_itself_can_be_refused(launcher: Launcher, run: Run) -> None:
    mark = launcher.writable / "mark"
    session = run(launcher, "/usr/bin/touch", str(mark), decide=Decider(deny=lambda _e: True, message="no\n"))
    assert session.process.returncode == 126
    assert session.err == b"no\n"
    assert not mark.exists()


def test_nested_programs_are_asked_for_and_refused_when_the_guard_may_not_allow_them_itself(
    launcher: Launcher, run: Run
) -> None:
    config = wire.Config(nested_local=False)
    script = "sh -c '/bin/echo forbidden; echo $?; /bin/echo fine'; true"
    session = run(launcher, "/bin/sh", "-c", script, decide=refuses("forbidden"), config=config)
    assert session.out == b"126\nfine\n"
    nested = [e for e in session.all(wire.Exec) if e.lineage == "nested"]
    assert [(e.step, e.awaiting) for e in nested] == [(1, True), (1, True)]


def test_nested_programs_the_guard_let_pass_are_all_reported_in_order(launcher: Launcher, run: Run) -> None:
    script = "sh -c 'for i in 1 2 3 4 5 6 7 8 9; do /bin/echo $i; done'; /bin/echo last"
    session = run(launcher, "/bin/sh", "-c", script)
    execs = session.all(wire.Exec)
    assert [e.exec_id for e in execs] == list(range(1, 13))
    nested = [e for e in execs if e.lineage == "nested"]
    assert [e.argv[1] for e in nested] == list("123456789")
    assert {(e.step, e.awaiting, e.parent_exec) for e in nested} == {(1, False, 2)}
    assert execs[-1].argv == ("/bin/echo", "last")
    assert isinstance(session.messages[-1], wire.AgentExit)


def test_a_verdict_that_does_not_come_is_a_refusal_with_a_message(launcher: Launcher, run: Run) -> None:
    config = wire.Config(verdict_timeout_ms=300)
    script = "/bin/echo forgotten; echo $?; /bin/echo answered"
    decide = Decider(silent=lambda e: "forgotten" in e.argv)
    session = run(launcher, "/bin/sh", "-c", script, decide=decide, config=config)
    assert session.out == b"126\nanswered\n"
    assert session.err.strip() != b""


def test_a_slow_verdict_does_not_freeze_the_agent(launcher: Launcher, run: Run) -> None:
    def slowly(e: wire.Exec) -> wire.ExecVerdict | None:
        if "slow" in e.argv:
            time.sleep(0.6)
        return usual(e)

    usual = Decider()
    code = """
import subprocess, time
begun = time.monotonic()
child = subprocess.Popen(["/bin/echo", "slow"], stdout=subprocess.PIPE)
started = time.monotonic() - begun
assert child.communicate()[0] == b"slow\\n"
print(started < 0.3, time.monotonic() - begun > 0.5)
"""
    session = run(launcher, sys.executable, "-c", code, decide=slowly)
    assert session.out == b"True True\n"


def test_a_program_killed_while_its_verdict_is_awaited_is_cancelled(launcher: Launcher, run: Run) -> None:
    code = """
import os, signal, subprocess, time
child = subprocess.Popen(["/bin/echo", "forgotten"])
time.sleep(0.2)
child.kill()
assert child.wait() == -signal.SIGKILL
assert subprocess.run(["/bin/true"]).returncode == 0
"""
    decide = Decider(silent=lambda e: "forgotten" in e.argv)
    session = run(launcher, sys.executable, "-c", code, decide=decide)
    assert session.process.returncode == 0, session.err
    assert session.one(wire.Cancel).exec_id == session.exec_of("echo", "forgotten").exec_id


def test_verdicts_and_releases_for_nobody_are_ignored(launcher: Launcher) -> None:
    def twice(e: wire.Exec) -> wire.ExecVerdict | None:
        session.send(wire.ExecVerdict(exec_id=99_999, allow=False, kind="step", step=9))
        session.send(wire.Release(step=77, text="for nobody"))
        verdict = usual(e)
        assert verdict is not None
        session.send(verdict, wire.ExecVerdict(exec_id=e.exec_id, allow=False, kind="step", step=8))
        return None

    usual = Decider()
    session = Session(launcher, ["/bin/sh", "-c", "/bin/echo one; /bin/echo two; exit 5"], decide=twice)
    with session:
        assert session.wait() == 5
    assert session.out == b"one\ntwo\n"


def test_what_an_exec_says_is_what_ran(launcher: Launcher, run: Run) -> None:
    room = launcher.writable / "a room"
    room.mkdir()
    script = f"cd '{room}'; /bin/echo 'a b' '' é \"$(printf '\\377')\" </dev/null 2>&1; /bin/true"
    session = run(launcher, "/bin/sh", "-c", script)
    e = session.exec_of("echo")
    assert e.argv == ("/bin/echo", "a b", "", "é", "\\xff")
    assert e.argv_bytes == len(b"/bin/echo\0a b\0\0\xc3\xa9\0\xff\0")
    assert (e.exe, e.cwd) == ("/usr/bin/echo", str(room))
    assert (e.lineage, e.fds[0], e.fds[1]) == ("agent_child", "null", "pipe")
    assert (e.verified, e.awaiting, e.captured, e.argv_truncated) == (True, True, True, False)
    root = session.all(wire.Exec)[0]
    assert (root.lineage, root.parent_exec) == ("root", None)
    assert (e.parent_exec, e.ppid) == (root.exec_id, root.pid)


def test_a_huge_argv_is_reported_in_part_with_its_whole_size(launcher: Launcher, run: Run) -> None:
    code = "import subprocess; subprocess.run(['/bin/true', *['x' * 1000] * 100])"
    session = run(launcher, sys.executable, "-c", code)
    e = session.exec_of("true")
    assert e.argv_truncated
    assert e.argv_bytes == len("/bin/true") + 1 + 100 * 1001
    assert 32_000 < sum(len(word) + 1 for word in e.argv) <= 32_768 + 1


def test_a_program_that_is_not_there_is_not_found_at_once_and_not_reported(
    launcher: Launcher, run: Run
) -> None:
    code = """
import subprocess
try:
    subprocess.run(["no-such-program"])
except FileNotFoundError:
    print("not found")
"""
    session = run(launcher, sys.executable, "-c", code)
    assert session.out == b"not found\n"
    assert len(session.all(wire.Exec)) == 1


def test_programs_that_fail_to_execute_leave_the_agent_as_it_was(launcher: Launcher, run: Run) -> None:
    text = launcher.writable / "text"
    text.write_text("no program")
    text.chmod(0o755)
    code = f"""
import os, signal, subprocess, sys
for n in range(3):
    for path in ({str(text)!r}, {str(launcher.writable)!r}):
        try:
            os.execv(path, ["x"])
        except OSError as error:
            print(error.errno, end=" ")
got = []
signal.signal(signal.SIGUSR1, lambda *_: got.append(1))
os.kill(os.getpid(), signal.SIGUSR1)
print(got, subprocess.run(["/bin/echo", "fine"], stdout=subprocess.PIPE).stdout)
"""
    session = run(launcher, sys.executable, "-c", code)
    assert session.out == b"8 13 8 13 8 13 [1] b'fine\\n'\n"


def test_an_agent_without_a_supervisor_never_starts(launcher: Launcher, start: Start) -> None:
    mark = launcher.writable / "mark"
    session = start(launcher, "/usr/bin/touch", str(mark), config=None)
    session.until(lambda: session.messages)
    session.hang_up()
    assert session.process.wait(10) == 125
    assert not mark.exists()


def test_without_a_channel_the_agent_never_starts(launcher: Launcher) -> None:
    mark = launcher.writable / "mark"
    nowhere = launcher.writable / "no.sock"
    argv = [str(launcher.guard), "--channel", str(nowhere), "--", "/usr/bin/touch", str(mark)]
    done = subprocess.run(argv, env={"MICROLOOP_NONCE": "x"}, capture_output=True, timeout=20)
    assert done.returncode == 125
    assert not mark.exists()
