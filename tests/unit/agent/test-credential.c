/* SPDX-License-Identifier: Apache-2.0 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "agent/credential.h"
#include "agent/side.h"
#include "tests/unit/tree.h"

#define POLICY_PATH "/run/gtuned/" CREDENTIAL_POLICY_NAME
#define RECORD_PATH "/run/gtuned/" CREDENTIAL_RECORD_NAME
#define IMAGE "/usr/lib/gtuned/gtuned.conf"
#define ADMINISTRATOR "/etc/gtuned/gtuned.conf"
#define DIRECTORY "/run/credentials/gtuned-apply.service"
#define ACCEPT "[guest]\naccept_credential = yes\n"

#define LINE64 "# 34567890123456789012345678901234567890123456789012345678901234\n"

static unsigned version_249(void) {
        return 249;
}

static unsigned version_252(void) {
        return 252;
}

static unsigned version_unknown(void) {
        return 0;
}

static Policy *read_policy(const Tree *t) {
        Policy *policy;

        assert_int_equal(guest_side.read_policy(&guest_side, t->root, &policy), 0);
        return policy;
}

static void take_from(const Tree *t, const char *directory, unsigned (*version)(void)) {
        _cleanup_(policy_freep) Policy *policy = read_policy(t);
        _cleanup_free_ char *error = NULL;

        assert_int_equal(credential_take(&guest_side, t->root, policy, directory, version, &error), 0);
        assert_null(error);
}

static void take(const Tree *t) {
        take_from(t, DIRECTORY, version_252);
}

static void offer(const Tree *t, const char *text) {
        tree_file(t, DIRECTORY "/" CREDENTIAL_NAME, text);
}

static void assert_absent(const Tree *t, const char *path) {
        if (root_exists(t->root, path))
                fail_msg("%s is there", path);
}

/* What became of it, in the policy that everybody reads; nothing of a text that was not taken may be in it. */
static void assert_state(const Tree *t, const char *state, const char *note) {
        _cleanup_(policy_freep) Policy *p = read_policy(t);

        if (!streq_ptr(p->credential, state))
                fail_msg("the state is %s, and not %s", strempty(p->credential), strempty(state));
        if (note ? !strstr(strempty(p->credential_note), note) : p->credential_note != NULL)
                fail_msg("the note is %s", p->credential_note ? p->credential_note : "(none)");
        assert_int_equal(p->n_errors, 0);
        assert_int_equal(root_exists(t->root, POLICY_PATH), streq_ptr(state, "taken"));
}

static void test_absent(void **state) {
        const Tree *t = *state;

        tree_file(t, IMAGE, ACCEPT);
        take(t);
        assert_state(t, NULL, NULL);
        take_from(t, NULL, version_252);
        take_from(t, DIRECTORY, version_unknown);
        assert_state(t, NULL, NULL);
        assert_absent(t, RECORD_PATH);

        /* What the unit falls back to, accepted or not; any other text comes from the host. */
        offer(t, "# the host passes no policy");
        take(t);
        assert_state(t, NULL, NULL);
        tree_file(t, IMAGE, "");
        take(t);
        assert_state(t, NULL, NULL);
        assert_absent(t, RECORD_PATH);
        offer(t, "# the host passes no policy\n");
        take(t);
        assert_state(t, "offered", "does not accept it");
}

static void test_good(void **state) {
        static const char text[] = "[guest]\nvcpu = dedicated\n[haltpoll]\nguest_halt_poll_ns = 300000\n"
                                   "[pvspin]\nenable = no\n";
        _cleanup_(policy_freep) Policy *p = NULL;
        const PolicySetting *s;
        const Tree *t = *state;
        struct stat st;

        tree_file(t, IMAGE, ACCEPT);
        offer(t, text);
        take(t);
        assert_state(t, "taken", NULL);
        assert_tree_file(t, POLICY_PATH, text);
        assert_int_equal(root_stat(t->root, POLICY_PATH, &st), 0);
        assert_int_equal(st.st_mode & 07777, 0644);
        assert_int_equal(root_stat(t->root, "/run/gtuned/gtuned.conf.d", &st), 0);
        assert_int_equal(st.st_mode & 07777, 0755);

        p = read_policy(t);
        s = policy_get(p, "haltpoll", "guest_halt_poll_ns");
        assert_string_equal(s->value, "300000");
        assert_string_equal(s->file, POLICY_PATH);
        assert_int_equal(s->line, 4);
        assert_string_equal(policy_word(p, "guest", "vcpu", ""), "dedicated");
        assert_string_equal(policy_word(p, "pvspin", "enable", ""), "no");
}

static void test_empty(void **state) {
        static const char *const texts[] = {"", "\n", "# nothing\n", "[channel]\n"};
        const Tree *t = *state;

        tree_file(t, IMAGE, ACCEPT);
        for (size_t i = 0; i < ELEMENTSOF(texts); i++) {
                offer(t, texts[i]);
                take(t);
                assert_state(t, "taken", NULL);
                assert_tree_file(t, POLICY_PATH, texts[i]);
        }
}

/* What is wrong with a text, and in which line. */
static const struct {
        const char *text;
        unsigned line;
        const char *reason;
} bad[] = {
        {"[guest]\nvcpu = fast\n", 2, "vcpu = fast: expected auto, dedicated or shared"},
        {"[guest]\nvcpu = dedicated\ncpu = 2\n", 3, "unknown key cpu in [guest]"},
        {"[gest]\nvcpu = dedicated\n", 2, "unknown section [gest]"},
        {"vcpu = dedicated\n", 1, "before any [section]"},
        {"[guest]\nvcpu = dedicated\n\n[haltpoll]\nguest_halt_poll_ns = 4294967296\n", 5, "the largest number is"},
        {"[haltpoll]\nenable = perhaps\n", 2, "expected auto, yes or no"},
        {"[guest]\nvcpu = dedicated\nwhat is this\n", 3, "expected [section], key = value"},
        {"[guest]\naccept_credential = yes\n", 2, "accept_credential in [guest] may not come from the host"},
        {"[guest]\nvcpu = shared\nallow_bare_metal = yes\n", 3, "allow_bare_metal in [guest] may not"},
        {"[guest]\nvcpu = shared\n[channel]\nallow_apply = yes\n", 4, "allow_apply in [channel] may not"},
        {"[qga-policy]\nallow = exec\n", 2, "allow in [qga-policy] may not"},
        {"[measured-boot]\nrequire = no\n", 2, "require in [measured-boot] may not"},
};

static void check_refused(const Tree *t, const char *what, unsigned line, const char *reason) {
        _cleanup_(policy_freep) Policy *p = read_policy(t);

        if (!streq_ptr(p->credential, "refused") || p->n_errors != 1)
                fail_msg("%s: %s, %zu errors", what, p->credential ? p->credential : "(none)", p->n_errors);
        assert_string_equal(p->errors->file, "credential gtuned.policy");
        if (p->errors->line != line || !strstr(p->errors->reason, reason))
                fail_msg("%s: %u: %s", what, p->errors->line, p->errors->reason);
        assert_string_equal(policy_word(p, "guest", "vcpu", "not set"), "not set");
        assert_absent(t, POLICY_PATH);
}

static void test_bad(void **state) {
        const Tree *t = *state;

        tree_file(t, IMAGE, ACCEPT);
        for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
                offer(t, "[guest]\nvcpu = dedicated\n");
                take(t);
                assert_state(t, "taken", NULL);

                offer(t, bad[i].text);
                take(t);
                check_refused(t, bad[i].text, bad[i].line, bad[i].reason);
        }
}

static void test_every_error_is_told(void **state) {
        _cleanup_(policy_freep) Policy *p = NULL;
        const Tree *t = *state;

        tree_file(t, IMAGE, ACCEPT "[haltpoll]\nenable = maybe\n");
        offer(t, "[guest]\nvcpu = \xFF\n\n[channel]\nallow_apply = yes\n");
        take(t);
        p = read_policy(t);
        assert_int_equal(p->n_errors, 3);
        assert_string_equal(p->errors[0].file, IMAGE);
        assert_int_equal(p->errors[1].line, 2);
        assert_non_null(strstr(p->errors[1].reason, "\xEF\xBF\xBD: expected auto"));
        assert_int_equal(p->errors[2].line, 5);
}

/* 64 KiB are taken, and not a byte more. */
static void test_size(void **state) {
        const Tree *t = *state;
        _cleanup_buffer_ Buffer text = BUFFER_NULL;

        tree_file(t, IMAGE, ACCEPT);
        assert_int_equal(strlen(LINE64), 65);
        while (text.size + 65 <= CREDENTIAL_SIZE_MAX)
                assert_int_equal(buffer_puts(&text, LINE64), 0);
        while (text.size < CREDENTIAL_SIZE_MAX)
                assert_int_equal(buffer_puts(&text, "\n"), 0);
        offer(t, text.data);
        take(t);
        assert_state(t, "taken", NULL);

        assert_int_equal(buffer_puts(&text, "\n"), 0);
        offer(t, text.data);
        take(t);
        check_refused(t, "65537 bytes", 0, "larger than 64 KiB");
}

static void test_no_file(void **state) {
        _cleanup_free_ char *path = NULL;
        const Tree *t = *state;

        tree_file(t, IMAGE, ACCEPT);
        path = tree_path(t, DIRECTORY "/" CREDENTIAL_NAME);
        assert_int_equal(mkfifo(path, 0644), 0);
        take(t);
        check_refused(t, "a FIFO", 0, "not a regular file");

        assert_int_equal(unlink(path), 0);
        assert_int_equal(mkdir(path, 0755), 0);
        take(t);
        check_refused(t, "a directory", 0, "not a regular file");
}

static void test_nul(void **state) {
        static const char text[] = "[guest]\nvcpu = dedicated\0\n";
        const Tree *t = *state;

        tree_file(t, IMAGE, ACCEPT);
        tree_bytes(t, DIRECTORY "/" CREDENTIAL_NAME, text, sizeof(text) - 1, 0400);
        take(t);
        check_refused(t, "a NUL byte", 2, "NUL");
}

static void test_not_accepted(void **state) {
        static const char *const policies[] = {"", "[guest]\nvcpu = auto\n", "[guest]\naccept_credential = no\n"};
        const Tree *t = *state;

        offer(t, "[guest]\nvcpu = dedicated\n");
        for (size_t i = 0; i < ELEMENTSOF(policies); i++) {
                tree_file(t, ADMINISTRATOR, policies[i]);
                take(t);
                assert_state(t, "offered", "does not accept it; to take it, set accept_credential = yes");
        }

        /* The policy came later, as from cloud-init: who is not given the credential cannot take it. */
        tree_file(t, ADMINISTRATOR, ACCEPT);
        take_from(t, NULL, version_252);
        assert_state(t, "offered", "not taken yet: run `systemctl start gtuned-apply.service`");
        take(t);
        assert_state(t, "taken", NULL);
}

/* What is below /run can come from the host, or from whoever had it write there. */
static void test_accept_below_run(void **state) {
        static const char *const paths[] = {"/run/gtuned/gtuned.conf", "/run/gtuned/gtuned.conf.d/99-x.conf"};
        const Tree *t = *state;

        offer(t, "[guest]\nvcpu = dedicated\n");
        for (size_t i = 0; i < ELEMENTSOF(paths); i++) {
                _cleanup_(policy_freep) Policy *p = NULL;
                _cleanup_free_ char *path = tree_path(t, paths[i]);

                tree_file(t, paths[i], ACCEPT);
                take(t);
                p = read_policy(t);
                assert_string_equal(p->credential, "offered");
                assert_absent(t, POLICY_PATH);
                assert_int_equal(p->n_errors, 1);
                assert_string_equal(p->errors->file, paths[i]);
                assert_int_equal(p->errors->line, 2);
                assert_non_null(strstr(p->errors->reason, "does not count below /run"));
                assert_int_equal(unlink(path), 0);
        }
}

static void test_administrator_wins(void **state) {
        _cleanup_(policy_freep) Policy *p = NULL;
        const Tree *t = *state;

        tree_file(t, IMAGE, ACCEPT);
        tree_file(t, "/etc/gtuned/gtuned.conf.d/90-own.conf", "[guest]\nvcpu = shared\n");
        offer(t, "[guest]\nvcpu = dedicated\n[haltpoll]\nenable = no\n");
        take(t);
        p = read_policy(t);
        assert_int_equal(p->n_errors, 0);
        assert_string_equal(policy_word(p, "guest", "vcpu", ""), "shared");
        assert_string_equal(policy_word(p, "haltpoll", "enable", ""), "no");

        /* A file of the same name masks it, as everywhere. */
        tree_file(t, "/etc/gtuned/gtuned.conf.d/50-credential.conf", "");
        policy_free(TAKE_PTR(p));
        p = read_policy(t);
        assert_null(policy_get(p, "haltpoll", "enable"));
        assert_state(t, "taken", "masks it");
}

static char *describe(const Tree *t) {
        _cleanup_(policy_freep) Policy *p = read_policy(t);
        const Practice *haltpoll = guest_side.practices[side_find_practice(&guest_side, "haltpoll")];
        char *line = policy_describe(p, &haltpoll->keys, NULL);

        assert_non_null(line);
        return line;
}

/* A new text takes the place of the old one, and ends what was held by it; the same text ends nothing. */
static void test_replaced(void **state) {
        const Tree *t = *state;
        _cleanup_free_ char *first = NULL, *same = NULL, *second = NULL;
        struct stat before, after;

        tree_file(t, IMAGE, ACCEPT);
        offer(t, "[guest]\nvcpu = dedicated\n");
        take(t);
        first = describe(t);
        assert_int_equal(root_stat(t->root, POLICY_PATH, &before), 0);

        take(t);
        same = describe(t);
        assert_string_equal(first, same);
        assert_int_equal(root_stat(t->root, POLICY_PATH, &after), 0);
        assert_int_equal(before.st_ino, after.st_ino);

        offer(t, "[guest]\nvcpu = shared\n");
        take(t);
        second = describe(t);
        assert_string_not_equal(first, second);
        assert_tree_file(t, POLICY_PATH, "[guest]\nvcpu = shared\n");
        assert_int_equal(tree_count(t, "/run/gtuned/gtuned.conf.d"), 1);
        assert_int_equal(tree_count(t, "/run/gtuned"), 2);
}

/* A stale one goes: there is none any more, or it is not accepted any more. */
static void test_dropped(void **state) {
        _cleanup_free_ char *path = NULL;
        const Tree *t = *state;

        tree_file(t, IMAGE, ACCEPT);
        offer(t, "[guest]\nvcpu = dedicated\n");
        take(t);
        path = tree_path(t, DIRECTORY "/" CREDENTIAL_NAME);
        assert_int_equal(unlink(path), 0);
        take(t);
        assert_state(t, NULL, NULL);

        offer(t, "[guest]\nvcpu = dedicated\n");
        take(t);
        tree_file(t, IMAGE, "");
        take(t);
        assert_state(t, "offered", "does not accept it");
}

/* A person's apply is given no credential: it leaves alone what the boot unit took, and drops what is not accepted. */
static void test_by_hand(void **state) {
        const Tree *t = *state;

        tree_file(t, IMAGE, ACCEPT);
        offer(t, "[guest]\nvcpu = dedicated\n");
        take(t);
        take_from(t, NULL, version_252);
        assert_state(t, "taken", NULL);

        offer(t, "[guest]\nvcpu = fast\n");
        take(t);
        take_from(t, NULL, version_252);
        check_refused(t, "by hand", 2, "vcpu = fast");
        tree_file(t, IMAGE, "");
        assert_state(t, "offered", "which has errors");

        tree_file(t, IMAGE, ACCEPT);
        offer(t, "[guest]\nvcpu = dedicated\n");
        take(t);
        tree_file(t, IMAGE, "");
        take_from(t, NULL, version_252);
        assert_state(t, "offered", "does not accept it");
}

static void test_old_systemd(void **state) {
        const Tree *t = *state;

        tree_file(t, IMAGE, "");
        take_from(t, DIRECTORY, version_249);
        assert_state(t, NULL, NULL);

        tree_file(t, IMAGE, ACCEPT);
        take_from(t, DIRECTORY, version_249);
        assert_state(t, "unsupported", "accept_credential = yes has no effect");
        offer(t, "# the host passes no policy");
        take_from(t, DIRECTORY, version_249);
        assert_state(t, "unsupported", "accept_credential = yes has no effect");
        take_from(t, NULL, version_249);
        assert_state(t, "unsupported", "only systemd 252 and newer");

        /* It came all the same, as into a container that the manager of a newer systemd runs. */
        offer(t, "[guest]\nvcpu = dedicated\n");
        take_from(t, DIRECTORY, version_249);
        assert_state(t, "taken", NULL);
}

static void test_versions(_unused_ void **state) {
        static const struct {
                const char *text;
                unsigned version;
        } rows[] = {
                {"249 (249-71.oe2203)", 249}, {"252.39-1~deb12u2", 252}, {"v257.9", 257},
                {"255", 255},                 {"", 0},                   {"unknown", 0},
                {"v", 0},                     {"-1", 0},
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                assert_int_equal(credential_parse_version(rows[i].text), rows[i].version);
}

/* A record that nobody of us wrote is none. */
static void test_broken_record(void **state) {
        static const char *const records[] = {"", "x", "[]", "{}", "{\"state\": 1}", "{\"state\": \"absent\"}"};
        const Tree *t = *state;

        tree_file(t, IMAGE, ACCEPT);
        for (size_t i = 0; i < ELEMENTSOF(records); i++) {
                tree_file(t, RECORD_PATH, records[i]);
                assert_state(t, NULL, NULL);
        }
}

static void test_cannot_be_written(void **state) {
        _cleanup_(policy_freep) Policy *policy = NULL;
        _cleanup_free_ char *error = NULL;
        const Tree *t = *state;

        tree_file(t, IMAGE, ACCEPT);
        tree_file(t, "/run/gtuned/gtuned.conf.d", "in the way");
        offer(t, "[guest]\nvcpu = dedicated\n");
        policy = read_policy(t);
        assert_int_equal(credential_take(&guest_side, t->root, policy, DIRECTORY, version_252, &error), -ENOTDIR);
        assert_string_equal(error, POLICY_PATH " cannot be written: Not a directory");
        assert_absent(t, RECORD_PATH);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, tree_setup, tree_teardown)

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(test_absent),
                TEST(test_good),
                TEST(test_empty),
                TEST(test_bad),
                TEST(test_every_error_is_told),
                TEST(test_size),
                TEST(test_no_file),
                TEST(test_nul),
                TEST(test_not_accepted),
                TEST(test_accept_below_run),
                TEST(test_administrator_wins),
                TEST(test_replaced),
                TEST(test_dropped),
                TEST(test_by_hand),
                TEST(test_old_systemd),
                cmocka_unit_test(test_versions),
                TEST(test_broken_record),
                TEST(test_cannot_be_written),
        };

        (void) alarm(60); /* a FIFO must not block */
        return cmocka_run_group_tests(tests, NULL, NULL);
}
