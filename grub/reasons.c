/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Sentences for the codes of problems, as `gtune explain` prints them.
 *
 * Tested by tests/docs/run, which compares them with the manual.
 */

#include "grub/bootstore.h"

const Reason boot_store_reasons[] = {
        {"boot-store-none", "No file with boot entries was found."},
        {"boot-store-stub", "The only grub.cfg that was found hands over to another file, which was not found."},
        {"boot-store-empty", "A grub.cfg is empty."},
        {"boot-store-dangling", "A grub.cfg is a link that leads nowhere."},
        {"boot-store-not-regular", "A boot file is a directory, a FIFO or a device."},
        {"boot-store-unreadable", "A boot file cannot be read; often only root may."},
        {"boot-store-too-large", "A boot file is larger than gtuned reads (16 MiB; in loader/entries 64 KiB), "
                                 "or there are more than 16384 entries."},
        {"boot-store-syntax", "The boot loader reports an error at the line that is named, and drops what belongs to it."},
        {"boot-store-bls-empty", "A grub.cfg takes its entries from loader/entries (blscfg), and there are none."},
        {"boot-store-bls-unread", "GRUB does not read all of an entry in loader/entries as it is written."},
        {"boot-store-kernelopts", "The entries take their options from a variable of grub.cfg that is computed, "
                                  "or that can have several values."},
        {"boot-store-unmounted", "/etc/fstab names a boot file system that is not mounted, and the file that boots "
                                 "this system must lie on it."},
        {"boot-store-uki", "A unified kernel image boots this system: its command line is a part of the image."},
        {"boot-store-ostree", "ostree or bootc deploys this system and owns its boot entries: use rpm-ostree kargs."},
        {"boot-store-zipl", "zipl boots this system (s390x): it copies the command line into the boot record."},
        {"boot-store-extlinux", "extlinux, syslinux or U-Boot boots this system by a file that gtuned does not change."},
        {"boot-store-xen", "All entries of a grub.cfg start Xen, and gtuned does not change those."},
        {"boot-store-unedited", "Only entries that gtuned does not change boot this system, as those of custom.cfg."},
        {"boot-store-systemd-boot", "systemd-boot boots this system, and it has no entries in loader/entries."},
        {"grubenv-syntax", "The entries use $kernelopts, and grubenv is no environment block that GRUB reads."},
        {"default-grub-unreadable", "/etc/default/grub or a file of /etc/default/grub.d cannot be read."},
        {"default-grub-syntax", "A shell would refuse /etc/default/grub, or a file of grub.d, at the line that is "
                                "named."},
        {"default-grub-dynamic", "GRUB_CMDLINE_LINUX, or a part of it, is computed by commands: gtuned does not know all "
                                 "of it, or cannot edit it safely."},
        {"kernel-cmdline-unreadable", "/etc/kernel/cmdline cannot be read, or is no text."},
};
const size_t n_boot_store_reasons = ELEMENTSOF(boot_store_reasons);
