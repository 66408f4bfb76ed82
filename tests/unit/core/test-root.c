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
#include "core/sight.h"
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

/* A device is read on the running system alone. Elsewhere a file stands for it. */
static void test_device(void **state) {
        const Tree *t = *state;
        _cleanup_free_ char *device = tree_path(t, "/device");
        _cleanup_(root_freep) Root *live = NULL;
        char bytes[4] = "abc";

        assert_int_equal(root_new(&live, "/"), 0);
        assert_int_equal(root_read_device(live, "/dev/zero", sizeof(bytes), bytes), 0);
        assert_memory_equal(bytes, "\0\0\0\0", sizeof(bytes));
        assert_int_equal(root_read_device(live, "/dev/null", sizeof(bytes), bytes), -ENODATA);
        assert_int_equal(root_read_device(live, "/etc/passwd", sizeof(bytes), bytes), -EOPNOTSUPP);
        assert_int_equal(root_read_device(live, "/dev/gtuned-test", sizeof(bytes), bytes), -ENOENT);

        tree_file(t, "/stands-for-it", "wxyz");
        tree_file(t, "/short", "wx");
        assert_int_equal(root_read_device(t->root, "/stands-for-it", sizeof(bytes), bytes), 0);
        assert_memory_equal(bytes, "wxyz", sizeof(bytes));
        assert_int_equal(root_read_device(t->root, "/short", sizeof(bytes), bytes), -ENODATA);
        assert_int_equal(root_read_device(t->root, "/absent", sizeof(bytes), bytes), -ENOENT);
        if (mknod(device, S_IFCHR | 0600, 0x0105) >= 0) /* the one of /dev/zero */
                assert_int_equal(root_read_device(t->root, "/device", sizeof(bytes), bytes), -EOPNOTSUPP);
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

/* A directory that is missing has no names; one that may not be listed may have any. */
static void test_list_optional(void **state) {
        static const char *const absent[] = {"/e", "/d/a", "/special/to-fifo", "/link/self"};
        const Tree *t = *state;
        _cleanup_(strv_freep) char **names = NULL;
        int r;

        tree_file(t, "/d/a", "");
        build(t);
        for (size_t i = 0; i < ELEMENTSOF(absent); i++) {
                assert_int_equal(root_list_optional(t->root, absent[i], &names), 0);
                assert_null(names);
        }

        tree_forbid(t, "/d");
        r = root_list_optional(t->root, "/d", &names);
        tree_permit(t, "/d");
        assert_int_equal(r, -EACCES);

        assert_int_equal(root_list_optional(t->root, "/d", &names), 1);
        assert_string_equal(names[0], "a");
}

/* A file of the overlay that another process has removed is read and named; none is named twice, or in another directory. */
static void test_overlay(void **state) {
        Tree *t = *state;
        const Buffer new = {.data = (char *) "new", .size = 3};
        const RootOverlay files[] = {{"/o/d/file", &new}, {"/o/gone", &new}, {"/o/there", &new}, {"/or/other", &new}};
        _cleanup_(strv_freep) char **names = NULL;
        _cleanup_(root_freep) Root *root = NULL;
        _cleanup_free_ char *path = NULL;

        tree_file(t, "/o/other", "old");
        tree_file(t, "/o/there", "old");
        assert_int_equal(root_copy(&root, t->root), 0);
        assert_int_equal(root_resolve(root, "/o/gone", &path), -ENOENT);
        root_overlay(root, files, ELEMENTSOF(files));

        /* The directory of the last one is not there, either. */
        for (size_t i = 0; i < ELEMENTSOF(files); i++) {
                _cleanup_buffer_ Buffer content = BUFFER_NULL;

                assert_int_equal(root_resolve(root, files[i].path, &path), 0);
                assert_string_equal(path, files[i].path);
                assert_int_equal(root_read(root, path, 100, &content), ROOT_OK);
                assert_memory_equal(content.data, "new", 3);
                free(path);
                path = NULL;
        }
        assert_int_equal(root_resolve(root, "/o/neither", &path), -ENOENT);

        assert_int_equal(root_list(root, "/o", &names), 3);
        assert_string_equal(names[0], "gone");
        assert_string_equal(names[1], "other");
        assert_string_equal(names[2], "there");
        assert_null(names[3]);
        for (size_t i = 0; i < 3; i++) {
                _cleanup_free_ char *name = xasprintf("/o/%s", names[i]);
                _cleanup_buffer_ Buffer content = BUFFER_NULL;

                assert_int_equal(root_read(root, name, 100, &content), ROOT_OK);
                assert_memory_equal(content.data, i == 1 ? "old" : "new", 3);
        }
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

static void remember(const Sight *sight, void *userdata) {
        (void) strcat(strcat(userdata, sight->path), " ");
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

        root_trace(t->root, &(RootTrace) {.before = remember, .userdata = seen});
        (void) root_read(t->root, "/absent", 1, &b);
        (void) root_list(t->root, "/", &names);
        (void) root_exists(t->root, "/x");
        (void) root_is_mask(t->root, "/m");
        root_trace(t->root, NULL);
        (void) root_exists(t->root, "/y");
        assert_string_equal(seen, "/absent / /x /m ");
}

/* What was told of a look: "before" and "after" in their order, and the digest. */
typedef struct Told {
        char order[256];
        uint64_t digest;
        size_t max;
} Told;

static void tell_before(const Sight *sight, void *userdata) {
        Told *told = userdata;
        size_t n = strlen(told->order);

        (void) snprintf(told->order + n, sizeof(told->order) - n, "%d%s ", (int) sight->kind, sight->path);
}

static void tell_after(const Sight *sight, void *userdata) {
        Told *told = userdata;
        size_t n = strlen(told->order);

        (void) snprintf(told->order + n, sizeof(told->order) - n, "%d%s. ", (int) sight->kind, sight->path);
        told->digest = sight->digest;
        told->max = sight->max;
}

/* Look as a practice does, traced. */
static Told look_traced(Root *root, SightKind kind, const char *path, size_t max) {
        _cleanup_(strv_freep) char **names = NULL;
        _cleanup_buffer_ Buffer b = BUFFER_NULL;
        _cleanup_free_ char *real = NULL;
        _cleanup_close_ int fd = -EBADF;
        struct stat st;
        Told told = {};

        root_trace(root, &(RootTrace) {.before = tell_before, .after = tell_after, .userdata = &told});
        if (kind == SIGHT_CONTENT)
                (void) root_read(root, path, max, &b);
        else if (kind == SIGHT_NAMES)
                (void) root_list(root, path, &names);
        else if (kind == SIGHT_PRESENCE)
                (void) root_exists(root, path);
        else if (kind == SIGHT_METADATA)
                (void) root_stat(root, path, &st);
        else if (kind == SIGHT_FILE)
                (void) root_open(root, path, &fd);
        else if (kind == SIGHT_REAL_PATH)
                (void) root_resolve(root, path, &real);
        else
                (void) root_is_mask(root, path);
        root_trace(root, NULL);
        return told;
}

static void shell(const Tree *t, const char *commands) {
        _cleanup_free_ char *line = xasprintf("cd '%s' && { %s; }", t->top, commands);

        assert_int_equal(system(line), 0);
}

static const struct {
        SightKind kind;
        const char *path, *before, *change;
        bool same; /* the digest stays the same */
} sights[] = {
        {SIGHT_CONTENT, "/f", "echo 1 > f", ":", true},
        {SIGHT_CONTENT, "/f", "echo 1 > f", "echo 2 > f", false},
        {SIGHT_CONTENT, "/f", "echo 1 > f", "echo 1 > g; chmod 0600 g; mv g f", true},
        {SIGHT_CONTENT, "/f", "echo 1 > f", "rm f", false},
        {SIGHT_CONTENT, "/f", "echo 1 > f", "rm f; mkdir f", false},
        {SIGHT_CONTENT, "/f", "echo 1 > f", "rm f; mkfifo f", false},
        {SIGHT_CONTENT, "/f", "echo 1 > f", "rm f; ln -s f f", false},
        {SIGHT_CONTENT, "/f", "echo 1 > f", "head -c 5000 /dev/zero > f", false}, /* it is too large now */
        {SIGHT_CONTENT, "/f", "head -c 5000 /dev/zero > f", "head -c 6000 /dev/zero > f", true}, /* it was before */
        {SIGHT_CONTENT, "/f", ": > f", "rm f", false},
        {SIGHT_CONTENT, "/f", ":", "mkdir g", true},
        {SIGHT_CONTENT, "/d/f", ":", ": > d", false}, /* another error */
        {SIGHT_CONTENT, "/l", "echo 1 > f; echo 2 > g; ln -s f l", "ln -sf g l", false},
        {SIGHT_CONTENT, "/l", "echo 1 > f; echo 1 > g; ln -s f l", "ln -sf g l", true},

        {SIGHT_NAMES, "/d", "mkdir d; : > d/a", ":", true},
        {SIGHT_NAMES, "/d", "mkdir d; : > d/a", "echo 1 > d/a", true},
        {SIGHT_NAMES, "/d", "mkdir d; : > d/a", ": > d/b", false},
        {SIGHT_NAMES, "/d", "mkdir d; : > d/a", "mv d/a d/b", false},
        {SIGHT_NAMES, "/d", "mkdir d; : > d/a; : > d/bc", "mv d/a d/x; mv d/x d/ab; mv d/bc d/c", false},
        {SIGHT_NAMES, "/d", "mkdir d; : > d/a", "rm d/a", false},
        {SIGHT_NAMES, "/d", "mkdir d", "rmdir d", false},
        {SIGHT_NAMES, "/d", "mkdir d", "rmdir d; : > d", false},

        {SIGHT_PRESENCE, "/f", ": > f", "echo 1 > f; chmod 0600 f", true},
        {SIGHT_PRESENCE, "/f", ": > f", "rm f; mkdir f", true},
        {SIGHT_PRESENCE, "/f", ": > f", "rm f", false},
        {SIGHT_PRESENCE, "/f", ": > f", "rm f; mkfifo f", false},
        {SIGHT_PRESENCE, "/d/f", ":", "mkdir d", true},
        {SIGHT_PRESENCE, "/d/f", ":", ": > d", true}, /* absent is absent, whatever the error */
        {SIGHT_PRESENCE, "/f", ":", "mkfifo f", true},

        {SIGHT_METADATA, "/f", "echo 1 > f", "cat f > /dev/null", true},
        {SIGHT_METADATA, "/f", "echo 1 > f", "chmod 0604 f", false},
        {SIGHT_METADATA, "/f", "echo 1 > f", "echo 12 > f", false},
        {SIGHT_METADATA, "/f", "echo 1 > f", "touch -d @1 f", false},
        {SIGHT_METADATA, "/f", "echo 1 > f", "rm f", false},
        {SIGHT_METADATA, "/f", ":", ": > g", true},
        {SIGHT_METADATA, "/d", "mkdir d; touch -d @1 d", ": > d/f", false},

        {SIGHT_FILE, "/f", "echo 1 > f", "cat f > /dev/null", true},
        {SIGHT_FILE, "/f", "echo 1 > f", "chmod 0604 f", false},
        {SIGHT_FILE, "/f", "echo 1 > f", "echo 12 > f", false},
        {SIGHT_FILE, "/f", "echo 1 > f", "rm f", false},
        {SIGHT_FILE, "/f", "mkfifo f", "rm f; mkfifo f", true},

        {SIGHT_REAL_PATH, "/l", "echo 1 > f; echo 2 > g; ln -s f l", "echo 3 > f", true},
        {SIGHT_REAL_PATH, "/l", "echo 1 > f; echo 1 > g; ln -s f l", "ln -sf g l", false},
        {SIGHT_REAL_PATH, "/l", "echo 1 > f; ln -s f l", "rm f", false},
        {SIGHT_REAL_PATH, "/d/f", "mkdir x; : > x/f; ln -s x d", "mv x y; ln -sfn y d", false},

        {SIGHT_MASK, "/u", "ln -s /dev/null u", "ln -sf /dev/null u", true},
        {SIGHT_MASK, "/u", "ln -s /dev/null u", "ln -sf /dev/zero u", false},
        {SIGHT_MASK, "/u", "ln -s /dev/null u", "rm u", false},
        {SIGHT_MASK, "/u", "ln -s /dev/null u", "rm u; : > u", false},
        {SIGHT_MASK, "/u", ": > u", "rm u", false},
        {SIGHT_MASK, "/u", ": > u", "echo 1 > u", true},
};

/* A second look finds what the first did, and notices a change; and the two callbacks have the same to say of it. */
static void test_sights(void **state) {
        const Tree *t = *state;

        for (size_t i = 0; i < ELEMENTSOF(sights); i++) {
                Sight sight = {.kind = sights[i].kind, .path = sights[i].path, .max = 4096};
                _cleanup_free_ char *order = NULL;
                Told told;

                shell(t, "rm -rf -- *");
                shell(t, sights[i].before);
                told = look_traced(t->root, sight.kind, sight.path, sight.max);
                order = xasprintf("%d%s %d%s. ", (int) sight.kind, sight.path, (int) sight.kind, sight.path);
                assert_string_equal(told.order, order);
                assert_int_equal(told.max, sight.kind == SIGHT_CONTENT ? 4096 : 0);

                sight.digest = ~told.digest;
                assert_int_equal(sight_again(t->root, &sight), 0);
                assert_true(sight.digest == told.digest);

                shell(t, sights[i].change);
                assert_int_equal(sight_again(t->root, &sight), 0);
                if ((sight.digest == told.digest) != sights[i].same)
                        fail_msg("%s: after \"%s\", \"%s\" has %s digest", sight.path, sights[i].before, sights[i].change,
                                 sights[i].same ? "another" : "the same");
                told = look_traced(t->root, sight.kind, sight.path, sight.max);
                assert_true(sight.digest == told.digest);
        }
}

/* The limit matters only if it is exceeded, and is no part of what was seen. */
static void test_sight_max(void **state) {
        const Tree *t = *state;
        Told two, large, one;
        Sight sight;

        tree_file(t, "/f", "1\n");
        two = look_traced(t->root, SIGHT_CONTENT, "/f", 2);
        large = look_traced(t->root, SIGHT_CONTENT, "/f", 4096);
        one = look_traced(t->root, SIGHT_CONTENT, "/f", 1);
        assert_true(two.digest == large.digest);
        assert_false(two.digest == one.digest);
        assert_int_equal(two.max, 2);
        assert_int_equal(one.max, 1);

        sight = (Sight) {.kind = SIGHT_CONTENT, .path = "/f", .max = 1};
        assert_int_equal(sight_again(t->root, &sight), 0);
        assert_true(sight.digest == one.digest);
}

/* Root may read everything, so that another user has to look. */
static void test_sight_permission(void **state) {
        static const SightKind kinds[] = {SIGHT_CONTENT, SIGHT_FILE};
        const Tree *t = *state;
        bool root = geteuid() == 0;

        tree_file(t, "/f", "1\n");
        shell(t, "chmod 0755 .");
        for (size_t i = 0; i < ELEMENTSOF(kinds); i++) {
                Told before, after;

                shell(t, "chmod 0644 f");
                assert_return_code(root ? seteuid(65534) : 0, errno);
                before = look_traced(t->root, kinds[i], "/f", 4096);
                assert_return_code(root ? seteuid(0) : 0, errno);
                shell(t, "chmod 0200 f");
                assert_return_code(root ? seteuid(65534) : 0, errno);
                after = look_traced(t->root, kinds[i], "/f", 4096);
                assert_return_code(root ? seteuid(0) : 0, errno);
                assert_false(before.digest == after.digest);
        }
}

/* A trace with one function only, and none after its end. */
static void test_half_traces(void **state) {
        const Tree *t = *state;
        Sight sight = {.kind = SIGHT_PRESENCE, .path = "/f"};
        Told told = {};

        root_trace(t->root, &(RootTrace) {.after = tell_after, .userdata = &told});
        assert_false(root_exists(t->root, "/f"));
        assert_string_equal(told.order, "2/f. ");
        root_trace(t->root, &(RootTrace) {.before = tell_before, .userdata = &told});
        assert_false(root_exists(t->root, "/f"));
        assert_string_equal(told.order, "2/f. 2/f ");
        root_trace(t->root, NULL);

        /* A second look leaves no trace behind. */
        assert_int_equal(sight_again(t->root, &sight), 0);
        assert_false(root_exists(t->root, "/g"));
        assert_string_equal(told.order, "2/f. 2/f ");
}

/* The steps of a walk, as text: "DIRECTORY|NAME ", and "-" for the name at the end. */
typedef struct Steps {
        const Tree *tree;
        char text[8192];
        size_t n;
        size_t fails_at; /* the step that fails; 0: none does */
} Steps;

static int on_step(int directory, const char *path, const char *name, void *userdata) {
        Steps *s = userdata;
        _cleanup_free_ char *full = xasprintf("%s%s", s->tree->top, path);
        struct stat here, there;
        size_t n = strlen(s->text);

        (void) snprintf(s->text + n, sizeof(s->text) - n, "%s|%s ", path, name ? name : "-");
        assert_return_code(fstat(directory, &here), errno);
        assert_return_code(lstat(full, &there), errno);
        assert_true(here.st_dev == there.st_dev && here.st_ino == there.st_ino);
        return ++s->n == s->fails_at ? -EBADMSG : 0;
}

static const struct {
        const char *path;
        int r;
        const char *steps;
} walks[] = {
        {"/", 0, "|- "},
        {"/..", 0, "|- "},
        {"/etc/real", 0, "|etc /etc|real /etc/real|- "},
        {"//etc/.//real", 0, "|etc /etc|real /etc/real|- "},
        {"/etc/sub/../real", 0, "|etc /etc|sub /etc|real /etc/real|- "},
        {"/../../../etc/real", 0, "|etc /etc|real /etc/real|- "},
        {"/etc/sub/.", 0, "|etc /etc|sub /etc/sub|- "},
        {"/a/b/c/file", 0, "|a /a|b /a/b|c /a/b/c|file /a/b/c/file|- "},
        {"/special/fifo", 0, "|special /special|fifo /special/fifo|- "},
        {"/link/relative", 0, "|link /link|relative |etc /etc|real /etc/real|- "},
        {"/link/absolute", 0, "|link /link|absolute |etc /etc|real /etc/real|- "},
        {"/link/up", 0, "|link /link|up |etc /etc|real /etc/real|- "},
        {"/link/to-link", 0, "|link /link|to-link /link|absolute |etc /etc|real /etc/real|- "},
        {"/link/directory/c/file", 0, "|link /link|directory |a /a|b /a/b|c /a/b/c|file /a/b/c/file|- "},
        {"/link/directory/../../etc/real", 0, "|link /link|directory |a /a|b |etc /etc|real /etc/real|- "},
        {"/a/b/above/etc/real", 0, "|a /a|b /a/b|above |etc /etc|real /etc/real|- "},
        {"/root/etc", 0, "|root |etc /etc|- "},
        {"/nowhere", -ENOENT, "|nowhere "},
        {"/nowhere/x/y", -ENOENT, "|nowhere "},
        {"/etc/nowhere", -ENOENT, "|etc /etc|nowhere "},
        {"/link/dangling", -ENOENT, "|link /link|dangling /link|nowhere "},
        {"/link/dangling/x", -ENOENT, "|link /link|dangling /link|nowhere "},
        {"/etc/real/x", -ENOTDIR, "|etc /etc|real "},
        {"/etc/real/", -ENOTDIR, "|etc /etc|real "},
};

static void test_walk(void **state) {
        const Tree *t = *state;

        build(t);
        for (size_t i = 0; i < ELEMENTSOF(walks); i++) {
                Steps s = {.tree = t};
                int r = root_walk(t->root, walks[i].path, on_step, &s);

                if (r != walks[i].r || !streq(s.text, walks[i].steps))
                        fail_msg("%s: %d by %s", walks[i].path, r, s.text);

                /* An error of any step ends the walk there. */
                for (size_t k = 1, n = s.n; k <= n; k++) {
                        s = (Steps) {.tree = t, .fails_at = k};
                        assert_int_equal(root_walk(t->root, walks[i].path, on_step, &s), -EBADMSG);
                        assert_int_equal(s.n, k);
                }
        }
}

/* As many links as the kernel follows; each has its step. */
static void test_walk_loops(void **state) {
        static const struct {
                const char *path;
                int r;
                size_t n;
        } loops[] = {
                {"/link/self", -ELOOP, 42},
                {"/link/ping", -ELOOP, 62}, /* every second time by "link", as that target is absolute */
                {"/chain/40", -ELOOP, 42},
                {"/chain/39", 0, 44},
        };
        const Tree *t = *state;

        build(t);
        for (size_t i = 0; i < ELEMENTSOF(loops); i++) {
                Steps s = {.tree = t};

                assert_int_equal(root_walk(t->root, loops[i].path, on_step, &s), loops[i].r);
                assert_int_equal(s.n, loops[i].n);
        }
}

static void test_copy(void **state) {
        Tree *t = *state;
        _cleanup_(root_freep) Root *copy = NULL;
        _cleanup_buffer_ Buffer b = BUFFER_NULL;
        char seen[64] = "";

        tree_file(t, "/f", "1\n");
        root_trace(t->root, &(RootTrace) {.before = remember, .userdata = seen});
        assert_int_equal(root_copy(&copy, t->root), 0);
        assert_true(root_exists(copy, "/f"));
        assert_string_equal(seen, "");
        assert_true(root_exists(t->root, "/f"));
        assert_string_equal(seen, "/f ");

        /* A trace of the copy is none of the original. */
        root_trace(t->root, NULL);
        root_trace(copy, &(RootTrace) {.before = remember, .userdata = seen});
        assert_true(root_exists(t->root, "/f"));
        assert_string_equal(seen, "/f ");
        root_trace(copy, NULL);

        t->root = root_free(t->root);
        assert_false(root_is_live(copy));
        assert_int_equal(root_read(copy, "/f", 4096, &b), 0);
        assert_string_equal(b.data, "1\n");
        assert_int_equal(root_copy(&t->root, copy), 0);
}

/* A copy is as live, and as foreign, as its original. */
static void test_copy_of(_unused_ void **state) {
        Root *original, *copy;

        assert_int_equal(root_new(&original, "/"), 0);
        assert_int_equal(root_copy(&copy, original), 0);
        assert_true(root_is_live(copy));
        root_free(original);
        assert_true(root_exists(copy, "/proc/version"));
        root_free(copy);

        assert_int_equal(root_new(&original, "/proc"), 0);
        assert_int_equal(root_copy(&copy, original), 0);
        assert_false(root_exists(copy, "/version"));
        root_free(original);
        assert_false(root_exists(copy, "/version"));
        root_free(copy);
}

static void assert_reads(const Tree *t, const char *path, size_t max, const char *text) {
        _cleanup_buffer_ Buffer b = BUFFER_NULL;
        int r = root_read(t->root, path, max, &b);

        if (!text) {
                assert_int_equal(r, -ENOENT);
                return;
        }
        assert_int_equal(r, ROOT_OK);
        assert_string_equal(b.data, text);
}

/* What was read once is not read again, with its error, until it is forgotten. */
static void test_remember(void **state) {
        _cleanup_free_ char *large = calloc(1, 64 * 1024 + 2);
        const Tree *t = *state;

        assert_non_null(large);
        memset(large, 'x', 64 * 1024 + 1);
        tree_file(t, "/small", "one");
        tree_file(t, "/large", large);

        root_remember(t->root, true);
        assert_reads(t, "/small", 100, "one");
        assert_reads(t, "/absent", 100, NULL);
        assert_reads(t, "/large", 1024 * 1024, large);
        tree_file(t, "/small", "two");
        tree_file(t, "/absent", "here");
        tree_file(t, "/large", "small");
        assert_reads(t, "/small", 100, "one");
        assert_reads(t, "/absent", 100, NULL);
        assert_reads(t, "/small", 99, "two");         /* with another limit it is another question */
        assert_reads(t, "/large", 1024 * 1024, "small"); /* too large to be remembered */

        root_remember(t->root, true);
        assert_reads(t, "/small", 100, "two");
        tree_file(t, "/small", "three");
        root_remember(t->root, false);
        assert_reads(t, "/small", 100, "three");
        assert_reads(t, "/absent", 100, "here");
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
                cmocka_unit_test_setup_teardown(test_device, tree_setup, tree_teardown),
                cmocka_unit_test_setup_teardown(test_entry, tree_setup, tree_teardown),
                cmocka_unit_test_setup_teardown(test_size, tree_setup, tree_teardown),
                cmocka_unit_test_setup_teardown(test_sizes, tree_setup, tree_teardown),
                cmocka_unit_test_setup_teardown(test_untrue_sizes, tree_setup, tree_teardown),
                cmocka_unit_test_setup_teardown(test_list, tree_setup, tree_teardown),
                cmocka_unit_test_setup_teardown(test_list_optional, tree_setup, tree_teardown),
                cmocka_unit_test_setup_teardown(test_overlay, tree_setup, tree_teardown),
                cmocka_unit_test_setup_teardown(test_parent, tree_setup, tree_teardown),
                cmocka_unit_test_setup_teardown(test_mask, tree_setup, tree_teardown),
                cmocka_unit_test_setup_teardown(test_trace, tree_setup, tree_teardown),
                cmocka_unit_test_setup_teardown(test_sights, tree_setup, tree_teardown),
                cmocka_unit_test_setup_teardown(test_sight_max, tree_setup, tree_teardown),
                cmocka_unit_test_setup_teardown(test_sight_permission, tree_setup, tree_teardown),
                cmocka_unit_test_setup_teardown(test_half_traces, tree_setup, tree_teardown),
                cmocka_unit_test_setup_teardown(test_walk, tree_setup, tree_teardown),
                cmocka_unit_test_setup_teardown(test_walk_loops, tree_setup, tree_teardown),
                cmocka_unit_test_setup_teardown(test_copy, tree_setup, tree_teardown),
                cmocka_unit_test(test_copy_of),
                cmocka_unit_test_setup_teardown(test_remember, tree_setup, tree_teardown),
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
