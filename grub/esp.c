/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Looks for boot loaders and unified kernel images on EFI system partitions.
 *
 * Tested by test-bls.c, and by the golden machines systemd-boot-without-entries and uki.
 */

#include <assert.h>
#include <strings.h>

#include "grub/esp.h"
#include "grub/stores.h"

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
static int esp_find_name(const Root *root, BootStores *stores, const char *directory, const char *wanted,
                         const EspPattern *p, char **ret) {
        _cleanup_(strv_freep) char **names = NULL;
        int r;

        r = root_list_optional(root, directory, &names);
        if (r < 0)
                return boot_stores_read_problem(stores, directory, r);

        for (char **n = names; n && *n; n++)
                if (wanted ? strcasecmp(*n, wanted) == 0 : esp_name_matches(*n, p)) {
                        *ret = xasprintf("%s/%s", directory, *n);
                        return *ret ? 0 : -ENOMEM;
                }

        return 0;
}

/* Look for a file EFI/DIRECTORY/NAME that matches @p, and look at the file itself, so that root_trace() reports it. */
static int esp_find_file(const Root *root, BootStores *stores, const char *efi, const EspPattern *p, char **ret) {
        _cleanup_free_ char *directory = NULL, *file = NULL;
        int r;

        if (*ret)
                return 0;

        r = esp_find_name(root, stores, efi, p->directory, p, &directory);
        if (r < 0 || !directory)
                return r;

        r = esp_find_name(root, stores, directory, NULL, p, &file);
        if (r < 0 || !file)
                return r;

        if (root_exists(root, file))
                *ret = TAKE_PTR(file);
        return 0;
}

int esp_find(const Root *root, BootStores *stores) {
        static const EspPattern systemd_boot = { "systemd", "systemd-boot", ".efi" };
        static const EspPattern unified_kernel = { "Linux", "", ".efi" };

        assert(root);
        assert(stores);

        for (size_t i = 0; i < ELEMENTSOF(esp_partitions); i++) {
                _cleanup_free_ char *efi = NULL;
                int r;

                if (stores->systemd_boot && stores->unified_kernel)
                        break;

                r = esp_find_name(root, stores, esp_partitions[i], "EFI", NULL, &efi);
                if (r < 0)
                        return r;
                if (!efi)
                        continue;

                r = esp_find_file(root, stores, efi, &systemd_boot, &stores->systemd_boot);
                if (r < 0)
                        return r;
                r = esp_find_file(root, stores, efi, &unified_kernel, &stores->unified_kernel);
                if (r < 0)
                        return r;
        }

        return 0;
}
