/* SPDX-License-Identifier: Apache-2.0 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/data.h"
#include "tpm/attest.h"

#define SELECTION 0x43FFU /* PCR 0 to 9 and 14, as attest/make asks */

/* A request, and the parts of the answer of a real TPM. */
typedef struct Case {
        Buffer attest, signature, public_key, report;
        uint8_t nonce[16];
        Pcrs pcrs;
        Quote quote;
        QuoteRequest request;
} Case;

/* The texts whose hashes attest/make extends. */
static void fill_pcrs(Pcrs *pcrs) {
        PcrBank *bank = pcrs->banks + ALGORITHM_SHA256;
        static const unsigned extended[] = {0, 4, 7, 8, 9, 14};

        bank->present = SELECTION;
        for (size_t i = 0; i < ELEMENTSOF(extended); i++) {
                char text[32];
                uint8_t digest[32];

                (void) snprintf(text, sizeof(text), "measurement %u", extended[i]);
                assert_int_equal(algorithm_hash(ALGORITHM_SHA256, &(HashPart) {text, strlen(text)}, 1, digest), 0);
                assert_int_equal(pcr_extend(ALGORITHM_SHA256, bank->digests[extended[i]], digest), 0);
        }
}

static void case_init(Case *c, const char *attest, const char *key) {
        _cleanup_buffer_ Buffer nonce = data_read("/attest/nonce");

        *c = (Case) {};
        c->attest = data_read("/attest/%s.attest", attest);
        c->signature = data_read("/attest/%s.signature", attest);
        c->public_key = data_read("/attest/%s.public", key);
        c->report = data_read("/attest/report");
        nonce.data[32] = 0;
        assert_int_equal(hex_decode(nonce.data, sizeof(c->nonce), c->nonce), 0);
        fill_pcrs(&c->pcrs);

        c->quote.pcrs = &c->pcrs;
        c->request = (QuoteRequest) {
                .nonce = c->nonce,
                .nonce_size = sizeof(c->nonce),
                .bank = ALGORITHM_SHA256,
                .selection = SELECTION,
                .report = c->report.data,
                .report_size = c->report.size,
        };
}

static void case_done(Case *c) {
        buffer_done(&c->attest);
        buffer_done(&c->signature);
        buffer_done(&c->public_key);
        buffer_done(&c->report);
}

static int case_check(Case *c, QuoteResult *ret) {
        QuoteResult result;

        c->quote.attest = c->attest.data;
        c->quote.attest_size = c->attest.size;
        c->quote.signature = c->signature.data;
        c->quote.signature_size = c->signature.size;
        c->quote.public_key = c->public_key.data;
        c->quote.public_key_size = c->public_key.size;
        c->request.report = c->report.data;
        c->request.report_size = c->report.size;

        return quote_check(&c->quote, &c->request, ret ? ret : &result);
}

static void test_good(_unused_ void **state) {
        QuoteResult result;
        Case c;

        case_init(&c, "good", "good");
        assert_int_equal(case_check(&c, &result), QUOTE_OK);
        assert_int_equal(result.attest.bank, ALGORITHM_SHA256);
        assert_int_equal(result.attest.selection, SELECTION);
        assert_int_equal(result.attest.reset_count, 1);
        assert_int_equal(result.attest.restart_count, 0);
        assert_true(result.attest.firmware_version > 0);
        assert_int_equal(result.attest.extra_data_size, 32);
        assert_int_equal(result.attest.pcr_digest_size, 32);
        assert_true(result.endorsement);
        assert_true(public_key_restricted(result.key.attributes));
        assert_int_equal(result.key.name[1], 0x0B);

        /* The expected key. */
        c.request.key_name = result.key.name;
        assert_int_equal(case_check(&c, NULL), QUOTE_OK);
        case_done(&c);
}

/* The TPM obfuscates the counters for other hierarchies than the endorsement hierarchy; the result says so. */
static void test_owner(_unused_ void **state) {
        QuoteResult result;
        Case c;

        case_init(&c, "owner", "owner");
        assert_int_equal(case_check(&c, &result), QUOTE_OK);
        assert_false(result.endorsement);
        assert_int_not_equal(result.attest.reset_count, 1);
        case_done(&c);
}

static const struct {
        const char *attest, *key;
        int fault;
} others[] = {
        {"unrestricted", "unrestricted", QUOTE_KEY_ATTRIBUTES},
        {"rsa", "rsa", QUOTE_KEY_TYPE},
        {"p384", "p384", QUOTE_KEY_TYPE},
        {"good", "owner", QUOTE_SIGNATURE},
        {"owner", "good", QUOTE_SIGNATURE},
        {"rsa", "good", QUOTE_SIGNATURE_SCHEME},
        {"p384", "good", QUOTE_SIGNATURE_MALFORMED},
        {"time", "good", QUOTE_TYPE},
        {"banks", "good", QUOTE_SELECTION},
        {"replayed", "good", QUOTE_NONCE},
};

static void test_others(_unused_ void **state) {
        for (size_t i = 0; i < ELEMENTSOF(others); i++) {
                Case c;

                case_init(&c, others[i].attest, others[i].key);
                assert_int_equal(case_check(&c, NULL), others[i].fault);
                case_done(&c);
        }
}

/* Flips each bit of each part: the quote is refused for a fitting reason, and the result stays unchanged. */
static void test_every_bit(_unused_ void **state) {
        Case c;
        Buffer *parts[] = {&c.attest, &c.signature, &c.public_key};

        case_init(&c, "good", "good");
        for (size_t part = 0; part < ELEMENTSOF(parts); part++)
                for (size_t i = 0; i < parts[part]->size; i++)
                        for (int bit = 0; bit < 8; bit++) {
                                QuoteResult result = {.key.attributes = 12345};
                                int r;

                                parts[part]->data[i] ^= (char) (1 << bit);
                                r = case_check(&c, &result);
                                parts[part]->data[i] ^= (char) (1 << bit);
                                assert_true(r > QUOTE_OK && r < _QUOTE_FAULT_MAX);
                                assert_int_equal(result.key.attributes, 12345);
                        }
        assert_int_equal(case_check(&c, NULL), QUOTE_OK);
        case_done(&c);
}

/* Tries every wrong length, in memory of exactly that length. */
static void test_every_length(_unused_ void **state) {
        static const int malformed[] = {QUOTE_ATTEST_MALFORMED, QUOTE_SIGNATURE_MALFORMED, QUOTE_PUBLIC_MALFORMED};
        Case c;
        Buffer *parts[] = {&c.attest, &c.signature, &c.public_key};

        case_init(&c, "good", "good");
        for (size_t part = 0; part < ELEMENTSOF(parts); part++) {
                Buffer whole = *parts[part];

                for (size_t size = 0; size <= whole.size + 1; size++) {
                        if (size == whole.size)
                                continue;
                        parts[part]->data = calloc(1, size > 0 ? size : 1);
                        parts[part]->size = size;
                        memcpy(parts[part]->data, whole.data, size < whole.size ? size : whole.size);
                        assert_int_equal(case_check(&c, NULL), malformed[part]);
                        free(parts[part]->data);
                }
                *parts[part] = whole;
        }
        case_done(&c);
}

/* Replaces bytes of a part. */
static const struct {
        char part; /* a: attest, s: signature, p: public key */
        size_t offset, size;
        const char *bytes;
        int fault;
} forgeries[] = {
        {'a', 0, 4, "\xDE\xAD\xBE\xEF", QUOTE_MAGIC},
        {'a', 0, 4, "\xFF\x54\x43\x48", QUOTE_MAGIC},
        {'a', 4, 2, "\x80\x17", QUOTE_TYPE}, /* certify */
        {'a', 4, 2, "\x80\x14", QUOTE_TYPE}, /* NV */
        {'a', 6, 2, "\xFF\xFF", QUOTE_ATTEST_MALFORMED},
        {'a', 42, 2, "\xFF\xFF", QUOTE_ATTEST_MALFORMED},
        {'a', 44, 1, "\x00", QUOTE_SIGNATURE},           /* in the qualifying data */
        {'a', 92, 1, "\x02", QUOTE_ATTEST_MALFORMED},    /* "safe" is yes or no */
        {'a', 101, 4, "\x00\x00\x00\x02", QUOTE_SELECTION},
        {'a', 101, 4, "\xFF\xFF\xFF\xFF", QUOTE_SELECTION},
        {'a', 105, 2, "\x00\x99", QUOTE_SELECTION},
        {'a', 107, 1, "\xFF", QUOTE_ATTEST_MALFORMED},
        {'a', 111, 2, "\x00\x1F", QUOTE_ATTEST_MALFORMED},
        {'s', 0, 2, "\x00\x14", QUOTE_SIGNATURE_SCHEME}, /* RSASSA */
        {'s', 2, 2, "\x00\x04", QUOTE_SIGNATURE_SCHEME}, /* SHA-1 */
        {'s', 4, 2, "\x00\x21", QUOTE_SIGNATURE_MALFORMED},
        {'s', 4, 2, "\x00\x00", QUOTE_SIGNATURE_MALFORMED},
        {'s', 6, 4, "\x00\x00\x00\x00", QUOTE_SIGNATURE},
        {'p', 0, 2, "\xFF\xFF", QUOTE_PUBLIC_MALFORMED},
        {'p', 2, 2, "\x00\x01", QUOTE_KEY_TYPE},         /* RSA */
        {'p', 4, 2, "\x00\x04", QUOTE_KEY_TYPE},         /* a SHA-1 name */
        {'p', 6, 4, "\x00\x04\x04\x72", QUOTE_KEY_ATTRIBUTES}, /* not restricted */
        {'p', 6, 4, "\x00\x05\x04\x70", QUOTE_KEY_ATTRIBUTES}, /* not fixedTPM */
        {'p', 6, 4, "\x00\x05\x04\x62", QUOTE_KEY_ATTRIBUTES}, /* not fixedParent */
        {'p', 6, 4, "\x00\x05\x04\x52", QUOTE_KEY_ATTRIBUTES}, /* not sensitiveDataOrigin */
        {'p', 6, 4, "\x00\x01\x04\x72", QUOTE_KEY_ATTRIBUTES}, /* not sign */
        {'p', 6, 4, "\x00\x07\x04\x72", QUOTE_KEY_ATTRIBUTES}, /* decrypt */
        {'p', 6, 4, "\x00\x0D\x04\x72", QUOTE_KEY_ATTRIBUTES}, /* x509sign */
        {'p', 6, 4, "\x00\x05\x00\x72", QUOTE_SIGNER}, /* another attribute that is allowed */
        {'p', 10, 2, "\x00\xFF", QUOTE_PUBLIC_MALFORMED},
        {'p', 12, 2, "\x00\x06", QUOTE_KEY_TYPE},        /* a symmetric algorithm */
        {'p', 14, 2, "\x00\x10", QUOTE_KEY_TYPE},        /* any scheme */
        {'p', 16, 2, "\x00\x0C", QUOTE_KEY_TYPE},
        {'p', 18, 2, "\x00\x04", QUOTE_KEY_TYPE},        /* P-384 */
        {'p', 20, 2, "\x00\x20", QUOTE_KEY_TYPE},
        {'p', 24, 4, "\x00\x00\x00\x00", QUOTE_SIGNATURE}, /* a point that is not on the curve */
};

static void test_forgeries(_unused_ void **state) {
        for (size_t i = 0; i < ELEMENTSOF(forgeries); i++) {
                Buffer *part;
                Case c;

                case_init(&c, "good", "good");
                part = forgeries[i].part == 'a' ? &c.attest : forgeries[i].part == 's' ? &c.signature : &c.public_key;
                memcpy(part->data + forgeries[i].offset, forgeries[i].bytes, forgeries[i].size);
                assert_int_equal(case_check(&c, NULL), forgeries[i].fault);
                case_done(&c);
        }
}

static void test_other_key(_unused_ void **state) {
        uint8_t name[KEY_NAME_SIZE];
        PublicKey owner;
        Case c;

        case_init(&c, "owner", "owner");
        assert_int_equal(public_key_parse(c.public_key.data, c.public_key.size, &owner), QUOTE_OK);
        memcpy(name, owner.name, sizeof(name));
        case_done(&c);

        case_init(&c, "good", "good");
        c.request.key_name = name;
        assert_int_equal(case_check(&c, NULL), QUOTE_OTHER_KEY);
        case_done(&c);
}

static void test_request(_unused_ void **state) {
        static const uint8_t long_nonce[65];
        Case c;

        case_init(&c, "good", "good");
        c.request.nonce_size = 15;
        assert_int_equal(case_check(&c, NULL), QUOTE_NONCE_SIZE);
        c.request.nonce = long_nonce;
        c.request.nonce_size = 65;
        assert_int_equal(case_check(&c, NULL), QUOTE_NONCE_SIZE);
        c.request.nonce_size = 64;
        assert_int_equal(case_check(&c, NULL), QUOTE_NONCE);
        c.request.nonce_size = 16;
        assert_int_equal(case_check(&c, NULL), QUOTE_NONCE);
        c.request.nonce = c.nonce;

        c.request.selection = SELECTION & ~1U;
        assert_int_equal(case_check(&c, NULL), QUOTE_SELECTION);
        c.request.selection = SELECTION;
        c.request.bank = ALGORITHM_SHA1;
        assert_int_equal(case_check(&c, NULL), QUOTE_SELECTION);
        c.request.bank = ALGORITHM_SHA256;
        assert_int_equal(case_check(&c, NULL), QUOTE_OK);
        case_done(&c);
}

static void test_report(_unused_ void **state) {
        uint8_t hash[32];
        Case c;

        case_init(&c, "good", "good");
        assert_int_equal(algorithm_hash(ALGORITHM_SHA256, &(HashPart) {c.report.data, c.report.size}, 1, hash), 0);
        c.report.data[2] ^= 1;
        assert_int_equal(case_check(&c, NULL), QUOTE_NONCE);

        /* The hash that the guest sent decides between the two reasons; a wrong hash never makes a quote good. */
        c.quote.report_hash = hash;
        assert_int_equal(case_check(&c, NULL), QUOTE_REPORT);
        hash[0] ^= 1;
        assert_int_equal(case_check(&c, NULL), QUOTE_NONCE);
        c.report.data[2] ^= 1;
        assert_int_equal(case_check(&c, NULL), QUOTE_OK);
        case_done(&c);
}

static void test_pcrs(_unused_ void **state) {
        PcrBank *bank;
        Case c;

        case_init(&c, "good", "good");
        bank = c.pcrs.banks + ALGORITHM_SHA256;
        for (unsigned i = 0; i < PCR_COUNT; i++) {
                if (!(SELECTION & 1U << i))
                        continue;
                bank->digests[i][31] ^= 1;
                assert_int_equal(case_check(&c, NULL), QUOTE_PCR_DIGEST);
                bank->digests[i][31] ^= 1;
                bank->present &= ~(1U << i);
                assert_int_equal(case_check(&c, NULL), QUOTE_PCRS_MISSING);
                bank->present |= 1U << i;
        }
        bank->present = PCR_ALL; /* PCRs that were not requested do not matter */
        assert_int_equal(case_check(&c, NULL), QUOTE_OK);
        case_done(&c);
}

/* The file is byte for byte the file of tpm2_quote -o. */
static void test_pcr_file(_unused_ void **state) {
        _cleanup_buffer_ Buffer expected = data_read("/attest/good.pcrs"), b = BUFFER_NULL, few = BUFFER_NULL;
        Pcrs pcrs = {};

        fill_pcrs(&pcrs);
        assert_int_equal(quote_pcr_file(&pcrs, ALGORITHM_SHA256, SELECTION, &b), 0);
        assert_true(buffer_equal(&b, &expected));

        assert_int_equal(quote_pcr_file(&pcrs, ALGORITHM_SHA256, 0xFF, &few), 0);
        assert_int_equal(few.size, 668);
        assert_int_equal(quote_pcr_file(&pcrs, ALGORITHM_SHA256, 1U << 10, &few), -ENODATA);
}

static void test_words(_unused_ void **state) {
        for (QuoteFault i = 0; i < _QUOTE_FAULT_MAX; i++) {
                assert_true(strlen(quote_fault_sentence(i)) > 10);
                for (QuoteFault k = 0; k < i; k++) {
                        assert_string_not_equal(quote_fault_code(i), quote_fault_code(k));
                        assert_string_not_equal(quote_fault_sentence(i), quote_fault_sentence(k));
                }
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_good),         cmocka_unit_test(test_owner),
                cmocka_unit_test(test_others),       cmocka_unit_test(test_every_bit),
                cmocka_unit_test(test_every_length), cmocka_unit_test(test_forgeries),
                cmocka_unit_test(test_other_key),    cmocka_unit_test(test_request),
                cmocka_unit_test(test_report),       cmocka_unit_test(test_pcrs),
                cmocka_unit_test(test_pcr_file),     cmocka_unit_test(test_words),
        };

        return cmocka_run_group_tests_name("attest", tests, NULL, NULL);
}
