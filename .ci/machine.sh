# What the scripts here say to people, and take from the machine. Sourced.
# shellcheck shell=bash

say() {
    printf '    %s\n' "$*"
}

fail() {
    printf '    %s\n' "$*" >&2
    exit 1
}

install_packages() {
    say "installing $*"
    command -v apt-get >/dev/null || fail "install $* first: this script can do it with apt-get only"
    ((EUID == 0)) || fail "install $* first, or run this as root"
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}
