"""Tool calls in answers of Chat Completions: whole, or in deltas that many servers shape in their own way."""

from __future__ import annotations

from typing import Any

import msgspec

from microloop_cli.gateway.wire.reading import decode, items, member
from microloop_cli.gateway.wire.tools.asked_for import AskedFor, of_chat
from microloop_cli.gateway.wire.tools.pending import MAX_OPEN, Pending
from microloop_cli.gateway.wire.tools.texts import clean


class _Piece(msgspec.Struct):
    choices: Any = None


class ChatAnswer:
    """Calls are whole when their choice is finished: a server may go back to an earlier one until then."""

    def __init__(self) -> None:
        self._open: dict[tuple[int, int], list[Pending]] = {}  # by choice and index; the last one goes on

    def event(self, data: bytes) -> list[AskedFor]:
        if not self._open and b"_call" not in data:
            return []
        if data.strip() == b"[DONE]":
            return self._close(None)
        piece = decode(data, _Piece)
        found: list[AskedFor] = []
        for place, choice in enumerate(items(piece.choices if piece else None)):
            index = member(choice, "index")
            found += self._choice(index if isinstance(index, int) else place, choice)
        return found

    def end(self) -> list[AskedFor]:
        """Nobody said that these are whole: only those that look so."""
        for key, calls in self._open.items():
            self._open[key] = [call for call in calls if call.looks_whole()]
        return self._close(None)

    def _choice(self, number: int, choice: Any) -> list[AskedFor]:
        whole = [call for each in _calls(member(choice, "message")) if (call := of_chat(each)) is not None]
        for place, call in enumerate(_calls(member(choice, "delta"))):
            index = call.get("index") if isinstance(call, dict) else None
            self._add((number, index if isinstance(index, int) else place), call)
        return whole + self._close(number) if member(choice, "finish_reason") else whole

    def _add(self, key: tuple[int, int], delta: Any) -> None:
        free = member(delta, "custom")
        holder = free if isinstance(free, dict) else member(delta, "function")
        own, name = clean(member(delta, "id")), clean(member(holder, "name"))
        calls = self._open.get(key)
        if name and (not calls or _is_another(calls[-1], own)):
            if sum(map(len, self._open.values())) >= MAX_OPEN:
                return
            calls = self._open.setdefault(key, [])
            calls.append(Pending(own, name, free_text=holder is free))
        if calls:
            calls[-1].own = calls[-1].own or own
            calls[-1].add(clean(member(holder, "input" if holder is free else "arguments")))

    def _close(self, number: int | None) -> list[AskedFor]:
        keys = [key for key in self._open if number is None or key[0] == number]
        return [call.asked_for() for key in sorted(keys) for call in self._open.pop(key)]


def _calls(message: Any) -> list[Any]:
    if not isinstance(message, dict):
        return []
    calls, older = items(message.get("tool_calls")), message.get("function_call")
    return [*calls, {"function": older}] if older else calls


def _is_another(call: Pending, own: str) -> bool:
    """Some servers give each call the index 0, some repeat name and id in each delta."""
    if own and call.own:
        return own != call.own
    return bool(call.written()) and call.looks_whole()
