"""An agent that means no good, run as a script in a sandbox: what it does is the name of one of its functions."""

import contextlib
import json
import os
import socket
import sys
import threading
import time
import urllib.error
import urllib.request

DOORS = (21411, 21412)
ASKS = {"model": "gpt-4o", "messages": [{"role": "user", "content": "x"}], "max_tokens": 10}


def say(*words: object) -> None:
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


def ask(stream: bool = False) -> int:
    """One model call to its end; the HTTP status."""
    request = urllib.request.Request(
        os.environ["OPENAI_BASE_URL"] + "/chat/completions",
        json.dumps({**ASKS, "stream": stream}).encode(),
        {"Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request) as answer:
            answer.read()
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def once() -> None:
    say("asked", ask())


def flood() -> None:
    """More connections than a shell's processes may usually open, at both doors, then one honest call."""
    for port in DOORS:
        crowd = [socket.create_connection(("127.0.0.1", port)) for _ in range(900)]
        say(port, len(crowd))
        for one in crowd:
            one.close()
    time.sleep(0.3)
    say("asked", ask())


def leave() -> None:
    """Go while four calls run."""
    for stream in (True, True, False, False):
        threading.Thread(target=ask, args=(stream,), daemon=True).start()
    time.sleep(1.5)
    say("leaving")
    os._exit(0)


def stay() -> None:
    say("staying")
    ask(stream=True)


def babble() -> None:
    """Nonsense at both doors."""
    for port in DOORS:
        for said in (
            b"\x16\x03\x01\x02\x00",
            b"POST @x HTTP/1.1\r\n\r\n",
            b"\0" * 99,
            b"PRI * HTTP/2.0\r\n\r\n",
        ):
            with socket.create_connection(("127.0.0.1", port)) as door:
                door.settimeout(0.5)
                door.sendall(said)
                with contextlib.suppress(OSError):  # some of it could go on
                    door.recv(1000)
    say("asked", ask())


def reach() -> None:
    """Every spelling of the host's loopback, through the proxy."""
    port = int(sys.argv[2])
    hosts = ["127.0.0.1", "[::1]", "0.0.0.0", "[::]", "localhost", "localhost.", "2130706433", "0x7f.1", "127.1",
             "0177.0.0.1", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[64:ff9b::7f00:1]", "user@127.0.0.1",
             "169.254.169.254", "127.0.0.2"]  # fmt: skip
    for host in hosts:
        for said in (f"CONNECT {host}:{port}", f"GET http://{host}:{port}/secret"):
            with socket.create_connection(("127.0.0.1", DOORS[1])) as door:
                door.settimeout(15)
                door.sendall(f"{said} HTTP/1.1\r\nHost: example.com\r\n\r\n".encode())
                say(host, door.recv(12).decode())


if __name__ == "__main__":
    globals()[sys.argv[1]]()
