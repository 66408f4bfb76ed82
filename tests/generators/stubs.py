# SPDX-License-Identifier: Apache-2.0
"""What the generators ask of a machine that is only a directory.

A chroot has no block device below its root and no hypervisor, so the two programs that look for them answer as they
would in a guest with GPT, an ext4 root and no /boot of its own. Image builders do the same.
"""

UUID = "8f1c9d52-7a3e-4f0b-9d66-2b1e5a7c4d90"

GRUB_PROBE = f"""#!/bin/sh
target=device
for word; do
        case $word in
        --target=*) target=${{word#--target=}} ;;
        esac
done
case $target in
device) echo /dev/vda2 ;;
fs) echo ext2 ;;
fs_uuid) echo {UUID} ;;
partmap) echo gpt ;;
drive) echo '(hd0,gpt2)' ;;
hints_string) echo --hint-bios=hd0,gpt2 ;;
compatibility_hint) echo hd0,gpt2 ;;
abstraction) ;;
*) exit 1 ;;
esac
"""

DETECT_VIRT = """#!/bin/sh
for word; do
        [ "$word" != --container ] && [ "$word" != -c ] || exit 1
done
echo kvm
"""

PROGRAMS = {"usr/sbin/grub-probe": GRUB_PROBE, "usr/bin/systemd-detect-virt": DETECT_VIRT}
