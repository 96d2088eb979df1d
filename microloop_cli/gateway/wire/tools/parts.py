"""Parts of a result that are no text: an image is told from another by a word made of its data."""

from __future__ import annotations

import re
from hashlib import blake2b
from typing import Any

from microloop_cli.gateway.wire.reading import member
from microloop_cli.gateway.wire.tools.texts import clean, json_text, odd_text, part_text

# Members that hold the data where a part has no type of its own (Gemini).
_HOLDERS = ("inlineData", "inline_data", "fileData", "file_data")
_MEDIA = frozenset({"image", "image_url", "input_image", "document", "input_file", "file", "input_audio"})
# Marks of the prompt cache wander from request to request.
_WANDERING = frozenset({"cache_control", "thoughtSignature", "thought_signature"})
_KIND = re.compile(r"[A-Za-z_]{1,40}")
# Letters that are no hex digits: what looks like a number is masked when results are compared.
_LETTERS = str.maketrans("0123456789abcdef", "ghijklmnopqrstuv")
_WORD_CHARS = 12


def content_text(content: Any) -> str:
    """The text of a result's content: a string, or its parts, each on a line of its own; of what should not
    be there, its JSON."""
    if isinstance(content, list):
        return "\n".join(clean(part) for each in content if isinstance(part := shown(each), str))
    return clean(content) if isinstance(content, str) else odd_text(content)


def shown(part: Any) -> str | None:
    """A text part's text; of any other `[image qkhvgo...]`, equal for equal data; None for no part."""
    found = part_text(part)
    return found if found is not None or not isinstance(part, dict) or not part else _named(part)


def medium(part: Any) -> str | None:
    """As `shown` for images, files and the like; None for all else."""
    if not isinstance(part, dict):
        return None
    kind = part.get("type")
    is_medium = (isinstance(kind, str) and kind in _MEDIA) or any(holder in part for holder in _HOLDERS)
    return _named(part) if is_medium else None


def _named(part: dict[str, Any]) -> str:
    data = json_text({key: value for key, value in part.items() if key not in _WANDERING})
    digest = blake2b(data.encode("utf-8", "replace"), digest_size=_WORD_CHARS // 2).hexdigest()
    return f"[{_kind(part)} {digest.translate(_LETTERS)}]"


def _kind(part: dict[str, Any]) -> str:
    held = next((part[holder] for holder in _HOLDERS if holder in part), None)
    kind = clean(member(held, "mimeType") or member(held, "mime_type")).partition("/")[0]
    kind = kind or clean(part.get("type"))
    if "image" in kind:
        return "image"
    return kind if _KIND.fullmatch(kind) else "part"
