"""A model server that asks for the same tool again and again, and an agent that obeys it."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

# Does what the model asks for, whatever it says; `asked_on` times more when the gateway says no.
AGENT = """
import json, os, sys, time, urllib.error, urllib.request
messages, asked_on = [{"role": "user", "content": "go"}], int(sys.argv[1])
for number in range(40):
    body = json.dumps({"model": "gpt-4o", "max_tokens": 100, "messages": messages}).encode()
    ask = urllib.request.Request(os.environ["OPENAI_BASE_URL"] + "/chat/completions", body,
                                 {"Content-Type": "application/json", "Authorization": "Bearer x"})
    try:
        said = json.load(urllib.request.urlopen(ask))["choices"][0]["message"]
    except urllib.error.HTTPError as error:
        print(error.code, error.headers["x-should-retry"], json.load(error)["error"]["message"], flush=True)
        if not asked_on:
            sys.exit(7)
        asked_on -= 1
        time.sleep(0.05)
        continue
    call = said["tool_calls"][0]["id"]
    messages += [said, {"role": "tool", "tool_call_id": call, "content": "def f(): ..."}]
"""


class LoopingUpstream:
    """Serves while entered. bodies: the requests that came through; keys: what they showed."""

    def __init__(self) -> None:
        self.bodies: list[dict[str, Any]] = []
        self.keys: set[str] = set()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.upstream = self

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def results(self) -> list[str]:
        """The tool results that the model got to read in the last request."""
        return [each["content"] for each in self.bodies[-1]["messages"] if each["role"] == "tool"]

    def __enter__(self) -> LoopingUpstream:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    upstream: LoopingUpstream


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""

    def do_POST(self) -> None:
        upstream = self.server.upstream
        upstream.bodies.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
        upstream.keys.add(self.headers.get("authorization", ""))
        function = {"name": "Read", "arguments": '{"file_path": "a.py"}'}
        call = {"id": f"call_{len(upstream.bodies)}", "type": "function", "function": function}
        answer = {
            "choices": [{"index": 0, "message": {"role": "assistant", "tool_calls": [call]}}],
            "usage": {"prompt_tokens": 1000, "completion_tokens": 50, "total_tokens": 1050},
        }
        data = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
