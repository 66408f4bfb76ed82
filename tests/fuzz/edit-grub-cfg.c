/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Edits grub.cfg files as gtuned does, for tests that compare with GRUB's own tools.
 *
 *   edit-grub-cfg add|remove FILE TOKEN…   prints what the file becomes; exit 1 where gtuned refuses it
 *   edit-grub-cfg check FILE…              prints "FILE: ok" or "FILE:LINE: REASON" for each; where tokens can be
 *                                          added, the result is left in FILE.edited, and "FILE: not undone" is
 *                                          printed where removing them does not give the file back
 */

#include "grub/grub-cfg.h"

/* The variables of this program, so that every path through main() gives them back. */
typedef struct Edits {
        TokenSpec *specs;
        TokenEdit *edits;
        char **texts;
        size_t n;
} Edits;

static void edits_free(Edits *e) {
        for (size_t i = 0; i < e->n; i++)
                free(e->texts[i]);
        free(e->texts);
        free(e->specs);
        free(e->edits);
}

static int read_file(const char *path, Buffer *ret) {
        _cleanup_fclose_ FILE *f = NULL;
        char chunk[65536];
        size_t n;
        int r;

        f = fopen(path, "re");
        if (!f)
                return negative_errno();

        while ((n = fread(chunk, 1, sizeof(chunk), f)) > 0) {
                r = buffer_append(ret, chunk, n);
                if (r < 0)
                        return r;
        }

        return ferror(f) ? -EIO : 0;
}

static int make_edits(bool add, char **tokens, size_t n, Edits *e) {
        e->specs = calloc(n + 1, sizeof(TokenSpec));
        e->edits = calloc(n + 1, sizeof(TokenEdit));
        e->texts = calloc(n + 1, sizeof(char *));
        if (!e->specs || !e->edits || !e->texts)
                return -ENOMEM;

        for (; e->n < n; e->n++) {
                char *equals;

                e->texts[e->n] = strdup(tokens[e->n]);
                if (!e->texts[e->n])
                        return -ENOMEM;

                equals = strchr(e->texts[e->n], '=');
                if (equals)
                        *equals = 0;
                e->specs[e->n] = (TokenSpec) {
                        .name = e->texts[e->n],
                        .value = equals ? equals + 1 : NULL,
                        .kind = TOKEN_STRING,
                };
                e->edits[e->n] = (TokenEdit) { .spec = e->specs + e->n, .add = add };
        }

        return 0;
}

static int load(const char *path, BootStores **ret, Buffer *content) {
        _cleanup_(boot_stores_freep) BootStores *stores = NULL;
        unsigned handover;
        int r;

        r = read_file(path, content);
        if (r < 0)
                return r;

        stores = calloc(1, sizeof(BootStores));
        if (!stores)
                return -ENOMEM;

        r = grub_cfg_load(/* root= */ NULL, stores, path, content, /* bls_entries= */ false, &handover);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(stores);
        return 0;
}

static int edit(bool add, const char *path, char **tokens, size_t n) {
        _cleanup_(boot_stores_freep) BootStores *stores = NULL;
        _cleanup_buffer_ Buffer content = BUFFER_NULL, result = BUFFER_NULL;
        _cleanup_(edits_free) Edits e = {};
        const Buffer *output = &content;
        const BootEntry *entry;
        size_t size;
        int r;

        r = load(path, &stores, &content);
        if (r < 0)
                return r;

        for (size_t i = 0; i < stores->n_problems; i++) {
                fprintf(stderr, "%s:%u: %s\n", path, stores->problems[i].line, stores->problems[i].reason);
                if (stores->problems[i].fatal)
                        return -EINVAL;
        }

        r = make_edits(add, tokens, n, &e);
        if (r < 0)
                return r;

        if (stores->n_stores > 0) {
                r = boot_store_grub_cfg.render(stores->stores[0], e.edits, e.n, &result, &entry, &size);
                if (r < 0)
                        return r;
                output = &result;
        }

        return fwrite(output->data, 1, output->size, stdout) == output->size ? 0 : -EIO;
}

static int write_file(const char *path, const Buffer *content) {
        _cleanup_fclose_ FILE *f = NULL;

        f = fopen(path, "we");
        if (!f)
                return negative_errno();

        return fwrite(content->data, 1, content->size, f) == content->size ? 0 : -EIO;
}

/* Return: whether adding a token and removing it again gave the file back, or -errno. */
static int try_edit(const char *path, const BootStore *store) {
        static const TokenSpec spec = { .name = "gtuned_test", .kind = TOKEN_FLAG };
        _cleanup_(boot_stores_freep) BootStores *stores = NULL;
        _cleanup_buffer_ Buffer content = BUFFER_NULL, added = BUFFER_NULL, removed = BUFFER_NULL;
        _cleanup_free_ char *edited = NULL;
        TokenEdit e = { .spec = &spec, .add = true };
        const BootEntry *entry;
        size_t size;
        int r;

        r = boot_store_grub_cfg.render(store, &e, 1, &added, &entry, &size);
        if (r < 0)
                return r == -E2BIG ? true : r;

        edited = xasprintf("%s.edited", path);
        if (!edited)
                return -ENOMEM;

        r = write_file(edited, &added);
        if (r >= 0)
                r = load(edited, &stores, &content);
        if (r < 0)
                return r;
        if (stores->n_stores == 0)
                return false;

        e.add = false;
        r = boot_store_grub_cfg.render(stores->stores[0], &e, 1, &removed, &entry, &size);
        return r < 0 ? r : buffer_equal(&removed, &store->content);
}

static int check(const char *path) {
        _cleanup_(boot_stores_freep) BootStores *stores = NULL;
        _cleanup_buffer_ Buffer content = BUFFER_NULL;
        int r;

        r = load(path, &stores, &content);
        if (r < 0)
                return r;

        for (size_t i = 0; i < stores->n_problems; i++)
                if (streq(stores->problems[i].code, "boot-store-syntax")) {
                        printf("%s:%u: %s\n", path, stores->problems[i].line, stores->problems[i].reason);
                        return 0;
                }

        r = stores->n_stores > 0 ? try_edit(path, stores->stores[0]) : true;
        if (r < 0)
                return r;

        printf("%s: %s\n", path, r > 0 ? "ok" : "not undone");
        return 0;
}

int main(int argc, char *argv[]) {
        int r = 0;

        if (argc >= 3 && streq(argv[1], "check"))
                for (int i = 2; i < argc && r >= 0; i++)
                        r = check(argv[i]);
        else if (argc >= 3 && (streq(argv[1], "add") || streq(argv[1], "remove")))
                r = edit(streq(argv[1], "add"), argv[2], argv + 3, (size_t) argc - 3);
        else {
                fprintf(stderr, "usage: %s add|remove FILE TOKEN... | check FILE...\n", argv[0]);
                return 2;
        }

        if (r < 0)
                fprintf(stderr, "%s: %s\n", argv[2], strerror(-r));
        return r < 0;
}
