/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The announced sources, on a tree in a temporary directory: which changes are heard of, and which are not. A row
 * says what the report looks at, what is there before, what then happens, and whether that is a change.
 */

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "agent/daemon/path-watch.h"

typedef struct Row {
        const char *name;
        const char *before; /* shell commands, run below the root */
        const char *looks_at;
        const char *happens;
        bool heard;
} Row;

static const Row rows[] = {
        {"a file is written", "mkdir etc; echo 1 > etc/f", "/etc/f", "echo 2 > etc/f", true},
        {"a file is replaced", "mkdir etc; echo 1 > etc/f", "/etc/f", "echo 2 > etc/.f; mv etc/.f etc/f", true},
        {"a file vanishes", "mkdir etc; echo 1 > etc/f", "/etc/f", "rm etc/f", true},
        {"a file becomes unreadable", "mkdir etc; echo 1 > etc/f", "/etc/f", "chmod 0 etc/f", true},
        {"a file appears", "mkdir etc", "/etc/f", "echo 1 > etc/f", true},
        {"a directory on the way appears", "mkdir etc", "/etc/a/b/f", "mkdir etc/a", true},
        {"something else is written", "mkdir etc; echo 1 > etc/f; echo 1 > etc/g", "/etc/f", "echo 2 > etc/g", false},
        {"something else appears", "mkdir etc", "/etc/a/b/f", "mkdir etc/b; echo 1 > etc/f", false},
        {"a file is only read", "mkdir etc; echo 1 > etc/f", "/etc/f", "cat etc/f > /dev/null", false},
        {"its name is longer", "mkdir etc; echo 1 > etc/f", "/etc/f", "echo 2 > etc/f.bak", false},
        {"a directory gets an entry", "mkdir -p etc/d", "/etc/d", "echo 1 > etc/d/f", true},
        {"an entry of a directory is renamed", "mkdir -p etc/d; echo 1 > etc/d/f", "/etc/d", "mv etc/d/f etc/d/g", true},
        {"a directory is replaced", "mkdir -p etc/d", "/etc/d/f", "mv etc/d etc/e; mkdir etc/d", true},
        {"a directory is removed", "mkdir -p etc/d", "/etc/d/f", "rmdir etc/d", true},
        {"a link is changed", "mkdir etc; ln -s a etc/l", "/etc/l", "ln -sf b etc/l", true},
        {"the target of a link is written", "mkdir etc boot; echo 1 > boot/f; ln -s ../boot/f etc/l", "/etc/l",
         "echo 2 > boot/f", true},
        {"the target of an absolute link is written", "mkdir etc boot; echo 1 > boot/f; ln -s /boot/f etc/l", "/etc/l",
         "echo 2 > boot/f", true},
        {"below a linked directory", "mkdir -p boot/d; echo 1 > boot/d/f; ln -s boot/d etc", "/etc/f", "echo 2 > boot/d/f",
         true},
        {"procfs cannot say", "mkdir proc; echo 1 > proc/f", "/proc/f", "echo 2 > proc/f", false},
        {"a name like procfs can", "mkdir process; echo 1 > process/f", "/process/f", "echo 2 > process/f", true},
};

static void shell(const char *root, const char *commands) {
        _cleanup_free_ char *line = xasprintf("cd '%s' && { %s; }", root, commands);

        assert_int_equal(system(line), 0);
}

static int remove_entry(const char *path, _unused_ const struct stat *st, _unused_ int type, _unused_ struct FTW *ftw) {
        return remove(path);
}

static void on_changed(void *userdata) {
        ++*(unsigned *) userdata;
}

static unsigned listen_for(sd_event *event, unsigned *count) {
        *count = 0;
        while (sd_event_run(event, 50000) > 0)
                ;
        return *count;
}

static void look(PathWatch *watch, const Root *root, const char *path) {
        path_watch_begin(watch);
        (void) root_exists(root, path);
        path_watch_end(watch);
}

static void check_row(const Row *row) {
        char path[] = "/tmp/test-watch-XXXXXX";
        _cleanup_(sd_event_unrefp) sd_event *event = NULL;
        _cleanup_(root_freep) Root *root = NULL;
        _cleanup_(path_watch_freep) PathWatch *watch = NULL;
        unsigned count = 0;

        print_message("    %s\n", row->name);
        assert_non_null(mkdtemp(path));
        shell(path, row->before);
        assert_return_code(sd_event_new(&event), 0);
        assert_return_code(root_new(&root, path), 0);
        assert_return_code(path_watch_new(&watch, event, root, on_changed, &count), 0);

        /* What is looked at twice is heard of once, and what is looked at no longer is not heard of. */
        look(watch, root, row->looks_at);
        look(watch, root, row->looks_at);
        assert_int_equal(listen_for(event, &count), 0);
        shell(path, row->happens);
        assert_int_equal(listen_for(event, &count) > 0, row->heard);

        look(watch, root, "/nothing");
        (void) listen_for(event, &count);
        shell(path, "test ! -d etc/. || echo 3 > etc/f");
        assert_int_equal(listen_for(event, &count), 0);
        assert_return_code(nftw(path, remove_entry, 8, FTW_DEPTH | FTW_PHYS), errno);
}

static void test_rows(_unused_ void **state) {
        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                check_row(&rows[i]);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_rows),
        };

        return cmocka_run_group_tests_name("path-watch", tests, NULL, NULL);
}
