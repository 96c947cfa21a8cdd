# Sourced by app/run and tests/run: installs what is missing, configures and builds. Defines functions only; needs $top, the tree's top.

say() { printf '== %s\n' "$*" >&2; }

# Quick when everything is there: one dpkg-query. Needs root or sudo only when something is missing.
strobe_install_packages() {
    local wanted missing as_root=()
    command -v apt-get > /dev/null || { say "no apt-get here: install what .cmake/packages.txt names by hand"; return 0; }
    wanted=$(grep -v '^#' "$top/.cmake/packages.txt")
    missing=$(LC_ALL=C comm -23 <(LC_ALL=C sort <<< "$wanted") <(dpkg-query -W -f='${Package} ${db:Status-Status}\n' 2> /dev/null | awk '$2 == "installed" { print $1 }' | LC_ALL=C sort -u))
    [[ -n $missing ]] || return 0
    if ((EUID != 0)); then
        command -v sudo > /dev/null || { say "these packages are missing, and neither root nor sudo is at hand to install them: $missing"; return 1; }
        as_root=(sudo)
    fi
    say "installing:" $missing
    "${as_root[@]}" apt-get update -qq
    # shellcheck disable=SC2086  # one word a package
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing < /dev/null > /dev/null
}

# strobe_build [target...]: Release build in build/. Compiler output of one checkout serves every other one through ccache's usual folder.
strobe_build() {
    export CCACHE_BASEDIR=$top CCACHE_NOHASHDIR=1
    [[ ! -x /usr/local/cuda/bin/nvcc ]] || export PATH=$PATH:/usr/local/cuda/bin
    say "configuring"
    mkdir -p "$top/build"
    (cd "$top" && cmake --preset release > build/configure.log 2>&1) || { cat "$top/build/configure.log" >&2; return 1; }
    grep -E 'left out|CUDA' "$top/build/configure.log" >&2 || true
    say "building"
    NINJA_STATUS='[%f/%t %es] ' cmake --build "$top/build" ${1:+--target "$@"} >&2
}
