"""A web server with a certificate of a test authority, on an address of loopback that no client keeps for itself.

It serves what pip, npm, git and curl fetch: a package index, a registry, a repository, a file.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import io
import json
import ssl
import subprocess
import tarfile
import threading
import zipfile
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType

import trustme

# Clients leave 127.0.0.1 and localhost out of the proxy; this one they ask the proxy for.
ADDRESS = "127.0.0.2"


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: the tests read what clients print."""


class LocalWeb:
    """Serves `folder` while entered; `authority` is the file that clients must trust."""

    def __init__(self, folder: Path, authority: Path) -> None:
        self.folder = folder
        authority_of_tests = trustme.CA()
        authority_of_tests.cert_pem.write_to_path(str(authority))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority_of_tests.issue_cert(ADDRESS).configure_cert(context)
        handler = functools.partial(_Quiet, directory=str(folder))
        self._server = ThreadingHTTPServer((ADDRESS, 0), handler)
        self._server.daemon_threads = True
        # The handshake is the handler's, in its thread: a client that is slow at it holds nobody up.
        self._server.socket = context.wrap_socket(
            self._server.socket, server_side=True, do_handshake_on_connect=False
        )
        self._thread = threading.Thread(target=self._server.serve_forever, name="local web", daemon=True)

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        return f"https://{ADDRESS}:{self.port}"

    def __enter__(self) -> LocalWeb:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def add_file(self, name: str, content: bytes) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

    def add_wheel(self, name: str) -> None:
        """A package that pip can install: `/simple/NAME/` with one pure wheel."""
        about = f"{name}-1.0.dist-info"
        files = {
            f"{name}.py": "WHENCE = 'the allowed index'\n",
            f"{about}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
            f"{about}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        }
        records = [f"{path},sha256={_digest(text)},{len(text)}\n" for path, text in files.items()]
        files[f"{about}/RECORD"] = "".join(records) + f"{about}/RECORD,,\n"
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            for path, text in files.items():
                archive.writestr(path, text)
        wheel = f"{name}-1.0-py3-none-any.whl"
        page = f"simple/{name.replace('_', '-')}"
        self.add_file(f"{page}/{wheel}", packed.getvalue())
        self.add_file(f"{page}/index.html", f'<a href="{wheel}">{wheel}</a>'.encode())

    def add_npm_package(self, name: str) -> None:
        """A package that npm can install: `/NAME` and its tarball."""
        about = {"name": name, "version": "1.0.0", "main": "index.js"}
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w:gz") as archive:
            for path, text in (("package.json", json.dumps(about)), ("index.js", "module.exports = 1;\n")):
                entry = tarfile.TarInfo(f"package/{path}")
                entry.size = len(text)
                archive.addfile(entry, io.BytesIO(text.encode()))
        tarball = packed.getvalue()
        integrity = "sha512-" + base64.b64encode(hashlib.sha512(tarball).digest()).decode()
        dist = {"tarball": f"{self.url}/tarballs/{name}.tgz", "integrity": integrity}
        versions = {"1.0.0": {**about, "dist": dist}}
        document = {"name": name, "dist-tags": {"latest": "1.0.0"}, "versions": versions}
        self.add_file(f"tarballs/{name}.tgz", tarball)
        self.add_file(name, json.dumps(document).encode())

    def add_repository(self, name: str, source: Path) -> None:
        """A bare copy of the git repository `source`, for clients that fetch file by file."""
        target = self.folder / name
        for command in (
            ["clone", "-q", "--bare", str(source), str(target)],
            ["-C", str(target), "update-server-info"],
        ):
            subprocess.run(["git", *command], check=True, capture_output=True)


def _digest(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
