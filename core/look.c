/* SPDX-License-Identifier: Apache-2.0 */

/* Tested by tests/unit/core/test-root.c, with openat2() and without. */

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>

#include "core/look.h"

/* As many as the kernel follows (fs/namei.c: MAXSYMLINKS). */
#define LOOK_LINKS_MAX 40U
#define LOOK_OPEN_TRIES 16U

void look_init(Look *l, int root) {
        l->root = root;
        l->fd = -EBADF;
        l->st.st_mode = 0;
        l->by_hand = false;
        l->step = NULL;
        l->userdata = NULL;
        l->parent = -EBADF;
        l->n_links = 0;
        l->todo = NULL;
        l->spelled = NULL;
        l->n_real = 0;
        l->real[0] = 0;
}

void look_done(Look *l) {
        closep(&l->fd);
        closep(&l->parent);
        free(l->spelled);
}

static void look_enter(Look *l, int fd) {
        closep(&l->parent);
        l->parent = l->fd;
        l->fd = fd;
        l->st.st_mode = 0; /* not known: the directories on the way need no fstat() */
}

static int look_child(const Look *l, const char *name, int flags) {
        int fd = openat(l->fd >= 0 ? l->fd : l->root, name, O_PATH | O_NOFOLLOW | O_CLOEXEC | flags);

        return fd < 0 ? negative_errno() : fd;
}

/* Go back to the root. From there the caller goes to the directory that the first n_real bytes of l->real name. */
static void look_rewind(Look *l, size_t n_real) {
        l->fd = safe_close(l->fd);
        l->parent = safe_close(l->parent);
        l->st.st_mode = 0;
        l->n_real = n_real;
        l->real[n_real] = 0;
}

/*
 * Go to the directory that holds l->real. Begin at the root: if another process moves the current directory, its ".."
 * may lead out of the root.
 */
static int look_up(Look *l) {
        const char *slash = strrchr(l->real, '/');
        char *next = NULL;

        look_rewind(l, slash ? (size_t) (slash - l->real) : 0);

        for (char *name = l->real; *name; name = next) {
                char end;
                int fd;

                next = strchrnul(++name, '/');
                end = *next;
                *next = 0;
                fd = look_child(l, name, O_DIRECTORY);
                *next = end;
                if (fd < 0)
                        return fd;
                look_enter(l, fd);
        }

        return 0;
}

/* Put the target of a link in front of the rest of the path. */
static int look_follow(Look *l, int link_fd, bool last) {
        char target[PATH_MAX];
        char *spelled;
        ssize_t n;

        if (++l->n_links > LOOK_LINKS_MAX)
                return -ELOOP;

        n = readlinkat(link_fd, "", target, sizeof(target) - 1);
        if (n < 0)
                return negative_errno();
        target[n] = 0;

        spelled = last ? strdup(target) : xasprintf("%s/%s", target, l->todo);
        if (!spelled)
                return -ENOMEM;
        free(l->spelled);
        l->todo = l->spelled = spelled;

        if (target[0] == '/')
                look_rewind(l, 0);
        return 0;
}

/*
 * Go to a name in the current directory. Return: 1; 0 if the name is a link, whose target now is in front of the rest
 * of the path; or -errno.
 */
static int look_descend(Look *l, const char *name, bool last) {
        _cleanup_close_ int child = -EBADF;
        struct stat st;

        /* Most names on the way are directories, which one call opens. Links make it fail (open(2), O_NOFOLLOW). */
        if (!last) {
                child = look_child(l, name, O_DIRECTORY);
                if (child >= 0) {
                        look_enter(l, TAKE_FD(child));
                        return 1;
                }
                if (child != -ENOTDIR)
                        return child;
        }

        child = look_child(l, name, 0);
        if (child < 0)
                return child;
        if (fstat(child, &st) < 0)
                return negative_errno();
        if (S_ISLNK(st.st_mode))
                return look_follow(l, child, last);
        if (!last && !S_ISDIR(st.st_mode))
                return -ENOTDIR;

        look_enter(l, TAKE_FD(child));
        l->st = st;
        return 1;
}

/* Tell of a name in the current directory; NULL: of the current file itself. */
static int look_tell(Look *l, const char *name) {
        const char end = l->real[l->n_real];
        int r;

        if (!l->step)
                return 0;

        l->real[l->n_real] = 0;
        r = l->step(l->fd >= 0 ? l->fd : l->root, l->real, name, l->userdata);
        l->real[l->n_real] = end;
        return r;
}

/* Go on by one name. The name is first copied to the end of l->real, because openat() needs a NUL after it. */
static int look_step(Look *l, const char *name, size_t n, bool last) {
        size_t n_real = l->n_real;
        int r;

        if (n == 0 || (n == 1 && name[0] == '.'))
                return 0;
        if (n == 2 && name[0] == '.' && name[1] == '.')
                return look_up(l);
        if (n_real + 1 + n >= sizeof(l->real))
                return -ENAMETOOLONG;

        l->real[n_real] = '/';
        memcpy(l->real + n_real + 1, name, n);
        l->real[n_real + 1 + n] = 0;

        r = look_tell(l, l->real + n_real + 1);
        if (r >= 0)
                r = look_descend(l, l->real + n_real + 1, last);
        if (r > 0)
                l->n_real = n_real + 1 + n;
        else if (r == 0)
                l->real[l->n_real] = 0;

        return r;
}

/* Walk as the kernel does in a chroot, one name after the other. */
static int look_by_hand(Look *l, const char *path) {
        l->by_hand = true;
        l->todo = path;

        while (*l->todo) {
                const char *name = l->todo, *rest = strchrnul(name, '/');
                bool last = *rest == 0;
                int r;

                l->todo = rest + !last;
                r = look_step(l, name, (size_t) (rest - name), last);
                if (r < 0)
                        return r;
        }

        if (l->st.st_mode == 0 && fstat(l->fd >= 0 ? l->fd : l->root, &l->st) < 0)
                return negative_errno();

        return 0;
}

int look_walk(int root, const char *path, LookStep step, void *userdata) {
        _cleanup_(look_done) Look l;
        int r;

        look_init(&l, root);
        l.step = step;
        l.userdata = userdata;
        r = look_by_hand(&l, path);
        return r < 0 ? r : look_tell(&l, NULL);
}

/* Open a path in one call. Return: a descriptor or -errno; -ENOSYS: the path has to be walked by hand. */
static int look_open_at_once(int root, const char *path, int flags, unsigned resolve) {
        struct open_how how = {
                .flags = (unsigned) (flags | O_CLOEXEC),
                .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | resolve,
        };

        /* EAGAIN: there was a rename or a mount anywhere while the kernel resolved a ".." (openat2(2)). */
        for (unsigned i = 0; i < LOOK_OPEN_TRIES; i++) {
                long fd = syscall(SYS_openat2, root, path, &how, sizeof(how));

                if (fd >= 0)
                        return (int) fd;
                if (errno != EAGAIN)
                        break;
        }

        /* The filters of some containers answer EPERM to calls that they do not know. */
        return errno == EPERM || errno == EAGAIN ? -ENOSYS : negative_errno();
}

int look_at(Look *l, const char *path) {
        int fd = look_open_at_once(l->root, path, O_PATH, 0);

        if (fd == -ENOSYS)
                return look_by_hand(l, path);
        if (fd < 0)
                return fd;

        l->fd = fd;
        if (fstat(fd, &l->st) < 0)
                return negative_errno();

        return 0;
}

/* Open the file that look_by_hand() found. */
static int look_open_by_hand(const Look *l, int flags) {
        const char *slash = strrchr(l->real, '/');
        int fd;

        fd = openat(l->parent >= 0 ? l->parent : l->root, slash ? slash + 1 : ".", flags | O_CLOEXEC | O_NOFOLLOW);
        return fd < 0 ? negative_errno() : fd;
}

int open_inside(int root, const char *path, int flags) {
        _cleanup_(look_done) Look l;
        int r;

        look_init(&l, root);
        r = look_open_at_once(root, path, flags, 0);
        if (r != -ENOSYS)
                return r;

        r = look_by_hand(&l, path);
        if (r < 0)
                return r;

        return look_open_by_hand(&l, flags);
}

int look_open(const Look *l, const char *path, int flags) {
        return l->by_hand ? look_open_by_hand(l, flags) : open_inside(l->root, path, flags);
}

/* Whether a path has no empty name, no "." and no "..", so that it is resolved if no name in it is a link. */
static bool look_path_is_plain(const char *path) {
        for (;;) {
                const char *end = strchrnul(path, '/');
                size_t n = (size_t) (end - path);

                if (n == 0 || (path[0] == '.' && (n == 1 || (n == 2 && path[1] == '.'))))
                        return false;
                if (!*end)
                        return true;
                path = end + 1;
        }
}

/*
 * Append a path to the resolved path of the directory from which it starts. Return: false if the result is too long, or
 * if the path is not plain after the ".." at its beginning, which need no help of the kernel.
 */
static bool look_join_real_path(char real[static PATH_MAX], const char *path) {
        size_t n = strlen(real), n_path;

        if (*path == '/') {
                n = 0;
                path++;
        }
        while (startswith(path, "../")) {
                while (n > 0 && real[--n] != '/')
                        ;
                path += 3;
        }

        n_path = strlen(path);
        if (!look_path_is_plain(path) || n + 1 + n_path >= PATH_MAX)
                return false;

        real[n] = '/';
        memcpy(real + n + 1, path, n_path + 1);
        return true;
}

/*
 * Resolve a path in which only the last name may be a link, and likewise in the target of that link. The kernel reports
 * any other link. Return: 0 or -errno; -ELOOP and -ENOSYS: the path has to be walked by hand.
 */
static int look_resolve_at_once(int root, const char *path, char **ret) {
        char real[PATH_MAX], target[PATH_MAX];

        real[0] = 0;
        if (!look_join_real_path(real, path))
                return -ELOOP;

        for (unsigned i = 0; i <= LOOK_LINKS_MAX; i++) {
                _cleanup_close_ int fd = look_open_at_once(root, real, O_PATH, RESOLVE_NO_SYMLINKS), link = -EBADF;
                ssize_t n;

                if (fd >= 0) {
                        *ret = strdup(real);
                        return *ret ? 0 : -ENOMEM;
                }
                if (fd != -ELOOP)
                        return fd;

                link = look_open_at_once(root, real, O_PATH | O_NOFOLLOW, RESOLVE_NO_SYMLINKS);
                if (link < 0)
                        return link;
                n = readlinkat(link, "", target, sizeof(target) - 1);
                if (n < 0)
                        return -ELOOP;
                target[n] = 0;

                *strrchr(real, '/') = 0;
                if (!look_join_real_path(real, target))
                        return -ELOOP;
        }

        return -ELOOP;
}

int resolve_inside(int root, const char *path, char **ret) {
        _cleanup_(look_done) Look l;
        int r;

        look_init(&l, root);

        r = look_resolve_at_once(root, path, ret);
        if (r != -ELOOP && r != -ENOSYS)
                return r;

        r = look_by_hand(&l, path);
        if (r < 0)
                return r;

        *ret = strdup(l.n_real > 0 ? l.real : "/");
        if (!*ret)
                return -ENOMEM;

        return 0;
}
