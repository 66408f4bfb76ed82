/* SPDX-License-Identifier: Apache-2.0 */

#include "config.h"
#include "engine/report.h"

static json_object *report_tristate(int value) {
        return value < 0 ? NULL : json_object_new_boolean(value);
}

static int report_machine_to_json(const Machine *m, json_object **ret) {
        _cleanup_json_ json_object *o = json_object_new_object();
        json_object *os = json_object_new_object();

        if (!o || json_set(o, "os", os) < 0 || json_set_text(o, "arch", m->probe->arch) < 0 ||
            json_set_text(o, "kernel", m->probe->kernel_release) < 0 ||
            json_set_text(o, "virtualization", m->container ? m->container : m->virtualization) < 0 ||
            json_set_text(os, "id", m->os_id) < 0 || json_set_text(os, "version_id", m->os_version) < 0 ||
            json_set(o, "possible_cpus", m->possible_cpus ? json_object_new_int64(m->possible_cpus) : NULL) < 0 ||
            json_set(o, "dedicated_hint", report_tristate(m->probe->dedicated_hint)) < 0 ||
            json_set_text(o, "cmdline", m->cmdline_text) < 0)
                return -ENOMEM;

        *ret = TAKE_PTR(o);
        return 0;
}

static int report_error_to_json(const PolicyError *e, json_object *errors) {
        json_object *o = json_object_new_object();

        if (!o || json_add(errors, o) < 0 || json_set_text(o, "file", e->file) < 0 ||
            json_set(o, "line", e->line ? json_object_new_int64(e->line) : NULL) < 0 ||
            json_set_text(o, "reason", e->reason) < 0)
                return -ENOMEM;

        return 0;
}

static int report_credential_to_json(const Policy *p, json_object *policy) {
        json_object *o = json_object_new_object();

        if (json_set(policy, "credential", o) < 0 || json_set_text(o, "state", p->credential) < 0 ||
            json_set_text(o, "reason", p->credential_note) < 0)
                return -ENOMEM;

        return 0;
}

static int report_policy_to_json(const Policy *p, json_object **ret) {
        _cleanup_json_ json_object *o = json_object_new_object();
        json_object *files = json_object_new_array(), *errors = json_object_new_array();

        if (!o || json_set(o, "files", files) < 0 || json_set(o, "errors", errors) < 0)
                return -ENOMEM;

        for (char **f = p->files; f && *f; f++)
                if (json_add(files, json_text(*f)) < 0)
                        return -ENOMEM;
        if (p->credential && report_credential_to_json(p, o) < 0)
                return -ENOMEM;
        for (size_t i = 0; i < p->n_errors; i++)
                if (report_error_to_json(p->errors + i, errors) < 0)
                        return -ENOMEM;

        *ret = TAKE_PTR(o);
        return 0;
}

static int report_practices_to_json(const Survey *survey, json_object **ret) {
        _cleanup_json_ json_object *array = json_object_new_array();
        json_object *o;

        if (!array)
                return -ENOMEM;

        for (size_t i = 0; i < survey->n_observations; i++)
                if (finding_to_json(survey->observations[i].finding, &o) < 0 || json_add(array, o) < 0)
                        return -ENOMEM;

        *ret = TAKE_PTR(array);
        return 0;
}

int report_make_head(const Survey *survey, json_object **ret) {
        _cleanup_json_ json_object *o = json_object_new_object();
        json_object *part;

        if (!o || json_set(o, "schema", json_object_new_int(1)) < 0 ||
            json_set_text(o, "version", PACKAGE_VERSION) < 0 ||
            json_set_text(o, "boot_id", survey->machine->boot_id) < 0 ||
            json_set_text(o, "observed_at", survey->observed_at) < 0 ||
            report_machine_to_json(survey->machine, &part) < 0 || json_set(o, "machine", part) < 0 ||
            report_policy_to_json(survey->policy, &part) < 0 || json_set(o, "policy", part) < 0 ||
            json_set_text(o, "ledger", ledger_status_to_string(survey->ledger->status)) < 0 ||
            json_set(o, "last_apply", json_object_get(survey->last_apply)) < 0)
                return -ENOMEM;

        *ret = TAKE_PTR(o);
        return 0;
}

int report_make(const Survey *survey, json_object **ret) {
        _cleanup_json_ json_object *o = NULL;
        json_object *practices;
        int r;

        r = report_make_head(survey, &o);
        if (r < 0)
                return r;

        if (report_practices_to_json(survey, &practices) < 0 || json_set(o, "practices", practices) < 0 ||
            json_set(o, "reboot_needed", json_object_new_boolean(survey_reboot_needed(survey))) < 0)
                return -ENOMEM;

        *ret = TAKE_PTR(o);
        return 0;
}
