/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Finds the files of the store "bls", and whether a boot loader reads them.
 *
 * Tested by test-bls.c.
 */

#include "grub/bls.h"
#include "grub/grub-cfg.h"

#define BLS_SIZE_MAX (64U * 1024U)
#define BLS_ENTRIES_MAX 16384U

/* The directories of entries, on each file system that can hold them. */
static const char *const bls_directories[] = {
        "/boot/loader/entries", "/boot/efi/loader/entries", "/efi/loader/entries",
};

static bool bls_is_entry_name(const char *name) {
        return *name != '.' && endswith(name, ".conf") && strlen(name) > strlen(".conf");
}

bool bls_has_entries(const Root *root) {
        for (size_t i = 0; i < ELEMENTSOF(bls_directories); i++) {
                _cleanup_(strv_freep) char **names = NULL;

                /* A directory that cannot be listed may hold one; bls_find() reports it. */
                if (root_list_optional(root, bls_directories[i], &names) < 0)
                        return true;
                for (char **n = names; n && *n; n++)
                        if (bls_is_entry_name(*n))
                                return true;
        }

        return false;
}

typedef struct BlsSearch {
        const Root *root;
        BootStores *stores;
        bool first_only;
        KernelFiles files;
        size_t n, size;
} BlsSearch;

/* Open a directory if no link leads to it, so that its files need not be resolved one by one. Return: -EBADF if not. */
static int bls_open_directory(const Root *root, const char *directory) {
        _cleanup_free_ char *real = NULL;
        int fd;

        if (root_resolve(root, directory, &real) < 0 || !streq(real, directory) ||
            root_open(root, directory, &fd) != ROOT_OK)
                return -EBADF;

        return fd;
}

static int bls_search_file(BlsSearch *s, int directory, const char *path) {
        _cleanup_buffer_ Buffer content = BUFFER_NULL;
        _cleanup_free_ char *link = NULL;
        const char *real = path;
        int r = -ELOOP;

        if (directory >= 0)
                r = root_read_entry(s->root, directory, path, BLS_SIZE_MAX, &content);
        if (r == -ELOOP) {
                r = root_resolve(s->root, path, &link);
                if (r >= 0) {
                        real = link;
                        r = root_read(s->root, real, BLS_SIZE_MAX, &content);
                }
        }
        if (r == -ENOENT || r == -ENOTDIR || r == -ELOOP)
                return 0;
        if (r < 0)
                return boot_stores_read_problem_max(s->stores, real, BLS_SIZE_MAX, r);

        s->n++;
        s->size += content.size;
        return bls_load(&s->files, s->stores, real, &content, s->first_only);
}

static int bls_search_directory(BlsSearch *s, const char *directory) {
        _cleanup_(strv_freep) char **names = NULL;
        _cleanup_close_ int fd = -EBADF;
        int r;

        r = root_list(s->root, directory, &names);
        if (r == -ENOENT || r == -ENOTDIR || r == -ELOOP)
                return 0;
        if (r < 0)
                return boot_stores_read_problem(s->stores, directory, r);

        fd = bls_open_directory(s->root, directory);
        for (char **n = names; *n; n++) {
                _cleanup_free_ char *path = NULL;

                if (!bls_is_entry_name(*n))
                        continue;
                if (s->n >= BLS_ENTRIES_MAX || s->size > BOOT_FILE_MAX)
                        return boot_stores_problem(s->stores, directory, 0, "boot-store-too-large", /* fatal= */ true,
                                                   "The directory holds more than %u entries, or more than %u MiB",
                                                   BLS_ENTRIES_MAX, BOOT_FILE_MAX / 1024 / 1024);

                path = xasprintf("%s/%s", directory, *n);
                if (!path)
                        return -ENOMEM;

                r = bls_search_file(s, fd, path);
                if (r < 0)
                        return r;
        }

        return 0;
}

/*
 * Whether a boot loader reads the entries: GRUB by the command "blscfg", or systemd-boot. openEuler and others write
 * entries that nothing reads and boot by the menu of grub.cfg; gtuned does not change those. If no grub.cfg boots this
 * system, the entries are taken to be read.
 * @ret_by_grub: takes whether a grub.cfg has "blscfg"
 */
static bool bls_are_read(const BootStores *stores, bool *ret_by_grub) {
        *ret_by_grub = false;
        for (size_t i = 0; i < stores->n_stores; i++)
                *ret_by_grub = *ret_by_grub || grub_cfg_reads_bls(stores->stores[i]);

        return *ret_by_grub || stores->systemd_boot || !boot_stores_boot_system(stores, &boot_store_grub_cfg);
}

int bls_find(const Root *root, BootStores *stores) {
        BlsSearch s = { .root = root, .stores = stores, .files.root = root };
        int r = 0;

        if (!bls_are_read(stores, &s.first_only))
                return 0;

        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(bls_directories); i++)
                r = bls_search_directory(&s, bls_directories[i]);

        kernel_files_done(&s.files);
        return r;
}
