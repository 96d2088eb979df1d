"""A model server that follows a script, so that real agents can be run without a model.

Speaks Chat Completions, Responses, Anthropic Messages and Gemini, streamed or not, on a port of 127.0.0.1.
"""

from __future__ import annotations

import gzip
import threading
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import ModuleType, TracebackType
from typing import Any

import msgspec
from msgspec.structs import replace

from microloop_cli.testing import wire_chat, wire_generate, wire_messages, wire_responses
from microloop_cli.testing.script import Asked, Script, ToolUse

_FORMATS: dict[str, ModuleType] = {
    "/chat/completions": wire_chat,
    "/responses": wire_responses,
    "/messages": wire_messages,
    ":generateContent": wire_generate,
    ":streamGenerateContent": wire_generate,
}


_KEYS = ("authorization", "x-api-key", "x-goog-api-key")


class ScriptedModel:
    """Serves while entered: `with ScriptedModel(["pytest -q"]) as model: ... model.url ...`.

    commands: shell commands (or uses of other tools) asked for in turn; then the text `final`, or (`forever`)
    the last one again. asked: every request that was understood, in order of arrival. keys: all that clients
    sent to show who they are.
    """

    def __init__(
        self, commands: Sequence[str | ToolUse], final: str = "All done.", *, forever: bool = False
    ) -> None:
        self.script = Script(tuple(commands), final, forever)
        self.asked: list[Asked] = []
        self.keys: set[str] = set()
        self._server = _Server(self)
        self._thread = threading.Thread(target=self._serve, name="scripted model", daemon=True)

    @property
    def url(self) -> str:
        """Base address without a path, such as http://127.0.0.1:40123."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def _serve(self) -> None:
        self._server.serve_forever(poll_interval=0.02)

    def __enter__(self) -> ScriptedModel:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, model: ScriptedModel) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.model = model

    def handle_error(self, request: Any, client_address: Any) -> None:
        """An agent that is killed mid-answer is the normal case here: say nothing."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: the agent owns the terminal."""

    def do_HEAD(self) -> None:
        self._send_json(200, {})

    def do_GET(self) -> None:
        if self.headers.get("upgrade", "").lower() == "websocket":
            self._send_json(426, _error("this server speaks no websocket"))
        elif self.path.split("?")[0].endswith("/models"):
            self._send_json(200, {"object": "list", "data": []})
        else:
            self._send_json(404, _error("not found"))

    def do_POST(self) -> None:
        raw = self._body()
        path = self.path.split("?")[0].rstrip("/")
        if path.endswith("/count_tokens"):
            self._send_json(200, {"input_tokens": len(raw) // 4})
            return
        wire = next((one for end, one in _FORMATS.items() if path.endswith(end)), None)
        if wire is None:
            self._send_json(404, _error("not found"))
            return
        try:
            asked: Asked = wire.read(msgspec.json.decode(raw))
        except (msgspec.DecodeError, KeyError, TypeError, AttributeError) as error:
            self._send_json(400, _error(f"not understood: {error!r}"))
            return
        if wire is wire_generate:
            streams = ":streamGenerateContent" in path
            asked = replace(asked, model=path.rpartition("/")[2].partition(":")[0], stream=streams)
        self.server.model.asked.append(asked)
        self.server.model.keys |= {value for name in _KEYS if (value := self.headers.get(name))}
        reply = self.server.model.script.reply(asked)
        if asked.stream:
            self._send_events(wire.events(asked, reply))
        else:
            self._send_json(200, wire.whole(asked, reply))

    def _body(self) -> bytes:
        if "chunked" in self.headers.get("transfer-encoding", ""):
            raw = self._chunks()
        else:
            raw = self.rfile.read(int(self.headers.get("content-length") or 0))
        return gzip.decompress(raw) if self.headers.get("content-encoding") == "gzip" else raw

    def _chunks(self) -> bytes:
        parts: list[bytes] = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def _send_json(self, status: int, value: object) -> None:
        body = msgspec.json.encode(value)
        self._send(status, "application/json", body)

    def _send_events(self, events: list[tuple[str, Any]]) -> None:
        text = b""
        for name, data in events:
            line = data.encode() if isinstance(data, str) else msgspec.json.encode(data)
            text += (b"event: %s\n" % name.encode() if name else b"") + b"data: %s\n\n" % line
        self._send(200, "text/event-stream", text)

    def _send(self, status: int, content_type: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("content-type", content_type)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


def _error(message: str) -> dict[str, Any]:
    return {"error": {"message": message, "type": "invalid_request_error"}}
