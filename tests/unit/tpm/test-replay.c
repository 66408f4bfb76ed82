/* SPDX-License-Identifier: Apache-2.0 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/data.h"
#include "tests/unit/make-log.h"
#include "tpm/replay.h"
#include "tpm/userspace-log.h"

#define SHA256 (1U << ALGORITHM_SHA256)
#define PCRS_OF_VECTORS 0x3FFU /* 0 to 9; PCR 10 is the IMA's */

static const char *const vectors[] = {"a", "e", "d1", "sea"};

static EventLog *vector_log(const char *name) {
        _cleanup_buffer_ Buffer b = data_read("/eventlogs/%s.bin", name);

        return parse_log(&b);
}

static Replay replay_of(const EventLog *firmware, const EventLog *userspace) {
        const EventLog *logs[] = {firmware, userspace};
        Replay replay;

        assert_int_equal(replay_logs(logs, ELEMENTSOF(logs), &replay), 0);
        return replay;
}

static ReplayDifference compare(const Replay *replay, const Pcrs *pcrs, Algorithm bank, uint32_t selection) {
        ReplayDifference d;

        assert_int_equal(replay_compare(replay, pcrs, bank, selection, &d), 0);
        return d;
}

static void test_vectors(_unused_ void **state) {
        for (size_t i = 0; i < ELEMENTSOF(vectors); i++) {
                _cleanup_(eventlog_freep) EventLog *log = vector_log(vectors[i]);
                const Pcrs pcrs = data_pcrs(vectors[i]);
                const Replay replay = replay_of(log, NULL);

                for (Algorithm bank = 0; bank < ALGORITHM_SM3_256; bank++) {
                        ReplayDifference d = compare(&replay, &pcrs, bank, PCR_ALL & ~(1U << 10));

                        assert_int_equal(d.compared & PCRS_OF_VECTORS, PCRS_OF_VECTORS);
                        assert_int_equal(d.differ, 0);
                        assert_int_equal(d.explained, 0);
                        assert_int_equal(compare(&replay, &pcrs, bank, PCR_ALL).differ, 1U << 10);
                }
                assert_int_equal(compare(&replay, &pcrs, ALGORITHM_SM3_256, PCR_ALL).compared, 0);
        }
}

/* Flips a bit of a digest: only its PCR in its bank disagrees. */
static void test_every_digest(_unused_ void **state) {
        _cleanup_(eventlog_freep) EventLog *log = vector_log("a");
        const Pcrs pcrs = data_pcrs("a");

        for (size_t i = 0; i < log->n_events; i++)
                for (Algorithm bank = 0; bank < ALGORITHM_SM3_256; bank++) {
                        uint8_t *digest = (uint8_t *) log->events[i].digests[bank];
                        Replay replay;

                        if (!digest)
                                continue;
                        digest[3] ^= 0x10;
                        replay = replay_of(log, NULL);
                        digest[3] ^= 0x10;
                        for (Algorithm other = 0; other < ALGORITHM_SM3_256; other++)
                                assert_int_equal(compare(&replay, &pcrs, other, PCRS_OF_VECTORS).differ,
                                                 other == bank ? 1U << log->events[i].pcr : 0);
                }
}

static void test_touched(_unused_ void **state) {
        _cleanup_(eventlog_freep) EventLog *a = vector_log("a"), *sea = vector_log("sea");

        assert_int_equal(replay_of(a, NULL).touched, 0x2FF);
        assert_int_equal(replay_of(sea, NULL).touched, 0x0FF);
}

static void test_start_values(_unused_ void **state) {
        _cleanup_buffer_ Buffer b = BUFFER_NULL;
        _cleanup_(eventlog_freep) EventLog *log = NULL;
        uint8_t pcr0[32] = {}, pcr17[32], digest[32];
        Replay replay;

        put_header(&b, SHA256);
        put_event(&b, SHA256, 0, EV_NO_ACTION, "StartupLocality\0\3", 17);
        put_event(&b, SHA256, 0, EV_SEPARATOR, "\0\0\0", 4);
        put_event(&b, SHA256, 17, EV_SEPARATOR, "\0\0\0", 4);
        log = parse_log(&b);
        replay = replay_of(log, NULL);

        pcr0[31] = 3;
        memset(pcr17, 0xFF, sizeof(pcr17));
        assert_memory_equal(replay.pcrs.banks[ALGORITHM_SHA256].digests[18], pcr17, 32);
        assert_int_equal(algorithm_hash(ALGORITHM_SHA256, &(HashPart) {"\0\0\0", 4}, 1, digest), 0);
        assert_int_equal(pcr_extend(ALGORITHM_SHA256, pcr0, digest), 0);
        assert_int_equal(pcr_extend(ALGORITHM_SHA256, pcr17, digest), 0);
        assert_memory_equal(replay.pcrs.banks[ALGORITHM_SHA256].digests[0], pcr0, 32);
        assert_memory_equal(replay.pcrs.banks[ALGORITHM_SHA256].digests[17], pcr17, 32);
}

static void extend_text(Pcrs *pcrs, Algorithm bank, unsigned pcr, const char *text) {
        uint8_t digest[DIGEST_SIZE_MAX];

        assert_int_equal(algorithm_hash(bank, &(HashPart) {text, strlen(text)}, 1, digest), 0);
        assert_int_equal(pcr_extend(bank, pcrs->banks[bank].digests[pcr], digest), 0);
}

/* systemd's "os-separator" without systemd's log. */
static void test_os_separator(_unused_ void **state) {
        _cleanup_(eventlog_freep) EventLog *log = vector_log("a");
        const Replay replay = replay_of(log, NULL);
        Pcrs pcrs = data_pcrs("a");
        ReplayDifference d;

        for (unsigned i = 0; i < 10; i++)
                extend_text(&pcrs, ALGORITHM_SHA256, i, "os-separator");
        d = compare(&replay, &pcrs, ALGORITHM_SHA256, PCRS_OF_VECTORS);
        assert_int_equal(d.explained, 0x2FF);
        assert_int_equal(d.differ, 1U << 8); /* not one of systemd's */

        extend_text(&pcrs, ALGORITHM_SHA256, 3, "os-separator");
        d = compare(&replay, &pcrs, ALGORITHM_SHA256, PCRS_OF_VECTORS);
        assert_int_equal(d.differ, 1U << 8 | 1U << 3);
}

/* Kernels before 5.3 lose the last two events. */
static void test_final_events(_unused_ void **state) {
        _cleanup_(eventlog_freep) EventLog *log = vector_log("a");
        Pcrs pcrs = data_pcrs("a");
        ReplayDifference d;
        Replay replay;

        log->n_events -= 2;
        replay = replay_of(log, NULL);
        d = compare(&replay, &pcrs, ALGORITHM_SHA384, PCRS_OF_VECTORS);
        assert_int_equal(d.explained, 1U << 5);
        assert_int_equal(d.differ, 0);

        extend_text(&pcrs, ALGORITHM_SHA384, 5, "os-separator");
        assert_int_equal(compare(&replay, &pcrs, ALGORITHM_SHA384, PCRS_OF_VECTORS).explained, 1U << 5);

        log->n_events--;
        replay = replay_of(log, NULL);
        assert_int_equal(compare(&replay, &pcrs, ALGORITHM_SHA384, PCRS_OF_VECTORS).differ, 1U << 9);
}

static void test_userspace_behind_firmware(_unused_ void **state) {
        static const char record[] = "\x1e{\"pcr\":11,\"digests\":[{\"hashAlg\":\"sha256\",\"digest\":\""
                                     "51e6b92f405d1f98d96e3de343d61d420ad6923b25de21d766f9298192f14fed\"}],"
                                     "\"content_type\":\"systemd\",\"content\":{\"eventType\":\"phase\","
                                     "\"string\":\"enter-initrd\"}}\n";
        _cleanup_(eventlog_freep) EventLog *log = vector_log("a"), *userspace = NULL;
        Pcrs pcrs = data_pcrs("a");
        Replay replay;

        assert_int_equal(userspace_log_parse(record, strlen(record), &userspace), 0);
        assert_int_equal(userspace->status, EVENT_LOG_COMPLETE);
        replay = replay_of(log, userspace);
        assert_int_equal(replay.touched, 0xAFF);
        assert_int_equal(compare(&replay, &pcrs, ALGORITHM_SHA256, 1U << 11).differ, 1U << 11);

        assert_int_equal(pcr_extend(ALGORITHM_SHA256, pcrs.banks[ALGORITHM_SHA256].digests[11],
                                    userspace->events[0].digests[ALGORITHM_SHA256]),
                         0);
        assert_int_equal(compare(&replay, &pcrs, ALGORITHM_SHA256, 1U << 11).differ, 0);

        /* A bank without digests in the log is not compared. */
        assert_int_equal(compare(&replay, &pcrs, ALGORITHM_SHA384, 1U << 11 | 1).compared, 1);
}

/* The logs of a measured boot by systemd 262 account for every PCR that it extends. */
static void test_systemd_262(_unused_ void **state) {
        _cleanup_buffer_ Buffer b = data_read("/eventlogs/uki-systemd-262.tpm2-measure.log");
        _cleanup_(eventlog_freep) EventLog *log = vector_log("uki-systemd-262"), *userspace = NULL;
        const Pcrs pcrs = data_pcrs("uki-systemd-262");
        Replay replay;

        assert_int_equal(userspace_log_parse(b.data, b.size, &userspace), 0);
        assert_int_equal(userspace->status, EVENT_LOG_COMPLETE);
        replay = replay_of(log, userspace);
        assert_int_equal(replay.touched & ~(1U << 10), 0xFAFF & ~(1U << 10));
        assert_int_equal(compare(&replay, &pcrs, ALGORITHM_SHA256, 0xFAFF & ~(1U << 10)).differ, 0);
}

/* A SHA-1 log and a TPM with other banks too. */
static void test_sha1_log(_unused_ void **state) {
        _cleanup_buffer_ Buffer b = BUFFER_NULL;
        _cleanup_(eventlog_freep) EventLog *log = NULL;
        Pcrs pcrs = data_pcrs("a");
        Replay replay;

        put_sha1_event(&b, 3, EV_SEPARATOR, "\0\0\0", 4);
        log = parse_log(&b);
        replay = replay_of(log, NULL);
        assert_int_equal(compare(&replay, &pcrs, ALGORITHM_SHA1, 1U << 3).compared, 1U << 3);
        assert_int_equal(compare(&replay, &pcrs, ALGORITHM_SHA1, 1U << 3).differ, 0);
        assert_int_equal(compare(&replay, &pcrs, ALGORITHM_SHA256, PCR_ALL).compared, 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_vectors),
                cmocka_unit_test(test_every_digest),
                cmocka_unit_test(test_touched),
                cmocka_unit_test(test_start_values),
                cmocka_unit_test(test_systemd_262),
                cmocka_unit_test(test_os_separator),
                cmocka_unit_test(test_final_events),
                cmocka_unit_test(test_userspace_behind_firmware),
                cmocka_unit_test(test_sha1_log),
        };

        return cmocka_run_group_tests_name("replay", tests, NULL, NULL);
}
