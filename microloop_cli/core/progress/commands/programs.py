"""What programs do to the files of a workspace, by name. Data."""

from __future__ import annotations

# Names of one program.
SAME_PROGRAM = {
    "py.test": "pytest", "nodejs": "node", "mvnw": "mvn", "gradlew": "gradle", "dir": "ls", "vdir": "ls",
    "gsed": "sed", "ggrep": "grep", "pip3": "pip", "batcat": "bat", "ll": "ls",
}  # fmt: skip

# Variables that change how output looks, or where caches go, and not what is done.
NOISE_VARIABLES = frozenset(
    {
        "PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE", "PYTHONIOENCODING", "CI",
        "TERM", "PAGER", "GIT_PAGER", "NO_COLOR", "FORCE_COLOR", "CLICOLOR", "CLICOLOR_FORCE",
        "COLUMNS", "LINES", "LANG", "LC_ALL", "LC_CTYPE", "LANGUAGE", "DEBIAN_FRONTEND",
        "PIP_DISABLE_PIP_VERSION_CHECK", "RUST_BACKTRACE", "CARGO_TERM_COLOR", "PYTHONUTF8",
        "GIT_TERMINAL_PROMPT", "MPLBACKEND", "PYTHONFAULTHANDLER", "TTY", "PS1",
        "PS4",
    }
)  # fmt: skip

# They start another command with the same meaning.
TRANSPARENT = frozenset(
    {
        "time", "command", "builtin", "exec", "nohup", "setsid", "unbuffer", "caffeinate", "chronic",
    }
)  # fmt: skip
# They start another command in an environment of its own; they stay in the action.
LAUNCHERS: dict[str, frozenset[str]] = {
    "poetry": frozenset({"run"}), "uv": frozenset({"run"}), "pipenv": frozenset({"run"}),
    "pdm": frozenset({"run"}),
    "hatch": frozenset({"run"}), "rye": frozenset({"run"}), "bundle": frozenset({"exec"}), "npx": frozenset(),
    "bunx": frozenset(), "pnpx": frozenset(), "xvfb-run": frozenset(), "dotenv": frozenset({"run"}),
    "uvx": frozenset(), "pnpm": frozenset({"exec", "dlx"}), "strace": frozenset(), "catchsegv": frozenset(),
    "valgrind": frozenset(), "pipx": frozenset({"run"}), "pixi": frozenset({"run"}),
}  # fmt: skip

# Said before or after the command that matters, for the shell's own sake.
NOISE = frozenset(
    {
        "set", "shopt", "trap", "umask", "ulimit", "unset", "true", ":", "exit", "source", ".",
        "setopt", "unalias", "clear", "hash", "conda", "mamba", "nvm", "pyenv", "return", "pgrep",
        "stty", "break", "continue", "let", "local",
    }
)  # fmt: skip
BANNERS = frozenset({"echo", "printf", "pwd"})
WAITING = frozenset({"sleep", "true", ":", "wait", "usleep"})

READERS = frozenset(
    {
        "wc", "file", "stat", "du", "df", "diff", "cmp", "sort", "uniq", "cut", "tr", "awk", "gawk",
        "mawk", "jq", "yq", "which", "whereis", "type", "date", "pwd", "whoami", "id", "uname",
        "hostname", "printenv", "ps", "pgrep", "top", "free", "lsof", "ss", "netstat", "tree", "md5sum",
        "sha1sum", "sha256sum", "cksum", "xxd", "hexdump", "od", "strings", "readlink", "realpath",
        "dirname", "basename", "echo", "printf", "seq", "column", "fold", "paste", "comm", "test", "[",
        "expr", "nproc", "history", "alias", "man", "help", "dig", "ping", "nslookup", "host", "export",
        "declare", "typeset", "read", "cd", "pushd", "popd", "dirs", "jobs", "kill", "pkill", "killall",
        "env", "locate", "fd", "fdfind", "cloc", "tokei", "nm", "ldd", "objdump", "readelf", "size",
        "colordiff", "rev", "tac", "shuf", "base64", "iconv", "less", "cat", "head", "tail", "nl", "bc",
        "uptime", "vmstat", "iostat", "journalctl", "dmesg", "groups", "who", "last", "lscpu", "lsblk",
        "mount", "tput", "exa", "eza", "code_search", "msgcat", "bind", "complete", "fg", "bg",
        "disown", "sed", "curl", "http", "nc", "telnet", "zcat", "zless",
    }
)  # fmt: skip
VIEWS = frozenset(
    {
        "wc", "file", "stat", "diff", "cmp", "xxd", "hexdump", "od", "strings", "jq", "yq", "readlink",
        "colordiff",
    }
)  # fmt: skip
LISTS = frozenset({"tree", "fd", "fdfind", "exa", "eza", "locate", "du"})

WRITERS = frozenset(
    {
        "edit", "insert", "undo_edit",
        "cp", "mv", "rm", "mkdir", "rmdir", "touch", "ln", "chmod", "chown", "chgrp", "install",
        "patch", "ed", "ex", "tee", "truncate", "dd", "rsync", "unzip", "gunzip", "gzip", "bunzip2",
        "xz", "zip", "split", "shred", "unlink", "apply_patch", "applypatch", "2to3", "autopep8",
        "yapf", "autoflake", "isort", "sponge", "rename", "scp", "dos2unix", "unix2dos", "vim", "vi",
        "nano", "emacs", "antlr4", "mkfifo", "mktemp", "django-admin", "csplit",
    }
)  # fmt: skip

INSTALLERS: dict[str, frozenset[str]] = {
    "pip": frozenset({"install", "uninstall", "download"}),
    "uv": frozenset({"add", "sync", "remove", "lock"}),
    "poetry": frozenset({"add", "install", "remove", "update", "lock"}),
    "pipenv": frozenset({"install", "uninstall", "sync"}),
    "conda": frozenset({"install", "create", "update", "remove"}),
    "npm": frozenset({"install", "i", "ci", "add", "uninstall", "update", "remove"}),
    "pnpm": frozenset({"install", "i", "add", "remove", "update"}),
    "yarn": frozenset({"install", "add", "remove", "upgrade", ""}),
    "bun": frozenset({"install", "add", "remove"}),
    "apt": frozenset({"install", "update", "upgrade", "remove"}),
    "apt-get": frozenset({"install", "update", "upgrade", "remove"}),
    "apk": frozenset({"add", "del", "update"}),
    "yum": frozenset({"install", "remove"}),
    "dnf": frozenset({"install", "remove"}),
    "brew": frozenset({"install", "uninstall"}),
    "cargo": frozenset({"add", "install", "remove", "fetch"}),
    "go": frozenset({"get", "install", "mod"}),
    "gem": frozenset({"install"}),
    "bundle": frozenset({"install", "update"}),
    "composer": frozenset({"install", "require", "update"}),
    "dotnet": frozenset({"add", "restore"}),
    "easy_install": frozenset({""}),
}
# Subcommands that only tell; all others of these programs may do anything.
TELLING: dict[str, frozenset[str]] = {
    "docker": frozenset(
        {"ps", "logs", "images", "inspect", "version", "info", "stats", "top", "port", "diff"}
    ),
    "podman": frozenset({"ps", "logs", "images", "inspect", "version", "info"}),
    "kubectl": frozenset({"get", "describe", "logs", "top", "version", "explain", "cluster-info"}),
    "pip": frozenset({"list", "show", "freeze", "check", "--version", "index", "config"}),
    "npm": frozenset({"ls", "list", "view", "outdated", "--version", "-v", "config", "root", "bin"}),
    "cargo": frozenset({"tree", "metadata", "--version", "search"}),
    "go": frozenset({"list", "version", "env", "doc", "vet"}),
    "gh": frozenset({"run", "pr", "issue", "api", "repo", "auth", "release"}),
    "systemctl": frozenset({"status", "is-active", "list-units", "show"}),
    "apt": frozenset({"list", "show", "search"}),
    "apt-cache": frozenset({"search", "show", "policy"}),
    "dpkg": frozenset({"-l", "-L", "-s", "-S"}),
    "conda": frozenset({"list", "info", "env"}),
    "aws": frozenset({"--version"}),
    "terraform": frozenset({"plan", "show", "validate", "version"}),
    "sqlite3": frozenset(),
}
# Linters, type checkers and the like: they tell, unless told to fix.
CHECKERS = frozenset(
    {
        "mypy", "pyright", "flake8", "pylint", "pyflakes", "pycodestyle", "pydocstyle", "eslint", "tsc",
        "bandit", "shellcheck", "hadolint", "vulture", "black", "ruff", "prettier", "clippy-driver",
        "golangci-lint", "staticcheck",
    }
)  # fmt: skip
