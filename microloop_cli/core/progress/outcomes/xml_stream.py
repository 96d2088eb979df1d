"""XML of unknown origin read as a stream of elements: no DOCTYPE, no entities, bounded depth and count. Pure.

expat alone does it: what makes XML dangerous (entities that multiply, files and addresses fetched) needs a
document type declaration, and the first sign of one ends the reading.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

DEPTH = 64
ELEMENTS = 200_000
TEXT_CHARS = 16 << 10
_NO_TEXT = bytes(code for code in range(32) if code not in b"\t\n\r")


class Elements(Protocol):
    """Told of a document's elements as they come. `start` says whether the element's text is wanted."""

    def start(self, name: str, attributes: Mapping[str, str]) -> bool:
        """An element begins. Its name is without a namespace prefix."""

    def end(self, name: str, text: str) -> None:
        """An element ends; `text` is what was in it before any other, at most TEXT_CHARS, if wanted."""


class _Refused(Exception):
    """The document is none of ours, or goes beyond what is read of one."""


class _Reader:
    def __init__(self, by_root: Mapping[str, Callable[[], Elements]]) -> None:
        self.by_root = by_root
        self.elements: Elements | None = None
        self.text_parts: list[str] | None = None  # of the element that began last, when its text is wanted
        self.size = self.depth = self.seen = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if ":" in name:
            name = name.rpartition(":")[2]
        self.seen += 1
        self.depth += 1
        if self.elements is None:
            factory = self.by_root.get(name)
            if factory is None:
                raise _Refused(name)
            self.elements = factory()
        if self.depth > DEPTH or self.seen > ELEMENTS:
            raise _Refused(name)
        wanted = self.elements.start(name, attributes)
        self.text_parts, self.size = ([], 0) if wanted else (None, 0)

    def end(self, name: str) -> None:
        self.depth -= 1
        text = "".join(self.text_parts)[:TEXT_CHARS] if self.text_parts else ""
        self.text_parts = None
        if self.elements is not None:
            self.elements.end(name.rpartition(":")[2] if ":" in name else name, text)

    def text(self, data: str) -> None:
        if self.text_parts is not None and self.size < TEXT_CHARS:
            self.text_parts.append(data)
            self.size += len(data)


def _refuse(*_: object) -> None:
    raise _Refused("a document type declaration")


def read_elements(data: bytes, by_root: Mapping[str, Callable[[], Elements]]) -> tuple[Elements | None, bool]:
    """What read the document (chosen by its root element), and whether the document was whole.

    None when its root is not in `by_root`. A torn or malformed document counts up to where it breaks. Never
    raises.
    """
    from xml.parsers import expat

    reader = _Reader(by_root)
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    parser.StartDoctypeDeclHandler = parser.EntityDeclHandler = _refuse
    try:
        parser.Parse(_readable(data), True)
    except (expat.ExpatError, _Refused, ValueError, LookupError):
        return reader.elements, False
    return reader.elements, True


def _readable(data: bytes) -> bytes:
    """Without the control characters and broken UTF-8 that tests print and XML forbids."""
    head = data[:200]
    if b"\0" in head or (b"encoding=" in head and b"utf-8" not in head.lower()):
        return data
    return data.translate(None, _NO_TEXT).decode("utf-8", "replace").encode("utf-8")
