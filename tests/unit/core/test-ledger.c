/* SPDX-License-Identifier: Apache-2.0 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/ledger.h"
#include "tests/unit/tree.h"

#define LEDGER_PATH "/var/lib/gtuned/ledger.json"

#define LISTS "\"tokens\": [], \"files\": [], \"attributes\": [], \"holds\": [], \"intents\": []"

/* Texts of a ledger, and its status. */
static const struct {
        const char *text;
        LedgerStatus status;
} cases[] = {
        {"{\"schema\": 1, " LISTS "}", LEDGER_OK},
        {"{\"schema\": 1, " LISTS ", \"a newer field\": 1}", LEDGER_OK},
        {"{\"schema\": 1, " LISTS ", \"next\": {\"schema\": 1, " LISTS "}}", LEDGER_OK},
        {"", LEDGER_INVALID},
        {"{", LEDGER_INVALID},
        {"no JSON", LEDGER_INVALID},
        {"null", LEDGER_INVALID},
        {"[]", LEDGER_INVALID},
        {"{}", LEDGER_INVALID},
        {"{" LISTS "}", LEDGER_INVALID},
        {"{\"schema\": 2, " LISTS "}", LEDGER_INVALID},
        {"{\"schema\": 1, \"tokens\": {}}", LEDGER_INVALID},
        {"{\"schema\": 1, \"tokens\": []}", LEDGER_INVALID},
        {"{\"schema\": 1, " LISTS "} trailing", LEDGER_INVALID},
        {"{\"schema\": 1, " LISTS ", \"next\": []}", LEDGER_INVALID},
        {"{\"schema\": 1, \"tokens\": [1], \"files\": [], \"attributes\": [], \"holds\": [], \"intents\": []}",
         LEDGER_INVALID},
        {"{\"schema\": 1, \"tokens\": [{\"practice\": \"x\"}], \"files\": [], \"attributes\": [], \"holds\": [], "
         "\"intents\": []}",
         LEDGER_INVALID},
        {"{\"schema\": 1, \"tokens\": [], \"files\": [], \"attributes\": [], \"holds\": [{\"practice\": \"x\", "
         "\"policy\": 1}], \"intents\": []}",
         LEDGER_INVALID},
};

static Ledger *read_ledger(const Tree *t) {
        Ledger *ledger;

        assert_int_equal(ledger_read(t->root, LEDGER_PATH, &ledger), 0);
        return ledger;
}

static void test_status(void **state) {
        const Tree *t = *state;

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(ledger_freep) Ledger *ledger = NULL;

                tree_file(t, LEDGER_PATH, cases[i].text);
                ledger = read_ledger(t);
                if (ledger->status != cases[i].status)
                        fail_msg("%s: %d", cases[i].text, ledger->status);
        }
}

static void test_no_file(void **state) {
        _cleanup_(ledger_freep) Ledger *absent = NULL, *directory = NULL;
        _cleanup_free_ char *path = NULL;
        const Tree *t = *state;

        absent = read_ledger(t);
        assert_int_equal(absent->status, LEDGER_ABSENT);

        path = tree_path(t, LEDGER_PATH);
        assert_int_equal(mkdir(path, 0755), 0);
        directory = read_ledger(t);
        assert_int_equal(directory->status, LEDGER_INVALID);
}

static void fill(char **p, const char *text) {
        assert_int_equal(free_and_strdup(p, text), 0);
}

static Ledger *make_ledger(void) {
        static const char *const keep[] = {"one | /vmlinuz", "\xFF \"two\"", NULL};
        LedgerAttribute *attribute;
        LedgerToken *token;
        LedgerFile *file;
        LedgerHold *hold;
        Ledger *ledger;

        assert_int_equal(ledger_new(&ledger, LEDGER_PATH), 0);

        token = ledger_add_token(ledger);
        fill(&token->practice, "haltpoll");
        fill(&token->store, "grub-cfg");
        fill(&token->path, "/boot/grub2/grub.cfg");
        fill(&token->token, "a=b");
        fill(&token->boot_id, "this");
        token->keep = calloc(3, sizeof(char *));
        for (size_t i = 0; keep[i]; i++)
                fill(token->keep + i, keep[i]);

        file = ledger_add_file(ledger);
        fill(&file->practice, "haltpoll");
        fill(&file->path, "/etc/x");
        fill(&file->sha256, "00");

        for (unsigned i = 0; i < 2; i++) {
                attribute = ledger_add_attribute(ledger);
                fill(&attribute->practice, "haltpoll");
                fill(&attribute->path, "/sys/x");
                fill(&attribute->old, "1");
                fill(&attribute->new, i == 0 ? "2" : "3");
                fill(&attribute->boot_id, i == 0 ? "earlier" : "this");
        }

        hold = ledger_add_hold(ledger);
        fill(&hold->practice, "pvspin");
        fill(&hold->policy, "vcpu=auto");
        return ledger;
}

static void test_round_trip(void **state) {
        _cleanup_(ledger_freep) Ledger *made = make_ledger(), *read = NULL;
        _cleanup_free_ char *path = NULL;
        const Tree *t = *state;
        struct stat st;

        assert_int_equal(ledger_write(t->root, made), 0);
        read = read_ledger(t);
        assert_int_equal(read->status, LEDGER_OK);
        assert_null(read->next);
        assert_int_equal(read->n_tokens, 1);
        assert_string_equal(read->tokens->token, "a=b");
        assert_string_equal(read->tokens->boot_id, "this");
        assert_string_equal(read->tokens->keep[0], "one | /vmlinuz");
        assert_null(read->tokens->keep[2]);
        assert_null(read->files->boot_id);
        assert_string_equal(read->holds->policy, "vcpu=auto");

        path = tree_path(t, LEDGER_PATH);
        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(st.st_mode & 07777, 0644);
        assert_int_equal(tree_count(t, "/var/lib/gtuned"), 1);
}

/* The records of attributes belong to one boot. */
static void test_lookup(_unused_ void **state) {
        _cleanup_(ledger_freep) Ledger *l = make_ledger();

        assert_non_null(ledger_token(l, "/boot/grub2/grub.cfg", "a=b"));
        assert_null(ledger_token(l, "/boot/grub2/grub.cfg", "a"));
        assert_null(ledger_token(l, "/boot/grub/grub.cfg", "a=b"));
        assert_non_null(ledger_file(l, "/etc/x"));
        assert_null(ledger_file(l, "/etc"));
        assert_string_equal(ledger_attribute(l, "/sys/x", "earlier")->new, "2");
        assert_string_equal(ledger_attribute(l, "/sys/x", "this")->new, "3");
        assert_null(ledger_attribute(l, "/sys/x", "later"));
        assert_null(ledger_attribute(l, "/sys/x", NULL));
        assert_non_null(ledger_hold(l, "pvspin", NULL));
        assert_null(ledger_hold(l, "haltpoll", NULL));
}

static void test_drop(_unused_ void **state) {
        _cleanup_(ledger_freep) Ledger *l = make_ledger();

        ledger_drop_attribute(l, l->attributes);
        assert_int_equal(l->n_attributes, 1);
        assert_string_equal(l->attributes->new, "3");
        ledger_drop_attribute(l, l->attributes);
        ledger_drop_token(l, l->tokens);
        ledger_drop_file(l, l->files);
        ledger_drop_hold(l, "haltpoll", NULL);
        assert_int_equal(l->n_holds, 1);
        ledger_drop_hold(l, "pvspin", NULL);
        assert_int_equal(l->n_attributes + l->n_tokens + l->n_files + l->n_holds, 0);
        assert_non_null(ledger_add_token(l));
        assert_null(l->tokens->path);
}

/* Between the intent and the end of a transaction there are two ledgers in one file. */
static void test_intent(void **state) {
        _cleanup_(ledger_freep) Ledger *made = make_ledger(), *read = NULL, *copy = NULL;
        const Tree *t = *state;
        LedgerIntent *intent = ledger_add_intent(made);

        fill(&intent->path, "/etc/x");
        fill(&intent->new, "11");
        assert_int_equal(ledger_new(&made->next, LEDGER_PATH), 0);
        assert_int_equal(ledger_write(t->root, made), 0);

        read = read_ledger(t);
        assert_int_equal(read->n_intents, 1);
        assert_null(read->intents->old);
        assert_string_equal(read->intents->new, "11");
        assert_non_null(read->next);
        assert_int_equal(read->n_tokens, 1);
        assert_int_equal(read->next->n_tokens, 0);

        assert_int_equal(ledger_copy(read, &copy), 0);
        assert_int_equal(copy->n_intents, 0);
        assert_null(copy->next);
        assert_int_equal(copy->n_tokens, 1);
}

/* Names can be appended to those of a copy, however many there are. */
static void test_copy_names(_unused_ void **state) {
        for (size_t n = 0; n < 10; n++) {
                _cleanup_(ledger_freep) Ledger *ledger = NULL, *copy = NULL;
                LedgerToken *token;
                size_t k = 0;

                assert_int_equal(ledger_new(&ledger, "/ledger.json"), 0);
                token = ledger_add_token(ledger);
                assert_non_null(token);
                token->added = calloc(1, sizeof(char *));
                while (k < n)
                        assert_int_equal(strv_take(&token->added, &k, strdup("a")), 0);

                assert_int_equal(ledger_copy(ledger, &copy), 0);
                assert_non_null(copy->tokens->added);
                while (k < n + 5)
                        assert_int_equal(strv_take(&copy->tokens->added, &k, strdup("b")), 0);
                for (size_t i = 0; i < k; i++)
                        assert_string_equal(copy->tokens->added[i], i < n ? "a" : "b");
                assert_null(copy->tokens->added[k]);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_status, tree_setup, tree_teardown),
                cmocka_unit_test_setup_teardown(test_no_file, tree_setup, tree_teardown),
                cmocka_unit_test_setup_teardown(test_round_trip, tree_setup, tree_teardown),
                cmocka_unit_test(test_lookup),
                cmocka_unit_test(test_drop),
                cmocka_unit_test(test_copy_names),
                cmocka_unit_test_setup_teardown(test_intent, tree_setup, tree_teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
