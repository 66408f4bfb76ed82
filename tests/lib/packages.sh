# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What a fresh Debian 12 needs. Sourced by tests/try and tests/run.

packages_build=(
        autoconf automake gcc make pkg-config
        libcmocka-dev libinih-dev libjson-c-dev libssl-dev libsystemd-dev libudev-dev zlib1g-dev systemd
)
packages_test=(
        bash-completion binutils bzip2 checkpolicy clang libclang-rt-14-dev git grub-common libtss2-dev
        libtss2-tcti-swtpm0 man-db mandoc policycoreutils selinux-policy-dev selinux-utils semodule-utils setools
        procps python3 python3-jsonschema rpm rpmlint scdoc shellcheck strace swtpm swtpm-tools systemd
        tpm2-tools valgrind xz-utils zsh
)

# How gtuned is built for a release, as options of configure.
# shellcheck disable=SC2034
release_options=(--enable-werror --prefix=/usr --sysconfdir=/etc --localstatedir=/var CFLAGS='-g -O2')

# Runs a command that prints nothing for a while: quietly WHAT LOG COMMAND...
# Says what is waited for and roughly how long, keeps the output in LOG, and shows its end if the command fails.
quietly() {
        local what=$1 log=$2 started=$SECONDS

        shift 2
        echo "# $what"
        "$@" >"$log" 2>&1 || { tail -40 "$log"; return 1; }
        echo "# ... done in $((SECONDS - started)) s"
}

# Names of those packages that are not installed.
missing_packages() {
        local package

        for package in "$@"; do
                dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed || echo "$package"
        done
}

apt_install() {
        apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@"
}

# Installs what is missing. Says what it does, and needs root only for that.
install_packages() {
        local missing log status=0

        command -v dpkg-query >/dev/null || { echo "# without dpkg nothing is installed: see doc/developer.md"; return 0; }
        mapfile -t missing < <(missing_packages "$@")
        [ ${#missing[@]} -gt 0 ] || { echo "# all $# packages that are needed are installed"; return 0; }

        if [ "$(id -u)" -ne 0 ]; then
                echo "these packages are missing, and only root can install them: ${missing[*]}" >&2
                return 1
        fi
        log=$(mktemp)
        quietly "installing ${#missing[@]} packages with apt-get, some minutes at most: ${missing[*]}" "$log" \
                apt_install "${missing[@]}" || status=$?
        rm -f "$log"
        return "$status"
}

# Configures and builds in a folder of its own: build_tree FOLDER [MAKE TARGET...] -- [CONFIGURE OPTION...]
# Times are those of two cores, quiet and busy.
build_tree() {
        local folder=$1 targets=()

        shift
        while [ $# -gt 0 ] && [ "$1" != -- ]; do
                targets+=("$1")
                shift
        done
        shift

        mkdir -p "$folder"
        if [ ! -x "$top/configure" ] || [ "$top/configure.ac" -nt "$top/configure" ]; then
                quietly "autoreconf makes the configure script, 5 to 15 s" "$folder/autoreconf.log" \
                        env -C "$top" autoreconf -fi || return 1
        fi
        [ -f "$folder/Makefile" ] || quietly "configure looks at this machine, 5 to 15 s" "$folder/configure.log" \
                env -C "$folder" "$top/configure" "$@" || return 1
        quietly "make ${targets[*]}, with $(nproc) jobs: half a minute to two" "$folder/make.log" \
                make -C "$folder" -j"$(nproc)" "${targets[@]}"
}
