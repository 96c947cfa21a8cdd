#!/usr/bin/env bash
# venv.sh: makes the tests' Python environment in the cache once, and prints the path of its interpreter.
# The stamp holds the requirements' hash: a change of a pin makes the environment anew.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${STROBE_CACHE:-$HOME/.cache/strobe}
venv=$cache/venv
want=$(sha256sum < "$here/requirements.txt" | cut -d" " -f1)
if [[ ! -f $venv/.stamp || $(< "$venv/.stamp") != "$want" ]] || ! "$venv/bin/python" -c '' 2> /dev/null; then
    mkdir -p "$cache"
    exec 9> "$cache/venv.lock"
    flock 9
    if [[ ! -f $venv/.stamp || $(< "$venv/.stamp") != "$want" ]] || ! "$venv/bin/python" -c '' 2> /dev/null; then
        rm -rf "$venv"
        python3 -m venv "$venv" >&2
        "$venv/bin/pip" install --quiet --disable-pip-version-check -r "$here/requirements.txt" >&2
        echo "$want" > "$venv/.stamp"
    fi
fi
echo "$venv/bin/python"
