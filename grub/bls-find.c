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

#define BLS_DIRECTORY "/loader/entries"

/* Where the file systems that can hold entries are mounted. Only GRUB reads entries of the root file system. */
static const char bls_mounts[][sizeof("/boot/efi")] = { "/boot", "/boot/efi", "/efi", "" };

static bool bls_is_entry_name(const char *name) {
        return *name != '.' && endswith(name, ".conf") && strlen(name) > strlen(".conf");
}

bool bls_has_entries(const Root *root) {
        for (size_t i = 0; i < ELEMENTSOF(bls_mounts); i++) {
                _cleanup_free_ char *directory = xasprintf("%s" BLS_DIRECTORY, bls_mounts[i]);
                _cleanup_(strv_freep) char **names = NULL;

                /* A directory that cannot be listed may hold one; bls_find() reports it. */
                if (!directory || root_list_optional(root, directory, &names) < 0)
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
        BlsReader reader;
        const char *path;  /* that "blscfg" is given, or NULL */
        const char *mount; /* of the directory that is searched */
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

/*
 * GRUB 2.14 looks on the file system where the kernels are, and not in its /boot. If the kernel of an entry is on the
 * root file system, /boot is no other one, and GRUB finds no entries there. Return: 1, 0 or -ENOMEM.
 */
static int bls_is_out_of_sight(const BlsSearch *s, const Buffer *content, unsigned *ret_line) {
        _cleanup_free_ char *on_mount = NULL;
        BlsLayout l = { .reader = s->reader };
        BlsKeys keys = {};
        int r;

        if (s->reader != BLS_GRUB || s->path || isempty(s->mount))
                return 0;

        r = bls_read_fields(content, &l, &keys);
        if (r >= 0 && l.kernel && *l.kernel == '/') {
                on_mount = xasprintf("%s%s", s->mount, l.kernel);
                r = on_mount ? root_exists(s->root, l.kernel) && !root_exists(s->root, on_mount) : -ENOMEM;
        }

        *ret_line = l.number;
        bls_keys_done(&keys);
        bls_layout_done(&l);
        return r;
}

static int bls_search_load(BlsSearch *s, const char *path, Buffer *content) {
        unsigned line = 0;
        int r;

        s->n++;
        s->size += content->size;
        r = bls_is_out_of_sight(s, content, &line);
        if (r > 0)
                return boot_stores_remark(s->stores, path, line, "boot-store-bls-unread",
                                          "The kernel is on the root file system, where GRUB looks for entries in "
                                          BLS_DIRECTORY " and not in %s" BLS_DIRECTORY ": say \"blscfg --path "
                                          "%s" BLS_DIRECTORY "\" in grub.cfg, or move the entries", s->mount, s->mount);

        return r < 0 ? r : bls_load(&s->files, s->stores, path, content, s->reader);
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

        return bls_search_load(s, real, &content);
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
 *
 * Return: 1, and the reader and the path are set; 0; -ENOMEM.
 */
static int bls_are_read(BlsSearch *s) {
        const BootStores *stores = s->stores;

        for (size_t i = 0; i < stores->n_stores; i++) {
                const BootStore *cfg = stores->stores[i];
                int r;

                if (!grub_cfg_reads_bls(cfg))
                        continue;

                r = bls_find_reader(s->root, cfg->path, &s->reader);
                if (s->reader == BLS_GRUB)
                        s->path = grub_cfg_bls_path(cfg);
                return r < 0 ? r : 1;
        }

        s->reader = BLS_SYSTEMD_BOOT;
        return stores->systemd_boot || !boot_stores_boot_system(stores, &boot_store_grub_cfg);
}

int bls_find(const Root *root, BootStores *stores) {
        BlsSearch s = { .root = root, .stores = stores, .files.root = root };
        int r;

        r = bls_are_read(&s);
        if (r <= 0)
                return r;

        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(bls_mounts); i++) {
                _cleanup_free_ char *directory = xasprintf("%s%s", bls_mounts[i], s.path ?: BLS_DIRECTORY);

                s.mount = bls_mounts[i];
                if (*s.mount || s.reader != BLS_SYSTEMD_BOOT)
                        r = directory ? bls_search_directory(&s, directory) : -ENOMEM;
        }

        kernel_files_done(&s.files);
        return r;
}
