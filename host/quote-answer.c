/* SPDX-License-Identifier: Apache-2.0 */

#include <assert.h>

#include "host/base64.h"
#include "host/quote-answer.h"
#include "host/shape.h"

#define QUOTE_ANSWER_BASE64_MAX BASE64_LENGTH(QUOTE_PART_SIZE_MAX)
#define QUOTE_ANSWER_BANK_MAX 16U
#define QUOTE_ANSWER_SELECTION_MAX 80U
#define PCRS_ANSWER_SOURCE_MAX 256U

static bool quote_answer_selection_allowed(json_object *o) {
        uint32_t selection;

        return pcr_selection_parse(json_object_get_string(o), &selection) >= 0;
}

static bool quote_answer_bank_allowed(json_object *o) {
        return algorithm_from_string(json_object_get_string(o)) >= 0;
}

static bool quote_answer_hash_allowed(json_object *o) {
        uint8_t hash[REPORT_HASH_SIZE];

        return hex_decode(json_object_get_string(o), sizeof(hash), hash) >= 0;
}

static bool quote_answer_pcrs_allowed(json_object *o) {
        Pcrs pcrs;

        return pcrs_from_json(o, &pcrs) >= 0;
}

static const ShapeField quote_answer_fields[] = {
        {"report",        SHAPE_TEXT,         .required = true},
        {"attest",        SHAPE_TEXT,         .required = true, .max = QUOTE_ANSWER_BASE64_MAX},
        {"signature",     SHAPE_TEXT,         .required = true, .max = QUOTE_ANSWER_BASE64_MAX},
        {"public",        SHAPE_TEXT,         .required = true, .max = QUOTE_ANSWER_BASE64_MAX},
        {"bank",          SHAPE_TEXT,         .required = true, .max = QUOTE_ANSWER_BANK_MAX,
         .allowed = quote_answer_bank_allowed},
        {"selection",     SHAPE_TEXT,         .required = true, .max = QUOTE_ANSWER_SELECTION_MAX,
         .allowed = quote_answer_selection_allowed},
        {"pcrs",          SHAPE_TYPE(object), .required = true, .allowed = quote_answer_pcrs_allowed},
        {"report_sha256", SHAPE_TEXT,         .max = 2 * REPORT_HASH_SIZE, .allowed = quote_answer_hash_allowed},
        {}
};

static const ShapeField pcrs_answer_fields[] = {
        {"source", SHAPE_TEXT_OR_NULL, .max = PCRS_ANSWER_SOURCE_MAX},
        {"pcrs",   SHAPE_TYPE(object), .required = true, .allowed = quote_answer_pcrs_allowed},
        {}
};

static int quote_answer_check(json_object *value, const ShapeField *fields, char **ret_where) {
        int r = shape_check(value, fields, ret_where);

        return r > 0 ? (int) CAUSE_BAD_ANSWER : r;
}

static int quote_answer_take(json_object *value, const char *name, uint8_t *ret, size_t *ret_size, char **ret_where) {
        int r;

        r = base64_decode(json_get_text(value, name), QUOTE_PART_SIZE_MAX, ret, ret_size);
        if (r >= 0)
                return 0;

        *ret_where = xasprintf("%s %s", name, r == -EMSGSIZE ? "is too long" : "is no base64");
        if (!*ret_where)
                return -ENOMEM;

        return (int) CAUSE_BAD_ANSWER;
}

int quote_answer_parse(json_object *value, QuoteAnswer *ret, char **ret_where) {
        const char *hash;
        int r;

        assert(ret);
        assert(ret_where);

        r = quote_answer_check(value, quote_answer_fields, ret_where);
        if (r != 0)
                return r;

        r = quote_answer_take(value, "attest", ret->attest, &ret->attest_size, ret_where);
        if (r != 0)
                return r;

        r = quote_answer_take(value, "signature", ret->signature, &ret->signature_size, ret_where);
        if (r != 0)
                return r;

        r = quote_answer_take(value, "public", ret->public_key, &ret->public_key_size, ret_where);
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

        r = quote_answer_check(value, pcrs_answer_fields, ret_where);
        if (r != 0)
                return r;

        (void) pcrs_from_json(json_object_object_get(value, "pcrs"), ret);
        return 0;
}
