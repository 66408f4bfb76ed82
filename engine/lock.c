/* SPDX-License-Identifier: Apache-2.0 */

#include <fcntl.h>
#include <sys/file.h>
#include <sys/sysmacros.h>
#include <time.h>

#include "engine/lock.h"

#define LOCK_NAME "lock" /* in the state directory */
#define LOCK_POLL_MSEC 100U
#define LOCKS_SIZE_MAX (1024U * 1024U)

static int lock_open(const Root *root, const char *path, int *ret_fd) {
        _cleanup_close_ int directory = -EBADF;
        const char *name;
        int r;

        r = root_open_parent(root, path, true, &directory, &name);
        if (r != ROOT_OK)
                return r == ROOT_FOREIGN ? -EROFS : r;

        r = openat(directory, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
        if (r < 0)
                return negative_errno();

        *ret_fd = r;
        return 0;
}

/* "1: FLOCK  ADVISORY  WRITE 1234 fe:00:5678 0 EOF": proc(5), /proc/locks. Return: 0 if the holder is not listed. */
static long lock_find_holder(const Root *live, int fd) {
        _cleanup_buffer_ Buffer text = BUFFER_NULL;
        long holder = 0;
        struct stat st;
        char *state = NULL;

        if (fstat(fd, &st) < 0 || root_read(live, "/proc/locks", LOCKS_SIZE_MAX, &text) < 0)
                return 0;

        for (char *line = strtok_r(text.data, "\n", &state); line; line = strtok_r(NULL, "\n", &state)) {
                unsigned device_major, device_minor;
                unsigned long inode;
                long pid;

                if (sscanf(line, "%*u: FLOCK %*s %*s %ld %x:%x:%lu", &pid, &device_major, &device_minor, &inode) != 4 ||
                    inode != st.st_ino)
                        continue;
                if (makedev(device_major, device_minor) == st.st_dev)
                        return pid;

                /* btrfs and overlayfs show another device there than stat(2) does. */
                holder = holder == 0 ? pid : -1;
        }

        return holder;
}

/* The lock is one of the running system, whatever the root is. */
static char *lock_describe_holder(int fd) {
        _cleanup_(root_freep) Root *live = NULL;
        _cleanup_free_ char *path = NULL, *name = NULL;
        long holder = root_new(&live, "/") >= 0 ? lock_find_holder(live, fd) : 0;

        if (holder <= 0)
                return xasprintf("another gtune is at work: try again when it is done");

        path = xasprintf("/proc/%ld/comm", holder);
        if (!path || root_read_line(live, path, &name) < 0)
                return xasprintf("process %ld is at work here: try again when it is done", holder);

        return xasprintf("process %ld (%s) is at work here: try again when it is done", holder, name);
}

static int lock_wait(int fd, const char *path, char **ret_error) {
        for (unsigned waited = 0; flock(fd, LOCK_EX | LOCK_NB) < 0; waited += LOCK_POLL_MSEC) {
                const struct timespec pause = {.tv_nsec = LOCK_POLL_MSEC * 1000000L};

                if (errno == EINTR)
                        continue;
                if (errno != EWOULDBLOCK) {
                        int r = negative_errno();

                        *ret_error = xasprintf("%s cannot be locked: %s", path, error_text(-r));
                        return r;
                }
                if (waited >= LOCK_WAIT_SEC * 1000U) {
                        *ret_error = lock_describe_holder(fd);
                        return -EBUSY;
                }
                (void) nanosleep(&pause, NULL);
        }

        return 0;
}

int lock_take(const Side *side, const Root *root, int *ret_fd, char **ret_error) {
        _cleanup_free_ char *path = side_state_path(side, LOCK_NAME);
        _cleanup_close_ int fd = -EBADF;
        int r;

        if (!path)
                return -ENOMEM;

        r = lock_open(root, path, &fd);
        if (r < 0) {
                *ret_error = xasprintf("%s cannot be opened: %s", path, error_text(-r));
                return r;
        }
        r = lock_wait(fd, path, ret_error);
        if (r < 0)
                return r;

        *ret_fd = TAKE_FD(fd);
        return 0;
}
