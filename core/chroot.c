/* SPDX-License-Identifier: Apache-2.0 */

/* Tested by tests/e2e, where apply runs in guests. No test runs apply in a chroot. */

#include <sys/stat.h>

#include "core/chroot.h"

#define CHROOT_MOUNTINFO_MAX (1024U * 1024U)

/* Whether "/" is a mount point, as it is for every process outside a chroot (proc_pid_mountinfo(5)). */
static bool chroot_root_is_mounted(const Root *root) {
        _cleanup_buffer_ Buffer text = BUFFER_NULL;
        char *state = NULL;

        if (root_read(root, "/proc/self/mountinfo", CHROOT_MOUNTINFO_MAX, &text) < 0)
                return false;

        for (char *line = strtok_r(text.data, "\n", &state); line; line = strtok_r(NULL, "\n", &state)) {
                char where[3] = "";

                if (sscanf(line, "%*s %*s %*s %*s %2s", where) == 1 && streq(where, "/"))
                        return true;
        }

        return false;
}

bool in_chroot(const Root *root) {
        struct stat here, init;

        if (stat("/", &here) >= 0 && stat("/proc/1/root", &init) >= 0)
                return here.st_dev != init.st_dev || here.st_ino != init.st_ino;

        return !getenv("INVOCATION_ID") || !chroot_root_is_mounted(root);
}
