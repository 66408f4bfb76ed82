/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Finds the files of the store "grub-cfg". Their content decides what they are, not the name of a distribution.
 *
 * Tested by test-grub-cfg.c.
 */

#include <strings.h>

#include "grub/bls.h"
#include "grub/grub-cfg.h"

/* The state of the search. */
typedef struct GrubCfgSearch {
        const Root *root;
        BootStores *stores;
        char **seen; /* real paths that were looked at */
        size_t n_seen;
        bool bls_entries; /* there are files in loader/entries */
        bool found;
        char *stub;       /* the first file that only hands over to another file */
        unsigned stub_line;
} GrubCfgSearch;

static void grub_cfg_search_done(GrubCfgSearch *s) {
        strv_free(s->seen);
        free(s->stub);
}

/* Read a file by its real path. */
static int grub_cfg_search_read(GrubCfgSearch *s, const char *path) {
        _cleanup_buffer_ Buffer content = BUFFER_NULL;
        unsigned handover = 0;
        int r;

        r = root_read(s->root, path, BOOT_FILE_MAX, &content);
        if (r == -ENOENT)
                return 0;
        if (r < 0)
                return boot_stores_read_problem(s->stores, path, r);

        if (content.size == 0)
                return boot_stores_problem(s->stores, path, 0, "boot-store-empty", /* fatal= */ false,
                                           "The file is empty, so nothing is booted by it");

        r = grub_cfg_load(s->root, s->stores, path, &content, s->bls_entries, &handover);
        if (r < 0)
                return r;

        if (r > 0)
                s->found = true;
        else if (handover > 0 && !s->stub) {
                s->stub_line = handover;
                return free_and_strdup(&s->stub, path);
        }

        return 0;
}

/* A path that cannot be resolved is a dangling link if its directory lists the name. */
static int grub_cfg_search_dangling(GrubCfgSearch *s, const char *path) {
        _cleanup_(strv_freep) char **names = NULL;
        _cleanup_free_ char *directory = NULL;
        const char *slash = strrchr(path, '/');
        int r;

        directory = strndup(path, (size_t) (slash - path));
        if (!directory)
                return -ENOMEM;
        r = root_list_optional(s->root, directory, &names);
        if (r < 0)
                return boot_stores_read_problem(s->stores, directory, r);

        for (char **n = names; n && *n; n++)
                if (streq(*n, slash + 1))
                        return boot_stores_problem(s->stores, path, 0, "boot-store-dangling", /* fatal= */ true,
                                                   "This link leads nowhere");

        return 0;
}

/* Look at a path where a grub.cfg can be. A hint counts only if it is a link, and only for the file it leads to. */
static int grub_cfg_search_path(GrubCfgSearch *s, const char *path, bool hint) {
        char *real;
        int r;

        r = root_resolve(s->root, path, &real);
        if (r == -ENOENT || r == -ENOTDIR || r == -ELOOP)
                return hint ? 0 : grub_cfg_search_dangling(s, path);
        if (r < 0)
                return boot_stores_read_problem(s->stores, path, r);

        if (strv_has(s->seen, real) || (hint && streq(real, path))) {
                free(real);
                return 0;
        }

        r = strv_take(&s->seen, &s->n_seen, real);
        if (r < 0)
                return r;

        return grub_cfg_search_read(s, real);
}

/*
 * Look for grub.cfg below a directory of an EFI system partition. Names are compared without regard to case, as FAT
 * does.
 * @names: the components of the path from @directory to grub.cfg; NULL stands for any name
 */
static int grub_cfg_search_efi(GrubCfgSearch *s, const char *directory, const char *const *names, size_t n_names) {
        _cleanup_(strv_freep) char **found = NULL;
        int r;

        r = root_list_optional(s->root, directory, &found);
        if (r < 0)
                return boot_stores_read_problem(s->stores, directory, r);

        for (char **f = found; f && *f; f++) {
                _cleanup_free_ char *path = NULL;

                if (names[0] && strcasecmp(*f, names[0]) != 0)
                        continue;

                path = xasprintf("%s/%s", directory, *f);
                if (!path)
                        return -ENOMEM;

                if (n_names > 1)
                        r = grub_cfg_search_efi(s, path, names + 1, n_names - 1);
                else
                        r = grub_cfg_search_path(s, path, /* hint= */ false);
                if (r < 0)
                        return r;
        }

        return 0;
}

static int grub_cfg_search_all(GrubCfgSearch *s) {
        static const char *const hints[] = { "/etc/grub2.cfg", "/etc/grub2-efi.cfg" };
        static const char *const paths[] = { "/boot/grub2/grub.cfg", "/boot/grub/grub.cfg" };
        static const char *const partitions[] = { "/boot/efi", "/efi" };
        static const char *const efi_names[] = { "EFI", NULL, "grub.cfg" };
        int r;

        for (size_t i = 0; i < ELEMENTSOF(paths); i++) {
                r = grub_cfg_search_path(s, paths[i], /* hint= */ false);
                if (r < 0)
                        return r;
        }

        for (size_t i = 0; i < ELEMENTSOF(partitions); i++) {
                r = grub_cfg_search_efi(s, partitions[i], efi_names, ELEMENTSOF(efi_names));
                if (r < 0)
                        return r;
        }

        for (size_t i = 0; i < ELEMENTSOF(hints); i++) {
                r = grub_cfg_search_path(s, hints[i], /* hint= */ true);
                if (r < 0)
                        return r;
        }

        if (s->found || !s->stub || s->stores->n_problems > 0)
                return 0;

        return boot_stores_problem(s->stores, s->stub, s->stub_line, "boot-store-stub", /* fatal= */ false,
                                   "This file only hands over to another one, which was not found");
}

int grub_cfg_find(const Root *root, BootStores *stores) {
        _cleanup_(grub_cfg_search_done) GrubCfgSearch s = {
                .root = root,
                .stores = stores,
                .bls_entries = bls_has_entries(root),
        };

        return grub_cfg_search_all(&s);
}
