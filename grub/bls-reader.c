/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Finds out whose blscfg a GRUB has. Two commands bear this name: the one of rhboot/grub2 (commands/blscfg.c), which
 * Fedora, RHEL, openEuler and others have had for years, and the one of GRUB 2.14 (commands/blsuki.c).
 *
 * Tested by test-bls.c.
 */

#include <strings.h>

#include "grub/bls.h"

/*
 * GRUB's modules tell it. They are beside the grub.cfg where grub-install made that, and in the packages. A GRUB with
 * the module "blscfg" has "blsuki" for images alone (Fedora 44).
 */
static int bls_ask_modules(const Root *root, const char *directory, BlsReader *ret) {
        static const char platforms[][sizeof("powerpc-ieee1275")] = {
                "i386-pc", "x86_64-efi", "arm64-efi", "i386-efi", "loongarch64-efi", "riscv64-efi", "powerpc-ieee1275",
        };
        static const struct {
                const char *module;
                BlsReader reader;
        } modules[] = {
                { "blscfg.mod", BLS_GRUB_FEDORA },
                { "blsuki.mod", BLS_GRUB },
        };

        for (size_t i = 0; i < ELEMENTSOF(modules); i++)
                for (size_t k = 0; k < ELEMENTSOF(platforms); k++) {
                        _cleanup_free_ char *path = xasprintf("%s/%s/%s", directory, platforms[k], modules[i].module);

                        if (!path)
                                return -ENOMEM;
                        if (root_exists(root, path)) {
                                *ret = modules[i].reader;
                                return 1;
                        }
                }

        return 0;
}

/* Whether a word of ID or ID_LIKE names a distribution whose GRUB never had the blscfg of rhboot/grub2. */
static bool bls_is_plain_family(const char *word, size_t n) {
        static const char families[][sizeof("slackware")] = {
                "debian", "ubuntu", "arch", "gentoo", "alpine", "void", "nixos", "guix", "slackware",
        };

        for (size_t i = 0; i < ELEMENTSOF(families); i++)
                if (strlen(families[i]) == n && strncasecmp(word, families[i], n) == 0)
                        return true;

        return false;
}

static int bls_ask_os_release(const Root *root, BlsReader *ret) {
        _cleanup_buffer_ Buffer content = BUFFER_NULL;
        char *state = NULL;
        int r;

        *ret = BLS_GRUB_FEDORA;
        r = root_read(root, "/etc/os-release", 64 * 1024, &content);
        if (r < 0 && r != -ENOMEM)
                r = root_read(root, "/usr/lib/os-release", 64 * 1024, &content);
        if (r < 0 || content.size == 0)
                return r == -ENOMEM ? r : 0;

        for (char *line = strtok_r(content.data, "\n", &state); line; line = strtok_r(NULL, "\n", &state)) {
                const char *p = startswith(line, "ID=") ?: startswith(line, "ID_LIKE=");

                for (size_t n; p && *p; p += n + (p[n] != 0)) {
                        n = strcspn(p, " \t\"'\r");
                        if (bls_is_plain_family(p, n))
                                *ret = BLS_GRUB;
                }
        }

        return 0;
}

int bls_find_reader(const Root *root, const char *grub_cfg, BlsReader *ret) {
        _cleanup_free_ char *beside = strndup(grub_cfg, (size_t) (strrchr(grub_cfg, '/') - grub_cfg));
        const char *const directories[] = { beside, "/boot/grub2", "/boot/grub", "/usr/lib/grub" };

        if (!beside)
                return -ENOMEM;

        for (size_t i = 0; i < ELEMENTSOF(directories); i++) {
                int r = bls_ask_modules(root, directories[i], ret);

                if (r != 0)
                        return r < 0 ? r : 0;
        }

        return bls_ask_os_release(root, ret);
}
