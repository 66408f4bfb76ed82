/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Writing a verdict as a JSON document, and reading it. libcrypto is not needed.
 */

#include <assert.h>

#include "tpm/verdict.h"

#define VERDICT_SCHEMA 1

static const char *const verdict_states[_VERDICT_STATE_MAX] = {
        [VERDICT_NO_TPM] = "no-tpm",         [VERDICT_TPM_NO_DRIVER] = "tpm-no-driver",
        [VERDICT_TPM12] = "tpm12",
        [VERDICT_UNREADABLE] = "unreadable", [VERDICT_NOT_MEASURED] = "not-measured",
        [VERDICT_WRONG_BANK] = "wrong-bank", [VERDICT_SEPARATOR_ONLY] = "separator-only",
        [VERDICT_PARTIAL] = "partial",       [VERDICT_MEASURED] = "measured",
};

static const char *const verdict_logs[_VERDICT_LOG_MAX] = {
        [VERDICT_LOG_ABSENT] = "absent",
        [VERDICT_LOG_UNUSABLE] = "unusable",
        [VERDICT_LOG_MISMATCH] = "mismatch",
        [VERDICT_LOG_MATCH] = "match",
};

/* A member that is a set of PCRs: its name in JSON, and its place in a structure. */
typedef struct VerdictSet {
        const char *name;
        size_t offset;
} VerdictSet;

static const VerdictSet verdict_log_sets[] = {
        {"disagree", offsetof(Verdict, disagree)},
        {"explained", offsetof(Verdict, explained)},
};

static const VerdictSet verdict_bank_sets[] = {
        {"compared", offsetof(ReplayDifference, compared)},
        {"disagree", offsetof(ReplayDifference, differ)},
        {"explained", offsetof(ReplayDifference, explained)},
};

static const VerdictSet verdict_baseline_sets[] = {
        {"failed", offsetof(Verdict, baseline_failed)},
        {"warned", offsetof(Verdict, baseline_warned)},
};

Verdict *verdict_free(Verdict *verdict) {
        if (!verdict)
                return NULL;

        for (size_t i = 0; i < verdict->n_events; i++) {
                free(verdict->events[i].type);
                free(verdict->events[i].description);
                free(verdict->events[i].text);
        }
        free(verdict->events);
        free(verdict->boot_id);
        free(verdict->reason);
        free(verdict->remedy);
        free(verdict->log_reason);
        free(verdict->baseline_reason);
        free(verdict);
        return NULL;
}

const char *verdict_state_to_string(VerdictState state) {
        return verdict_states[state];
}

const char *verdict_log_to_string(VerdictLog log) {
        return verdict_logs[log];
}

VerdictIssue verdict_issue(const Verdict *verdict) {
        static const VerdictIssue states[_VERDICT_STATE_MAX] = {
                [VERDICT_NO_TPM] = VERDICT_ISSUE_NO_TPM,
                [VERDICT_TPM_NO_DRIVER] = VERDICT_ISSUE_TPM_NO_DRIVER,
                [VERDICT_TPM12] = VERDICT_ISSUE_TPM12,
                [VERDICT_UNREADABLE] = VERDICT_ISSUE_UNREADABLE,
                [VERDICT_NOT_MEASURED] = VERDICT_ISSUE_NOT_MEASURED,
                [VERDICT_WRONG_BANK] = VERDICT_ISSUE_WRONG_BANK,
                [VERDICT_SEPARATOR_ONLY] = VERDICT_ISSUE_SEPARATOR_ONLY,
                [VERDICT_PARTIAL] = VERDICT_ISSUE_PARTIAL,
        };

        if (verdict->state != VERDICT_MEASURED)
                return states[verdict->state];
        if (verdict->log == VERDICT_LOG_MISMATCH)
                return VERDICT_ISSUE_LOG_MISMATCH;
        if (verdict->baseline == BASELINE_INVALID)
                return VERDICT_ISSUE_BASELINE_INVALID;
        if (verdict->baseline == BASELINE_FAILURE)
                return VERDICT_ISSUE_BASELINE_MISMATCH;
        if (verdict->log == VERDICT_LOG_UNUSABLE)
                return VERDICT_ISSUE_LOG_UNUSABLE;
        if (verdict->log == VERDICT_LOG_ABSENT)
                return VERDICT_ISSUE_LOG_ABSENT;

        return verdict->baseline == BASELINE_WARNING ? VERDICT_ISSUE_BASELINE_WARNING : VERDICT_ISSUE_NONE;
}

const char *verdict_code(const Verdict *verdict) {
        static const char *const codes[_VERDICT_ISSUE_MAX] = {
                [VERDICT_ISSUE_NO_TPM] = "no-tpm",
                [VERDICT_ISSUE_TPM_NO_DRIVER] = "tpm-no-driver",
                [VERDICT_ISSUE_TPM12] = "tpm12",
                [VERDICT_ISSUE_UNREADABLE] = "unreadable",
                [VERDICT_ISSUE_NOT_MEASURED] = "not-measured",
                [VERDICT_ISSUE_WRONG_BANK] = "wrong-bank",
                [VERDICT_ISSUE_SEPARATOR_ONLY] = "separator-only",
                [VERDICT_ISSUE_PARTIAL] = "partial",
                [VERDICT_ISSUE_LOG_MISMATCH] = "log-mismatch",
                [VERDICT_ISSUE_BASELINE_INVALID] = "baseline-invalid",
                [VERDICT_ISSUE_BASELINE_MISMATCH] = "baseline-mismatch",
                [VERDICT_ISSUE_LOG_UNUSABLE] = "log-unusable",
                [VERDICT_ISSUE_LOG_ABSENT] = "log-absent",
                [VERDICT_ISSUE_BASELINE_WARNING] = "baseline-warning",
        };

        return codes[verdict_issue(verdict)];
}

bool verdict_good(const Verdict *verdict) {
        return verdict->state == VERDICT_MEASURED && verdict->log != VERDICT_LOG_MISMATCH &&
               verdict->log != VERDICT_LOG_UNUSABLE && verdict->baseline != BASELINE_FAILURE &&
               verdict->baseline != BASELINE_INVALID;
}

static int verdict_set_sets(json_object *o, const VerdictSet *sets, size_t n, const void *base) {
        for (size_t i = 0; i < n; i++) {
                uint32_t selection;
                json_object *array;

                memcpy(&selection, (const char *) base + sets[i].offset, sizeof(selection));
                if (pcr_selection_to_json(selection, &array) < 0 || json_set(o, sets[i].name, array) < 0)
                        return -ENOMEM;
        }

        return 0;
}

static int verdict_get_sets(json_object *o, const VerdictSet *sets, size_t n, void *base) {
        for (size_t i = 0; i < n; i++) {
                uint32_t selection;

                if (pcr_selection_from_json(json_get_array(o, sets[i].name), &selection) < 0)
                        return -EBADMSG;
                memcpy((char *) base + sets[i].offset, &selection, sizeof(selection));
        }

        return 0;
}

static const char *verdict_bank_name(Algorithm bank) {
        return bank >= 0 ? algorithm_to_string(bank) : NULL;
}

static int verdict_banks_to_json(const Verdict *v, json_object **ret) {
        _cleanup_json_ json_object *o = json_object_new_object();

        if (!o)
                return -ENOMEM;

        for (Algorithm i = 0; i < _ALGORITHM_MAX; i++) {
                _cleanup_json_ json_object *bank = NULL;

                if (v->banks[i].compared == 0)
                        continue;
                bank = json_object_new_object();
                if (!bank ||
                    verdict_set_sets(bank, verdict_bank_sets, ELEMENTSOF(verdict_bank_sets), v->banks + i) < 0 ||
                    json_set(o, algorithm_to_string(i), TAKE_PTR(bank)) < 0)
                        return -ENOMEM;
        }

        *ret = TAKE_PTR(o);
        return 0;
}

static int verdict_log_to_json(const Verdict *v, json_object **ret) {
        _cleanup_json_ json_object *o = json_object_new_object();
        json_object *banks;

        if (!o || json_set_text(o, "status", verdict_logs[v->log]) < 0 ||
            json_set_text(o, "reason", v->log_reason) < 0 ||
            json_set_text(o, "bank", verdict_bank_name(v->log_bank)) < 0 ||
            verdict_set_sets(o, verdict_log_sets, ELEMENTSOF(verdict_log_sets), v) < 0 ||
            verdict_banks_to_json(v, &banks) < 0 || json_set(o, "banks", banks) < 0)
                return -ENOMEM;

        *ret = TAKE_PTR(o);
        return 0;
}

static int verdict_baseline_to_json(const Verdict *v, json_object **ret) {
        _cleanup_json_ json_object *o = json_object_new_object();

        if (!o || json_set_text(o, "result", baseline_result_to_string(v->baseline)) < 0 ||
            json_set_text(o, "reason", v->baseline_reason) < 0 ||
            verdict_set_sets(o, verdict_baseline_sets, ELEMENTSOF(verdict_baseline_sets), v) < 0)
                return -ENOMEM;

        *ret = TAKE_PTR(o);
        return 0;
}

static int verdict_events_to_json(const Verdict *v, json_object **ret) {
        _cleanup_json_ json_object *array = json_object_new_array();

        if (!array)
                return -ENOMEM;

        for (size_t i = 0; i < v->n_events; i++) {
                _cleanup_json_ json_object *o = json_object_new_object();
                const VerdictEvent *event = v->events + i;

                if (!o || json_set(o, "pcr", json_object_new_int((int) event->pcr)) < 0 ||
                    json_set_text(o, "type", event->type) < 0 ||
                    json_set_text(o, "description", event->description) < 0 ||
                    json_set_text(o, "text", event->text) < 0 || json_add(array, TAKE_PTR(o)) < 0)
                        return -ENOMEM;
        }

        *ret = TAKE_PTR(array);
        return 0;
}

int verdict_to_json(const Verdict *v, json_object **ret) {
        _cleanup_json_ json_object *o = json_object_new_object(), *empty = NULL, *log = NULL, *baseline = NULL,
                                   *events = NULL;

        assert(v);
        assert(ret);

        if (!o || pcr_selection_to_json(v->empty, &empty) < 0 || verdict_log_to_json(v, &log) < 0 ||
            verdict_baseline_to_json(v, &baseline) < 0 || verdict_events_to_json(v, &events) < 0)
                return -ENOMEM;

        if (json_set(o, "schema", json_object_new_int(VERDICT_SCHEMA)) < 0 ||
            json_set_text(o, "boot_id", v->boot_id) < 0 || json_set_text(o, "state", verdict_states[v->state]) < 0 ||
            json_set_text(o, "code", verdict_code(v)) < 0 ||
            json_set(o, "good", json_object_new_boolean(verdict_good(v))) < 0 ||
            json_set_text(o, "reason", v->reason) < 0 || json_set_text(o, "remedy", v->remedy) < 0 ||
            json_set_text(o, "bank", verdict_bank_name(v->bank)) < 0 || json_set(o, "empty", TAKE_PTR(empty)) < 0 ||
            json_set(o, "secure_boot", v->secure_boot < 0 ? NULL : json_object_new_boolean(v->secure_boot > 0)) < 0 ||
            json_set(o, "log", TAKE_PTR(log)) < 0 || json_set(o, "baseline", TAKE_PTR(baseline)) < 0 ||
            json_set(o, "events", TAKE_PTR(events)) < 0)
                return -ENOMEM;

        *ret = TAKE_PTR(o);
        return 0;
}

/* Reads a text or null. Return: 0, -EBADMSG if the member is missing or of another type, -ENOMEM. */
static int verdict_get_text(json_object *o, const char *key, char **ret) {
        json_object *value;

        if (!json_object_is_type(o, json_type_object) || !json_object_object_get_ex(o, key, &value) ||
            (value && !json_object_is_type(value, json_type_string)))
                return -EBADMSG;

        return free_and_strdup(ret, json_get_text(o, key));
}

static int verdict_get_word(json_object *o, const char *key, const char *const words[], int n) {
        const char *word = json_get_text(o, key);

        for (int i = 0; word && i < n; i++)
                if (streq(words[i], word))
                        return i;

        return -EBADMSG;
}

static int verdict_get_bank(json_object *o, const char *key, Algorithm *ret) {
        const char *name = json_get_text(o, key);
        json_object *value;

        *ret = name ? algorithm_from_string(name) : _ALGORITHM_INVALID;

        /* null means no bank. */
        return *ret >= 0 || (json_object_object_get_ex(o, key, &value) && !value) ? 0 : -EBADMSG;
}

static int verdict_banks_from_json(json_object *o, Verdict *v) {
        if (!json_object_is_type(o, json_type_object))
                return -EBADMSG;

        json_object_object_foreach(o, key, value) {
                Algorithm bank = algorithm_from_string(key);

                if (bank < 0 ||
                    verdict_get_sets(value, verdict_bank_sets, ELEMENTSOF(verdict_bank_sets), v->banks + bank) < 0)
                        return -EBADMSG;
        }

        return 0;
}

static int verdict_log_from_json(json_object *o, Verdict *v) {
        json_object *banks;
        int r = verdict_get_word(o, "status", verdict_logs, _VERDICT_LOG_MAX);

        if (r < 0 || verdict_get_bank(o, "bank", &v->log_bank) < 0 ||
            verdict_get_sets(o, verdict_log_sets, ELEMENTSOF(verdict_log_sets), v) < 0 ||
            !json_object_object_get_ex(o, "banks", &banks) || verdict_banks_from_json(banks, v) < 0)
                return -EBADMSG;

        v->log = (VerdictLog) r;
        return verdict_get_text(o, "reason", &v->log_reason);
}

static int verdict_baseline_from_json(json_object *o, Verdict *v) {
        const char *result = json_get_text(o, "result");

        v->baseline = result ? baseline_result_from_string(result) : _BASELINE_RESULT_INVALID;
        if (v->baseline < 0 || verdict_get_sets(o, verdict_baseline_sets, ELEMENTSOF(verdict_baseline_sets), v) < 0)
                return -EBADMSG;

        return verdict_get_text(o, "reason", &v->baseline_reason);
}

static int verdict_event_from_json(json_object *o, Verdict *v) {
        VerdictEvent *event;
        json_object *value;
        int r;

        if (!json_object_is_type(o, json_type_object) || !json_object_object_get_ex(o, "pcr", &value) ||
            !json_object_is_type(value, json_type_int) || json_object_get_int64(value) < 0 ||
            json_object_get_int64(value) >= PCR_COUNT || v->n_events >= VERDICT_EVENTS_MAX)
                return -EBADMSG;
        if (grow(&v->events, v->n_events, sizeof(VerdictEvent)) < 0)
                return -ENOMEM;

        event = v->events + v->n_events++;
        event->pcr = (unsigned) json_object_get_int64(value);
        r = verdict_get_text(o, "type", &event->type);
        if (r < 0)
                return r;
        r = verdict_get_text(o, "description", &event->description);
        if (r < 0)
                return r;
        r = verdict_get_text(o, "text", &event->text);
        if (r < 0)
                return r;

        return event->type && event->description && event->text ? 0 : -EBADMSG;
}

static int verdict_parts_from_json(json_object *o, Verdict *v) {
        json_object *log, *baseline, *events = json_get_array(o, "events");
        int r;

        if (!json_object_object_get_ex(o, "log", &log) || !json_object_is_type(log, json_type_object) ||
            !json_object_object_get_ex(o, "baseline", &baseline) || !events)
                return -EBADMSG;

        r = verdict_log_from_json(log, v);
        if (r < 0)
                return r;
        r = verdict_baseline_from_json(baseline, v);
        if (r < 0)
                return r;
        for (size_t i = 0; i < json_object_array_length(events); i++) {
                r = verdict_event_from_json(json_object_array_get_idx(events, i), v);
                if (r < 0)
                        return r;
        }

        return 0;
}

static int verdict_top_from_json(json_object *o, Verdict *v) {
        json_object *value;
        int r;

        if (!json_object_is_type(o, json_type_object) || !json_object_object_get_ex(o, "schema", &value) ||
            !json_object_is_type(value, json_type_int) || json_object_get_int64(value) != VERDICT_SCHEMA)
                return -EBADMSG;

        r = verdict_get_word(o, "state", verdict_states, _VERDICT_STATE_MAX);
        if (r < 0 || verdict_get_bank(o, "bank", &v->bank) < 0 ||
            pcr_selection_from_json(json_get_array(o, "empty"), &v->empty) < 0 ||
            !json_object_object_get_ex(o, "secure_boot", &value) ||
            (value && !json_object_is_type(value, json_type_boolean)))
                return -EBADMSG;

        v->state = (VerdictState) r;
        v->secure_boot = value ? json_object_get_boolean(value) : -1;

        r = verdict_get_text(o, "boot_id", &v->boot_id);
        if (r < 0)
                return r;
        r = verdict_get_text(o, "remedy", &v->remedy);
        if (r < 0)
                return r;
        r = verdict_get_text(o, "reason", &v->reason);
        if (r < 0)
                return r;

        return v->reason ? 0 : -EBADMSG;
}

int verdict_from_json(json_object *o, Verdict **ret) {
        _cleanup_(verdict_freep) Verdict *v = calloc(1, sizeof(*v));
        int r;

        assert(ret);

        if (!v)
                return -ENOMEM;

        r = verdict_top_from_json(o, v);
        if (r < 0)
                return r;
        r = verdict_parts_from_json(o, v);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(v);
        return 0;
}
