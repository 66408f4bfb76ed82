/* SPDX-License-Identifier: Apache-2.0 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/file.h>
#include <time.h>

#include <cmocka.h>

#include "host/base64.h"
#include "host/directory.h"
#include "host/known-keys.h"
#include "host/quote-answer.h"
#include "host/tpm-options.h"
#include "tests/unit/tree.h"

#define KEY "000b00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static int open_keys(const Tree *t) {
        _cleanup_free_ char *path = tree_path(t, "/keys/x");
        int fd;

        path[strlen(path) - 2] = 0;
        assert_int_equal(directory_open(path, &fd), 0);
        return fd;
}

static KnownKey sample(void) {
        KnownKey key = {
                .counted = true,
                .reset_count = UINT32_MAX,
                .restart_count = 3,
                .clocked = true,
                .clock = UINT64_MAX,
        };

        assert_int_equal(hex_decode(KEY, sizeof(key.name), key.name), 0);
        strcpy(key.first_seen, "2026-11-22T09:28:00Z");
        strcpy(key.last_seen, "2026-11-23T09:28:00Z");
        return key;
}

static void test_names(void **state _unused_) {
        static const struct {
                const char *name;
                bool valid;
        } cases[] = {
                {"a", true},   {"guest-1.example_COM", true}, {"-", true},   {"_", true},    {"a..", true},
                {"", false},   {".", false},                  {"..", false}, {".a", false},  {"a/b", false},
                {"/", false},  {"a b", false},                {"a\n", false}, {"a\\", false}, {"\xc3\xa9", false},
                {"a%s", false},
        };
        char longest[KNOWN_KEY_NAME_MAX + 2] = {};

        for (size_t i = 0; i < ELEMENTSOF(cases); i++)
                assert_int_equal(known_key_name_valid(cases[i].name), cases[i].valid);

        memset(longest, 'x', KNOWN_KEY_NAME_MAX);
        assert_true(known_key_name_valid(longest));
        longest[KNOWN_KEY_NAME_MAX] = 'x';
        assert_false(known_key_name_valid(longest));
}

static void test_store(void **state) {
        _cleanup_close_ int fd = open_keys(*state);
        KnownKey key = sample(), again;
        struct stat st;

        assert_int_equal(known_key_load(fd, "g", &again), -ENOENT);
        assert_int_equal(known_key_store(fd, "g", &key), 0);
        assert_int_equal(known_key_load(fd, "g", &again), 0);
        assert_memory_equal(&key, &again, sizeof(key));
        assert_int_equal(fstatat(fd, "g.json", &st, AT_SYMLINK_NOFOLLOW), 0);
        assert_int_equal(st.st_mode & 07777, 0600);
        assert_tree_file(*state, "/keys/g.json",
                         "{\n  \"schema\": 1,\n  \"key\": \"" KEY "\",\n  \"reset_count\": 4294967295,\n"
                         "  \"restart_count\": 3,\n  \"clock\": 18446744073709551615,\n"
                         "  \"first_seen\": \"2026-11-22T09:28:00Z\",\n"
                         "  \"last_seen\": \"2026-11-23T09:28:00Z\"\n}\n");

        key.clocked = false;
        assert_int_equal(known_key_store(fd, "g", &key), 0);
        assert_int_equal(known_key_load(fd, "g", &again), 0);
        assert_true(again.counted);
        assert_false(again.clocked);

        key.counted = false;
        assert_int_equal(known_key_store(fd, "g", &key), 0);
        assert_int_equal(known_key_load(fd, "g", &again), 0);
        assert_false(again.counted);
        assert_int_equal(tree_count(*state, "/keys"), 1);
}

#define KEY_2 "000b00112233445566778899aabbccddeeff00112233445566778899aabbccddee00"

static void test_find(void **state) {
        _cleanup_close_ int fd = open_keys(*state);
        KnownKey key = sample(), other = sample();
        char name[KNOWN_KEY_NAME_MAX + 1];

        assert_int_equal(hex_decode(KEY_2, sizeof(other.name), other.name), 0);
        assert_int_equal(known_keys_find(fd, "a", key.name, name), 0);
        assert_string_equal(name, "");
        assert_int_equal(known_key_store(fd, "a", &key), 0);
        assert_int_equal(known_key_store(fd, "b", &other), 0);
        assert_int_equal(known_keys_find(fd, "a", key.name, name), 0);
        assert_int_equal(known_keys_find(fd, "b", key.name, name), 1);
        assert_string_equal(name, "a");
        assert_int_equal(known_keys_find(fd, "a", other.name, name), 1);
        assert_string_equal(name, "b");

        tree_file(*state, "/keys/damaged.json", "{");
        tree_file(*state, "/keys/.json", "{");
        tree_link(*state, "/keys/link.json", "a.json");
        assert_int_equal(renameat(fd, "a.json", fd, ".a.json"), 0);
        assert_int_equal(known_keys_find(fd, "b", key.name, name), 0);
        assert_string_equal(name, "");
        assert_int_equal(known_keys_find(-EBADF, "b", key.name, name), -EBADF);
}

#define RECORD(schema, key, reset, restart, first) \
        "{\"schema\": " schema ", \"key\": " key ", \"reset_count\": " reset ", \"restart_count\": " restart \
        ", \"first_seen\": " first ", \"last_seen\": \"2026-11-22T09:28:00Z\"}"

static void test_bad_records(void **state) {
        static const struct {
                const char *text;
                int r;
        } cases[] = {
                {RECORD("1", "\"" KEY "\"", "0", "null", "\"2\""), 0},
                {RECORD("2", "\"" KEY "\"", "0", "0", "\"2\""), -EBADMSG},
                {RECORD("1", "\"" KEY "00\"", "0", "0", "\"2\""), -EBADMSG},
                {RECORD("1", "\"xx\"", "0", "0", "\"2\""), -EBADMSG},
                {RECORD("1", "null", "0", "0", "\"2\""), -EBADMSG},
                {RECORD("1", "\"" KEY "\"", "-1", "0", "\"2\""), -EBADMSG},
                {RECORD("1", "\"" KEY "\"", "4294967296", "0", "\"2\""), -EBADMSG},
                {RECORD("1", "\"" KEY "\"", "0", "18446744073709551616", "\"2\""), -EBADMSG},
                {RECORD("1", "\"" KEY "\"", "0", "\"0\"", "\"2\""), -EBADMSG},
                {RECORD("1", "\"" KEY "\"", "0", "0", "\"\""), -EBADMSG},
                {RECORD("1", "\"" KEY "\"", "0", "0", "\"\\u001b\""), -EBADMSG},
                {RECORD("1", "\"" KEY "\"", "0", "0", "\"22222222222222222222222222222222\""), -EBADMSG},
                {"", -EBADMSG},
                {"{}", -EBADMSG},
                {"[]", -EBADMSG},
                {"{", -EBADMSG},
        };
        _cleanup_close_ int fd = open_keys(*state);
        KnownKey key;

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                tree_file(*state, "/keys/g.json", cases[i].text);
                assert_int_equal(known_key_load(fd, "g", &key), cases[i].r);
        }
}

static void test_no_files(void **state) {
        _cleanup_close_ int fd = open_keys(*state);
        _cleanup_free_ char *big = calloc(1, 5001);
        KnownKey key = sample(), again;

        tree_file(*state, "/precious", "x");
        tree_link(*state, "/keys/link.json", "../precious");
        assert_int_equal(known_key_load(fd, "link", &again), -ELOOP);
        assert_int_equal(known_key_store(fd, "link", &key), 0);
        assert_tree_file(*state, "/precious", "x");
        assert_int_equal(known_key_load(fd, "link", &again), 0);

        assert_int_equal(mkfifoat(fd, "fifo.json", 0600), 0);
        assert_int_equal(known_key_load(fd, "fifo", &again), -EOPNOTSUPP);
        assert_int_equal(mkdirat(fd, "directory.json", 0700), 0);
        assert_int_equal(known_key_load(fd, "directory", &again), -EOPNOTSUPP);
        assert_int_equal(known_key_store(fd, "directory", &key), -EISDIR);

        tree_file(*state, "/keys/foreign.json", "{}");
        if (geteuid() == 0) {
                assert_int_equal(fchownat(fd, "foreign.json", 12345, (gid_t) -1, 0), 0);
                assert_int_equal(known_key_load(fd, "foreign", &again), -EPERM);
        }

        memset(big, ' ', 5000);
        tree_file(*state, "/keys/big.json", big);
        assert_int_equal(known_key_load(fd, "big", &again), -EFBIG);
        assert_int_equal(tree_count(*state, "/keys"), 5);
}

/* Each directory_lock() opens the file again, so a second call meets the first as it would meet another process. */
static void test_lock(void **state) {
        _cleanup_close_ int fd = open_keys(*state);
        struct timespec begin, end;
        struct stat st;
        int lock, again;

        assert_int_equal(flock(fd, LOCK_EX), 0);
        assert_int_equal(directory_lock(fd, 0, &lock), 0);
        assert_int_equal(fstatat(fd, ".lock", &st, AT_SYMLINK_NOFOLLOW), 0);
        assert_int_equal(st.st_mode & 07777, 0600);

        (void) clock_gettime(CLOCK_MONOTONIC, &begin);
        assert_int_equal(directory_lock(fd, 0, &again), -EAGAIN);
        (void) clock_gettime(CLOCK_MONOTONIC, &end);
        assert_true(end.tv_sec * 1000 + end.tv_nsec / 1000000 <
                    begin.tv_sec * 1000 + begin.tv_nsec / 1000000 + 500);
        assert_int_equal(directory_lock(fd, UINT64_MAX, &again), -EAGAIN);
        (void) clock_gettime(CLOCK_MONOTONIC, &begin);
        assert_true(begin.tv_sec - end.tv_sec < 5);

        (void) close(lock);
        assert_int_equal(directory_lock(fd, 0, &again), 0);
        (void) close(again);

        assert_int_equal(unlinkat(fd, ".lock", 0), 0);
        tree_link(*state, "/keys/.lock", "../precious");
        assert_int_equal(directory_lock(fd, 0, &lock), -ELOOP);
        assert_int_equal(unlinkat(fd, ".lock", 0), 0);
        assert_int_equal(mkfifoat(fd, ".lock", 0600), 0);
        assert_int_equal(directory_lock(fd, 0, &lock), -EOPNOTSUPP);
}

static void test_directory(void **state) {
        const Tree *t = *state;
        _cleanup_free_ char *deep = tree_path(t, "/a"), *below = NULL;
        struct stat st;
        int fd;

        assert_int_equal(mkdir(deep, 0777), 0);
        assert_int_equal(chmod(deep, 0720), 0);
        assert_int_equal(directory_open(deep, &fd), -EPERM);
        assert_int_equal(chmod(deep, 0702), 0);
        assert_int_equal(directory_open(deep, &fd), -EPERM);
        assert_int_equal(chmod(deep, 0755), 0);
        assert_int_equal(directory_open(deep, &fd), 0);
        (void) close(fd);

        below = xasprintf("%s/b//c/", deep);
        assert_int_equal(directory_open(below, &fd), 0);
        assert_int_equal(fstat(fd, &st), 0);
        assert_int_equal(st.st_mode & 07777, 0700);
        (void) close(fd);

        assert_int_equal(directory_open("", &fd), -ENOENT);
        tree_file(t, "/file", "x");
        free(below);
        below = xasprintf("%s/file/x", t->top);
        assert_int_equal(directory_open(below, &fd), -ENOTDIR);
}

static void test_default_directory(void **state _unused_) {
        static const struct {
                const char *state;
                const char *home;
                const char *path;
        } cases[] = {
                {"/s",       "/h",       "/s/gtune-host/keys"},
                {"relative", "/h",       "/h/.local/state/gtune-host/keys"},
                {"",         "/h",       "/h/.local/state/gtune-host/keys"},
                {NULL,       "/h",       "/h/.local/state/gtune-host/keys"},
                {NULL,       "relative", NULL},
                {NULL,       NULL,       NULL},
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_free_ char *path = NULL;

                (void) unsetenv("XDG_STATE_HOME");
                (void) unsetenv("HOME");
                if (cases[i].state)
                        assert_int_equal(setenv("XDG_STATE_HOME", cases[i].state, 1), 0);
                if (cases[i].home)
                        assert_int_equal(setenv("HOME", cases[i].home, 1), 0);

                path = known_keys_directory();
                assert_true(streq_ptr(path, cases[i].path));
        }
}

static void test_compare(void **state _unused_) {
        static const struct {
                bool was_counted, is_counted;
                uint32_t was[2], is[2];
                KnownKeyMatch match;
                bool was_clocked, is_clocked;
                uint64_t clocks[2];
        } cases[] = {
                {true,  true,  {5, 1}, {5, 1}, KNOWN_KEY_SAME},
                {true,  true,  {5, 1}, {5, 2}, KNOWN_KEY_SAME},
                {true,  true,  {5, 1}, {6, 0}, KNOWN_KEY_SAME},
                {true,  true,  {5, 1}, {5, 0}, KNOWN_KEY_BACK},
                {true,  true,  {5, 1}, {4, 9}, KNOWN_KEY_BACK},
                {false, true,  {5, 1}, {4, 0}, KNOWN_KEY_SAME},
                {false, false, {5, 1}, {4, 0}, KNOWN_KEY_SAME},
                {true,  false, {5, 1}, {6, 0}, KNOWN_KEY_OTHER},
                {true,  true,  {5, 1}, {5, 1}, KNOWN_KEY_SAME, true, true, {9, 9}},
                {true,  true,  {5, 1}, {5, 1}, KNOWN_KEY_SAME, true, true, {9, UINT64_MAX}},
                {true,  true,  {5, 1}, {5, 1}, KNOWN_KEY_CLOCK_BACK, true, true, {9, 8}},
                {true,  true,  {5, 1}, {5, 1}, KNOWN_KEY_CLOCK_BACK, true, true, {UINT64_MAX, 0}},
                {true,  true,  {5, 1}, {5, 1}, KNOWN_KEY_SAME, false, true, {9, 8}},
                {true,  true,  {5, 1}, {5, 1}, KNOWN_KEY_SAME, true, false, {9, 8}},
                {true,  true,  {5, 1}, {5, 2}, KNOWN_KEY_SAME, true, true, {9, 8}},
                {true,  true,  {5, 1}, {6, 1}, KNOWN_KEY_SAME, true, true, {9, 8}},
                {true,  true,  {5, 1}, {5, 0}, KNOWN_KEY_BACK, true, true, {9, 10}},
                {false, true,  {5, 1}, {5, 1}, KNOWN_KEY_SAME, true, true, {9, 8}},
        };
        KnownKey was = sample(), is = sample();

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                was.counted = cases[i].was_counted;
                was.reset_count = cases[i].was[0];
                was.restart_count = cases[i].was[1];
                is.counted = cases[i].is_counted;
                is.reset_count = cases[i].is[0];
                is.restart_count = cases[i].is[1];
                was.clocked = cases[i].was_clocked;
                was.clock = cases[i].clocks[0];
                is.clocked = cases[i].is_clocked;
                is.clock = cases[i].clocks[1];
                assert_int_equal(known_key_compare(&was, &is), cases[i].match);
        }

        is.name[KEY_NAME_SIZE - 1] ^= 1;
        assert_int_equal(known_key_compare(&was, &is), KNOWN_KEY_OTHER);
}

static void test_base64(void **state _unused_) {
        static const struct {
                const char *text;
                int r;
                const char *bytes;
        } cases[] = {
                {"", 0, ""},           {"Zg==", 0, "f"},          {"Zm8=", 0, "fo"},       {"Zm9v", 0, "foo"},
                {"Zm9vYg==", 0, "foob"}, {"Zm9vYmE=", 0, "fooba"}, {"Zm9vYmFy", -EMSGSIZE, NULL},
                {"Z", -EBADMSG, NULL}, {"Zg", -EBADMSG, NULL},    {"Zg=", -EBADMSG, NULL}, {"Zg=a", -EBADMSG, NULL},
                {"Zh==", -EBADMSG, NULL}, {"Zm9=", -EBADMSG, NULL}, {"====", -EBADMSG, NULL}, {"Z===", -EBADMSG, NULL},
                {"Zg==Zg==", -EBADMSG, NULL}, {"Zm8=Zm8=", -EBADMSG, NULL}, {"Zg==\n", -EBADMSG, NULL},
                {"Zm9 ", -EBADMSG, NULL}, {"-_-_", -EBADMSG, NULL}, {"Zm\xc3\xa9", -EBADMSG, NULL},
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                uint8_t bytes[5];
                size_t size = 99;

                assert_int_equal(base64_decode(cases[i].text, sizeof(bytes), bytes, &size), cases[i].r);
                if (cases[i].r == 0) {
                        assert_int_equal(size, strlen(cases[i].bytes));
                        assert_memory_equal(bytes, cases[i].bytes, size);
                }
        }
        assert_int_equal(BASE64_LENGTH(5U), 8);
}

static void test_options(void **state _unused_) {
        static const struct {
                HostTpmOption option;
                const char *argument;
                int r;
        } cases[] = {
                {HOST_TPM_OPTION_BANK,  "sha384",                           0},
                {HOST_TPM_OPTION_BANK,  "md5",                              -EINVAL},
                {HOST_TPM_OPTION_PCRS,  "0-7,14",                           0},
                {HOST_TPM_OPTION_PCRS,  "24",                               -EINVAL},
                {HOST_TPM_OPTION_PCRS,  "",                                 -EINVAL},
                {HOST_TPM_OPTION_NONCE, "00112233445566778899AABBccddeeff", 0},
                {HOST_TPM_OPTION_NONCE, "00112233445566778899aabbccddee",   -EINVAL},
                {HOST_TPM_OPTION_NONCE, "0x112233445566778899aabbccddeeff", -EINVAL},
                {HOST_TPM_OPTION_NAME,  "guest",                            0},
                {HOST_TPM_OPTION_NAME,  "../guest",                         -EINVAL},
                {HOST_TPM_OPTION_KEYS,  "",                                 -EINVAL},
                {HOST_TPM_OPTION_WRITE, "",                                 -EINVAL},
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(host_tpm_options_done) HostTpmOptions o = HOST_TPM_OPTIONS_NULL;
                _cleanup_free_ char *error = NULL;

                assert_int_equal(host_tpm_options_set(&o, cases[i].option, cases[i].argument, &error), cases[i].r);
                assert_int_equal(error != NULL, cases[i].r < 0);
        }
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_names),
                cmocka_unit_test_setup_teardown(test_store, tree_setup, tree_teardown),
                cmocka_unit_test_setup_teardown(test_find, tree_setup, tree_teardown),
                cmocka_unit_test_setup_teardown(test_bad_records, tree_setup, tree_teardown),
                cmocka_unit_test_setup_teardown(test_no_files, tree_setup, tree_teardown),
                cmocka_unit_test_setup_teardown(test_lock, tree_setup, tree_teardown),
                cmocka_unit_test_setup_teardown(test_directory, tree_setup, tree_teardown),
                cmocka_unit_test(test_default_directory),
                cmocka_unit_test(test_compare),
                cmocka_unit_test(test_base64),
                cmocka_unit_test(test_options),
        };

        return cmocka_run_group_tests_name("known-keys", tests, NULL, NULL);
}
