/* SPDX-License-Identifier: Apache-2.0 */

#include <linux/fs.h>
#include <linux/magic.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/vfs.h>
#include <sys/wait.h>

#include "engine/boot-flush.h"

#ifndef XFS_SUPER_MAGIC
#define XFS_SUPER_MAGIC 0x58465342
#endif

/* Where the file of a path lies. */
typedef enum Place {
        PLACE_OTHER,       /* not on XFS */
        PLACE_ROOT,        /* on an XFS that is the root file system: freezing it would stop the whole system */
        PLACE_FREEZABLE,   /* on an XFS of its own */
} Place;

static int boot_flush_locate(const Root *root, const char *path, int *ret_fd, dev_t *ret_device, Place *ret) {
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

/*
 * A process of its own, with all signals blocked, so that the file system is thawed even if the parent is killed.
 * Thawing fails with EINVAL if another process, such as the parent, has thawed it already: the data is in place then.
 */
static _noreturn_ void freezer_run(int fd, int parent) {
        int r = 0;

        if (ioctl(fd, FIFREEZE, 0) < 0 || (ioctl(fd, FITHAW, 0) < 0 && errno != EINVAL))
                r = negative_errno();

        (void) send(parent, &r, sizeof(r), MSG_NOSIGNAL);
        _exit(0);
}

/* Wait for the freezer, and thaw if it is stopped or was killed, which may have left the file system frozen. */
static int freezer_watch(int fd, int worker, pid_t pid) {
        struct pollfd p = {.fd = worker, .events = POLLIN};
        int r = 0;

        if (poll(&p, 1, BOOT_FLUSH_WATCHDOG_SEC * 1000) <= 0) {
                (void) ioctl(fd, FITHAW, 0);
                (void) kill(pid, SIGKILL);
        }

        if (recv(worker, &r, sizeof(r), 0) != sizeof(r)) {
                (void) ioctl(fd, FITHAW, 0);
                r = -EIO;
        }

        (void) waitpid(pid, NULL, 0);
        return r;
}

static int freeze_and_thaw(int fd) {
        sigset_t all, before;
        int pair[2], r;
        pid_t pid;

        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
                return negative_errno();

        (void) sigfillset(&all);
        (void) sigprocmask(SIG_BLOCK, &all, &before);
        pid = fork();
        if (pid == 0) {
                (void) close(pair[0]);
                freezer_run(fd, pair[1]);
        }
        r = pid < 0 ? negative_errno() : 0;
        (void) sigprocmask(SIG_SETMASK, &before, NULL);

        (void) close(pair[1]);
        if (pid > 0)
                r = freezer_watch(fd, pair[0], pid);
        (void) close(pair[0]);

        return r;
}

static bool devices_contain(const dev_t *devices, size_t n, dev_t device) {
        for (size_t i = 0; i < n; i++)
                if (devices[i] == device)
                        return true;

        return false;
}

static int boot_flush_each(const Root *root, const char *const *paths, size_t n_paths, const char **ret_path,
                           const char **ret_on_root) {
        _cleanup_free_ dev_t *done = calloc(n_paths + 1, sizeof(dev_t));
        _cleanup_close_ int fd = -EBADF;
        Place place = PLACE_OTHER;
        size_t n_done = 0;
        dev_t device = 0;
        int r;

        if (!done)
                return -ENOMEM;

        for (size_t i = 0; i < n_paths; i++) {
                *ret_path = paths[i];
                if (i == 0 || !same_folder(paths[i - 1], paths[i])) {
                        fd = safe_close(fd);
                        r = boot_flush_locate(root, paths[i], &fd, &device, &place);
                        if (r < 0)
                                return r;
                }
                if (place == PLACE_ROOT && ret_on_root)
                        *ret_on_root = paths[i];
                if (place != PLACE_FREEZABLE || devices_contain(done, n_done, device))
                        continue;

                r = freeze_and_thaw(fd);
                if (r < 0)
                        return r;
                done[n_done++] = device;
        }

        return 0;
}

int boot_flush_check(const Root *root, const char *const *paths, size_t n_paths, const char **ret_path,
                     const char **ret_on_root) {
        *ret_on_root = NULL;
        return boot_flush_each(root, paths, n_paths, ret_path, ret_on_root);
}

int boot_flush(const Root *root, const char *const *paths, size_t n_paths, const char **ret_path) {
        return boot_flush_each(root, paths, n_paths, ret_path, NULL);
}

char *boot_flush_explain(const char *path, int r) {
        if (r == -EBUSY)
                return xasprintf("%s lies on a file system that is frozen: thaw it, and try again", strempty(path));

        return xasprintf("%s cannot be flushed: %s", strempty(path), error_text(-r));
}
