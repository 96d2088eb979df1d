"""What a step writes reaches its reader byte for byte, and the supervisor gets head, tail, size and hash."""

from __future__ import annotations

import hashlib
import subprocess
import sys

import pytest

from microloop_cli.guard import wire

from .conftest import Need, Run, Start
from .harness import Decider, Launcher, Session

CAPS = wire.Config(head_bytes=1000, tail_bytes=500)


def whole(session: Session, step: int = 1) -> tuple[bytes, bytes]:
    """All of a step's stdout and stderr, where it fits the caps; checked against size and hash."""
    streams = []
    for kept in (session.ended[step].stdout, session.ended[step].stderr):
        data = b"" if kept is None else kept.head + kept.tail
        if kept is not None:
            assert kept.fact.bytes == len(data)
            assert kept.fact.blake2b == hashlib.blake2b(data, digest_size=32).hexdigest()
        streams.append(data)
    return streams[0], streams[1]


def test_stdout_and_stderr_of_a_step_are_kept_apart(launcher: Launcher, run: Run) -> None:
    session = run(launcher, "/bin/sh", "-c", "sh -c 'echo out; echo err >&2; exit 7'; exit $?")
    assert (session.out, session.err, session.process.returncode) == (b"out\n", b"err\n", 7)
    assert whole(session) == (b"out\n", b"err\n")
    end = session.one(wire.StepEnd)
    assert (end.exit_code, end.merged, end.held) == (7, False, False)


def test_binary_output_is_exact(launcher: Launcher, run: Run) -> None:
    code = "import os; data = bytes(range(256)) * 400; os.write(1, data); os.write(2, data[::-1])"
    script = f"{sys.executable} -S -c '{code}'; true"
    session = run(launcher, "/bin/sh", "-c", script)
    data = bytes(range(256)) * 400
    assert session.out == data
    assert session.err == data[::-1]
    assert whole(session) == (data, data[::-1])


@pytest.mark.parametrize("size", [0, 1, 999, 1000, 1001, 1499, 1500, 1501, 70_000])
def test_head_and_tail_are_the_first_and_last_bytes(launcher: Launcher, run: Run, size: int) -> None:
    data = (b"%07d\n" * 10_000 % tuple(range(10_000)))[:size]
    code = f"import sys; sys.stdout.write(''.join('%07d\\n' % n for n in range(10_000))[:{size}])"
    session = run(
        launcher, sys.executable, "-c", f"import subprocess, sys\n{RUN_PYTHON.format(code=code)}", config=CAPS
    )
    assert session.out == data
    kept = session.ended[1].stdout
    assert kept is not None
    assert kept.fact.bytes == size
    assert kept.fact.blake2b == hashlib.blake2b(data, digest_size=32).hexdigest()
    assert kept.head == data[:1000]
    assert kept.tail == data[1000:][-500:]


RUN_PYTHON = "sys.exit(subprocess.run([sys.executable, '-S', '-c', {code!r}]).returncode)"


def test_stdin_of_a_step_is_passed_through(launcher: Launcher, run: Run) -> None:
    data = bytes(range(256)) * 1000
    session = run(launcher, "/bin/sh", "-c", "cat; exit 3", data=data)
    assert session.out == data
    assert session.process.returncode == 3
    assert session.exec_of("cat").fds == ("pipe", "pipe", "pipe")


def test_a_step_with_both_outputs_in_one_file_is_merged_in_the_order_it_wrote(
    launcher: Launcher, run: Run
) -> None:
    script = "sh -c 'echo 1; echo 2 >&2; echo 3; echo 4 >&2' 2>&1; true"
    session = run(launcher, "/bin/sh", "-c", script)
    assert session.out == b"1\n2\n3\n4\n"
    assert session.one(wire.StepEnd).merged
    assert whole(session)[0] == b"1\n2\n3\n4\n"


def test_python_and_node_agents_get_the_output_they_would_get(
    launcher: Launcher, run: Run, need: Need
) -> None:
    code = """
const { spawnSync, spawn } = require('child_process');
const done = spawnSync('sh', ['-c', 'cat; echo out; echo err >&2; exit 7'], { input: 'in ' });
console.log(done.status, done.stdout.toString(), done.stderr.toString());
const child = spawn('sh', ['-c', 'echo async; kill -TERM $$']);
child.stdout.on('data', data => process.stdout.write(data));
child.on('close', (code, signal) => console.log(code, signal));
"""
    session = run(launcher, need("node"), "-e", code)
    assert session.out == b"7 in out\n err\n\nasync\nnull SIGTERM\n", session.err
    assert session.exec_of("sh", "-c", "cat; echo out; echo err >&2; exit 7").fds == ("socket",) * 3
    assert whole(session, 1) == (b"in out\n", b"err\n")
    assert whole(session, 2) == (b"async\n", b"")
    assert session.all(wire.StepEnd)[1].signal == 15


def test_a_background_process_that_keeps_the_pipe_delays_nobody_and_its_output_counts_as_late(
    launcher: Launcher, run: Run
) -> None:
    code = """
import subprocess, time
begun = time.monotonic()
child = subprocess.Popen(["sh", "-c", "echo early; (sleep 0.7; echo late; echo more) & exit 3"], stdout=subprocess.PIPE)
assert child.stdout.readline() == b"early\\n"
assert child.wait() == 3
assert time.monotonic() - begun < 0.5, "the exit was not seen at once"
assert child.stdout.read() == b"late\\nmore\\n"
assert time.monotonic() - begun > 0.6
time.sleep(0.2)
"""
    session = run(launcher, sys.executable, "-c", code)
    assert session.process.returncode == 0, session.err
    assert whole(session)[0] == b"early\n"
    late = session.all(wire.LateOutput)
    assert {(one.step, one.stream) for one in late} == {(1, "stdout")}
    assert sum(one.bytes for one in late) == len(b"late\nmore\n")


def test_output_in_a_regular_file_is_complete_when_the_parent_sees_the_exit(
    launcher: Launcher, run: Run
) -> None:
    code = f"""
import subprocess
for n in range(20):
    with open({str(launcher.writable / "file")!r}, "w+b") as file:
        subprocess.run(["sh", "-c", "seq 1 5000; echo err >&2"], stdout=file, stderr=subprocess.STDOUT)
        file.seek(0)
        assert file.read() == b"".join(b"%d\\n" % i for i in range(1, 5001)) + b"err\\n"
"""
    session = run(launcher, sys.executable, "-c", code)
    assert session.process.returncode == 0, session.err
    assert all(step.stdout is not None for step in session.ended.values())
    assert session.all(wire.Exec)[1].fds[1] == "file"


def test_appending_to_a_file_keeps_what_stood_there(launcher: Launcher, run: Run) -> None:
    log = launcher.writable / "log"
    log.write_text("first\n")
    script = f"/bin/echo second >>{log}; cat {log}; /bin/echo third >>{log}"
    session = run(launcher, "/bin/sh", "-c", script)
    assert session.out == b"first\nsecond\n"
    assert log.read_text() == "first\nsecond\nthird\n"


def test_a_pipeline_of_steps_works_as_ever(launcher: Launcher, run: Run) -> None:
    session = run(launcher, "/bin/sh", "-c", "seq 1 100000 | sort -rn | head -3; seq 1 3 | wc -l")
    assert session.out == b"100000\n99999\n99998\n3\n"


def test_a_reader_that_goes_away_ends_the_writer_with_sigpipe(launcher: Launcher, run: Run) -> None:
    code = """
import signal, subprocess
child = subprocess.Popen(["sh", "-c", "while :; do echo x; done"], stdout=subprocess.PIPE)
child.stdout.read(10)
child.stdout.close()
assert child.wait(10) == -signal.SIGPIPE, child.returncode
"""
    session = run(launcher, sys.executable, "-c", f"{code}")
    assert session.process.returncode == 0, session.err


def test_a_reader_that_never_reads_holds_up_nobody_else(launcher: Launcher, run: Run) -> None:
    code = """
import subprocess, sys, time
stuck = subprocess.Popen(["sh", "-c", "while :; do echo xxxxxxxxxxxxxxxx; done"], stdout=subprocess.PIPE)
done_but_unread = subprocess.Popen(["sh", "-c", "seq 1 200000"], stdout=subprocess.PIPE)
time.sleep(0.3)
begun = time.monotonic()
for n in range(20):
    assert subprocess.run(["sh", "-c", f"echo {n}"], stdout=subprocess.PIPE).stdout == b"%d\\n" % n
assert time.monotonic() - begun < 3
assert stuck.poll() is None
stuck.kill()
assert stuck.wait(5) == -9
assert done_but_unread.stdout.read() == b"".join(b"%d\\n" % n for n in range(1, 200001))
assert done_but_unread.wait(5) == 0
"""
    session = run(launcher, sys.executable, "-c", code)
    assert session.process.returncode == 0, session.err


def test_a_short_step_nobody_reads_still_ends(launcher: Launcher, run: Run) -> None:
    code = """
import subprocess
child = subprocess.Popen(["/bin/echo", "unread"], stdout=subprocess.PIPE)
assert child.wait(5) == 0
assert child.stdout.read() == b"unread\\n"
"""
    session = run(launcher, sys.executable, "-c", code)
    assert session.process.returncode == 0, session.err


def test_programs_that_are_the_agent_are_not_captured(launcher: Launcher, run: Run) -> None:
    config = wire.Config(agent_names=("cat",))
    decide = Decider(agents=("cat",))
    session = run(
        launcher,
        "/bin/sh",
        "-c",
        "cat /etc/hostname >/dev/null; /bin/echo step",
        decide=decide,
        config=config,
    )
    assert not session.exec_of("cat").captured
    assert session.exec_of("echo").captured
    assert [end.step for end in session.all(wire.StepEnd)] == [1]


def test_nothing_is_captured_when_the_supervisor_does_not_want_it(launcher: Launcher, run: Run) -> None:
    session = run(launcher, "/bin/sh", "-c", "/bin/echo x; exit 1", config=wire.Config(capture=False))
    assert (session.out, session.process.returncode) == (b"x\n", 1)
    end = session.one(wire.StepEnd)
    assert (end.stdout.captured, end.stderr.captured) == (False, False)


def test_an_agent_below_the_agent_has_steps_of_its_own(launcher: Launcher, run: Run) -> None:
    script = "dash -c '/bin/echo one; /bin/echo two'; true"
    session = run(launcher, "/bin/sh", "-c", script, decide=Decider(agents=("dash",)))
    assert session.out == b"one\ntwo\n"
    assert [e.lineage for e in session.all(wire.Exec)] == [
        "root",
        "agent_child",
        "agent_child",
        "agent_child",
    ]
    assert whole(session, 1)[0] == b"one\n"
    assert whole(session, 2)[0] == b"two\n"


@pytest.mark.slow
@pytest.mark.parametrize("into", ["pipe", "file"])
def test_a_gibibyte_of_output_arrives_whole(launcher: Launcher, start: Start, into: str) -> None:
    size = 1 << 30
    target = "" if into == "pipe" else f"> {launcher.writable}/big"
    code = "import os; b = bytes(range(256)) * 256; [os.write(1, b) for _ in range(16384)]"
    script = f"{sys.executable} -S -c '{code}' {target}; true"
    block = bytes(range(256)) * 256
    expected, got, count = hashlib.blake2b(digest_size=32), hashlib.blake2b(digest_size=32), 0
    session = start(launcher, "/bin/sh", "-c", script, stderr=subprocess.DEVNULL)
    assert session.process.stdout is not None
    while data := session.process.stdout.read1(1 << 20):  # type: ignore[attr-defined]
        got.update(data)
        count += len(data)
    assert session.wait() == 0
    for _ in range(16384):
        expected.update(block)
    kept = session.ended[1].stdout
    assert kept is not None
    assert (kept.fact.bytes, kept.fact.blake2b) == (size, expected.hexdigest())
    if into == "pipe":
        assert (count, got.digest()) == (size, expected.digest())
    else:
        assert (launcher.writable / "big").stat().st_size == size
        (launcher.writable / "big").unlink()
