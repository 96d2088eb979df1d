"""A YAML text as nested values that know their lines. Strict, bounded, pure: bad input is a PolicyError."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from microloop_cli.errors import PolicyError

if TYPE_CHECKING:
    import yaml

MAX_BYTES = 256 * 1024
MAX_DEPTH = 16
MAX_NODES = 20_000
_PREFIX = "tag:yaml.org,2002:"
# What YAML would make a date, a set or binary data is text here: no key wants one.
_TEXT_TAGS = frozenset(_PREFIX + name for name in ("str", "timestamp", "value"))
_SCALAR_TAGS = frozenset(_PREFIX + name for name in ("null", "bool", "int", "float"))


class Located(msgspec.Struct, frozen=True):
    """A value and the line (from 1) of its key. Mappings hold Located values, lists plain ones."""

    value: Any
    line: int


def read_document(data: bytes, name: str) -> dict[str, Located]:
    """The top mapping of a YAML document; an empty document is an empty mapping.

    Raises PolicyError `name:line: ...` for what is no UTF-8, no YAML, too large, too deep, has a key twice
    or a key that is no word.
    """
    if len(data) > MAX_BYTES:
        raise PolicyError(f"{name}: is larger than {MAX_BYTES // 1024} KiB", hint="a policy fits on a page")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise PolicyError(f"{name}:{line}: is no UTF-8 text") from None
    root = _composed(text, name)
    if root is None:
        return {}
    walk = _Walk(name)
    value = walk.value(root, "", 0)
    if not isinstance(value, dict):
        raise PolicyError(f"{name}:1: expected keys and values (`limits:` ...), found {_kind(value)}")
    return value


def _composed(text: str, name: str) -> yaml.Node | None:
    import yaml

    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        _check_size(text, name, loader)
        composed: yaml.Node | None = yaml.compose(text, Loader=loader)
        return composed
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = _line(mark)
        said = error.problem or error.context or "is no YAML"
        hint = "YAML is indented with spaces, not tabs" if _begins_with_tab(text, line) else ""
        raise PolicyError(f"{name}:{line}: {said}", hint=hint) from None
    except yaml.YAMLError as error:
        raise PolicyError(f"{name}: is no YAML text: {str(error).splitlines()[0]}") from None


def _check_size(text: str, name: str, loader: Any) -> None:
    """Depth and number of nodes, before anything recursive looks at the text."""
    import yaml

    depth = 0
    for nodes, event in enumerate(yaml.parse(text, Loader=loader)):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > MAX_DEPTH or nodes > MAX_NODES:
            raise PolicyError(f"{name}:{_line(event.start_mark)}: is nested too deep or too large")


class _Walk:
    """Turns nodes into values; counts them, since an alias can stand for many."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._left = MAX_NODES

    def value(self, node: Any, path: str, depth: int) -> Any:
        import yaml

        line = _line(node.start_mark)
        self._left -= 1
        if depth > MAX_DEPTH or self._left < 0:
            raise self._error(line, path, "aliases make it too deep or too large")
        if isinstance(node, yaml.MappingNode):
            self._expect_tag(node, "map", path)
            return self._mapping(node, path, depth)
        if isinstance(node, yaml.SequenceNode):
            self._expect_tag(node, "seq", path)
            return [self._plain(self.value(item, path, depth + 1)) for item in node.value]
        return self._scalar(node, path, line)

    def _mapping(self, node: Any, path: str, depth: int) -> dict[str, Located]:
        found: dict[str, Located] = {}
        for key_node, value_node in node.value:
            line = _line(key_node.start_mark)
            key = key_node.value
            if key_node.tag != _PREFIX + "str" or not isinstance(key, str):
                raise self._error(line, path, "a key must be a word")
            key_path = f"{path}.{key}" if path else key
            if key in found:
                raise self._error(line, key_path, f"stands twice (first in line {found[key].line})")
            found[key] = Located(self.value(value_node, key_path, depth + 1), line)
        return found

    def _scalar(self, node: Any, path: str, line: int) -> Any:
        import yaml

        if node.tag in _TEXT_TAGS:
            return node.value
        if node.tag not in _SCALAR_TAGS:
            raise self._error(line, path, f"the tag {node.tag} is not known here")
        try:
            return yaml.constructor.SafeConstructor().construct_object(node)
        except (ValueError, OverflowError, KeyError, IndexError, yaml.YAMLError):
            raise self._error(line, path, f"cannot be read as {node.tag.removeprefix(_PREFIX)}") from None

    def _expect_tag(self, node: Any, tag: str, path: str) -> None:
        if node.tag != _PREFIX + tag:
            raise self._error(_line(node.start_mark), path, f"the tag {node.tag} is not known here")

    def _plain(self, value: Any) -> Any:
        """List items know no line of their own."""
        if isinstance(value, dict):
            return {key: self._plain(item.value) for key, item in value.items()}
        return value

    def _error(self, line: int, path: str, said: str) -> PolicyError:
        shown = path if path.isprintable() and len(path) <= 120 else repr(path[:120])
        return PolicyError(
            f"{self._name}:{line}: {shown}: {said}" if path else f"{self._name}:{line}: {said}"
        )


def _begins_with_tab(text: str, line: int) -> bool:
    found = text.split("\n")[line - 1 : line]
    return any("\t" in item[: len(item) - len(item.lstrip())] for item in found)


def _line(mark: Any) -> int:
    """The line of a YAML mark, from 1."""
    return 1 if mark is None else int(mark.line) + 1


def _kind(value: Any) -> str:
    return "a list" if isinstance(value, list) else "a single value"
