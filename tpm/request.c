/* SPDX-License-Identifier: Apache-2.0 */

#include <assert.h>

#include "core/json.h"
#include "core/text.h"
#include "tpm/request.h"

static const char *const tpm_verb_names[_TPM_VERB_MAX] = {
        [TPM_VERB_PCRS] = "pcrs",
        [TPM_VERB_EVENTLOG] = "eventlog",
        [TPM_VERB_VERDICT] = "verdict",
        [TPM_VERB_QUOTE] = "quote",
};

#define TPM_REQUEST_BAD(fault, ...) fault_set(fault, FAULT_BAD_REQUEST, __VA_ARGS__)

/* Each of these reads the value of one argument. Return: 0, FAULT or -ENOMEM. */
static int tpm_request_set_bank(TpmRequest *q, json_object *value, Fault *fault) {
        q->bank = json_object_is_type(value, json_type_string) ? algorithm_from_string(json_object_get_string(value))
                                                               : _ALGORITHM_INVALID;
        if (q->bank == _ALGORITHM_INVALID)
                return TPM_REQUEST_BAD(fault, "bank is not one of sha1, sha256, sha384, sha512, sm3");

        return 0;
}

static int tpm_request_read_number(json_object *value, const char *name, uint32_t least, uint32_t *ret, Fault *fault) {
        int64_t number = json_object_is_type(value, json_type_int) ? json_object_get_int64(value) : -1;

        if (number < least || number > UINT32_MAX)
                return TPM_REQUEST_BAD(fault, "%s is not a whole number from %u to %u", name, least, UINT32_MAX);

        *ret = (uint32_t) number;
        return 0;
}

static int tpm_request_set_offset(TpmRequest *q, json_object *value, Fault *fault) {
        return tpm_request_read_number(value, "offset", 0, &q->offset, fault);
}

static int tpm_request_set_limit(TpmRequest *q, json_object *value, Fault *fault) {
        return tpm_request_read_number(value, "limit", 1, &q->limit, fault);
}

/* Return: the text of a value; NULL if it is not a text or has a NUL byte, which JSON allows. */
static const char *tpm_request_text_of(json_object *value, size_t *ret_size) {
        const char *text = json_object_is_type(value, json_type_string) ? json_object_get_string(value) : NULL;

        *ret_size = text ? (size_t) json_object_get_string_len(value) : 0;
        return text && strlen(text) == *ret_size ? text : NULL;
}

static int tpm_request_set_nonce(TpmRequest *q, json_object *value, Fault *fault) {
        size_t digits;
        const char *text = tpm_request_text_of(value, &digits);

        if (text && digits < 2 * NONCE_SIZE_MIN)
                return TPM_REQUEST_BAD(fault, "nonce is too short: give %u to %u bytes in hex", NONCE_SIZE_MIN,
                                       NONCE_SIZE_MAX);
        if (text && digits > 2 * NONCE_SIZE_MAX)
                return TPM_REQUEST_BAD(fault, "nonce is too long: give %u to %u bytes in hex", NONCE_SIZE_MIN,
                                       NONCE_SIZE_MAX);

        q->nonce_size = digits / 2;
        if (!text || digits % 2 != 0 || hex_decode(text, q->nonce_size, q->nonce) < 0)
                return TPM_REQUEST_BAD(fault, "nonce is not a text of hex digits, two for each byte");

        return 0;
}

static int tpm_request_set_selection(TpmRequest *q, json_object *value, Fault *fault) {
        size_t size;
        const char *text = tpm_request_text_of(value, &size);

        if (!text || pcr_selection_parse(text, &q->selection) < 0)
                return TPM_REQUEST_BAD(fault, "selection is not a list of PCRs from 0 to 23, as \"0-7,14\"");

        return 0;
}

/* A request names the report in one of two ways, not in both. */
static int tpm_request_take_report(TpmRequest *q, Fault *fault) {
        if (q->has_report)
                return TPM_REQUEST_BAD(fault, "report and report_sha256 say the same, so give only one of them");

        q->has_report = true;
        return 0;
}

static int tpm_request_set_report(TpmRequest *q, json_object *value, Fault *fault) {
        HashPart part;
        int r;

        if (!json_object_is_type(value, json_type_string))
                return TPM_REQUEST_BAD(fault, "report is not a text");

        part = (HashPart){json_object_get_string(value), (size_t) json_object_get_string_len(value)};
        r = algorithm_hash(ALGORITHM_SHA256, &part, 1, q->report_hash);
        if (r < 0)
                return r;

        return tpm_request_take_report(q, fault);
}

static int tpm_request_set_report_hash(TpmRequest *q, json_object *value, Fault *fault) {
        size_t size;
        const char *text = tpm_request_text_of(value, &size);

        if (!text || hex_decode(text, sizeof(q->report_hash), q->report_hash) < 0)
                return TPM_REQUEST_BAD(fault, "report_sha256 is not a SHA-256 in hex, which has 64 digits");

        return tpm_request_take_report(q, fault);
}

#define TPM_VERB_BIT_PCRS (1U << TPM_VERB_PCRS)
#define TPM_VERB_BIT_EVENTLOG (1U << TPM_VERB_EVENTLOG)
#define TPM_VERB_BIT_VERDICT (1U << TPM_VERB_VERDICT)
#define TPM_VERB_BIT_QUOTE (1U << TPM_VERB_QUOTE)

static const struct {
        const char *name;
        unsigned verbs, required; /* TPM_VERB_BIT_…: verbs that have the argument, and verbs that need it */
        int (*set)(TpmRequest *q, json_object *value, Fault *fault);
} tpm_request_arguments[] = {
        {"bank", TPM_VERB_BIT_PCRS | TPM_VERB_BIT_VERDICT | TPM_VERB_BIT_QUOTE, TPM_VERB_BIT_QUOTE,
         tpm_request_set_bank},
        {"offset", TPM_VERB_BIT_EVENTLOG, 0, tpm_request_set_offset},
        {"limit", TPM_VERB_BIT_EVENTLOG, 0, tpm_request_set_limit},
        {"nonce", TPM_VERB_BIT_QUOTE, TPM_VERB_BIT_QUOTE, tpm_request_set_nonce},
        {"selection", TPM_VERB_BIT_QUOTE, TPM_VERB_BIT_QUOTE, tpm_request_set_selection},
        {"report", TPM_VERB_BIT_QUOTE, 0, tpm_request_set_report},
        {"report_sha256", TPM_VERB_BIT_QUOTE, 0, tpm_request_set_report_hash},
};

/* An unknown word is quoted in the answer; it is escaped and shortened, because the request may come from a host. */
static int tpm_request_unknown(Fault *fault, const char *what, const char *word) {
        _cleanup_buffer_ Buffer escaped = BUFFER_NULL;

        if (text_escape(&escaped, word, strlen(word), 40) < 0)
                return -ENOMEM;

        return TPM_REQUEST_BAD(fault, "there is no %s \"%s\"", what, strempty(escaped.data));
}

static int tpm_request_set_argument(TpmRequest *q, const char *name, json_object *value, Fault *fault) {
        for (size_t i = 0; i < ELEMENTSOF(tpm_request_arguments); i++)
                if ((tpm_request_arguments[i].verbs & 1U << q->verb) != 0 &&
                    streq(tpm_request_arguments[i].name, name))
                        return tpm_request_arguments[i].set(q, value, fault);

        return tpm_request_unknown(fault, "argument", name);
}

static int tpm_request_set_arguments(TpmRequest *q, json_object *o, Fault *fault) {
        int r;

        if (o) {
                json_object_object_foreach(o, name, value) {
                        r = tpm_request_set_argument(q, name, value, fault);
                        if (r != 0)
                                return r;
                }
        }

        for (size_t i = 0; i < ELEMENTSOF(tpm_request_arguments); i++)
                if ((tpm_request_arguments[i].required & 1U << q->verb) != 0 &&
                    !(o && json_object_object_get_ex(o, tpm_request_arguments[i].name, NULL)))
                        return TPM_REQUEST_BAD(fault, "the argument %s is missing", tpm_request_arguments[i].name);

        if (q->verb == TPM_VERB_QUOTE && !q->has_report)
                return TPM_REQUEST_BAD(fault, "the argument report is missing, or report_sha256 in its place");
        return 0;
}

static int tpm_request_set_verb(TpmRequest *q, const char *name, Fault *fault) {
        for (TpmVerb verb = 0; verb < _TPM_VERB_MAX; verb++)
                if (streq(tpm_verb_names[verb], name)) {
                        q->verb = verb;
                        return 0;
                }

        return tpm_request_unknown(fault, "command", name);
}

static int tpm_request_check_members(json_object *o, Fault *fault) {
        json_object_object_foreach(o, name, value) {
                if (streq(name, "execute") && json_object_is_type(value, json_type_string))
                        continue;
                if (streq(name, "arguments") && json_object_is_type(value, json_type_object))
                        continue;
                if (streq(name, "execute"))
                        return TPM_REQUEST_BAD(fault, "execute is not a text");
                if (streq(name, "arguments"))
                        return TPM_REQUEST_BAD(fault, "arguments is not an object");
                return tpm_request_unknown(fault, "member", name);
        }

        return 0;
}

int tpm_request_parse(const char *text, size_t size, TpmRequest *ret, Fault *fault) {
        _cleanup_json_ json_object *o = NULL;
        TpmRequest q = {.bank = _ALGORITHM_INVALID, .limit = UINT32_MAX};
        json_object *given = NULL;
        const char *verb;
        int r;

        assert(text && ret && fault);

        if (size > TPM_REQUEST_SIZE_MAX)
                return TPM_REQUEST_BAD(fault, "the request is longer than %u bytes", TPM_REQUEST_SIZE_MAX);

        r = json_parse(text, size, &o);
        if (r == -ENOMEM)
                return r;
        if (r < 0 || !json_object_is_type(o, json_type_object))
                return TPM_REQUEST_BAD(fault, "the request is not a JSON object");

        r = tpm_request_check_members(o, fault);
        if (r != 0)
                return r;

        verb = json_get_text(o, "execute");
        if (!verb)
                return TPM_REQUEST_BAD(fault, "the member execute is missing");

        (void) json_object_object_get_ex(o, "arguments", &given);
        r = tpm_request_set_verb(&q, verb, fault);
        if (r != 0)
                return r;
        r = tpm_request_set_arguments(&q, given, fault);
        if (r != 0)
                return r;

        *ret = q;
        return 0;
}
