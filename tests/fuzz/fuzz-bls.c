/* SPDX-License-Identifier: Apache-2.0 */

/*
 * libFuzzer target: any bytes as an entry of the boot loader specification. Where our reader takes them, adding two
 * tokens makes a file that it reads back with both, and removing them gives the file back.
 */

#include "grub/bls.h"

#define PATH "/boot/loader/entries/a.conf"

static const TokenSpec specs[] = {
        { .name = "cpuidle_haltpoll.force", .value = "Y", .kind = TOKEN_BOOL },
        { .name = "arm_pvspin", .value = NULL, .kind = TOKEN_FLAG },
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok) {
        if (!ok)
                abort();
}

static BootStores *load(const Buffer *text, BlsReader reader) {
        _cleanup_buffer_ Buffer content = BUFFER_NULL;
        BootStores *stores;
        KernelFiles files = {};

        stores = calloc(1, sizeof(BootStores));
        check(stores);
        check(buffer_append(&content, text->data, text->size) >= 0);
        check(bls_load(&files, stores, PATH, &content, reader) >= 0);
        return stores;
}

static const char *lookup(void *userdata, const char *name) {
        (void) userdata;

        check(*name);
        return streq(name, "kernelopts") ? "ro" : NULL;
}

static void check_edits(const Buffer *text, BlsReader reader) {
        _cleanup_(boot_stores_freep) BootStores *before = load(text, reader), *after = NULL;
        _cleanup_buffer_ Buffer added = BUFFER_NULL, removed = BUFFER_NULL, expanded = BUFFER_NULL;
        static const char *const keep[] = { PATH, NULL };
        TokenEdit edits[ELEMENTSOF(specs)];
        const BootEntry *entry;
        size_t length;
        int r;

        if (before->n_stores == 0) {
                check(before->n_problems > 0);
                return;
        }

        check(bls_expand(before->stores[0], lookup, NULL, &expanded) == 0);

        for (size_t i = 0; i < ELEMENTSOF(specs); i++)
                edits[i] = (TokenEdit) { .spec = specs + i, .add = true };

        r = boot_store_bls.render(before->stores[0], edits, ELEMENTSOF(edits), &added, &entry, &length);
        if (r == -E2BIG || r == -EBADMSG)
                return;
        check(r == 0);

        after = load(&added, reader);
        check(after->n_stores == 1 && bls_kind(after->stores[0]) == bls_kind(before->stores[0]));

        for (size_t i = 0; i < ELEMENTSOF(specs); i++) {
                check(bls_kind(before->stores[0]) != ENTRY_SYSTEM ||
                      cmdline_state(&after->stores[0]->entries->cmdline, specs + i, NULL) != TOKEN_ABSENT);

                edits[i].add = false;
                if (cmdline_state(&before->stores[0]->entries->cmdline, specs + i, NULL) != TOKEN_ABSENT)
                        edits[i].keep = keep;
        }

        check(boot_store_bls.render(after->stores[0], edits, ELEMENTSOF(edits), &removed, &entry, &length) == 0);
        check(buffer_equal(&removed, text));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_buffer_ Buffer text = BUFFER_NULL;

        check(buffer_append(&text, data, size) >= 0);
        check_edits(&text, BLS_GRUB_FEDORA);
        check_edits(&text, BLS_SYSTEMD_BOOT);
        check_edits(&text, BLS_GRUB);
        return 0;
}
