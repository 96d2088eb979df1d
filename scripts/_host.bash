# What the scripts share about the host: saying things, finding programs, installing what is missing.
# Sourced, never run. Exit code 125 means that the host lacks something, as in microloop itself.

HERE="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)"
CACHE="${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/microloop-test"

say() { printf '%s\n' "$*" >&2; }
step() { printf '\n== %s\n' "$*" >&2; }
lacks() { say "$1"; shift; for line in "$@"; do say "  $line"; done; exit 125; }
has() { command -v "$1" >/dev/null 2>&1; }

# may_install: true when this user can install Debian packages without being asked anything.
may_install() { [ "$(id -u)" = 0 ] && has apt-get; }

# want PROGRAM PACKAGE...: the packages to install when PROGRAM is not on PATH.
missing_packages=()
want() { has "$1" || missing_packages+=("${@:2}"); }

# install_missing: installs what `want` noted, or says the command and ends with 125.
install_missing() {
  [ "${#missing_packages[@]}" -gt 0 ] || return 0
  local names="${missing_packages[*]}"
  missing_packages=()
  may_install || lacks "This host lacks: $names. Install it, then run this again:" "$(install_command) $names"
  say "Installing $names ..."
  local log
  log="$(mktemp)"
  if ! { DEBIAN_FRONTEND=noninteractive apt-get update -q && apt_install $names; } >"$log" 2>&1 </dev/null; then
    tail -n 20 "$log" >&2
    rm -f "$log"
    lacks "Installing failed (the last lines are above). By hand:" "apt-get update && apt-get install $names"
  fi
  rm -f "$log"
  hash -r
}

apt_install() { DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "$@"; }

# install_command: how a person installs packages on this host.
install_command() {
  if has apt-get; then echo "sudo apt-get install"
  elif has dnf; then echo "sudo dnf install"
  elif has pacman; then echo "sudo pacman -S"
  elif has apk; then echo "sudo apk add"
  elif has zypper; then echo "sudo zypper install"
  else echo "(your package manager) install"; fi
}

# find_python: prints a Python of 3.10 or later; false when there is none.
find_python() {
  local name
  for name in ${MICROLOOP_PYTHON:-} python3 python3.14 python3.13 python3.12 python3.11 python3.10 /usr/bin/python3; do
    if has "$name" && "$name" -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null; then
      command -v "$name"
      return 0
    fi
  done
  return 1
}
