/* SPDX-License-Identifier: Apache-2.0 */

#include "host/report.h"
#include "host/shape.h"

/* The exit status for a practice in a state: if the policy wants it on, and if it wants it off. */
static const struct {
        int status_on;
        int status_off;
} report_statuses[_STATE_MAX] = {
        [STATE_PENDING_REBOOT] = {STATUS_REBOOT,  STATUS_REBOOT},
        [STATE_DIFFERS]        = {STATUS_CHANGES, STATUS_CHANGES},
        [STATE_DRIFTED]        = {STATUS_CHANGES, STATUS_CHANGES},
        [STATE_CONFLICT]       = {STATUS_UNMET,   STATUS_OK},
        [STATE_UNSUPPORTED]    = {STATUS_UNMET,   STATUS_OK},
        [STATE_UNKNOWN]        = {STATUS_UNMET,   STATUS_OK},
};

/* So many settings of a practice may an event say to have changed. */
#define REPORT_WAS_MAX 64U

static State report_state_parse(const char *name) {
        for (int i = 0; i < _STATE_MAX; i++)
                if (streq(state_to_string((State) i), name))
                        return (State) i;

        return _STATE_INVALID;
}

static bool report_state_allowed(json_object *o) {
        return report_state_parse(json_object_get_string(o)) >= 0;
}

static bool report_wanted_allowed(json_object *o) {
        return !o || streq(json_object_get_string(o), wanted_to_string(WANTED_ON)) ||
               streq(json_object_get_string(o), wanted_to_string(WANTED_OFF));
}

static const ShapeField report_setting_fields[] = {
        {"name",   SHAPE_TEXT,         .required = true},
        {"wanted", SHAPE_TEXT_OR_NULL},
        {"actual", SHAPE_TEXT_OR_NULL},
        {}
};

static const ShapeField report_evidence_fields[] = {
        {"source", SHAPE_TEXT,         .required = true},
        {"value",  SHAPE_TEXT_OR_NULL},
        {}
};

static const ShapeField report_practice_fields[] = {
        {"name",        SHAPE_TEXT,         .max = 64, .required = true},
        {"state",       SHAPE_TEXT,         .max = 64, .required = true, .allowed = report_state_allowed},
        {"wanted",      SHAPE_TEXT_OR_NULL, .max = 64, .allowed = report_wanted_allowed},
        {"held",        SHAPE_TYPE(boolean)},
        {"reason_code", SHAPE_TEXT_OR_NULL, .max = 64},
        {"reason",      SHAPE_TEXT_OR_NULL},
        {"remedy",      SHAPE_TEXT_OR_NULL},
        {"settings",    SHAPE_TYPE(array),  .elements = SHAPE_TYPE(object), .members = report_setting_fields},
        {"was",         SHAPE_TYPE(array),  .max = REPORT_WAS_MAX, .elements = SHAPE_TYPE(object),
         .members = report_setting_fields},
        {"evidence",    SHAPE_TYPE(array),  .elements = SHAPE_TYPE(object), .members = report_evidence_fields},
        {}
};

static const ShapeField report_os_fields[] = {
        {"id",         SHAPE_TEXT_OR_NULL},
        {"version_id", SHAPE_TEXT_OR_NULL},
        {}
};

static const ShapeField report_machine_fields[] = {
        {"arch",           SHAPE_TEXT_OR_NULL},
        {"kernel",         SHAPE_TEXT_OR_NULL},
        {"virtualization", SHAPE_TEXT_OR_NULL},
        {"os",             SHAPE_TYPE(object) | SHAPE_TYPE(null), .members = report_os_fields},
        {"possible_cpus",  SHAPE_TYPE(int) | SHAPE_TYPE(null)},
        {"dedicated_hint", SHAPE_TYPE(boolean) | SHAPE_TYPE(null)},
        {"cmdline",        SHAPE_TEXT_OR_NULL},
        {}
};

static const ShapeField report_error_fields[] = {
        {"file",   SHAPE_TEXT_OR_NULL},
        {"line",   SHAPE_TYPE(int) | SHAPE_TYPE(null)},
        {"reason", SHAPE_TEXT, .required = true},
        {}
};

static const ShapeField report_policy_fields[] = {
        {"files",  SHAPE_TYPE(array), .elements = SHAPE_TEXT},
        {"errors", SHAPE_TYPE(array), .elements = SHAPE_TYPE(object), .members = report_error_fields},
        {}
};

static const ShapeField report_apply_fields[] = {
        {"boot_id", SHAPE_TEXT_OR_NULL},
        {"time",    SHAPE_TEXT_OR_NULL},
        {"result",  SHAPE_TEXT_OR_NULL},
        {"error",   SHAPE_TEXT_OR_NULL},
        {}
};

#define REPORT_PRACTICES_FIELD                                                                  \
        {"practices", SHAPE_TYPE(array), .max = REPORT_PRACTICES_MAX, .required = true,         \
         .elements = SHAPE_TYPE(object), .members = report_practice_fields}

static const ShapeField report_fields[] = {
        {"schema",        SHAPE_TYPE(int), .required = true, .allowed = shape_schema_1},
        {"version",       SHAPE_TEXT_OR_NULL},
        {"boot_id",       SHAPE_TEXT_OR_NULL},
        {"observed_at",   SHAPE_TEXT_OR_NULL},
        {"machine",       SHAPE_TYPE(object) | SHAPE_TYPE(null), .members = report_machine_fields},
        {"policy",        SHAPE_TYPE(object) | SHAPE_TYPE(null), .members = report_policy_fields},
        {"last_apply",    SHAPE_TYPE(object) | SHAPE_TYPE(null), .members = report_apply_fields},
        REPORT_PRACTICES_FIELD,
        {"reboot_needed", SHAPE_TYPE(boolean) | SHAPE_TYPE(null)},
        {}
};

static const ShapeField report_change_fields[] = {
        REPORT_PRACTICES_FIELD,
        {}
};

static int report_check_fields(json_object *o, const ShapeField *fields, Cause cause, char **ret_where) {
        int r;

        r = shape_check(o, fields, ret_where);
        return r > 0 ? (int) cause : r;
}

int report_check(json_object *value, char **ret_where) {
        return report_check_fields(value, report_fields, CAUSE_BAD_REPORT, ret_where);
}

int report_check_change(json_object *value, char **ret_where) {
        return report_check_fields(value, report_change_fields, CAUSE_BAD_EVENT, ret_where);
}

State practice_state(json_object *practice) {
        return report_state_parse(json_get_text(practice, "state"));
}

json_object *report_policy_errors(json_object *report) {
        json_object *policy = NULL, *errors;

        (void) json_object_object_get_ex(report, "policy", &policy);
        errors = json_get_array(policy, "errors");

        return errors && json_object_array_length(errors) > 0 ? errors : NULL;
}

int report_status(json_object *report) {
        json_object *practices = json_get_array(report, "practices");
        int status = report_policy_errors(report) ? STATUS_ERROR : STATUS_OK;

        for (size_t i = 0; i < json_object_array_length(practices); i++) {
                json_object *practice = json_object_array_get_idx(practices, i);
                const char *wanted = json_get_text(practice, "wanted");
                State state = practice_state(practice);

                if (wanted)
                        status = status_worse(status, streq(wanted, wanted_to_string(WANTED_ON))
                                                              ? report_statuses[state].status_on
                                                              : report_statuses[state].status_off);
        }

        return status;
}
