"""Secrets known by the name before them: `password=...`, `Authorization:`, a URL's user, a .netrc. Pure.

Source code must stay what it is: `password = get_password()` assigns no secret that could be read here.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator

ASSIGNED = "<redacted:assigned>"
_NAME = (
    r"(?:pass(?:word|wd|phrase)|pwd|secret|token|credential|(?:api|auth|access|private|secret|account|signing"
    r"|encryption|storage|master)[_-]?key(?:[_-]?id)?|private_key_id)"
)
_NAME_CHARS = 40
_ENDS = r"(?:key|pwd|ord|swd|ase|ret|ken|ial|_id)"
_CALL_CHARS = 200
_NAMING = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_- "


class _Patterns:
    """Compiled at the first text. A gate is passed where a value could begin; the rest looks closer there."""

    def __init__(self) -> None:
        self.gates = [re.compile(_gate(sign)) for sign in ("=", ":")]
        self.name = re.compile(rf"(?i:{_NAME})(?:\\?[\"'])?[ \t]{{0,2}}\Z")
        self.option = re.compile(
            rf"--(?<!---)(?=[A-Za-z0-9])[A-Za-z0-9-]{{0,32}}?(?i:{_NAME})(?P<gap>[ ]{{1,2}})(?=[^\s-])"
        )
        self.value = re.compile(
            r"(?P<gap>>?[ \t]{0,8})(?:\\?(?P<quote>[\"'])(?P<quoted>[^\"'\\\n<]{4,512})(?=\\?(?P=quote))"
            r"|(?P<bare>[^\s\x00-\x1f\"'`<>(){}\[\],;$&|\\]{4,512}))"
        )
        self.authorization = re.compile(
            r"(?P<before>uthorization\\?[\"']?[ \t]{0,4}[:=][ \t]{0,4}\\?[\"']?(?:[A-Za-z]{1,12}[ \t]{1,4})?)"
            r"(?P<value>[A-Za-z0-9._~+/=:-]{8,})"
        )
        self.bearer = re.compile(r"(?P<before>earer[ \t]{1,4})(?P<value>[A-Za-z0-9._~+/=-]{12,})")
        self.url = re.compile(
            r"(?P<before>://)(?:(?P<user>[^\s/@:\"'<>`]{0,128}:)(?P<value>[^\s\x00-\x1f/@\"'<>`$]{1,256})"
            r"|(?P<only>[^\s/@:\"'<>`$]{16,256}))(?=@)"
        )
        self.netrc = re.compile(
            r"(?P<before>login\s{1,8}\S{1,256}\s{1,8}(?:account\s{1,8}\S{1,256}\s{1,8})?password\s{1,8})"
            r"(?P<value>[^\s\x00-\x1f<>\"'\\]{1,256})"
        )


def _gate(sign: str) -> str:
    """The sign behind a name, with spaces or a quote between; one letter is looked at first."""
    tails = ("", "[ \"'\\\\]", "  ", "\\\\[\"']")
    looks = (f"(?<=[dDyYnNtTeElL]{tail}{sign})(?i:(?<={_ENDS}{tail}{sign}))" for tail in tails)
    return f"{sign}(?:{'|'.join(looks)})"


@functools.cache
def _patterns() -> _Patterns:
    return _Patterns()


@functools.cache
def _option_name() -> re.Pattern[str]:
    return re.compile(rf"--?[A-Za-z0-9-]{{0,64}}?(?i:{_NAME})")


def replaced(text: str) -> str:
    """The text with what the names before it say are secrets as `<redacted:kind>`."""
    patterns = _patterns()
    if "@" in text and "://" in text:
        text = patterns.url.sub(_without_user, text)
    if "uthorization" in text:
        text = patterns.authorization.sub(_without("authorization"), text)
    if "earer " in text:
        text = patterns.bearer.sub(_without("authorization"), text)
    if "login" in text and "password" in text:
        text = patterns.netrc.sub(r"\g<before><redacted:netrc>", text)
    if "--" in text:
        text = _spliced(text, _options(text))
    for gate in patterns.gates:
        if gate.pattern[0] in text:
            text = _spliced(text, _assigned(text, gate))
    return text


def names_a_secret(option: str) -> bool:
    """Whether the argument after this one (`--password`, `-token`) is a secret."""
    return option.startswith("-") and _option_name().fullmatch(option) is not None


def _spliced(text: str, spans: Iterator[tuple[int, int]]) -> str:
    parts, done = list[str](), 0
    for start, end in spans:
        if start >= done:
            parts += [text[done:start], ASSIGNED]
            done = end
    return "".join([*parts, text[done:]]) if done else text


def _options(text: str) -> Iterator[tuple[int, int]]:
    """`--password VALUE`, where the value is no placeholder of a help text."""
    patterns = _patterns()
    for named in patterns.option.finditer(text):
        value = patterns.value.match(text, named.start("gap"))
        if value is not None and is_literal(value["quoted"] or value["bare"]):
            yield value.span("bare" if value["quoted"] is None else "quoted")


def _assigned(text: str, gate: re.Pattern[str]) -> Iterator[tuple[int, int]]:
    patterns = _patterns()
    for sign in gate.finditer(text):
        named = patterns.name.search(text, max(0, sign.start() - _NAME_CHARS), sign.start())
        value = patterns.value.match(text, sign.end()) if named is not None else None
        if value is None or named is None:
            continue
        if value["quoted"] is not None:
            if is_literal(value["quoted"]):
                yield value.span("quoted")
        elif _is_bare_value(text, named.start(), sign.group() + value["gap"], value):
            yield value.span("bare")


def _is_bare_value(text: str, name_at: int, sign: str, value: re.Match[str]) -> bool:
    """Of an unquoted value: from a shell, .env, YAML, a URL's query; no expression of a program."""
    bare = value["bare"]
    after = text[value.end() : value.end() + 2]
    if not is_literal(bare) or bare[0] in "-/~@%#*.=:!" or after[:1] in ("(", "[", "{"):
        return False
    if re.fullmatch(r"[A-Za-z_][\w.]*", bare) is None or _is_random(bare):
        return True
    if after[:1] == ")" or after in (", ", ",\n"):
        return False
    return sign == "=" and text[name_at - 1 : name_at] != "." and not _is_in_a_call(text, name_at)


def _is_in_a_call(text: str, at: int) -> bool:
    """`connect(user=x, password=pass2word)`: a name there is a variable."""
    before = text[max(text.rfind("\n", 0, at) + 1, at - _CALL_CHARS) : at].rstrip(_NAMING)
    return before.endswith(("(", ","))


def _without_user(match: re.Match[str]) -> str:
    if match["user"] is not None:
        return f"{match['before']}{match['user']}<redacted:url-password>"
    return f"{match['before']}<redacted:url-user>" if _has_digit(match["only"]) else match[0]


def _without(kind: str) -> Callable[[re.Match[str]], str]:
    def without(match: re.Match[str]) -> str:
        return f"{match['before']}<redacted:{kind}>" if _is_mixed(match["value"]) else match[0]

    return without


def is_literal(value: str) -> bool:
    """No word, placeholder, format or number of a program's: it could be a secret."""
    if len(value) < 6 or " " in value or value.isdecimal():
        return False
    return _is_mixed(value) and not any(sign in value for sign in ("{", "}", "%s", "(", ")", "...", "${"))


def _is_mixed(value: str) -> bool:
    """Digits among the letters, signs that no word has, or letters in an order that no word has."""
    if _has_digit(value):
        return any(char.isalpha() for char in value)
    if any(char in "!@#%^&*+=~$" for char in value):
        return True
    return len(value) >= 20 and value not in (value.lower(), value.upper()) and value.isalnum()


def _is_random(value: str) -> bool:
    """Nobody names a variable so."""
    digits = sum(char.isdecimal() for char in value)
    if len(value) < 16 or digits < 2 or not value.isalnum():
        return False
    return value.lower() != value != value.upper() or re.fullmatch("[0-9a-f]+", value) is not None


def _has_digit(value: str) -> bool:
    return any(char.isdecimal() for char in value)
