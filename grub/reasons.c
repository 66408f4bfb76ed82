/* SPDX-License-Identifier: Apache-2.0 */

#include "grub/bootstore.h"

const Reason boot_store_reasons[] = {
        {"boot-store-none", "No file with boot entries was found."},
        {"boot-store-stub", "The only grub.cfg that was found hands over to another file, which was not found."},
        {"boot-store-empty", "A grub.cfg is empty."},
        {"boot-store-dangling", "A grub.cfg is a link that leads nowhere."},
        {"boot-store-not-regular", "A grub.cfg is a directory, a FIFO or a device."},
        {"boot-store-unreadable", "A grub.cfg cannot be read; often only root may."},
        {"boot-store-too-large", "A grub.cfg is larger than gtuned reads (16 MiB)."},
        {"boot-store-syntax", "GRUB itself would refuse the file at the line that is named."},
        {"boot-store-bls", "The entries come from /boot/loader/entries, which this version does not edit."},
        {"default-grub-unreadable", "/etc/default/grub cannot be read."},
        {"default-grub-syntax", "A shell would refuse /etc/default/grub at the line that is named."},
        {"default-grub-dynamic", "GRUB_CMDLINE_LINUX is computed by commands, so it cannot be edited safely."},
};
const size_t n_boot_store_reasons = ELEMENTSOF(boot_store_reasons);
