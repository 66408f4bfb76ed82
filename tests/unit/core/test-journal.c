/* SPDX-License-Identifier: Apache-2.0 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/stat.h>
#include <syslog.h>

#include "core/journal.h"

static void test_ids(_unused_ void **state) {
        for (JournalMessage i = 0; i < _JOURNAL_MESSAGE_MAX; i++) {
                assert_int_equal(strspn(journal_message_id(i), "0123456789abcdef"), 32);
                assert_int_equal(strlen(journal_message_id(i)), 32);
                assert_true(journal_message_priority(i) >= LOG_ERR && journal_message_priority(i) <= LOG_NOTICE);
                for (JournalMessage j = 0; j < i; j++)
                        assert_string_not_equal(journal_message_id(i), journal_message_id(j));
        }
}

/* The variable must name the device and inode of standard error. */
static void test_stream(_unused_ void **state) {
        char own[64], other[64];
        struct stat st;

        assert_int_equal(fstat(STDERR_FILENO, &st), 0);
        (void) snprintf(own, sizeof(own), "%ju:%ju", (uintmax_t) st.st_dev, (uintmax_t) st.st_ino);
        (void) snprintf(other, sizeof(other), "%ju:%ju", (uintmax_t) st.st_dev, (uintmax_t) st.st_ino + 1);

        assert_int_equal(unsetenv("JOURNAL_STREAM"), 0);
        assert_false(journal_takes_stderr());
        assert_int_equal(setenv("JOURNAL_STREAM", other, 1), 0);
        assert_false(journal_takes_stderr());
        assert_int_equal(setenv("JOURNAL_STREAM", own, 1), 0);
        assert_true(journal_takes_stderr());
        assert_int_equal(unsetenv("JOURNAL_STREAM"), 0);
}

/* Text of the host or of a tree can hold any byte, and must not reach a terminal without escapes. */
static void test_printable(_unused_ void **state) {
        _cleanup_journal_ JournalEntry entry = JOURNAL_ENTRY(JOURNAL_REFUSED);

        assert_int_equal(journal_field(&entry, "GTUNED_FILE", "/boot/\x1b[2J\xff"), 0);
        assert_string_equal(entry.fields[0], "GTUNED_FILE=/boot/\\x1b[2J\\xff");
        assert_int_equal(journal_field(&entry, "GTUNED_FILE", ""), 0);
        assert_string_equal(entry.fields[1], "GTUNED_FILE=");
}

/* Fields that do not fit are left out, and NULL adds no field. */
static void test_fields(_unused_ void **state) {
        _cleanup_journal_ JournalEntry entry = JOURNAL_ENTRY(JOURNAL_DRIFTED);

        assert_int_equal(journal_field(&entry, "PRACTICE", NULL), 0);
        assert_int_equal(entry.n_fields, 0);
        assert_int_equal(journal_field(&entry, "PRACTICE", "haltpoll"), 0);
        assert_string_equal(entry.fields[0], "PRACTICE=haltpoll");

        for (unsigned i = 0; i < 1000; i++)
                assert_int_equal(journal_field(&entry, "GTUNED_FILE", "/boot/x"), 0);
        assert_true(entry.n_fields >= 10 && entry.n_fields <= 100);

        journal_entry_done(&entry);
        assert_int_equal(entry.n_fields, 0);
        assert_int_equal(entry.id, JOURNAL_DRIFTED);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_ids),
                cmocka_unit_test(test_stream),
                cmocka_unit_test(test_printable),
                cmocka_unit_test(test_fields),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
