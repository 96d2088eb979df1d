"""Homes as users have them: programs installed in all the usual ways, secrets beside them."""

from __future__ import annotations

from pathlib import Path

UV_PYTHON = "cpython-3.12.7-linux-x86_64-gnu"
SECRETS = (".ssh/id_ed25519", ".aws/credentials", ".config/agent/token", ".netrc", ".cargo/credentials.toml")


def write(path: Path, text: str, mode: int = 0o644) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)
    return path


# Says that it ran, and which files below $SEARCH hold a secret; not in one word, or it would find itself.
LOOK = """echo ran; grep -rls "a sec""ret" "$SEARCH"; true"""


def script(path: Path, *, interpreter: str = "/bin/sh", body: str = LOOK) -> Path:
    return write(path, f"#!{interpreter}\n{body}\n", 0o755)


def link(path: Path, target: str | Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(target)
    return path


def with_secrets(home: Path) -> Path:
    for name in SECRETS:
        write(home / name, "a secret")
    write(home / ".local" / "share" / "opencode" / "auth.json", "a secret")
    return home


def uv_tool(home: Path) -> Path:
    """`uv tool install agent`: link, script, venv, and the Python uv manages, named by a link of its own."""
    pythons = home / ".local" / "share" / "uv" / "python"
    real = pythons / UV_PYTHON
    script(real / "bin" / "python3.12", body='exec /bin/sh "$@"')
    write(real / "lib" / "python3.12" / "os.py", "")
    link(pythons / "cpython-3.12-linux-x86_64-gnu", real.name)
    venv = home / ".local" / "share" / "uv" / "tools" / "agent"
    write(venv / "pyvenv.cfg", f"home = {pythons}/cpython-3.12-linux-x86_64-gnu/bin\nversion = 3.12\n")
    link(venv / "bin" / "python", pythons / "cpython-3.12-linux-x86_64-gnu" / "bin" / "python3.12")
    script(venv / "bin" / "agent", interpreter=str(venv / "bin" / "python"))
    return link(home / ".local" / "bin" / "agent", venv / "bin" / "agent")


def nvm(home: Path) -> Path:
    """A Node of nvm with a globally installed agent."""
    prefix = home / ".nvm" / "versions" / "node" / "v22.1.0"
    script(prefix / "bin" / "node", body='exec /bin/sh "$@"')
    script(prefix / "lib" / "node_modules" / "agent" / "cli.js", interpreter="/usr/bin/env node")
    return link(prefix / "bin" / "agent", "../lib/node_modules/agent/cli.js")


def npm_prefix(home: Path, node: Path) -> Path:
    """`npm config set prefix ~/.npm-global`, with a Node from elsewhere."""
    script(
        home / ".npm-global" / "lib" / "node_modules" / "agent" / "cli.js",
        interpreter=f"/usr/bin/env {node.name}",
    )
    return link(home / ".npm-global" / "bin" / "agent", "../lib/node_modules/agent/cli.js")


def pyenv(home: Path) -> Path:
    root = home / ".pyenv"
    script(root / "libexec" / "pyenv", body=f"exec {root}/versions/3.12.1/bin/agent")
    script(root / "versions" / "3.12.1" / "bin" / "agent")
    return script(
        root / "shims" / "agent", interpreter="/usr/bin/env bash", body=f'exec "{root}/libexec/pyenv"'
    )


def native(home: Path) -> Path:
    """A single binary kept by version, as native installers do."""
    script(home / ".local" / "share" / "agent" / "versions" / "2.1.0")
    write(home / ".local" / "share" / "agent" / "auth.json", "a secret")
    return link(home / ".local" / "bin" / "agent", home / ".local" / "share" / "agent" / "versions" / "2.1.0")


def cargo(home: Path) -> Path:
    return script(home / ".cargo" / "bin" / "agent")


def user_site(home: Path) -> Path:
    """`pip install --user agent`."""
    write(home / ".local" / "lib" / "python3.11" / "site-packages" / "agent.py", "")
    return script(
        home / ".local" / "bin" / "agent",
        interpreter="/usr/bin/python3",
        body=f"import os\nos.system({LOOK!r})",
    )


def sdk(home: Path) -> Path:
    """An unpacked archive with bin and lib."""
    write(home / "tools" / "sdk" / "lib" / "part", "")
    write(home / "tools" / "sdk" / "secrets.json", "a secret")
    return script(home / "tools" / "sdk" / "bin" / "agent")
