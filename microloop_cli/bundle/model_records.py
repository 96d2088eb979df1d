"""Recorded model requests and answers in a bundle: `model/NNNN.json`, `.request` and `.answer`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec

from microloop_cli.bundle.contained import read_inside, walk_inside
from microloop_cli.errors import BundleError

FOLDER = "model"
MAX_RECORDS = 100_000
MAX_BODY_BYTES = 256 * 2**20
_MAX_ABOUT_BYTES = 64 * 1024


class About(msgspec.Struct, frozen=True, kw_only=True):
    """One request as it went to the upstream and what came back; bodies are kept without secrets.

    n counts all records of the run from 1; call is the model call it was, None for a request that is none
    (a list of models). target: path and query. whole: the answer was kept to its end.
    """

    n: int
    call: int | None
    method: str
    target: str
    surface: str
    model: str
    status: int
    content_type: str
    whole: bool = True


class ModelRecord(msgspec.Struct, frozen=True):
    """A record as it is read again."""

    about: About
    request: bytes
    answer: bytes


def file_names(n: int) -> tuple[str, str, str]:
    """Of the description, the request and the answer, from the bundle's root."""
    stem = f"{FOLDER}/{n:04d}"
    return f"{stem}.json", f"{stem}.request", f"{stem}.answer"


def read_model_records(run_dir: Path) -> Iterator[ModelRecord]:
    """All records of a bundle in their order. BundleError for what is no record."""
    numbers = sorted(_numbers(run_dir))
    for n in numbers[:MAX_RECORDS]:
        about_name, request_name, answer_name = file_names(n)
        try:
            about = msgspec.json.decode(read_inside(run_dir, about_name, _MAX_ABOUT_BYTES), type=About)
        except msgspec.DecodeError as error:
            raise BundleError(
                f"{run_dir / about_name} does not describe a model call: {error}",
                hint="microloop verify checks the whole bundle",
            ) from None
        request = read_inside(run_dir, request_name, MAX_BODY_BYTES)
        yield ModelRecord(about, request, read_inside(run_dir, answer_name, MAX_BODY_BYTES))


def _numbers(run_dir: Path) -> Iterator[int]:
    for name, regular in walk_inside(run_dir / FOLDER) if (run_dir / FOLDER).is_dir() else ():
        stem, _, kind = name.partition(".")
        if regular and kind == "json" and stem.isdigit() and len(stem) < 9:
            yield int(stem)
