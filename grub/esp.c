/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Looks for boot loaders and unified kernel images on EFI system partitions.
 *
 * Tested by test-bls.c, and by the golden machines systemd-boot-without-entries and uki.
 */

#include <assert.h>
#include <strings.h>

#include "grub/esp.h"

static const char *const esp_partitions[] = { "/boot/efi", "/efi", "/boot" };

/* A file EFI/DIRECTORY/BEGIN*END. */
typedef struct EspPattern {
        const char *directory, *begin, *end;
} EspPattern;

static bool esp_name_matches(const char *name, const EspPattern *p) {
        size_t n = strlen(name), begin = strlen(p->begin), end = strlen(p->end);

        return n > begin + end && strncasecmp(name, p->begin, begin) == 0 && strcasecmp(name + n - end, p->end) == 0;
}

/* Find a name in a directory: @wanted or, if that is NULL, one that matches @p. If there is none, *ret stays NULL. */
static int esp_find_name(const Root *root, const char *directory, const char *wanted, const EspPattern *p, char **ret) {
        _cleanup_(strv_freep) char **names = NULL;
        int r;

        r = root_list(root, directory, &names);
        if (r < 0)
                return r == -ENOMEM ? r : 0;

        for (char **n = names; *n; n++)
                if (wanted ? strcasecmp(*n, wanted) == 0 : esp_name_matches(*n, p)) {
                        *ret = xasprintf("%s/%s", directory, *n);
                        return *ret ? 0 : -ENOMEM;
                }

        return 0;
}

static int esp_find_file(const Root *root, const char *partition, const EspPattern *p, char **ret) {
        _cleanup_free_ char *efi = NULL, *directory = NULL;
        int r;

        r = esp_find_name(root, partition, "EFI", p, &efi);
        if (r < 0 || !efi)
                return r;

        r = esp_find_name(root, efi, p->directory, p, &directory);
        if (r < 0 || !directory)
                return r;

        return esp_find_name(root, directory, NULL, p, ret);
}

static int esp_find_anywhere(const Root *root, const EspPattern *p, char **ret) {
        int r = 0;

        assert(root);
        assert(ret);

        *ret = NULL;
        for (size_t i = 0; i < ELEMENTSOF(esp_partitions) && r >= 0 && !*ret; i++)
                r = esp_find_file(root, esp_partitions[i], p, ret);

        /* Look at the file itself too, so that root_trace() reports it. */
        if (*ret && !root_exists(root, *ret)) {
                free(*ret);
                *ret = NULL;
        }

        return r;
}

int esp_find_systemd_boot(const Root *root, char **ret) {
        static const EspPattern pattern = { "systemd", "systemd-boot", ".efi" };

        return esp_find_anywhere(root, &pattern, ret);
}

int esp_find_unified_kernel(const Root *root, char **ret) {
        static const EspPattern pattern = { "Linux", "", ".efi" };

        return esp_find_anywhere(root, &pattern, ret);
}
