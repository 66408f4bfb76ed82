/* SPDX-License-Identifier: Apache-2.0 */

/* Tested by test-boot-files.c. */

#include "grub/boot-files.h"

/* After so many directories, files of others are looked for one by one. */
#define BOOT_DIRECTORIES_MAX 16U

void boot_directories_done(BootDirectories *directories) {
        for (size_t i = 0; i < directories->n_directories; i++) {
                free(directories->directories[i].path);
                strv_free(directories->directories[i].names);
        }
        free(directories->directories);
}

/* Append a directory with its names. Return: 0 or -ENOMEM. */
static int boot_directories_add(BootDirectories *directories, const Root *root, const char *path) {
        struct BootDirectory *d;
        int r;

        r = grow(&directories->directories, directories->n_directories, sizeof(*d));
        if (r < 0)
                return r;

        d = directories->directories + directories->n_directories;
        *d = (struct BootDirectory) { .path = strdup(path) };
        if (!d->path)
                return -ENOMEM;
        directories->n_directories++;

        r = root_list_optional(root, path, &d->names);
        if (r == -ENOMEM)
                return r;

        d->unread = r < 0;
        d->n_names = r < 0 ? 0 : (size_t) r;
        return 0;
}

/* Whether there can be a file of a directory. Return: 1, 0 or -ENOMEM. */
static int boot_directories_may_hold(BootDirectories *directories, const Root *root, const char *path,
                                     const char *name) {
        const struct BootDirectory *d = NULL;
        int r;

        for (size_t i = 0; !d && i < directories->n_directories; i++)
                if (streq(directories->directories[i].path, path))
                        d = directories->directories + i;

        if (!d) {
                if (directories->n_directories == BOOT_DIRECTORIES_MAX)
                        return 1;

                r = boot_directories_add(directories, root, path);
                if (r < 0)
                        return r;
                d = directories->directories + directories->n_directories - 1;
        }

        return d->unread ||
               (d->n_names > 0 && bsearch(&name, d->names, d->n_names, sizeof(char *), strv_compare) != NULL);
}

/* The same for a path; one that ends in no name is looked at as it is. */
static int boot_file_may_exist(BootDirectories *directories, const Root *root, const char *path) {
        const char *slash = strrchr(path, '/');
        _cleanup_free_ char *directory = NULL;

        if (isempty(slash + 1) || streq(slash + 1, ".") || streq(slash + 1, ".."))
                return 1;

        directory = slash == path ? strdup("/") : strndup(path, (size_t) (slash - path));
        if (!directory)
                return -ENOMEM;

        return boot_directories_may_hold(directories, root, directory, slash + 1);
}

int boot_file_locate(const Root *root, BootDirectories *directories, const char *path, char **ret) {
        static const char mounts[][sizeof("/boot/efi")] = { "", "/boot", "/boot/efi", "/efi" };

        for (size_t i = 0; i < ELEMENTSOF(mounts); i++) {
                _cleanup_free_ char *full = xasprintf("%s%s", mounts[i], path);
                int r;

                if (!full)
                        return -ENOMEM;

                r = directories ? boot_file_may_exist(directories, root, full) : 1;
                if (r < 0)
                        return r;
                if (r == 0)
                        continue;

                r = root_resolve(root, full, ret);
                if (r >= 0 || r == -ENOMEM)
                        return r < 0 ? r : 1;
        }

        return 0;
}
