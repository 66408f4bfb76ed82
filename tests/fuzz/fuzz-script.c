/* SPDX-License-Identifier: Apache-2.0 */

/*
 * libFuzzer target: any bytes as a grub.cfg. Where our reader takes them, a token is added to every entry of
 * this system and removed again. It must be there in between, nothing else may change, and the file must come back.
 */

#include "grub/grub-cfg.h"
#include "grub/script.h"

#define TOKEN_TEXT " cpuidle_haltpoll.force=Y"

static const TokenSpec spec = { .name = "cpuidle_haltpoll.force", .value = "Y", .kind = TOKEN_BOOL };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok) {
        if (!ok)
                abort();
}

/* Words lie in the text in order, and their commands in the menus that hold them. */
static void check_script(const char *text, size_t size) {
        _cleanup_script_ Script s = SCRIPT_NULL;
        ScriptError error = {};
        size_t end = 0, n_words = 0;
        int r;

        r = script_parse(text, size, &s, &error);
        if (r < 0) {
                check(r == -EINVAL && error.line > 0 && error.reason);
                return;
        }

        for (size_t i = 0; i < s.n_commands; i++) {
                check(s.commands[i].n_words > 0);
                check(s.commands[i].parent == SCRIPT_NO_PARENT || s.commands[i].parent < i);
                n_words += s.commands[i].n_words;

                for (size_t k = 0; k < s.commands[i].n_words; k++) {
                        const ScriptWord *w = s.commands[i].words + k;

                        check(w->size > 0 && w->offset >= end && w->offset + w->size <= size);
                        end = w->offset + w->size;
                        check(strlen(w->value) <= w->size);
                }
        }

        check(n_words == s.n_words);
}

static BootStores *load(const Buffer *text) {
        _cleanup_buffer_ Buffer content = BUFFER_NULL;
        BootStores *stores;
        unsigned handover;

        stores = calloc(1, sizeof(BootStores));
        check(stores);
        check(buffer_append(&content, text->data, text->size) >= 0);
        check(grub_cfg_load(/* root= */ NULL, stores, "/grub.cfg", &content, /* bls_entries= */ false, &handover) >= 0);
        return stores;
}

/* The ids of the entries that had the token, and how many bytes adding it to the others takes. */
static const char **examine(const BootStore *store, size_t *ret_growth) {
        const char **keep;
        size_t n = 0;

        keep = calloc(store->n_entries + 1, sizeof(char *));
        check(keep);

        *ret_growth = 0;
        for (size_t i = 0; i < store->n_entries; i++)
                if (cmdline_state(&store->entries[i].cmdline, &spec, NULL) != TOKEN_ABSENT)
                        keep[n++] = store->entries[i].id;
                else if (store->entries[i].kind == ENTRY_SYSTEM)
                        *ret_growth += strlen(TOKEN_TEXT);

        return keep;
}

static void check_added(const BootStore *before, const BootStore *after) {
        check(before->n_entries == after->n_entries);

        for (size_t i = 0; i < before->n_entries; i++) {
                const BootEntry *a = before->entries + i, *b = after->entries + i;

                check(streq(a->id, b->id) && a->kind == b->kind && a->line == b->line);
                check(b->kind != ENTRY_SYSTEM || cmdline_state(&b->cmdline, &spec, NULL) != TOKEN_ABSENT);
        }
}

static void check_edits(const Buffer *text) {
        _cleanup_(boot_stores_freep) BootStores *before = load(text), *after = NULL;
        _cleanup_buffer_ Buffer added = BUFFER_NULL, removed = BUFFER_NULL;
        _cleanup_free_ const char **keep = NULL;
        TokenEdit edit = { .spec = &spec, .add = true };
        const BootEntry *entry;
        size_t size, growth;
        int r;

        if (before->n_stores == 0)
                return;

        keep = examine(before->stores[0], &growth);
        r = boot_store_grub_cfg.render(before->stores[0], &edit, 1, &added, &entry, &size);
        if (r == -E2BIG)
                return;
        check(r == 0 && added.size == text->size + growth);

        after = load(&added);
        check(after->n_stores == 1);
        check_added(before->stores[0], after->stores[0]);

        edit.add = false;
        edit.keep = keep;
        check(boot_store_grub_cfg.render(after->stores[0], &edit, 1, &removed, &entry, &size) == 0);
        check(buffer_equal(&removed, text));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_buffer_ Buffer text = BUFFER_NULL;

        check(buffer_append(&text, data, size) >= 0);
        check_script(text.data, text.size);
        check_edits(&text);
        return 0;
}
