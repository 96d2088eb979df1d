"""Programs that people use, through the proxy: pip, git, curl and npm, over TLS with an authority of the test."""

from __future__ import annotations

import asyncio
import hashlib
import http.server
import json
import os
import ssl
import subprocess
import sys
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.gateway.egress.places import OK, place, run
from tests.needs import need


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, int]]:
    """(folder, port) of an HTTPS server for *.test, whose authority is ca.pem in the folder."""
    need("openssl")
    folder = tmp_path_factory.mktemp("site")
    authority(folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")

    def handler(*args: object, **options: object) -> Quiet:
        return Quiet(*args, directory=str(folder), **options)  # type: ignore[arg-type]

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield folder, server.server_address[1]
    server.shutdown()
    server.server_close()


def authority(folder: Path) -> None:
    openssl(folder, "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=test-ca -keyout ca.key -out ca.pem")
    openssl(folder, "req -newkey rsa:2048 -nodes -subj /CN=up.test -keyout key.pem -out csr.pem")
    (folder / "names").write_text("subjectAltName=DNS:up.test\nextendedKeyUsage=serverAuth\n")
    signs = (
        "x509 -req -in csr.pem -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile names -out cert.pem"
    )
    openssl(folder, signs)


def openssl(folder: Path, arguments: str) -> None:
    subprocess.run(["openssl", *arguments.split()], cwd=folder, check=True, capture_output=True)


def through(site: tuple[Path, int], home: Path, argv: list[str], allow: tuple[str, ...]) -> tuple[int, str]:
    """(exit code, output) of a program that finds the proxy in its environment."""
    folder, port = site
    said: list[tuple[int, str]] = []

    async def story() -> None:
        async with place(OK, allow=tuple(rule.replace("{port}", str(port)) for rule in allow)) as at:
            proxy = f"http://127.0.0.1:{at.port}"
            names = ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy")
            trust = ("SSL_CERT_FILE", "PIP_CERT", "GIT_SSL_CAINFO", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS")
            env = {
                "PATH": os.environ["PATH"],
                "HOME": str(home),
                "PIP_CONFIG_FILE": os.devnull,
                **dict.fromkeys(names, proxy),
                **dict.fromkeys(trust, str(folder / "ca.pem")),
            }
            pipe = asyncio.subprocess.PIPE
            process = await asyncio.create_subprocess_exec(
                *argv,
                env=env,
                cwd=home,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=pipe,
                stderr=asyncio.subprocess.STDOUT,
            )
            output, _ = await process.communicate()
            assert process.returncode is not None
            assert at.asked, output
            said.append((process.returncode, output.decode(errors="replace")))

    run(story())
    return said[0]


def test_curl_gets_a_page_and_is_told_of_a_refusal(site: tuple[Path, int], tmp_path: Path) -> None:
    folder, port = site
    (folder / "page").write_text("a page")
    argv = [str(need("curl")), "-sS", f"https://up.test:{port}/page"]
    assert through(site, tmp_path, argv, ("up.test:{port}",)) == (0, "a page")
    code, said = through(site, tmp_path, argv, ())
    assert code == 56
    assert "403" in said


@pytest.mark.slow
def test_pip_installs_from_an_allowed_index_and_not_from_another(
    site: tuple[Path, int], tmp_path: Path
) -> None:
    folder, port = site
    simple = folder / "simple" / "tiny"
    simple.mkdir(parents=True)
    name = "tiny-1.0-py3-none-any.whl"
    with zipfile.ZipFile(simple / name, "w") as wheel:
        wheel.writestr("tiny.py", "here = True\n")
        wheel.writestr("tiny-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n")
        wheel.writestr(
            "tiny-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr("tiny-1.0.dist-info/RECORD", "tiny.py,,\n")
    (simple / "index.html").write_text(f'<a href="{name}">{name}</a>')
    argv = [sys.executable, "-m", "pip", "install", "--disable-pip-version-check", "--no-cache-dir", "--retries", "0",
            "--target", str(tmp_path / "in"), "--index-url", f"https://up.test:{port}/simple/", "tiny"]  # fmt: skip
    code, said = through(site, tmp_path, argv, ("up.test:{port}",))
    assert code == 0, said
    assert (tmp_path / "in" / "tiny.py").exists()
    argv[argv.index("0")] = "1"  # only a pip that tries again says why
    code, said = through(site, tmp_path, [*argv, "--upgrade"], ("pypi",))
    assert code != 0
    assert "403 microloop: up.test" in said


def test_git_clones_over_https(site: tuple[Path, int], tmp_path: Path) -> None:
    folder, port = site
    git = str(need("git"))
    source = tmp_path / "source"
    who = ["-c", "user.name=a", "-c", "user.email=a@b.test"]
    for arguments in (["init", "-q", str(source)], ["-C", str(source), *who, "commit", "-q", "--allow-empty", "-m", "x"],
                      ["clone", "-q", "--bare", str(source), str(folder / "it.git")],
                      ["-C", str(folder / "it.git"), "update-server-info"]):  # fmt: skip
        subprocess.run([git, *arguments], check=True, capture_output=True)
    argv = [git, "clone", f"https://up.test:{port}/it.git", "here"]
    code, said = through(site, tmp_path, argv, ("up.test:{port}",))
    assert code == 0, said
    assert (tmp_path / "here" / ".git").is_dir()
    code, said = through(site, tmp_path, [*argv[:-1], "there"], ())
    assert code != 0
    assert "403" in said


def test_npm_installs_from_an_allowed_registry(site: tuple[Path, int], tmp_path: Path) -> None:
    folder, port = site
    npm = str(need("node", "npm"))
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "package.json").write_text('{"name": "tiny", "version": "1.0.0"}')
    with tarfile.open(folder / "tiny.tgz", "w:gz") as archive:
        archive.add(tmp_path / "package", "package")
    shasum = hashlib.sha1((folder / "tiny.tgz").read_bytes(), usedforsecurity=False).hexdigest()
    dist = {"tarball": f"https://up.test:{port}/tiny.tgz", "shasum": shasum}
    version = {"name": "tiny", "version": "1.0.0", "dist": dist}
    document = {"name": "tiny", "dist-tags": {"latest": "1.0.0"}, "versions": {"1.0.0": version}}
    (folder / "npm").mkdir()
    (folder / "npm" / "tiny").write_text(json.dumps(document))
    (tmp_path / "app").mkdir()
    argv = [npm, "install", "--prefix", str(tmp_path / "app"), "--no-audit", "--no-fund", "--fetch-retries=0",
            f"--registry=https://up.test:{port}/npm/", "tiny"]  # fmt: skip
    code, said = through(site, tmp_path, argv, ("up.test:{port}",))
    assert code == 0, said
    assert (tmp_path / "app" / "node_modules" / "tiny").is_dir()
