/* SPDX-License-Identifier: Apache-2.0 */

/* Tested by tests/unit/core/test-configuration.c and by the golden machines, tests/roots. */

#include <assert.h>

#include "core/finding.h"
#include "core/secret.h"

static const struct {
        const char *name, *meaning;
} finding_states[_STATE_MAX] = {
        [STATE_OFF] = {"off", "Not wanted (or held by a revert), and not in effect."},
        [STATE_ACTIVE] = {"active", "Wanted, and the running system proves that it is in effect."},
        [STATE_PENDING_REBOOT] = {"pending-reboot",
                                  "Changed in this boot: it takes effect, or ends, at the next boot."},
        [STATE_DIFFERS] = {"differs", "Wanted, and the machine is not configured for it."},
        [STATE_DRIFTED] = {"drifted", "gtuned applied it, and it was changed afterwards: the evidence names the file "
                                      "and the value."},
        [STATE_UNMANAGED] = {"unmanaged", "In effect, though the policy does not ask for it."},
        [STATE_CONFLICT] = {"conflict", "Wanted, and something stops it: the reason names it."},
        [STATE_UNSUPPORTED] = {"unsupported", "This kernel, architecture or host cannot do it: the reason says which."},
        [STATE_UNKNOWN] = {"unknown", "It could not be determined: the reason says why."},
};

const char *state_to_string(State state) {
        return state >= 0 && state < _STATE_MAX ? finding_states[state].name : NULL;
}

const char *state_meaning(State state) {
        return state >= 0 && state < _STATE_MAX ? finding_states[state].meaning : NULL;
}

const char *wanted_to_string(Wanted wanted) {
        return wanted == WANTED_NOTHING ? NULL : wanted == WANTED_ON ? "on" : "off";
}

int finding_new(Finding **ret, const char *practice, const char *subject) {
        Finding *f = calloc(1, sizeof(*f));

        if (!f)
                return -ENOMEM;

        f->practice = practice;
        f->subject = subject;
        f->wanted = WANTED_NOTHING;
        f->state = STATE_UNKNOWN;
        *ret = f;
        return 0;
}

Finding *finding_free(Finding *f) {
        if (!f)
                return NULL;

        for (size_t i = 0; i < f->n_settings; i++) {
                free(f->settings[i].name);
                free(f->settings[i].wanted);
                free(f->settings[i].actual);
        }
        for (size_t i = 0; i < f->n_evidence; i++) {
                free(f->evidence[i].source);
                free(f->evidence[i].value);
        }
        for (size_t i = 0; i < f->n_warnings; i++) {
                free(f->warnings[i].text);
                free(f->warnings[i].remedy);
        }
        free(f->settings);
        free(f->evidence);
        free(f->warnings);
        free(f->reason);
        free(f->remedy);
        free(f);
        return NULL;
}

/* Whatever a finding says may leave the machine, and a boot file or a unit may have put a secret into it. */
static void finding_redact(char *text) {
        if (text)
                secret_redact(text, strlen(text));
}

int finding_verdict(Finding *f, State state, const char *code, const char *remedy, const char *format, ...) {
        _cleanup_free_ char *reason = NULL;
        va_list ap;

        if (format) {
                va_start(ap, format);
                reason = xvasprintf(format, ap);
                va_end(ap);
                if (!reason)
                        return -ENOMEM;
        }
        if (free_and_strdup(&f->remedy, remedy) < 0)
                return -ENOMEM;

        finding_redact(reason);
        finding_redact(f->remedy);
        free(f->reason);
        f->reason = TAKE_PTR(reason);
        f->reason_code = code;
        f->state = state;
        f->reboot = state == STATE_PENDING_REBOOT;
        return 0;
}

void finding_wait_for_boot(Finding *f) {
        f->reboot = true;
}

char *finding_display_name(const Finding *f) {
        return f->subject ? xasprintf("%s [%s]", f->practice, f->subject) : strdup(f->practice);
}

int finding_evidence(Finding *f, const char *source, const char *value) {
        Evidence *e;

        if (grow(&f->evidence, f->n_evidence, sizeof(Evidence)) < 0)
                return -ENOMEM;

        e = f->evidence + f->n_evidence++;
        if (free_and_strdup(&e->source, source) < 0 || free_and_strdup(&e->value, value) < 0)
                return -ENOMEM;

        finding_redact(e->value);
        return 0;
}

int finding_setting(Finding *f, const char *name, const char *wanted, const char *actual) {
        Setting *s;

        if (grow(&f->settings, f->n_settings, sizeof(Setting)) < 0)
                return -ENOMEM;

        s = f->settings + f->n_settings++;
        if (free_and_strdup(&s->name, name) < 0 || free_and_strdup(&s->wanted, wanted) < 0 ||
            free_and_strdup(&s->actual, actual) < 0)
                return -ENOMEM;

        return 0;
}

/* The text moves to the finding; NULL: memory is exhausted. */
static int finding_take_warning(Finding *f, const char *code, const char *remedy, char *text) {
        Warning *w;

        if (!text || grow(&f->warnings, f->n_warnings, sizeof(Warning)) < 0) {
                free(text);
                return -ENOMEM;
        }

        finding_redact(text);
        w = f->warnings + f->n_warnings++;
        w->text = text;
        w->code = code;
        return free_and_strdup(&w->remedy, remedy);
}

int finding_warning(Finding *f, const char *format, ...) {
        va_list ap;
        int r;

        va_start(ap, format);
        r = finding_take_warning(f, NULL, NULL, xvasprintf(format, ap));
        va_end(ap);
        return r;
}

int finding_coded_warning(Finding *f, const char *code, const char *remedy, const char *format, ...) {
        va_list ap;
        int r;

        va_start(ap, format);
        r = finding_take_warning(f, code, remedy, xvasprintf(format, ap));
        va_end(ap);
        return r;
}

static int finding_add_settings(const Finding *f, json_object *o) {
        json_object *array = json_object_new_array();

        if (json_set(o, "settings", array) < 0)
                return -ENOMEM;

        for (const Setting *s = f->settings; s < f->settings + f->n_settings; s++) {
                json_object *setting = json_object_new_object();

                if (!setting || json_add(array, setting) < 0 || json_set_text(setting, "name", s->name) < 0 ||
                    json_set_text(setting, "wanted", s->wanted) < 0 || json_set_text(setting, "actual", s->actual) < 0)
                        return -ENOMEM;
        }

        return 0;
}

static int finding_add_evidence(const Finding *f, json_object *o) {
        json_object *array = json_object_new_array();

        if (json_set(o, "evidence", array) < 0)
                return -ENOMEM;

        for (const Evidence *e = f->evidence; e < f->evidence + f->n_evidence; e++) {
                json_object *evidence = json_object_new_object();

                if (!evidence || json_add(array, evidence) < 0 || json_set_text(evidence, "source", e->source) < 0 ||
                    json_set_text(evidence, "value", e->value) < 0)
                        return -ENOMEM;
        }

        return 0;
}

static int finding_add_coded_warning(const Warning *w, json_object *array) {
        json_object *o = json_object_new_object();

        if (!o || json_add(array, o) < 0 || json_set_text(o, "code", w->code) < 0 ||
            json_set_text(o, "text", w->text) < 0 || json_set_text(o, "remedy", w->remedy) < 0)
                return -ENOMEM;

        return 0;
}

/* "warnings" has the sentences of all, and "coded_warnings", which is there only if it is not empty, more of some. */
static int finding_add_warnings(const Finding *f, json_object *o) {
        json_object *array = json_object_new_array(), *coded = NULL;

        if (json_set(o, "warnings", array) < 0)
                return -ENOMEM;

        for (const Warning *w = f->warnings; w < f->warnings + f->n_warnings; w++) {
                if (json_add(array, json_text(w->text)) < 0)
                        return -ENOMEM;
                if (!w->code)
                        continue;
                if (!coded) {
                        coded = json_object_new_array();
                        if (json_set(o, "coded_warnings", coded) < 0)
                                return -ENOMEM;
                }
                if (finding_add_coded_warning(w, coded) < 0)
                        return -ENOMEM;
        }

        return 0;
}

int finding_to_json(const Finding *f, json_object **ret) {
        _cleanup_json_ json_object *o = json_object_new_object();

        if (!o || json_set_text(o, "name", f->practice) < 0 ||
            (f->subject && json_set_text(o, "subject", f->subject) < 0) ||
            json_set_text(o, "wanted", wanted_to_string(f->wanted)) < 0 ||
            json_set_text(o, "state", state_to_string(f->state)) < 0 ||
            json_set(o, "held", json_object_new_boolean(f->held)) < 0 ||
            json_set_text(o, "reason_code", f->reason_code) < 0 || json_set_text(o, "reason", f->reason) < 0 ||
            json_set_text(o, "remedy", f->remedy) < 0 || finding_add_settings(f, o) < 0 ||
            finding_add_evidence(f, o) < 0 || finding_add_warnings(f, o) < 0)
                return -ENOMEM;

        *ret = TAKE_PTR(o);
        return 0;
}
