/* SPDX-License-Identifier: Apache-2.0 */

#include <assert.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/xattr.h>

#include "core/replace.h"

char *replacement_staged_name(const char *name) {
        return xasprintf(".%s.gtuned", name);
}

static Folder *folder_unref(Folder *folder) {
        if (folder && --folder->n_users == 0) {
                closep(&folder->fd);
                free(folder);
        }

        return NULL;
}
DEFINE_CLEANUP(Folder *, folder_unref);

static int folder_open(const Root *root, const char *path, bool create, Folder **ret) {
        _cleanup_(folder_unrefp) Folder *folder = calloc(1, sizeof(*folder));
        struct statfs fs;
        const char *name;
        int r;

        if (!folder)
                return -ENOMEM;

        *folder = (Folder) {.n_users = 1, .fd = -EBADF};
        r = root_open_parent(root, path, create, &folder->fd, &name);
        if (r != ROOT_OK)
                return r == ROOT_FOREIGN ? -EROFS : r;
        if (fstatfs(folder->fd, &fs) < 0)
                return negative_errno();

        folder->fat = fs.f_type == MSDOS_SUPER_MAGIC;
        *ret = TAKE_PTR(folder);
        return 0;
}

/*
 * On FAT, flush the directory and, with it, the table of clusters. On the disk a name must never point to clusters that
 * the table calls free: when such a file is removed, the kernel makes the ESP read-only. But the flush of a file writes
 * its name before the table (Linux: fs/fat/file.c, fat_file_fsync()).
 */
static int folder_sync_clusters(const Folder *folder) {
        return folder->fat && fsync(folder->fd) < 0 ? negative_errno() : 0;
}

/* Remove a staged file. It is open meanwhile, so that its blocks are freed last. Return: 0, also if there is none. */
static int folder_remove_staged(const Folder *folder, const char *name) {
        _cleanup_close_ _unused_ int fd = openat(folder->fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

        if (unlinkat(folder->fd, name, 0) < 0)
                return errno == ENOENT ? 0 : negative_errno();

        return folder_sync_clusters(folder);
}

void replacement_done(Replacement *r) {
        if (r->folder && r->staged)
                (void) folder_remove_staged(r->folder, r->staged);

        closep(&r->old_fd);
        folder_unref(r->folder);
        free(r->path);
        free(r->staged);
        *r = REPLACEMENT_NULL;
}

/*
 * The attributes that are a file's own. Not those that the kernel makes of the content (security.ima, security.evm), nor a
 * capability, which every write takes away.
 */
static bool replacement_keeps_attribute(const char *name) {
        static const char *const prefixes[] = {"user.", "trusted.", "security.selinux", "security.SMACK64"};

        for (size_t i = 0; i < ELEMENTSOF(prefixes); i++)
                if (startswith(name, prefixes[i]))
                        return !startswith(name, "trusted.overlay.");

        return false;
}

/* Read an attribute whole. Return: its size, 0 also if there is none, or -errno. */
static ssize_t replacement_read_attribute(int fd, const char *name, char **ret) {
        _cleanup_free_ char *value = NULL;
        ssize_t n;

        n = fgetxattr(fd, name, NULL, 0);
        if (n <= 0)
                return n == 0 || errno == ENODATA || errno == ENOTSUP ? 0 : negative_errno();

        value = malloc((size_t) n);
        if (!value)
                return -ENOMEM;
        n = fgetxattr(fd, name, value, (size_t) n);
        if (n < 0)
                return negative_errno();

        *ret = TAKE_PTR(value);
        return n;
}

/* Copy an extended attribute. A file system without labels or access lists fails with ENOTSUP, as vfat does. */
static int replacement_copy_attribute(int from, int to, const char *name) {
        _cleanup_free_ char *value = NULL, *is = NULL;
        ssize_t n, m;
        int r;

        n = replacement_read_attribute(from, name, &value);
        if (n < 0)
                return (int) n;
        if (n == 0 && fgetxattr(from, name, NULL, 0) < 0)
                return 0;
        if (fsetxattr(to, name, value, (size_t) n, 0) >= 0 || errno == ENOTSUP)
                return 0;

        r = negative_errno();
        m = replacement_read_attribute(to, name, &is);
        return m == n && (n == 0 || memcmp(value, is, (size_t) n) == 0) ? 0 : r;
}

static int replacement_copy_attributes(int from, int to) {
        _cleanup_free_ char *names = NULL;
        ssize_t n;

        n = flistxattr(from, NULL, 0);
        if (n <= 0)
                return n == 0 || errno == ENOTSUP ? 0 : negative_errno();

        names = malloc((size_t) n);
        if (!names)
                return -ENOMEM;
        n = flistxattr(from, names, (size_t) n);
        if (n < 0)
                return negative_errno();

        for (const char *name = names; name < names + n; name += strlen(name) + 1) {
                int r = replacement_keeps_attribute(name) ? replacement_copy_attribute(from, to, name) : 0;

                if (r < 0)
                        return r;
        }

        return 0;
}

/* The flags that chattr(1) sets and that do not forbid to replace the file (linux/fs.h). */
#define REPLACEMENT_FLAGS                                                                                             \
        (FS_SECRM_FL | FS_UNRM_FL | FS_COMPR_FL | FS_SYNC_FL | FS_NODUMP_FL | FS_NOATIME_FL | FS_NOCOMP_FL |          \
         FS_JOURNAL_DATA_FL | FS_NOTAIL_FL | FS_NOCOW_FL)

/* Copy the flags while the new file is empty: btrfs takes FS_NOCOW_FL of no other. */
static int replacement_copy_flags(int from, int to) {
        int want = 0, is = 0, flags;

        if (ioctl(from, FS_IOC_GETFLAGS, &want) < 0 || ioctl(to, FS_IOC_GETFLAGS, &is) < 0)
                return 0; /* the file system has none */

        flags = (is & ~REPLACEMENT_FLAGS) | (want & REPLACEMENT_FLAGS);
        if (flags == is || ioctl(to, FS_IOC_SETFLAGS, &flags) >= 0 || errno == EOPNOTSUPP || errno == ENOTTY)
                return 0;

        return negative_errno();
}

static int replacement_copy_metadata(int from, int to) {
        struct stat want, is;
        int r;

        if (fstat(from, &want) < 0 || fstat(to, &is) < 0)
                return negative_errno();

        /* Set the owner first, because that clears bits of the mode. On vfat both come from the mount. */
        if ((want.st_uid != is.st_uid || want.st_gid != is.st_gid) &&
            (fchown(to, want.st_uid, want.st_gid) < 0 || fstat(to, &is) < 0))
                return negative_errno();

        /* Set attributes before a mode that may forbid to write, and the access list after the mode that it replaces. */
        r = replacement_copy_attributes(from, to);
        if (r < 0)
                return r;
        if ((want.st_mode & 07777) != (is.st_mode & 07777) && fchmod(to, want.st_mode & 07777) < 0)
                return negative_errno();

        return replacement_copy_attribute(from, to, "system.posix_acl_access");
}

static int replacement_open_entry(const Replacement *p) {
        return openat(p->folder->fd, p->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
}

static int replacement_create_staged(const Replacement *p, mode_t mode) {
        int fd = openat(p->folder->fd, p->staged, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode & 0700);

        return fd < 0 ? negative_errno() : fd;
}

static int replacement_write_staged(const Replacement *p, const Buffer *content, mode_t mode) {
        _cleanup_close_ int old = -EBADF, new = -EBADF;
        int r;

        new = replacement_create_staged(p, mode);
        if (new == -EEXIST) {
                /* It was left by an earlier run of gtuned. */
                r = folder_remove_staged(p->folder, p->staged);
                if (r < 0)
                        return r;
                new = replacement_create_staged(p, mode);
        }
        if (new < 0)
                return new;

        old = replacement_open_entry(p);
        if (old < 0 && errno != ENOENT)
                return negative_errno();
        if (old >= 0) {
                r = replacement_copy_flags(old, new);
                if (r < 0)
                        return r;
        }

        r = write_all(new, content->data, content->size);
        if (r < 0)
                return r;
        if (old >= 0)
                r = replacement_copy_metadata(old, new);
        else if (fchmod(new, mode) < 0)
                r = negative_errno();
        if (r < 0)
                return r;

        r = folder_sync_clusters(p->folder);
        if (r < 0)
                return r;
        if (fsync(new) < 0)
                return negative_errno();

        return 0;
}

static int replacement_open_target(const Root *root, const Replacement *beside, const char *path, bool create,
                                   Replacement *p) {
        p->path = strdup(path);
        if (!p->path)
                return -ENOMEM;

        p->name = strrchr(p->path, '/') + 1;
        if (!beside || !same_folder(beside->path, path))
                return folder_open(root, path, create, &p->folder);

        p->folder = beside->folder;
        p->folder->n_users++;
        return 0;
}

int replacement_stage(const Root *root, const Replacement *beside, const char *path, const Buffer *content, mode_t mode,
                      Replacement *ret) {
        _cleanup_(replacement_done) Replacement p = REPLACEMENT_NULL;
        int r;

        r = replacement_open_target(root, beside, path, content != NULL, &p);
        if (r < 0)
                return r;

        if (content) {
                p.staged = replacement_staged_name(p.name);
                if (!p.staged)
                        return -ENOMEM;

                r = replacement_write_staged(&p, content, mode);
                if (r < 0)
                        return r;
        }

        *ret = p;
        p = REPLACEMENT_NULL;
        return 0;
}

int replacement_adopt(const Root *root, const char *path, Replacement *ret) {
        _cleanup_(replacement_done) Replacement p = REPLACEMENT_NULL;
        _cleanup_free_ char *staged = NULL;
        int r;

        r = replacement_open_target(root, NULL, path, false, &p);
        if (r < 0)
                return r;

        staged = replacement_staged_name(p.name);
        if (!staged)
                return -ENOMEM;
        if (faccessat(p.folder->fd, staged, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
                return negative_errno();

        p.staged = TAKE_PTR(staged);
        *ret = p;
        p = REPLACEMENT_NULL;
        return 0;
}

/* The flag, as chattr(1) names it, that forbids to change what was looked at; 0: none. */
static char statx_forbidding_flag(const struct statx *stx) {
        return stx->stx_attributes & STATX_ATTR_IMMUTABLE ? 'i' : stx->stx_attributes & STATX_ATTR_APPEND ? 'a' : 0;
}

void foresight_done(Foresight *f) {
        closep(&f->fd);
        free(f->path);
}

static int foresight_open_folder(Foresight *f, const char *path) {
        const Root *root = f->root;
        const char *name;
        struct statx stx;
        int r;

        if (f->path && same_folder(f->path, path))
                return 0;

        foresight_done(f);
        *f = FORESIGHT(root);
        r = root_open_parent(root, path, false, &f->fd, &name);
        if (r != ROOT_OK)
                return r == ROOT_FOREIGN ? -EROFS : r;
        if (statx(f->fd, "", AT_EMPTY_PATH, STATX_TYPE, &stx) < 0)
                return negative_errno();

        f->flag = statx_forbidding_flag(&stx);
        return free_and_strdup(&f->path, path);
}

int foresight_file(Foresight *f, const char *path, FileTraits *ret) {
        struct statx stx;
        int r;

        *ret = (FileTraits) {};
        r = foresight_open_folder(f, path);
        if (r < 0)
                return r;

        ret->folder_flag = f->flag;
        if (statx(f->fd, strrchr(path, '/') + 1, AT_SYMLINK_NOFOLLOW, STATX_TYPE | STATX_NLINK, &stx) < 0)
                return errno == ENOENT ? 0 : negative_errno();

        ret->flag = statx_forbidding_flag(&stx);
        ret->other_names = S_ISREG(stx.stx_mode) && stx.stx_nlink > 1 ? stx.stx_nlink - 1 : 0;
        return 0;
}

int replacement_check_folder(const Root *root, const Replacement *p) {
        _cleanup_close_ int fd = -EBADF;
        struct stat is, was;
        const char *name;
        int r;

        r = root_open_parent(root, p->path, false, &fd, &name);
        if (r == -ENOENT || r == ROOT_FOREIGN)
                return -ESTALE;
        if (r < 0)
                return r;
        if (fstat(fd, &is) < 0 || fstat(p->folder->fd, &was) < 0)
                return negative_errno();

        return is.st_dev == was.st_dev && is.st_ino == was.st_ino ? 0 : -ESTALE;
}

/* Return: 1 if the rest of a file is these bytes, 0 if it is not, -errno. */
static int file_holds(int fd, const Buffer *content) {
        char part[16384];
        size_t at = 0;

        for (;;) {
                ssize_t n = read(fd, part, sizeof(part));

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return negative_errno();
                if (n == 0)
                        return at == content->size;
                if ((size_t) n > content->size - at || memcmp(part, content->data + at, (size_t) n) != 0)
                        return 0;

                at += (size_t) n;
                if (at == content->size && (size_t) n < sizeof(part))
                        return 1;
        }
}

int replacement_check_target(Replacement *p, const Buffer *old) {
        struct stat st;
        int r;

        p->old_fd = replacement_open_entry(p);
        if (p->old_fd < 0) {
                r = negative_errno();
                if (r == -ENOENT && !old)
                        return 0;
                return r == -ENOENT || r == -ELOOP ? -ESTALE : r;
        }
        if (fstat(p->old_fd, &st) < 0)
                return negative_errno();
        if (!old || !S_ISREG(st.st_mode))
                return -ESTALE;

        r = file_holds(p->old_fd, old);
        return r < 0 ? r : r > 0 ? 0 : -ESTALE;
}

int replacement_commit(Replacement *p) {
        if (p->old_fd < 0)
                p->old_fd = replacement_open_entry(p);

        if (!p->staged) {
                if (unlinkat(p->folder->fd, p->name, 0) < 0 && errno != ENOENT)
                        return negative_errno();
                return 0;
        }

        if (renameat(p->folder->fd, p->staged, p->folder->fd, p->name) < 0)
                return negative_errno();

        free(TAKE_PTR(p->staged));
        return 0;
}

int replacement_sync_folder(const Replacement *p) {
        return fsync(p->folder->fd) < 0 ? negative_errno() : 0;
}

int replacement_sync_file(const Replacement *p) {
        _cleanup_close_ int file = replacement_open_entry(p);

        return file >= 0 && fsync(file) < 0 ? negative_errno() : 0;
}

int replacement_sync(const Replacement *p) {
        int r;

        r = replacement_sync_folder(p);
        if (r < 0)
                return r;

        return replacement_sync_file(p);
}

int replace_file(const Root *root, const char *path, const Buffer *content, mode_t mode) {
        _cleanup_(replacement_done) Replacement p = REPLACEMENT_NULL;
        int r;

        r = replacement_stage(root, NULL, path, content, mode, &p);
        if (r < 0)
                return r;

        r = replacement_commit(&p);
        if (r < 0)
                return r;

        return replacement_sync(&p);
}

int update_file(const Root *root, const char *path, const Buffer *content, mode_t mode) {
        _cleanup_buffer_ Buffer is = BUFFER_NULL;
        int r;

        if (root_read(root, path, content->size + 1, &is) >= 0 && buffer_equal(&is, content))
                return 0;

        r = replace_file(root, path, content, mode);
        if (r < 0)
                return r;

        return 1;
}

int write_attribute(const Root *root, const char *path, const char *value) {
        _cleanup_close_ int directory = -EBADF, fd = -EBADF;
        const char *name;
        _cleanup_free_ char *line = xasprintf("%s\n", value);
        struct stat st;
        ssize_t n;
        int r;

        if (!line)
                return -ENOMEM;

        r = root_open_parent(root, path, false, &directory, &name);
        if (r != ROOT_OK)
                return r == ROOT_FOREIGN ? -EROFS : r;

        fd = openat(directory, name, O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
        if (fd < 0 || fstat(fd, &st) < 0)
                return negative_errno();
        if (!S_ISREG(st.st_mode))
                return -EOPNOTSUPP;

        n = write(fd, line, strlen(line));
        if (n < 0)
                return negative_errno();

        if ((size_t) n != strlen(line))
                return -EIO;

        /* In a snapshot it is an ordinary file, whose old value may have been longer. In sysfs this does nothing. */
        (void) ftruncate(fd, n);
        return 0;
}
