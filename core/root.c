/* SPDX-License-Identifier: Apache-2.0 */

#include <assert.h>
#include <dirent.h>
#include <fcntl.h>

#include "core/file-system.h"
#include "core/root-memory.h"
#include "core/root.h"

#define ROOT_NAMES_MAX 65536U
#define ROOT_READ_STEP 4096U

struct Root {
        int fd;
        bool live;
        dev_t device;
        int foreign; /* ROOT_FOREIGN if the root itself is on a virtual file system, else ROOT_OK */
        RootTrace trace;
        RootMemory *memory; /* NULL: nothing is remembered */
        const RootOverlay *overlay;
        size_t n_overlay;
};

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
                r = file_system_is_virtual(root->fd, /* tmpfs= */ false);
                if (r < 0)
                        return r;
                root->foreign = r > 0 ? ROOT_FOREIGN : ROOT_OK;
        }

        *ret = TAKE_PTR(root);
        return 0;
}

int root_copy(Root **ret, const Root *root) {
        _cleanup_(root_freep) Root *copy = calloc(1, sizeof(*copy));

        assert(ret && root);

        if (!copy)
                return -ENOMEM;

        *copy = *root;
        copy->trace = (RootTrace) {};
        copy->memory = NULL;
        copy->overlay = NULL;
        copy->n_overlay = 0;
        copy->fd = fcntl(root->fd, F_DUPFD_CLOEXEC, 3);
        if (copy->fd < 0)
                return negative_errno();

        *ret = TAKE_PTR(copy);
        return 0;
}

Root *root_free(Root *root) {
        if (!root)
                return NULL;

        closep(&root->fd);
        root_memory_free(root->memory);
        free(root);
        return NULL;
}

bool root_is_live(const Root *root) {
        return root->live;
}

void root_trace(Root *root, const RootTrace *trace) {
        root->trace = trace ? *trace : (RootTrace) {};
}

static void root_call_before(const Root *root, SightKind kind, const char *path, size_t max) {
        if (root->trace.before)
                root->trace.before(&(Sight) {.kind = kind, .path = path, .max = max}, root->trace.userdata);
}

/* FNV-1a (draft-eastlake-fnv). No peer chooses what is compared. */
static uint64_t root_digest(uint64_t digest, const void *data, size_t size) {
        const uint8_t *bytes = data;

        for (size_t i = 0; i < size; i++)
                digest = (digest ^ bytes[i]) * UINT64_C(0x100000001b3);

        return digest;
}

static uint64_t root_digest_outcome(int outcome) {
        return root_digest(UINT64_C(0xcbf29ce484222325), &outcome, sizeof(outcome));
}

static void root_call_after(const Root *root, SightKind kind, const char *path, int outcome, const void *data,
                            size_t size, size_t max) {
        Sight sight = {.kind = kind, .path = path, .max = max, .outcome = outcome};

        if (!root->trace.after)
                return;

        sight.digest = root_digest(root_digest_outcome(outcome), data, size);
        root->trace.after(&sight, root->trace.userdata);
}

static void root_call_after_metadata(const Root *root, SightKind kind, const char *path, int outcome,
                                     const struct stat *st) {
        const uint64_t seen[] = {
                st->st_dev, st->st_ino, st->st_mode, st->st_uid, st->st_gid, (uint64_t) st->st_size,
                (uint64_t) st->st_mtim.tv_sec, (uint64_t) st->st_mtim.tv_nsec,
                (uint64_t) st->st_ctim.tv_sec, (uint64_t) st->st_ctim.tv_nsec,
        };

        root_call_after(root, kind, path, outcome, seen, outcome == ROOT_OK ? sizeof(seen) : 0, 0);
}

/*
 * A file on the device of the root is on the file system of the root, whose type root_new() read: the descriptor of the
 * root keeps it mounted, so that no other file system can get the number of its device. For other devices the type is
 * read each time, because after an unmount another file system may get the number, and the daemon runs for long.
 */
static int root_check_foreign(const Root *root, int fd, const struct stat *st) {
        int r;

        if (root->live)
                return ROOT_OK;
        if (st->st_dev == root->device)
                return root->foreign;

        /* devtmpfs and /run have the type of tmpfs too. But the tree itself may be on a tmpfs. */
        r = file_system_is_virtual(fd, /* tmpfs= */ true);
        return r > 0 ? ROOT_FOREIGN : r;
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
        int r;

        assert(path && path[0] == '/');

        root_call_before(root, SIGHT_FILE, path, 0);
        r = root_open_checked(root, path, ret_fd, &st);
        root_call_after_metadata(root, SIGHT_FILE, path, r, &st);
        return r;
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

void root_overlay(Root *root, const RootOverlay *files, size_t n) {
        assert(root);
        assert(!root->memory);

        root->overlay = files;
        root->n_overlay = n;
}

int root_overlay_compare(const void *a, const void *b) {
        const RootOverlay *x = a, *y = b;

        return strcmp(x->path, y->path);
}

static const RootOverlay *root_find_overlay(const Root *root, const char *path) {
        const RootOverlay key = {.path = path};

        return root->n_overlay == 0 ? NULL : bsearch(&key, root->overlay, root->n_overlay, sizeof(RootOverlay),
                                                     root_overlay_compare);
}

/* Return: ROOT_OK; 1 if the file is read as it is; -EFBIG; -ENOMEM. */
static int root_read_overlay(const Root *root, const char *path, size_t max, Buffer *ret) {
        const RootOverlay *file = root_find_overlay(root, path);
        _cleanup_buffer_ Buffer copy = BUFFER_NULL;

        if (!file)
                return 1;
        if (file->content->size > max)
                return -EFBIG;
        if (buffer_append(&copy, file->content->data, file->content->size) < 0)
                return -ENOMEM;

        *ret = TAKE_GENERIC(copy, BUFFER_NULL);
        return ROOT_OK;
}

static int root_read_path(const Root *root, const char *path, size_t max, Buffer *ret) {
        _cleanup_close_ int fd = -EBADF;
        struct stat st;
        int r;

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

void root_remember(Root *root, bool remember) {
        root->memory = root_memory_free(root->memory);
        if (remember)
                root->memory = root_memory_new();
}

static int root_read_once(const Root *root, const char *path, size_t max, Buffer *ret) {
        const Remembered *known = root->memory ? root_memory_find(root->memory, path, max) : NULL;
        _cleanup_buffer_ Buffer copy = BUFFER_NULL;
        int r;

        if (known) {
                if (known->outcome >= 0 && buffer_append(&copy, known->content.data, known->content.size) < 0)
                        return -ENOMEM;
                if (known->outcome >= 0) {
                        *ret = copy;
                        copy = BUFFER_NULL;
                }
                return known->outcome;
        }

        r = root_read_overlay(root, path, max, ret);
        if (r <= 0)
                return r;

        r = root_read_path(root, path, max, ret);
        if (root->memory)
                root_memory_add(root->memory, path, max, r, ret);
        return r;
}

int root_read(const Root *root, const char *path, size_t max, Buffer *ret) {
        int r;

        assert(path && path[0] == '/');

        root_call_before(root, SIGHT_CONTENT, path, max);
        r = root_read_once(root, path, max, ret);
        root_call_after(root, SIGHT_CONTENT, path, r, ret->data, r == ROOT_OK ? ret->size : 0, max);
        return r;
}

static int root_read_in(const Root *root, int directory, const char *name, size_t max, Buffer *ret) {
        _cleanup_close_ int fd = -EBADF;
        struct stat st;
        int r;

        r = root_open_entry(root, directory, name, &fd, &st);
        if (r == -ESTALE)
                r = root_open_entry(root, directory, name, &fd, &st);
        if (r != ROOT_OK)
                return r < 0 ? r : -ENOENT;

        return root_read_file(fd, &st, max, ret);
}

int root_read_entry(const Root *root, int directory, const char *path, size_t max, Buffer *ret) {
        int r;

        root_call_before(root, SIGHT_CONTENT, path, max);
        r = root_read_overlay(root, path, max, ret);
        if (r > 0)
                r = root_read_in(root, directory, strrchr(path, '/') + 1, max, ret);
        if (r != -ELOOP) /* otherwise the caller looks again */
                root_call_after(root, SIGHT_CONTENT, path, r, ret->data, r == ROOT_OK ? ret->size : 0, max);
        return r;
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

/* A device may have been replaced since it was looked at, and then nothing is read of what is there now. */
static int root_open_device(const Root *root, const char *path, int *ret_fd) {
        _cleanup_close_ int fd = -EBADF;
        _cleanup_(look_done) Look l;
        struct stat st;
        int r;

        look_init(&l, root->fd);
        r = look_at(&l, path);
        if (r < 0)
                return r;
        if (!S_ISCHR(l.st.st_mode))
                return -EOPNOTSUPP;

        fd = look_open(&l, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
        if (fd < 0)
                return fd;
        if (fstat(fd, &st) < 0)
                return negative_errno();
        if (st.st_rdev != l.st.st_rdev || !S_ISCHR(st.st_mode))
                return -ESTALE;

        *ret_fd = TAKE_FD(fd);
        return ROOT_OK;
}

static int root_read_from_device(const Root *root, const char *path, size_t size, void *ret) {
        _cleanup_close_ int fd = -EBADF;
        struct stat st;
        ssize_t n;
        int r;

        r = root->live ? root_open_device(root, path, &fd) : root_open_checked(root, path, &fd, &st);
        if (r != ROOT_OK)
                return r < 0 ? r : -ENOENT;

        do
                n = read(fd, ret, size);
        while (n < 0 && errno == EINTR);
        if (n < 0)
                return negative_errno();

        return (size_t) n == size ? 0 : -ENODATA;
}

int root_read_device(const Root *root, const char *path, size_t size, void *ret) {
        int r;

        assert(path && path[0] == '/');

        root_call_before(root, SIGHT_DEVICE, path, size);
        r = root_read_from_device(root, path, size, ret);
        root_call_after(root, SIGHT_DEVICE, path, r, ret, r == 0 ? size : 0, size);
        return r;
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

/* A file of the overlay is in its directory, even if another process has removed it in the meantime. */
static int root_add_overlay_names(const Root *root, const char *directory, char ***names, size_t *n) {
        for (size_t i = 0; i < root->n_overlay; i++) {
                const char *name = startswith(root->overlay[i].path, directory);

                if (!name || *name++ != '/' || strchr(name, '/'))
                        continue;
                if (strv_take(names, n, strdup(name)) < 0)
                        return -ENOMEM;
        }

        return 0;
}

static void root_sort_names(char **names, size_t *n) {
        size_t kept = 0;

        qsort(names, *n, sizeof(char *), strv_compare);
        for (size_t i = 0; i < *n; i++)
                if (kept > 0 && streq(names[kept - 1], names[i]))
                        free(names[i]);
                else
                        names[kept++] = names[i];

        names[kept] = NULL;
        *n = kept;
}

static int root_list_names(const Root *root, const char *path, char ***ret) {
        _cleanup_(closedirp) DIR *d = NULL;
        _cleanup_close_ int fd = -EBADF;
        _cleanup_(strv_freep) char **names = NULL;
        size_t n = 0;
        int r;

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
        if (root_add_overlay_names(root, path, &names, &n) < 0)
                return -ENOMEM;

        /* Of an empty directory the array holds only the terminating NULL. */
        if (n == 0 && grow(&names, 0, sizeof(char *)) < 0)
                return -ENOMEM;

        root_sort_names(names, &n);
        *ret = TAKE_PTR(names);
        return (int) n;
}

int root_list(const Root *root, const char *path, char ***ret) {
        uint64_t digest;
        int r;

        assert(path && path[0] == '/');

        root_call_before(root, SIGHT_NAMES, path, 0);
        r = root_list_names(root, path, ret);
        digest = root_digest_outcome(r);
        for (char **name = r < 0 ? NULL : *ret; name && *name; name++)
                digest = root_digest(digest, *name, strlen(*name) + 1);
        root_call_after(root, SIGHT_NAMES, path, r, &digest, sizeof(digest), 0);
        return r;
}

int root_list_optional(const Root *root, const char *path, char ***ret) {
        static const int absent[] = {-ENOENT, -ENOTDIR, -ELOOP, -EOPNOTSUPP};
        int r = root_list(root, path, ret);

        for (size_t i = 0; i < ELEMENTSOF(absent); i++)
                if (r == absent[i]) {
                        *ret = NULL;
                        return 0;
                }

        return r;
}

int root_resolve(const Root *root, const char *path, char **ret) {
        int r;

        assert(path && path[0] == '/');

        root_call_before(root, SIGHT_REAL_PATH, path, 0);
        r = resolve_inside(root->fd, path, ret);
        if (r == -ENOENT && root_find_overlay(root, path))
                r = free_and_strdup(ret, path);
        root_call_after(root, SIGHT_REAL_PATH, path, r, *ret, r < 0 ? 0 : strlen(*ret), 0);
        return r;
}

bool root_exists(const Root *root, const char *path) {
        struct stat st;
        int r;

        root_call_before(root, SIGHT_PRESENCE, path, 0);
        r = root_check(root, path, &st);
        root_call_after(root, SIGHT_PRESENCE, path, r == ROOT_OK, NULL, 0, 0);
        return r == ROOT_OK;
}

int root_walk(const Root *root, const char *path, LookStep step, void *userdata) {
        return look_walk(root->fd, path, step, userdata);
}

int root_stat(const Root *root, const char *path, struct stat *ret) {
        int r;

        root_call_before(root, SIGHT_METADATA, path, 0);
        r = root_check(root, path, ret);
        root_call_after_metadata(root, SIGHT_METADATA, path, r, ret);
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

static int root_read_mask(const Root *root, const char *path) {
        static const char null[] = "/dev/null";
        _cleanup_close_ int directory = -EBADF;
        char target[sizeof(null)];
        const char *name;
        ssize_t n;
        int r;

        r = root_open_parent(root, path, /* create= */ false, &directory, &name);
        if (r != ROOT_OK)
                return r == -ENOENT || r == -ENOMEM ? r : 0;

        n = readlinkat(directory, name, target, sizeof(target));
        if (n < 0)
                return errno == ENOENT ? -ENOENT : 0;

        return n == (ssize_t) strlen(null) && memcmp(target, null, strlen(null)) == 0;
}

int root_is_mask(const Root *root, const char *path) {
        int r;

        root_call_before(root, SIGHT_MASK, path, 0);
        r = root_read_mask(root, path);
        root_call_after(root, SIGHT_MASK, path, r, NULL, 0, 0);
        return r;
}
