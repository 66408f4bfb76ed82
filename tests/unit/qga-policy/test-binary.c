/* SPDX-License-Identifier: Apache-2.0 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "qga-policy/binary.h"
#include "tests/unit/tree.h"

#define ELF "\177ELF\2\1\1\0\0\0"

/* The bytes of a file after the ELF mark, and what qga_binary_read() finds in them. */
static const struct {
        const char *text;
        size_t size;
        int result;
        const char *names;
        bool blacklist, block_rpcs, allow_rpcs;
        const char *conf;
} cases[] = {
#define T(x) x, sizeof(x)
        {T("guest-ping\0blacklist"), 0, "guest-ping", true, false, false, NULL},
        {T("guest-ping\0guest-exec\0block-rpcs\0blacklist"), 0, "guest-exec guest-ping", true, true, false, NULL},
        {T("guest-ping\0block-rpcs\0allow-rpcs"), 0, "guest-ping", false, true, true, NULL},
        {T("/etc/qemu/qemu-ga.conf\0guest-ping\0block-rpcs"), 0, "guest-ping", false, true, false,
         "/etc/qemu/qemu-ga.conf"},
        /* The linker may merge a string with the end of a longer one. */
        {T("no-such blacklist\0unknown guest-ping"), 0, "guest-ping", true, false, false, NULL},
        {T("using deprecated 'blacklist' key\0guest-ping called\0guest-exec, pid: %d\0guest-ping\0block-rpcs"), 0,
         "guest-ping", false, true, false, NULL},
        {T("qemu-guest-agent\0guest-visible-workarounds\0guest-agent\0guest-\0guest-x-\0guest-ping\0block-rpcs"), 0,
         "guest-ping", false, true, false, NULL},
        {T("relative/qemu-ga.conf\0guest-ping\0block-rpcs"), 0, "guest-ping", false, true, false, NULL},
        {T("guest-ping"), -EBADMSG, NULL, false, false, false, NULL},
        {T("blacklist"), -EBADMSG, NULL, false, false, false, NULL},
        {T(""), -EBADMSG, NULL, false, false, false, NULL},
#undef T
};

static void write_binary(const Tree *t, size_t padding, const char *text, size_t size) {
        _cleanup_buffer_ Buffer b = BUFFER_NULL;

        assert_int_equal(buffer_append(&b, ELF, sizeof(ELF)), 0);
        for (size_t i = 0; i < padding; i++)
                assert_int_equal(buffer_append(&b, i % 7 ? "x" : "\0", 1), 0);
        assert_int_equal(buffer_append(&b, "", 1), 0);
        assert_int_equal(buffer_append(&b, text, size), 0);
        tree_bytes(t, "/usr/bin/qemu-ga", b.data, b.size, 0755);
}

static void test_strings(void **state) {
        const Tree *t = *state;

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                QgaBinary b;
                _cleanup_free_ char *names = NULL;

                write_binary(t, 0, cases[i].text, cases[i].size);
                assert_int_equal(qga_binary_read(t->root, "/usr/bin/qemu-ga", &b), cases[i].result);
                if (cases[i].result < 0)
                        continue;

                names = names_join(&b.names, " ");
                assert_string_equal(names, cases[i].names);
                assert_int_equal(b.blacklist, cases[i].blacklist);
                assert_int_equal(b.block_rpcs, cases[i].block_rpcs);
                assert_int_equal(b.allow_rpcs, cases[i].allow_rpcs);
                assert_true(streq_ptr(b.conf, cases[i].conf));
                qga_binary_done(&b);
        }
}

/* Strings that lie across the end of a chunk. */
static void test_chunks(void **state) {
        static const char text[] = "guest-ping\0guest-ssh-remove-authorized-keys\0/etc/qemu-kvm/qemu-ga.conf\0"
                                   "blacklist";
        const Tree *t = *state;

        for (size_t padding = 64 * 1024 - 120; padding < 64 * 1024 + 10; padding++) {
                QgaBinary b;

                write_binary(t, padding, text, sizeof(text));
                assert_int_equal(qga_binary_read(t->root, "/usr/bin/qemu-ga", &b), 0);
                assert_int_equal(b.names.n, 2);
                assert_true(b.blacklist);
                assert_string_equal(b.conf, "/etc/qemu-kvm/qemu-ga.conf");
                qga_binary_done(&b);
        }
}

static void test_no_binary(void **state) {
        const Tree *t = *state;
        _cleanup_free_ char *fifo = tree_path(t, "/usr/bin/fifo");
        QgaBinary b;

        assert_int_equal(qga_binary_read(t->root, "/usr/bin/none", &b), -ENOENT);
        tree_file(t, "/usr/bin/script", "#!/bin/sh\nexec qemu-ga -b guest-exec\n");
        assert_int_equal(qga_binary_read(t->root, "/usr/bin/script", &b), -EBADMSG);
        tree_file(t, "/usr/bin/empty", "");
        assert_int_equal(qga_binary_read(t->root, "/usr/bin/empty", &b), -EBADMSG);
        assert_int_equal(mkfifo(fifo, 0644), 0);
        assert_int_equal(qga_binary_read(t->root, "/usr/bin/fifo", &b), -EOPNOTSUPP);
}

static void test_versions(_unused_ void **state) {
        assert_true(qga_binary_is_exclusive(&(QgaBinary) {.blacklist = true, .block_rpcs = true, .allow_rpcs = true}));
        assert_false(qga_binary_is_exclusive(&(QgaBinary) {.block_rpcs = true, .allow_rpcs = true}));
        assert_true(qga_binary_has_config(&(QgaBinary) {.block_rpcs = true, .allow_rpcs = true}));
        assert_false(qga_binary_has_config(&(QgaBinary) {.blacklist = true}));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_strings, tree_setup, tree_teardown),
                cmocka_unit_test_setup_teardown(test_chunks, tree_setup, tree_teardown),
                cmocka_unit_test_setup_teardown(test_no_binary, tree_setup, tree_teardown),
                cmocka_unit_test(test_versions),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
