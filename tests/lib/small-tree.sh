# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# A small guest as a tree of files, its reboot, and an image of it. Sourced by tests/try, and by tests/docs/run, which compares the
# session in README.md with it. $guest is the folder of the tree; the caller sets it.

: "${guest:?}"

put() {
        mkdir -p "$guest/$(dirname "$1")"
        cat >"$guest/$1"
}

# An openEuler 22.03 guest on aarch64, as `gtune snapshot` would have kept it.
make_guest() {
        put etc/os-release <<<$'ID="openEuler"\nVERSION_ID="22.03"'
        put etc/default/grub <<<$'GRUB_TIMEOUT=5\nGRUB_CMDLINE_LINUX="rd.lvm.lv=openeuler/root"'
        put etc/gtuned/gtuned.conf <<<$'[guest]\nvcpu = dedicated\n\n[haltpoll]\nguest_halt_poll_ns = 400000'
        put boot/efi/EFI/openEuler/grub.cfg <<'END'
set timeout=5
menuentry 'openEuler (5.10.0-60.18.0.50.oe2203.aarch64) 22.03 LTS' --class openeuler {
	linux	/vmlinuz-5.10.0-60.18.0.50.oe2203.aarch64 root=/dev/mapper/openeuler-root ro quiet
	initrd	/initramfs-5.10.0-60.18.0.50.oe2203.aarch64.img
}
menuentry 'openEuler (0-rescue-4a5f) 22.03 LTS' --class openeuler {
	linux	/vmlinuz-0-rescue-4a5f root=/dev/mapper/openeuler-root ro
}
END
        put boot/config-5.10.0-60.18.0.50.oe2203.aarch64 \
                <<<$'CONFIG_HALTPOLL_CPUIDLE=y\nCONFIG_CPU_IDLE_GOV_HALTPOLL=y\nCONFIG_PARAVIRT_SPINLOCKS=y'
        put proc/cmdline <<<'root=/dev/mapper/openeuler-root ro quiet'
        put proc/sys/kernel/random/boot_id <<<'0a1f2a4e-3a34-4a3b-9a43-6d0f6cd8ad01'
        put proc/device-tree/hypervisor/compatible <<<'linux,kvm'
        put sys/devices/system/cpu/possible <<<0-3
        put sys/devices/system/cpu/cpuidle/current_driver <<<none
        put sys/devices/system/cpu/cpuidle/current_governor <<<menu
        put sys/module/cpuidle_haltpoll/parameters/force <<<N
        chmod 0444 "$guest/sys/module/cpuidle_haltpoll/parameters/force"
        put sys/module/haltpoll/parameters/enable <<<Y
        put sys/module/haltpoll/parameters/guest_halt_poll_ns <<<200000
        put gtuned-machine.json <<'END'
{"schema": 1, "arch": "aarch64", "kernel": "5.10.0-60.18.0.50.oe2203.aarch64",
 "kernel_log": {"reach": "complete", "lines": ["arm-pv: using PV sched preempted", "arm-pv: PV qspinlocks disabled"]}}
END
}

# What the kernel would do: boot with what grub.cfg says, and let the driver register.
reboot_guest() {
        put proc/cmdline <<<'root=/dev/mapper/openeuler-root ro quiet cpuidle_haltpoll.force=Y haltpoll.enable=Y'
        put proc/sys/kernel/random/boot_id <<<'0a1f2a4e-3a34-4a3b-9a43-6d0f6cd8ad02'
        rm -f "$guest/sys/module/cpuidle_haltpoll/parameters/force"
        put sys/module/cpuidle_haltpoll/parameters/force <<<Y
        chmod 0444 "$guest/sys/module/cpuidle_haltpoll/parameters/force"
        put sys/devices/system/cpu/cpuidle/current_driver <<<haltpoll
        put sys/devices/system/cpu/cpuidle/current_governor <<<haltpoll
        put sys/module/haltpoll/parameters/guest_halt_poll_ns <<<200000
}

# What is left of it before it has ever booted.
make_image() {
        rm -rf "$guest/proc" "$guest/sys" "$guest/gtuned-machine.json"
        put boot/vmlinuz-5.10.0-60.18.0.50.oe2203.aarch64 </dev/null
}
