/* SPDX-License-Identifier: Apache-2.0 */

#include <assert.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>

#include "host/directory.h"

#define DIRECTORY_LOCK_FILE ".lock"
#define DIRECTORY_LOCK_TRIES 20U
#define DIRECTORY_LOCK_WAIT_USEC 50000U

static bool directory_owner_trusted(uid_t owner) {
        return owner == geteuid() || owner == 0;
}

static int directory_make(const char *path) {
        _cleanup_free_ char *copy = strdup(path);

        if (!copy)
                return -ENOMEM;

        for (char *p = copy + 1; *copy && (p = strchr(p, '/')); *p++ = '/') {
                *p = 0;
                if (mkdir(copy, 0700) < 0 && errno != EEXIST)
                        return negative_errno();
        }

        if (mkdir(path, 0700) < 0 && errno != EEXIST)
                return negative_errno();

        return 0;
}

int directory_open(const char *path, int *ret_fd) {
        _cleanup_close_ int fd = -EBADF;
        struct stat st;
        int r;

        assert(path);
        assert(ret_fd);

        fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0 && errno == ENOENT) {
                r = directory_make(path);
                if (r < 0)
                        return r;
                fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        }
        if (fd < 0 || fstat(fd, &st) < 0)
                return negative_errno();

        /* Any user who may write to the directory could replace the files in it. */
        if (!directory_owner_trusted(st.st_uid) || st.st_mode & (S_IWGRP | S_IWOTH))
                return -EPERM;

        *ret_fd = TAKE_FD(fd);
        return 0;
}

/* No event reports that another process releases its lock, so the function polls. */
static int directory_lock_within(int fd, uint64_t deadline) {
        static const struct timespec pause = {.tv_nsec = DIRECTORY_LOCK_WAIT_USEC * 1000L};

        for (unsigned i = 1; flock(fd, LOCK_EX | LOCK_NB) < 0; i++) {
                if (errno != EWOULDBLOCK && errno != EINTR)
                        return negative_errno();

                if (i >= DIRECTORY_LOCK_TRIES || monotonic_usec() + DIRECTORY_LOCK_WAIT_USEC > deadline)
                        return -EAGAIN;

                (void) nanosleep(&pause, NULL);
        }

        return 0;
}

int directory_lock(int directory_fd, uint64_t deadline, int *ret_fd) {
        _cleanup_close_ int fd = -EBADF;
        struct stat st;
        int r;

        assert(ret_fd);

        fd = openat(directory_fd, DIRECTORY_LOCK_FILE,
                    O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0600);
        if (fd < 0 || fstat(fd, &st) < 0)
                return negative_errno();
        if (!S_ISREG(st.st_mode))
                return -EOPNOTSUPP;

        r = directory_lock_within(fd, deadline);
        if (r < 0)
                return r;

        *ret_fd = TAKE_FD(fd);
        return 0;
}

static int directory_read_fd(int fd, size_t max, Buffer *ret) {
        char chunk[4096];
        size_t left = max + 1;
        ssize_t n;
        int r;

        do {
                n = read(fd, chunk, left < sizeof(chunk) ? left : sizeof(chunk));
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return negative_errno();

                left -= (size_t) n;
                r = buffer_append(ret, chunk, (size_t) n);
                if (r < 0)
                        return r;
        } while (n != 0 && left > 0);

        if (left == 0)
                return -EFBIG;

        return 0;
}

int directory_read(int directory_fd, const char *name, size_t max, Buffer *ret) {
        _cleanup_close_ int fd = -EBADF;
        struct stat st;

        assert(name);
        assert(ret);

        fd = openat(directory_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
        if (fd < 0 || fstat(fd, &st) < 0)
                return negative_errno();
        if (!S_ISREG(st.st_mode))
                return -EOPNOTSUPP;
        if (!directory_owner_trusted(st.st_uid))
                return -EPERM;

        return directory_read_fd(fd, max, ret);
}

int directory_write(int directory_fd, const char *name, const void *data, size_t size) {
        _cleanup_close_ int fd = -EBADF;
        char staged[NAME_MAX + 1];
        uint64_t random;
        int r;

        assert(name);
        assert(data || size == 0);

        if (getrandom(&random, sizeof(random), 0) != (ssize_t) sizeof(random))
                return negative_errno();

        /* A crash may leave a staged file in the directory. It begins with a dot, and no name that callers give does,
         * so it is never mistaken for a file of theirs. */
        r = snprintf(staged, sizeof(staged), ".%s.%016llx", name, (unsigned long long) random);
        if (r < 0 || (size_t) r >= sizeof(staged))
                return -ENAMETOOLONG;

        fd = openat(directory_fd, staged, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (fd < 0)
                return negative_errno();

        /* After any error the staged file has to be removed, so errors do not return at once. */
        r = write_all(fd, data, size);
        if (r >= 0 && fsync(fd) < 0)
                r = negative_errno();
        if (r >= 0 && renameat(directory_fd, staged, directory_fd, name) < 0)
                r = negative_errno();
        if (r < 0) {
                (void) unlinkat(directory_fd, staged, 0);
                return r;
        }

        if (fsync(directory_fd) < 0)
                return negative_errno();

        return 0;
}
