/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Finds out whose blscfg a GRUB has. Two commands bear this name: the one of rhboot/grub2 (commands/blscfg.c), which
 * Fedora, RHEL, openEuler and others have had for years, and the one of GRUB 2.14 (commands/blsuki.c).
 *
 * Tested by test-bls.c.
 */

#include "grub/bls.h"
#include "grub/os-family.h"

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

/* Distributions whose GRUB never had the blscfg of rhboot/grub2; any other one is taken to have it. */
static int bls_ask_os_release(const Root *root, BlsReader *ret) {
        static const OsFamily families[] = {
                { "debian", BLS_GRUB }, { "ubuntu", BLS_GRUB }, { "arch", BLS_GRUB },
                { "gentoo", BLS_GRUB }, { "alpine", BLS_GRUB }, { "void", BLS_GRUB },
                { "nixos", BLS_GRUB },  { "guix", BLS_GRUB },   { "slackware", BLS_GRUB },
        };
        int r = os_family_ask(root, families, ELEMENTSOF(families), BLS_GRUB_FEDORA);

        if (r < 0)
                return r;

        *ret = (BlsReader) r;
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
