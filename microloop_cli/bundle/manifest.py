"""The manifest of a bundle: every file with its size and hash, the chain's head; the schema version."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import msgspec

from microloop_cli.bundle.contained import open_inside, read_inside, walk_inside
from microloop_cli.errors import BundleError

BUNDLE_SCHEMA = 1
MANIFEST_NAME = "manifest.json"
LEDGER_NAME = "events.jsonl"
MANIFEST_LIMIT_BYTES = 64 * 1024 * 1024
_CHUNK_BYTES = 1024 * 1024


class FileRecord(msgspec.Struct, frozen=True):
    bytes: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True):
    """`files` by path from the bundle's root, without the manifest; `events` counts the ledger's lines."""

    schema: int
    run_id: str
    files: dict[str, FileRecord]
    chain_head: str
    events: int


class _Version(msgspec.Struct, frozen=True):
    schema: int


def read_manifest(root: Path) -> Manifest | None:
    """The manifest, None when the run left none; BundleError when it is damaged or of a later schema."""
    if not (root / MANIFEST_NAME).exists() and not (root / MANIFEST_NAME).is_symlink():
        return None
    content = read_inside(root, MANIFEST_NAME, MANIFEST_LIMIT_BYTES)
    try:
        refuse_later_schema(root, msgspec.json.decode(content, type=_Version).schema)
        return msgspec.json.decode(content, type=Manifest)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BundleError(f"{root / MANIFEST_NAME} is damaged: {error}") from error


def refuse_later_schema(root: Path, schema: int, microloop_version: str = "") -> None:
    """BundleError for a bundle this version cannot read, naming the version that can."""
    if schema <= BUNDLE_SCHEMA:
        return
    writer = f"microloop {microloop_version}" if microloop_version else "a later microloop"
    wanted = f">={microloop_version}" if microloop_version else ""
    raise BundleError(
        f"{root} was written by {writer}: bundle schema {schema}, this microloop reads up to {BUNDLE_SCHEMA}",
        hint=f"read it with a later microloop: pip install --upgrade 'microloop-cli{wanted}'",
    )


def record_of(root: Path, relative: str) -> FileRecord:
    """Size and hash of one file of a bundle; OSError, BundleError."""
    digest, size = sha256(), 0
    with open(open_inside(root, relative), "rb", buffering=0) as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
            size += len(chunk)
    return FileRecord(size, digest.hexdigest())


def records_of(root: Path) -> dict[str, FileRecord]:
    """Size and hash of all regular files of a bundle but the manifest; OSError."""
    return {
        relative: record_of(root, relative)
        for relative, regular in walk_inside(root)
        if regular and relative != MANIFEST_NAME and _is_text(relative)
    }


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
