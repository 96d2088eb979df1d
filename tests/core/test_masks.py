"""What changes by itself is masked whatever program says it; what progress looks like stays."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from microloop_cli.core.progress.normalise import normalise

SAME = [
    # test runners and builds
    ("test result: ok. 3 passed; finished in 0.05s", "test result: ok. 3 passed; finished in 12.31s"),
    ("    Finished dev [unoptimized] target(s) in 1m 02s", "    Finished dev [unoptimized] target(s) in 0.05s"),
    ("1/2 Test #1: a ....   Passed    0.01 sec", "1/2 Test #1: a ....   Passed   10.01 sec"),
    ("Total Test time (real) =   0.12 sec", "Total Test time (real) =  13.12 sec"),
    ("[INFO] Total time:  3.210 s", "[INFO] Total time:  01:02 min"),
    ("[INFO] Tests run: 3, Time elapsed: 0.05 s", "[INFO] Tests run: 3, Time elapsed: 1.2 s"),
    ("Duration  1.23s (transform 50ms, setup 0ms)", "Duration  830ms (transform 1.1s, setup 3ms)"),
    ("Time: 00:00.012, Memory: 6.00 MB", "Time: 00:01.112, Memory: 8.02 MB"),
    ("ok  \tpkg/x\t0.003s", "ok  \tpkg/x\t(cached)"),
    ("Randomized with seed 12345", "Randomized with seed 7"),
    ("PYTHONHASHSEED=0 seed: 3 --randomly-seed=99", "PYTHONHASHSEED=17 seed: 4 --randomly-seed=100"),
    ("[gw0] PASSED a.py::b", "[gw3] PASSED a.py::b"),
    ("bench: 1,234 ns/iter", "bench: 999 ns/iter"),
    # processes, shells, servers
    ("bash: line 1: x: command not found", "bash: line 14: x: command not found"),
    ("/bin/sh: 1: x: not found", "/bin/sh: 3: x: not found"),
    ("make[1]: *** [Makefile:4: a] Error 2", "make[3]: *** [Makefile:4: a] Error 2"),
    ("sshd[812]: closed", "sshd[55183]: closed"),
    ("Process 1257 exited with status 1", "Process 30 exited with status 1".replace("30", "32030")),
    ("core.55207", "core.1934"),
    ("[1] 12345", "[1] 990"),
    ("goroutine 18 [running]:", "goroutine 7 [running]:"),
    ("hs_err_pid123.log", "hs_err_pid99887.log"),
    ("listening on port 45897", "listening on port 51234"),
    ('{"pid": 12, "time": 1.25, "duration": 3}', '{"pid": 99, "time": 0.1, "duration": 12}'),
    ("at 1763730136.123456 and 1763730136123", "at 1763730999.1234 and 1763739999000"),
    # made-up names
    ("/tmp/build-ab12cd34/x", "/tmp/build-80402567/x"),
    ("/tmp/tmp54d7196189/x", "/tmp/tmpf83fd3be98/x"),
    ("/tmp/jest-aB3dE6", "/tmp/jest-x9Y8z7"),
    ("/tmp/ccAb12Cd.o", "/tmp/ccZZ98xx.o"),
    ("/var/folders/ab/cd_ef12/T/x", "/var/folders/zz/qqq/T/x"),
    ("java.lang.Object@1b2c3d", "java.lang.Object@7fe912"),
    ("request id cda6c6fdbd685167", "request id 38703800149e259b"),
    # polls
    ("web-1   0/1   ImagePullBackOff   0   11m", "web-1   0/1   ImagePullBackOff   0   3m12s"),
    ("web-1   1/1   Running   3 (2m ago)   2d4h", "web-1   1/1   Running   3 (59m ago)   119m"),
    ("db   Up 5 minutes (healthy)", "db   Up About an hour (healthy)"),
    ("db   Up Less than a second", "db   Up 31 seconds"),
    ("completed  success  ci  main  4m", "completed  success  ci  main  5m10s"),
    ("Updated 2 weeks ago", "Updated 3 days ago"),
    (" 12:01:02 up 3 days, load average: 0.12, 0.34, 0.20", " 12:02:02 up 4 days, load average: 1.12, 2.34, 0.21"),
    # transfers
    ("get 45% 12.3 MB/s eta 0:00:05", "get 45% 900 kB/s eta 0:01:05"),
    (" 45%|##  | 45/100 [00:12<00:15, 3.50it/s]", " 45%|##  | 45/100 [00:22<00:25, 1.75it/s]"),
    (
        "100   615  100   615    0     0   3075      0 --:--:-- --:--:-- --:--:--  3075",
        "100   615  100   615    0     0    975      0  0:00:01  0:00:01 --:--:--   975",
    ),
    ("99%CPU 12345maxresident)k", "7%CPU 345maxresident)k"),
    ("Downloaded x.pom (1.2 kB at 45 kB/s)", "Downloaded x.pom (1.2 kB at 9.5 MB/s)"),
    # dates
    ("Date:   Fri, 21 Nov 2026 13:02:16 GMT", "Date:   Mon, 1 Feb 2027 01:02:16 GMT"),
    ("drwx 2 u u 40 Nov 21  2025 a", "drwx 2 u u 40 Dec  1  2024 a"),
    ("December 1, 2026", "May 12, 2027"),
    ("13:02:16: start", "09:59:01: start"),
]  # fmt: skip


@pytest.mark.parametrize(("first", "second"), SAME)
def test_what_changes_by_itself_is_masked(first: str, second: str) -> None:
    assert normalise(first.encode()) == normalise(second.encode())


DIFFERENT = [
    ("[ 12%] Building", "[ 13%] Building"),
    ("Receiving objects:  45% (45/100)", "Receiving objects:  46% (46/100)"),
    ("epoch 3/10 loss 0.5312", "epoch 4/10 loss 0.5311"),
    ("numpy-1.26.0", "numpy-1.26.1"),
    ("main.c:12:3: error: x", "main.c:14:3: error: x"),
    ("--> src/lib.rs:10:5", "--> src/lib.rs:11:5"),
    ('File "a.py", line 12, in f', 'File "a.py", line 13, in f'),
    ("items[0]: a", "items[1]: a"),
    ("--memory=512m", "--memory=256m"),
    ("du: 5.0M", "du: 6.0M"),
    ("1763730136 bytes", "1763730137 bytes"),
    ("12345678", "12345679"),
    ("0.12345678e-05", "0.12345679e-05"),
    ("HTTP/1.1 200", "HTTP/1.1 404"),
    ("000", "200"),
    ("exit status 1", "exit status 2"),
    ("restarts 3", "restarts 4"),
    ("user@10.0.0.1", "user@10.0.0.2"),
    ("defaced facade", "facade defaced"),
    ("total 12 files", "total 13 files"),
    ("host:8080", "host:9090"),
    ("a (3)", "a (4)"),
    ("2d array", "3d array"),
]  # fmt: skip


@pytest.mark.parametrize(("first", "second"), DIFFERENT)
def test_what_progress_looks_like_stays(first: str, second: str) -> None:
    assert normalise(first.encode()) != normalise(second.encode())


def test_the_text_shows_what_kind_of_thing_was_masked() -> None:
    text = b"[2026-11-18 11:07:42,245] ERROR worker[55630]: 127.0.0.1:45897 failed (id cda6c6fdbd685167) at 0x7f2de39639be"
    assert normalise(text) == b"[<time>] ERROR worker[<n>]: 127.0.0.1:<n> failed (id <hex>) at <address>"


WORDS = [word for pair in SAME + DIFFERENT for text in pair for word in text.split(" ")]
GLUE = [
    "",
    " ",
    "  ",
    "\n",
    "\t",
    ":",
    "=",
    "/",
    "-",
    ".",
    ",",
    "[",
    "]",
    "(",
    ")",
    "@",
    "<",
    ">",
    "_",
    '"',
    "e",
    "0x",
    "\r",
]


@given(st.lists(st.tuples(st.sampled_from(WORDS), st.sampled_from(GLUE)), max_size=12))
@settings(max_examples=400)
def test_normalising_words_of_real_outputs_twice_changes_nothing(pieces: list[tuple[str, str]]) -> None:
    once = normalise("".join(word + glue for word, glue in pieces).encode())
    assert normalise(once) == once


@given(st.text(alphabet="0159aefdmshxT:.,-+/=[]()@<> \t\nZpiu\"'_", max_size=60))
@settings(max_examples=400)
def test_normalising_small_change_twice_changes_nothing(text: str) -> None:
    once = normalise(text.encode())
    assert normalise(once) == once
