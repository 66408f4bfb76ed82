/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A directory below /tmp that is the root of a machine for one test. Include it after cmocka.h.
 */

#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>

#include "core/root.h"

typedef struct Tree {
        char top[32];
        Root *root;
} Tree;

static inline int tree_remove(const char *path, _unused_ const struct stat *st, _unused_ int type,
                              _unused_ struct FTW *ftw) {
        return remove(path);
}

/* Group and test fixtures of cmocka: *state is the tree. */
static inline int tree_setup(void **state) {
        Tree *t = calloc(1, sizeof(*t));

        assert_non_null(t);
        strcpy(t->top, "/tmp/gtuned-test-XXXXXX");
        assert_non_null(mkdtemp(t->top));
        assert_int_equal(root_new(&t->root, t->top), 0);
        *state = t;
        return 0;
}

static inline int tree_teardown(void **state) {
        Tree *t = *state;

        root_free(t->root);
        assert_int_equal(nftw(t->top, tree_remove, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT), 0);
        free(t);
        return 0;
}

/* The path as seen outside of the root. The directories that lead to it are made. */
static inline char *tree_path(const Tree *t, const char *path) {
        char *full = xasprintf("%s%s", t->top, path);

        assert_non_null(full);
        for (char *p = full + strlen(t->top) + 1; (p = strchr(p, '/')); *p++ = '/') {
                *p = 0;
                if (mkdir(full, 0755) < 0)
                        assert_int_equal(errno, EEXIST);
        }

        return full;
}

static inline void tree_bytes(const Tree *t, const char *path, const char *data, size_t size, mode_t mode) {
        _cleanup_free_ char *full = tree_path(t, path);
        _cleanup_close_ int fd = -EBADF;

        (void) unlink(full);
        fd = open(full, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
        assert_true(fd >= 0);
        assert_int_equal(write(fd, data, size), size);
        assert_int_equal(fchmod(fd, mode), 0);
}

static inline void tree_file(const Tree *t, const char *path, const char *text) {
        tree_bytes(t, path, text, strlen(text), 0644);
}

static inline void tree_link(const Tree *t, const char *path, const char *target) {
        _cleanup_free_ char *full = tree_path(t, path);

        assert_int_equal(symlink(target, full), 0);
}

static inline void assert_tree_file(const Tree *t, const char *path, const char *text) {
        _cleanup_buffer_ Buffer b = BUFFER_NULL;

        assert_int_equal(root_read(t->root, path, 1024 * 1024, &b), 0);
        assert_string_equal(b.data, text);
}

/*
 * A directory that may be searched and not listed, until tree_permit(). Root may list every directory, so that another
 * user has to look until then.
 */
static inline void tree_forbid(const Tree *t, const char *path) {
        _cleanup_free_ char *full = tree_path(t, path);

        assert_return_code(chmod(t->top, 0755), errno);
        assert_return_code(chmod(full, getuid() == 0 ? 0711 : 0311), errno);
        assert_return_code(getuid() == 0 ? seteuid(65534) : 0, errno);
}

static inline void tree_permit(const Tree *t, const char *path) {
        _cleanup_free_ char *full = xasprintf("%s%s", t->top, path);

        assert_non_null(full);
        assert_return_code(getuid() == 0 ? seteuid(0) : 0, errno);
        assert_return_code(chmod(full, 0755), errno);
}

/* The number of names in a directory, so that a test notices a staged file that was left. */
static inline int tree_count(const Tree *t, const char *path) {
        _cleanup_(strv_freep) char **names = NULL;

        return root_list(t->root, path, &names);
}
