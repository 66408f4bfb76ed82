/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A verdict as a JSON document, and back. Nothing here needs libcrypto.
 */

#include <assert.h>

#include "tpm/verdict.h"

#define SCHEMA 1

static const char *const states[_VERDICT_STATE_MAX] = {
        [VERDICT_NO_TPM] = "no-tpm",
        [VERDICT_TPM12] = "tpm12",
        [VERDICT_UNREADABLE] = "unreadable",
        [VERDICT_NOT_MEASURED] = "not-measured",
        [VERDICT_WRONG_BANK] = "wrong-bank",
        [VERDICT_SEPARATOR_ONLY] = "separator-only",
        [VERDICT_PARTIAL] = "partial",
        [VERDICT_MEASURED] = "measured",
};

static const char *const logs[_VERDICT_LOG_MAX] = {
        [VERDICT_LOG_ABSENT] = "absent",
        [VERDICT_LOG_UNUSABLE] = "unusable",
        [VERDICT_LOG_MISMATCH] = "mismatch",
        [VERDICT_LOG_MATCH] = "match",
};

/* The same order for each member that is a set of PCRs: its name and where it is. */
typedef struct Set {
        const char *name;
        size_t offset;
} Set;

static const Set log_sets[] = {
        {"disagree", offsetof(Verdict, disagree)},
        {"explained", offsetof(Verdict, explained)},
};

static const Set bank_sets[] = {
        {"compared", offsetof(ReplayDifference, compared)},
        {"disagree", offsetof(ReplayDifference, differ)},
        {"explained", offsetof(ReplayDifference, explained)},
};

static const Set baseline_sets[] = {
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
        return states[state];
}

const char *verdict_log_to_string(VerdictLog log) {
        return logs[log];
}

const char *verdict_code(const Verdict *verdict) {
        if (verdict->state != VERDICT_MEASURED)
                return states[verdict->state];
        if (verdict->log == VERDICT_LOG_MISMATCH)
                return "log-mismatch";
        if (verdict->baseline == BASELINE_INVALID)
                return "baseline-invalid";
        if (verdict->baseline == BASELINE_FAILURE)
                return "baseline-mismatch";
        if (verdict->log == VERDICT_LOG_UNUSABLE)
                return "log-unusable";
        if (verdict->log == VERDICT_LOG_ABSENT)
                return "log-absent";

        return verdict->baseline == BASELINE_WARNING ? "baseline-warning" : NULL;
}

bool verdict_good(const Verdict *verdict) {
        return verdict->state == VERDICT_MEASURED && verdict->log != VERDICT_LOG_MISMATCH &&
               verdict->log != VERDICT_LOG_UNUSABLE && verdict->baseline != BASELINE_FAILURE &&
               verdict->baseline != BASELINE_INVALID;
}

static int set_sets(json_object *o, const Set *sets, size_t n, const void *base) {
        for (size_t i = 0; i < n; i++) {
                uint32_t selection;
                json_object *array;

                memcpy(&selection, (const char *) base + sets[i].offset, sizeof(selection));
                if (pcr_selection_to_json(selection, &array) < 0 || json_set(o, sets[i].name, array) < 0)
                        return -ENOMEM;
        }

        return 0;
}

static int get_sets(json_object *o, const Set *sets, size_t n, void *base) {
        for (size_t i = 0; i < n; i++) {
                uint32_t selection;

                if (pcr_selection_from_json(json_get_array(o, sets[i].name), &selection) < 0)
                        return -EBADMSG;
                memcpy((char *) base + sets[i].offset, &selection, sizeof(selection));
        }

        return 0;
}

static const char *bank_name(Algorithm bank) {
        return bank >= 0 ? algorithm_to_string(bank) : NULL;
}

static int banks_to_json(const Verdict *v, json_object **ret) {
        _cleanup_json_ json_object *o = json_object_new_object();

        if (!o)
                return -ENOMEM;

        for (Algorithm i = 0; i < _ALGORITHM_MAX; i++) {
                _cleanup_json_ json_object *bank = NULL;

                if (v->banks[i].compared == 0)
                        continue;
                bank = json_object_new_object();
                if (!bank || set_sets(bank, bank_sets, ELEMENTSOF(bank_sets), v->banks + i) < 0 ||
                    json_set(o, algorithm_to_string(i), TAKE_PTR(bank)) < 0)
                        return -ENOMEM;
        }

        *ret = TAKE_PTR(o);
        return 0;
}

static int log_to_json(const Verdict *v, json_object **ret) {
        _cleanup_json_ json_object *o = json_object_new_object();
        json_object *banks;

        if (!o || json_set_text(o, "status", logs[v->log]) < 0 || json_set_text(o, "reason", v->log_reason) < 0 ||
            json_set_text(o, "bank", bank_name(v->log_bank)) < 0 ||
            set_sets(o, log_sets, ELEMENTSOF(log_sets), v) < 0 || banks_to_json(v, &banks) < 0 ||
            json_set(o, "banks", banks) < 0)
                return -ENOMEM;

        *ret = TAKE_PTR(o);
        return 0;
}

static int baseline_to_json(const Verdict *v, json_object **ret) {
        _cleanup_json_ json_object *o = json_object_new_object();

        if (!o || json_set_text(o, "result", baseline_result_to_string(v->baseline)) < 0 ||
            json_set_text(o, "reason", v->baseline_reason) < 0 ||
            set_sets(o, baseline_sets, ELEMENTSOF(baseline_sets), v) < 0)
                return -ENOMEM;

        *ret = TAKE_PTR(o);
        return 0;
}

static int add_event(json_object *array, const VerdictEvent *event) {
        _cleanup_json_ json_object *o = json_object_new_object();

        if (!o || json_set(o, "pcr", json_object_new_int((int) event->pcr)) < 0 ||
            json_set_text(o, "type", event->type) < 0 || json_set_text(o, "description", event->description) < 0 ||
            json_set_text(o, "text", event->text) < 0)
                return -ENOMEM;

        return json_add(array, TAKE_PTR(o));
}

static int events_to_json(const Verdict *v, json_object **ret) {
        _cleanup_json_ json_object *array = json_object_new_array();

        for (size_t i = 0; array && i < v->n_events; i++)
                if (add_event(array, v->events + i) < 0)
                        return -ENOMEM;

        if (!array)
                return -ENOMEM;

        *ret = TAKE_PTR(array);
        return 0;
}

int verdict_to_json(const Verdict *v, json_object **ret) {
        _cleanup_json_ json_object *o = json_object_new_object(), *empty = NULL, *log = NULL, *baseline = NULL,
                                   *events = NULL;

        assert(v);
        assert(ret);

        if (!o || pcr_selection_to_json(v->empty, &empty) < 0 || log_to_json(v, &log) < 0 ||
            baseline_to_json(v, &baseline) < 0 || events_to_json(v, &events) < 0)
                return -ENOMEM;

        if (json_set(o, "schema", json_object_new_int(SCHEMA)) < 0 || json_set_text(o, "boot_id", v->boot_id) < 0 ||
            json_set_text(o, "state", states[v->state]) < 0 || json_set_text(o, "code", verdict_code(v)) < 0 ||
            json_set(o, "good", json_object_new_boolean(verdict_good(v))) < 0 ||
            json_set_text(o, "reason", v->reason) < 0 || json_set_text(o, "remedy", v->remedy) < 0 ||
            json_set_text(o, "bank", bank_name(v->bank)) < 0 || json_set(o, "empty", TAKE_PTR(empty)) < 0 ||
            json_set(o, "secure_boot", v->secure_boot < 0 ? NULL : json_object_new_boolean(v->secure_boot > 0)) < 0 ||
            json_set(o, "log", TAKE_PTR(log)) < 0 || json_set(o, "baseline", TAKE_PTR(baseline)) < 0 ||
            json_set(o, "events", TAKE_PTR(events)) < 0)
                return -ENOMEM;

        *ret = TAKE_PTR(o);
        return 0;
}

/* A text or null. Return: 0, -EBADMSG for anything else or no such member, -ENOMEM. */
static int get_text(json_object *o, const char *key, char **ret) {
        json_object *value;

        if (!json_object_is_type(o, json_type_object) || !json_object_object_get_ex(o, key, &value) ||
            (value && !json_object_is_type(value, json_type_string)))
                return -EBADMSG;

        return free_and_strdup(ret, json_get_text(o, key));
}

static int get_word(json_object *o, const char *key, const char *const words[], int n) {
        const char *word = json_get_text(o, key);

        for (int i = 0; word && i < n; i++)
                if (streq(words[i], word))
                        return i;

        return -EBADMSG;
}

static int get_bank(json_object *o, const char *key, Algorithm *ret) {
        const char *name = json_get_text(o, key);
        json_object *value;

        *ret = name ? algorithm_from_string(name) : _ALGORITHM_INVALID;

        /* null stands for none. */
        return *ret >= 0 || (json_object_object_get_ex(o, key, &value) && !value) ? 0 : -EBADMSG;
}

static int banks_from_json(json_object *o, Verdict *v) {
        if (!json_object_is_type(o, json_type_object))
                return -EBADMSG;

        json_object_object_foreach(o, key, value) {
                Algorithm bank = algorithm_from_string(key);

                if (bank < 0 || get_sets(value, bank_sets, ELEMENTSOF(bank_sets), v->banks + bank) < 0)
                        return -EBADMSG;
        }

        return 0;
}

static int log_from_json(json_object *o, Verdict *v) {
        json_object *banks;
        int r = get_word(o, "status", logs, _VERDICT_LOG_MAX);

        if (r < 0 || get_bank(o, "bank", &v->log_bank) < 0 || get_sets(o, log_sets, ELEMENTSOF(log_sets), v) < 0 ||
            !json_object_object_get_ex(o, "banks", &banks) || banks_from_json(banks, v) < 0)
                return -EBADMSG;

        v->log = (VerdictLog) r;
        return get_text(o, "reason", &v->log_reason);
}

static int baseline_from_json(json_object *o, Verdict *v) {
        const char *result = json_get_text(o, "result");

        v->baseline = result ? baseline_result_from_string(result) : _BASELINE_RESULT_INVALID;
        if (v->baseline < 0 || get_sets(o, baseline_sets, ELEMENTSOF(baseline_sets), v) < 0)
                return -EBADMSG;

        return get_text(o, "reason", &v->baseline_reason);
}

static int event_from_json(json_object *o, Verdict *v) {
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
        r = get_text(o, "type", &event->type);
        if (r >= 0)
                r = get_text(o, "description", &event->description);
        if (r >= 0)
                r = get_text(o, "text", &event->text);

        return r < 0 ? r : event->type && event->description && event->text ? 0 : -EBADMSG;
}

static int parts_from_json(json_object *o, Verdict *v) {
        json_object *log, *baseline, *events = json_get_array(o, "events");
        int r;

        if (!json_object_object_get_ex(o, "log", &log) || !json_object_is_type(log, json_type_object) ||
            !json_object_object_get_ex(o, "baseline", &baseline) || !events)
                return -EBADMSG;

        r = log_from_json(log, v);
        if (r >= 0)
                r = baseline_from_json(baseline, v);
        for (size_t i = 0; i < json_object_array_length(events) && r >= 0; i++)
                r = event_from_json(json_object_array_get_idx(events, i), v);

        return r;
}

static int top_from_json(json_object *o, Verdict *v) {
        json_object *value;
        int r;

        if (!json_object_is_type(o, json_type_object) || !json_object_object_get_ex(o, "schema", &value) ||
            !json_object_is_type(value, json_type_int) || json_object_get_int64(value) != SCHEMA)
                return -EBADMSG;

        r = get_word(o, "state", states, _VERDICT_STATE_MAX);
        if (r < 0 || get_bank(o, "bank", &v->bank) < 0 ||
            pcr_selection_from_json(json_get_array(o, "empty"), &v->empty) < 0 ||
            !json_object_object_get_ex(o, "secure_boot", &value) ||
            (value && !json_object_is_type(value, json_type_boolean)))
                return -EBADMSG;

        v->state = (VerdictState) r;
        v->secure_boot = value ? json_object_get_boolean(value) : -1;

        r = get_text(o, "boot_id", &v->boot_id);
        if (r >= 0)
                r = get_text(o, "remedy", &v->remedy);
        if (r >= 0)
                r = get_text(o, "reason", &v->reason);

        return r < 0 ? r : v->reason ? 0 : -EBADMSG;
}

int verdict_from_json(json_object *o, Verdict **ret) {
        _cleanup_(verdict_freep) Verdict *v = calloc(1, sizeof(*v));
        int r;

        assert(ret);

        if (!v)
                return -ENOMEM;

        r = top_from_json(o, v);
        if (r >= 0)
                r = parts_from_json(o, v);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(v);
        return 0;
}
