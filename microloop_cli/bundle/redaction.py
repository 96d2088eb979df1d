"""Secrets taken out of what is stored: by their value `<NAME>`, by their shape `<redacted:kind>`. Pure.

The same text always gives the same text, redacting twice changes nothing, and the time is linear.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

import msgspec

from microloop_cli.bundle import redaction_assignments as assignments
from microloop_cli.bundle.redaction_kinds import looks
from microloop_cli.bundle.redaction_values import forms

T = TypeVar("T")
# A replacement can show what stood too close to something else before; it does not go on for ever.
MOST_ROUNDS = 6
# Names of fields that microloop itself filled in: they keep a run together.
_OWN = frozenset({"run_id", "started_at", "epoch", "blake2b", "coarse", "output_digest", "failing_set"})


class Redactor:
    """Knows some secrets by value, the rest by shape. `values` are secrets by the name that is shown."""

    def __init__(self, values: Mapping[str, str] | None = None) -> None:
        self._names: dict[str, str] = {}
        for name, value in (values or {}).items():
            for form in forms(value):
                self._names.setdefault(form, name)
        self._forms = sorted(self._names, key=lambda form: (-len(form), form))
        shown = sorted({f"<{name}>" for name in self._names.values()}, key=len, reverse=True)
        # What is a mark already stays one, also when a secret reads like a part of it.
        every = [r"<redacted:[a-z-]{1,40}>", *map(re.escape, [*shown, *self._forms])]
        self._every = re.compile("|".join(every)) if self._forms else None
        self._encoder = msgspec.json.Encoder(enc_hook=str)

    @property
    def forms(self) -> tuple[str, ...]:
        """All that the known secrets read like, longest first."""
        return tuple(self._forms)

    def text(self, text: str) -> str:
        """The text without secrets; the very same object when there are none."""
        for _ in range(MOST_ROUNDS):
            redacted = self._once(text)
            if redacted == text:
                break
            text = redacted
        return text

    def data(self, data: bytes) -> bytes:
        """The same for bytes, whatever they hold; the very same object when there are no secrets."""
        text = data.decode("utf-8", "surrogateescape")
        redacted = self.text(text)
        return data if redacted is text else redacted.encode("utf-8", "surrogateescape")

    def holds_secret(self, data: bytes) -> bool:
        return self.data(data) is not data

    def fact(self, fact: T) -> T:
        """A struct with the secrets taken out of its text, in nested structs and tuples too.

        Names and digests that microloop made itself and fields with a fixed choice of values stay.
        """
        whole = self._encoder.encode(fact).decode("utf-8", "replace")
        if self._once(whole) == whole and not _argument_follows(getattr(fact, "argv", ())):
            return fact
        redacted: T = self._walk(fact)
        return redacted

    def plain(self, value: Any) -> Any:
        """Plain data (of a JSON document) with the secrets taken out of all its strings."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {self.plain(key): self.plain(item) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.plain(item) for item in value]
        return self._walk(value) if isinstance(value, msgspec.Struct) else value

    def arguments(self, argv: tuple[str, ...]) -> tuple[str, ...]:
        """An argv without secrets, of which one can be an argument of its own (`--password`, `x`)."""
        named = (False, *(assignments.names_a_secret(argument) for argument in argv))
        return tuple(self._argument(argument, after) for argument, after in zip(argv, named, strict=False))

    def _argument(self, argument: str, is_named: bool) -> str:
        redacted = self.text(argument)
        unseen = is_named and redacted == argument and argument and not argument.startswith(("-", "<"))
        return assignments.ASSIGNED if unseen else redacted

    def _once(self, text: str) -> str:
        if self._every is not None and any(form in text for form in self._forms):
            text = self._every.sub(self._shown, text)
        for look in looks():
            text = look.replaced(text)
        return assignments.replaced(text)

    def _shown(self, match: re.Match[str]) -> str:
        found = match[0]
        name = self._names.get(found)
        return found if name is None else f"<{name}>"

    def _walk(self, value: Any) -> Any:
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, tuple):
            return tuple([self._walk(item) for item in value])
        if not isinstance(value, msgspec.Struct):
            return value
        changed = {}
        for field in _textual(type(value)):
            before = getattr(value, field)
            after = self.arguments(before) if field == "argv" else self._walk(before)
            if after != before:
                changed[field] = after
        return msgspec.structs.replace(value, **changed) if changed else value


@functools.cache
def _textual(kind: type[msgspec.Struct]) -> tuple[str, ...]:
    """The fields of a struct in which text from elsewhere can be."""
    hints = get_type_hints(kind)
    fields = kind.__struct_fields__
    return tuple(field for field in fields if field not in _OWN and _holds_text(hints[field]))


def _holds_text(hint: Any) -> bool:
    if get_origin(hint) is Literal:
        return False
    if hint is str or hint is Any or (isinstance(hint, type) and issubclass(hint, msgspec.Struct)):
        return True
    return any(_holds_text(part) for part in get_args(hint))


def _argument_follows(argv: tuple[str, ...]) -> bool:
    """Whether an argument says that the next one is a secret."""
    return any(argument[:1] == "-" and assignments.names_a_secret(argument) for argument in argv)
