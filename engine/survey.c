/* SPDX-License-Identifier: Apache-2.0 */

#include <assert.h>

#include "core/options.h"
#include "engine/last-apply.h"
#include "engine/survey.h"

static void survey_forget_facts(Observation *o) {
        o->finding = finding_free(o->finding);
        if (o->facts && o->practice->done)
                o->practice->done(o->facts);
        o->facts = NULL;
}

static void survey_forget_observations(Survey *survey) {
        for (size_t i = 0; i < survey->n_observations; i++) {
                survey_forget_facts(survey->observations + i);
                free(survey->observations[i].subject);
        }
        free(survey->observations);
        survey->observations = NULL;
        survey->n_observations = 0;
}

Survey *survey_free(Survey *survey) {
        if (!survey)
                return NULL;

        survey_forget_observations(survey);
        plan_free(survey->plan);
        boot_stores_free(survey->stores);
        machine_free(survey->machine);
        policy_free(survey->policy);
        ledger_free(survey->ledger);
        json_object_put(survey->last_apply);
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

static int survey_note_entries(Survey *survey) {
        const BootStores *stores = survey->stores;
        int r;

        machine_forget_entries(survey->machine);
        for (size_t s = 0; s < stores->n_stores; s++)
                for (size_t i = 0; i < stores->stores[s]->n_entries; i++) {
                        r = machine_add_entry(survey->machine, stores->stores[s]->entries + i);
                        if (r < 0)
                                return r;
                }

        survey->machine->entries_none = stores->none;
        survey->machine->entries_built = stores->built;
        for (size_t i = 0; i < stores->n_problems; i++) {
                if (!stores->problems[i].remark)
                        continue;

                r = machine_add_remark(survey->machine, boot_store_problem_format(stores->problems + i));
                if (r < 0)
                        return r;
        }

        for (size_t i = 0; i < stores->n_problems; i++)
                if (stores->problems[i].fatal || !machine_boots_system(survey->machine))
                        return survey_note_problem(survey->machine, stores->problems + i);

        return 0;
}

static int survey_read_entries(Survey *survey, _unused_ const Interest *interest) {
        const Machine *m = survey->machine;
        int r;

        machine_forget_entries(survey->machine);
        survey->stores = boot_stores_free(survey->stores);
        r = boot_stores_find(survey->root, m->cmdline_text ? &m->cmdline : NULL, &survey->stores);
        return r < 0 ? r : survey_note_entries(survey);
}

static int survey_read_policy(Survey *survey, _unused_ const Interest *interest) {
        survey->policy = policy_free(survey->policy);
        return survey->side->read_policy(survey->side, survey->root, &survey->policy);
}

static int survey_read_machine(Survey *survey, const Interest *interest) {
        survey->machine = machine_free(survey->machine);
        return machine_read(survey->root, survey->arch, interest, &survey->machine);
}

static int survey_read_log(Survey *survey, const Interest *interest) {
        return machine_read_log(survey->machine, survey->root, interest);
}

static int survey_read_services(Survey *survey, const Interest *interest) {
        return machine_read_services(survey->machine, interest);
}

static int survey_read_ledger(Survey *survey, _unused_ const Interest *interest) {
        survey->ledger = ledger_free(survey->ledger);
        return side_read_ledger(survey->side, survey->root, &survey->ledger);
}

static int survey_read_last_apply(Survey *survey, _unused_ const Interest *interest) {
        json_object_put(survey->last_apply);
        survey->last_apply = NULL;
        return last_apply_read(survey->side, survey->root, &survey->last_apply);
}

/* What all practices share, in the order of reading. */
static const struct {
        SurveyParts part;
        SurveyParts dependents; /* to be read or judged again with it */
        int (*read)(Survey *survey, const Interest *interest);
} shared_parts[] = {
        {SURVEY_POLICY, SURVEY_PRACTICES, survey_read_policy},
        {SURVEY_MACHINE, SURVEY_PRACTICES | SURVEY_LOG | SURVEY_SERVICES | SURVEY_ENTRIES, survey_read_machine},
        {SURVEY_LOG, 0, survey_read_log},           /* and the practices that look for lines */
        {SURVEY_SERVICES, 0, survey_read_services}, /* and those that look for services */
        {SURVEY_LEDGER, SURVEY_PRACTICES, survey_read_ledger},
        {SURVEY_ENTRIES, SURVEY_PRACTICES, survey_read_entries},
        {SURVEY_LAST_APPLY, 0, survey_read_last_apply},
};

/* An error in the policy concerns every practice, and checks of practices find errors. Subjects may come and go. */
static bool survey_is_divisible(const Survey *survey) {
        for (size_t i = 0; i < survey->side->n_practices; i++)
                if (survey->side->practices[i]->list_subjects)
                        return false;

        return survey->policy && survey->policy->n_errors == 0;
}

SurveyParts survey_dependents(const Survey *survey, SurveyParts parts) {
        for (size_t i = 0; i < ELEMENTSOF(shared_parts); i++)
                if (parts & shared_parts[i].part)
                        parts |= shared_parts[i].dependents;

        for (size_t row = 0; row < survey->side->n_practices; row++) {
                const Practice *p = survey->side->practices[row];

                if (((parts & SURVEY_LOG) && p->log_patterns) || ((parts & SURVEY_SERVICES) && p->n_services > 0))
                        parts |= survey_practice(row);
        }

        return (parts & SURVEY_PRACTICES) && !survey_is_divisible(survey) ? SURVEY_ALL : parts;
}

static int survey_read_shared(Survey *survey, SurveyParts parts) {
        _cleanup_(side_interest_done) SideInterest i;
        int r;

        r = side_interest(survey->side, &i);
        for (size_t k = 0; r >= 0 && k < ELEMENTSOF(shared_parts); k++) {
                if (!(parts & shared_parts[k].part))
                        continue;

                survey->reading = shared_parts[k].part;
                r = shared_parts[k].read(survey, &i.interest);
        }

        return r;
}

static int survey_add_observation(Survey *survey, size_t row, const char *subject) {
        Observation *o;

        if (grow(&survey->observations, survey->n_observations, sizeof(Observation)) < 0)
                return -ENOMEM;

        o = survey->observations + survey->n_observations++;
        *o = (Observation) {.practice = survey->side->practices[row], .row = row};
        return free_and_strdup(&o->subject, subject);
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

static int survey_list_observations(Survey *survey) {
        int r = 0;

        survey_forget_observations(survey);
        for (size_t row = 0; r >= 0 && row < survey->side->n_practices; row++) {
                survey->reading = survey_practice(row);
                r = survey_list_subjects(survey, row);
        }

        return r;
}

static bool survey_takes(const Observation *o, SurveyParts parts) {
        return (parts & survey_practice(o->row)) != 0;
}

/* Every fact is read once, and every check comes before a verdict: a policy with errors asks for nothing. */
static int survey_read_facts(Survey *survey, SurveyParts parts) {
        for (size_t i = 0; i < survey->n_observations; i++) {
                Observation *o = survey->observations + i;
                View view = survey_view(survey, o);
                int r;

                if (!survey_takes(o, parts))
                        continue;

                survey->reading = survey_practice(o->row);
                survey_forget_facts(o);
                r = o->practice->read ? o->practice->read(&view, &o->facts) : 0;
                if (r < 0)
                        return r;
                r = o->practice->check ? o->practice->check(&view, o->facts, survey->policy) : 0;
                if (r < 0)
                        return r;
        }

        return 0;
}

static int survey_judge(Survey *survey, SurveyParts parts) {
        for (size_t i = 0; i < survey->n_observations; i++) {
                Observation *o = survey->observations + i;
                View view = survey_view(survey, o);
                int r;

                if (!survey_takes(o, parts))
                        continue;

                survey->reading = survey_practice(o->row);
                r = finding_new(&o->finding, o->practice->name, o->subject);
                if (r < 0)
                        return r;
                r = o->practice->observe(&view, o->facts, o->finding);
                if (r < 0)
                        return r;
        }

        return 0;
}

int survey_plan(Survey *survey) {
        _cleanup_(plan_freep) Plan *plan = NULL;
        int r;

        if (survey->plan)
                return 0;

        r = plan_new(&plan);
        for (size_t i = 0; r >= 0 && i < survey->n_observations; i++) {
                const Observation *o = survey->observations + i;
                View view = survey_view(survey, o);

                survey->reading = survey_practice(o->row);
                r = o->practice->plan(&view, o->facts, o->finding, plan);
        }
        if (r >= 0)
                survey->plan = TAKE_PTR(plan);

        return r;
}

static int survey_refresh_parts(Survey *survey, SurveyParts parts) {
        int r;

        survey->refreshed = parts;
        survey->plan = plan_free(survey->plan);
        timestamp_utc(survey->observed_at);

        r = survey_read_shared(survey, parts);
        if (r < 0)
                return r;

        survey->view = (View) {
                .root = survey->root,
                .machine = survey->machine,
                .policy = survey->policy,
                .ledger = survey->ledger,
                .run_directory = survey->side->run_directory,
                .patient = survey->patient,
        };
        if (parts == SURVEY_ALL) {
                r = survey_list_observations(survey);
                if (r < 0)
                        return r;
        }
        r = survey_read_facts(survey, parts);
        if (r < 0)
                return r;

        /* A check has found an error: nothing is wanted any more, of no practice. */
        if (parts != SURVEY_ALL && survey->policy->n_errors > 0)
                return survey_refresh_parts(survey, SURVEY_ALL);

        return survey_judge(survey, parts);
}

int survey_refresh(Survey *survey, SurveyParts parts) {
        int r;

        root_remember(survey->root, true);
        r = survey_refresh_parts(survey, survey_dependents(survey, parts));
        root_remember(survey->root, false);
        return r;
}

int survey_new(const Side *side, Root *root, const char *arch, Survey **ret) {
        Survey *survey = calloc(1, sizeof(*survey));

        assert(side && root && ret);

        if (!survey)
                return -ENOMEM;

        survey->side = side;
        survey->root = root;
        survey->arch = arch;
        *ret = survey;
        return 0;
}

int survey_take(const Side *side, Root *root, const char *arch, Survey **ret) {
        _cleanup_(survey_freep) Survey *survey = NULL;
        int r;

        r = survey_new(side, root, arch, &survey);
        if (r < 0)
                return r;
        survey->patient = true;
        r = survey_refresh(survey, SURVEY_ALL);
        if (r < 0)
                return r;
        r = survey_plan(survey);
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
