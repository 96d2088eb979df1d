"""Masking by the shape of lines gives what masking line by line does, whatever was met before."""

from __future__ import annotations

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from microloop_cli.core.progress.line_shapes import SHAPES_KEPT, Shape, Shapes
from microloop_cli.core.progress.mask_numbers import mask_numbers

LINES = [
    "2026-11-18 11:06:47,627 INFO worker[512]: took 12ms",
    "at 1763730136.123456 and 2763730136123 of 100%",
    "Fri, 21 Nov 2026 13:02:16 GMT: 45 of 100 done",
    "%d %s 12 %% 3.50 s",
    "drwx 2 u u 40 Nov 21  2025 a",
    "epoch 3/10 loss 0.5312 in 0.01s",
    "no number",
    "",
    "7",
]
# Long enough for the shapes to be looked at.
MANY = 600


@given(
    st.lists(st.sampled_from(LINES) | st.text("0159 :.-%smh<>", max_size=12), min_size=1, max_size=6),
    st.integers(),
)
def test_a_long_text_is_masked_as_its_lines_are(shapes: list[str], seed: int) -> None:
    random = Random(seed)
    lines = [_other_digits(random.choice([*shapes, LINES[0]]), random).encode() for _ in range(MANY)]
    for _ in range(3):  # the first time the shapes are learnt
        assert mask_numbers(b"\n".join(lines)) == b"\n".join(map(mask_numbers, lines))


def _other_digits(line: str, random: Random) -> str:
    return "".join(random.choice("0123456789") if char.isdigit() else char for char in line)


def test_what_is_remembered_is_bounded() -> None:
    learnt: list[bytes] = []

    def learn(line: bytes) -> Shape:
        learnt.append(line)
        return Shape()

    shapes = Shapes(lambda text, zeroed: text, learn)
    for number in range(3 * SHAPES_KEPT):
        text = b"a%d" % number
        assert shapes.masked(text, text) == text
    assert len(learnt) == 3 * SHAPES_KEPT
    assert len(shapes) <= SHAPES_KEPT + 1
