# Sets up this checkout: a venv of its own with microloop in it, the guard built, the host's programs there.
# Sourced after _host.bash; sets VENV. Quick when nothing changed.

VENV="${MICROLOOP_VENV:-$HERE/.venv}"

# host_programs: what a run in bubblewrap needs of the host.
host_programs() {
  want bwrap bubblewrap
  want git git
  want make make
  has musl-gcc || has cc || has gcc || missing_packages+=(gcc musl-tools)
  install_missing
}

make_venv() {
  local python stamp log
  python="$(find_python)" || lacks "No Python 3.10 or later on this host." "$(install_command) python3 python3-venv"
  stamp="$(sha256sum <"$HERE/pyproject.toml" | cut -c1-16) $python"
  [ "$(cat "$VENV/.installed" 2>/dev/null)" = "$stamp" ] && return
  say "Python packages into $VENV ..."
  log="$(mktemp)"
  # Cleared: over the venv of another Python it would be a mixture of both.
  if ! "$python" -m venv --clear "$VENV" >"$log" 2>&1; then
    missing_packages+=("python3-venv")
    install_missing
    "$python" -m venv --clear "$VENV" >"$log" 2>&1 ||
      { cat "$log" >&2; lacks "$python cannot make a venv." "$(install_command) python3-venv"; }
  fi
  if ! "$VENV/bin/pip" install -q --disable-pip-version-check -e "$HERE[dev]" >"$log" 2>&1 </dev/null; then
    tail -n 20 "$log" >&2
    lacks "pip could not install what microloop needs; its last lines are above."
  fi
  rm -f "$log"
  echo "$stamp" >"$VENV/.installed"
}

build_guard() {
  local log
  log="$(mktemp)"
  make -C "$HERE/sandboxes/guard" >"$log" 2>&1 || { cat "$log" >&2; lacks "The guard could not be built; see above."; }
  rm -f "$log"
}

setup() {
  host_programs
  make_venv
  build_guard
  export PATH="$VENV/bin:$PATH"
}
