/* SPDX-License-Identifier: Apache-2.0 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/xattr.h>

#include "core/replace.h"
#include "tests/unit/tree.h"

#define TARGET "/etc/default/grub"
#define STAGED "/etc/default/.grub.gtuned"

static const Buffer new = {.data = (char *) "new\n", .size = 4};

static struct stat look(const Tree *t, const char *path) {
        _cleanup_free_ char *full = tree_path(t, path);
        struct stat st;

        assert_int_equal(lstat(full, &st), 0);
        return st;
}

static void test_keeps_mode(void **state) {
        static const mode_t modes[] = {0644, 0600, 0400, 0755, 0444, 02640};
        const Tree *t = *state;

        for (size_t i = 0; i < ELEMENTSOF(modes); i++) {
                struct stat before, after;

                tree_bytes(t, TARGET, "old\n", 4, modes[i]);
                before = look(t, TARGET);
                assert_int_equal(replace_file(t->root, TARGET, &new, 0644), 0);
                after = look(t, TARGET);
                assert_int_equal(after.st_mode, before.st_mode);
                assert_int_not_equal(after.st_ino, before.st_ino);
                assert_int_equal(after.st_size, 4);
                assert_int_equal(tree_count(t, "/etc/default"), 1);
        }
}

static void test_keeps_owner(void **state) {
        _cleanup_free_ char *path = NULL;
        const Tree *t = *state;
        struct stat st;

        tree_file(t, TARGET, "old\n");
        path = tree_path(t, TARGET);
        if (chown(path, 12, 34) < 0 || chmod(path, 04711) < 0) {
                print_message("owners are left out: %s\n", strerror(errno));
                skip();
        }

        assert_int_equal(replace_file(t->root, TARGET, &new, 0644), 0);
        st = look(t, TARGET);
        assert_int_equal(st.st_uid, 12);
        assert_int_equal(st.st_gid, 34);
        assert_int_equal(st.st_mode & 07777, 04711);
}

/* Attributes of any size and access lists go with the file, and what the kernel makes of the content does not. */
static void test_keeps_attributes(void **state) {
        static const struct {
                const char *name;
                size_t size;
                mode_t mode;
        } rows[] = {
                {"user.comment", 5, 0644}, {"user.empty", 0, 0644}, {"user.large", 3000, 0444}, {"trusted.own", 1, 0600},
        };
        const Tree *t = *state;

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_free_ char *path = tree_path(t, TARGET), *value = calloc(rows[i].size + 1, 1),
                                    *is = calloc(rows[i].size + 1, 1);

                (void) unlink(path);
                tree_bytes(t, TARGET, "old\n", 4, 0644);
                for (size_t k = 0; k < rows[i].size; k++)
                        value[k] = (char) (k % 251);
                if (setxattr(path, rows[i].name, value, rows[i].size, 0) < 0) {
                        print_message("%s is left out: %s\n", rows[i].name, strerror(errno));
                        continue;
                }

                assert_int_equal(chmod(path, rows[i].mode), 0);
                assert_int_equal(replace_file(t->root, TARGET, &new, 0644), 0);
                assert_int_equal(getxattr(path, rows[i].name, is, rows[i].size + 1), rows[i].size);
                assert_memory_equal(is, value, rows[i].size);
                assert_int_equal(look(t, TARGET).st_mode & 07777, rows[i].mode);
        }
}

static int flags_of(const char *path) {
        _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
        int flags = -1;

        assert_true(fd >= 0);
        return ioctl(fd, FS_IOC_GETFLAGS, &flags) < 0 ? -1 : flags;
}

static bool set_flags(const char *path, int flags) {
        _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);

        assert_true(fd >= 0);
        return ioctl(fd, FS_IOC_SETFLAGS, &flags) >= 0;
}

static void test_keeps_flags(void **state) {
        static const int kept[] = {FS_NODUMP_FL, FS_NOATIME_FL, FS_SYNC_FL};
        _cleanup_free_ char *path = NULL;
        const Tree *t = *state;
        int flags;

        tree_file(t, TARGET, "old\n");
        path = tree_path(t, TARGET);
        flags = flags_of(path);
        for (size_t i = 0; i < ELEMENTSOF(kept); i++) {
                if (flags < 0 || !set_flags(path, flags | kept[i])) {
                        print_message("flags are left out: %s\n", strerror(errno));
                        skip();
                }
                assert_int_equal(replace_file(t->root, TARGET, &new, 0644), 0);
                assert_int_equal(flags_of(path), flags | kept[i]);
                assert_true(set_flags(path, flags));
        }
}

static void test_foresee(void **state) {
        _cleanup_free_ char *path = NULL, *link_path = NULL, *folder = NULL;
        const Tree *t = *state;
        _cleanup_(foresight_done) Foresight f = FORESIGHT(t->root);
        FileTraits traits;
        int flags;

        assert_int_equal(foresight_file(&f, TARGET, &traits), -ENOENT);
        tree_file(t, TARGET, "old\n");
        assert_int_equal(foresight_file(&f, TARGET ".new", &traits), 0);
        assert_int_equal(traits.other_names, 0);

        path = tree_path(t, TARGET);
        link_path = tree_path(t, "/boot/copy");
        folder = tree_path(t, "/etc/default/");
        assert_int_equal(link(path, link_path), 0);
        assert_int_equal(foresight_file(&f, TARGET, &traits), 0);
        assert_int_equal(traits.other_names, 1);
        assert_int_equal(traits.flag, 0);
        assert_int_equal(traits.folder_flag, 0);

        flags = flags_of(path);
        if (flags < 0 || !set_flags(path, flags | FS_IMMUTABLE_FL)) {
                print_message("flags are left out: %s\n", strerror(errno));
                skip();
        }
        assert_int_equal(foresight_file(&f, TARGET, &traits), 0);
        assert_true(set_flags(path, flags));
        assert_int_equal(traits.flag, 'i');

        /* Another directory, and then this one again. */
        assert_int_equal(foresight_file(&f, "/boot/copy", &traits), 0);
        assert_int_equal(traits.other_names, 1);

        flags = flags_of(folder);
        assert_true(set_flags(folder, flags | FS_APPEND_FL));
        assert_int_equal(foresight_file(&f, TARGET, &traits), 0);
        assert_true(set_flags(folder, flags));
        assert_int_equal(traits.folder_flag, 'a');
}

static void test_new_file(void **state) {
        static const mode_t modes[] = {0644, 0600, 0755};
        const Tree *t = *state;
        mode_t mask = umask(077);

        for (size_t i = 0; i < ELEMENTSOF(modes); i++) {
                _cleanup_free_ char *path = xasprintf("/a/b%zu/file", i);

                assert_int_equal(replace_file(t->root, path, &new, modes[i]), 0);
                assert_tree_file(t, path, "new\n");
                assert_int_equal(look(t, path).st_mode & 07777, modes[i]);
        }

        (void) umask(mask);
}

/* The target does not change before the commit, and without a commit no staged file is left. */
static void test_stage(void **state) {
        Replacement p = REPLACEMENT_NULL;
        const Tree *t = *state;

        tree_file(t, TARGET, "old\n");
        assert_int_equal(replacement_stage(t->root, NULL, TARGET, &new, 0644, &p), 0);
        assert_tree_file(t, TARGET, "old\n");
        assert_tree_file(t, STAGED, "new\n");
        replacement_done(&p);
        assert_tree_file(t, TARGET, "old\n");
        assert_int_equal(tree_count(t, "/etc/default"), 1);
        replacement_done(&p);
}

static void test_commit(void **state) {
        _cleanup_(replacement_done) Replacement p = REPLACEMENT_NULL;
        const Tree *t = *state;

        tree_file(t, TARGET, "old\n");
        tree_bytes(t, STAGED, "of a run that was killed\n", 25, 0400);
        assert_int_equal(replacement_stage(t->root, NULL, TARGET, &new, 0644, &p), 0);
        assert_int_equal(replacement_commit(&p), 0);
        assert_int_equal(replacement_sync(&p), 0);
        assert_tree_file(t, TARGET, "new\n");
        assert_int_equal(tree_count(t, "/etc/default"), 1);
}

/* What is replaced is what was read: another content, another kind of file, none or a new one is a change. */
static void test_check_target(void **state) {
        static const Buffer old = {.data = (char *) "old\n", .size = 4}, empty = {.data = (char *) ""};
        static const struct {
                const char *is;
                const Buffer *was;
                int r;
        } rows[] = {
                {"old\n", &old, 0},
                {"odd\n", &old, -ESTALE},
                {"old\nand more\n", &old, -ESTALE},
                {"old", &old, -ESTALE},
                {"", &old, -ESTALE},
                {NULL, &old, -ESTALE},
                {"", &empty, 0},
                {"x", &empty, -ESTALE},
                {NULL, NULL, 0},
                {"", NULL, -ESTALE},
        };
        const Tree *t = *state;
        _cleanup_free_ char *path = tree_path(t, TARGET);

        tree_file(t, "/etc/default/other", "old\n");
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_(replacement_done) Replacement p = REPLACEMENT_NULL;

                (void) unlink(path);
                assert_int_equal(replacement_stage(t->root, NULL, TARGET, &new, 0644, &p), 0);
                if (rows[i].is)
                        tree_file(t, TARGET, rows[i].is);
                assert_int_equal(replacement_check_target(&p, rows[i].was), rows[i].r);
        }

        for (unsigned i = 0; i < 3; i++) {
                _cleanup_(replacement_done) Replacement p = REPLACEMENT_NULL;

                (void) remove(path);
                assert_int_equal(replacement_stage(t->root, NULL, TARGET, &new, 0644, &p), 0);
                if (i == 0)
                        tree_link(t, TARGET, "other");
                else
                        assert_int_equal(i == 1 ? mkfifo(path, 0644) : mkdir(path, 0755), 0);
                assert_int_equal(replacement_check_target(&p, &old), -ESTALE);
        }
}

/* A file of several blocks, and of exactly one block of the comparison. */
static void test_check_large_target(void **state) {
        static const size_t sizes[] = {16383, 16384, 16385, 100000};
        const Tree *t = *state;

        for (size_t i = 0; i < ELEMENTSOF(sizes); i++) {
                _cleanup_buffer_ Buffer old = BUFFER_NULL;

                for (size_t k = 0; k < sizes[i]; k++)
                        assert_int_equal(buffer_append(&old, k % 61 == 0 ? "\n" : "x", 1), 0);
                for (unsigned damaged = 0; damaged < 2; damaged++) {
                        _cleanup_(replacement_done) Replacement p = REPLACEMENT_NULL;

                        tree_bytes(t, TARGET, old.data, old.size, 0644);
                        old.data[old.size - 1] ^= (char) damaged;
                        assert_int_equal(replacement_stage(t->root, NULL, TARGET, &new, 0644, &p), 0);
                        assert_int_equal(replacement_check_target(&p, &old), damaged ? -ESTALE : 0);
                }
        }
}

static void test_shared_folder(void **state) {
        _cleanup_(replacement_done) Replacement a = REPLACEMENT_NULL, b = REPLACEMENT_NULL, c = REPLACEMENT_NULL;
        const Tree *t = *state;
        _cleanup_free_ char *here = tree_path(t, "/etc/default"), *away = tree_path(t, "/etc/away");

        tree_file(t, TARGET, "old\n");
        tree_file(t, "/etc/default/sub/x", "old\n");
        assert_int_equal(replacement_stage(t->root, NULL, TARGET, &new, 0644, &a), 0);
        assert_int_equal(replacement_stage(t->root, &a, "/etc/default/other", &new, 0644, &b), 0);
        assert_int_equal(replacement_stage(t->root, &b, "/etc/default/sub/x", &new, 0644, &c), 0);
        assert_ptr_equal(a.folder, b.folder);
        assert_ptr_not_equal(b.folder, c.folder);

        replacement_done(&a);
        assert_int_equal(replacement_check_folder(t->root, &b), 0);
        assert_int_equal(replacement_commit(&b), 0);
        assert_int_equal(replacement_sync(&b), 0);
        assert_int_equal(replacement_commit(&c), 0);
        assert_tree_file(t, TARGET, "old\n");
        assert_tree_file(t, "/etc/default/other", "new\n");
        assert_tree_file(t, "/etc/default/sub/x", "new\n");
        assert_int_equal(tree_count(t, "/etc/default"), 3);

        /* Another process moves the directory away, and may make a new one. */
        assert_int_equal(rename(here, away), 0);
        assert_int_equal(replacement_check_folder(t->root, &b), -ESTALE);
        assert_int_equal(mkdir(here, 0755), 0);
        assert_int_equal(replacement_check_folder(t->root, &b), -ESTALE);
}

static void test_adopt(void **state) {
        _cleanup_(replacement_done) Replacement p = REPLACEMENT_NULL;
        const Tree *t = *state;

        tree_file(t, TARGET, "old\n");
        assert_int_equal(replacement_adopt(t->root, TARGET, &p), -ENOENT);
        tree_file(t, STAGED, "staged\n");
        assert_int_equal(replacement_adopt(t->root, TARGET, &p), 0);
        assert_int_equal(replacement_commit(&p), 0);
        assert_tree_file(t, TARGET, "staged\n");
        assert_int_equal(tree_count(t, "/etc/default"), 1);
}

static void test_remove(void **state) {
        const Tree *t = *state;

        tree_file(t, TARGET, "old\n");
        for (unsigned i = 0; i < 2; i++) {
                _cleanup_(replacement_done) Replacement p = REPLACEMENT_NULL;

                assert_int_equal(replacement_stage(t->root, NULL, TARGET, NULL, 0, &p), 0);
                assert_int_equal(root_exists(t->root, TARGET), i == 0);
                assert_int_equal(replacement_commit(&p), 0);
                assert_false(root_exists(t->root, TARGET));
        }
}

static void test_failures(void **state) {
        _cleanup_free_ char *path = NULL;
        const Tree *t = *state;

        /* The directory of the target is a file. */
        tree_file(t, "/file", "");
        assert_int_equal(replace_file(t->root, "/file/x", &new, 0644), -ENOTDIR);

        /* The target is a directory. */
        tree_file(t, "/directory/x", "");
        assert_int_equal(replace_file(t->root, "/directory", &new, 0644), -EISDIR);
        assert_int_equal(tree_count(t, "/"), 2);

        /* A link is not followed, because callers resolve links before. */
        tree_link(t, "/link", "/file");
        assert_true(replace_file(t->root, "/link", &new, 0644) < 0);
        assert_true(S_ISLNK(look(t, "/link").st_mode));
        assert_int_equal(tree_count(t, "/"), 3);
}

static void test_attribute(void **state) {
        _cleanup_free_ char *fifo = NULL;
        const Tree *t = *state;
        struct stat before;

        tree_file(t, "/sys/x", "a longer value\n");
        before = look(t, "/sys/x");
        assert_int_equal(write_attribute(t->root, "/sys/x", "1"), 0);
        assert_tree_file(t, "/sys/x", "1\n");
        assert_int_equal(look(t, "/sys/x").st_ino, before.st_ino);

        assert_int_equal(write_attribute(t->root, "/sys/absent", "1"), -ENOENT);
        assert_int_equal(write_attribute(t->root, "/absent/x", "1"), -ENOENT);
        assert_int_equal(write_attribute(t->root, "/sys", "1"), -EISDIR);
        assert_int_equal(tree_count(t, "/sys"), 1);

        fifo = tree_path(t, "/sys/fifo");
        assert_int_equal(mkfifo(fifo, 0644), 0);
        assert_true(write_attribute(t->root, "/sys/fifo", "1") < 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_keeps_mode, tree_setup, tree_teardown),
                cmocka_unit_test_setup_teardown(test_keeps_owner, tree_setup, tree_teardown),
                cmocka_unit_test_setup_teardown(test_keeps_attributes, tree_setup, tree_teardown),
                cmocka_unit_test_setup_teardown(test_keeps_flags, tree_setup, tree_teardown),
                cmocka_unit_test_setup_teardown(test_foresee, tree_setup, tree_teardown),
                cmocka_unit_test_setup_teardown(test_new_file, tree_setup, tree_teardown),
                cmocka_unit_test_setup_teardown(test_stage, tree_setup, tree_teardown),
                cmocka_unit_test_setup_teardown(test_commit, tree_setup, tree_teardown),
                cmocka_unit_test_setup_teardown(test_check_target, tree_setup, tree_teardown),
                cmocka_unit_test_setup_teardown(test_check_large_target, tree_setup, tree_teardown),
                cmocka_unit_test_setup_teardown(test_shared_folder, tree_setup, tree_teardown),
                cmocka_unit_test_setup_teardown(test_adopt, tree_setup, tree_teardown),
                cmocka_unit_test_setup_teardown(test_remove, tree_setup, tree_teardown),
                cmocka_unit_test_setup_teardown(test_failures, tree_setup, tree_teardown),
                cmocka_unit_test_setup_teardown(test_attribute, tree_setup, tree_teardown),
        };

        (void) alarm(60); /* a FIFO must not block */
        return cmocka_run_group_tests(tests, NULL, NULL);
}
