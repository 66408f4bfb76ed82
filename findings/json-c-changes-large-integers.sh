#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# json-c reads an integer of more than 64 bits as another integer, without an error.
#
# Guess: a longer integer becomes a "double", as 1e20 does, or is an error, at least with JSON_TOKENER_STRICT. And
# json_object_get_int64() sets errno if it cannot return the value: json_object.h says to set it to 0 before the call.
#
# What happens: an integer above 2^64-1 becomes 2^64-1, and one below -2^63 becomes -2^63, also with
# JSON_TOKENER_STRICT. The type is "int", the parser reports success, and what json-c writes has the other number, while
# 1e400 is written as it was read. json_object_get_int64() returns 2^63-1 for each greater "int" and "double", and errno
# stays 0. It is set only for the same digits in a string.
#
# Seen with json-c 0.16 of Debian 12 on x86_64. The output seen is at the end.
#
# A program that reads numbers with json-c must have a range of its own that ends below 2^63-1, and errno is no test of
# it. What it only passes on, it must pass on as text.

set -u -o pipefail
export LC_ALL=C
packages=(libjson-c5=0.16-2 libjson-c-dev=0.16-2)
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

# Prints the version of json-c, and for each argument, which is a document, what json-c reads and writes.
cat >"$work/read.c" <<'END'
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <json.h>

static void try(const char *text, const char *mode, int flags) {
        struct json_tokener *tokener = json_tokener_new();
        struct json_object *o;
        int64_t value;

        json_tokener_set_flags(tokener, flags);
        o = json_tokener_parse_ex(tokener, text, (int) strlen(text) + 1);
        if (o) {
                errno = 0;
                value = json_object_get_int64(o);
                printf("%s: %s, %s, get_int64 %" PRId64 " errno %s\n", mode,
                       json_type_to_name(json_object_get_type(o)), json_object_to_json_string(o), value,
                       errno == ERANGE ? "ERANGE" : errno ? "other" : "0");
        } else
                printf("%s: %s\n", mode, json_tokener_error_desc(json_tokener_get_error(tokener)));

        json_object_put(o);
        json_tokener_free(tokener);
}

int main(int argc, char **argv) {
        puts(json_c_version());
        for (int i = 1; i < argc; i++) {
                printf("== %s\n", argv[i]);
                try(argv[i], "default", 0);
                try(argv[i], "strict", JSON_TOKENER_STRICT);
        }
}
END
gcc -I "$(find "$work/root" -path '*/json-c/json.h' -printf '%h')" -o "$work/read" "$work/read.c" \
        -L "${libraries%%:*}" -ljson-c >"$work/gcc.log" 2>&1 || cannot_run "no program: $(tail -1 "$work/gcc.log")"
LD_LIBRARY_PATH=$libraries "$work/read" 9223372036854775807 18446744073709551615 18446744073709551616 \
        100000000000000000000 -9223372036854775809 1e20 1e400 '"18446744073709551616"' >"$work/out"
version=$(head -1 "$work/out")
[ "$version" = 0.16 ] || cannot_run "json-c says \"$version\""
tail -n +2 "$work/out" >"$work/seen"

diff -u --label "as stated" --label "seen now" - "$work/seen" <<'END' || exit 1
== 9223372036854775807
default: int, 9223372036854775807, get_int64 9223372036854775807 errno 0
strict: int, 9223372036854775807, get_int64 9223372036854775807 errno 0
== 18446744073709551615
default: int, 18446744073709551615, get_int64 9223372036854775807 errno 0
strict: int, 18446744073709551615, get_int64 9223372036854775807 errno 0
== 18446744073709551616
default: int, 18446744073709551615, get_int64 9223372036854775807 errno 0
strict: int, 18446744073709551615, get_int64 9223372036854775807 errno 0
== 100000000000000000000
default: int, 18446744073709551615, get_int64 9223372036854775807 errno 0
strict: int, 18446744073709551615, get_int64 9223372036854775807 errno 0
== -9223372036854775809
default: int, -9223372036854775808, get_int64 -9223372036854775808 errno 0
strict: int, -9223372036854775808, get_int64 -9223372036854775808 errno 0
== 1e20
default: double, 1e20, get_int64 9223372036854775807 errno 0
strict: double, 1e20, get_int64 9223372036854775807 errno 0
== 1e400
default: double, 1e400, get_int64 9223372036854775807 errno 0
strict: double, 1e400, get_int64 9223372036854775807 errno 0
== "18446744073709551616"
default: string, "18446744073709551616", get_int64 9223372036854775807 errno ERANGE
strict: string, "18446744073709551616", get_int64 9223372036854775807 errno ERANGE
END
echo "behaves as stated"
