/* SPDX-License-Identifier: Apache-2.0 */

#include <assert.h>

#include "config.h"
#include "engine/last-apply.h"
#include "engine/survey.h"
#include "core/options.h"

Survey *survey_free(Survey *survey) {
        if (!survey)
                return NULL;

        machine_free(survey->view.machine);
        policy_free(survey->view.policy);
        ledger_free(survey->view.ledger);
        boot_stores_free(survey->stores);
        for (size_t i = 0; i < N_PRACTICES; i++)
                finding_free(survey->findings[i]);
        plan_free(survey->plan);
        free(survey);
        return NULL;
}

static bool boots_system(const Machine *machine) {
        for (size_t i = 0; i < machine->n_entries; i++)
                if (machine->entries[i]->kind == ENTRY_SYSTEM)
                        return true;

        return false;
}

static int read_entries(Survey *survey) {
        Machine *machine = survey->view.machine;
        const BootStores *stores;
        int r;

        r = boot_stores_find(survey->root, &survey->stores);
        if (r < 0)
                return r;

        stores = survey->stores;
        for (size_t s = 0; s < stores->n_stores; s++)
                for (size_t i = 0; i < stores->stores[s]->n_entries; i++) {
                        r = machine_add_entry(machine, stores->stores[s]->entries + i);
                        if (r < 0)
                                return r;
                }

        for (size_t i = 0; i < stores->n_problems; i++) {
                const BootStoreProblem *p = stores->problems + i;

                if (!p->fatal && boots_system(machine))
                        continue;

                machine->entries_error_code = p->code;
                machine->entries_error = p->line > 0 ? xasprintf("%s:%u: %s", p->path, p->line, p->reason)
                                                     : xasprintf("%s: %s", p->path, p->reason);
                return machine->entries_error ? 0 : -ENOMEM;
        }

        return 0;
}

static int ask_practices(Survey *survey) {
        int r;

        for (size_t i = 0; i < N_PRACTICES; i++) {
                r = practices[i]->check ? practices[i]->check(&survey->view) : 0;
                if (r < 0)
                        return r;
        }

        for (size_t i = 0; i < N_PRACTICES; i++) {
                r = finding_new(survey->findings + i, practices[i]->name);
                if (r >= 0)
                        r = practices[i]->observe(&survey->view, survey->findings[i]);
                if (r >= 0)
                        r = practices[i]->plan(&survey->view, survey->findings[i], survey->plan);
                if (r < 0)
                        return r;
        }

        return 0;
}

int survey_take(Root *root, const char *arch, Survey **ret) {
        _cleanup_(survey_freep) Survey *survey = calloc(1, sizeof(*survey));
        int r;

        assert(ret);

        if (!survey)
                return -ENOMEM;

        survey->root = root;
        survey->view.root = root;
        timestamp_utc(survey->observed_at);

        r = practices_read_policy(root, &survey->view.policy);
        if (r >= 0)
                r = practices_read_machine(root, arch, &survey->view.machine);
        if (r >= 0)
                r = ledger_read(root, &survey->view.ledger);
        if (r >= 0)
                r = read_entries(survey);
        if (r >= 0)
                r = plan_new(&survey->plan);
        if (r >= 0)
                r = ask_practices(survey);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(survey);
        return 0;
}

unsigned survey_unwanted(const Survey *survey) {
        unsigned mask = 0;

        for (size_t i = 0; i < N_PRACTICES; i++)
                if (survey->findings[i]->wanted == WANTED_OFF)
                        mask |= 1U << i;

        return mask;
}

bool survey_reboot_needed(const Survey *survey) {
        if (survey->view.machine->kind == MACHINE_IMAGE)
                return false;

        for (size_t i = 0; i < N_PRACTICES; i++)
                if (survey->findings[i]->reboot)
                        return true;

        return false;
}

/* The order of the rows is the order of precedence (README, "Exit status"). */
int survey_exit_status(const Survey *survey, unsigned mask) {
        static const struct {
                unsigned states;
                bool only_wanted;
                int status;
        } rows[] = {
                {1U << STATE_CONFLICT | 1U << STATE_UNSUPPORTED | 1U << STATE_UNKNOWN, true, STATUS_UNMET},
                {1U << STATE_DIFFERS | 1U << STATE_DRIFTED, false, STATUS_CHANGES},
                {1U << STATE_PENDING_REBOOT, false, STATUS_REBOOT},
        };

        if (survey->view.policy->n_errors > 0)
                return STATUS_ERROR;

        for (size_t i = 0; i < N_PRACTICES; i++)
                if ((mask & 1U << i) != 0 && practices[i]->fails &&
                    practices[i]->fails(&survey->view, survey->findings[i]))
                        return STATUS_UNMET;

        for (size_t r = 0; r < ELEMENTSOF(rows); r++) {
                if (rows[r].status == STATUS_REBOOT && survey->view.machine->kind == MACHINE_IMAGE)
                        continue;
                for (size_t i = 0; i < N_PRACTICES; i++) {
                        const Finding *f = survey->findings[i];

                        if ((mask & 1U << i) != 0 && (rows[r].states & 1U << f->state) != 0 &&
                            f->wanted != WANTED_NOTHING && (!rows[r].only_wanted || practice_is_on(f)))
                                return rows[r].status;
                }
        }

        return STATUS_OK;
}

/* The report -------------------------------------------------------------------------------------------- */

static json_object *tristate(int value) {
        return value < 0 ? NULL : json_object_new_boolean(value);
}

static int machine_to_json(const Machine *m, json_object **ret) {
        _cleanup_json_ json_object *o = json_object_new_object();
        json_object *os = json_object_new_object();

        if (!o || json_set(o, "os", os) < 0 || json_set_text(o, "arch", m->probe->arch) < 0 ||
            json_set_text(o, "kernel", m->probe->kernel_release) < 0 ||
            json_set_text(o, "virtualization", m->container ? m->container : m->virtualization) < 0 ||
            json_set_text(os, "id", m->os_id) < 0 || json_set_text(os, "version_id", m->os_version) < 0 ||
            json_set(o, "possible_cpus", m->possible_cpus ? json_object_new_int64(m->possible_cpus) : NULL) < 0 ||
            json_set(o, "dedicated_hint", tristate(m->probe->dedicated_hint)) < 0 ||
            json_set_text(o, "cmdline", m->cmdline_text) < 0)
                return -ENOMEM;

        *ret = TAKE_PTR(o);
        return 0;
}

static int error_to_json(const PolicyError *e, json_object *errors) {
        json_object *o = json_object_new_object();

        return !o || json_add(errors, o) < 0 || json_set_text(o, "file", e->file) < 0 ||
                               json_set(o, "line", e->line ? json_object_new_int64(e->line) : NULL) < 0 ||
                               json_set_text(o, "reason", e->reason) < 0
                       ? -ENOMEM
                       : 0;
}

static int credential_to_json(const Policy *p, json_object *policy) {
        json_object *o = json_object_new_object();

        return json_set(policy, "credential", o) < 0 || json_set_text(o, "state", p->credential) < 0 ||
                               json_set_text(o, "reason", p->credential_note) < 0
                       ? -ENOMEM
                       : 0;
}

static int policy_to_json(const Policy *p, json_object **ret) {
        _cleanup_json_ json_object *o = json_object_new_object();
        json_object *files = json_object_new_array(), *errors = json_object_new_array();

        if (!o || json_set(o, "files", files) < 0 || json_set(o, "errors", errors) < 0)
                return -ENOMEM;

        for (char **f = p->files; f && *f; f++)
                if (json_add(files, json_text(*f)) < 0)
                        return -ENOMEM;
        if (p->credential && credential_to_json(p, o) < 0)
                return -ENOMEM;
        for (size_t i = 0; i < p->n_errors; i++)
                if (error_to_json(p->errors + i, errors) < 0)
                        return -ENOMEM;

        *ret = TAKE_PTR(o);
        return 0;
}

static int practices_to_json(const Survey *survey, json_object **ret) {
        _cleanup_json_ json_object *array = json_object_new_array();
        json_object *o;

        for (size_t i = 0; i < N_PRACTICES; i++)
                if (!array || finding_to_json(survey->findings[i], &o) < 0 || json_add(array, o) < 0)
                        return -ENOMEM;

        *ret = TAKE_PTR(array);
        return 0;
}

static int add_parts(const Survey *survey, json_object *o) {
        json_object *part;

        if (machine_to_json(survey->view.machine, &part) < 0 || json_set(o, "machine", part) < 0 ||
            policy_to_json(survey->view.policy, &part) < 0 || json_set(o, "policy", part) < 0 ||
            json_set_text(o, "ledger", ledger_status_to_string(survey->view.ledger->status)) < 0 ||
            last_apply_read(survey->root, &part) < 0 || json_set(o, "last_apply", part) < 0 ||
            practices_to_json(survey, &part) < 0 || json_set(o, "practices", part) < 0)
                return -ENOMEM;

        return 0;
}

int survey_report(const Survey *survey, json_object **ret) {
        _cleanup_json_ json_object *o = json_object_new_object();

        if (!o || json_set(o, "schema", json_object_new_int(1)) < 0 ||
            json_set_text(o, "version", PACKAGE_VERSION) < 0 ||
            json_set_text(o, "boot_id", survey->view.machine->boot_id) < 0 ||
            json_set_text(o, "observed_at", survey->observed_at) < 0 || add_parts(survey, o) < 0 ||
            json_set(o, "reboot_needed", json_object_new_boolean(survey_reboot_needed(survey))) < 0)
                return -ENOMEM;

        *ret = TAKE_PTR(o);
        return 0;
}
