/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Tokens, by a side with two practices of tokens and one of a file: what a boot store refuses stops only who needs it,
 * and entries that systemd-boot counts are not made twice.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/tree.h"

#include "core/options.h"
#include "engine/apply.h"
#include "engine/resolve.h"
#include "tests/unit/made-up-side.h"

#define MENU "/boot/grub/grub.cfg"
#define MENU_TEXT "menuentry 'a' {\n\tlinux /vmlinuz-1 root=/dev/vda1 ro\n}\n"
#define EVERYTHING "[alpha]\nenable = yes\n[beta]\nenable = yes\n[note]\ntext = /remember\n"

static const TokenSpec alpha_token = {.name = "alpha", .value = "1", .kind = TOKEN_STRING};
static const TokenSpec beta_token = {.name = "beta", .kind = TOKEN_FLAG};

static int token_observe(const View *view, const Practice *practice, Finding *f) {
        int r = practice_wanted(view, practice, f, /* automatic= */ false);

        if (r < 0)
                return r;

        return finding_verdict(f, view->machine->entries_error ? STATE_UNKNOWN : STATE_DIFFERS, NULL, NULL, NULL);
}

extern const Practice practice_alpha, practice_beta;

static int alpha_observe(const View *view, _unused_ const void *facts, Finding *f) {
        return token_observe(view, &practice_alpha, f);
}

static int beta_observe(const View *view, _unused_ const void *facts, Finding *f) {
        return token_observe(view, &practice_beta, f);
}

static int alpha_plan(_unused_ const View *view, _unused_ const void *facts, const Finding *f, Plan *plan) {
        return practice_is_on(f) ? plan_token(plan, f, &alpha_token) : 0;
}

static int beta_plan(_unused_ const View *view, _unused_ const void *facts, const Finding *f, Plan *plan) {
        return practice_is_on(f) ? plan_token(plan, f, &beta_token) : 0;
}

static const char *const enable_choices[] = {"auto", "yes", "no", NULL};
static const PolicyKey alpha_keys[] = {{"alpha", "enable", KEY_CHOICE, enable_choices, "whether it is wanted"}};
static const PolicyKey beta_keys[] = {{"beta", "enable", KEY_CHOICE, enable_choices, "whether it is wanted"}};

const Practice practice_alpha = {
        .name = "alpha", MADE_UP_TEXTS, .keys = {alpha_keys, 1}, .observe = alpha_observe, .plan = alpha_plan,
};

const Practice practice_beta = {
        .name = "beta", MADE_UP_TEXTS, .keys = {beta_keys, 1}, .observe = beta_observe, .plan = beta_plan,
};

/* Entries as systemd-boot counts their tries: two differ by the counter alone, and two have no tries left. */
#define ENTRIES "/efi/loader/entries/"

static const struct {
        const char *name, *later; /* how it is called after some boots */
        bool has_alpha;           /* before gtuned came */
} counted[] = {
        {ENTRIES "a+3.conf", ENTRIES "a+2-1.conf", false},
        {ENTRIES "a.conf", ENTRIES "a.conf", false},
        {ENTRIES "b+0-3.conf", ENTRIES "b.conf", false},
        {ENTRIES "c+0.conf", ENTRIES "c+0.conf", false},
        {ENTRIES "d+2-1.conf", ENTRIES "d.conf", true},
};

/* The kind "bless": another process counts the entries while gtuned is at work, and then a later step fails. */
static int bless_plan(_unused_ const View *view, const Change *wanted, _unused_ const LedgerSideChange *record,
                      SideChange *change, _unused_ char **ret_refusal) {
        change->value = strdup(wanted->value);
        return change->value && buffer_puts(&change->new, "counted\n") >= 0 ? 1 : -ENOMEM;
}

static int bless_commit(const View *view, _unused_ const SideChange *change, char **ret_error) {
        for (size_t i = 0; i < ELEMENTSOF(counted); i++) {
                _cleanup_close_ int fd = -EBADF;
                const char *name;

                assert_int_equal(root_open_parent(view->root, counted[i].name, false, &fd, &name), ROOT_OK);
                assert_int_equal(renameat(fd, name, fd, strrchr(counted[i].later, '/') + 1), 0);
        }

        *ret_error = strdup("a later step fails");
        return -EIO;
}

static int bless_observe(const View *view, const void *facts, Finding *f);

static int bless_ask(_unused_ const View *view, _unused_ const void *facts, const Finding *f, Plan *plan) {
        return practice_is_on(f) ? plan_of_side(plan, f, "bless", "entries", "counted") : 0;
}

static const PolicyKey bless_keys[] = {{"bless", "enable", KEY_CHOICE, enable_choices, "whether it is wanted"}};

static const Practice practice_bless = {
        .name = "bless", MADE_UP_TEXTS, .keys = {bless_keys, 1}, .observe = bless_observe, .plan = bless_ask,
};

static int bless_observe(const View *view, _unused_ const void *facts, Finding *f) {
        return token_observe(view, &practice_bless, f);
}

static int bless_verify(_unused_ const View *view, _unused_ const LedgerSideChange *record) {
        return 0;
}

static const ChangeKindRow kinds[] = {
        {.name = "bless", .plan = bless_plan, .commit = bless_commit, .verify = bless_verify},
};

static const Practice *const practices[] = {&practice_alpha, &practice_beta, &practice_bless, &made_up_note};

static const Side side = {
        .name = "thing",
        .practices = practices,
        .n_practices = ELEMENTSOF(practices),
        .policy_name = "made-up/policy.conf",
        .state_directory = "/var/lib/made-up",
        .run_directory = "/run/made-up",
        .apply_unit = "made-up-apply.service",
        .ledger_name = "things.json",
        .kinds = kinds,
        .n_kinds = ELEMENTSOF(kinds),
        .read_policy = side_read_policy_files,
};

static void make_tree(const Tree *t, const char *menu, const char *cmdline, const char *policy) {
        tree_file(t, "/gtuned-machine.json", "{\"schema\": 1, \"arch\": \"x86_64\", \"kernel\": \"1\"}");
        tree_file(t, "/proc/sys/kernel/random/boot_id", "this\n");
        tree_file(t, "/proc/cmdline", cmdline);
        tree_file(t, MENU, menu);
        tree_file(t, "/etc/made-up/policy.conf", policy);
}

/* The tree has no token of alpha or beta, or that of one. */
static void assert_menu(const Tree *t, const char *token) {
        _cleanup_buffer_ Buffer menu = BUFFER_NULL;

        assert_int_equal(root_read(t->root, MENU, 4096, &menu), 0);
        assert_int_equal(strstr(menu.data, " alpha=1") != NULL, streq_ptr(token, "alpha=1"));
        assert_int_equal(strstr(menu.data, " beta") != NULL, streq_ptr(token, "beta"));
}

/* Apply, and expect that these are left out: names with a blank behind each. */
static void apply_and_expect(const Tree *t, const char *left_out, int status, const char *reason) {
        _cleanup_(apply_done) Apply a = {.side = &side, .root = t->root, .lock_fd = -EBADF};
        _cleanup_free_ char *note = NULL;
        _cleanup_buffer_ Buffer names = BUFFER_NULL;
        _cleanup_json_ json_object *o = NULL;

        assert_int_equal(apply_begin(&a, &note), 0);
        assert_int_equal(apply_survey(&a), 0);
        assert_int_equal(apply_resolve(&a), 0);
        assert_null(a.t->refusal);
        for (size_t i = 0; i < a.t->n_left_out; i++) {
                const LeftOut *l = a.t->left_out + i;

                assert_int_equal(buffer_printf(&names, "%s ", l->observation->practice->name), 0);
                assert_non_null(strstr(l->reason, reason));
        }
        assert_string_equal(strempty(names.data), left_out);
        assert_int_equal(transaction_left_out_status(a.t), status);

        assert_int_equal(transaction_to_json(a.t, &o), 0);
        assert_int_equal(json_get_array(o, "left_out") ? json_object_array_length(json_get_array(o, "left_out")) : 0,
                         a.t->n_left_out);

        assert_int_equal(apply_commit(&a, "applied"), 0);
        assert_true(root_exists(t->root, MADE_UP_NOTE));
}

/* A menu that cannot be read stops all tokens, and nothing else. */
static void test_fatal_problem(void **state) {
        make_tree(*state, "menuentry 'a' {\n\tlinux /vmlinuz-1 root=/dev/vda1 ro\n", "ro\n", EVERYTHING);
        apply_and_expect(*state, "alpha beta ", STATUS_UNMET, MENU);
        assert_menu(*state, NULL);
}

/* Whose tokens this boot has needs no boot store. */
static void test_done_elsewhere(void **state) {
        make_tree(*state, "", "ro beta\n", EVERYTHING);
        tree_file(*state, "/run/ostree-booted", "");
        apply_and_expect(*state, "alpha ", STATUS_UNMET, "rpm-ostree kargs");
        assert_menu(*state, NULL);
}

/* A line without room for one token stops both, because it is not known which of them is to go. No state tells it. */
static void test_too_long(void **state) {
        _cleanup_buffer_ Buffer menu = BUFFER_NULL;

        assert_int_equal(buffer_printf(&menu, "menuentry 'a' {\n\tlinux /vmlinuz-1 root=/dev/vda1 x=%02000d\n}\n", 0),
                         0);
        make_tree(*state, menu.data, "ro\n", EVERYTHING);
        apply_and_expect(*state, "alpha beta ", STATUS_ERROR, "the kernel takes 2047");
        assert_menu(*state, NULL);
}

/* Nothing is left out. */
static void test_nothing(void **state) {
        make_tree(*state, MENU_TEXT, "ro\n", "[alpha]\nenable = yes\n[note]\ntext = /remember\n");
        apply_and_expect(*state, "", STATUS_OK, "");
        assert_menu(*state, "alpha=1");
}

static const char record_out_of_reach[] =
        "{\"schema\": 1, \"tokens\": [{\"practice\": \"beta\", \"store\": \"grub-cfg\", "
        "\"path\": \"/mnt/gone/grub.cfg\", \"token\": \"beta\", \"boot_id\": \"earlier\"}], \"files\": [], \"attributes\": [], \"holds\": [],"
        " \"intents\": []}\n";

static bool has_record(const Tree *t, const char *path, const char *token) {
        _cleanup_(ledger_freep) Ledger *ledger = NULL;

        assert_int_equal(ledger_read(t->root, MADE_UP_LEDGER, &ledger), 0);
        return ledger_token(ledger, path, token) != NULL;
}

/* A file that is not mounted stops only the practice whose token is in it, and its record stays. */
static void test_record_out_of_reach(void **state) {
        make_tree(*state, MENU_TEXT, "ro\n", "[alpha]\nenable = yes\n[beta]\nenable = no\n[note]\ntext = /remember\n");
        tree_file(*state, MADE_UP_LEDGER, record_out_of_reach);
        apply_and_expect(*state, "beta ", STATUS_ERROR, "/mnt/gone/grub.cfg, where gtuned added beta, is not there");
        assert_menu(*state, "alpha=1");
        assert_true(has_record(*state, "/mnt/gone/grub.cfg", "beta"));
        assert_true(has_record(*state, MENU, "alpha=1"));
}

static int revert(const Tree *t, PracticeSet set) {
        _cleanup_(apply_done) Apply a = {.side = &side, .root = t->root, .lock_fd = -EBADF};
        _cleanup_free_ char *note = NULL;

        assert_int_equal(apply_begin(&a, &note), 0);
        assert_int_equal(apply_survey(&a), 0);
        assert_int_equal(apply_resolve_revert(&a, set), 0);
        return apply_commit(&a, "reverted");
}

/* A revert is done as a whole or not at all; one that names only who can be reverted is done. */
static void test_revert(void **state) {
        test_record_out_of_reach(state);
        assert_int_equal(revert(*state, PRACTICE_SET_ALL), -EINVAL);
        assert_menu(*state, "alpha=1");
        assert_true(has_record(*state, "/mnt/gone/grub.cfg", "beta"));

        assert_int_equal(revert(*state, (PracticeSet) {1}), 0);
        assert_menu(*state, NULL);
        assert_true(has_record(*state, "/mnt/gone/grub.cfg", "beta"));
}

static char *counted_text(size_t i, bool with_alpha) {
        char *text = xasprintf("title %zu\nlinux /vmlinuz-%zu\noptions root=/dev/vda1 ro%s\n", i, i,
                               with_alpha ? " alpha=1" : "");

        assert_non_null(text);
        return text;
}

static void make_counted(const Tree *t) {
        make_tree(t, "", "ro\n", "[alpha]\nenable = yes\n[note]\ntext = /remember\n");
        tree_file(t, "/efi/EFI/systemd/systemd-bootx64.efi", "");
        for (size_t i = 0; i < ELEMENTSOF(counted); i++) {
                _cleanup_free_ char *text = counted_text(i, counted[i].has_alpha);

                tree_file(t, counted[i].name, text);
        }
}

static void assert_counted(const Tree *t, bool later, bool applied) {
        _cleanup_(strv_freep) char **names = NULL;

        for (size_t i = 0; i < ELEMENTSOF(counted); i++) {
                _cleanup_free_ char *text = counted_text(i, counted[i].has_alpha || applied);
                _cleanup_buffer_ Buffer is = BUFFER_NULL;

                assert_int_equal(root_read(t->root, later ? counted[i].later : counted[i].name, 4096, &is), 0);
                assert_string_equal(is.data, text);
        }

        assert_int_equal(root_list(t->root, "/efi/loader/entries", &names), ELEMENTSOF(counted));
}

static void count_boots(const Tree *t) {
        for (size_t i = 0; i < ELEMENTSOF(counted); i++) {
                _cleanup_free_ char *from = tree_path(t, counted[i].name), *to = tree_path(t, counted[i].later);

                assert_int_equal(rename(from, to), 0);
        }
}

static void test_counted(void **state) {
        make_counted(*state);
        apply_and_expect(*state, "", STATUS_OK, "");
        assert_counted(*state, /* later= */ false, /* applied= */ true);

        count_boots(*state);
        apply_and_expect(*state, "", STATUS_OK, "");
        assert_counted(*state, /* later= */ true, /* applied= */ true);

        assert_int_equal(revert(*state, PRACTICE_SET_ALL), 0);
        assert_counted(*state, /* later= */ true, /* applied= */ false);
}

static void make_apply(const Tree *t, Apply *a) {
        _cleanup_free_ char *note = NULL;

        *a = (Apply) {.side = &side, .root = t->root, .lock_fd = -EBADF};
        assert_int_equal(apply_begin(a, &note), 0);
        assert_int_equal(apply_survey(a), 0);
        assert_int_equal(apply_resolve(a), 0);
}

/* An entry that is renamed between the look and the write does not come back beside the renamed one. */
static void test_counted_meanwhile(void **state) {
        _cleanup_(apply_done) Apply a = APPLY_NULL;

        make_counted(*state);
        make_apply(*state, &a);
        count_boots(*state);
        assert_int_equal(apply_commit(&a, "applied"), -ESTALE);
        assert_non_null(strstr(a.error, ENTRIES));
        assert_counted(*state, /* later= */ true, /* applied= */ false);
}

/* Nor does one that is renamed after the write, when a later step fails and all is put back. */
static void test_counted_before_undo(void **state) {
        _cleanup_(apply_done) Apply a = APPLY_NULL;
        _cleanup_(strv_freep) char **names = NULL;
        _cleanup_free_ char *note = NULL;

        make_counted(*state);
        tree_file(*state, "/etc/made-up/policy.conf", "[alpha]\nenable = yes\n[bless]\nenable = yes\n");
        make_apply(*state, &a);
        assert_int_equal(apply_commit(&a, "applied"), -EIO);
        assert_int_equal(root_list(((Tree *) *state)->root, "/efi/loader/entries", &names), ELEMENTSOF(counted));

        /* The next run knows the renamed entries, so that revert takes the token out of them. */
        apply_done(&a);
        a = (Apply) {.side = &side, .root = ((Tree *) *state)->root, .lock_fd = -EBADF};
        tree_file(*state, "/etc/made-up/policy.conf", "[alpha]\nenable = yes\n[note]\ntext = /remember\n");
        assert_int_equal(apply_begin(&a, &note), 0);
        assert_non_null(note);
        assert_null(strstr(note, "is left alone"));
        apply_done(&a);
        apply_and_expect(*state, "", STATUS_OK, "");
        assert_counted(*state, /* later= */ true, /* applied= */ true);
        assert_int_equal(revert(*state, PRACTICE_SET_ALL), 0);
        assert_counted(*state, /* later= */ true, /* applied= */ false);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, tree_setup, tree_teardown)

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(test_fatal_problem),
                TEST(test_done_elsewhere),
                TEST(test_too_long),
                TEST(test_nothing),
                TEST(test_record_out_of_reach),
                TEST(test_revert),
                TEST(test_counted),
                TEST(test_counted_meanwhile),
                TEST(test_counted_before_undo),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
