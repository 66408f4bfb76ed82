/* SPDX-License-Identifier: Apache-2.0 */

/*
 * libFuzzer target: any bytes as GRUB's environment block. Where our reader takes them, adding a token to kernelopts
 * makes a block of the same size that holds it and the same other variables, and removing it gives the block back.
 */

#include "grub/grubenv.h"

#define PATH "/boot/grub2/grubenv"

static const TokenSpec spec = { .name = "cpuidle_haltpoll.force", .value = "Y", .kind = TOKEN_BOOL };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok) {
        if (!ok)
                abort();
}

/* A store of the block, with one entry that has its kernelopts. */
static BootStores *load(const Buffer *text) {
        _cleanup_buffer_ Buffer content = BUFFER_NULL;
        BootStores *stores;
        BootStore *s;
        const Line *l;

        stores = calloc(1, sizeof(BootStores));
        check(stores && buffer_append(&content, text->data, text->size) >= 0);
        check(grubenv_load(stores, PATH, &content, &s) >= 0);

        l = s->layout;
        s->entries = calloc(1, sizeof(BootEntry));
        check(s->entries);
        s->n_entries = 1;
        s->entries->id = strdup(PATH);
        s->entries->cmdline_size = l->text.size;
        check(s->entries->id && cmdline_parse(l->text.data, l->text.size, &s->entries->cmdline) >= 0);
        return stores;
}

static void check_others(const Buffer *before, const Buffer *after) {
        _cleanup_(grubenv_done) GrubEnv a = {}, b = {};

        check(grubenv_parse(before, &a) >= 0 && grubenv_parse(after, &b) >= 0);
        check(a.n_variables == b.n_variables);

        for (size_t i = 0; i < a.n_variables; i++) {
                check(streq(a.variables[i].name, b.variables[i].name));
                check(streq(a.variables[i].name, "kernelopts") ||
                      buffer_equal(&a.variables[i].value.text, &b.variables[i].value.text));
        }
}

static void check_edits(const Buffer *text) {
        _cleanup_(boot_stores_freep) BootStores *before = load(text), *after = NULL;
        _cleanup_buffer_ Buffer added = BUFFER_NULL, removed = BUFFER_NULL;
        const char *keep[] = { PATH, NULL };
        TokenEdit edit = { .spec = &spec, .add = true };
        const BootEntry *entry;
        size_t length;
        int r;

        r = boot_store_grubenv.render(before->stores[0], &edit, 1, &added, &entry, &length);
        if (r == -E2BIG || r == -ENOSPC)
                return;
        check(r == 0 && added.size == text->size && grubenv_is_block(&added));
        check_others(text, &added);

        after = load(&added);
        check(cmdline_state(&after->stores[0]->entries->cmdline, &spec, NULL) != TOKEN_ABSENT);

        edit.add = false;
        if (cmdline_state(&before->stores[0]->entries->cmdline, &spec, NULL) != TOKEN_ABSENT)
                edit.keep = keep;
        check(boot_store_grubenv.render(after->stores[0], &edit, 1, &removed, &entry, &length) == 0);
        check(buffer_equal(&removed, text));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(grubenv_done) GrubEnv env = {};
        _cleanup_buffer_ Buffer text = BUFFER_NULL;

        check(buffer_append(&text, data, size) >= 0);
        if (!grubenv_is_block(&text))
                return 0;

        check(grubenv_parse(&text, &env) >= 0);
        if (grubenv_get(&env, "kernelopts"))
                check_edits(&text);
        return 0;
}
