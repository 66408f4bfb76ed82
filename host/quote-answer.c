/* SPDX-License-Identifier: Apache-2.0 */

#include <assert.h>

#include "host/base64.h"
#include "host/quote-answer.h"
#include "host/shape.h"

#define BASE64_MAX BASE64_LENGTH(QUOTE_PART_SIZE_MAX)
#define BANK_MAX 16U
#define SELECTION_MAX 80U
#define SOURCE_MAX 256U

static bool is_selection(json_object *o) {
        uint32_t selection;

        return pcr_selection_parse(json_object_get_string(o), &selection) >= 0;
}

static bool is_bank(json_object *o) {
        return algorithm_from_string(json_object_get_string(o)) >= 0;
}

static bool is_hash(json_object *o) {
        uint8_t hash[REPORT_HASH_SIZE];

        return hex_decode(json_object_get_string(o), sizeof(hash), hash) >= 0;
}

static bool is_pcrs(json_object *o) {
        Pcrs pcrs;

        return pcrs_from_json(o, &pcrs) >= 0;
}

static const Field quote_fields[] = {
        {"report",        TEXT,         .required = true},
        {"attest",        TEXT,         .required = true, .max = BASE64_MAX},
        {"signature",     TEXT,         .required = true, .max = BASE64_MAX},
        {"public",        TEXT,         .required = true, .max = BASE64_MAX},
        {"bank",          TEXT,         .required = true, .max = BANK_MAX,      .allowed = is_bank},
        {"selection",     TEXT,         .required = true, .max = SELECTION_MAX, .allowed = is_selection},
        {"pcrs",          TYPE(object), .required = true, .allowed = is_pcrs},
        {"report_sha256", TEXT,         .max = 2 * REPORT_HASH_SIZE, .allowed = is_hash},
        {}
};

static const Field pcrs_fields[] = {
        {"source", TEXT_OR_NULL, .max = SOURCE_MAX},
        {"pcrs",   TYPE(object), .required = true, .allowed = is_pcrs},
        {}
};

static int bad(char **ret_where, const char *name, const char *what) {
        *ret_where = xasprintf("%s %s", name, what);
        return *ret_where ? (int) CAUSE_BAD_ANSWER : -ENOMEM;
}

static int check(json_object *value, const Field *fields, char **ret_where) {
        int r = shape_check(value, fields, ret_where);

        return r > 0 ? (int) CAUSE_BAD_ANSWER : r;
}

static int take_base64(json_object *value, const char *name, uint8_t *ret, size_t *ret_size, char **ret_where) {
        int r = base64_decode(json_get_text(value, name), QUOTE_PART_SIZE_MAX, ret, ret_size);

        return r < 0 ? bad(ret_where, name, r == -EMSGSIZE ? "is too long" : "is no base64") : 0;
}

int quote_answer_parse(json_object *value, QuoteAnswer *ret, char **ret_where) {
        const char *hash;
        int r;

        assert(ret);
        assert(ret_where);

        r = check(value, quote_fields, ret_where);
        if (r == 0)
                r = take_base64(value, "attest", ret->attest, &ret->attest_size, ret_where);
        if (r == 0)
                r = take_base64(value, "signature", ret->signature, &ret->signature_size, ret_where);
        if (r == 0)
                r = take_base64(value, "public", ret->public_key, &ret->public_key_size, ret_where);
        if (r != 0)
                return r;

        ret->bank = algorithm_from_string(json_get_text(value, "bank"));
        (void) pcr_selection_parse(json_get_text(value, "selection"), &ret->selection);
        (void) pcrs_from_json(json_object_object_get(value, "pcrs"), &ret->pcrs);

        ret->report = json_get_text(value, "report");
        ret->report_size = strlen(ret->report);
        hash = json_get_text(value, "report_sha256");
        ret->has_report_hash = hash && hex_decode(hash, sizeof(ret->report_hash), ret->report_hash) >= 0;
        return 0;
}

int pcrs_answer_parse(json_object *value, Pcrs *ret, char **ret_where) {
        int r;

        assert(ret);
        assert(ret_where);

        r = check(value, pcrs_fields, ret_where);
        if (r != 0)
                return r;

        (void) pcrs_from_json(json_object_object_get(value, "pcrs"), ret);
        return 0;
}
