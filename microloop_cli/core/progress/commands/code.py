"""Whether code that stands in a command writes files, as far as its text tells. Pure."""

from __future__ import annotations

import re

from microloop_cli.core.progress.commands.place import Place
from microloop_cli.core.progress.signals import Writes

_WRITES = re.compile(
    r"\.write(?:lines|_text|_bytes|FileSync|File)?\(|open\([^()\n]{0,200},\s*(?:mode\s*=\s*)?['\"][rb]?[wax+]"
    r"|\bos\.(?:remove|unlink|rename|replace|makedirs|mkdir|rmdir|symlink|chmod|truncate)\("
    r"|\bshutil\.(?:copy\w*|move|rmtree)\(|\.(?:unlink|mkdir|touch|rename|rmdir)\(|fileinput\.|File\.write|writeFile"
    r"|\.to_(?:csv|pickle|json|excel|parquet)\(['\"]|\.savefig\(|\.dump\("
)
_PERHAPS = re.compile(
    r"\bsubprocess\b|\bos\.(?:system|popen|spawn)|\bexec(?:file|Sync)?\(|\bcall_command\(|\bsystem\(|\bspawn|\brunpy\b|\.save\(|\bsetup\("
)
_STREAMS = re.compile(r"\b(?:sys\.)?(?:__)?std(?:out|err)(?:__)?(?:\.buffer)?\.write(?:lines)?\(")
_FILE = re.compile(r"['\"]([\w./-]{1,200}\.[A-Za-z]\w{0,5})['\"]")
MAX_CODE_CHARS = 65_536
MAX_CODE_PATHS = 8


def code_writes(code: str) -> Writes:
    """`yes` when it opens, copies, removes or writes files; `perhaps` when it starts programs; else `no`."""
    text = _STREAMS.sub("", code[:MAX_CODE_CHARS])
    if _WRITES.search(text):
        return "yes"
    return "perhaps" if _PERHAPS.search(text) or len(code) > MAX_CODE_CHARS else "no"


def paths_in_code(code: str, place: Place) -> tuple[str, ...]:
    """Literals in code that are named like files."""
    if "." not in code:
        return ()
    found = dict.fromkeys(_FILE.findall(code[:MAX_CODE_CHARS]))
    return tuple([place.path(word) for word in list(found)[:MAX_CODE_PATHS]])
