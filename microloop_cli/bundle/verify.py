"""Checking a bundle against its own hashes: what is wrong, most telling first; bad content never raises."""

from __future__ import annotations

from hashlib import blake2b
from pathlib import Path

import msgspec

from microloop_cli.bundle.contained import inside_parts, open_inside, walk_inside
from microloop_cli.bundle.ledger import (
    FIRST_PREV,
    LINE_LIMIT_BYTES,
    Entry,
    LedgerProblem,
    check_entry,
    parse_line,
)
from microloop_cli.bundle.manifest import (
    LEDGER_NAME,
    MANIFEST_NAME,
    Manifest,
    read_manifest,
    record_of,
    refuse_later_schema,
)
from microloop_cli.bundle.reader import ledger_lines
from microloop_cli.core.events import RunStarted, StepEnded, Stream
from microloop_cli.errors import BundleError

_CHUNK_BYTES = 1024 * 1024
_MOST_PROBLEMS = 1000


class BundleProblem(msgspec.Struct, frozen=True):
    """`what` is wrong in one or two words, `where` the file (and line), `detail` the whole sentence."""

    what: str
    where: str
    detail: str


class Verification(msgspec.Struct, frozen=True):
    """`ok` only for a complete bundle without a problem. `problems` has the most telling one first."""

    ok: bool
    problems: tuple[BundleProblem, ...]
    events: int
    files: int
    bytes: int


class _Chain(msgspec.Struct):
    """How far the ledger is sound: its head and length there, and the digests its steps vouch for."""

    head: str = FIRST_PREV
    events: int = 0
    at: float = 0.0
    streams: dict[str, Stream] = {}


class _Files(msgspec.Struct):
    files: int = 0
    bytes: int = 0


def verify(path: Path) -> Verification:
    """Check manifest, chain, times, every file's size and hash, and that no file is missing or added."""
    problems: list[BundleProblem] = []
    chain, counted = _Chain(), _Files()
    try:
        manifest = read_manifest(path)
    except (BundleError, OSError) as error:
        manifest = None
        problems.append(BundleProblem("bad manifest", MANIFEST_NAME, str(error)))
    else:
        if manifest is None:
            detail = f"{MANIFEST_NAME} is missing: the run did not come to its end, or is still going on"
            problems.append(BundleProblem("no manifest", MANIFEST_NAME, detail))
    try:
        _check_ledger(path, chain, problems)
    except (BundleError, OSError) as error:
        problems.append(BundleProblem("bad ledger", LEDGER_NAME, str(error)))
    if manifest is not None:
        _check_head(manifest, chain, problems)
        _check_files(path, manifest, counted, problems)
    _check_streams(path, chain, problems)
    return Verification(not problems, tuple(problems), chain.events, counted.files, counted.bytes)


def _check_ledger(path: Path, chain: _Chain, problems: list[BundleProblem]) -> None:
    """Follow the chain to the first line that is wrong: what comes after it is not worth looking at."""
    for number, raw in enumerate(ledger_lines(path), start=1):
        seq = chain.events + 1
        where = f"{LEDGER_NAME} line {number} (seq {seq})"
        if not raw.endswith(b"\n"):
            too_long = len(raw) > LINE_LIMIT_BYTES
            what = "line too long" if too_long else "torn line"
            problems.append(BundleProblem(what, where, f"{where} has no end after {len(raw)} bytes"))
            return
        try:
            entry = parse_line(raw[:-1])
        except LedgerProblem as problem:
            problems.append(BundleProblem("bad line", where, f"{where}: {problem.message}"))
            return
        wrong = check_entry(entry, seq, chain.head, chain.at) or _misplaced(path, entry)
        if wrong is not None:
            problems.append(BundleProblem("broken chain", where, f"{where}: {wrong}"))
            return
        chain.head, chain.events, chain.at = entry.hash, seq, entry.at
        if isinstance(entry.event, StepEnded):
            _note_streams(entry.event, chain)
    if chain.events == 0:
        problems.append(BundleProblem("empty ledger", LEDGER_NAME, f"{LEDGER_NAME} holds no event"))


def _misplaced(path: Path, entry: Entry) -> str | None:
    event = entry.event
    if isinstance(event, RunStarted):
        refuse_later_schema(path, event.schema, event.microloop_version)
    if isinstance(event, RunStarted) != (entry.seq == 1):
        return f"{entry.type!r} cannot stand here: run_started is the first event, and only that"
    return None


def _note_streams(ended: StepEnded, chain: _Chain) -> None:
    for name, stream in (("stdout", ended.stdout), ("stderr", ended.stderr)):
        if stream is not None:
            chain.streams[f"steps/{ended.step:04d}/{name}"] = stream


def _check_head(manifest: Manifest, chain: _Chain, problems: list[BundleProblem]) -> None:
    if problems or (manifest.chain_head, manifest.events) == (chain.head, chain.events):
        return
    detail = (
        f"{LEDGER_NAME} ends at event {chain.events} ({chain.head[:12]}), "
        f"the manifest says event {manifest.events} ({manifest.chain_head[:12]})"
    )
    problems.append(BundleProblem("wrong chain head", LEDGER_NAME, detail))


def _check_files(path: Path, manifest: Manifest, counted: _Files, problems: list[BundleProblem]) -> None:
    there = dict(walk_inside(path))
    for name, record in manifest.files.items():
        if len(problems) >= _MOST_PROBLEMS:
            return
        try:
            inside_parts(name)
            found = record_of(path, name)
        except FileNotFoundError:
            problems.append(BundleProblem("missing file", name, f"{name} is missing"))
        except (BundleError, OSError) as error:
            problems.append(BundleProblem("bad file", name, f"{name}: {error}"))
        else:
            counted.files += 1
            counted.bytes += found.bytes
            if found.bytes != record.bytes:
                detail = f"{name} has {found.bytes} bytes, the manifest says {record.bytes}"
                problems.append(BundleProblem("wrong size", name, detail))
            elif found.sha256 != record.sha256:
                problems.append(BundleProblem("wrong hash", name, f"{name} was changed: its hash differs"))
    extra = sorted(name for name in there if name not in manifest.files and name != MANIFEST_NAME)
    for name in extra[:_MOST_PROBLEMS]:
        problems.append(BundleProblem("extra file", name, f"{name} is not in the manifest"))


def _check_streams(path: Path, chain: _Chain, problems: list[BundleProblem]) -> None:
    """The kept output must be what the chain says: a manifest written anew does not hide a change."""
    for name, stream in chain.streams.items():
        if len(problems) >= _MOST_PROBLEMS:
            return
        try:
            size, digest = _output_digest(path, name)
        except (BundleError, OSError):
            continue  # not kept, or named above
        kept = stream.head_bytes + stream.tail_bytes
        if size != kept:
            detail = f"{name} has {size} bytes, the ledger says {kept} were kept"
            problems.append(BundleProblem("wrong output", name, detail))
        elif (kept == stream.bytes or stream.redacted) and digest != stream.blake2b:
            problems.append(
                BundleProblem("wrong output", name, f"{name} is not the output the ledger tells of")
            )


def _output_digest(path: Path, name: str) -> tuple[int, str]:
    digest, size = blake2b(digest_size=32), 0
    with open(open_inside(path, name), "rb", buffering=0) as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
            size += len(chunk)
    return size, digest.hexdigest()
