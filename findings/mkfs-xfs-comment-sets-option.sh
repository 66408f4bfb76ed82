#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# The end of a long comment in a configuration file of mkfs.xfs is read as an option.
#
# Guess: a line that begins with "#" changes nothing, whatever its length. mkfs.xfs(8) has such comments and no limit.
#
# What happens: libinih, which reads the file, takes 199 bytes at a time and sees a new line in the rest of a longer
# one. So a comment with "finobt=0" after its 199th byte switches off finobt, and with it inobtcount. There is no
# message and the exit status is 0. If the rest begins with a blank, libinih takes it as one more value of the option
# above the comment, and mkfs.xfs complains about that option.
#
# Seen with xfsprogs 6.1.0 and libinih 55 of Debian 12 on x86_64. The output seen is at the end. By hand, with xfsprogs
# 6.13.0 and libinih 59 of Debian 13: the long comment is an error, "Unrecognised input on line 3. Aborting."
#
# A program that uses libinih must check the length of each line before libinih reads it, comments included.

set -u -o pipefail
export LC_ALL=C
packages=(
        xfsprogs=6.1.0-1 libinih1=55-1
        libblkid1=2.38.1-5+deb12u3 liburcu8=0.13.2-1 libuuid1=2.38.1-5+deb12u3
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
        LD_LIBRARY_PATH=$libraries "$work/root/$1" "${@:2}"
}

unpack_packages
libraries=$(find "$work/root" -name '*.so*' -printf '%h\n' | sort -u | paste -sd:)
version=$(packaged sbin/mkfs.xfs -V 2>&1)
[ "$version" = "mkfs.xfs version 6.1.0" ] || cannot_run "mkfs.xfs says \"$version\""
truncate -s 300M "$work/disk"

# Prints what mkfs.xfs would do (-N: nothing is written) with "crc=1" and, below it, the line: try NAME LINE
try() {
        printf '[metadata]\ncrc=1\n%s\n' "$2" >"$work/options"
        if packaged sbin/mkfs.xfs -N -c options="$work/options" "$work/disk" >"$work/out" 2>"$work/messages"; then
                echo "$1: $(grep -oE 'inobtcount=[01]|finobt=[01]' "$work/out" | paste -sd' ')"
                sed 's/^/message: /' "$work/messages"
        else
                echo "$1: exit status $?, $(head -1 "$work/messages")"
        fi
}

dots=$(printf '%197s' '' | tr ' ' .)
{
        try "no comment" ""
        try "comment of 108 bytes" "# ${dots:0:98}finobt=0"
        try "comment of 207 bytes" "# ${dots}finobt=0"
        try "comment of 208 bytes" "# ${dots} finobt=0"
} >"$work/seen"

diff -u --label "as stated" --label "seen now" - "$work/seen" <<'END' || exit 1
no comment: finobt=1 inobtcount=1
comment of 108 bytes: finobt=1 inobtcount=1
comment of 207 bytes: finobt=0 inobtcount=0
comment of 208 bytes: exit status 1, -m crc option respecified
END
echo "behaves as stated"
