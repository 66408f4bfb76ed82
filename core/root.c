/* SPDX-License-Identifier: Apache-2.0 */

#include <assert.h>
#include <dirent.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/vfs.h>

#include "core/look.h"
#include "core/root.h"

#define ROOT_NAMES_MAX 65536U
#define ROOT_READ_STEP 4096U

struct Root {
        int fd;
        bool live;
        dev_t device;
        int foreign; /* ROOT_FOREIGN if the root itself is on a virtual file system, else ROOT_OK */
        void (*trace)(const char *path, void *userdata);
        void *trace_userdata;
};

/* File systems whose content describes the running kernel, not the tree (statfs(2)). */
static const long root_virtual_file_systems[] = {
        SYSFS_MAGIC,    PROC_SUPER_MAGIC, DEVPTS_SUPER_MAGIC,  SECURITYFS_MAGIC, DEBUGFS_MAGIC,
        TRACEFS_MAGIC,  CGROUP_SUPER_MAGIC, CGROUP2_SUPER_MAGIC, SELINUX_MAGIC,   EFIVARFS_MAGIC,
        BPF_FS_MAGIC,
};

static int root_ask_foreign(int fd, bool of_root) {
        struct statfs fs;

        if (fstatfs(fd, &fs) < 0)
                return negative_errno();

        for (size_t i = 0; i < ELEMENTSOF(root_virtual_file_systems); i++)
                if (fs.f_type == root_virtual_file_systems[i])
                        return ROOT_FOREIGN;

        /* devtmpfs and /run have the type of tmpfs too. But the tree itself may be on a tmpfs. */
        return fs.f_type == TMPFS_MAGIC && !of_root ? ROOT_FOREIGN : ROOT_OK;
}

int root_new(Root **ret, const char *path) {
        _cleanup_(root_freep) Root *root = NULL;
        struct stat here, real;
        int r;

        assert(ret);
        assert(path);

        root = calloc(1, sizeof(*root));
        if (!root)
                return -ENOMEM;

        root->fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (root->fd < 0 || fstat(root->fd, &here) < 0 || stat("/", &real) < 0)
                return negative_errno();

        root->live = here.st_dev == real.st_dev && here.st_ino == real.st_ino;
        root->device = here.st_dev;
        if (!root->live) {
                r = root_ask_foreign(root->fd, true);
                if (r < 0)
                        return r;
                root->foreign = r;
        }

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

static void root_call_trace(const Root *root, const char *path) {
        if (root->trace)
                root->trace(path, root->trace_userdata);
}

/*
 * A file on the device of the root is on the file system of the root, whose type root_new() read: the descriptor of the
 * root keeps it mounted, so that no other file system can get the number of its device. For other devices the type is
 * read each time, because after an unmount another file system may get the number, and the daemon runs for long.
 */
static int root_check_foreign(const Root *root, int fd, const struct stat *st) {
        if (root->live)
                return ROOT_OK;
        if (st->st_dev == root->device)
                return root->foreign;

        return root_ask_foreign(fd, false);
}

static int root_look(const Root *root, Look *l, const char *path) {
        int r = look_at(l, path);

        if (r < 0)
                return r;
        if (!S_ISREG(l->st.st_mode) && !S_ISDIR(l->st.st_mode))
                return -EOPNOTSUPP;

        return root_check_foreign(root, l->fd, &l->st);
}

static int root_check(const Root *root, const char *path, struct stat *ret) {
        _cleanup_(look_done) Look l;
        int r;

        look_init(&l, root->fd);
        r = root_look(root, &l, path);
        if (r == ROOT_OK)
                *ret = l.st;

        return r;
}

/* As root_open(), and return the metadata of the file too. */
static int root_open_checked(const Root *root, const char *path, int *ret_fd, struct stat *ret) {
        _cleanup_close_ int fd = -EBADF;
        _cleanup_(look_done) Look l;
        struct stat st;
        int r;

        root_call_trace(root, path);

        look_init(&l, root->fd);
        r = root_look(root, &l, path);
        if (r != ROOT_OK)
                return r;

        fd = look_open(&l, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
        if (fd < 0)
                return fd;
        if (fstat(fd, &st) < 0)
                return negative_errno();
        if (st.st_dev != l.st.st_dev || st.st_ino != l.st.st_ino)
                return -ESTALE; /* the file was replaced after root_look() */

        *ret_fd = TAKE_FD(fd);
        *ret = st;
        return ROOT_OK;
}

int root_open(const Root *root, const char *path, int *ret_fd) {
        struct stat st;

        assert(path && path[0] == '/');

        return root_open_checked(root, path, ret_fd, &st);
}

/* Open a directory. With O_DIRECTORY, open() has no effect on other files, so there is no need to look first. */
static int root_open_directory(const Root *root, const char *path, int *ret_fd) {
        _cleanup_close_ int fd = -EBADF;
        struct stat st;
        int r;

        fd = open_inside(root->fd, path, O_RDONLY | O_DIRECTORY);
        if (fd == -ENOENT)
                return fd;
        if (fd < 0) {
                /* If the path is foreign, or no file or directory, that takes precedence over other errors. */
                r = root_check(root, path, &st);
                return r != ROOT_OK ? r : fd;
        }
        if (fstat(fd, &st) < 0)
                return negative_errno();

        r = root_check_foreign(root, fd, &st);
        if (r == ROOT_OK)
                *ret_fd = TAKE_FD(fd);
        return r;
}

static int root_make_room(Buffer *b, size_t size) {
        char *data;

        if (b->allocated > size)
                return 0;
        if (size < b->allocated * 2)
                size = b->allocated * 2;

        data = realloc(b->data, size + 1);
        if (!data)
                return -ENOMEM;

        b->data = data;
        b->allocated = size + 1;
        return 0;
}

/*
 * Read to the end of a file of the size that fstat() gave. If exactly that many bytes come, no further read is needed:
 * the buffer always has room for one byte more, so a file that has grown gives more. procfs gives the size 0, and sysfs
 * 4096 for shorter files; these are read until read() returns 0.
 */
static int root_read_to_end(int fd, size_t size, size_t max, Buffer *b) {
        for (;;) {
                ssize_t n;
                int r;

                r = root_make_room(b, b->size < size ? size + 1 : b->size + ROOT_READ_STEP);
                if (r < 0)
                        return r;

                n = read(fd, b->data + b->size, b->allocated - b->size - 1);
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return negative_errno();
                if ((size_t) n > max - b->size)
                        return -EFBIG;

                b->size += (size_t) n;
                b->data[b->size] = 0;
                if (n == 0 || b->size == size)
                        return 0;
        }
}

static int root_read_file(int fd, const struct stat *st, size_t max, Buffer *ret) {
        _cleanup_buffer_ Buffer b = BUFFER_NULL;
        int r;

        if (S_ISDIR(st->st_mode))
                return -EISDIR;
        if (st->st_size > 0 && (size_t) st->st_size > max)
                return -EFBIG;

        r = root_read_to_end(fd, st->st_size > 0 ? (size_t) st->st_size : 0, max, &b);
        if (r < 0)
                return r;

        *ret = b;
        b = BUFFER_NULL;
        return ROOT_OK;
}

int root_read(const Root *root, const char *path, size_t max, Buffer *ret) {
        _cleanup_close_ int fd = -EBADF;
        struct stat st;
        int r;

        assert(path && path[0] == '/');

        r = root_open_checked(root, path, &fd, &st);
        if (r == -ESTALE)
                r = root_open_checked(root, path, &fd, &st);
        if (r != ROOT_OK)
                return r < 0 ? r : -ENOENT;

        return root_read_file(fd, &st, max, ret);
}

/* As root_open_checked(), without the way through the directories. */
static int root_open_entry(const Root *root, int directory, const char *name, int *ret_fd, struct stat *ret) {
        _cleanup_close_ int fd = -EBADF;
        struct stat look, st;

        if (fstatat(directory, name, &look, AT_SYMLINK_NOFOLLOW) < 0)
                return negative_errno();
        if (S_ISLNK(look.st_mode) || (!root->live && look.st_dev != root->device))
                return -ELOOP;
        if (!S_ISREG(look.st_mode) && !S_ISDIR(look.st_mode))
                return -EOPNOTSUPP;
        if (!root->live && root->foreign != ROOT_OK)
                return root->foreign;

        fd = openat(directory, name, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0 || fstat(fd, &st) < 0)
                return negative_errno();
        if (st.st_dev != look.st_dev || st.st_ino != look.st_ino)
                return -ESTALE;

        *ret_fd = TAKE_FD(fd);
        *ret = st;
        return ROOT_OK;
}

int root_read_entry(const Root *root, int directory, const char *path, size_t max, Buffer *ret) {
        const char *name = strrchr(path, '/') + 1;
        _cleanup_close_ int fd = -EBADF;
        struct stat st;
        int r;

        root_call_trace(root, path);
        r = root_open_entry(root, directory, name, &fd, &st);
        if (r == -ESTALE)
                r = root_open_entry(root, directory, name, &fd, &st);
        if (r != ROOT_OK)
                return r < 0 ? r : -ENOENT;

        return root_read_file(fd, &st, max, ret);
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

static int root_compare_names(const void *a, const void *b) {
        return strcmp(*(char *const *) a, *(char *const *) b);
}

static void closedirp(DIR **d) {
        if (*d)
                (void) closedir(*d);
}

static int root_read_names(DIR *d, char ***names, size_t *n) {
        for (;;) {
                struct dirent *e;

                errno = 0;
                e = readdir(d);
                if (!e)
                        return errno > 0 ? -errno : 0;
                if (streq(e->d_name, ".") || streq(e->d_name, ".."))
                        continue;
                if (*n >= ROOT_NAMES_MAX)
                        return -EFBIG;
                if (strv_take(names, n, strdup(e->d_name)) < 0)
                        return -ENOMEM;
        }
}

int root_list(const Root *root, const char *path, char ***ret) {
        _cleanup_(closedirp) DIR *d = NULL;
        _cleanup_close_ int fd = -EBADF;
        _cleanup_(strv_freep) char **names = NULL;
        size_t n = 0;
        int r;

        assert(path && path[0] == '/');

        root_call_trace(root, path);
        r = root_open_directory(root, path, &fd);
        if (r != ROOT_OK)
                return r < 0 ? r : -ENOENT;

        d = fdopendir(fd);
        if (!d)
                return negative_errno();
        (void) TAKE_FD(fd);

        r = root_read_names(d, &names, &n);
        if (r < 0)
                return r;

        /* Of an empty directory the array holds only the terminating NULL. */
        if (n == 0 && grow(&names, 0, sizeof(char *)) < 0)
                return -ENOMEM;

        qsort(names, n, sizeof(char *), root_compare_names);
        *ret = TAKE_PTR(names);
        return (int) n;
}

int root_resolve(const Root *root, const char *path, char **ret) {
        assert(path && path[0] == '/');

        root_call_trace(root, path);
        return resolve_inside(root->fd, path, ret);
}

bool root_exists(const Root *root, const char *path) {
        struct stat st;

        root_call_trace(root, path);
        return root_check(root, path, &st) == ROOT_OK;
}

int root_stat(const Root *root, const char *path, struct stat *ret) {
        int r;

        root_call_trace(root, path);
        r = root_check(root, path, ret);
        return r == ROOT_FOREIGN ? -ENOENT : r;
}

static int root_make_directory(const Root *root, const char *path, int *ret_fd) {
        _cleanup_close_ int parent = -EBADF;
        _cleanup_free_ char *above = NULL;
        char *slash;
        int r;

        r = root_open_directory(root, path, ret_fd);
        if (r != -ENOENT)
                return r;

        above = strdup(path);
        if (!above)
                return -ENOMEM;

        slash = strrchr(above, '/');
        *slash = 0;
        r = root_make_directory(root, *above ? above : "/", &parent);
        if (r != ROOT_OK)
                return r;
        if (mkdirat(parent, slash + 1, 0755) < 0 && errno != EEXIST)
                return negative_errno();

        return root_open_directory(root, path, ret_fd);
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
        r = create ? root_make_directory(root, *directory ? directory : "/", ret_fd)
                   : root_open_directory(root, *directory ? directory : "/", ret_fd);
        if (r != ROOT_OK)
                return r;

        *ret_name = strrchr(path, '/') + 1;
        return ROOT_OK;
}

int root_is_mask(const Root *root, const char *path) {
        static const char null[] = "/dev/null";
        _cleanup_close_ int directory = -EBADF;
        char target[sizeof(null)];
        const char *name;
        ssize_t n;
        int r;

        root_call_trace(root, path);
        r = root_open_parent(root, path, /* create= */ false, &directory, &name);
        if (r != ROOT_OK)
                return r == -ENOENT || r == -ENOMEM ? r : 0;

        n = readlinkat(directory, name, target, sizeof(target));
        if (n < 0)
                return errno == ENOENT ? -ENOENT : 0;

        return n == (ssize_t) strlen(null) && memcmp(target, null, strlen(null)) == 0;
}
