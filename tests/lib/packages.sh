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

# Installs what is missing. Says what it does, and needs root only for that.
install_packages() {
        local missing=() package

        command -v dpkg-query >/dev/null || return 0
        for package in "$@"; do
                dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed || missing+=("$package")
        done
        [ ${#missing[@]} -gt 0 ] || return 0

        echo "# installing: ${missing[*]}"
        if [ "$(id -u)" -ne 0 ]; then
                echo "these packages are missing, and only root can install them: ${missing[*]}" >&2
                return 1
        fi
        apt-get update -qq >/dev/null &&
                DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

# Configures and builds in a folder of its own: build_tree FOLDER [MAKE TARGET...] -- [CONFIGURE OPTION...]
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
                (cd "$top" && autoreconf -fi) >"$folder/autoreconf.log" 2>&1 || { cat "$folder/autoreconf.log"; return 1; }
        fi
        [ -f "$folder/Makefile" ] || (cd "$folder" && "$top/configure" "$@") >"$folder/configure.log" 2>&1 ||
                { tail -20 "$folder/configure.log"; return 1; }
        make -C "$folder" -j"$(nproc)" "${targets[@]}" >"$folder/make.log" 2>&1 || { tail -40 "$folder/make.log"; return 1; }
}
