/* SPDX-License-Identifier: Apache-2.0 */

#include <assert.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/vfs.h>
#include <sys/xattr.h>

#include "core/replace.h"

char *replacement_staged_name(const char *name) {
        return xasprintf(".%s.gtuned", name);
}

/*
 * On FAT, flush the directory and, with it, the table of clusters. On the disk a name must never point to clusters that
 * the table calls free: when such a file is removed, the kernel makes the ESP read-only. But the flush of a file writes
 * its name before the table (Linux: fs/fat/file.c, fat_file_fsync()).
 */
static int replacement_sync_clusters(int directory_fd) {
        struct statfs fs;

        if (fstatfs(directory_fd, &fs) < 0)
                return negative_errno();
        if (fs.f_type == MSDOS_SUPER_MAGIC && fsync(directory_fd) < 0)
                return negative_errno();

        return 0;
}

/* Remove a staged file. It is open meanwhile, so that its blocks are freed last. Return: 0, also if there is none. */
static int replacement_remove_staged(int directory_fd, const char *name) {
        _cleanup_close_ _unused_ int fd = openat(directory_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

        if (unlinkat(directory_fd, name, 0) < 0)
                return errno == ENOENT ? 0 : negative_errno();

        return replacement_sync_clusters(directory_fd);
}

void replacement_done(Replacement *r) {
        if (r->directory_fd >= 0 && r->staged)
                (void) replacement_remove_staged(r->directory_fd, r->staged);

        closep(&r->old_fd);
        closep(&r->directory_fd);
        free(r->path);
        free(r->name);
        free(r->staged);
        *r = REPLACEMENT_NULL;
}

/* Copy an extended attribute. A file system without labels or access lists fails with ENOTSUP, as vfat does. */
static int replacement_copy_attribute(int from, int to, const char *name) {
        char value[1024], is[1024];
        ssize_t n, m;

        n = fgetxattr(from, name, value, sizeof(value));
        if (n < 0)
                return errno == ENODATA || errno == ENOTSUP ? 0 : negative_errno();
        if (fsetxattr(to, name, value, (size_t) n, 0) >= 0)
                return 0;
        if (errno == ENOTSUP)
                return 0;

        int r = negative_errno();
        m = fgetxattr(to, name, is, sizeof(is));
        return m == n && memcmp(value, is, (size_t) n) == 0 ? 0 : r;
}

static int replacement_copy_metadata(int from, int to) {
        static const char *const names[] = {"security.selinux", "system.posix_acl_access"};
        struct stat want, is;
        int r;

        if (fstat(from, &want) < 0 || fstat(to, &is) < 0)
                return negative_errno();

        /* Set the owner first, because that clears bits of the mode. On vfat both come from the mount. */
        if ((want.st_uid != is.st_uid || want.st_gid != is.st_gid) && fchown(to, want.st_uid, want.st_gid) < 0)
                return negative_errno();
        if (fstat(to, &is) < 0)
                return negative_errno();
        if ((want.st_mode & 07777) != (is.st_mode & 07777) && fchmod(to, want.st_mode & 07777) < 0)
                return negative_errno();

        for (size_t i = 0; i < ELEMENTSOF(names); i++) {
                r = replacement_copy_attribute(from, to, names[i]);
                if (r < 0)
                        return r;
        }

        return 0;
}

static int replacement_open_entry(const Replacement *p) {
        return openat(p->directory_fd, p->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
}

static int replacement_write_staged(const Replacement *p, const Buffer *content, mode_t mode) {
        _cleanup_close_ int old = -EBADF, new = -EBADF;
        int r;

        /* A file of this name was left by an earlier run of gtuned. */
        r = replacement_remove_staged(p->directory_fd, p->staged);
        if (r < 0)
                return r;

        new = openat(p->directory_fd, p->staged, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode & 0700);
        if (new < 0)
                return negative_errno();

        r = write_all(new, content->data, content->size);
        if (r < 0)
                return r;

        old = replacement_open_entry(p);
        if (old >= 0)
                r = replacement_copy_metadata(old, new);
        else if (errno != ENOENT || fchmod(new, mode) < 0)
                r = negative_errno();
        if (r < 0)
                return r;

        r = replacement_sync_clusters(p->directory_fd);
        if (r < 0)
                return r;
        if (fsync(new) < 0)
                return negative_errno();

        return 0;
}

static int replacement_open_target(const Root *root, const char *path, bool create, Replacement *p) {
        const char *name;
        int r;

        r = root_open_parent(root, path, create, &p->directory_fd, &name);
        if (r != ROOT_OK)
                return r == ROOT_FOREIGN ? -EROFS : r;

        p->path = strdup(path);
        p->name = strdup(name);
        if (!p->path || !p->name)
                return -ENOMEM;

        return 0;
}

int replacement_stage(const Root *root, const char *path, const Buffer *content, mode_t mode, Replacement *ret) {
        _cleanup_(replacement_done) Replacement p = REPLACEMENT_NULL;
        int r;

        r = replacement_open_target(root, path, content != NULL, &p);
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

        r = replacement_open_target(root, path, false, &p);
        if (r < 0)
                return r;

        staged = replacement_staged_name(p.name);
        if (!staged)
                return -ENOMEM;
        if (faccessat(p.directory_fd, staged, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
                return negative_errno();

        p.staged = TAKE_PTR(staged);
        *ret = p;
        p = REPLACEMENT_NULL;
        return 0;
}

int replacement_commit(Replacement *p) {
        p->old_fd = replacement_open_entry(p);

        if (!p->staged) {
                if (unlinkat(p->directory_fd, p->name, 0) < 0 && errno != ENOENT)
                        return negative_errno();
                return 0;
        }

        if (renameat(p->directory_fd, p->staged, p->directory_fd, p->name) < 0)
                return negative_errno();

        free(TAKE_PTR(p->staged));
        return 0;
}

int replacement_sync(Replacement *p) {
        _cleanup_close_ int file = replacement_open_entry(p);

        if (fsync(p->directory_fd) < 0 || (file >= 0 && fsync(file) < 0))
                return negative_errno();

        return 0;
}

int replace_file(const Root *root, const char *path, const Buffer *content, mode_t mode) {
        _cleanup_(replacement_done) Replacement p = REPLACEMENT_NULL;
        int r;

        r = replacement_stage(root, path, content, mode, &p);
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
