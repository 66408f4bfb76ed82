/* SPDX-License-Identifier: Apache-2.0 */

/*
 * libFuzzer target: any bytes as /etc/default/grub. Where our reader takes them, adding two tokens makes a
 * file that it reads back with both, and removing them gives the file back.
 */

#include "grub/stores.h"

static const TokenSpec specs[] = {
        { .name = "cpuidle_haltpoll.force", .value = "Y", .kind = TOKEN_BOOL },
        { .name = "arm_pvspin", .value = NULL, .kind = TOKEN_FLAG },
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok) {
        if (!ok)
                abort();
}

static BootStores *load(const Buffer *text) {
        _cleanup_buffer_ Buffer content = BUFFER_NULL;
        BootStores *stores;

        stores = calloc(1, sizeof(BootStores));
        check(stores);
        check(buffer_append(&content, text->data, text->size) >= 0);
        check(default_grub_load(stores, "/etc/default/grub", &content) >= 0);
        return stores;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(boot_stores_freep) BootStores *before = NULL, *after = NULL;
        _cleanup_buffer_ Buffer text = BUFFER_NULL, added = BUFFER_NULL, removed = BUFFER_NULL;
        static const char *const keep[] = { "GRUB_CMDLINE_LINUX", NULL };
        TokenEdit edits[ELEMENTSOF(specs)];
        const BootEntry *entry;
        size_t length;
        int r;

        check(buffer_append(&text, data, size) >= 0);
        before = load(&text);
        if (before->n_stores == 0 || before->stores[0]->n_entries == 0) {
                check(before->n_problems == 1);
                return 0;
        }

        for (size_t i = 0; i < ELEMENTSOF(specs); i++)
                edits[i] = (TokenEdit) { .spec = specs + i, .add = true };

        r = boot_store_default_grub.render(before->stores[0], edits, ELEMENTSOF(edits), &added, &entry, &length);
        if (r == -E2BIG)
                return 0;
        check(r == 0);

        after = load(&added);
        check(after->n_stores == 1);

        for (size_t i = 0; i < ELEMENTSOF(specs); i++) {
                check(cmdline_state(&after->stores[0]->entries->cmdline, specs + i, NULL) != TOKEN_ABSENT);

                edits[i].add = false;
                if (cmdline_state(&before->stores[0]->entries->cmdline, specs + i, NULL) != TOKEN_ABSENT)
                        edits[i].keep = keep;
        }

        check(boot_store_default_grub.render(after->stores[0], edits, ELEMENTSOF(edits), &removed, &entry,
                                             &length) == 0);
        check(buffer_equal(&removed, &text));
        return 0;
}
