/* SPDX-License-Identifier: Apache-2.0 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "tests/unit/tree.h"
#include "tpm/command.h"

typedef struct Answer {
        uint8_t data[8192];
        size_t size; /* 0: hang up */
} Answer;

/* The answer of a TPM to its nth command. */
typedef void (*Behaviour)(unsigned n, const uint8_t *command, Answer *a);

static void put(Answer *a, uint64_t value, size_t size) {
        for (size_t i = 0; i < size; i++)
                a->data[a->size++] = (uint8_t) (value >> 8 * (size - 1 - i));
}

static void set_header(Answer *a, uint16_t tag, uint32_t size, uint32_t rc) {
        Answer header = {};

        put(&header, tag, 2);
        put(&header, size, 4);
        put(&header, rc, 4);
        memcpy(a->data, header.data, header.size);
}

static void begin(Answer *a) {
        a->size = TPM_HEADER_SIZE;
}

static void finish(Answer *a) {
        set_header(a, 0x8001, (uint32_t) a->size, 0);
}

static void refuse(Answer *a, uint32_t rc) {
        begin(a);
        set_header(a, 0x8001, TPM_HEADER_SIZE, rc);
}

static void put_selection(Answer *a, uint16_t algorithm, uint32_t selection) {
        put(a, algorithm, 2);
        put(a, 3, 1);
        for (size_t i = 0; i < 3; i++)
                put(a, selection >> 8 * i & 0xFF, 1);
}

/* Two banks that are allocated, a bank that is not, and a bank of an unknown algorithm. */
static void put_banks(Answer *a) {
        begin(a);
        put(a, 0, 1);
        put(a, 5, 4);
        put(a, 4, 4);
        put_selection(a, 0x0004, 0);
        put_selection(a, 0x000B, PCR_ALL);
        put_selection(a, 0x7777, PCR_ALL);
        put_selection(a, 0x000C, 0xFF);
        finish(a);
}

static bool is_read(const uint8_t *command) {
        return command[9] == 0x7E;
}

static uint16_t asked_bank(const uint8_t *command) {
        return (uint16_t) (command[14] << 8 | command[15]);
}

static uint32_t asked_pcrs(const uint8_t *command) {
        return command[17] | (uint32_t) command[18] << 8 | (uint32_t) command[19] << 16;
}

/* Gives at most eight values, the lowest PCR first. Byte 0 of a value is its PCR, byte 1 is chosen by the caller. */
static void put_values(Answer *a, const uint8_t *command, uint32_t counter, uint8_t second) {
        uint32_t given = 0, asked = asked_pcrs(command);
        size_t size = asked_bank(command) == 0x000B ? 32 : 48;

        for (unsigned pcr = 0; pcr < PCR_COUNT && __builtin_popcount(given) < 8; pcr++)
                given |= asked & 1U << pcr;

        begin(a);
        put(a, counter, 4);
        put(a, 1, 4);
        put_selection(a, asked_bank(command), given);
        put(a, (uint32_t) __builtin_popcount(given), 4);
        for (unsigned pcr = 0; pcr < PCR_COUNT; pcr++)
                if ((given & 1U << pcr) != 0) {
                        put(a, size, 2);
                        put(a, pcr, 1);
                        put(a, second, 1);
                        for (size_t i = 2; i < size; i++)
                                put(a, 0xAA, 1);
                }
        finish(a);
}

static void honest(_unused_ unsigned n, const uint8_t *command, Answer *a) {
        if (is_read(command))
                put_values(a, command, 7, 0);
        else
                put_banks(a);
}

static void hangs_up(_unused_ unsigned n, _unused_ const uint8_t *command, Answer *a) {
        a->size = 0;
}

static void says_half_a_header(_unused_ unsigned n, _unused_ const uint8_t *command, Answer *a) {
        put_banks(a);
        a->size = 5;
}

static void announces_more(_unused_ unsigned n, _unused_ const uint8_t *command, Answer *a) {
        put_banks(a);
        set_header(a, 0x8001, (uint32_t) a->size + 4, 0);
}

static void announces_less(_unused_ unsigned n, _unused_ const uint8_t *command, Answer *a) {
        put_banks(a);
        set_header(a, 0x8001, TPM_HEADER_SIZE, 0);
}

static void announces_4_gib(_unused_ unsigned n, _unused_ const uint8_t *command, Answer *a) {
        a->size = sizeof(a->data);
        set_header(a, 0x8001, UINT32_MAX, 0);
}

static void fails(_unused_ unsigned n, _unused_ const uint8_t *command, Answer *a) {
        refuse(a, 0x101);
}

static void is_busy(_unused_ unsigned n, _unused_ const uint8_t *command, Answer *a) {
        refuse(a, 0x922);
}

static void is_a_tpm12(_unused_ unsigned n, _unused_ const uint8_t *command, Answer *a) {
        begin(a);
        set_header(a, 0x00C4, TPM_HEADER_SIZE, 0x1E);
}

static void has_sessions(_unused_ unsigned n, _unused_ const uint8_t *command, Answer *a) {
        put_banks(a);
        set_header(a, 0x8002, (uint32_t) a->size, 0);
}

static void says_nothing(_unused_ unsigned n, _unused_ const uint8_t *command, Answer *a) {
        begin(a);
        finish(a);
}

static void has_4_gi_banks(_unused_ unsigned n, _unused_ const uint8_t *command, Answer *a) {
        put_banks(a);
        memset(a->data + 15, 0xFF, 4);
}

static void has_more_behind(_unused_ unsigned n, _unused_ const uint8_t *command, Answer *a) {
        put_banks(a);
        put(a, 0, 1);
        finish(a);
}

static void has_a_wide_bitmap(_unused_ unsigned n, _unused_ const uint8_t *command, Answer *a) {
        begin(a);
        put(a, 0, 1);
        put(a, 5, 4);
        put(a, 1, 4);
        put(a, 0x000B, 2);
        put(a, 200, 1);
        for (size_t i = 0; i < 200; i++)
                put(a, 0, 1);
        finish(a);
}

static void has_pcr_24(_unused_ unsigned n, _unused_ const uint8_t *command, Answer *a) {
        begin(a);
        put(a, 0, 1);
        put(a, 5, 4);
        put(a, 1, 4);
        put(a, 0x000B, 2);
        put(a, 4, 1);
        put(a, 0xFFFFFF01, 4);
        finish(a);
}

static void tells_of_something_else(_unused_ unsigned n, _unused_ const uint8_t *command, Answer *a) {
        put_banks(a);
        a->data[14] = 6;
}

/* Answers correctly about banks; the defect is in the values. */
static bool answers_banks(const uint8_t *command, Answer *a) {
        if (is_read(command))
                return false;

        put_banks(a);
        return true;
}

static void gives_none(_unused_ unsigned n, const uint8_t *command, Answer *a) {
        if (answers_banks(command, a))
                return;

        begin(a);
        put(a, 7, 4);
        put(a, 0, 4);
        put(a, 0, 4);
        finish(a);
}

static void gives_an_empty_selection(_unused_ unsigned n, const uint8_t *command, Answer *a) {
        if (answers_banks(command, a))
                return;

        begin(a);
        put(a, 7, 4);
        put(a, 1, 4);
        put_selection(a, asked_bank(command), 0);
        put(a, 0, 4);
        finish(a);
}

static void gives_what_it_was_not_asked(_unused_ unsigned n, const uint8_t *command, Answer *a) {
        uint8_t other[20];

        if (answers_banks(command, a))
                return;

        memcpy(other, command, sizeof(other));
        other[17] = other[18] = 0;
        other[19] = (uint8_t) ~other[19];
        put_values(a, other, 7, 0);
}

static void gives_another_bank(_unused_ unsigned n, const uint8_t *command, Answer *a) {
        honest(n, command, a);
        if (is_read(command))
                a->data[19] ^= 0x01;
}

static void counts_wrong(_unused_ unsigned n, const uint8_t *command, Answer *a) {
        honest(n, command, a);
        if (is_read(command))
                memset(a->data + 24, 0xFF, 4);
}

static void gives_long_digests(_unused_ unsigned n, const uint8_t *command, Answer *a) {
        honest(n, command, a);
        if (is_read(command))
                memset(a->data + 28, 0xFF, 2);
}

static void gives_half_a_digest(_unused_ unsigned n, const uint8_t *command, Answer *a) {
        honest(n, command, a);
        if (is_read(command)) {
                a->size -= 16;
                finish(a);
        }
}

static void gives_too_much(_unused_ unsigned n, const uint8_t *command, Answer *a) {
        honest(n, command, a);
        if (is_read(command)) {
                put(a, 0, 8);
                finish(a);
        }
}

static void never_stands_still(unsigned n, const uint8_t *command, Answer *a) {
        if (!answers_banks(command, a))
                put_values(a, command, n, (uint8_t) n);
}

/* The counter changes with every command, as if IMA extends PCR 10 all the time; the PCRs of the boot do not change. */
static void moves_on_the_side(unsigned n, const uint8_t *command, Answer *a) {
        if (!answers_banks(command, a))
                put_values(a, command, n, 0);
}

/* Another process extends a PCR during the first reading, which takes four commands. */
static void moves_once(unsigned n, const uint8_t *command, Answer *a) {
        if (!answers_banks(command, a))
                put_values(a, command, n < 3 ? 7 : 8, n < 3 ? 0 : 1);
}

static void play(int listener, Behaviour behaviour) {
        int fd = accept(listener, NULL, NULL);
        uint8_t command[4096];

        for (unsigned n = 0; read(fd, command, sizeof(command)) > 0; n++) {
                static Answer a;

                a.size = 0;
                behaviour(n, command, &a);
                if (a.size == 0)
                        break;
                /* Sends it in two parts, as a socket may do. */
                if (write(fd, a.data, 3) != 3 || write(fd, a.data + 3, a.size - 3) < 0)
                        break;
                if (a.size == 5)
                        break;
                if (announces_more == behaviour)
                        break;
        }

        _exit(0);
}

static pid_t start(const char *path, Behaviour behaviour) {
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        pid_t pid;

        assert_true(listener >= 0);
        strcpy(address.sun_path, path);
        (void) unlink(path);
        assert_int_equal(bind(listener, (const struct sockaddr *) &address, sizeof(address)), 0);
        assert_int_equal(listen(listener, 1), 0);

        pid = fork();
        assert_true(pid >= 0);
        if (pid == 0)
                play(listener, behaviour);

        (void) close(listener);
        return pid;
}

static int ask(const Tree *tree, Behaviour behaviour, unsigned banks, uint32_t selection, Pcrs *ret, Fault *fault) {
        _cleanup_(tpm_device_freep) TpmDevice *device = NULL;
        _cleanup_free_ char *path = tree_path(tree, "/tpm.sock"), *name = xasprintf("unix:%s", path);
        pid_t pid = start(path, behaviour);
        int r;

        assert_int_equal(tpm_device_open(&device, name, fault), 0);
        r = tpm_read_pcrs(device, banks, selection, ret, fault);

        device = tpm_device_free(device);
        assert_int_equal(waitpid(pid, NULL, 0), pid);
        return r;
}

#define SHA256 (1U << ALGORITHM_SHA256)
#define ALL ((1U << _ALGORITHM_MAX) - 1)

static void test_read(void **state) {
        Pcrs pcrs;

        _cleanup_fault_ Fault fault = {};
        assert_int_equal(ask(*state, honest, ALL, PCR_ALL, &pcrs, &fault), 0);
        assert_int_equal(pcrs.banks[ALGORITHM_SHA1].present, 0);
        assert_int_equal(pcrs.banks[ALGORITHM_SHA256].present, PCR_ALL);
        assert_int_equal(pcrs.banks[ALGORITHM_SHA384].present, 0xFF);
        for (unsigned pcr = 0; pcr < PCR_COUNT; pcr++) {
                assert_int_equal(pcrs.banks[ALGORITHM_SHA256].digests[pcr][0], pcr);
                assert_int_equal(pcrs.banks[ALGORITHM_SHA256].digests[pcr][31], 0xAA);
        }

        assert_int_equal(ask(*state, honest, SHA256, 1U << 23 | 1, &pcrs, &fault), 0);
        assert_int_equal(pcrs.banks[ALGORITHM_SHA256].present, 1U << 23 | 1);
        assert_int_equal(pcrs.banks[ALGORITHM_SHA384].present, 0);

        assert_int_equal(ask(*state, honest, 1U << ALGORITHM_SHA1, PCR_ALL, &pcrs, &fault), 0);
        assert_int_equal(pcrs.banks[ALGORITHM_SHA1].present, 0);
}

static void test_moving(void **state) {
        _cleanup_fault_ Fault fault = {};
        Pcrs pcrs;

        assert_int_equal(ask(*state, moves_once, SHA256, PCR_ALL, &pcrs, &fault), 0);
        for (unsigned pcr = 0; pcr < PCR_COUNT; pcr++)
                assert_int_equal(pcrs.banks[ALGORITHM_SHA256].digests[pcr][1], 1);

        assert_int_equal(ask(*state, moves_on_the_side, ALL, PCR_ALL, &pcrs, &fault), 0);
        assert_int_equal(pcrs.banks[ALGORITHM_SHA256].present, PCR_ALL);

        assert_int_equal(ask(*state, never_stands_still, SHA256, PCR_ALL, &pcrs, &fault), FAULT);
        assert_int_equal(fault.class, FAULT_UNSTABLE);
}

#define LIAR(f, class, text) {#f, f, class, text}

static const struct {
        const char *name;
        Behaviour behaviour;
        FaultClass class;
        const char *desc; /* a part of it */
} liars[] = {
        LIAR(hangs_up, FAULT_BAD_ANSWER, "short answer of 0 bytes"),
        LIAR(says_half_a_header, FAULT_BAD_ANSWER, "short answer of 5 bytes"),
        LIAR(announces_more, FAULT_BAD_ANSWER, "announced"),
        LIAR(announces_less, FAULT_BAD_ANSWER, "announced 10 bytes"),
        LIAR(announces_4_gib, FAULT_BAD_ANSWER, "announced 4294967295 bytes"),
        LIAR(fails, FAULT_TPM_ERROR, "TPM2_GetCapability with 0x101 (TPM_RC_FAILURE)"),
        LIAR(is_busy, FAULT_BUSY, "TPM_RC_RETRY"),
        LIAR(is_a_tpm12, FAULT_TPM12, "TPM 1.2"),
        LIAR(has_sessions, FAULT_BAD_ANSWER, "tag 0x8002"),
        LIAR(says_nothing, FAULT_BAD_ANSWER, "malformed"),
        LIAR(has_4_gi_banks, FAULT_BAD_ANSWER, "malformed"),
        LIAR(has_more_behind, FAULT_BAD_ANSWER, "malformed"),
        LIAR(has_a_wide_bitmap, FAULT_BAD_ANSWER, "malformed"),
        LIAR(has_pcr_24, FAULT_BAD_ANSWER, "malformed"),
        LIAR(tells_of_something_else, FAULT_BAD_ANSWER, "TPM2_GetCapability"),
        LIAR(gives_none, FAULT_BAD_ANSWER, "TPM2_PCR_Read"),
        LIAR(gives_an_empty_selection, FAULT_BAD_ANSWER, "TPM2_PCR_Read"),
        LIAR(gives_what_it_was_not_asked, FAULT_BAD_ANSWER, "TPM2_PCR_Read"),
        LIAR(gives_another_bank, FAULT_BAD_ANSWER, "TPM2_PCR_Read"),
        LIAR(counts_wrong, FAULT_BAD_ANSWER, "TPM2_PCR_Read"),
        LIAR(gives_long_digests, FAULT_BAD_ANSWER, "TPM2_PCR_Read"),
        LIAR(gives_half_a_digest, FAULT_BAD_ANSWER, "TPM2_PCR_Read"),
        LIAR(gives_too_much, FAULT_BAD_ANSWER, "TPM2_PCR_Read"),
};

static void test_liars(void **state) {
        for (size_t i = 0; i < ELEMENTSOF(liars); i++) {
                _cleanup_fault_ Fault fault = {};
                Pcrs pcrs;

                if (ask(*state, liars[i].behaviour, SHA256, 0xFFFF, &pcrs, &fault) != FAULT ||
                    fault.class != liars[i].class || !strstr(fault.desc, liars[i].desc))
                        fail_msg("%s: %d, %s", liars[i].name, fault.class, strempty(fault.desc));
        }
}

static void test_open(void **state) {
        const Tree *tree = *state;
        _cleanup_free_ char *missing = tree_path(tree, "/missing"), *fifo = tree_path(tree, "/fifo"),
                            *deaf = xasprintf("unix:%s", fifo);
        const struct {
                const char *path;
                FaultClass class;
        } cases[] = {
                {missing, FAULT_NO_DEVICE},
                {fifo, FAULT_TPM_ERROR},
                {tree->top, FAULT_TPM_ERROR},
                {deaf, FAULT_NO_DEVICE},
                {"unix:/a/path/that/is/longer/than/what/fits/into/the/address/of/a/socket/of/the/family/unix/which/"
                 "has/room/for/108", FAULT_TPM_ERROR},
        };

        assert_int_equal(mkfifo(fifo, 0600), 0);
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(tpm_device_freep) TpmDevice *device = NULL;
                _cleanup_fault_ Fault fault = {};

                assert_int_equal(tpm_device_open(&device, cases[i].path, &fault), FAULT);
                if (fault.class != cases[i].class || !strstr(fault.desc, cases[i].path))
                        fail_msg("%s: %d, %s", cases[i].path, fault.class, fault.desc);
        }
}

/* A character device that takes every command and answers none. */
static void test_null_device(_unused_ void **state) {
        _cleanup_(tpm_device_freep) TpmDevice *device = NULL;
        _cleanup_fault_ Fault fault = {};
        Pcrs pcrs;

        assert_int_equal(tpm_device_open(&device, "/dev/null", &fault), 0);
        assert_int_equal(tpm_read_pcrs(device, SHA256, PCR_ALL, &pcrs, &fault), FAULT);
        assert_int_equal(fault.class, FAULT_BAD_ANSWER);
}

static void test_names(_unused_ void **state) {
        static const struct {
                uint32_t rc;
                const char *name;
        } cases[] = {
                {0x101, "TPM_RC_FAILURE"},      {0x1C3, "TPM_RC_HASH"}, {0x9A2, "TPM_RC_BAD_AUTH"},
                {0x98E, "TPM_RC_AUTH_FAIL"},    {0x0B0143, "TPM_RC_COMMAND_CODE"}, {0x902, "TPM_RC_OBJECT_MEMORY"},
                {0x2C4, "TPM_RC_VALUE"},        {0x7FF, "unknown code"},
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++)
                assert_string_equal(tpm_rc_name(cases[i].rc), cases[i].name);
        for (FaultClass i = 0; i < _FAULT_CLASS_MAX; i++)
                assert_non_null(fault_class_to_string(i));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_read, tree_setup, tree_teardown),
                cmocka_unit_test_setup_teardown(test_moving, tree_setup, tree_teardown),
                cmocka_unit_test_setup_teardown(test_liars, tree_setup, tree_teardown),
                cmocka_unit_test_setup_teardown(test_open, tree_setup, tree_teardown),
                cmocka_unit_test(test_null_device),
                cmocka_unit_test(test_names),
        };

        (void) signal(SIGPIPE, SIG_IGN);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
