/* SPDX-License-Identifier: Apache-2.0 */

/* Tested by tests/unit/core/test-kernel-files.c. */

#include "config.h"
#include "core/kernel-files.h"

#if HAVE_ZLIB
#include <zlib.h>
#endif

#define KERNEL_CONFIG_MAX (4U * 1024U * 1024U)

const char *const kernel_module_directories[] = {"/usr/lib/modules", "/lib/modules", NULL};

/*
 * What boots, in a directory of modules: all but SUSE and Fedora's kernel-uki-virt have "vmlinuz" there, on ppc64le
 * "vmlinux"; SUSE's names are those of the kernel's own makefiles.
 */
static const char *const kernel_names[] = {"vmlinuz", "vmlinux", "Image", "image", "vmlinuz-virt.efi", NULL};

/* The same in /boot, before the release. SUSE has "vmlinux-RELEASE" for debuggers, beside a vmlinuz. */
static const char *const kernel_prefixes[] = {"vmlinuz-", "vmlinux-", "kernel-", "Image-", "image-"};

/*
 * What follows the name of a kernel in /boot. "vmlinuz-linux" and "vmlinuz-virt" do not say their release, and a kernel
 * that is compressed once more is for debuggers.
 */
static const char *kernel_release_of(const char *name, const char *prefix) {
        static const char *const no_release[] = {".gz", ".xz", ".zst", ".bz2", ".old"};
        const char *release = startswith(name, prefix);

        if (!release || *release < '0' || *release > '9' || strstr(release, "rescue"))
                return NULL;

        for (size_t i = 0; i < ELEMENTSOF(no_release); i++)
                if (endswith(release, no_release[i]))
                        return NULL;

        return release;
}

static const char *kernel_release_of_vmlinuz(const char *name) {
        return kernel_release_of(name, kernel_prefixes[0]);
}

static const char *kernel_release_of_other(const char *name) {
        const char *release = NULL;

        for (size_t i = 1; i < ELEMENTSOF(kernel_prefixes) && !release; i++)
                release = kernel_release_of(name, kernel_prefixes[i]);

        return release;
}

/* A directory of modules has the name of the release. */
static const char *kernel_release_of_directory(const char *name) {
        return *name >= '0' && *name <= '9' ? name : NULL;
}

static const char *kernel_release_of_config(const char *name) {
        return startswith(name, "config-");
}

/* Whether a directory of modules has one of these. Return: 1, 0 or -ENOMEM. */
static int kernel_has_any(const Root *root, const char *directory, const char *release, const char *const *names) {
        for (; *names; names++) {
                _cleanup_free_ char *path = xasprintf("%s/%s/%s", directory, release, *names);

                if (!path)
                        return -ENOMEM;
                if (root_exists(root, path))
                        return 1;
        }

        return 0;
}

typedef struct KernelPlace {
        const char *directory;
        const char *(*release)(const char *name);
        const char *const *has; /* a directory of modules counts only if it has one of these; NULL: in any case */
} KernelPlace;

/* The newest release of a place, if there is one. Return: 0 or -ENOMEM. */
static int kernel_newest_of_place(const Root *root, const KernelPlace *place, char **ret) {
        _cleanup_(strv_freep) char **names = NULL;
        const char *newest = NULL;

        if (root_list(root, place->directory, &names) == -ENOMEM)
                return -ENOMEM;

        for (char **name = names; name && *name; name++) {
                const char *release = place->release(*name);
                int r = 1;

                if (!release || (newest && strverscmp(release, newest) <= 0))
                        continue;
                if (place->has)
                        r = kernel_has_any(root, place->directory, release, place->has);
                if (r < 0)
                        return r;
                if (r > 0)
                        newest = release;
        }

        return free_and_strdup(ret, newest);
}

/*
 * What is in /boot is what boots. Where nothing is, a directory of modules alone is no kernel: the headers of one bring
 * its configuration (Debian 14: linux-base-RELEASE), and what was built for one that is gone stays.
 */
int kernel_find_newest(const Root *root, char **ret) {
        static const char *const modules[] = {"kernel", NULL};
        static const KernelPlace places[] = {
                {"/boot", kernel_release_of_vmlinuz, NULL},
                {"/boot", kernel_release_of_other, NULL},
                {"/usr/lib/modules", kernel_release_of_directory, kernel_names},
                {"/lib/modules", kernel_release_of_directory, kernel_names},
                {"/usr/lib/modules", kernel_release_of_directory, modules},
                {"/lib/modules", kernel_release_of_directory, modules},
                {"/usr/lib/modules", kernel_release_of_directory, NULL},
                {"/lib/modules", kernel_release_of_directory, NULL},
                {"/boot", kernel_release_of_config, NULL},
        };

        for (size_t i = 0; i < ELEMENTSOF(places); i++) {
                int r = kernel_newest_of_place(root, &places[i], ret);

                if (r < 0 || *ret)
                        return r;
        }

        return 0;
}

int kernel_images(const char *release, char ***ret) {
        _cleanup_(strv_freep) char **paths = NULL;
        size_t n = 0;

        for (size_t i = 0; i < ELEMENTSOF(kernel_prefixes); i++)
                if (strv_take(&paths, &n, xasprintf("/boot/%s%s", kernel_prefixes[i], release)) < 0)
                        return -ENOMEM;

        for (const char *const *directory = kernel_module_directories; *directory; directory++)
                for (const char *const *name = kernel_names; *name; name++)
                        if (strv_take(&paths, &n, xasprintf("%s/%s/%s", *directory, release, *name)) < 0)
                                return -ENOMEM;

        *ret = TAKE_PTR(paths);
        return 0;
}

#if HAVE_ZLIB
static int kernel_inflate_config(const Buffer *packed, Buffer *ret) {
        z_stream z = {.next_in = (Bytef *) packed->data, .avail_in = (uInt) packed->size};
        char chunk[16384];
        int r, e = 0;

        if (inflateInit2(&z, 16 + MAX_WBITS) != Z_OK)
                return -ENOMEM;

        do {
                z.next_out = (Bytef *) chunk;
                z.avail_out = sizeof(chunk);
                r = inflate(&z, Z_NO_FLUSH);
                if (r == Z_OK || r == Z_STREAM_END)
                        e = buffer_append(ret, chunk, sizeof(chunk) - z.avail_out);
        } while (r == Z_OK && e >= 0 && ret->size < KERNEL_CONFIG_MAX);

        (void) inflateEnd(&z);

        /* If a part of it were missing, the options of that part would count as not set. */
        if (e >= 0 && r != Z_STREAM_END)
                buffer_done(ret);
        return e;
}
#endif

/* Of the files that may hold it, the first that can be read and is not empty. Return: 0 or -ENOMEM. */
static int kernel_read_config_file(const Root *root, const char *release, Buffer *ret) {
        _cleanup_(strv_freep) char **paths = NULL;
        size_t n = 0;

        if (strv_take(&paths, &n, xasprintf("/boot/config-%s", release)) < 0)
                return -ENOMEM;
        for (const char *const *directory = kernel_module_directories; *directory; directory++)
                if (strv_take(&paths, &n, xasprintf("%s/%s/config", *directory, release)) < 0)
                        return -ENOMEM;

        for (char **path = paths; *path && ret->size == 0; path++) {
                _cleanup_buffer_ Buffer text = BUFFER_NULL;
                int r = root_read(root, *path, KERNEL_CONFIG_MAX, &text);

                if (r == -ENOMEM)
                        return r;
                if (r >= 0 && text.size > 0)
                        *ret = TAKE_GENERIC(text, BUFFER_NULL);
        }

        return 0;
}

int kernel_read_config(const Root *root, const char *release, Buffer *ret) {
        int r;

        r = release ? kernel_read_config_file(root, release, ret) : 0;
        if (r < 0 || ret->size > 0)
                return r;

#if HAVE_ZLIB
        _cleanup_buffer_ Buffer packed = BUFFER_NULL;

        /* In an image, /proc may be that of the builder's kernel; the root hides it then (core/root.h). */
        if (root_read(root, "/proc/config.gz", KERNEL_CONFIG_MAX, &packed) >= 0)
                return kernel_inflate_config(&packed, ret);
#endif

        return 0;
}
