"""The daemon asked by hand on its socket: the few calls that come before a container runs.

Importing the client library takes 60 to 80 ms; so it can be imported while the daemon starts the container.
"""

from __future__ import annotations

import json
import os
import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from microloop_cli.backends import docker_errors
from microloop_cli.errors import SandboxError

DEFAULT_SOCKET = "/var/run/docker.sock"
_PING_SECONDS = 20.0
_CALL_SECONDS = 60.0
_NEWEST_KNOWN_API = "1.47"
_NOT_FOUND = 404
_SWITCHED = 101
# Never typed: the daemon would take Docker's usual keys for detaching out of the input.
_ATTACH = {"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1, "detachKeys": "ctrl-@,ctrl-^,ctrl-@,ctrl-_"}
_END_OF_HEAD = b"\r\n\r\n"


class DaemonRefused(Exception):
    """The daemon answered with an error; `explanation` is its own."""

    def __init__(self, status: int, explanation: str) -> None:
        super().__init__(explanation)
        self.status = status
        self.explanation = explanation


@dataclass(frozen=True, slots=True)
class Daemon:
    """A daemon that answered: its socket, and the newest version of the API that both sides know."""

    path: str
    version: str

    def image_architecture(self, image: str) -> str | None:
        """The image's machine in Docker's words; None when there is no such image here."""
        try:
            description = self._call("GET", f"/images/{quote(image, safe='/:@')}/json")
        except DaemonRefused as refused:
            if refused.status == _NOT_FOUND:
                return None
            raise
        return str(description.get("Architecture", ""))

    def create(self, create: Mapping[str, Any]) -> str:
        """Make the container of docker_plan.create_arguments; its id."""
        return str(self._call("POST", "/containers/create", _create_body(create))["Id"])

    def attach(self, container: str) -> socket.socket:
        """The stream of a container that is not started yet."""
        query = urlencode(_ATTACH)
        connection = self._send(
            "POST",
            f"/containers/{container}/attach?{query}",
            "1.1",
            "Connection: Upgrade\r\nUpgrade: tcp\r\n",
        )
        try:
            head = b""
            while not head.endswith(_END_OF_HEAD):  # nothing follows yet: the container does not run
                if not (data := connection.recv(1 << 16)):
                    break
                head += data
            status = _status(head)
            if status != _SWITCHED:
                raise DaemonRefused(status, _explanation(head))
        except BaseException:
            connection.close()
            raise
        connection.settimeout(None)
        return connection

    def send_start(self, container: str) -> socket.socket:
        """Ask for the start; `finish` waits for the answer."""
        return self._send("POST", f"/containers/{container}/start")

    def remove(self, container: str) -> None:
        self._call("DELETE", f"/containers/{container}?force=1&v=1")

    def _call(self, method: str, endpoint: str, body: object = None) -> dict[str, Any]:
        return finish(self._send(method, endpoint, body=body))

    def _send(
        self, method: str, endpoint: str, http: str = "1.0", headers: str = "", body: object = None
    ) -> socket.socket:
        """A connection on which the request is on its way. With HTTP/1.0 the answer ends the connection."""
        data = b"" if body is None else json.dumps(body).encode()
        head = (
            f"{method} /v{self.version}{endpoint} HTTP/{http}\r\nHost: docker\r\n{headers}"
            f"Content-Type: application/json\r\nContent-Length: {len(data)}\r\n\r\n"
        )
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.settimeout(_CALL_SECONDS)
        try:
            connection.connect(self.path)
            connection.sendall(head.encode() + data)
        except BaseException:
            connection.close()
            raise
        return connection


def find_daemon() -> Daemon:
    """The local daemon, asked for its version; SandboxError says why there is none."""
    host = os.environ.get("DOCKER_HOST") or f"unix://{DEFAULT_SOCKET}"
    if not host.startswith("unix://"):
        raise SandboxError(
            f"the Docker daemon at {host} is not on this machine, so it cannot mount the workspace",
            hint="unset DOCKER_HOST to use the local daemon, or use --sandbox bwrap",
        )
    path = host[len("unix://") :]
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(_PING_SECONDS)
        try:
            probe.connect(path)
            probe.sendall(b"GET /_ping HTTP/1.0\r\nHost: docker\r\n\r\n")
            answer = probe.recv(1 << 16)
        except OSError as error:
            raise docker_errors.unreachable(path, error) from error
    match = re.search(rb"^Api-Version: *([0-9.]+)", answer, re.MULTILINE | re.IGNORECASE)
    if match is None:
        raise SandboxError(f"what listens on {path} is no Docker daemon", hint="check DOCKER_HOST")
    return Daemon(path, older_of(match[1].decode(), _NEWEST_KNOWN_API))


def older_of(*versions: str) -> str:
    """Of versions like 1.41 the lowest."""
    return min(versions, key=lambda text: [int(part) for part in text.split(".") if part])


def finish(connection: socket.socket) -> dict[str, Any]:
    """Wait for the answer and close; the object in it, empty when it has none."""
    with connection:
        chunks = []
        while data := connection.recv(1 << 16):
            chunks.append(data)
    answer = b"".join(chunks)
    status = _status(answer)
    if status >= 300:
        raise DaemonRefused(status, _explanation(answer))
    return _document(answer)


def _status(answer: bytes) -> int:
    match = re.match(rb"HTTP/1\.[01] (\d{3})\b", answer)
    if match is None:
        raise DaemonRefused(0, "the Docker daemon broke off")
    return int(match[1])


def _document(answer: bytes) -> dict[str, Any]:
    body = answer.partition(_END_OF_HEAD)[2].strip()
    try:
        found = json.loads(body) if body else {}
    except ValueError:
        raise DaemonRefused(0, "the Docker daemon's answer is no JSON") from None
    return found if isinstance(found, dict) else {}


def _explanation(answer: bytes) -> str:
    try:
        return str(_document(answer).get("message", ""))
    except DaemonRefused:
        return answer.partition(_END_OF_HEAD)[2].decode(errors="replace").strip()


def _create_body(create: Mapping[str, Any]) -> dict[str, Any]:
    """The keyword arguments of docker-py's `create_container`, as it would send them."""
    return {
        "Image": create["image"],
        "Entrypoint": create["entrypoint"],
        "Cmd": create["command"],
        "Env": [f"{name}={value}" for name, value in create["environment"].items()],
        "User": create["user"],
        "WorkingDir": create["working_dir"],
        "Tty": create["tty"],
        "OpenStdin": create["stdin_open"],
        "StdinOnce": create["stdin_open"],
        "AttachStdin": create["stdin_open"],
        "AttachStdout": True,
        "AttachStderr": True,
        "Labels": create["labels"],
        "Healthcheck": {"Test": create["healthcheck"]["test"]},
        "HostConfig": create["host_config"],
    }
