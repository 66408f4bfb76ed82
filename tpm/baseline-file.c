/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The baseline as JSON. Reading is strict, and an error names the PCR. Tests: tests/unit/tpm/test-baseline.c.
 */

#include <assert.h>

#include "core/text.h"
#include "tpm/baseline-internal.h"

#define BASELINE_SCHEMA 1

typedef struct BaselineReading {
        const char *file;
        Baseline *baseline;
        char **error;
} BaselineReading;

_printf_(2, 3) static int baseline_refuse(const BaselineReading *in, const char *format, ...) {
        _cleanup_free_ char *what = NULL;
        va_list ap;

        va_start(ap, format);
        what = xvasprintf(format, ap);
        va_end(ap);
        if (!what)
                return -ENOMEM;

        *in->error = xasprintf("%s: %s", in->file, what);
        return *in->error ? -EBADMSG : -ENOMEM;
}

/* Quotes a name from the file for an error: shortened and escaped. Return: the text, or NULL: no memory. */
static char *baseline_quote_name(const char *name) {
        _cleanup_buffer_ Buffer b = BUFFER_NULL;

        if (buffer_puts(&b, "\"") < 0 || text_escape(&b, name, strlen(name), 40) < 0 || buffer_puts(&b, "\"") < 0)
                return NULL;

        return TAKE_PTR(b.data);
}

/* As json_get_text(), but NULL for a text with a NUL in it. */
static const char *baseline_get_text(json_object *o, const char *key) {
        const char *text = json_get_text(o, key);
        json_object *value;

        if (!text || !json_object_object_get_ex(o, key, &value) ||
            strlen(text) != (size_t) json_object_get_string_len(value))
                return NULL;

        return text;
}

/* Refuses the first member whose name is not in the list. Return: 0, -EBADMSG, -ENOMEM. */
static int baseline_only_members(const BaselineReading *in, json_object *o, const char *where,
                                 const char *const names[]) {
        json_object_object_foreach(o, key, value) {
                _cleanup_free_ char *text = NULL;
                size_t i = 0;

                (void) value;
                while (names[i] && !streq(names[i], key))
                        i++;
                if (names[i])
                        continue;

                text = baseline_quote_name(key);
                return text ? baseline_refuse(in, "%shas an unknown member %s", where, text) : -ENOMEM;
        }

        return 0;
}

static int baseline_read_value(const BaselineReading *in, unsigned number, json_object *o) {
        static const char *const names[] = {"digest", "label", NULL};
        BaselinePcr *pcr = in->baseline->pcrs + number;
        size_t size = algorithm_size(in->baseline->bank);
        const char *hex = baseline_get_text(o, "digest"), *label = baseline_get_text(o, "label");
        uint8_t digest[DIGEST_SIZE_MAX];
        char where[16];
        int r;

        (void) snprintf(where, sizeof(where), "PCR %u ", number);
        if (!json_object_is_type(o, json_type_object))
                return baseline_refuse(in, "PCR %u: a value is not an object with a \"digest\"", number);
        r = baseline_only_members(in, o, where, names);
        if (r < 0)
                return r;

        if (!hex || hex_decode(hex, size, digest) < 0)
                return baseline_refuse(in, "PCR %u: a digest is not the %zu hex digits that %s has", number, 2 * size,
                                       algorithm_to_string(in->baseline->bank));
        if (json_object_object_get_ex(o, "label", NULL) && (!label || !baseline_label_is_valid(label)))
                return baseline_refuse(in, "PCR %u: a label is not a text of at most %u printable ASCII characters",
                                       number, BASELINE_LABEL_MAX);
        if (baseline_find(pcr, digest, size))
                return baseline_refuse(in, "PCR %u: the digest %.16s... is there twice", number, hex);

        return baseline_push(pcr, digest, size, label);
}

static int baseline_read_pcr(const BaselineReading *in, unsigned number, json_object *o) {
        static const char *const names[] = {"level", "values", NULL};
        BaselinePcr *pcr = in->baseline->pcrs + number;
        const char *level = json_get_text(o, "level");
        json_object *values = json_get_array(o, "values");
        size_t n = values ? json_object_array_length(values) : 0;
        char where[16];
        int r;

        (void) snprintf(where, sizeof(where), "PCR %u ", number);
        if (!json_object_is_type(o, json_type_object))
                return baseline_refuse(in, "PCR %u is not an object with \"level\" and \"values\"", number);
        r = baseline_only_members(in, o, where, names);
        if (r < 0)
                return r;

        pcr->listed = true;
        pcr->level = level ? baseline_level_from_string(level) : _BASELINE_LEVEL_INVALID;
        if (pcr->level < 0)
                return baseline_refuse(in, "PCR %u: its level is not must, warn or ignore", number);
        if (n < 1 || n > BASELINE_VALUES_MAX)
                return baseline_refuse(in, "PCR %u: expected 1 to %u values", number, BASELINE_VALUES_MAX);

        for (size_t i = 0; i < n && r >= 0; i++)
                r = baseline_read_value(in, number, json_object_array_get_idx(values, i));

        return r;
}

static int baseline_read_pcrs(const BaselineReading *in, json_object *pcrs) {
        if (!json_object_is_type(pcrs, json_type_object))
                return baseline_refuse(in, "it has no object \"pcrs\"");
        if (json_object_object_length(pcrs) == 0)
                return baseline_refuse(in, "its \"pcrs\" lists no PCR");

        json_object_object_foreach(pcrs, key, value) {
                int number = pcr_from_string(key), r;

                if (number < 0) {
                        _cleanup_free_ char *text = baseline_quote_name(key);

                        return text ? baseline_refuse(in, "there is no PCR %s: expected \"0\" to \"23\"", text)
                                    : -ENOMEM;
                }

                r = baseline_read_pcr(in, (unsigned) number, value);
                if (r < 0)
                        return r;
        }

        return 0;
}

static size_t baseline_count_members(json_object *o) {
        size_t n = 0;

        if (json_object_is_type(o, json_type_array))
                for (size_t i = 0; i < json_object_array_length(o); i++)
                        n += baseline_count_members(json_object_array_get_idx(o, i));

        if (json_object_is_type(o, json_type_object)) {
                json_object_object_foreach(o, key, value) {
                        (void) key;
                        n += 1 + baseline_count_members(value);
                }
        }

        return n;
}

/* json-c keeps the last of two members of one name. Without duplicates the text has a colon for each member. */
static bool baseline_has_duplicates(const char *text, size_t size, json_object *o) {
        bool in_string = false;
        size_t n = 0;

        for (size_t i = 0; i < size; i++)
                if (in_string && text[i] == '\\')
                        i++;
                else if (text[i] == '"')
                        in_string = !in_string;
                else if (!in_string && text[i] == ':')
                        n++;

        return n != baseline_count_members(o);
}

static int baseline_read_top(const BaselineReading *in, json_object *o) {
        static const char *const names[] = {"schema", "bank", "pcrs", NULL};
        const char *bank = json_get_text(o, "bank");
        json_object *value;
        int r;

        if (!json_object_is_type(o, json_type_object))
                return baseline_refuse(in, "it is not a JSON object");
        r = baseline_only_members(in, o, "it ", names);
        if (r < 0)
                return r;
        if (!json_object_object_get_ex(o, "schema", &value) || !json_object_is_type(value, json_type_int) ||
            json_object_get_int64(value) != BASELINE_SCHEMA)
                return baseline_refuse(in, "its \"schema\" is not %d, the only one that this version reads",
                                       BASELINE_SCHEMA);

        in->baseline->bank = bank ? algorithm_from_string(bank) : _ALGORITHM_INVALID;
        if (in->baseline->bank < 0)
                return baseline_refuse(in, "its \"bank\" is not sha1, sha256, sha384, sha512 or sm3");

        return baseline_read_pcrs(in, json_object_object_get_ex(o, "pcrs", &value) ? value : NULL);
}

int baseline_parse(const char *text, size_t size, const char *file, Baseline **ret, char **ret_error) {
        _cleanup_(baseline_freep) Baseline *baseline = calloc(1, sizeof(*baseline));
        const BaselineReading in = {file, baseline, ret_error};
        _cleanup_json_ json_object *o = NULL;
        int r;

        assert(ret);
        assert(ret_error);

        *ret_error = NULL;
        if (!baseline)
                return -ENOMEM;
        if (size > BASELINE_SIZE_MAX)
                return baseline_refuse(&in, "it is larger than %u KiB", BASELINE_SIZE_MAX >> 10);

        r = json_parse(text, size, &o);
        if (r == -EBADMSG)
                return baseline_refuse(&in, "it is not valid JSON");
        if (r < 0)
                return r;
        if (baseline_has_duplicates(text, size, o))
                return baseline_refuse(&in, "a member or a PCR is there twice");

        r = baseline_read_top(&in, o);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(baseline);
        return 0;
}

static int baseline_values_to_json(const BaselinePcr *pcr, size_t size, json_object **ret) {
        _cleanup_json_ json_object *array = json_object_new_array();

        if (!array)
                return -ENOMEM;

        for (size_t i = 0; i < pcr->n_values; i++) {
                _cleanup_json_ json_object *o = json_object_new_object();
                const BaselineValue *value = pcr->values + i;
                char hex[2 * DIGEST_SIZE_MAX + 1];

                hex_encode(value->digest, size, hex);
                if (!o || json_set_text(o, "digest", hex) < 0 ||
                    (value->label && json_set_text(o, "label", value->label) < 0) || json_add(array, TAKE_PTR(o)) < 0)
                        return -ENOMEM;
        }

        *ret = TAKE_PTR(array);
        return 0;
}

/* Like json_set(), but the key is the number of a PCR. */
static int baseline_set_pcr(json_object *o, unsigned number, json_object *value) {
        char key[4];

        (void) snprintf(key, sizeof(key), "%u", number % PCR_COUNT);
        if (json_object_object_add(o, key, value) < 0) {
                json_object_put(value);
                return -ENOMEM;
        }

        return 0;
}

int baseline_format(const Baseline *baseline, Buffer *b) {
        _cleanup_json_ json_object *o = json_object_new_object(), *pcrs = json_object_new_object();

        assert(baseline);
        assert(b);

        if (!o || !pcrs || json_set(o, "schema", json_object_new_int(BASELINE_SCHEMA)) < 0 ||
            json_set_text(o, "bank", algorithm_to_string(baseline->bank)) < 0)
                return -ENOMEM;

        for (unsigned i = 0; i < PCR_COUNT; i++) {
                const BaselinePcr *pcr = baseline->pcrs + i;
                _cleanup_json_ json_object *row = NULL;
                json_object *values;

                if (!pcr->listed)
                        continue;

                row = json_object_new_object();
                if (!row || json_set_text(row, "level", baseline_level_to_string(pcr->level)) < 0 ||
                    baseline_values_to_json(pcr, algorithm_size(baseline->bank), &values) < 0 ||
                    json_set(row, "values", values) < 0 || baseline_set_pcr(pcrs, i, TAKE_PTR(row)) < 0)
                        return -ENOMEM;
        }

        if (json_set(o, "pcrs", TAKE_PTR(pcrs)) < 0)
                return -ENOMEM;

        return json_format_pretty(o, b);
}

static int baseline_outcome_to_json(const Baseline *baseline, const BaselineCheck *check, unsigned number,
                                    json_object **ret) {
        _cleanup_json_ json_object *o = NULL;
        const BaselineValue *match = check->pcrs[number].match;
        const uint8_t *actual = check->pcrs[number].actual;
        size_t size = algorithm_size(baseline->bank);
        char hex[2 * DIGEST_SIZE_MAX + 1];
        json_object *values;

        if (actual)
                hex_encode(actual, size, hex);

        o = json_object_new_object();
        if (!o || json_set_text(o, "level", baseline_level_to_string(baseline->pcrs[number].level)) < 0 ||
            json_set_text(o, "outcome", baseline_outcome_to_string(check->pcrs[number].outcome)) < 0 ||
            json_set_text(o, "label", match ? match->label : NULL) < 0 ||
            json_set_text(o, "actual", actual ? hex : NULL) < 0 ||
            baseline_values_to_json(baseline->pcrs + number, size, &values) < 0 || json_set(o, "expected", values) < 0)
                return -ENOMEM;

        *ret = TAKE_PTR(o);
        return 0;
}

int baseline_check_to_json(const Baseline *baseline, const BaselineCheck *check, json_object **ret) {
        _cleanup_json_ json_object *o = json_object_new_object(), *pcrs = json_object_new_object();
        json_object *pcr;

        assert(ret);

        if (!o || !pcrs || json_set_text(o, "bank", algorithm_to_string(baseline->bank)) < 0 ||
            json_set_text(o, "result", baseline_result_to_string(check->result)) < 0)
                return -ENOMEM;

        for (unsigned i = 0; i < PCR_COUNT; i++)
                if (baseline->pcrs[i].listed &&
                    (baseline_outcome_to_json(baseline, check, i, &pcr) < 0 || baseline_set_pcr(pcrs, i, pcr) < 0))
                        return -ENOMEM;

        if (json_set(o, "pcrs", TAKE_PTR(pcrs)) < 0)
                return -ENOMEM;

        *ret = TAKE_PTR(o);
        return 0;
}
