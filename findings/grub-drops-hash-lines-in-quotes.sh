#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# GRUB drops a line of grub.cfg that begins with "#" also inside quotes, and grub-script-check does not.
#
# Guess: "#" inside quotes is text, as in a shell, and if grub-script-check refuses a grub.cfg, GRUB refuses it, too.
#
# What happens: GRUB drops each line whose first byte is "#" before its parser sees it. So a quoted value of several
# lines loses such a line, an apostrophe in it ends no quote, and a command that a backslash continues goes on with the
# line after it. A blank before the "#" keeps the line. grub-script-check reads the file with its own code and does not
# drop these lines. So it refuses a file that GRUB runs without an error.
#
# Seen with GRUB 2.06 of Debian 12 on x86_64: grub-emu, which is GRUB as a program, and grub-script-check. The output
# seen is at the end.
#
# If a parser of grub.cfg is compared with grub-script-check, these lines must be dropped before grub-script-check sees
# the file.

set -u -o pipefail
export LC_ALL=C
# Below the first line: the libraries that grub-emu is linked with, for its windows and sounds, which are not used.
packages=(
        grub-emu=2.06-13+deb12u2 grub-common=2.06-13+deb12u2
        libasound2=1.2.8-1+b1 libasyncns0=0.8-6+b3 libbsd0=0.11.7-2 libcaca0=0.99.beta20-3+deb12u1
        libdbus-1-3=1.14.10-1~deb12u1 libdevmapper1.02.1=2:1.02.185-2 libflac12=1.4.2+ds-2 libmd0=1.0.4-2
        libmp3lame0=3.100-6 libmpg123-0=1.31.2-1+deb12u1 libncursesw6=6.4-4 libogg0=1.3.5-3 libopus0=1.3.1-3
        libpulse0=16.1+dfsg1-2+b1 libsdl1.2debian=1.2.15+dfsg2-8 libslang2=2.3.3-3 libsndfile1=1.2.0-1+deb12u1
        libvorbis0a=1.3.7-1 libvorbisenc2=1.3.7-1 libx11-6=2:1.8.4-2+deb12u2 libx11-xcb1=2:1.8.4-2+deb12u2
        libxau6=1:1.0.9-1 libxcb1=1.15-1 libxdmcp6=1:1.1.2-3 libxext6=2:1.3.4-1+b1
)
work=$(mktemp -d) || exit 77
trap 'rm -rf "$work"' EXIT

cannot_run() {
        echo "cannot be run here: $*" >&2
        exit 77
}

# Unpacks the packages into $work/root.
unpack_packages() {
        local package

        (cd "$work" && apt-get -qq -o APT::Sandbox::User=root download "${packages[@]}") >"$work/apt.log" 2>&1 ||
                cannot_run "$(tail -1 "$work/apt.log")"
        for package in "$work"/*.deb; do
                dpkg-deb -x "$package" "$work/root" || cannot_run "${package##*/} cannot be unpacked"
        done
}

# The programs of the packages with the libraries of the packages: packaged PROGRAM [ARGUMENT...]
packaged() {
        LD_LIBRARY_PATH=$libraries timeout 60 "$work/root/usr/bin/$1" "${@:2}"
}

# Prints what GRUB says, without its greeting and colours, when it runs standard input as its grub.cfg, and what
# grub-script-check thinks of the same: try NAME
try() {
        local status

        cat >"$work/grub/grub.cfg"
        packaged grub-script-check "$work/grub/grub.cfg" >/dev/null 2>&1
        echo "== $1: grub-script-check ends with $?"
        TERM=dumb packaged grub-emu -r host -d "$work/grub" </dev/null >"$work/out" 2>&1
        status=$?
        sed 's/\x1b\[[0-9;]*m//g; s/\r//g; /^Welcome to GRUB!$/d; /^$/d' "$work/out"
        echo "GRUB ends with $status"
}

unpack_packages
libraries=$(find "$work/root" -name '*.so*' -printf '%h\n' | sort -u | paste -sd:)
for program in grub-emu grub-script-check; do
        version=$(packaged $program --version 2>&1)
        [[ $version == *" 2.06-13+deb12u2" ]] || cannot_run "$program says \"$version\""
done
mkdir "$work/grub"
{
        try "quoted" <<'END'
set lines='one
# two
 # three
four'
echo "$lines"
exit
END
        try "continued" <<'END'
echo one \
# two
three
exit
END
        try "apostrophe" <<'END'
set lines='one
# this isn't shown
three'
echo "$lines"
exit
END
} >"$work/seen"

diff -u --label "as stated" --label "seen now" - "$work/seen" <<'END' || exit 1
== quoted: grub-script-check ends with 0
one
 # three
four
GRUB ends with 0
== continued: grub-script-check ends with 0
one three
GRUB ends with 0
== apostrophe: grub-script-check ends with 1
one
three
GRUB ends with 0
END
echo "behaves as stated"
