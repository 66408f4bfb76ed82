#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# libvirt drops the pin of a vCPU that a guest does not have, and its share of the cache, and defines the guest.
#
# Guess: "virsh define" refuses a <vcpupin> of a vCPU that is not below the maximum in <vcpu>, as it refuses a
# <vcpusched> of such a vCPU and an <iothreadpin> of such an I/O thread. If it takes the pin, it keeps it for the day
# when the guest gets more vCPUs.
#
# What happens: virsh ends with 0, and the guest is defined without the pin. The only trace is a warning in the log of
# the process that parses the XML, which is virsh here, and a daemon with most other drivers. From the list of a
# <cachetune> or <memorytune> the missing vCPUs are dropped, and with the last of them the element, without a warning.
# So if the maximum is too low once, the pins are lost, and do not come back with the maximum. A vCPU that is below the
# maximum and off keeps its pin.
#
# Seen with libvirt 9.0.0 of Debian 12 on x86_64 and its driver "test". The output seen is at the end.
#
# A program that pins vCPUs must raise the maximum first, and it must read the XML back and compare, since no exit
# status says that a pin is gone.

set -u -o pipefail
export LC_ALL=C
# Below the first line: the libraries that libvirt is linked with.
packages=(
        libvirt-clients=9.0.0-4+deb12u2 libvirt0=9.0.0-4+deb12u2
        libapparmor1=3.0.8-3 libbrotli1=1.0.9-2+b6 libcurl3-gnutls=7.88.1-10+deb12u15 libglib2.0-0=2.74.6-2+deb12u9
        libgssapi-krb5-2=1.20.1-2+deb12u5 libicu72=72.1-3+deb12u1 libk5crypto3=1.20.1-2+deb12u5 libkeyutils1=1.6.3-2
        libkrb5-3=1.20.1-2+deb12u5 libkrb5support0=1.20.1-2+deb12u5 libldap-2.5-0=2.5.13+dfsg-5
        libnghttp2-14=1.52.0-1+deb12u3 libnl-3-200=3.7.0-0.2+b1 libnuma1=2.0.16-1 libpsl5=0.21.2-1 libreadline8=8.2-1.3
        librtmp1=2.4+20151223.gitfa8646d.1-2+b2 libsasl2-2=2.1.28+dfsg-10 libssh-4=0.10.6-0+deb12u2
        libssh2-1=1.10.0-3+b1 libssl3=3.0.20-1~deb12u2 libtirpc3=1.3.3+ds-1 libxml2=2.9.14+dfsg-1.3~deb12u6
        libyajl2=2.1.0-3+deb12u2
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

# The programs of the packages with the libraries of the packages, and no settings of the user: packaged PROGRAM
# [ARGUMENT...]
packaged() {
        env -i LC_ALL=C HOME="$work" LD_LIBRARY_PATH="$libraries" timeout 60 "$work/root/usr/bin/$1" "${@:2}"
}

# virsh with the driver "test", which lives as long as virsh does: virsh COMMANDS
virsh() {
        packaged virsh -q -c test:///default "$1"
}

# Prints the warnings and errors of virsh, without the time and without "Failed to ..." above the reason.
print_messages() {
        sed -n 's/.*: warning : [A-Za-z]*:[0-9]* : /warning: /p; /^error: Failed/d; /^error: /p' "$work/messages"
}

# Defines a guest with these vCPUs and these elements in <cputune>, and prints how virsh ends and what is in <cputune>
# then, or after more commands of virsh: try VCPU CPUTUNE [COMMANDS]
try() {
        local define="define $work/guest.xml" status

        cat >"$work/guest.xml" <<END
<domain type='test'>
  <name>guest</name>
  <memory unit='MiB'>64</memory>
  $1
  <cputune>$2</cputune>
  <os><type>hvm</type></os>
</domain>
END
        echo "== $1 $2"
        virsh "$define" >/dev/null 2>"$work/messages"
        status=$?
        print_messages
        echo "virsh ends with $status"
        [ "$status" -eq 0 ] || return
        virsh "$define${3:+; $3}; dumpxml --inactive guest" >"$work/out" 2>"$work/messages"
        if [ -n "${3:-}" ]; then
                echo "then: $3"
                print_messages
        fi
        sed -n '/<cputune>/,/<\/cputune>/{ /cputune>/d; s/^ *//p; }' "$work/out"
}

unpack_packages
libraries=$(find "$work/root" -name '*.so*' -printf '%h\n' | sort -u | paste -sd:)
version=$(packaged virsh --version 2>&1)
[ "$version" = 9.0.0 ] || cannot_run "virsh says \"$version\""

two="<vcpu>2</vcpu>" eight="<vcpu current='2'>8</vcpu>"
pins="<vcpupin vcpu='1' cpuset='0'/><vcpupin vcpu='5' cpuset='0'/>"
cache="<cache id='0' level='3' type='both' size='3' unit='MiB'/>"
{
        try "$two" "$pins"
        try "$two" "<cachetune vcpus='1-5'>$cache</cachetune>"
        try "$two" "<cachetune vcpus='5'>$cache</cachetune>"
        try "$two" "<memorytune vcpus='0-5'><node id='0' bandwidth='60'/></memorytune>"
        try "$two" "<vcpusched vcpus='5' scheduler='fifo' priority='1'/>"
        try "$two" "<iothreadpin iothread='5' cpuset='0'/>"
        try "$eight" "$pins"
        try "$eight" "$pins" \
                "setvcpus guest 4 --maximum --config; setvcpus guest 8 --maximum --config"
} >"$work/seen"

diff -u --label "as stated" --label "seen now" - "$work/seen" <<'END' || exit 1
== <vcpu>2</vcpu> <vcpupin vcpu='1' cpuset='0'/><vcpupin vcpu='5' cpuset='0'/>
warning: Ignoring vcpupin for missing vcpus
virsh ends with 0
<vcpupin vcpu='1' cpuset='0'/>
== <vcpu>2</vcpu> <cachetune vcpus='1-5'><cache id='0' level='3' type='both' size='3' unit='MiB'/></cachetune>
virsh ends with 0
<cachetune vcpus='1'>
<cache id='0' level='3' type='both' size='3' unit='MiB'/>
</cachetune>
== <vcpu>2</vcpu> <cachetune vcpus='5'><cache id='0' level='3' type='both' size='3' unit='MiB'/></cachetune>
virsh ends with 0
== <vcpu>2</vcpu> <memorytune vcpus='0-5'><node id='0' bandwidth='60'/></memorytune>
virsh ends with 0
<memorytune vcpus='0-1'>
<node id='0' bandwidth='60'/>
</memorytune>
== <vcpu>2</vcpu> <vcpusched vcpus='5' scheduler='fifo' priority='1'/>
error: unsupported configuration: vCPU '5' is not present in domain definition
virsh ends with 1
== <vcpu>2</vcpu> <iothreadpin iothread='5' cpuset='0'/>
error: unsupported configuration: Cannot find 'iothread' : 5
virsh ends with 1
== <vcpu current='2'>8</vcpu> <vcpupin vcpu='1' cpuset='0'/><vcpupin vcpu='5' cpuset='0'/>
virsh ends with 0
<vcpupin vcpu='1' cpuset='0'/>
<vcpupin vcpu='5' cpuset='0'/>
== <vcpu current='2'>8</vcpu> <vcpupin vcpu='1' cpuset='0'/><vcpupin vcpu='5' cpuset='0'/>
virsh ends with 0
then: setvcpus guest 4 --maximum --config; setvcpus guest 8 --maximum --config
<vcpupin vcpu='1' cpuset='0'/>
END
echo "behaves as stated"
