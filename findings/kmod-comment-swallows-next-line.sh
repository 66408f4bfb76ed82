#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# In a modprobe.d file, a comment that ends in "\" takes the next line with it, however many such lines follow.
#
# Guess: modprobe.d(5) says that lines that begin with "#" are ignored, and that "\" at the end of a line continues it.
# A comment is ignored up to its end, as in a shell or in sudoers, so that a path such as "# C:\drivers\" in it, or a
# drawing, has no effect on the line after it.
#
# What happens: kmod joins the lines before it looks for "#". The line after the comment is a part of the comment: an
# option is not set, and a module that was to be kept out is not. Nothing is said. A blank after the "\" ends the
# continuation, so that two files that look the same do different things.
#
# Seen with kmod 30 of Debian 12 on x86_64. The output seen is at the end.
#
# A program that reads or edits modprobe.d must join lines first, and must not add a line behind one that ends in "\".

set -u -o pipefail
export LC_ALL=C
packages=(kmod=30+20221128-1 libkmod2=30+20221128-1)
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

unpack_packages
libraries=$(find "$work/root" -name '*.so*' -printf '%h\n' | sort -u | paste -sd:)

kmod() {
        LD_LIBRARY_PATH=$libraries "$work/root/bin/kmod" "$@"
}

version=$(kmod --version | head -1) || cannot_run "kmod does not start"
[ "$version" = "kmod version 30" ] || cannot_run "kmod says \"$version\""

# Prints what kmod makes of a file; what the kernel's command line adds is left out.
show() {
        rm -rf "$work/modprobe.d"
        mkdir "$work/modprobe.d"
        printf '%b' "$2" >"$work/modprobe.d/one.conf"
        echo "== $1"
        LD_LIBRARY_PATH=$libraries "$work/modprobe" -C "$work/modprobe.d" -c 2>/dev/null |
                grep -E ' (dummy|floppy|pcspkr)\b'
}

ln -s root/bin/kmod "$work/modprobe"
{
        show "a comment" '# quiet\noptions dummy numdummies=2\nblacklist floppy\n'
        show "a comment that ends in a backslash" '# quiet \\\noptions dummy numdummies=2\nblacklist floppy\n'
        show "and two lines that do" '# quiet \\\noptions dummy numdummies=2 \\\nblacklist floppy\nblacklist pcspkr\n'
        show "a backslash and a blank" '# quiet \\ \noptions dummy numdummies=2\nblacklist floppy\n'
        show "no comment" 'options dummy \\\nnumdummies=2\nblacklist floppy\n'
} >"$work/seen"

diff -u --label "as stated" --label "seen now" - "$work/seen" <<'END' || exit 1
== a comment
blacklist floppy
options dummy numdummies=2
== a comment that ends in a backslash
blacklist floppy
== and two lines that do
blacklist pcspkr
== a backslash and a blank
blacklist floppy
options dummy numdummies=2
== no comment
blacklist floppy
options dummy numdummies=2
END
echo "behaves as stated"
