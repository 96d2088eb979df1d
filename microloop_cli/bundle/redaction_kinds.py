"""The kinds of secrets that are known by their shape, in groups that one cheap look each can rule out. Pure.

Every pattern takes linear time: what repeats without bound starts where a run of its characters starts, or
cannot fail any more.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable
from typing import NamedTuple

# No letter or digit may stand before it, but those of a written-out line end, a URL's %3D or a colour's end.
_BEFORE = r"(?<=\\[nrt])|(?<=%[0-9A-Fa-f]{2})|(?<=[0-9\[]m)"
_MOST_BEFORE_CHARS = 4
_FREE = rf"(?:(?<![A-Za-z0-9])|{_BEFORE})"
_RUN = rf"(?:(?<![A-Za-z0-9_-])|{_BEFORE})"
_LONGEST_RUN = 4_096
_RUN_CHARS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"
_W = r"[A-Za-z0-9_-]"
_A = r"[A-Za-z0-9]"


def _free(start: str) -> str:
    """`start`, with no letter or digit before it; the letters come first, for they are quickly compared."""
    before = (r"\\[nrt]", r"%[0-9A-Fa-f]{2}", r"[0-9\[]m")
    return rf"{start}(?:(?<![A-Za-z0-9]{start})|{'|'.join(f'(?<={one}{start})' for one in before)})"


_UNDERSCORED = {
    "github": rf"gh[pousr]_{_A}{{30,}}|github_pat_[A-Za-z0-9_]{{22,}}",
    "stripe": rf"(?:sk|rk|pk)_(?:live|test)_{_A}{{16,}}|whsec_[A-Za-z0-9+/=]{{24,}}",
    "npm": rf"npm_{_A}{{30,}}",
    "huggingface": rf"{_free('hf_')}{_A}{{30,}}|{_free('api_org_')}{_A}{{30,}}",
    "groq": rf"{_free('gsk_')}{_A}{{20,}}",
    "docker-hub": rf"dckr_[po]at_{_W}{{20,}}",
    "digitalocean": rf"do[opr]_v1_{_A}{{40,}}",
    "shopify": rf"shp(?:at|ca|pa|ss)_{_A}{{32,}}",
    "grafana": rf"glsa_{_W}{{30,}}|glc_[A-Za-z0-9+/=]{{32,}}",
    "linear": rf"lin_api_{_A}{{32,}}",
    "notion": rf"{_free('ntn_')}{_A}{{40,}}|{_free('secret_')}{_A}{{40,}}",
    "supabase": rf"{_free('sbp_')}{_W}{{20,}}",
    "planetscale": rf"pscale_(?:tkn|pw|oauth)_{_W}{{20,}}",
    "replicate": rf"{_free('r8_')}{_A}{{30,}}",
    "figma": rf"{_free('figd_')}{_W}{{30,}}",
}
_HYPHENED = {
    "anthropic": rf"sk-ant-{_W}{{16,}}",
    "openrouter": rf"sk-or-{_W}{{16,}}",
    "openai": rf"{_free('sk-')}(?=[A-Za-z_-]{{0,80}}[0-9]){_W}{{20,}}",
    "xai": rf"{_free('xai-')}{_A}{{20,}}",
    "gitlab": rf"gl(?:pat|dt|rt|ptt|cbt|soat|ft|imt|agent)-{_W}{{20,}}",
    "slack": r"xox[abeoprs]-[A-Za-z0-9-]{10,}|xapp-[A-Za-z0-9-]{20,}",
    "pypi": rf"pypi-AgE{_W}{{30,}}",
    "mailgun": rf"{_free('key-')}[0-9a-f]{{32}}",
    "google-oauth-secret": rf"GOCSPX-{_W}{{20,}}",
    "heroku": rf"HRKU-{_W}{{30,}}",
    "perplexity": rf"{_free('pplx-')}{_A}{{30,}}",
    "nvidia": rf"nvapi-{_W}{{30,}}",
    "postman": rf"PMAK-{_W}{{30,}}",
    "new-relic": rf"NRAK-{_A}{{20,}}",
    "tavily": rf"{_free('tvly-')}{_W}{{20,}}",
    "age": r"AGE-SECRET-KEY-1[0-9A-Z]{30,}",
}
_DOTTED = {
    "jwt": rf"{_RUN}eyJ{_W}{{8,}}\.eyJ{_W}{{4,}}\.{_W}{{8,}}",
    "sendgrid": rf"SG\.{_W}{{16,}}\.{_W}{{16,}}",
    "discord": rf"{_RUN}[MNO]{_W}{{22,27}}\.{_W}{{6}}\.{_W}{{27,}}",
    "google-oauth": rf"ya29\.{_W}{{20,}}",
    "vault": rf"{_FREE}hv[sbr]\.{_W}{{20,}}",
    "slack-webhook": r"slack\.com/(?:services|workflows|triggers)/[A-Za-z0-9/_-]{20,}",
    "discord-webhook": rf"discord(?:app)?\.com/api/webhooks/[0-9]{{5,}}/{_W}{{30,}}",
}
_CAPITAL = {
    "aws": (
        r"(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}(?![A-Za-z0-9])"
        r"(?:[\s,;:|\"'\\]{1,20}(?:[A-Za-z_]{0,40}[\s=:\"']{1,8})?[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+]))?"
    ),
    "google": rf"AIza{_W}{{30,}}",
    "twilio-account": rf"{_free('AC')}[0-9a-f]{{32}}(?![A-Za-z0-9])",
}
_TELEGRAM = {"telegram": rf"[0-9]{{8,10}}:AA{_W}{{30,}}"}
_TWILIO = {"twilio": rf"{_free('SK')}[0-9a-f]{{32}}(?![A-Za-z0-9])"}
_AZURE = {"azure": rf"{_FREE}{_A}{{3}}[0-9]Q~[A-Za-z0-9_.~-]{{30,}}"}
_MAILCHIMP = {"mailchimp": rf"{_RUN}[0-9a-f]{{32}}-us[0-9]{{1,2}}"}
_GAP = r"(?:\\+[nrt]|[\s\"',|>])"
_PEM = {
    "private-key": (
        r"-----BEGIN [A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?-----"
        rf"(?:{_GAP}*(?:[A-Za-z0-9+/=]{{16,}}|(?:Proc-Type|DEK-Info|Version|Comment): [^\n\\]{{1,80}}))+"
        rf"(?:{_GAP}*[A-Za-z0-9+/=]{{1,15}})?(?:{_GAP}*-----END [A-Z0-9 ]{{0,40}}-----)?"
    ),
}


class Look(NamedTuple):
    """Kinds that no text without a hit of `gate` has.

    They begin with one of `starts`, which ends where the gate's first character does, or, without any, where
    the run of letters, digits, `-` and `_` before that character begins.
    """

    gate: str
    starts: tuple[str, ...]
    kinds: dict[str, str]


# fmt: off
_ALL_LETTERS = (
    "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "sk_live_", "rk_live_", "pk_live_", "sk_test_",
    "rk_test_", "pk_test_", "npm_", "hf_", "api_org_", "gsk_", "dop_v1_", "doo_v1_", "dor_v1_", "shpat_",
    "shpca_", "shppa_", "shpss_", "lin_api_", "ntn_", "secret_", "r8_",
)
_MORE_THAN_LETTERS = (
    "whsec_", "dckr_pat_", "dckr_oat_", "glsa_", "glc_", "sbp_", "pscale_tkn_", "pscale_pw_", "pscale_oauth_",
    "figd_",
)
_TO_HYPHEN = (
    "sk-", "xai-", "glpat-", "glpat--", "gldt-", "glrt-", "glptt-", "glcbt-", "glsoat-", "glft-", "glimt-",
    "glagent-", "xoxa-", "xoxb-", "xoxe-", "xoxo-", "xoxp-", "xoxr-", "xoxs-", "xapp-", "GOCSPX-", "HRKU-",
    "pplx-", "nvapi-", "PMAK-", "NRAK-", "tvly-", "key-", "pypi-", "AGE-SECRET-KEY-",
)
# fmt: on


def _ending(starts: tuple[str, ...]) -> str:
    return "|".join(f"(?<={start})" for start in starts)


# Each begins with one character, and looks at the cheap things first: all that is stored passes all of them.
LOOKS = (
    Look(
        rf"_(?:(?=[A-Za-z0-9]{{16}})(?:{_ending(_ALL_LETTERS)})"
        rf"|(?=[A-Za-z0-9+/=_-]{{16}})(?:{_ending(_MORE_THAN_LETTERS)}))",
        (*_ALL_LETTERS, *_MORE_THAN_LETTERS),
        _UNDERSCORED,
    ),
    Look(
        rf"-(?=[A-Za-z0-9_]|-[A-Za-z0-9])(?=[A-Za-z0-9_-]{{8}})(?:{_ending(_TO_HYPHEN)})",
        _TO_HYPHEN,
        _HYPHENED,
    ),
    Look(r"-us(?=[0-9])(?<=[0-9a-f]{8}-us)", (), _MAILCHIMP),
    Look(
        r"\.(?:(?=[A-Za-z0-9_-]{6})(?:(?<=SG\.)|eyJ|(?<=ya29\.)|(?<=hv[sbr]\.)|[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27})"
        r"|com/(?:api/webhooks|services|workflows|triggers)/)",
        (),
        _DOTTED,
    ),
    Look(r"A(?:KIA|SIA|BIA|CCA|Iza|C[0-9a-f]{8})", ("A",), _CAPITAL),
    Look(r":(?=AA)(?<=[0-9]{8}:)", (), _TELEGRAM),
    Look(r"S(?=K[0-9a-f]{8})", ("S",), _TWILIO),
    Look(r"~(?<=[0-9]Q~)", (), _AZURE),
    Look(r"-----BEGIN ", ("-",), _PEM),
)


class Compiled(NamedTuple):
    """A look, ready to be used."""

    sign: str
    gate: re.Pattern[str]
    starts: frozenset[str]
    lengths: tuple[int, ...]
    kinds: tuple[str, ...]

    def replaced(self, text: str) -> str:
        """The text with every secret of these kinds as `<redacted:kind>`."""
        hit = self.gate.search(text) if self.sign in text else None
        if hit is None:
            return text
        parts, done = list[str](), 0
        while hit is not None:
            found = self._around(text, done, hit.start())
            at = hit.start() + 1
            if found is not None:
                parts += [text[done : found.start()], _named(found)]
                done = at = found.end()
            hit = self.gate.search(text, at)
        return "".join([*parts, text[done:]])

    def _around(self, text: str, done: int, hit: int) -> re.Match[str] | None:
        """The secret that begins at or before `hit`, not before `done`, and reaches beyond it."""
        pattern = _pattern(self.kinds)
        for start in self._beginnings(text, done, hit):
            found = pattern.match(text, start) if start >= done else None
            if found is not None and found.end() > hit:
                return found
        return None

    def _beginnings(self, text: str, done: int, hit: int) -> Iterable[int]:
        if self.starts:
            ends = hit + 1
            return [ends - size for size in self.lengths if text[max(ends - size, 0) : ends] in self.starts]
        furthest = max(done, hit - _LONGEST_RUN)
        run = furthest + len(text[furthest:hit].rstrip(_RUN_CHARS))
        return range(run, min(run + _MOST_BEFORE_CHARS, hit) + 1)


@functools.cache
def looks() -> tuple[Compiled, ...]:
    """Compiled at the first text: only the gates; the patterns of a look when its gate is first passed."""
    return tuple(_compiled(look) for look in LOOKS)


def _compiled(look: Look) -> Compiled:
    return Compiled(
        look.gate[1 if look.gate[0] == "\\" else 0],
        re.compile(look.gate),
        frozenset(look.starts),
        tuple(sorted({len(start) for start in look.starts}, reverse=True)),
        tuple(look.kinds),
    )


def shapes() -> dict[str, str]:
    """Every kind's name and pattern."""
    return {kind: pattern for look in LOOKS for kind, pattern in look.kinds.items()}


@functools.cache
def _pattern(kinds: tuple[str, ...]) -> re.Pattern[str]:
    known = shapes()
    return re.compile("|".join(f"(?P<{kind.replace('-', '_')}>{known[kind]})" for kind in kinds))


def _named(match: re.Match[str]) -> str:
    kind = (match.lastgroup or "secret").replace("_", "-")
    return f"<redacted:{kind}>"
