"""Writing a file of a bundle: whole, private, or not at all."""

from __future__ import annotations

import os
from pathlib import Path

_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC


def write_whole(path: Path, content: bytes, *, sync: bool = False) -> None:
    """Write `path` (mode 0600, no link followed); OSError when it cannot be, and then it is not there.

    Half a document, left by a full disk, would be read as a damaged one.
    """
    fd = os.open(path, _NEW_FILE, 0o600)
    try:
        with open(fd, "wb") as file:
            file.write(content)
            if sync:
                file.flush()
                os.fsync(fd)
    except OSError as error:
        error.filename = error.filename or str(path)  # a failed write does not name its file
        path.unlink(missing_ok=True)
        raise
