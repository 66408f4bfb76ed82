/* SPDX-License-Identifier: Apache-2.0 */

/* Tested by the tests of the boot stores, tests/unit/grub. */

#include "core/bootentry.h"

static const char *const entry_kind_table[_ENTRY_KIND_MAX] = {
        [ENTRY_SYSTEM]   = "system",
        [ENTRY_TEMPLATE] = "template",
        [ENTRY_RESCUE]   = "rescue",
        [ENTRY_MEMTEST]  = "memtest",
        [ENTRY_PROGRAM]  = "program",
        [ENTRY_UNEDITED] = "unedited",
        [ENTRY_FOREIGN]  = "foreign",
};

void boot_entry_done(BootEntry *e) {
        free(e->id);
        free(e->title);
        free(e->kernel);
        free(e->path);
        cmdline_done(&e->cmdline);
        *e = (BootEntry) {};
}

const char *entry_kind_to_string(EntryKind kind) {
        if (kind < 0 || kind >= _ENTRY_KIND_MAX)
                return NULL;

        return entry_kind_table[kind];
}
