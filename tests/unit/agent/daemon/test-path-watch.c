/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The announced sources, on a tree in a temporary directory: which changes are heard of, by which readers, and which are
 * not. A row says what the report looks at, what is there before, what then happens, and what is heard of it.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <time.h>

#include "agent/daemon/path-watch.h"
#include "core/file-system.h"
#include "tests/unit/tree.h"

#define READER UINT64_C(1)
#define OTHER (UINT64_C(1) << 40)

#define PATHS_MANY 10000U
#define PATHS_MANY_USEC (5U * 1000000U)

typedef enum Heard {
        NOTHING,
        CONTENT, /* of a file */
        NAMES,   /* that came or went, or of which it may be so */
} Heard;

typedef struct Row {
        const char *name;
        const char *before; /* shell commands, run below the root */
        SightKind kind;
        const char *looks_at;
        const char *happens;
        Heard heard;
        const char *again; /* happens after the path was noted again, and is heard of; NULL: nothing */
        const char *later; /* the same, but is not heard of */
} Row;

static const Row rows[] = {
        {"a file is written", "mkdir etc; echo 1 > etc/f", SIGHT_CONTENT, "/etc/f", "echo 2 > etc/f", CONTENT,
         "echo 3 > etc/f", NULL},
        {"a file is replaced", "mkdir etc; echo 1 > etc/f", SIGHT_CONTENT, "/etc/f", "echo 2 > etc/.f; mv etc/.f etc/f",
         NAMES, "echo 3 > etc/f", NULL},
        {"a file vanishes", "mkdir etc; echo 1 > etc/f", SIGHT_CONTENT, "/etc/f", "rm etc/f", NAMES, "echo 1 > etc/f",
         NULL},
        {"a file becomes unreadable", "mkdir etc; echo 1 > etc/f", SIGHT_CONTENT, "/etc/f", "chmod 0 etc/f", NAMES, NULL,
         NULL},
        {"a file appears", "mkdir etc", SIGHT_CONTENT, "/etc/f", "echo 1 > etc/f", NAMES, "echo 2 > etc/f", NULL},
        {"a directory on the way appears", "mkdir etc", SIGHT_CONTENT, "/etc/a/b/f", "mkdir etc/a", NAMES, "mkdir etc/a/b",
         "mkdir etc/a/c"},
        {"a directory on the way gets another mode", "mkdir -p etc/d; echo 1 > etc/d/f", SIGHT_CONTENT, "/etc/d/f",
         "chmod 0701 etc/d", NAMES, "echo 2 > etc/d/f", NULL},
        {"the root gets another mode", "echo 1 > f", SIGHT_CONTENT, "/f", "chmod 0701 .", NAMES, "echo 2 > f", NULL},
        {"something else is written", "mkdir etc; echo 1 > etc/f; echo 1 > etc/g", SIGHT_CONTENT, "/etc/f",
         "echo 2 > etc/g", NOTHING, NULL, NULL},
        {"something else appears", "mkdir etc", SIGHT_CONTENT, "/etc/a/b/f", "mkdir etc/b; echo 1 > etc/f", NOTHING, NULL,
         NULL},
        {"a file is only read", "mkdir etc; echo 1 > etc/f", SIGHT_CONTENT, "/etc/f", "cat etc/f > /dev/null", NOTHING,
         NULL, NULL},
        {"its name is longer", "mkdir etc; echo 1 > etc/f", SIGHT_CONTENT, "/etc/f", "echo 2 > etc/f.bak", NOTHING, NULL,
         NULL},
        {"a directory gets an entry", "mkdir -p etc/d", SIGHT_NAMES, "/etc/d", "echo 1 > etc/d/f", NAMES, "rm etc/d/f",
         NULL},
        {"an entry of a directory is renamed", "mkdir -p etc/d; echo 1 > etc/d/f", SIGHT_NAMES, "/etc/d",
         "mv etc/d/f etc/d/g", NAMES, "mv etc/d/g etc/g", NULL},
        {"an entry of a directory is written", "mkdir -p etc/d; echo 1 > etc/d/f", SIGHT_NAMES, "/etc/d",
         "echo 2 > etc/d/f", NOTHING, NULL, NULL},
        {"the root gets an entry", "mkdir d", SIGHT_NAMES, "/", "mkdir e", NAMES, "rmdir d", NULL},
        {"a directory whose time counts gets an entry", "mkdir -p etc/d", SIGHT_METADATA, "/etc/d", "echo 1 > etc/d/f",
         NAMES, NULL, NULL},
        {"an open directory gets an entry", "mkdir -p etc/d", SIGHT_FILE, "/etc/d", "echo 1 > etc/d/f", NAMES, NULL, NULL},
        {"a directory that only has to be there gets an entry", "mkdir -p etc/d", SIGHT_PRESENCE, "/etc/d",
         "echo 1 > etc/d/f", NOTHING, NULL, NULL},
        {"a file gets another time", "mkdir etc; echo 1 > etc/f", SIGHT_METADATA, "/etc/f", "touch -d @1 etc/f", NAMES,
         NULL, NULL},
        {"a directory is replaced", "mkdir -p etc/d", SIGHT_CONTENT, "/etc/d/f", "mv etc/d etc/e; mkdir etc/d", NAMES,
         "echo 1 > etc/d/f", NULL},
        {"a directory is removed", "mkdir -p etc/d", SIGHT_CONTENT, "/etc/d/f", "rmdir etc/d", NAMES, "mkdir etc/d", NULL},
        {"a directory is made again", "mkdir -p etc/d; echo 1 > etc/d/f", SIGHT_CONTENT, "/etc/d/f",
         "rm -r etc/d; mkdir etc/d; echo 1 > etc/d/f", NAMES, "echo 2 > etc/d/f", NULL},
        {"a directory is renamed", "mkdir -p etc/d; echo 1 > etc/d/f", SIGHT_CONTENT, "/etc/d/f", "mv etc/d etc/e", NAMES,
         "mkdir etc/d", "echo 2 > etc/e/f"},
        {"a directory further up is replaced", "mkdir -p a/b/c x/b/c; echo 1 > a/b/c/f; echo 2 > x/b/c/f", SIGHT_CONTENT,
         "/a/b/c/f", "mv a old; mv x a", NAMES, "echo 3 > a/b/c/f", "echo 3 > old/b/c/f"},
        {"a link is changed", "mkdir etc; ln -s a etc/l", SIGHT_CONTENT, "/etc/l", "ln -sf b etc/l", NAMES,
         "echo 1 > etc/b", "echo 1 > etc/a"},
        {"the target of a link is written", "mkdir etc boot; echo 1 > boot/f; ln -s ../boot/f etc/l", SIGHT_CONTENT,
         "/etc/l", "echo 2 > boot/f", CONTENT, "rm boot/f", NULL},
        {"the target of an absolute link is written", "mkdir etc boot; echo 1 > boot/f; ln -s /boot/f etc/l",
         SIGHT_CONTENT, "/etc/l", "echo 2 > boot/f", CONTENT, "rm boot/f", NULL},
        {"below a linked directory", "mkdir -p boot/d; echo 1 > boot/d/f; ln -s boot/d etc", SIGHT_CONTENT, "/etc/f",
         "echo 2 > boot/d/f", CONTENT, "mv boot bot", NULL},
        {"a link to a directory is changed", "mkdir top one two; echo 1 > one/f; echo 2 > two/f; ln -s ../one top/l",
         SIGHT_CONTENT, "/top/l/f", "ln -sfn ../two top/l", NAMES, "echo 3 > two/f", "echo 3 > one/f"},
        {"a link in the middle of a chain is changed", "echo 1 > c; echo 2 > d; ln -s b a; ln -s c b", SIGHT_CONTENT, "/a",
         "ln -sf d b", NAMES, "echo 3 > d", "echo 3 > c"},
        {"the end of a chain is replaced", "echo 1 > c; ln -s b a; ln -s c b", SIGHT_REAL_PATH, "/a",
         "rm c; ln -s d c", NAMES, "echo 1 > d", NULL},
        {"a dangling link becomes whole", "mkdir etc; ln -s ../x/y etc/l", SIGHT_PRESENCE, "/etc/l", "mkdir x", NAMES,
         "echo 1 > x/y", NULL},
        {"a mask is removed", "mkdir etc; ln -s /dev/null etc/unit", SIGHT_MASK, "/etc/unit", "rm etc/unit", NAMES, NULL,
         NULL},
        {"a way that goes up again", "mkdir etc; echo 1 > f", SIGHT_CONTENT, "/etc/../f", "echo 2 > f", CONTENT,
         "mv etc etcetera", NULL},
        {"an own directory proc is none of the kernel", "mkdir proc; echo 1 > proc/f", SIGHT_CONTENT, "/proc/f",
         "echo 2 > proc/f", CONTENT, "rm proc/f", NULL},
        {"a name like procfs can", "mkdir process; echo 1 > process/f", SIGHT_CONTENT, "/process/f",
         "echo 2 > process/f", CONTENT, "rm process/f", NULL},
};

/* A tree, a watch on it, and what was heard of since it was last asked for. */
typedef struct Scene {
        Tree *tree;
        sd_event *event;
        PathWatch *watch;
        bool announces; /* the file system of the tree says what changes */
        uint64_t readers;
        bool moved;
} Scene;

static void shell(const Scene *s, const char *commands) {
        _cleanup_free_ char *line = xasprintf("cd '%s' && { %s; }", s->tree->top, commands);

        assert_int_equal(system(line), 0);
}

static void on_changed(uint64_t readers, bool moved, void *userdata) {
        Scene *s = userdata;

        assert_true(readers != 0);
        s->readers |= readers;
        s->moved = s->moved || moved;
}

static uint64_t listen_for(Scene *s, Heard *ret) {
        s->readers = 0;
        s->moved = false;
        while (sd_event_run(s->event, 20000) > 0)
                ;
        *ret = s->readers == 0 ? NOTHING : s->moved ? NAMES : CONTENT;
        return s->readers;
}

static uint64_t readers_told(Scene *s) {
        Heard heard;

        return listen_for(s, &heard);
}

/* As the keeper does before it reads again. */
static int note_again(Scene *s, SightKind kind, const char *path, uint64_t readers) {
        int r;

        path_watch_forget(s->watch, readers);
        r = path_watch_note(s->watch, kind, path, readers);
        path_watch_sweep(s->watch);
        return r;
}

static void scene_begin(Scene *s, const char *top) {
        _cleanup_close_ int fd = -EBADF;
        void *tree;

        *s = (Scene) {};
        tree_setup(&tree);
        s->tree = tree;
        if (top) {
                root_free(s->tree->root);
                assert_return_code(root_new(&s->tree->root, top), 0);
        }

        fd = open(s->tree->top, O_PATH | O_CLOEXEC);
        assert_true(fd >= 0);
        s->announces = file_system_announces(fd);
        if (!s->announces)
                print_message("the file system of /tmp is not known to announce its changes\n");
        assert_return_code(sd_event_new(&s->event), 0);
        assert_return_code(path_watch_new(&s->watch, s->event, s->tree->root, on_changed, s), 0);
}

static void scene_end(Scene *s) {
        void *tree = s->tree;

        path_watch_free(s->watch);
        sd_event_unref(s->event);
        tree_teardown(&tree);
}

/* A second reader looks elsewhere, and is never told. */
static void check_row(const Row *row) {
        Heard heard;
        Scene s;

        print_message("    %s\n", row->name);
        scene_begin(&s, NULL);
        shell(&s, row->before);
        shell(&s, "mkdir elsewhere");
        assert_int_equal(path_watch_note(s.watch, SIGHT_CONTENT, "/elsewhere/f", OTHER), s.announces);

        /* What is looked at twice is heard of as well. */
        assert_int_equal(path_watch_note(s.watch, row->kind, row->looks_at, READER), s.announces);
        assert_int_equal(note_again(&s, row->kind, row->looks_at, READER), s.announces);
        assert_int_equal(readers_told(&s), 0);
        shell(&s, row->happens);
        assert_int_equal(listen_for(&s, &heard) & READER, row->heard == NOTHING ? 0 : READER);
        assert_int_equal(heard, row->heard);

        (void) note_again(&s, row->kind, row->looks_at, READER);
        assert_int_equal(readers_told(&s), 0);
        if (row->later) {
                shell(&s, row->later);
                assert_int_equal(readers_told(&s), 0);
        }
        if (row->again) {
                shell(&s, row->again);
                assert_int_equal(readers_told(&s), READER);
        }

        /* What is looked at no longer is not heard of. */
        (void) note_again(&s, SIGHT_CONTENT, "/nothing", READER);
        (void) readers_told(&s);
        shell(&s, "for d in . *; do test ! -d $d || echo 4 > $d/f; done; rm elsewhere/f");
        assert_int_equal(readers_told(&s), OTHER);
        scene_end(&s);
}

static void test_rows(_unused_ void **state) {
        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                check_row(&rows[i]);
}

/* Each reader is told of its own files alone, and what one forgets the others keep. */
static void test_readers(_unused_ void **state) {
        Scene s;

        scene_begin(&s, NULL);
        shell(&s, "mkdir etc; echo 1 > etc/a; echo 1 > etc/b; echo 1 > etc/both");
        assert_int_equal(path_watch_note(s.watch, SIGHT_CONTENT, "/etc/a", READER), s.announces);
        assert_int_equal(path_watch_note(s.watch, SIGHT_CONTENT, "/etc/both", READER), s.announces);
        assert_int_equal(path_watch_note(s.watch, SIGHT_CONTENT, "/etc/b", OTHER), s.announces);
        assert_int_equal(path_watch_note(s.watch, SIGHT_CONTENT, "/etc/both", OTHER), s.announces);

        shell(&s, "echo 2 > etc/a");
        assert_int_equal(readers_told(&s), READER);
        shell(&s, "echo 2 > etc/b");
        assert_int_equal(readers_told(&s), OTHER);
        shell(&s, "echo 2 > etc/both");
        assert_int_equal(readers_told(&s), READER | OTHER);

        path_watch_forget(s.watch, READER);
        path_watch_sweep(s.watch);
        shell(&s, "echo 3 > etc/a");
        assert_int_equal(readers_told(&s), 0);
        shell(&s, "echo 3 > etc/both");
        assert_int_equal(readers_told(&s), OTHER);
        shell(&s, "mv etc away");
        assert_int_equal(readers_told(&s), OTHER);
        scene_end(&s);
}

/* By a name that is not watched the file changes in silence. */
static void test_two_names(_unused_ void **state) {
        Scene s;

        scene_begin(&s, NULL);
        shell(&s, "mkdir etc; echo 1 > etc/f; ln etc/f elsewhere; ln -s etc/f link");
        assert_int_equal(path_watch_note(s.watch, SIGHT_CONTENT, "/etc/f", READER), 0);
        assert_int_equal(path_watch_note(s.watch, SIGHT_CONTENT, "/link", READER), 0);

        /* By its own name it is heard of all the same, and the loss of the second name makes it an ordinary file. */
        shell(&s, "echo 2 > etc/f");
        assert_int_equal(readers_told(&s), READER);
        shell(&s, "rm elsewhere");
        assert_int_equal(note_again(&s, SIGHT_CONTENT, "/etc/f", READER), s.announces);
        scene_end(&s);
}

/* The kernel itself changes these. What is missing there cannot be waited for either. */
static void test_silent(_unused_ void **state) {
        static const struct {
                SightKind kind;
                const char *path;
        } silent[] = {
                {SIGHT_CONTENT, "/proc/sys/kernel/ostype"},
                {SIGHT_CONTENT, "/proc/sys/kernel/missing"},
                {SIGHT_CONTENT, "/proc/self/status"}, /* by a link */
                {SIGHT_NAMES, "/proc/sys/kernel"},
                {SIGHT_PRESENCE, "/proc"},
                {SIGHT_METADATA, "/proc/sys"},
                {SIGHT_CONTENT, "/sys/devices/system/cpu/online"},
        };
        Scene s;

        scene_begin(&s, "/");
        for (size_t i = 0; i < ELEMENTSOF(silent); i++)
                if (path_watch_note(s.watch, silent[i].kind, silent[i].path, READER) != 0)
                        fail_msg("%s is said to announce its changes", silent[i].path);
        scene_end(&s);
}

/* What cannot be walked to the end is not understood. */
static void test_other_ends(_unused_ void **state) {
        Scene s;

        scene_begin(&s, NULL);
        shell(&s, "ln -s b a; ln -s a b; echo 1 > f");
        assert_int_equal(path_watch_note(s.watch, SIGHT_CONTENT, "/a", READER), 0);
        assert_int_equal(path_watch_note(s.watch, SIGHT_CONTENT, "/f/x", READER), s.announces);
        shell(&s, "rm f; mkdir f");
        assert_int_equal(readers_told(&s), READER);
        scene_end(&s);
}

/* inotify takes no directory that may not be read, although the way through it is open. */
static void test_unreadable(_unused_ void **state) {
        bool root = geteuid() == 0;
        Scene s;
        int r;

        scene_begin(&s, NULL);
        shell(&s, "mkdir -p d/e; echo 1 > d/e/f; chmod 0755 .; chmod 0311 d");
        assert_return_code(root ? seteuid(65534) : 0, errno);
        r = path_watch_note(s.watch, SIGHT_CONTENT, "/d/e/f", READER);
        assert_return_code(root ? seteuid(0) : 0, errno);
        assert_int_equal(r, 0);

        shell(&s, "chmod 0755 d");
        assert_int_equal(note_again(&s, SIGHT_CONTENT, "/d/e/f", READER), s.announces);
        scene_end(&s);
}

/* Without an instance of inotify nothing is announced, and nothing else is missing. */
static void test_deaf(_unused_ void **state) {
        _cleanup_(sd_event_unrefp) sd_event *event = NULL;
        _cleanup_(path_watch_freep) PathWatch *watch = NULL;
        _cleanup_(root_freep) Root *root = NULL;
        int taken[1000];
        size_t n = 0;

        assert_return_code(sd_event_new(&event), 0);
        assert_return_code(root_new(&root, "/usr"), 0);
        while (n < ELEMENTSOF(taken) && (taken[n] = inotify_init1(IN_CLOEXEC)) >= 0)
                n++;
        if (n == ELEMENTSOF(taken)) {
                while (n > 0)
                        closep(taken + --n);
                skip(); /* this machine has more of them than a test should take */
        }
        assert_int_equal(path_watch_new(&watch, event, root, (PathWatchChanged) abort, NULL), 0);
        assert_string_equal(path_watch_limit(watch), "fs.inotify.max_user_instances");
        assert_int_equal(path_watch_note(watch, SIGHT_CONTENT, "/bin", 1), 0);
        path_watch_pause(watch, true);
        path_watch_pause(watch, false);
        path_watch_sweep(watch);
        while (n > 0)
                closep(taken + --n);
}

/* The same error comes where the process may open no more files, and another setting helps. */
static void test_no_descriptors(_unused_ void **state) {
        _cleanup_(sd_event_unrefp) sd_event *event = NULL;
        _cleanup_(path_watch_freep) PathWatch *watch = NULL;
        _cleanup_(root_freep) Root *root = NULL;
        struct rlimit limit, none;

        assert_return_code(sd_event_new(&event), 0);
        assert_return_code(root_new(&root, "/usr"), 0);
        assert_return_code(getrlimit(RLIMIT_NOFILE, &limit), errno);
        none = (struct rlimit) {.rlim_cur = 0, .rlim_max = limit.rlim_max};
        assert_return_code(setrlimit(RLIMIT_NOFILE, &none), errno);
        assert_int_equal(path_watch_new(&watch, event, root, (PathWatchChanged) abort, NULL), 0);
        assert_return_code(setrlimit(RLIMIT_NOFILE, &limit), errno);
        assert_string_equal(path_watch_limit(watch), "LimitNOFILE= of the unit");
}

/* Nothing is read in the event loop meanwhile, and nothing is lost. */
static void test_pause(_unused_ void **state) {
        Scene s;

        scene_begin(&s, NULL);
        shell(&s, "mkdir d; echo 1 > d/f");
        (void) path_watch_note(s.watch, SIGHT_CONTENT, "/d/f", READER);
        path_watch_pause(s.watch, true);
        shell(&s, "mv d e; mkdir d");
        assert_int_equal(readers_told(&s), 0);

        /* What is noted before the change is known rests on the old directory, and is told with the others. */
        (void) path_watch_note(s.watch, SIGHT_CONTENT, "/d/g", OTHER);
        path_watch_pause(s.watch, false);
        assert_int_equal(readers_told(&s), READER | OTHER);
        assert_int_equal(note_again(&s, SIGHT_CONTENT, "/d/g", OTHER), s.announces);
        shell(&s, "echo 1 > d/g");
        assert_int_equal(readers_told(&s), OTHER);
        scene_end(&s);
}

static uint64_t queue_size(void) {
        _cleanup_fclose_ FILE *f = fopen("/proc/sys/fs/inotify/max_queued_events", "re");
        unsigned long n = 0;

        return f && fscanf(f, "%lu", &n) == 1 ? n : UINT64_MAX;
}

/* What the kernel could not queue may concern everybody. */
static void test_overflow(_unused_ void **state) {
        const uint64_t n = queue_size();
        int fds[2];
        Heard heard;
        Scene s;

        if (n > 1000000) {
                print_message("the queue of inotify is too long to be filled\n");
                skip();
        }

        scene_begin(&s, NULL);
        shell(&s, "echo 1 > f; echo 1 > g");
        (void) path_watch_note(s.watch, SIGHT_CONTENT, "/f", READER);
        for (size_t i = 0; i < 2; i++) {
                _cleanup_free_ char *path = tree_path(s.tree, i == 0 ? "/f" : "/g");

                fds[i] = open(path, O_WRONLY | O_CLOEXEC);
                assert_true(fds[i] >= 0);
        }

        /* By turns, because the kernel joins equal events. */
        for (uint64_t i = 0; i < n + 16; i++)
                assert_int_equal(pwrite(fds[i % 2], "x", 1, 0), 1);
        assert_true(listen_for(&s, &heard) == UINT64_MAX);
        assert_int_equal(heard, NAMES);
        closep(fds);
        closep(fds + 1);
        scene_end(&s);
}

/* Of this process, so that others that are busy do not matter. */
static uint64_t cpu_usec(void) {
        struct timespec t;

        assert_return_code(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t), errno);
        return (uint64_t) t.tv_sec * 1000000U + (uint64_t) t.tv_nsec / 1000U;
}

/* Backwards, which is the worst order. The limit is far above what it takes, and far below squares. */
static void test_many(_unused_ void **state) {
        const uint64_t begin = cpu_usec();
        uint64_t took;
        Scene s;

        scene_begin(&s, NULL);
        shell(&s, "mkdir d");
        for (unsigned i = PATHS_MANY; i-- > 0;) {
                _cleanup_free_ char *path = xasprintf("/d/%06u", i);

                assert_int_equal(path_watch_note(s.watch, SIGHT_CONTENT, path, i % 2 == 0 ? READER : OTHER), s.announces);
        }
        path_watch_forget(s.watch, OTHER);
        path_watch_sweep(s.watch);
        took = cpu_usec() - begin;
        print_message("%u names took %" PRIu64 " ms\n", PATHS_MANY, took / 1000);
        assert_true(took < PATHS_MANY_USEC);

        shell(&s, "echo 1 > d/000001; echo 1 > d/009999");
        assert_int_equal(readers_told(&s), 0);
        shell(&s, "echo 1 > d/000000");
        assert_int_equal(readers_told(&s), READER);
        shell(&s, "echo 1 > d/009998");
        assert_int_equal(readers_told(&s), READER);
        scene_end(&s);
}

static int mount_over(const Scene *s, const char *from, const char *to) {
        _cleanup_free_ char *source = tree_path(s->tree, from), *target = tree_path(s->tree, to);

        return mount(source, target, NULL, MS_BIND, NULL) < 0 ? -errno : 0;
}

static void unmount(const Scene *s, const char *path) {
        _cleanup_free_ char *full = tree_path(s->tree, path);

        assert_int_equal(umount2(full, MNT_DETACH), 0);
}

/* A tree with /one/f, /two/f and /etc/d, in a mount namespace of its own. */
static void scene_begin_apart(Scene *s) {
        if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0) {
                print_message("mounts are left out: %s\n", strerror(errno));
                skip();
        }

        scene_begin(s, NULL);
        shell(s, "mkdir -p one two etc/d; echo 1 > one/f; echo 1 > two/f; echo 1 > etc/d/f");
}

/* One directory by two paths has one watch in the kernel. */
static void test_mounted_directory(_unused_ void **state) {
        Scene s;

        scene_begin_apart(&s);
        assert_int_equal(mount_over(&s, "/one", "/etc/d"), 0);
        assert_int_equal(path_watch_note(s.watch, SIGHT_CONTENT, "/etc/d/f", READER), s.announces);
        assert_int_equal(path_watch_note(s.watch, SIGHT_CONTENT, "/one/f", OTHER), s.announces);
        shell(&s, "echo 2 > one/f");
        assert_int_equal(readers_told(&s), READER | OTHER);
        shell(&s, "chmod 0700 one");
        assert_int_equal(readers_told(&s), READER | OTHER);

        path_watch_forget(s.watch, OTHER);
        path_watch_sweep(s.watch);
        assert_int_equal(readers_told(&s), 0);
        shell(&s, "echo 3 > one/f");
        assert_int_equal(readers_told(&s), READER);
        unmount(&s, "/etc/d");
        scene_end(&s);
}

/* The mount itself is for others to hear of (agent/daemon/system-watch.h); then everything is noted again. */
static void test_mount_over(_unused_ void **state) {
        Scene s;

        scene_begin_apart(&s);
        assert_int_equal(path_watch_note(s.watch, SIGHT_CONTENT, "/etc/d/f", READER), s.announces);
        assert_int_equal(mount_over(&s, "/one", "/etc/d"), 0);
        assert_int_equal(readers_told(&s), 0);

        path_watch_forget(s.watch, UINT64_MAX);
        path_watch_sweep(s.watch);
        assert_int_equal(path_watch_note(s.watch, SIGHT_CONTENT, "/etc/d/f", READER), s.announces);
        shell(&s, "echo 2 > one/f");
        assert_int_equal(readers_told(&s), READER);
        unmount(&s, "/etc/d");
        assert_int_equal(readers_told(&s), 0);

        path_watch_forget(s.watch, UINT64_MAX);
        path_watch_sweep(s.watch);
        assert_int_equal(path_watch_note(s.watch, SIGHT_CONTENT, "/etc/d/f", READER), s.announces);
        shell(&s, "echo 3 > one/f");
        assert_int_equal(readers_told(&s), 0);
        shell(&s, "echo 3 > etc/d/f");
        assert_int_equal(readers_told(&s), READER);
        scene_end(&s);
}

/* A file on which another is mounted is told of in the directory of that other one. */
static void test_mounted_file(_unused_ void **state) {
        Scene s;

        scene_begin_apart(&s);
        assert_int_equal(mount_over(&s, "/one/f", "/etc/d/f"), 0);
        assert_int_equal(path_watch_note(s.watch, SIGHT_CONTENT, "/etc/d/f", READER), 0);
        unmount(&s, "/etc/d/f");
        assert_int_equal(note_again(&s, SIGHT_CONTENT, "/etc/d/f", READER), s.announces);
        scene_end(&s);
}

/* A file system in the middle of the way that says nothing. */
static void test_mounted_silence(_unused_ void **state) {
        Scene s;

        scene_begin_apart(&s);
        _cleanup_free_ char *target = tree_path(s.tree, "/etc/d");
        if (mount("/proc", target, NULL, MS_BIND, NULL) < 0)
                skip();
        assert_int_equal(path_watch_note(s.watch, SIGHT_CONTENT, "/etc/d/sys/kernel/ostype", READER), 0);
        assert_int_equal(path_watch_note(s.watch, SIGHT_CONTENT, "/etc/d/missing", READER), 0);
        unmount(&s, "/etc/d");
        assert_int_equal(path_watch_note(s.watch, SIGHT_CONTENT, "/etc/f", READER), s.announces);
        scene_end(&s);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_rows),
                cmocka_unit_test(test_readers),
                cmocka_unit_test(test_two_names),
                cmocka_unit_test(test_silent),
                cmocka_unit_test(test_other_ends),
                cmocka_unit_test(test_unreadable),
                cmocka_unit_test(test_no_descriptors),
                cmocka_unit_test(test_deaf),
                cmocka_unit_test(test_pause),
                cmocka_unit_test(test_overflow),
                cmocka_unit_test(test_many),
                cmocka_unit_test(test_mounted_directory),
                cmocka_unit_test(test_mount_over),
                cmocka_unit_test(test_mounted_file),
                cmocka_unit_test(test_mounted_silence),
        };

        return cmocka_run_group_tests_name("path-watch", tests, NULL, NULL);
}
