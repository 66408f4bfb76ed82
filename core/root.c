/* SPDX-License-Identifier: Apache-2.0 */

#include <assert.h>
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <sys/vfs.h>

#include "core/root.h"

/* As many as the kernel follows (fs/namei.c: MAXSYMLINKS). */
#define LINKS_MAX 40U
#define NAMES_MAX 65536U
#define OPEN_TRIES 16U

struct Root {
        int fd;
        bool live;
        dev_t device;
        void (*trace)(const char *path, void *userdata);
        void *trace_userdata;
};

static int open_root_directory(const char *path) {
        int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

        return fd < 0 ? negative_errno() : fd;
}

int root_new(Root **ret, const char *path) {
        _cleanup_(root_freep) Root *root = NULL;
        struct stat here, real;

        assert(ret);
        assert(path);

        root = calloc(1, sizeof(*root));
        if (!root)
                return -ENOMEM;

        root->fd = open_root_directory(path);
        if (root->fd < 0)
                return root->fd;
        if (fstat(root->fd, &here) < 0 || stat("/", &real) < 0)
                return negative_errno();

        root->live = here.st_dev == real.st_dev && here.st_ino == real.st_ino;
        root->device = here.st_dev;
        *ret = TAKE_PTR(root);
        return 0;
}

Root *root_free(Root *root) {
        if (!root)
                return NULL;

        closep(&root->fd);
        free(root);
        return NULL;
}

bool root_is_live(const Root *root) {
        return root->live;
}

void root_trace(Root *root, void (*callback)(const char *path, void *userdata), void *userdata) {
        root->trace = callback;
        root->trace_userdata = userdata;
}

static void trace(const Root *root, const char *path) {
        if (root->trace)
                root->trace(path, root->trace_userdata);
}

/* A walk by hand, for kernels without openat2() and for callers that want to know where a path leads. */
typedef struct Walk {
        const Root *root;
        int fd;        /* where it stands */
        char *done;    /* the same as a path: "" for the root, else "/a/b" */
        char *todo;    /* what is left */
        unsigned links;
} Walk;

static void walk_done(Walk *w) {
        closep(&w->fd);
        free(w->done);
        free(w->todo);
}

/* Goes to a directory that is known to have no link in its path. */
static int walk_goto(Walk *w, const char *path) {
        _cleanup_free_ char *copy = strdup(path);
        _cleanup_close_ int fd = fcntl(w->root->fd, F_DUPFD_CLOEXEC, 3);
        char *state = NULL;

        if (!copy)
                return -ENOMEM;
        if (fd < 0)
                return negative_errno();

        for (char *name = strtok_r(copy, "/", &state); name; name = strtok_r(NULL, "/", &state)) {
                int next = openat(fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);

                if (next < 0)
                        return negative_errno();
                closep(&fd);
                fd = next;
        }

        closep(&w->fd);
        w->fd = TAKE_FD(fd);
        return free_and_strdup(&w->done, path);
}

static int walk_up(Walk *w) {
        _cleanup_free_ char *parent = strdup(w->done);
        char *slash;

        if (!parent)
                return -ENOMEM;

        slash = strrchr(parent, '/');
        if (slash)
                *slash = 0;

        return walk_goto(w, parent);
}

static int walk_follow(Walk *w, int link_fd) {
        char target[PATH_MAX];
        char *todo;
        ssize_t n;

        if (++w->links > LINKS_MAX)
                return -ELOOP;

        n = readlinkat(link_fd, "", target, sizeof(target) - 1);
        if (n < 0)
                return negative_errno();
        target[n] = 0;

        todo = xasprintf("%s/%s", target, w->todo);
        if (!todo)
                return -ENOMEM;
        free(w->todo);
        w->todo = todo;

        return target[0] == '/' ? walk_goto(w, "") : 0;
}

static int walk_step(Walk *w, const char *name) {
        _cleanup_close_ int child = -EBADF;
        struct stat st;
        char *done;

        if (streq(name, "") || streq(name, "."))
                return 0;
        if (streq(name, ".."))
                return walk_up(w);

        child = openat(w->fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
        if (child < 0 || fstat(child, &st) < 0)
                return negative_errno();
        if (S_ISLNK(st.st_mode))
                return walk_follow(w, child);

        done = xasprintf("%s/%s", w->done, name);
        if (!done)
                return -ENOMEM;

        free(w->done);
        w->done = done;
        closep(&w->fd);
        w->fd = TAKE_FD(child);
        return 0;
}

static int walk(const Root *root, const char *path, int *ret_fd, char **ret_path) {
        _cleanup_(walk_done) Walk w = {.root = root, .fd = -EBADF};
        int r;

        w.todo = strdup(path);
        if (!w.todo)
                return -ENOMEM;

        r = walk_goto(&w, "");
        while (r >= 0 && *w.todo) {
                _cleanup_free_ char *name = NULL;
                char *rest = strchrnul(w.todo, '/');
                size_t n = (size_t) (rest - w.todo);

                name = strndup(w.todo, n);
                if (!name)
                        return -ENOMEM;

                rest += *rest == '/';
                memmove(w.todo, rest, strlen(rest) + 1);
                r = walk_step(&w, name);
        }
        if (r < 0)
                return r;

        if (ret_fd)
                *ret_fd = TAKE_FD(w.fd);
        if (ret_path) {
                *ret_path = *w.done ? TAKE_PTR(w.done) : strdup("/");
                if (!*ret_path)
                        return -ENOMEM;
        }
        return 0;
}

/* Opens as in a chroot. */
static int open_inside(const Root *root, const char *path, int flags) {
        struct open_how how = {
                .flags = (unsigned) (flags | O_CLOEXEC),
                .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
        };
        _cleanup_free_ char *real = NULL;
        long fd;
        int r;

        /* EAGAIN: something was renamed or mounted, anywhere, while it went through a ".." (openat2(2)). */
        for (unsigned i = 0; i < OPEN_TRIES; i++) {
                fd = syscall(SYS_openat2, root->fd, path, &how, sizeof(how));
                if (fd >= 0)
                        return (int) fd;
                if (errno != EAGAIN)
                        break;
        }
        if (errno != ENOSYS && errno != EPERM && errno != EAGAIN)
                return negative_errno();

        r = walk(root, path, NULL, &real);
        if (r < 0)
                return r;

        r = openat(root->fd, streq(real, "/") ? "." : real + 1, flags | O_CLOEXEC | O_NOFOLLOW);
        return r < 0 ? negative_errno() : r;
}

/* File systems that speak of the running kernel and not of the tree (statfs(2)). */
static const long virtual_file_systems[] = {
        SYSFS_MAGIC,    PROC_SUPER_MAGIC, DEVPTS_SUPER_MAGIC,  SECURITYFS_MAGIC, DEBUGFS_MAGIC,
        TRACEFS_MAGIC,  CGROUP_SUPER_MAGIC, CGROUP2_SUPER_MAGIC, SELINUX_MAGIC,   EFIVARFS_MAGIC,
        BPF_FS_MAGIC,
};

static int check_foreign(const Root *root, int fd, const struct stat *st) {
        struct statfs fs;

        if (root->live)
                return ROOT_OK;
        if (fstatfs(fd, &fs) < 0)
                return negative_errno();

        for (size_t i = 0; i < ELEMENTSOF(virtual_file_systems); i++)
                if (fs.f_type == virtual_file_systems[i])
                        return ROOT_FOREIGN;

        /* devtmpfs and /run are tmpfs too. A tree that lies on a tmpfs itself is no foreign one. */
        return fs.f_type == TMPFS_MAGIC && st->st_dev != root->device ? ROOT_FOREIGN : ROOT_OK;
}

static int check_path(const Root *root, const char *path, struct stat *ret) {
        _cleanup_close_ int fd = -EBADF;

        fd = open_inside(root, path, O_PATH);
        if (fd < 0)
                return fd;
        if (fstat(fd, ret) < 0)
                return negative_errno();
        if (!S_ISREG(ret->st_mode) && !S_ISDIR(ret->st_mode))
                return -EOPNOTSUPP;

        return check_foreign(root, fd, ret);
}

int root_open(const Root *root, const char *path, int *ret_fd) {
        _cleanup_close_ int fd = -EBADF;
        struct stat before, after;
        int r;

        assert(path && path[0] == '/');

        trace(root, path);

        r = check_path(root, path, &before);
        if (r != ROOT_OK)
                return r;

        fd = open_inside(root, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
        if (fd < 0)
                return fd;
        if (fstat(fd, &after) < 0)
                return negative_errno();
        if (before.st_dev != after.st_dev || before.st_ino != after.st_ino)
                return -ESTALE; /* replaced between the two looks */

        *ret_fd = TAKE_FD(fd);
        return ROOT_OK;
}

static int read_all(int fd, size_t max, Buffer *b) {
        char chunk[16384];

        for (;;) {
                ssize_t n = read(fd, chunk, sizeof(chunk));
                int r;

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return negative_errno();
                if (n == 0)
                        return buffer_append(b, NULL, 0);
                if ((size_t) n > max - b->size)
                        return -EFBIG;

                r = buffer_append(b, chunk, (size_t) n);
                if (r < 0)
                        return r;
        }
}

int root_read(const Root *root, const char *path, size_t max, Buffer *ret) {
        _cleanup_buffer_ Buffer b = BUFFER_NULL;
        _cleanup_close_ int fd = -EBADF;
        struct stat st;
        int r;

        r = root_open(root, path, &fd);
        if (r == -ESTALE)
                r = root_open(root, path, &fd);
        if (r != ROOT_OK)
                return r < 0 ? r : -ENOENT;
        if (fstat(fd, &st) < 0)
                return negative_errno();
        if (S_ISDIR(st.st_mode))
                return -EISDIR;
        if (st.st_size > 0 && (size_t) st.st_size > max)
                return -EFBIG;

        r = read_all(fd, max, &b);
        if (r < 0)
                return r;

        *ret = b;
        b = BUFFER_NULL;
        return ROOT_OK;
}

int root_read_line(const Root *root, const char *path, char **ret) {
        _cleanup_buffer_ Buffer b = BUFFER_NULL;
        char *copy;
        int r;

        r = root_read(root, path, 4096, &b);
        if (r < 0)
                return r;

        copy = strdup(strip(b.data));
        if (!copy)
                return -ENOMEM;

        *ret = copy;
        return ROOT_OK;
}

static int compare_names(const void *a, const void *b) {
        return strcmp(*(char *const *) a, *(char *const *) b);
}

static void closedirp(DIR **d) {
        if (*d)
                (void) closedir(*d);
}

static int read_names(DIR *d, char ***names, size_t *n) {
        for (;;) {
                struct dirent *e;

                errno = 0;
                e = readdir(d);
                if (!e)
                        return errno > 0 ? -errno : 0;
                if (streq(e->d_name, ".") || streq(e->d_name, ".."))
                        continue;
                if (*n >= NAMES_MAX)
                        return -EFBIG;
                /* Room for the terminating NULL is made together with the name. */
                if (grow(names, *n, sizeof(char *)) < 0)
                        return -ENOMEM;
                (*names)[*n] = strdup(e->d_name);
                if (!(*names)[*n])
                        return -ENOMEM;
                (*n)++;
        }
}

int root_list(const Root *root, const char *path, char ***ret) {
        _cleanup_(closedirp) DIR *d = NULL;
        _cleanup_close_ int fd = -EBADF;
        char **names = NULL;
        size_t n = 0;
        int r;

        r = root_open(root, path, &fd);
        if (r != ROOT_OK)
                return r < 0 ? r : -ENOENT;

        d = fdopendir(fd);
        if (!d)
                return negative_errno();
        (void) TAKE_FD(fd);

        r = read_names(d, &names, &n);
        if (r >= 0)
                r = grow(&names, n, sizeof(char *));
        if (r < 0) {
                for (size_t i = 0; i < n; i++)
                        free(names[i]);
                free(names);
                return r;
        }

        qsort(names, n, sizeof(char *), compare_names);
        *ret = names;
        return (int) n;
}

int root_resolve(const Root *root, const char *path, char **ret) {
        assert(path && path[0] == '/');

        trace(root, path);
        return walk(root, path, NULL, ret);
}

bool root_exists(const Root *root, const char *path) {
        struct stat st;

        trace(root, path);
        return check_path(root, path, &st) == ROOT_OK;
}

int root_stat(const Root *root, const char *path, struct stat *ret) {
        int r;

        trace(root, path);
        r = check_path(root, path, ret);
        return r == ROOT_FOREIGN ? -ENOENT : r;
}

static int open_directory(const Root *root, const char *path, bool create, int *ret_fd) {
        _cleanup_close_ int parent = -EBADF;
        _cleanup_free_ char *above = NULL;
        struct stat st;
        int r;

        r = check_path(root, path, &st);
        if (r == -ENOENT && create) {
                above = strdup(path);
                if (!above)
                        return -ENOMEM;

                char *slash = strrchr(above, '/');
                *slash = 0;
                r = open_directory(root, *above ? above : "/", true, &parent);
                if (r != ROOT_OK)
                        return r;
                if (mkdirat(parent, slash + 1, 0755) < 0 && errno != EEXIST)
                        return negative_errno();
                r = check_path(root, path, &st);
        }
        if (r != ROOT_OK)
                return r;

        r = open_inside(root, path, O_RDONLY | O_DIRECTORY);
        if (r < 0)
                return r;

        *ret_fd = r;
        return ROOT_OK;
}

int root_open_parent(const Root *root, const char *path, bool create, int *ret_fd, const char **ret_name) {
        _cleanup_free_ char *directory = strdup(path);
        char *slash;
        int r;

        assert(path && path[0] == '/');

        if (!directory)
                return -ENOMEM;

        slash = strrchr(directory, '/');
        *slash = 0;
        r = open_directory(root, *directory ? directory : "/", create, ret_fd);
        if (r != ROOT_OK)
                return r;

        *ret_name = strrchr(path, '/') + 1;
        return ROOT_OK;
}
