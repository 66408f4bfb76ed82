#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# tpm2_eventlog extends PCR 0 by EV_NO_ACTION events, and starts PCR 0 at 0 whatever the locality of the startup.
#
# Guess: the values below "pcrs:" are those that a TPM has which got the events of the log. So if PCR 0 of the TPM is
# another one, the log is not the log of this boot.
#
# What happens: EV_NO_ACTION events, which firmware writes but does not measure, are extended like all others, except
# the header of the log. Their digests are zeros, and so each of them changes PCR 0. An event "StartupLocality" says
# what PCR 0 begins with: with 3, its last byte is 3. tpm2_eventlog prints this event and begins with 0. The exit status
# is 0, and there is no message.
#
# Seen with tpm2-tools 5.4 and, as the TPM, libtpms 0.9.2 and swtpm 0.7.1 of Debian 12 on x86_64. The output seen is at
# the end.
#
# A program that replays a log must not be tested against tpm2_eventlog alone, but against a TPM. Where the PCRs of
# tpm2_eventlog are compared with those of a TPM, PCR 0 has to be left out.

set -u -o pipefail
export LC_ALL=C TSS2_LOG=all+none
# Below the first two lines: the libraries that tpm2-tools is linked with, most of them for a download of certificates,
# which is not used, and those of swtpm.
packages=(
        tpm2-tools=5.4-1
        swtpm=0.7.1-1.3 swtpm-libs=0.7.1-1.3 libtpms0=0.9.2-3.1+deb12u1
        libtss2-esys-3.0.2-0=3.2.1-3 libtss2-mu0=3.2.1-3 libtss2-rc0=3.2.1-3 libtss2-sys1=3.2.1-3
        libtss2-tcti-swtpm0=3.2.1-3 libtss2-tctildr0=3.2.1-3
        libbrotli1=1.0.9-2+b6 libcurl3-gnutls=7.88.1-10+deb12u15 libgssapi-krb5-2=1.20.1-2+deb12u5
        libk5crypto3=1.20.1-2+deb12u5 libkeyutils1=1.6.3-2 libkrb5-3=1.20.1-2+deb12u5 libkrb5support0=1.20.1-2+deb12u5
        libldap-2.5-0=2.5.13+dfsg-5 libnghttp2-14=1.52.0-1+deb12u3 libpsl5=0.21.2-1
        librtmp1=2.4+20151223.gitfa8646d.1-2+b2 libsasl2-2=2.1.28+dfsg-10 libssh2-1=1.10.0-3+b1
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
        LD_LIBRARY_PATH=$libraries exec "$work/root/usr/bin/$1" "${@:2}"
}

# Writes bytes given as hex.
bytes() {
        local hex=$1 escaped=''

        while [ -n "$hex" ]; do
                escaped+="\\x${hex:0:2}"
                hex=${hex:2}
        done
        printf '%b' "$escaped"
}

# Prints standard input as hex.
hex() {
        od -An -v -tx1 | tr -d ' \n'
}

# Sends bytes to a port of the TPM, and checks that the answer is the one expected: ask PORT REQUEST ANSWER, all in hex.
ask() {
        local answer

        exec 3<>"/dev/tcp/127.0.0.1/$1" || exit
        bytes "$2" >&3
        answer=$(timeout 10 dd bs=1 count=$((${#3} / 2)) status=none <&3 | hex)
        exec 3>&-
        if [ "$answer" != "$3" ]; then
                echo "the TPM answers \"$answer\" to \"$2\"" >&2
                exit 1
        fi
}

# Starts a new TPM on two free ports of the loopback device, and gives it the command TPM2_Startup: start_tpm LOCALITY
start_tpm() {
        [ -z "$tpm" ] || { kill "$tpm" && wait "$tpm"; } 2>/dev/null
        tpm=
        rm -rf "$work/state"
        mkdir "$work/state"
        for _ in {1..50}; do
                if [ -z "$tpm" ] || ! kill -0 "$tpm" 2>/dev/null; then
                        port=$((20000 + RANDOM % 12000))
                        packaged swtpm socket --tpm2 --tpmstate dir="$work/state" --ctrl type=tcp,port=$((port + 1)) \
                                --server type=tcp,port=$port,disconnect >"$work/swtpm.log" 2>&1 &
                        tpm=$!
                fi
                sleep 0.2
                { exec 3<>"/dev/tcp/127.0.0.1/$((port + 1))"; } 2>/dev/null && kill -0 "$tpm" 2>/dev/null && break
        done
        kill -0 "$tpm" 2>/dev/null || cannot_run "swtpm does not start: $(tail -1 "$work/swtpm.log")"
        exec 3>&-
        ask $((port + 1)) 0000000200000000 00000000       # CMD_INIT
        ask $((port + 1)) "000000050$1" 00000000          # CMD_SET_LOCALITY
        ask "$port" 80010000000c000001440000 80010000000a00000000
}

# Prints a number in hex, the lowest byte first: little NUMBER BYTES
little() {
        local digits number=''

        digits=$(printf "%0$((2 * $2))x" "$1")
        while [ -n "$digits" ]; do
                number=${digits:0:2}$number
                digits=${digits:2}
        done
        echo "$number"
}

# Prints an event of PCR 0 with a sha256 digest, in hex: event TYPE DIGEST DATA
event() {
        echo "$(little 0 4)$(little "$1" 4)$(little 1 4)$sha256$2$(little $((${#3} / 2)) 4)$3"
}

# Measures "a" into PCR 0 of a new TPM, and prints how PCR 0 of the TPM and PCR 0 of tpm2_eventlog begin, if the log has
# the event before that of the measurement: try NAME LOCALITY EVENT
try() {
        local digest

        digest=$(printf a | sha256sum)
        digest=${digest:0:64}
        start_tpm "$2"
        (packaged tpm2_pcrextend -T "swtpm:host=127.0.0.1,port=$port" "0:sha256=$digest") || exit
        (packaged tpm2_pcrread -T "swtpm:host=127.0.0.1,port=$port" sha256:0) >"$work/tpm" || exit
        bytes "$header$3$(event 8 "$digest" 61)" >"$work/log" # 8 is EV_S_CRTM_VERSION
        (packaged tpm2_eventlog "$work/log") >"$work/eventlog" 2>&1
        echo "$1: exit status $?, TPM $(first_digits "$work/tpm"), tpm2_eventlog $(first_digits "$work/eventlog")"
}

# Prints the first digits of PCR 0 in the output of a tool: first_digits FILE
first_digits() {
        sed -n 's/^ *0 *: 0x\(.\{12\}\).*/\1/p' "$1" | tr A-F a-f
}

unpack_packages
libraries=$(find "$work/root" -name '*.so*' -printf '%h\n' | sort -u | paste -sd:)
version=$(packaged swtpm --version 2>&1 | head -1)
[[ $version == *"version 0.7.1,"* ]] || cannot_run "swtpm says \"$version\""
version=$(packaged tpm2_eventlog --version 2>&1 | head -1)
[[ $version == *' version="5.4" '* ]] || cannot_run "tpm2_eventlog says \"$version\""

zeros=$(printf '%064d' 0)
sha256=$(little 11 2)
# The header of a log of UEFI: an event as of TPM 1.2, which says that there is one kind of digest, of 32 bytes.
header=$(printf 'Spec ID Event03' | hex)00$(little 0 4)00020002$(little 1 4)$sha256$(little 32 2)00
header=$(little 0 4)$(little 3 4)${zeros:0:40}$(little $((${#header} / 2)) 4)$header
# EV_NO_ACTION is 3. The first has the number of a maker and a GUID, which say where reference values are to be had.
reference=$(event 3 "$zeros" "$(printf 'SP800-155 Event' | hex)00$(little 343 4)${zeros:0:32}")
locality=$(event 3 "$zeros" "$(printf StartupLocality | hex)0000")
{
        try "nothing" 0 ""
        try "SP800-155 Event" 0 "$reference"
        try "StartupLocality 0" 0 "$locality"
        try "StartupLocality 3" 3 "${locality%00}03"
} >"$work/seen"

diff -u --label "as stated" --label "seen now" - "$work/seen" <<'END' || exit 1
nothing: exit status 0, TPM 8c374a537826, tpm2_eventlog 8c374a537826
SP800-155 Event: exit status 0, TPM 8c374a537826, tpm2_eventlog 27333a22a9ce
StartupLocality 0: exit status 0, TPM 8c374a537826, tpm2_eventlog 27333a22a9ce
StartupLocality 3: exit status 0, TPM ee267a274999, tpm2_eventlog 27333a22a9ce
END
echo "behaves as stated"
