#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# The blscfg of GRUB 2.14 drops a word of one letter behind a variable, and takes it again when a word follows.
#
# Guess: in the line "options" of an entry of the boot loader specification, GRUB replaces each variable by its value and
# keeps every other byte. A word that is appended changes nothing of the words before it.
#
# What happens: after a variable and one blank, which GRUB drops, text that ends with the line or before the next "$" is
# lost if it is a single byte. So "quiet $extra s" boots the system without "s", for its single-user mode, and
# "quiet $extra s debug" boots it with both. Two blanks before the letter, or one after it, keep it. A letter right
# before a variable is lost, too, and so are options of one letter. An unset variable makes no difference.
#
# Seen with GRUB 2.14-4 of Debian forky for PCs with BIOS, under QEMU 7.2.22. The menu of that GRUB is made by blscfg;
# "linux" is a function of its grub.cfg that prints its arguments. The output seen is at the end.
#
# A program that appends kernel parameters to such a line has to put them before the variable.

set -u -o pipefail
export LC_ALL=C
version=2.14-4
work=$(mktemp -d) || exit 77
trap 'rm -rf "$work"' EXIT

cannot_run() {
        echo "cannot be run here: $*" >&2
        exit 77
}

# The address of the Debian archive that this machine installs from.
archive() {
        cat /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null | grep -v '^ *#' |
                grep -oE 'https?://[^ ]*/debian/?( |$)' | head -1 | tr -d ' '
}

# Unpacks GRUB's modules into $work/root.
unpack_grub() {
        local key=/usr/share/keyrings/debian-archive-keyring.gpg options

        mkdir -p "$work/lists/partial"
        echo "deb [signed-by=$key] $(archive) forky main" >"$work/sources.list"
        options=(-qq -o "Dir::Etc::SourceList=$work/sources.list" -o Dir::Etc::SourceParts=/dev/null
                -o "Dir::State::Lists=$work/lists" -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache=
                -o APT::Sandbox::User=root)
        (cd "$work" && apt-get "${options[@]}" update && apt-get "${options[@]}" download "grub-pc-bin=$version") \
                >"$work/apt.log" 2>&1 || cannot_run "$(tail -1 "$work/apt.log")"
        dpkg-deb -x "$work"/grub-pc-bin_*.deb "$work/root" || cannot_run "the package cannot be unpacked"
}

# Prints what the kernel would get of a line "options": try OPTIONS
try() {
        printf 'title Linux\nlinux /k\noptions %s\n' "$1" >"$work/e.conf"
        cp "$work/files.img" "$work/disk.img"
        mcopy -i "$work/disk.img" "$work/e.conf" ::/loader/entries/e.conf
        timeout 120 qemu-system-x86_64 -accel tcg -m 64 -nodefaults -nic none -display none -no-reboot \
                -serial "file:$work/console" -drive "file=$work/loader.img,format=raw,if=ide,snapshot=on" \
                -drive "file=$work/disk.img,format=raw,if=ide,snapshot=on" || cannot_run "QEMU ends with $?"
        echo "[$1] becomes $(tr -d '\r' <"$work/console" | grep -o '\[/k.*\]')"
}

for program in qemu-system-x86_64 grub-mkimage mkfs.vfat mcopy mmd; do
        command -v "$program" >/dev/null || cannot_run "$program is not installed"
done
unpack_grub
modules=$work/root/usr/lib/grub/i386-pc
grub-mkimage -O i386-pc -d "$modules" -p '(hd1)/boot/grub' -o "$work/core.img" biosdisk fat normal echo configfile serial \
        halt blsuki || cannot_run "grub-mkimage makes no GRUB"
cat "$modules/boot.img" "$work/core.img" >"$work/loader.img"
truncate -s 4M "$work/loader.img"
mkfs.vfat -C "$work/files.img" 8192 >/dev/null && mmd -i "$work/files.img" ::/boot ::/boot/grub ::/loader ::/loader/entries
cat >"$work/grub.cfg" <<'END'
serial
terminal_output serial
set timeout=0
set extra=one
function linux {
  echo "[$@]"
  halt
}
blscfg
END
mcopy -i "$work/files.img" "$work/grub.cfg" ::/boot/grub/grub.cfg
# shellcheck disable=SC2016 # GRUB expands them
{
        try 'quiet $extra s'
        try 'quiet $extra s debug'
        try 'quiet $extra  s'
        try 'quiet $extra s '
        try 'quiet $unset s'
        try 'a$extra quiet'
        try 's'
} >"$work/seen"

diff -u --label "as stated" --label "seen now" - "$work/seen" <<'END' || exit 1
[quiet $extra s] becomes [/k quiet one]
[quiet $extra s debug] becomes [/k quiet one s debug]
[quiet $extra  s] becomes [/k quiet one s]
[quiet $extra s ] becomes [/k quiet one s]
[quiet $unset s] becomes [/k quiet]
[a$extra quiet] becomes [/k one quiet]
[s] becomes [/k]
END
echo "behaves as stated"
