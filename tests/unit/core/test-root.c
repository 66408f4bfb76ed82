/* SPDX-License-Identifier: Apache-2.0 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "core/replace.h"
#include "tests/unit/tree.h"

static void build(const Tree *t) {
        _cleanup_free_ char *fifo = tree_path(t, "/special/fifo");
        char deep[8192] = "";

        tree_file(t, "/etc/real", "real\n");
        tree_file(t, "/a/b/c/file", "deep\n");
        tree_file(t, "/etc/sub/file", "sub\n");
        tree_link(t, "/link/relative", "../etc/real");
        tree_link(t, "/link/absolute", "/etc/real");
        tree_link(t, "/link/up", "../../../../../../../../../etc/real");
        tree_link(t, "/link/to-link", "absolute");
        tree_link(t, "/link/directory", "/a/b");
        tree_link(t, "/link/back", "/link/directory/../b/c");
        tree_link(t, "/link/slashes", "//etc///./real");
        tree_link(t, "/link/end", "/etc/real/");
        tree_link(t, "/link/two", "../link/relative");
        tree_link(t, "/link/turn", "../link/directory/../../etc/real");
        tree_link(t, "/link/above", "..");
        tree_link(t, "/a/b/above", "../..");
        tree_link(t, "/a/b/real", "../../link/above/etc/real");
        tree_link(t, "/link/outside", "/proc/self/environ");
        tree_link(t, "/link/dangling", "nowhere");
        tree_link(t, "/link/self", "self");
        tree_link(t, "/link/ping", "pong");
        tree_link(t, "/link/pong", "/link/ping");
        tree_link(t, "/special/to-fifo", "fifo");
        tree_link(t, "/root", "/");
        tree_link(t, "/dot", ".");
        assert_int_equal(mkfifo(fifo, 0644), 0);

        for (unsigned i = 0; i < 41; i++) {
                (void) snprintf(deep, sizeof(deep), "/chain/%u", i);
                if (i == 0)
                        tree_link(t, deep, "/etc/real");
                else {
                        char target[16];

                        (void) snprintf(target, sizeof(target), "%u", i - 1);
                        tree_link(t, deep, target);
                }
        }
}

/* Paths, the files to which they lead, and their text. */
static const struct {
        const char *path;
        int r;
        const char *text; /* of a file */
        const char *real; /* the result of root_resolve() */
} cases[] = {
        {"/etc/real", 0, "real\n", "/etc/real"},
        {"//etc/.//real", 0, "real\n", "/etc/real"},
        {"/etc/sub/../real", 0, "real\n", "/etc/real"},
        {"/../../../etc/real", 0, "real\n", "/etc/real"},
        {"/a/../../etc/real", 0, "real\n", "/etc/real"},
        {"/link/relative", 0, "real\n", "/etc/real"},
        {"/link/absolute", 0, "real\n", "/etc/real"},
        {"/link/up", 0, "real\n", "/etc/real"},
        {"/link/to-link", 0, "real\n", "/etc/real"},
        {"/link/slashes", 0, "real\n", "/etc/real"},
        {"/link/directory/c/file", 0, "deep\n", "/a/b/c/file"},
        {"/link/directory/../../etc/real", 0, "real\n", "/etc/real"},
        {"/link/back/file", 0, "deep\n", "/a/b/c/file"},
        {"/root/root/etc/real", 0, "real\n", "/etc/real"},
        {"/dot/dot/etc/real", 0, "real\n", "/etc/real"},
        {"/chain/39", 0, "real\n", "/etc/real"},
        {"/link/two", 0, "real\n", "/etc/real"},
        {"/link/turn", 0, "real\n", "/etc/real"},
        {"/link/above/etc/real", 0, "real\n", "/etc/real"},
        {"/a/b/above/etc/real", 0, "real\n", "/etc/real"},
        {"/link/directory/real", 0, "real\n", "/etc/real"},
        {"/link/directory/above/./etc/../etc/real", 0, "real\n", "/etc/real"},
        {"/", -EISDIR, NULL, "/"},
        {"/..", -EISDIR, NULL, "/"},
        {"/a/b", -EISDIR, NULL, "/a/b"},
        {"/link/directory", -EISDIR, NULL, "/a/b"},
        {"/link/directory/", -EISDIR, NULL, "/a/b"},
        {"/link/directory/..", -EISDIR, NULL, "/a"},
        {"/link/above", -EISDIR, NULL, "/"},
        {"/a/b/above/..", -EISDIR, NULL, "/"},
        {"/root", -EISDIR, NULL, "/"},
        {"/dot", -EISDIR, NULL, "/"},
        {"/etc/sub/.", -EISDIR, NULL, "/etc/sub"},
        {"/chain/40", -ELOOP, NULL, NULL},
        {"/link/self", -ELOOP, NULL, NULL},
        {"/link/ping", -ELOOP, NULL, NULL},
        {"/link/outside", -ENOENT, NULL, NULL},
        {"/link/dangling", -ENOENT, NULL, NULL},
        {"/link/dangling/x", -ENOENT, NULL, NULL},
        {"/nowhere", -ENOENT, NULL, NULL},
        {"/link/dangling/../relative", -ENOENT, NULL, NULL},
        {"/etc/real/x", -ENOTDIR, NULL, NULL},
        {"/etc/real/", -ENOTDIR, NULL, NULL},
        {"/etc/real/..", -ENOTDIR, NULL, NULL},
        {"/link/relative/", -ENOTDIR, NULL, NULL},
        {"/link/end", -ENOTDIR, NULL, NULL},
        {"/special/fifo/", -ENOTDIR, NULL, NULL},
        {"/special/fifo", -EOPNOTSUPP, NULL, "/special/fifo"},
        {"/special/to-fifo", -EOPNOTSUPP, NULL, "/special/fifo"},
};

static void test_read(void **state) {
        const Tree *t = *state;

        build(t);
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_buffer_ Buffer b = BUFFER_NULL;
                int r = root_read(t->root, cases[i].path, 4096, &b);

                if (r != cases[i].r)
                        fail_msg("%s: %d instead of %d", cases[i].path, r, cases[i].r);
                if (r == 0)
                        assert_string_equal(b.data, cases[i].text);
                assert_int_equal(root_exists(t->root, cases[i].path), r == 0 || r == -EISDIR);
        }
}

static void test_resolve(void **state) {
        const Tree *t = *state;

        build(t);
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_free_ char *real = NULL;
                int r = root_resolve(t->root, cases[i].path, &real);

                if (!streq_ptr(real, cases[i].real))
                        fail_msg("%s leads to %s, not to %s", cases[i].path, strempty(real), strempty(cases[i].real));
                assert_int_equal(r, real ? 0 : cases[i].r);
        }
}

/* Without a reader or writer on the other side, opening any of these would block or have effects. */
static void test_special(void **state) {
        const Tree *t = *state;
        _cleanup_free_ char *device = tree_path(t, "/special/device"), *path = tree_path(t, "/special/socket");
        _cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        _cleanup_buffer_ Buffer b = BUFFER_NULL;
        int opened = -EBADF;

        strcpy(address.sun_path, path);
        assert_int_equal(bind(fd, (const struct sockaddr *) &address, sizeof(address)), 0);
        assert_int_equal(root_read(t->root, "/special/socket", 1, &b), -EOPNOTSUPP);
        assert_int_equal(root_open(t->root, "/special/socket", &opened), -EOPNOTSUPP);
        assert_false(root_exists(t->root, "/special/socket"));

        if (mknod(device, S_IFCHR | 0600, 0x0103) < 0) { /* the one of /dev/null */
                print_message("devices are left out: %s\n", strerror(errno));
                return;
        }
        assert_int_equal(root_read(t->root, "/special/device", 1, &b), -EOPNOTSUPP);
        assert_int_equal(write_attribute(t->root, "/special/device", "x"), -EOPNOTSUPP);
}

/* A file of an open directory is read as by its path; a link is left to root_read(). */
static void test_entry(void **state) {
        static const struct {
                const char *path;
                size_t max;
                int r;
        } rows[] = {
                {"/entry/file", 5, ROOT_OK},
                {"/entry/file", 4, -EFBIG},
                {"/entry/empty", 0, ROOT_OK},
                {"/entry/absent", 4096, -ENOENT},
                {"/entry/directory", 4096, -EISDIR},
                {"/entry/link", 4096, -ELOOP},
                {"/entry/dangling", 4096, -ELOOP},
                {"/entry/fifo", 4096, -EOPNOTSUPP},
        };
        const Tree *t = *state;
        _cleanup_free_ char *fifo = tree_path(t, "/entry/fifo");
        _cleanup_close_ int directory = -EBADF;

        tree_file(t, "/entry/file", "text\n");
        tree_file(t, "/entry/empty", "");
        tree_file(t, "/entry/directory/file", "");
        tree_link(t, "/entry/link", "file");
        tree_link(t, "/entry/dangling", "nowhere");
        assert_int_equal(mkfifo(fifo, 0644), 0);
        assert_int_equal(root_open(t->root, "/entry", &directory), ROOT_OK);

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_buffer_ Buffer b = BUFFER_NULL, by_path = BUFFER_NULL;
                int r = root_read_entry(t->root, directory, rows[i].path, rows[i].max, &b);

                assert_int_equal(r, rows[i].r);
                if (r != -ELOOP)
                        assert_int_equal(root_read(t->root, rows[i].path, rows[i].max, &by_path), r);
                assert_true(buffer_equal(&b, &by_path));
        }
}

static void test_size(void **state) {
        const Tree *t = *state;
        _cleanup_free_ char *line = NULL;
        _cleanup_buffer_ Buffer b = BUFFER_NULL;

        tree_bytes(t, "/nul", " a\0b\n", 5, 0644);
        assert_int_equal(root_read(t->root, "/nul", 4, &b), -EFBIG);
        assert_int_equal(root_read(t->root, "/nul", 5, &b), 0);
        assert_int_equal(b.size, 5);
        assert_int_equal(root_read_line(t->root, "/nul", &line), 0);
        assert_string_equal(line, "a");
}

/* Sizes just below and above those at which the buffer grows. */
static void test_sizes(void **state) {
        static const size_t sizes[] = {0, 1, 4094, 4095, 4096, 4097, 8192, 8193, 16384, 16385, 300001};
        const Tree *t = *state;
        char *bytes = malloc(300001);

        assert_non_null(bytes);
        for (size_t i = 0; i < 300001; i++)
                bytes[i] = (char) (i % 251);

        for (size_t i = 0; i < ELEMENTSOF(sizes); i++) {
                _cleanup_buffer_ Buffer b = BUFFER_NULL;

                tree_bytes(t, "/sized", bytes, sizes[i], 0644);
                assert_int_equal(root_read(t->root, "/sized", sizes[i], &b), 0);
                assert_int_equal(b.size, sizes[i]);
                assert_memory_equal(b.data, bytes, sizes[i]);
                assert_int_equal(b.data[b.size], 0);
                if (sizes[i] > 0)
                        assert_int_equal(root_read(t->root, "/sized", sizes[i] - 1, &b), -EFBIG);
        }
        free(bytes);
}

/* stat() gives no true size there: 0 in procfs, 4096 or 0 in sysfs. */
static void test_untrue_sizes(_unused_ void **state) {
        static const char *const paths[] = {
                "/proc/filesystems", "/proc/crypto", "/proc/sys/kernel/ostype", "/sys/kernel/notes",
                "/sys/devices/system/cpu/possible", "/sys/kernel/mm/transparent_hugepage/enabled",
        };
        Root *live;

        assert_int_equal(root_new(&live, "/"), 0);
        for (size_t i = 0; i < ELEMENTSOF(paths); i++) {
                _cleanup_buffer_ Buffer b = BUFFER_NULL, expected = BUFFER_NULL;
                _cleanup_fclose_ FILE *f = fopen(paths[i], "re");
                char chunk[512];

                if (!f) {
                        print_message("%s is left out: %s\n", paths[i], strerror(errno));
                        continue;
                }
                for (size_t n; (n = fread(chunk, 1, sizeof(chunk), f)) > 0;)
                        assert_int_equal(buffer_append(&expected, chunk, n), 0);

                assert_int_equal(root_read(live, paths[i], 1 << 20, &b), 0);
                assert_true(buffer_equal(&b, &expected));
                if (b.size > 1)
                        assert_int_equal(root_read(live, paths[i], b.size - 1, &b), -EFBIG);
        }
        root_free(live);
}

static void test_list(void **state) {
        const Tree *t = *state;
        _cleanup_(strv_freep) char **names = NULL;

        tree_file(t, "/d/b", "");
        tree_file(t, "/d/a", "");
        tree_file(t, "/d/.c", "");
        assert_int_equal(root_list(t->root, "/d", &names), 3);
        assert_string_equal(names[0], ".c");
        assert_string_equal(names[1], "a");
        assert_string_equal(names[2], "b");
        assert_null(names[3]);
        assert_int_equal(root_list(t->root, "/d/a", &names), -ENOTDIR);
        build(t);
        assert_int_equal(root_list(t->root, "/special/to-fifo", &names), -EOPNOTSUPP);
        assert_int_equal(root_list(t->root, "/link/self", &names), -ELOOP);
        assert_int_equal(root_list(t->root, "/e", &names), -ENOENT);
}

static void test_parent(void **state) {
        const Tree *t = *state;
        _cleanup_close_ int a = -EBADF, b = -EBADF;
        const char *name;

        tree_link(t, "/out", "/../../new");
        assert_int_equal(root_open_parent(t->root, "/x/y/file", false, &a, &name), -ENOENT);
        assert_int_equal(root_open_parent(t->root, "/x/y/file", true, &a, &name), 0);
        assert_string_equal(name, "file");
        assert_true(root_exists(t->root, "/x/y"));
        assert_int_equal(root_open_parent(t->root, "/file", false, &b, &name), 0);
        assert_int_equal(root_open_parent(t->root, "/x/y/../../../../z/file", true, &(int) {-EBADF}, &name), 0);
        assert_true(root_exists(t->root, "/z"));

        build(t);
        assert_int_equal(root_open_parent(t->root, "/etc/real/x", true, &(int) {-EBADF}, &name), -ENOTDIR);
        assert_int_equal(root_open_parent(t->root, "/special/fifo/x", true, &(int) {-EBADF}, &name), -EOPNOTSUPP);
        assert_int_equal(root_open_parent(t->root, "/link/dangling/x", true, &(int) {-EBADF}, &name), -ENOENT);
        assert_int_equal(root_open_parent(t->root, "/link/dangling/x", false, &(int) {-EBADF}, &name), -ENOENT);
}

static void remember(const char *path, void *userdata) {
        (void) strcat(strcat(userdata, path), " ");
}

static void test_mask(void **state) {
        const Tree *t = *state;

        build(t);
        tree_link(t, "/etc/masked", "/dev/null");
        tree_link(t, "/etc/longer", "/dev/null/x");
        tree_link(t, "/etc/indirect", "masked");
        assert_int_equal(root_is_mask(t->root, "/etc/masked"), 1);
        assert_int_equal(root_is_mask(t->root, "/etc/longer"), 0);
        assert_int_equal(root_is_mask(t->root, "/etc/indirect"), 0);
        assert_int_equal(root_is_mask(t->root, "/etc/real"), 0);
        assert_int_equal(root_is_mask(t->root, "/etc/real/x"), 0);
        assert_int_equal(root_is_mask(t->root, "/etc/absent"), -ENOENT);
        assert_int_equal(root_is_mask(t->root, "/absent/x"), -ENOENT);
}

static void test_trace(void **state) {
        const Tree *t = *state;
        _cleanup_buffer_ Buffer b = BUFFER_NULL;
        _cleanup_(strv_freep) char **names = NULL;
        char seen[64] = "";

        root_trace(t->root, remember, seen);
        (void) root_read(t->root, "/absent", 1, &b);
        (void) root_list(t->root, "/", &names);
        (void) root_exists(t->root, "/x");
        (void) root_is_mask(t->root, "/m");
        root_trace(t->root, NULL, NULL);
        (void) root_exists(t->root, "/y");
        assert_string_equal(seen, "/absent / /x /m ");
}

static void test_live(void **state) {
        const Tree *t = *state;
        Root *live;

        assert_false(root_is_live(t->root));
        assert_int_equal(root_new(&live, "/"), 0);
        assert_true(root_is_live(live));
        root_free(live);
        assert_int_equal(root_new(&live, "/nowhere"), -ENOENT);
        assert_int_equal(root_new(&live, "/etc/passwd"), -ENOTDIR);
}

static int mount_at(const Tree *t, const char *path, const char *source, const char *type, unsigned long flags) {
        _cleanup_free_ char *below = xasprintf("%s/x", path), *full = tree_path(t, below);

        *strrchr(full, '/') = 0;
        return mount(source, full, type, flags, NULL) < 0 ? -errno : 0;
}

/* Image builders mount these from the machine that builds. */
static const char *const mounted[] = {"/sys", "/proc", "/run", "/dev"};

/* Mount them in a new mount namespace. The root has to be opened in it again. */
static int mount_foreign(Tree *t) {
        int r;

        if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
                return -errno;

        t->root = root_free(t->root);
        assert_int_equal(root_new(&t->root, t->top), 0);

        r = mount_at(t, "/sys", "/sys", NULL, MS_BIND);
        if (r < 0)
                return r;
        r = mount_at(t, "/proc", "/proc", NULL, MS_BIND);
        if (r < 0)
                return r;
        r = mount_at(t, "/run", "tmpfs", "tmpfs", 0);
        if (r < 0)
                return r;

        return mount_at(t, "/dev", "tmpfs", "tmpfs", 0);
}

/* Unmount before the tree is removed; otherwise the files of the machine that builds would be removed. */
static int foreign_teardown(void **state) {
        const Tree *t = *state;

        for (size_t i = 0; i < ELEMENTSOF(mounted); i++) {
                _cleanup_free_ char *path = tree_path(t, mounted[i]);

                (void) umount2(path, MNT_DETACH);
        }

        return tree_teardown(state);
}

static void check_foreign(const Tree *t, const char *path) {
        _cleanup_free_ char *file = xasprintf("%s/file", path), *deep = xasprintf("%s/a/file", path);
        _cleanup_(strv_freep) char **names = NULL;
        Buffer content = BUFFER_NULL;
        const char *name;
        struct stat st;
        int fd = -EBADF;

        if (root_open(t->root, path, &fd) != ROOT_FOREIGN)
                fail_msg("%s is opened", path);
        assert_int_equal(root_list(t->root, path, &names), -ENOENT);
        assert_int_equal(root_stat(t->root, path, &st), -ENOENT);
        assert_false(root_exists(t->root, path));
        assert_int_equal(root_open_parent(t->root, file, true, &fd, &name), ROOT_FOREIGN);
        assert_int_equal(root_open_parent(t->root, deep, true, &fd, &name), ROOT_FOREIGN);
        assert_int_equal(replace_file(t->root, file, &content, 0644), -EROFS);
        assert_int_equal(write_attribute(t->root, file, "1"), -EROFS);
}

/* What is mounted below the root is left to root_read(), which knows what is foreign. */
static void check_mounted_entry(const Tree *t) {
        _cleanup_free_ char *path = tree_path(t, "/run");
        _cleanup_buffer_ Buffer b = BUFFER_NULL;
        _cleanup_close_ int directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        assert_true(directory >= 0);
        assert_int_equal(root_read_entry(t->root, directory, "/run/file", 4096, &b), -ELOOP);
}

static void check_mounts(const Tree *t) {
        _cleanup_buffer_ Buffer b = BUFFER_NULL;
        _cleanup_free_ char *file = tree_path(t, "/run/file");

        for (size_t i = 0; i < ELEMENTSOF(mounted); i++)
                check_foreign(t, mounted[i]);

        tree_file(t, "/run/file", "of the builder\n");
        tree_link(t, "/etc/link", "/run/file");
        assert_int_equal(root_read(t->root, "/run/file", 4096, &b), -ENOENT);
        assert_int_equal(root_read(t->root, "/etc/link", 4096, &b), -ENOENT);
        assert_int_equal(root_read(t->root, "/proc/cmdline", 4096, &b), -ENOENT);
        assert_int_equal(root_read(t->root, "/sys/kernel/notes", 65536, &b), -ENOENT);
        check_mounted_entry(t);
        assert_int_equal(access(file, F_OK), 0);
}

static void test_foreign(void **state) {
        Tree *t = *state;
        int r = mount_foreign(t);

        if (r < 0) {
                print_message("mounts are left out: %s\n", strerror(-r));
                skip();
        }
        check_mounts(t);
}

/* If the root itself is on a virtual file system, all of it is foreign; a root on a tmpfs is not. */
static void test_foreign_root(void **state) {
        Tree *t = *state;
        Root *root;

        assert_int_equal(root_new(&root, "/proc"), 0);
        assert_false(root_exists(root, "/version"));
        assert_false(root_exists(root, "/"));
        root_free(root);

        if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
            mount_at(t, "/run", "tmpfs", "tmpfs", 0) < 0) {
                print_message("mounts are left out: %s\n", strerror(errno));
                skip();
        }

        _cleanup_free_ char *path = tree_path(t, "/run");
        tree_file(t, "/run/file", "");
        assert_int_equal(root_new(&root, path), 0);
        assert_true(root_exists(root, "/file"));
        root_free(root);
}

/* After an unmount, the next file system may get the number of the device. */
static void test_device_reused(void **state) {
        Tree *t = *state;
        _cleanup_free_ char *path = tree_path(t, "/run");
        struct stat before, after;

        if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0) {
                print_message("mounts are left out: %s\n", strerror(errno));
                skip();
        }

        t->root = root_free(t->root);
        assert_int_equal(root_new(&t->root, t->top), 0);
        for (unsigned i = 0; i < 3; i++) {
                if (mount_at(t, "/run", "ramfs", "ramfs", 0) < 0)
                        skip();
                assert_int_equal(stat(path, &before), 0);
                assert_true(root_exists(t->root, "/run"));
                assert_int_equal(umount(path), 0);

                assert_int_equal(mount_at(t, "/run", "tmpfs", "tmpfs", 0), 0);
                assert_int_equal(stat(path, &after), 0);
                assert_false(root_exists(t->root, "/run"));
                assert_int_equal(umount(path), 0);

                if (before.st_dev == after.st_dev)
                        return;
        }
        print_message("no device number was used twice\n");
}

static int run(const char *name) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_read, tree_setup, tree_teardown),
                cmocka_unit_test_setup_teardown(test_resolve, tree_setup, tree_teardown),
                cmocka_unit_test_setup_teardown(test_special, tree_setup, tree_teardown),
                cmocka_unit_test_setup_teardown(test_entry, tree_setup, tree_teardown),
                cmocka_unit_test_setup_teardown(test_size, tree_setup, tree_teardown),
                cmocka_unit_test_setup_teardown(test_sizes, tree_setup, tree_teardown),
                cmocka_unit_test_setup_teardown(test_untrue_sizes, tree_setup, tree_teardown),
                cmocka_unit_test_setup_teardown(test_list, tree_setup, tree_teardown),
                cmocka_unit_test_setup_teardown(test_parent, tree_setup, tree_teardown),
                cmocka_unit_test_setup_teardown(test_mask, tree_setup, tree_teardown),
                cmocka_unit_test_setup_teardown(test_trace, tree_setup, tree_teardown),
                cmocka_unit_test_setup_teardown(test_live, tree_setup, tree_teardown),
                cmocka_unit_test_setup_teardown(test_foreign, tree_setup, foreign_teardown),
                cmocka_unit_test_setup_teardown(test_foreign_root, tree_setup, foreign_teardown),
                cmocka_unit_test_setup_teardown(test_device_reused, tree_setup, foreign_teardown),
        };

        return cmocka_run_group_tests_name(name, tests, NULL, NULL);
}

/* As an old kernel (ENOSYS) or a container's filter (EPERM) answers. */
static int refuse_openat2(int error) {
        struct sock_filter filter[] = {
                BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
                BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat2, 0, 1),
                BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned) error),
                BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        };
        struct sock_fprog program = {ELEMENTSOF(filter), filter};

        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0)
                return -errno;

        return 0;
}

static int run_without_openat2(const char *name, int error) {
        int status;
        pid_t pid;

        (void) fflush(NULL);
        pid = fork();
        if (pid == 0) {
                int r = refuse_openat2(error);

                if (r < 0)
                        printf("%s is left out: %s\n", name, strerror(-r));
                exit(r < 0 ? 0 : run(name));
        }

        return pid < 0 || waitpid(pid, &status, 0) < 0 || !WIFEXITED(status) ? 1 : WEXITSTATUS(status);
}

int main(void) {
        int r;

        (void) alarm(60); /* nothing here may block */
        r = run_without_openat2("walk (ENOSYS)", ENOSYS) + run_without_openat2("walk (EPERM)", EPERM);

        return r + run("openat2");
}
