/* SPDX-License-Identifier: Apache-2.0 */

#include <linux/fs.h>
#include <linux/magic.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/vfs.h>
#include <sys/wait.h>

#include "agent/settle.h"

#ifndef XFS_SUPER_MAGIC
#define XFS_SUPER_MAGIC 0x58465342
#endif

/* Where the file of a path lies. */
typedef enum Place {
        PLACE_OTHER,       /* not on XFS */
        PLACE_ROOT,        /* on an XFS that is the root file system: freezing it would stop the whole system */
        PLACE_FREEZABLE,   /* on an XFS of its own */
} Place;

static int look(const Root *root, const char *path, int *ret_fd, dev_t *ret_device, Place *ret) {
        struct stat top, here;
        struct statfs fs;
        const char *name;
        int r;

        *ret = PLACE_OTHER;

        r = root_open_parent(root, path, false, ret_fd, &name);
        if (r != ROOT_OK)
                return r == -ENOENT || r == ROOT_FOREIGN ? 0 : r;
        if (fstatfs(*ret_fd, &fs) < 0 || fstat(*ret_fd, &here) < 0 || stat("/", &top) < 0)
                return negative_errno();

        if (fs.f_type == XFS_SUPER_MAGIC)
                *ret = here.st_dev == top.st_dev ? PLACE_ROOT : PLACE_FREEZABLE;
        *ret_device = here.st_dev;
        return 0;
}

/* Thaws when its parent is gone or takes too long, unless it is told that all is done. */
static _noreturn_ void watchdog(int fd, int parent) {
        struct pollfd p = {.fd = parent, .events = POLLIN};
        char done = 0;

        (void) signal(SIGTERM, SIG_IGN);
        (void) signal(SIGINT, SIG_IGN);
        (void) signal(SIGHUP, SIG_IGN);

        if (poll(&p, 1, SETTLE_WATCHDOG_SEC * 1000) <= 0 || recv(parent, &done, 1, 0) != 1)
                (void) ioctl(fd, FITHAW, 0);
        _exit(0);
}

static int freeze_and_thaw(int fd) {
        int pair[2], r = 0;
        pid_t pid;

        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
                return negative_errno();

        pid = fork();
        if (pid == 0) {
                (void) close(pair[0]);
                watchdog(fd, pair[1]);
        }
        if (pid < 0)
                r = negative_errno();
        (void) close(pair[1]);

        if (r >= 0 && (ioctl(fd, FIFREEZE, 0) < 0 || ioctl(fd, FITHAW, 0) < 0))
                r = negative_errno();

        (void) send(pair[0], "", 1, MSG_NOSIGNAL);
        (void) close(pair[0]);
        if (pid > 0)
                (void) waitpid(pid, NULL, 0);

        return r;
}

static bool contains(const dev_t *devices, size_t n, dev_t device) {
        for (size_t i = 0; i < n; i++)
                if (devices[i] == device)
                        return true;

        return false;
}

static int settle_each(const Root *root, const char *const *paths, size_t n_paths, const char **ret_path,
                       const char **ret_on_root) {
        _cleanup_free_ dev_t *done = calloc(n_paths + 1, sizeof(dev_t));
        size_t n_done = 0;

        if (!done)
                return -ENOMEM;

        for (size_t i = 0; i < n_paths; i++) {
                _cleanup_close_ int fd = -EBADF;
                dev_t device = 0;
                Place place;
                int r;

                *ret_path = paths[i];
                r = look(root, paths[i], &fd, &device, &place);
                if (r < 0)
                        return r;
                if (place == PLACE_ROOT && ret_on_root)
                        *ret_on_root = paths[i];
                if (place != PLACE_FREEZABLE || contains(done, n_done, device))
                        continue;

                r = freeze_and_thaw(fd);
                if (r < 0)
                        return r;
                done[n_done++] = device;
        }

        return 0;
}

int settle_check(const Root *root, const char *const *paths, size_t n_paths, const char **ret_path,
                 const char **ret_on_root) {
        *ret_on_root = NULL;
        return settle_each(root, paths, n_paths, ret_path, ret_on_root);
}

int settle(const Root *root, const char *const *paths, size_t n_paths, const char **ret_path) {
        return settle_each(root, paths, n_paths, ret_path, NULL);
}
