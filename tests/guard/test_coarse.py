"""The coarse digest: equal for outputs that differ in what holds a digit only, however they come in."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from microloop_cli.core.progress.normalise import Kept, output_digest
from microloop_cli.guard import wire
from microloop_cli.guard.facts import KeptStream

from .coarse_reference import canonical, coarse
from .conftest import Helper, Run
from .harness import CONFIG, Launcher

Digest = Callable[[bytes, Sequence[int]], bytes]

PIECES = st.one_of(
    st.sampled_from(
        [
            b"1",
            b"23",
            b"a",
            b"face",
            b"f",
            b"g",
            b"_",
            b".",
            b",",
            b"1.5",
            b"\r",
            b"\n",
            b"\r\n",
            b" ",
            b"-",
            b"#",
        ]
        + [
            b"x" * 63,
            b"9" * 64,
            b"a" * 65,
            b" " * 61,
            b"b" * 4000,
            b"z" * 5000,
            b"." * 64,
            b"\0",
            b"\xff\x80",
        ]
    ),
    st.binary(max_size=3),
)
TEXTS = st.lists(PIECES, max_size=60).map(b"".join)


@pytest.fixture(scope="session", params=["coarse", "coarse_portable"])
def digest(request: pytest.FixtureRequest, helper: Helper) -> Digest:
    """The guard's own code, given a text and where it is cut."""
    library = ctypes.CDLL(str(helper(request.param, "-shared", "-fPIC")))

    def of(text: bytes, cuts: Sequence[int] = ()) -> bytes:
        out = ctypes.create_string_buffer(16)
        places = (ctypes.c_size_t * len(cuts))(*cuts)
        size = ctypes.c_size_t
        library.coarse_of(text, size(len(text)), places, size(len(cuts)), out)
        return out.raw

    return of


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        (b"took 1.5s and 12s", b"took # and #"),
        (b"550e8400-e29b-41d4-abcd-446655440000", b"#-#-#-#-#"),
        (b"v1.2.3, 4,5 .6 7. x.8", b"#, # .# #. x.#"),
        (b"face fac efface gaff ABCDEF", b"# fac # gaff #"),
        (b"0x7f00 tmp_1a [pid 42]", b"# # [pid #]"),
        (b"a\r\nb\rc\r", b"a\nb\rc\r"),
        (b"\x1b[31mred\x1b[0m", b"\x1b[#\x1b[#"),
        (b"1\xff2 3\xc2\xb5s", b"#\xff# #\xc2\xb5s"),
        (b"", b""),
    ],
)
def test_what_holds_a_digit_is_one_sign(text: bytes, meaning: bytes, digest: Digest) -> None:
    assert canonical(text) == meaning
    assert digest(text, ()) == coarse(text)


@given(text=TEXTS, places=st.lists(st.integers(0, 400), max_size=8))
@example(text=b"9" + b"x" * 9000 + b" x", places=[])
@example(text=b"x" * 9000 + b"9 " + b"x" * 63, places=[1, 4096])
@example(text=b"a" * 9000, places=[])
@example(text=b"y" * 9000, places=[])
@example(text=b" " * 63 + b"1" + b".", places=[64])
@example(text=b" " * 63 + b"1" + b".5", places=[64, 65])
@example(text=b" " * 63 + b"\r\n", places=[64])
@example(text=(b"word, 12:30 " * 7 + b"\r\n") * 60, places=[3])
def test_the_guards_digest_is_that_of_the_reference(text: bytes, places: list[int], digest: Digest) -> None:
    assert digest(text, sorted(min(place, len(text)) for place in places)) == coarse(text)


def test_no_boundary_between_reads_changes_it(digest: Digest) -> None:
    text = b"13:02:16.5 INFO [worker-3] dead beef cafe\r\n took 1,5s " * 3 + b"x" * 70 + b"1" + b" end\r"
    expected = coarse(text)
    for first in range(len(text) + 1):
        assert digest(text, (first,)) == expected
        assert digest(text, tuple(range(0, len(text), first + 1))) == expected


LOG = """
import random, sys, uuid
seed, word, turns = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
r = random.Random(seed)
lines = [
    "2026-%02d-%02dT%02d:%02d:%02d.%03dZ INFO [pid=%d] request %s of %032x served in %s\\n" % (
        r.randint(1, 12), r.randint(1, 28), r.randrange(24), r.randrange(60), r.randrange(60), r.randrange(1000),
        r.randrange(9, 40000), uuid.UUID(int=r.randrange(1 << 128)), r.randrange(1 << 128),
        r.choice(["%dms" % r.randrange(2000), "%.2fs" % (r.random() * 20)]))
    for _ in range(3000)
]
for turn in range(turns):
    if turn == turns // 2:
        sys.stdout.write("the cause is " + word + "\\n")
    r.shuffle(lines)
    sys.stdout.write("".join(lines))
"""
MIDDLING, LARGE = 3, 125  # turns: above the caps, and 50 MiB


def logged(run: Run, launcher: Launcher, seed: int, word: str, turns: int) -> Kept:
    """What is kept of the log's output as a step, and its whole checked against the reference where that is fast."""
    script = launcher.writable / "log.py"
    script.write_text(LOG)
    code = f"{sys.executable} -S {script} {seed} {word} {turns}; true"
    config = wire.Config(**{**_fields(CONFIG), "head_bytes": 131_072, "tail_bytes": 131_072})
    session = run(launcher, "/bin/sh", "-c", code, config=config)
    kept = session.ended[1].stdout
    assert isinstance(kept, KeptStream)
    assert kept.fact.bytes == len(session.out) > 262_144
    if turns == MIDDLING:
        assert kept.fact.coarse == coarse(session.out).hex()
    return Kept(kept.head, kept.tail, kept.fact.bytes, kept.fact.coarse)


def _fields(config: wire.Config) -> dict[str, Any]:
    return {name: getattr(config, name) for name in config.__struct_fields__}


@pytest.mark.parametrize("turns", [MIDDLING, pytest.param(LARGE, marks=pytest.mark.slow)])
def test_long_outputs_that_differ_in_clocks_and_ids_only_are_equal_and_another_word_is_seen(
    plain: Launcher, run: Run, turns: int
) -> None:
    once = logged(run, plain, 1, "unknown", turns)
    again = logged(run, plain, 2, "unknown", turns)
    other = logged(run, plain, 3, "found", turns)
    assert once.total_bytes != again.total_bytes
    assert (once.head, once.tail) != (again.head, again.tail)
    assert output_digest(once, None) == output_digest(again, None)
    assert output_digest(once, None) != output_digest(other, None)


@pytest.mark.parametrize("size", [1499, 1500, 1501])
def test_there_is_one_exactly_where_head_and_tail_are_not_the_whole(
    plain: Launcher, run: Run, size: int
) -> None:
    config = wire.Config(head_bytes=1000, tail_bytes=500)
    session = run(plain, "/bin/sh", "-c", f"/usr/bin/printf %0{size}d 0; true", config=config)
    kept = session.ended[1].stdout
    assert kept is not None
    assert kept.fact.coarse == (coarse(b"0" * size).hex() if size > 1500 else "")
