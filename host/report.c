/* SPDX-License-Identifier: Apache-2.0 */

#include "host/report.h"
#include "host/shape.h"

/* What a practice in this state asks for where it is wanted, and where it is to be off. */
static const struct {
        int status_on;
        int status_off;
} asked[_STATE_MAX] = {
        [STATE_PENDING_REBOOT] = {STATUS_REBOOT,  STATUS_REBOOT},
        [STATE_DIFFERS]        = {STATUS_CHANGES, STATUS_CHANGES},
        [STATE_DRIFTED]        = {STATUS_CHANGES, STATUS_CHANGES},
        [STATE_CONFLICT]       = {STATUS_UNMET,   STATUS_OK},
        [STATE_UNSUPPORTED]    = {STATUS_UNMET,   STATUS_OK},
        [STATE_UNKNOWN]        = {STATUS_UNMET,   STATUS_OK},
};

static bool is_schema(json_object *o) {
        return json_object_get_int64(o) == 1;
}

static State state_parse(const char *name) {
        for (int i = 0; i < _STATE_MAX; i++)
                if (streq(state_to_string((State) i), name))
                        return (State) i;

        return _STATE_INVALID;
}

static bool is_state(json_object *o) {
        return state_parse(json_object_get_string(o)) >= 0;
}

static bool is_wanted(json_object *o) {
        return !o || streq(json_object_get_string(o), wanted_to_string(WANTED_ON)) ||
               streq(json_object_get_string(o), wanted_to_string(WANTED_OFF));
}

static const Field setting_fields[] = {
        {"name",   TEXT,         .required = true},
        {"wanted", TEXT_OR_NULL},
        {"actual", TEXT_OR_NULL},
        {}
};

static const Field evidence_fields[] = {
        {"source", TEXT,         .required = true},
        {"value",  TEXT_OR_NULL},
        {}
};

static const Field practice_fields[] = {
        {"name",        TEXT,         .max = 64,  .required = true},
        {"state",       TEXT,         .max = 64,  .required = true, .allowed = is_state},
        {"wanted",      TEXT_OR_NULL, .max = 64,  .allowed = is_wanted},
        {"held",        TYPE(boolean)},
        {"reason_code", TEXT_OR_NULL, .max = 64},
        {"reason",      TEXT_OR_NULL},
        {"remedy",      TEXT_OR_NULL},
        {"settings",    TYPE(array),  .elements = TYPE(object), .members = setting_fields},
        {"evidence",    TYPE(array),  .elements = TYPE(object), .members = evidence_fields},
        {}
};

static const Field os_fields[] = {
        {"id",         TEXT_OR_NULL},
        {"version_id", TEXT_OR_NULL},
        {}
};

static const Field machine_fields[] = {
        {"arch",           TEXT_OR_NULL},
        {"kernel",         TEXT_OR_NULL},
        {"virtualization", TEXT_OR_NULL},
        {"os",             TYPE(object) | TYPE(null), .members = os_fields},
        {"possible_cpus",  TYPE(int) | TYPE(null)},
        {"dedicated_hint", TYPE(boolean) | TYPE(null)},
        {"cmdline",        TEXT_OR_NULL},
        {}
};

static const Field error_fields[] = {
        {"file",   TEXT_OR_NULL},
        {"line",   TYPE(int) | TYPE(null)},
        {"reason", TEXT, .required = true},
        {}
};

static const Field policy_fields[] = {
        {"files",  TYPE(array), .elements = TEXT},
        {"errors", TYPE(array), .elements = TYPE(object), .members = error_fields},
        {}
};

static const Field apply_fields[] = {
        {"boot_id", TEXT_OR_NULL},
        {"time",    TEXT_OR_NULL},
        {"result",  TEXT_OR_NULL},
        {"error",   TEXT_OR_NULL},
        {}
};

#define PRACTICES_FIELD                                                                                 \
        {"practices", TYPE(array), .max = REPORT_PRACTICES_MAX, .required = true,                       \
         .elements = TYPE(object), .members = practice_fields}

static const Field report_fields[] = {
        {"schema",        TYPE(int), .required = true, .allowed = is_schema},
        {"version",       TEXT_OR_NULL},
        {"boot_id",       TEXT_OR_NULL},
        {"observed_at",   TEXT_OR_NULL},
        {"machine",       TYPE(object) | TYPE(null), .members = machine_fields},
        {"policy",        TYPE(object) | TYPE(null), .members = policy_fields},
        {"last_apply",    TYPE(object) | TYPE(null), .members = apply_fields},
        PRACTICES_FIELD,
        {"reboot_needed", TYPE(boolean) | TYPE(null)},
        {}
};

static const Field change_fields[] = {
        PRACTICES_FIELD,
        {}
};

static int document_check(json_object *o, const Field *fields, Cause cause, char **ret_where) {
        int r;

        r = shape_check(o, fields, ret_where);
        return r > 0 ? (int) cause : r;
}

int report_check(json_object *value, char **ret_where) {
        return document_check(value, report_fields, CAUSE_BAD_REPORT, ret_where);
}

int report_check_change(json_object *value, char **ret_where) {
        return document_check(value, change_fields, CAUSE_BAD_EVENT, ret_where);
}

State practice_state(json_object *practice) {
        return state_parse(json_get_text(practice, "state"));
}

json_object *report_policy_errors(json_object *report) {
        json_object *policy = NULL, *errors;

        (void) json_object_object_get_ex(report, "policy", &policy);
        errors = json_get_array(policy, "errors");

        return errors && json_object_array_length(errors) > 0 ? errors : NULL;
}

static int practice_status(json_object *practice) {
        const char *wanted = json_get_text(practice, "wanted");
        State state = practice_state(practice);

        if (!wanted)
                return STATUS_OK;

        return streq(wanted, wanted_to_string(WANTED_ON)) ? asked[state].status_on : asked[state].status_off;
}

int report_status(json_object *report) {
        json_object *practices = json_get_array(report, "practices");
        int status = report_policy_errors(report) ? STATUS_ERROR : STATUS_OK;

        for (size_t i = 0; i < json_object_array_length(practices); i++)
                status = status_worse(status, practice_status(json_object_array_get_idx(practices, i)));

        return status;
}
