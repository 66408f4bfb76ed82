/* SPDX-License-Identifier: Apache-2.0 */

#include <assert.h>

#include "core/options.h"
#include "engine/survey.h"

Survey *survey_free(Survey *survey) {
        if (!survey)
                return NULL;

        for (size_t i = 0; i < survey->n_observations; i++) {
                Observation *o = survey->observations + i;

                finding_free(o->finding);
                if (o->practice->done)
                        o->practice->done(o->facts);
                free(o->subject);
        }
        free(survey->observations);
        plan_free(survey->plan);
        boot_stores_free(survey->stores);
        machine_free(survey->machine);
        policy_free(survey->policy);
        ledger_free(survey->ledger);
        free(survey);
        return NULL;
}

View survey_view(const Survey *survey, const Observation *o) {
        View view = survey->view;

        view.subject = o->subject;
        return view;
}

const Observation *survey_find(const Survey *survey, const char *practice, const char *subject) {
        for (size_t i = 0; i < survey->n_observations; i++)
                if (streq(survey->observations[i].practice->name, practice) &&
                    streq_ptr(survey->observations[i].subject, subject))
                        return survey->observations + i;

        return NULL;
}

static bool machine_boots_system(const Machine *machine) {
        for (size_t i = 0; i < machine->n_entries; i++)
                if (machine->entries[i]->kind == ENTRY_SYSTEM)
                        return true;

        return false;
}

static int survey_note_problem(Machine *machine, const BootStoreProblem *p) {
        machine->entries_error_code = p->code;
        machine->entries_error = boot_store_problem_format(p);
        return machine->entries_error ? 0 : -ENOMEM;
}

static int survey_read_entries(Survey *survey) {
        const BootStores *stores;
        int r;

        r = boot_stores_find(survey->root, survey->machine->cmdline_text ? &survey->machine->cmdline : NULL,
                             &survey->stores);
        if (r < 0)
                return r;

        stores = survey->stores;
        for (size_t s = 0; s < stores->n_stores; s++)
                for (size_t i = 0; i < stores->stores[s]->n_entries; i++) {
                        r = machine_add_entry(survey->machine, stores->stores[s]->entries + i);
                        if (r < 0)
                                return r;
                }

        survey->machine->entries_none = stores->none;
        for (size_t i = 0; i < stores->n_problems; i++)
                if (stores->problems[i].fatal || !machine_boots_system(survey->machine))
                        return survey_note_problem(survey->machine, stores->problems + i);

        return 0;
}

static int survey_add_observation(Survey *survey, size_t row, const char *subject) {
        Observation *o;

        if (grow(&survey->observations, survey->n_observations, sizeof(Observation)) < 0)
                return -ENOMEM;

        o = survey->observations + survey->n_observations++;
        o->practice = survey->side->practices[row];
        o->row = row;
        if (free_and_strdup(&o->subject, subject) < 0)
                return -ENOMEM;

        return finding_new(&o->finding, o->practice->name, o->subject);
}

static int survey_list_subjects(Survey *survey, size_t row) {
        const Practice *practice = survey->side->practices[row];
        _cleanup_(strv_freep) char **subjects = NULL;
        int r;

        if (!practice->list_subjects)
                return survey_add_observation(survey, row, NULL);

        r = practice->list_subjects(&survey->view, &subjects);
        for (char **s = subjects; r >= 0 && s && *s; s++)
                r = survey_add_observation(survey, row, *s);

        return r;
}

/* Every fact is read once, and every check comes before a verdict: a policy with errors asks for nothing. */
static int survey_read_facts(Survey *survey) {
        for (size_t i = 0; i < survey->n_observations; i++) {
                Observation *o = survey->observations + i;
                View view = survey_view(survey, o);
                int r;

                r = o->practice->read ? o->practice->read(&view, &o->facts) : 0;
                if (r < 0)
                        return r;
                r = o->practice->check ? o->practice->check(&view, o->facts, survey->policy) : 0;
                if (r < 0)
                        return r;
        }

        return 0;
}

static int survey_judge(Survey *survey) {
        for (size_t i = 0; i < survey->n_observations; i++) {
                Observation *o = survey->observations + i;
                View view = survey_view(survey, o);
                int r;

                r = o->practice->observe(&view, o->facts, o->finding);
                if (r < 0)
                        return r;
                r = o->practice->plan(&view, o->facts, o->finding, survey->plan);
                if (r < 0)
                        return r;
        }

        return 0;
}

static int survey_ask_practices(Survey *survey) {
        int r;

        for (size_t row = 0; row < survey->side->n_practices; row++) {
                r = survey_list_subjects(survey, row);
                if (r < 0)
                        return r;
        }

        r = survey_read_facts(survey);
        if (r < 0)
                return r;
        r = plan_new(&survey->plan);
        if (r < 0)
                return r;

        return survey_judge(survey);
}

static int survey_read_machine(Survey *survey, const char *arch) {
        const Side *side = survey->side;
        int r;

        r = side->read_policy(side, survey->root, &survey->policy);
        if (r < 0)
                return r;
        r = side_read_machine(side, survey->root, arch, &survey->machine);
        if (r < 0)
                return r;
        r = side_read_ledger(side, survey->root, &survey->ledger);
        if (r < 0)
                return r;

        return survey_read_entries(survey);
}

int survey_take(const Side *side, Root *root, const char *arch, Survey **ret) {
        _cleanup_(survey_freep) Survey *survey = calloc(1, sizeof(*survey));
        int r;

        assert(side && root && ret);

        if (!survey)
                return -ENOMEM;

        survey->side = side;
        survey->root = root;
        timestamp_utc(survey->observed_at);

        r = survey_read_machine(survey, arch);
        if (r < 0)
                return r;

        survey->view = (View) {
                .root = root,
                .machine = survey->machine,
                .policy = survey->policy,
                .ledger = survey->ledger,
                .run_directory = side->run_directory,
        };
        r = survey_ask_practices(survey);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(survey);
        return 0;
}

bool *survey_select(const Survey *survey, PracticeSet set) {
        bool *chosen = calloc(survey->n_observations + 1, sizeof(bool));

        for (size_t i = 0; chosen && i < survey->n_observations; i++)
                chosen[i] = practice_set_has(set, survey->observations[i].row);

        return chosen;
}

bool *survey_unwanted(const Survey *survey) {
        bool *chosen = calloc(survey->n_observations + 1, sizeof(bool));

        for (size_t i = 0; chosen && i < survey->n_observations; i++)
                chosen[i] = survey->observations[i].finding->wanted == WANTED_OFF;

        return chosen;
}

bool survey_reboot_needed(const Survey *survey) {
        if (survey->machine->kind == MACHINE_IMAGE)
                return false;

        for (size_t i = 0; i < survey->n_observations; i++)
                if (survey->observations[i].finding->reboot)
                        return true;

        return false;
}

static bool survey_fails(const Survey *survey, const Observation *o) {
        View view = survey_view(survey, o);

        return o->practice->fails && o->practice->fails(&view, o->finding);
}

/* The order of the rows is the order of precedence (README, "Exit status"). */
int survey_exit_status(const Survey *survey, PracticeSet set) {
        static const struct {
                unsigned states;
                bool only_wanted;
                int status;
        } rows[] = {
                {1U << STATE_CONFLICT | 1U << STATE_UNSUPPORTED | 1U << STATE_UNKNOWN, true, STATUS_UNMET},
                {1U << STATE_DIFFERS | 1U << STATE_DRIFTED, false, STATUS_CHANGES},
                {1U << STATE_PENDING_REBOOT, false, STATUS_REBOOT},
        };

        if (survey->policy->n_errors > 0)
                return STATUS_ERROR;

        for (size_t i = 0; i < survey->n_observations; i++)
                if (practice_set_has(set, survey->observations[i].row) && survey_fails(survey, survey->observations + i))
                        return STATUS_UNMET;

        for (size_t r = 0; r < ELEMENTSOF(rows); r++) {
                if (rows[r].status == STATUS_REBOOT && survey->machine->kind == MACHINE_IMAGE)
                        continue;
                for (size_t i = 0; i < survey->n_observations; i++) {
                        const Finding *f = survey->observations[i].finding;

                        if (practice_set_has(set, survey->observations[i].row) &&
                            (rows[r].states & 1U << f->state) != 0 && f->wanted != WANTED_NOTHING &&
                            (!rows[r].only_wanted || practice_is_on(f)))
                                return rows[r].status;
                }
        }

        return STATUS_OK;
}
