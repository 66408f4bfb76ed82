#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# In a submenu of GRUB, a variable that grub.cfg has set outside of it is not set, unless it was exported; functions are
# there.
#
# Guess: grub.cfg is one script, and a submenu is a block in it. What is set above the submenu has its value in the
# entries of the submenu as in those beside it.
#
# What happens: the text of a submenu runs in a new context when somebody opens it. Only exported variables are taken
# along: another one is empty, and the word that it stood in goes to the kernel without it, with no message. Those that
# GRUB exports itself (root, prefix) are there. What a submenu sets is gone when it is left. An entry that is no submenu,
# beside it or inside it, sees all that is set where it stands.
#
# Seen with GRUB 2.06 of Debian 12 on x86_64: grub-emu, which is GRUB as a program. The output seen is at the end.
#
# A program that says what an entry passes to the kernel must forget variables at each submenu but the exported ones, and
# one that writes grub.cfg must export what it uses in a submenu.

set -u -o pipefail
export LC_ALL=C
# Below the first line: the libraries that grub-emu is linked with, for its windows and sounds, which are not used.
packages=(
        grub-emu=2.06-13+deb12u2
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

# Prints what an entry of a menu sees: try PATH-OF-THE-ENTRY
try() {
        {
                echo "set default='$1'"
                cat <<'END'
set timeout=0
set plain=a
set sent=b
export sent
function seen { echo "plain=$plain sent=$sent inner=$inner root=$root"; exit; }
menuentry entry { seen; }
submenu submenu {
        set inner=c
        menuentry entry { seen; }
        submenu deeper {
                menuentry entry { seen; }
        }
}
END
        } >"$work/grub/grub.cfg"
        echo "== $1"
        TERM=dumb packaged grub-emu -r host -d "$work/grub" </dev/null >"$work/out" 2>&1
        sed 's/\x1b\[[0-9;]*[A-Za-z]//g; s/\r//g' "$work/out" | grep -a plain=
}

unpack_packages
libraries=$(find "$work/root" -name '*.so*' -printf '%h\n' | sort -u | paste -sd:)
version=$(packaged grub-emu --version 2>&1)
[[ $version == *" 2.06-13+deb12u2" ]] || cannot_run "grub-emu says \"$version\""
mkdir "$work/grub"
{
        try entry
        try "submenu>entry"
        try "submenu>deeper>entry"
} >"$work/seen"

diff -u --label "as stated" --label "seen now" - "$work/seen" <<'END' || exit 1
== entry
plain=a sent=b inner= root=host
== submenu>entry
plain= sent=b inner=c root=host
== submenu>deeper>entry
plain= sent=b inner= root=host
END
echo "behaves as stated"
