#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# libinih 61 reports an error for a line of exactly 199 bytes, and passes its whole value on all the same.
#
# Guess: ini.h sets INI_MAX_LINE to 200, so that a line of 199 bytes and the NUL fit. A line is either read, and
# ini_parse() returns 0, as with release 55, or it is too long: then it is reported, and no value of it is passed on.
#
# What happens: a line whose bytes fill the buffer before its newline counts as the beginning of a longer one. The rest,
# which is the newline alone, is dropped and its line becomes the error that ini_parse() returns; the callback gets the
# key with its whole value before that. So a program that calls ini_parse() refuses a file that it has read right. A
# line of 200 bytes is the same error, and its value is passed on without its last byte. If the line of 199 bytes is the
# last one and has no newline, there is no error.
#
# Seen with libinih 61 of Debian forky on x86_64. The output seen is at the end.
#
# A program that must know whether a line was cut counts its bytes itself. A reader of its own for ini_parse_stream()
# returns NULL when it is asked for the rest of a line that was whole, or lines are swallowed up to the next newline.

set -u -o pipefail
export LC_ALL=C
packages=(libinih1=61-1+b2 libinih-dev=61-1+b2)
work=$(mktemp -d) || exit 77
trap 'rm -rf "$work"' EXIT

cannot_run() {
        echo "cannot be run here: $*" >&2
        exit 77
}

# The Debian archive that this machine installs from.
mirror() {
        sed -n -E 's/^(URIs:|deb( \[[^]]*\])?) *(http[^ ]*\/debian)\/?( .*)?$/\3/p' /etc/apt/sources.list \
                /etc/apt/sources.list.d/* 2>/dev/null | head -1
}

# Unpacks the packages into $work/root. Debian 12 has an older release of the library.
unpack_packages() {
        local package options=(-o "Dir::Etc::SourceList=$work/sources.list" -o Dir::Etc::SourceParts=/dev/null
                -o "Dir::State::Lists=$work/lists" -o APT::Sandbox::User=root)

        mkdir -p "$work/lists/partial"
        echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $(mirror) forky main" >"$work/sources.list"
        (cd "$work" && apt-get -qq "${options[@]}" update && apt-get -qq "${options[@]}" download "${packages[@]}") \
                >"$work/apt.log" 2>&1 || cannot_run "$(tail -1 "$work/apt.log")"
        for package in "$work"/*.deb; do
                dpkg-deb -x "$package" "$work/root" || cannot_run "${package##*/} cannot be unpacked"
        done
}

unpack_packages
libraries=$(find "$work/root" -name '*.so*' -printf '%h\n' | sort -u | paste -sd:)
version=$(sed -n 's/^Version: //p' "$(find "$work/root" -name inih.pc)")
[ "$version" = 61 ] || cannot_run "inih.pc says \"$version\""

# Prints how long the value of each key is, and what ini_parse() returns.
cat >"$work/read.c" <<'END'
#include <ini.h>
#include <stdio.h>
#include <string.h>

static int print(void *data, const char *section, const char *name, const char *value) {
        (void) data;
        printf("[%s] %s: %zu bytes\n", section, name, strlen(value));
        return 1;
}

int main(int argc, char **argv) {
        for (int i = 1; i < argc; i++) {
                int r = ini_parse(argv[i], print, NULL);

                printf("ini_parse() returns %d\n", r);
        }
        return 0;
}
END
gcc -I "$work/root/usr/include" -o "$work/read" "$work/read.c" -L "${libraries%%:*}" -linih >"$work/gcc.log" 2>&1 ||
        cannot_run "no program: $(tail -1 "$work/gcc.log")"

# A section, a line of so many bytes, and a second key: try BYTES
try() {
        printf '[a]\nb=%0*d\nc=d\n' $(($1 - 2)) 0 >"$work/file"
        echo "== a line of $1 bytes"
        LD_LIBRARY_PATH=$libraries "$work/read" "$work/file" || cannot_run "the program does not start"
}

{
        try 198
        try 199
        try 200
        printf '[a]\nb=%0197d' 0 >"$work/file"
        echo "== a last line of 199 bytes without a newline"
        LD_LIBRARY_PATH=$libraries "$work/read" "$work/file"
} >"$work/seen"

diff -u --label "as stated" --label "seen now" - "$work/seen" <<'END' || exit 1
== a line of 198 bytes
[a] b: 196 bytes
[a] c: 1 bytes
ini_parse() returns 0
== a line of 199 bytes
[a] b: 197 bytes
[a] c: 1 bytes
ini_parse() returns 2
== a line of 200 bytes
[a] b: 197 bytes
[a] c: 1 bytes
ini_parse() returns 2
== a last line of 199 bytes without a newline
[a] b: 197 bytes
ini_parse() returns 0
END
echo "behaves as stated"
