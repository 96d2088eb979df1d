"""A model server that takes its time: it says a word now and then for ever, or nothing at all."""

from __future__ import annotations

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType

WORD_SECONDS = 0.05
_WORD = {
    "id": "x",
    "object": "chat.completion.chunk",
    "choices": [{"index": 0, "delta": {"content": "word "}}],
}


class SlowModel:
    """Serves while entered. A request for a stream gets words until its client goes; any other gets silence."""

    def __init__(self) -> None:
        self.asked = 0
        self._over = threading.Event()
        self._server = _Server(self)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    @property
    def is_over(self) -> bool:
        return self._over.is_set()

    def __enter__(self) -> SlowModel:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, model: SlowModel) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.model = model

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients go in the middle: that is what this server is for."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.server.model.asked += 1
        if body.get("stream"):
            self.send_response(200)
            self.send_header("content-type", "text/event-stream")
            self.end_headers()
        while not self.server.model.is_over:
            if body.get("stream"):
                self.wfile.write(b"data: " + json.dumps(_WORD).encode() + b"\n\n")
                self.wfile.flush()
            time.sleep(WORD_SECONDS)
