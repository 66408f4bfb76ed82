/* SPDX-License-Identifier: Apache-2.0 */

#include <assert.h>

#include "host/report.h"

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

#define TYPE(name) (1U << json_type_##name)
#define TEXT TYPE(string)
#define TEXT_OR_NULL (TYPE(string) | TYPE(null))

/* One member of an object, and what is known of it. */
typedef struct Field Field;
struct Field {
        const char *name;              /* NULL ends a table */
        unsigned types;                /* TYPE() bits */
        size_t max;                    /* longest text, or most elements; 0: no bound but that of the line */
        bool required;
        bool (*allowed)(json_object *); /* which values; may be NULL */
        const Field *members;          /* of this object, or of each element; may be NULL */
        unsigned elements;             /* TYPE() bits of each element */
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

static bool has_type(json_object *o, unsigned types) {
        return types & (1U << json_object_get_type(o));
}

static size_t extent(json_object *o) {
        switch (json_object_get_type(o)) {
        case json_type_string:
                return (size_t) json_object_get_string_len(o);
        case json_type_array:
                return json_object_array_length(o);
        default:
                return 0;
        }
}

/* What is wrong with a value by itself, or NULL. */
static const char *value_fault(json_object *o, unsigned types, size_t max) {
        if (!has_type(o, types))
                return "has the wrong type";
        if (max > 0 && extent(o) > max)
                return "is too long";
        if (json_object_is_type(o, json_type_string) && strlen(json_object_get_string(o)) != extent(o))
                return "holds a NUL byte";

        return NULL;
}

/* The checks return 0, 1 with the fault named in *where, or -ENOMEM. */
static int fault(char **where, const char *path, const char *what) {
        *where = xasprintf("%s %s", path, what);
        return *where ? 1 : -ENOMEM;
}

static int object_check(json_object *o, const Field *fields, const char *path, char **where);

static int array_check(json_object *array, const Field *field, const char *path, char **where) {
        int r;

        for (size_t i = 0; i < json_object_array_length(array); i++) {
                json_object *o = json_object_array_get_idx(array, i);
                _cleanup_free_ char *name = xasprintf("%s[%zu]", path, i);
                const char *what = value_fault(o, field->elements, 0);

                if (!name)
                        return -ENOMEM;
                if (what)
                        return fault(where, name, what);
                if (!field->members)
                        continue;

                r = object_check(o, field->members, name, where);
                if (r != 0)
                        return r;
        }

        return 0;
}

static int field_check(json_object *value, const Field *field, const char *path, char **where) {
        const char *what;

        what = value_fault(value, field->types, field->max);
        if (!what && field->allowed && !field->allowed(value))
                what = "has a value that is not known";
        if (what)
                return fault(where, path, what);

        if (json_object_is_type(value, json_type_array))
                return array_check(value, field, path, where);
        if (json_object_is_type(value, json_type_object))
                return object_check(value, field->members, path, where);

        return 0;
}

static int object_check(json_object *o, const Field *fields, const char *path, char **where) {
        int r;

        for (const Field *f = fields; f->name; f++) {
                _cleanup_free_ char *name = xasprintf("%s%s%s", path, *path ? "." : "", f->name);
                json_object *value;

                if (!name)
                        return -ENOMEM;

                if (json_object_object_get_ex(o, f->name, &value))
                        r = field_check(value, f, name, where);
                else
                        r = f->required ? fault(where, name, "is missing") : 0;
                if (r != 0)
                        return r;
        }

        return 0;
}

static int document_check(json_object *o, const Field *fields, Cause cause, char **ret_where) {
        int r;

        assert(ret_where);

        if (!json_object_is_type(o, json_type_object))
                r = fault(ret_where, "it", "is not an object");
        else
                r = object_check(o, fields, "", ret_where);

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
