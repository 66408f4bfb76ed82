/* SPDX-License-Identifier: Apache-2.0 */

#include <assert.h>

#include "agent/tpm/event-view.h"
#include "agent/tpm/moving-pcrs.h"

/* A description may be cut, so only the beginning of a command line is searched; a short one may match by chance. */
#define MOVING_CMDLINE_MIN 8U
#define MOVING_CMDLINE_COMPARED 512U

/* The descriptions of events with a command line, as event_describe() writes them. */
static const char *const moving_cmdline_prefixes[] = {
        "GRUB command: linux", /* linux16 and linuxefi too */
        "kernel command line: ",
        "kernel command line, measured by",
};

#define MOVING_FILE_PREFIX "file that the boot loader read: "

/* Skips the first word, which a boot loader adds: GRUB adds BOOT_IMAGE=, and systemd-stub adds nothing. */
static const char *cmdline_without_boot_image(const char *cmdline) {
        const char *rest;

        if (!startswith(cmdline, "BOOT_IMAGE="))
                return cmdline;

        rest = strchr(cmdline, ' ');
        return rest ? rest + 1 : "";
}

static bool description_holds_cmdline(const char *description, const char *cmdline) {
        char part[MOVING_CMDLINE_COMPARED + 1];
        size_t n;

        for (size_t i = 0; i < ELEMENTSOF(moving_cmdline_prefixes); i++)
                if (startswith(description, moving_cmdline_prefixes[i]))
                        return true;

        cmdline = cmdline_without_boot_image(strempty(cmdline));
        n = strcspn(cmdline, "\n");
        n = n < MOVING_CMDLINE_COMPARED ? n : MOVING_CMDLINE_COMPARED;
        memcpy(part, cmdline, n);
        part[n] = 0;
        return n >= MOVING_CMDLINE_MIN && strstr(description, part);
}

/* Compares whole components: "/boot/grub/grub.cfg" ends with "/grub/grub.cfg", and not with "/b/grub.cfg". */
static bool path_ends_with(const char *path, const char *end) {
        return *end == '/' && endswith(path, end);
}

/*
 * The boot loader names a file by its path in its file system. This path is shorter than the system's path if /boot is
 * a file system of its own, and longer if / is a btrfs subvolume.
 */
static bool description_is_of_file(const char *description, const char *path) {
        const char *name = startswith(description, MOVING_FILE_PREFIX), *device;

        if (!name)
                return false;

        device = *name == '(' ? strchr(name, ')') : NULL;
        if (device && startswith(name, "(memdisk)"))
                return false;
        if (device)
                name = device + 1;

        return path_ends_with(path, name) || path_ends_with(name, path);
}

/* Only events of boot loaders and of the EFI stub count: a variable of the firmware may quote a command line too. */
static bool event_view_is_of_boot_loader(const EventView *v) {
        return v->extends && (streq(v->type, "EV_IPL") || streq(v->type, "EV_EVENT_TAG"));
}

uint32_t moving_pcrs(json_object *events, const char *cmdline, const char *const *paths) {
        uint32_t set = 0;
        EventView v;

        assert(events && paths);

        for (size_t i = 0; i < json_object_array_length(events); i++) {
                bool moves;

                if (event_view(json_object_array_get_idx(events, i), &v) < 0 || !event_view_is_of_boot_loader(&v))
                        continue;

                moves = description_holds_cmdline(v.description, cmdline);
                for (const char *const *p = paths; !moves && *p; p++)
                        moves = description_is_of_file(v.description, *p);
                if (moves)
                        set |= 1U << v.pcr;
        }

        return set;
}
