#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# The pcrUpdateCounter of a TPM 2.0 counts banks, not commands, and it does not count PCR 16 and 23.
#
# Guess: each command that changes a PCR adds 1 to the counter that TPM2_PCR_Read returns. So the counter says how many
# events there were, and two reads with the same counter saw the same PCRs.
#
# What happens: TPM2_PCR_Extend adds 1 for each bank that it has a digest for, and TPM2_PCR_Event adds 1 for each bank
# of the TPM. PCR 16 (debug) and PCR 23 (application) are extended and reset without any change of the counter.
#
# Seen with libtpms 0.9.2 and swtpm 0.7.1 of Debian 12 on x86_64. The output seen is at the end.
#
# If a program reads PCRs with several commands, equal counters say nothing about PCR 16 and 23, which may have changed
# in between.

set -u -o pipefail
export LC_ALL=C
packages=(
        swtpm=0.7.1-1.3 swtpm-libs=0.7.1-1.3 libtpms0=0.9.2-3.1+deb12u1
        libseccomp2=2.5.4-1+deb12u1 libssl3=3.0.20-1~deb12u2
)
tpm=
work=$(mktemp -d) || exit 77
trap '[ -z "$tpm" ] || kill "$tpm" 2>/dev/null; rm -rf "$work"' EXIT

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
        LD_LIBRARY_PATH=$libraries exec "$work/root/$1" "${@:2}"
}

# Starts a TPM on a free port of the loopback device, and connects file descriptor 3 to it.
start_tpm() {
        local port

        mkdir "$work/state"
        for _ in {1..50}; do
                if [ -z "$tpm" ] || ! kill -0 "$tpm" 2>/dev/null; then
                        port=$((20000 + RANDOM % 12000))
                        packaged usr/bin/swtpm socket --tpm2 --tpmstate dir="$work/state" --server type=tcp,port=$port \
                                --flags not-need-init,startup-clear >"$work/swtpm.log" 2>&1 &
                        tpm=$!
                fi
                sleep 0.2
                { exec 3<>"/dev/tcp/127.0.0.1/$port"; } 2>/dev/null && kill -0 "$tpm" 2>/dev/null && return
        done
        cannot_run "swtpm does not start: $(tail -1 "$work/swtpm.log")"
}

# Prints that many bytes of what the TPM sends, as hex: receive COUNT
receive() {
        timeout 10 dd bs=1 count="$1" status=none <&3 | od -An -v -tx1 | tr -d ' \n'
}

# Sends a command, and prints its response as hex: ask TAG CODE BODY, all in hex. The length goes between TAG and CODE.
ask() {
        local hex escaped='' head

        hex=$1$(printf '%08x' $((${#2} / 2 + ${#3} / 2 + 6)))$2$3
        while [ -n "$hex" ]; do
                escaped+="\\x${hex:0:2}"
                hex=${hex:2}
        done
        # swtpm takes what one read gives as a whole command, and printf alone would write in parts, up to each 0x0a.
        printf '%b' "$escaped" | dd bs=4096 iflag=fullblock status=none >&3
        head=$(receive 10)
        if [ "${head:12:8}" != 00000000 ]; then
                echo "the TPM answers \"$head\" to command $2" >&2
                exit 1
        fi
        echo "$head$(receive $((16#${head:4:8} - 10)))"
}

# Reads a PCR of the sha256 bank into counter and value: read_pcr INDEX
read_pcr() {
        local reply mask=(00 00 00)

        mask[$1 / 8]=$(printf '%02x' $((1 << $1 % 8)))
        reply=$(ask 8001 0000017e "00000001000b03${mask[0]}${mask[1]}${mask[2]}") || exit
        counter=$((16#${reply:20:8})) value=${reply: -64}
}

# Runs a command on a PCR, with the empty password: change INDEX CODE [PARAMETERS]
change() {
        ask 8002 "$2" "$(printf '%08x' "$1")00000009400000090000000000${3:-}" >/dev/null || exit
}

# Prints how a command moves the counter, and whether it moves the PCR: try TEXT INDEX CODE [PARAMETERS]
try() {
        local counter value old_counter old_value moved=stays

        read_pcr "$2"
        old_counter=$counter old_value=$value
        change "${@:2}"
        read_pcr "$2"
        [ "$value" = "$old_value" ] || moved=changes
        echo "$1: PCR $2 $moved, counter +$((counter - old_counter))"
}

# Prints how the counter moves if each PCR from 0 to 15 is extended in one bank.
try_many() {
        local counter value old_counter index

        read_pcr 0
        old_counter=$counter
        for index in {0..15}; do
                change "$index" $extend "00000001$sha256"
        done
        read_pcr 0
        echo "extend, one bank: PCR 0 to 15, counter +$((counter - old_counter))"
}

unpack_packages
libraries=$(find "$work/root" -name '*.so*' -printf '%h\n' | sort -u | paste -sd:)
version=$(packaged usr/bin/swtpm --version 2>&1 | head -1)
[[ $version == *"version 0.7.1,"* ]] || cannot_run "swtpm says \"$version\""
start_tpm

# A digest of each of the four banks, as the algorithm's number and its bytes.
ones=$(printf '%0128d' 0 | tr 0 1)
sha1=0004${ones:0:40} sha256=000b${ones:0:64} sha384=000c${ones:0:96} sha512=000d$ones
extend=00000182 event=0000013c reset=0000013d
{
        try "extend, one bank" 0 $extend "00000001$sha256"
        try "extend, two banks" 0 $extend "00000002$sha256$sha384"
        try "extend, four banks" 0 $extend "00000004$sha1$sha256$sha384$sha512"
        try "event" 0 $event 000161
        try_many
        try "extend, four banks" 16 $extend "00000004$sha1$sha256$sha384$sha512"
        try "reset" 16 $reset
        try "extend, four banks" 23 $extend "00000004$sha1$sha256$sha384$sha512"
        try "event" 23 $event 000161
        try "reset" 23 $reset
} >"$work/seen"

diff -u --label "as stated" --label "seen now" - "$work/seen" <<'END' || exit 1
extend, one bank: PCR 0 changes, counter +1
extend, two banks: PCR 0 changes, counter +2
extend, four banks: PCR 0 changes, counter +4
event: PCR 0 changes, counter +4
extend, one bank: PCR 0 to 15, counter +16
extend, four banks: PCR 16 changes, counter +0
reset: PCR 16 changes, counter +0
extend, four banks: PCR 23 changes, counter +0
event: PCR 23 changes, counter +0
reset: PCR 23 changes, counter +0
END
echo "behaves as stated"
