/* SPDX-License-Identifier: Apache-2.0 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/tree.h"
#include "tpm/logs.h"
#include "tpm/sysfs.h"

#define SHA256 (1U << ALGORITHM_SHA256)
#define SHA1 (1U << ALGORITHM_SHA1)

static void put_pcr(const Tree *t, const char *bank, unsigned pcr, const char *text) {
        _cleanup_free_ char *path = xasprintf(TPM_SYSFS "/pcr-%s/%u", bank, pcr);

        tree_file(t, path, text);
}

/* Every digit of a value is the last of its number. */
static void put_bank(const Tree *t, Algorithm bank) {
        for (unsigned pcr = 0; pcr < PCR_COUNT; pcr++) {
                char text[2 * DIGEST_SIZE_MAX + 2] = {};

                memset(text, "0123456789ABCDEF"[pcr % 16], 2 * algorithm_size(bank));
                strcat(text, "\n");
                put_pcr(t, algorithm_to_string(bank), pcr, text);
        }
}

static const struct {
        const char *files[2], *texts[2];
        TpmPresence presence;
} presence_cases[] = {
        {{NULL}, {NULL}, TPM_ABSENT},
        {{"/sys/class/misc/tpm0/dev"}, {"10:224\n"}, TPM_ABSENT},
        {{"/sys/firmware/acpi/tables/TPM2"}, {"TPM2"}, TPM_NO_DRIVER},
        {{"/sys/firmware/acpi/tables/DSDT"}, {"DSDT"}, TPM_ABSENT},
        {{TPM_SYSFS "/tpm_version_major"}, {"2\n"}, TPM_20},
        {{TPM_SYSFS "/tpm_version_major"}, {"1\n"}, TPM_12},
        {{TPM_SYSFS "/dev"}, {"10:224\n"}, TPM_20},
        {{TPM_SYSFS "/pcrs"}, {"PCR-00: 00\n"}, TPM_12},
        {{TPM_SYSFS "/device/pcrs"}, {"PCR-00: 00\n"}, TPM_12},
        {{TPM_SYSFS "/tpm_version_major", TPM_SYSFS "/pcrs"}, {"2\n", ""}, TPM_20},
};

static void test_presence(_unused_ void **state) {
        for (size_t i = 0; i < ELEMENTSOF(presence_cases); i++) {
                void *tree;

                tree_setup(&tree);
                for (size_t k = 0; k < 2 && presence_cases[i].files[k]; k++)
                        tree_file(tree, presence_cases[i].files[k], presence_cases[i].texts[k]);

                if (sysfs_tpm_presence(((Tree *) tree)->root) != presence_cases[i].presence)
                        fail_msg("case %zu", i);
                assert_false(sysfs_has_pcrs(((Tree *) tree)->root));
                tree_teardown(&tree);
        }
}

static void test_read(void **state) {
        const Tree *t = *state;
        _cleanup_fault_ Fault fault = {};
        Pcrs pcrs;

        for (Algorithm bank = 0; bank < _ALGORITHM_MAX; bank++)
                if (bank != ALGORITHM_SHA384)
                        put_bank(t, bank);

        assert_true(sysfs_has_pcrs(t->root));
        assert_int_equal(sysfs_read_pcrs(t->root, BANKS_ALL, &pcrs, &fault), 0);
        for (Algorithm bank = 0; bank < _ALGORITHM_MAX; bank++) {
                assert_int_equal(pcrs.banks[bank].present, bank == ALGORITHM_SHA384 ? 0 : PCR_ALL);
                assert_int_equal(pcrs.banks[bank].digests[10][algorithm_size(bank) - 1],
                                 bank == ALGORITHM_SHA384 ? 0 : 0xAA);
        }

        assert_int_equal(sysfs_read_pcrs(t->root, SHA256, &pcrs, &fault), 0);
        assert_true(pcrs_bank_exists(&pcrs, ALGORITHM_SHA256));
        assert_false(pcrs_bank_exists(&pcrs, ALGORITHM_SHA1));
}

/* The class directory has a symbolic link to the device. */
static void test_links(void **state) {
        const Tree *t = *state;
        _cleanup_fault_ Fault fault = {};
        Pcrs pcrs;

        tree_file(t, "/sys/devices/platform/MSFT0101:00/tpm/tpm0/pcr-sha1/3",
                  "00112233445566778899AABBCCDDEEFF00112233\n");
        tree_file(t, "/sys/class/tpm/.keep", "");
        tree_link(t, TPM_SYSFS, "../../devices/platform/MSFT0101:00/tpm/tpm0");

        assert_int_equal(sysfs_tpm_presence(t->root), TPM_20);
        assert_int_equal(sysfs_read_pcrs(t->root, BANKS_ALL, &pcrs, &fault), 0);
        assert_int_equal(pcrs.banks[ALGORITHM_SHA1].present, 1U << 3);
}

static void test_bad_values(void **state) {
        static const char digits[] = "0000000000000000000000000000000000000000000000000000000000000000";
        static const struct {
                const char *text;
                size_t n; /* so many of the digits come before it */
        } cases[] = {{"", 0}, {"\n", 0}, {"\n", 62}, {"00\n", 64}, {"0\n", 62}, {"g0\n", 62}, {"0\n0\n", 62}};
        const Tree *t = *state;

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_fault_ Fault fault = {};
                char text[128];
                Pcrs pcrs;

                (void) snprintf(text, sizeof(text), "%.*s%s", (int) cases[i].n, digits, cases[i].text);
                put_bank(t, ALGORITHM_SHA256);
                put_pcr(t, "sha256", 23, text);

                assert_int_equal(sysfs_read_pcrs(t->root, SHA256, &pcrs, &fault), FAULT);
                if (fault.class != FAULT_BAD_ANSWER || !strstr(fault.desc, TPM_SYSFS "/pcr-sha256/23"))
                        fail_msg("case %zu: %s", i, fault.desc);

                assert_int_equal(sysfs_read_pcrs(t->root, SHA1, &pcrs, &fault), 0);
        }
}

static void test_no_file(void **state) {
        const Tree *t = *state;
        _cleanup_fault_ Fault fault = {};
        Pcrs pcrs;

        tree_file(t, TPM_SYSFS "/pcr-sha256/0/file", "");
        assert_int_equal(sysfs_read_pcrs(t->root, SHA256, &pcrs, &fault), FAULT);
        assert_int_equal(fault.class, FAULT_TPM_ERROR);
}

static void test_no_logs(void **state) {
        _cleanup_logs_ Logs logs = {};

        assert_int_equal(logs_read(((Tree *) *state)->root, &logs), 0);
        assert_null(logs.firmware);
        assert_null(logs.userspace);
        assert_null(logs.fault.desc);
}

static void test_large_logs(void **state) {
        const Tree *t = *state;
        _cleanup_free_ char *path = tree_path(t, FIRMWARE_LOG_PATH);
        _cleanup_logs_ Logs logs = {};

        tree_file(t, USERSPACE_LOG_PATH, "");
        tree_file(t, FIRMWARE_LOG_PATH, "");
        assert_int_equal(truncate(path, 100 * 1024 * 1024), 0);

        assert_int_equal(logs_read(t->root, &logs), 0);
        assert_int_equal(logs.firmware->status, EVENT_LOG_UNREADABLE);
        assert_int_equal(logs.fault.class, FAULT_BAD_LOG);
        assert_non_null(strstr(logs.fault.desc, "larger than 4 MiB"));
        assert_int_equal(logs.userspace->status, EVENT_LOG_EMPTY);
}

static void test_directory_for_log(void **state) {
        const Tree *t = *state;
        _cleanup_logs_ Logs logs = {};

        tree_file(t, FIRMWARE_LOG_PATH "/file", "");
        assert_int_equal(logs_read(t->root, &logs), 0);
        assert_int_equal(logs.firmware->status, EVENT_LOG_UNREADABLE);
        assert_int_equal(logs.fault.class, FAULT_BAD_LOG);
}

/* Records of the old layout: PCR 8, EV_IPL, a digest, and a text. */
static void put_log(const Tree *t, size_t n) {
        static const uint8_t record[36] = {8, 0, 0, 0, 13, 0, 0, 0, [28] = 4, [32] = 'a', 'b', 'c', 'd'};
        _cleanup_buffer_ Buffer b = BUFFER_NULL;

        for (size_t i = 0; i < n; i++)
                assert_int_equal(buffer_append(&b, record, sizeof(record)), 0);
        tree_bytes(t, FIRMWARE_LOG_PATH, b.data, b.size, 0440);
}

static int64_t number_of(json_object *o, const char *key) {
        json_object *value;

        assert_true(json_object_object_get_ex(o, key, &value));
        return value ? json_object_get_int64(value) : -1;
}

static void test_pages(void **state) {
        const Tree *t = *state;
        _cleanup_logs_ Logs logs = {};
        int64_t next = 0, total = 5000, seen = 0;

        put_log(t, (size_t) total);
        assert_int_equal(logs_read(t->root, &logs), 0);

        while (next >= 0) {
                _cleanup_json_ json_object *page = NULL;
                _cleanup_buffer_ Buffer text = BUFFER_NULL;
                json_object *events;

                assert_int_equal(logs_page(&logs, (uint32_t) next, UINT32_MAX, &page), 0);
                assert_int_equal(json_format(page, &text), 0);
                assert_true(text.size < 200 * 1024);

                events = json_get_array(page, "events");
                assert_int_equal(number_of(page, "offset"), next);
                assert_int_equal(number_of(page, "total"), total);
                for (size_t i = 0; i < json_object_array_length(events); i++)
                        assert_int_equal(number_of(json_object_array_get_idx(events, i), "number"), seen++);
                next = number_of(page, "next");
                assert_true(next == seen || next == -1);
        }
        assert_int_equal(seen, total);
}

static void test_page_limits(void **state) {
        static const struct {
                uint32_t offset, limit;
                size_t n;
                int64_t next;
        } cases[] = {
                {0, 3, 3, 3}, {3, 3, 3, 6}, {8, 3, 2, -1}, {10, 3, 0, -1}, {UINT32_MAX, 1, 0, -1}, {0, 10, 10, -1},
                {9, UINT32_MAX, 1, -1},
        };
        const Tree *t = *state;
        _cleanup_logs_ Logs logs = {};

        put_log(t, 10);
        assert_int_equal(logs_read(t->root, &logs), 0);
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_json_ json_object *page = NULL;

                assert_int_equal(logs_page(&logs, cases[i].offset, cases[i].limit, &page), 0);
                assert_int_equal(json_object_array_length(json_get_array(page, "events")), cases[i].n);
                assert_int_equal(number_of(page, "next"), cases[i].next);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_presence),
                cmocka_unit_test_setup_teardown(test_read, tree_setup, tree_teardown),
                cmocka_unit_test_setup_teardown(test_links, tree_setup, tree_teardown),
                cmocka_unit_test_setup_teardown(test_bad_values, tree_setup, tree_teardown),
                cmocka_unit_test_setup_teardown(test_no_file, tree_setup, tree_teardown),
                cmocka_unit_test_setup_teardown(test_no_logs, tree_setup, tree_teardown),
                cmocka_unit_test_setup_teardown(test_large_logs, tree_setup, tree_teardown),
                cmocka_unit_test_setup_teardown(test_directory_for_log, tree_setup, tree_teardown),
                cmocka_unit_test_setup_teardown(test_pages, tree_setup, tree_teardown),
                cmocka_unit_test_setup_teardown(test_page_limits, tree_setup, tree_teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
