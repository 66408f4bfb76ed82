/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Layouts that gtuned does not change. Each is recognized by evidence that it boots this system: a file of another boot
 * loader may have been left over or installed without being used.
 *
 * Tested by the golden machines of these layouts (tests/roots: fedora-coreos, uki, zipl-s390x and so on).
 */

#include <assert.h>

#include "grub/bls.h"
#include "grub/grub-cfg.h"

/* The evidence, read once for all layouts. */
typedef struct LayoutsLook {
        const Root *root;
        const BootStores *stores;
        bool boots;         /* a store has an entry that boots this system */
        bool grub;          /* there is a store of a grub.cfg */
        bool bls;           /* there are stores of BLS entries */
        bool template;      /* there is a store of /etc/kernel/cmdline */
        const Cmdline *running; /* the command line of this boot; NULL: unknown */
} LayoutsLook;

static void layouts_look(const Root *root, const Cmdline *running, const BootStores *stores, LayoutsLook *l) {
        *l = (LayoutsLook) {
                .root = root,
                .stores = stores,
                .boots = boot_stores_boot_system(stores, NULL),
                .running = running,
        };

        for (size_t i = 0; i < stores->n_stores; i++) {
                l->grub = l->grub || stores->stores[i]->driver == &boot_store_grub_cfg;
                l->bls = l->bls || stores->stores[i]->driver == &boot_store_bls;
                l->template = l->template || stores->stores[i]->driver == &boot_store_kernel_cmdline;
        }
}

/* Whether this boot has a parameter. */
static bool layouts_runs_with(const LayoutsLook *l, const char *name) {
        return l->running && cmdline_find(l->running, name);
}

static const char *layouts_ostree_entry(const LayoutsLook *l) {
        for (size_t i = 0; i < l->stores->n_stores; i++)
                for (size_t k = 0; k < l->stores->stores[i]->n_entries; k++) {
                        const BootEntry *e = l->stores->stores[i]->entries + k;

                        if (e->kind == ENTRY_SYSTEM && cmdline_find(&e->cmdline, "ostree"))
                                return e->path;
                }

        return NULL;
}

/*
 * A repository proves nothing on a system that boots by its stores: any administrator can have one. If no store boots
 * the system, it is an image that ostree will deploy.
 */
static const char *layouts_find_ostree(const LayoutsLook *l) {
        if (root_exists(l->root, "/run/ostree-booted"))
                return "/run/ostree-booted";
        if (layouts_runs_with(l, "ostree"))
                return "/proc/cmdline";
        if (!l->boots && root_exists(l->root, "/ostree/repo"))
                return "/ostree/repo";
        if (!l->boots && root_exists(l->root, "/sysroot/ostree/repo"))
                return "/sysroot/ostree/repo";

        return layouts_ostree_entry(l);
}

/* On SUSE, zipl starts a GRUB, and then grub.cfg holds the command line. */
static const char *layouts_find_zipl(const LayoutsLook *l) {
        if (l->grub || !root_exists(l->root, "/etc/zipl.conf"))
                return NULL;

        return l->bls || root_exists(l->root, "/boot/bootmap") ? "/etc/zipl.conf" : NULL;
}

/* GRUB adds BOOT_IMAGE= to the command line, and systemd-boot adds initrd= for its entries; an image has neither. */
static const char *layouts_find_unified(const LayoutsLook *l) {
        bool entry = layouts_runs_with(l, "BOOT_IMAGE") || layouts_runs_with(l, "initrd");

        if (!l->stores->unified_kernel || (l->running && entry && l->boots))
                return NULL;

        return l->running || !l->boots || (l->stores->systemd_boot && !l->grub) ? l->stores->unified_kernel : NULL;
}

/* The configuration of extlinux, syslinux, and the loaders of U-Boot that read the same format. */
static const char *layouts_extlinux(const LayoutsLook *l) {
        static const char *const paths[] = {
                "/boot/extlinux/extlinux.conf", "/boot/extlinux.conf", "/boot/syslinux/syslinux.cfg",
                "/boot/syslinux/extlinux.conf", "/boot/syslinux.cfg", "/boot/EFI/syslinux/syslinux.cfg",
                "/boot/efi/EFI/syslinux/syslinux.cfg", "/efi/EFI/syslinux/syslinux.cfg", "/boot/efi/syslinux.cfg",
                "/boot/efi/extlinux/extlinux.conf", "/extlinux.conf", "/syslinux.cfg",
        };

        for (size_t i = 0; !l->boots && !l->stores->systemd_boot && i < ELEMENTSOF(paths); i++)
                if (root_exists(l->root, paths[i]))
                        return paths[i];

        return NULL;
}

/* Alpine, and Debian's packages extlinux and u-boot-menu, make that file from another one. */
static const char *layouts_find_extlinux_alpine(const LayoutsLook *l) {
        return root_exists(l->root, "/etc/update-extlinux.conf") ? layouts_extlinux(l) : NULL;
}

static const char *layouts_find_extlinux_debian(const LayoutsLook *l) {
        return root_exists(l->root, "/etc/default/extlinux") ? layouts_extlinux(l) : NULL;
}

static const char *layouts_find_extlinux_u_boot(const LayoutsLook *l) {
        return root_exists(l->root, "/usr/sbin/u-boot-update") ? layouts_extlinux(l) : NULL;
}

static const char *layouts_find_systemd_boot(const LayoutsLook *l) {
        return l->boots || l->bls || l->stores->unified_kernel ? NULL : l->stores->systemd_boot;
}

/* Whether a line of fstab mounts something at a path. */
static bool layouts_mounts_at(char *line, const char *path) {
        char *state = NULL, *field = strtok_r(line, " \t", &state);

        if (!field || *field == '#')
                return false;

        field = strtok_r(NULL, " \t", &state);
        return field && streq(field, path);
}

static bool layouts_in_fstab(const char *fstab, const char *path) {
        _cleanup_free_ char *copy = strdup(fstab);
        char *state = NULL;

        if (!copy)
                return false;

        for (char *line = strtok_r(copy, "\n", &state); line; line = strtok_r(NULL, "\n", &state))
                if (layouts_mounts_at(line, path))
                        return true;

        return false;
}

static bool layouts_is_empty_directory(const Root *root, const char *path) {
        _cleanup_(strv_freep) char **names = NULL;
        int r = root_list(root, path, &names);

        return r == 0 || r == -ENOENT;
}

/* Whether the link of a GRUB package for UEFI is dangling: then the file is on a file system that is not mounted. */
static bool layouts_file_is_out_of_reach(const Root *root) {
        _cleanup_(strv_freep) char **names = NULL;
        _cleanup_free_ char *real = NULL;

        if (root_list(root, "/etc", &names) < 0 || root_resolve(root, "/etc/grub2-efi.cfg", &real) >= 0)
                return false;

        for (char **n = names; *n; n++)
                if (streq(*n, "grub2-efi.cfg"))
                        return true;

        return false;
}

static int layouts_check_mounts(const Root *root, const LayoutsLook *l, BootStores *stores) {
        static const char *const paths[] = { "/boot", "/boot/efi", "/efi" };
        _cleanup_buffer_ Buffer fstab = BUFFER_NULL;
        int r;

        r = root_read(root, "/etc/fstab", 64 * 1024, &fstab);
        if (r == -ENOMEM)
                return r;
        if (r < 0 || fstab.size == 0)
                return 0;

        for (size_t i = 0; i < ELEMENTSOF(paths); i++) {
                bool fatal;

                if (!layouts_in_fstab(fstab.data, paths[i]) || !layouts_is_empty_directory(root, paths[i]))
                        continue;

                fatal = !l->boots || layouts_file_is_out_of_reach(root);
                return boot_stores_problem(stores, paths[i], 0, "boot-store-unmounted", fatal,
                                           "/etc/fstab mounts a file system here, and it is not mounted: mount it, "
                                           "because the boot configuration can lie on it");
        }

        return 0;
}

static const struct {
        const char *code;
        const char *(*find)(const LayoutsLook *l); /* the file that proves it, or NULL */
        const char *reason;
        bool built; /* kernel-install builds it of /etc/kernel/cmdline */
} layouts[] = {
        {
                "boot-store-ostree", layouts_find_ostree,
                "This system is deployed by ostree, which writes the boot entries anew: set the tokens with "
                "`rpm-ostree kargs --append-if-missing=TOKEN`, or in usr/lib/bootc/kargs.d of a bootc image",
        },
        {
                "boot-store-zipl", layouts_find_zipl,
                "zipl copies the command line into the boot record, and gtuned does not run it: set the tokens with "
                "`grubby --update-kernel=ALL --args=TOKEN`, or in \"parameters\" of this file, and run zipl",
        },
        {
                "boot-store-uki", layouts_find_unified,
                "The command line is a part of this unified kernel image: put the tokens into /etc/kernel/cmdline and "
                "build the image anew with `kernel-install add`, or install a signed addon beside it",
                .built = true,
        },
        {
                "boot-store-extlinux", layouts_find_extlinux_alpine,
                "extlinux boots this system by this file, which update-extlinux writes: put the tokens into "
                "default_kernel_opts of /etc/update-extlinux.conf, run `update-extlinux`, and reboot",
        },
        {
                "boot-store-extlinux", layouts_find_extlinux_debian,
                "extlinux boots this system by this file, which extlinux-update writes: put the tokens into "
                "EXTLINUX_PARAMETERS of /etc/default/extlinux, run `extlinux-update`, and reboot",
        },
        {
                "boot-store-extlinux", layouts_find_extlinux_u_boot,
                "U-Boot boots this system by this file, which u-boot-update writes: put the tokens into "
                "U_BOOT_PARAMETERS of /etc/default/u-boot, run `u-boot-update`, and reboot",
        },
        {
                "boot-store-extlinux", layouts_extlinux,
                "extlinux, syslinux or U-Boot boots this system by this file, which gtuned does not change: add the "
                "tokens to each line APPEND of it, and reboot",
        },
        {
                "boot-store-systemd-boot", layouts_find_systemd_boot,
                "systemd-boot is installed and has no entries that gtuned could change: install the kernel with "
                "`kernel-install add`, which makes one in loader/entries",
        },
};

int boot_stores_refuse_layouts(const Root *root, const Cmdline *running, BootStores *stores) {
        LayoutsLook l;

        assert(root);
        assert(stores);

        layouts_look(root, running, stores, &l);
        for (size_t i = 0; i < ELEMENTSOF(layouts); i++) {
                const char *path = layouts[i].find(&l);

                if (!path)
                        continue;

                /* Whoever does what the reason says changes nothing that gtuned reads, save what runs. */
                stores->none = true;
                stores->built = layouts[i].built && l.template && !l.boots;
                return boot_stores_problem(stores, path, 0, layouts[i].code, /* fatal= */ !stores->built, "%s",
                                           layouts[i].reason);
        }

        return layouts_check_mounts(root, &l, stores);
}
