/* SPDX-License-Identifier: Apache-2.0 */

#include <assert.h>

#include "engine/transaction.h"

#define FILE_MAX (1024U * 1024U)

static void file_done(FileChange *f) {
        free(f->path);
        free(f->unit);
        buffer_done(&f->old);
        buffer_done(&f->new);
}

static void unit_done(UnitAction *u) {
        free(u->unit);
        free(u->expect);
}

Transaction *transaction_free(Transaction *t) {
        if (!t)
                return NULL;

        for (size_t i = 0; i < t->n_files; i++)
                file_done(t->files + i);
        for (size_t i = 0; i < t->n_attributes; i++) {
                free(t->attributes[i].path);
                free(t->attributes[i].old);
                free(t->attributes[i].new);
        }
        for (size_t i = 0; i < t->n_units; i++)
                unit_done(t->units + i);
        free(t->files);
        free(t->attributes);
        free(t->units);
        free(t->note);
        free(t->refusal);
        ledger_free(t->ledger);
        free(t);
        return NULL;
}

bool transaction_is_empty(const Transaction *t) {
        for (size_t i = 0; i < t->n_attributes; i++)
                if (!t->attributes[i].at_boot)
                        return false;

        return t->n_files == 0 && t->n_units == 0;
}

bool transaction_restarts(const Transaction *t, const char *practice) {
        for (size_t i = 0; i < t->n_units; i++)
                if (streq(t->units[i].practice, practice))
                        return true;

        return false;
}

/* The first refusal is the one that is told. */
static int refuse(Transaction *t, char *sentence) {
        if (!sentence)
                return -ENOMEM;
        if (t->refusal)
                free(sentence);
        else
                t->refusal = sentence;

        return 0;
}

static bool is_released(const char *practice, unsigned release) {
        int i = practice_find(practice);

        /* What an unknown practice did (of a newer gtuned) is none of our business. */
        return i >= 0 && (release & 1U << i) != 0;
}

/* Units ------------------------------------------------------------------------------------------------- */

static UnitAction *find_unit(const Transaction *t, const char *unit) {
        for (size_t i = 0; i < t->n_units; i++)
                if (streq(t->units[i].unit, unit))
                        return t->units + i;

        return NULL;
}

/* A unit is restarted once, whatever asks for it; and only one that runs can be. */
static int add_unit(const Survey *survey, Transaction *t, const char *practice, const char *unit, bool service,
                    const char *expect) {
        UnitAction *u;

        if (!unit || survey->view.machine->kind != MACHINE_LIVE)
                return 0;

        u = find_unit(t, unit);
        if (!u) {
                if (grow(&t->units, t->n_units, sizeof(UnitAction)) < 0)
                        return -ENOMEM;
                u = t->units + t->n_units++;
        }

        u->practice = practice;
        u->service = service;
        return free_and_strdup(&u->unit, unit) < 0 || free_and_strdup(&u->expect, expect) < 0 ? -ENOMEM : 0;
}

static void drop_unit(Transaction *t, const char *unit) {
        UnitAction *u = find_unit(t, unit);

        for (size_t i = 0; i < t->n_files; i++)
                if (streq_ptr(t->files[i].unit, unit))
                        return;
        if (!u)
                return;

        unit_done(u);
        memmove(u, u + 1, (size_t) (t->units + t->n_units - u - 1) * sizeof(*u));
        t->n_units--;
}

void transaction_drop_file(Transaction *t, size_t index) {
        FileChange f = t->files[index];

        memmove(t->files + index, t->files + index + 1, (t->n_files - index - 1) * sizeof(f));
        t->n_files--;
        if (f.unit)
                drop_unit(t, f.unit);
        file_done(&f);
}

/* Files ------------------------------------------------------------------------------------------------- */

static FileChange *add_file(Transaction *t, const char *path, const char *unit) {
        FileChange *f;

        if (grow(&t->files, t->n_files, sizeof(FileChange)) < 0)
                return NULL;

        f = t->files + t->n_files++;
        return free_and_strdup(&f->path, path) < 0 || free_and_strdup(&f->unit, unit) < 0 ? NULL : f;
}

static int record_file(const Survey *survey, Transaction *t, const Change *c) {
        LedgerFile *record = ledger_file(t->ledger, c->target);

        if (!record)
                record = ledger_add_file(t->ledger);
        if (!record || free_and_strdup(&record->practice, c->practice) < 0 ||
            free_and_strdup(&record->path, c->target) < 0 || free_and_strdup(&record->unit, c->unit) < 0 ||
            free_and_strdup(&record->boot_id, survey->view.machine->boot_id) < 0)
                return -ENOMEM;

        return 0;
}

static int resolve_file(const Survey *survey, const Change *c, Transaction *t) {
        _cleanup_buffer_ Buffer is = BUFFER_NULL;
        bool exists;
        FileChange *f;
        int r;

        r = root_read(survey->root, c->target, FILE_MAX, &is);
        if (r == -ENOMEM)
                return r;
        if (r < 0 && r != -ENOENT)
                return refuse(t, xasprintf("%s cannot be read: %s", c->target, strerror(-r)));

        exists = r >= 0;
        if (exists && buffer_equal(&is, &c->content))
                return 0;
        if (exists && !ledger_file(survey->view.ledger, c->target))
                return refuse(t, xasprintf("%s exists and is not gtuned's: move it away, or set enable = no in [%s]",
                                           c->target, c->practice));

        f = add_file(t, c->target, c->unit);
        if (!f || buffer_append(&f->new, c->content.data, c->content.size) < 0)
                return -ENOMEM;

        f->existed = exists;
        f->old = is;
        is = BUFFER_NULL;
        r = add_unit(survey, t, c->practice, c->unit, /* service= */ true, c->expect);
        return r < 0 ? r : record_file(survey, t, c);
}

static int release_files(const Survey *survey, Transaction *t, unsigned release) {
        for (size_t i = 0; i < t->ledger->n_files;) {
                LedgerFile *record = t->ledger->files + i;
                _cleanup_buffer_ Buffer is = BUFFER_NULL;
                FileChange *f;
                int r;

                if (!is_released(record->practice, release)) {
                        i++;
                        continue;
                }

                r = root_read(survey->root, record->path, FILE_MAX, &is);
                if (r == -ENOMEM)
                        return r;
                if (r >= 0) {
                        f = add_file(t, record->path, record->unit);
                        if (!f || add_unit(survey, t, practices[practice_find(record->practice)]->name, record->unit,
                                           /* service= */ true, NULL) < 0)
                                return -ENOMEM;
                        f->existed = f->gone = true;
                        f->old = is;
                        is = BUFFER_NULL;
                }
                ledger_drop_file(t->ledger, record);
        }

        return 0;
}

/* Tokens ------------------------------------------------------------------------------------------------ */

/* The edits of one boot store. Text and keep lists belong to the ledger of the survey. */
typedef struct Edits {
        TokenEdit *edits;
        TokenSpec *specs;
        char **texts;
        size_t n;
} Edits;

static void edits_done(Edits *e) {
        for (size_t i = 0; i < e->n; i++)
                free(e->texts[i]);
        free(e->texts);
        free(e->specs);
        free(e->edits);
}

static int edits_init(Edits *e, size_t n) {
        e->edits = calloc(n + 1, sizeof(TokenEdit));
        e->specs = calloc(n + 1, sizeof(TokenSpec));
        e->texts = calloc(n + 1, sizeof(char *));
        return e->edits && e->specs && e->texts ? 0 : -ENOMEM;
}

static bool gets_tokens(const BootEntry *e) {
        return e->kind == ENTRY_SYSTEM || e->kind == ENTRY_TEMPLATE;
}

static bool store_lacks(const BootStore *store, const TokenSpec *spec) {
        for (size_t i = 0; i < store->n_entries; i++)
                if (gets_tokens(store->entries + i) &&
                    cmdline_state(&store->entries[i].cmdline, spec, NULL) == TOKEN_ABSENT)
                        return true;

        return false;
}

/* What entries had of the parameter before we came stays when ours is taken back. */
static int remember_keep(const BootStore *store, const TokenSpec *spec, LedgerToken *record) {
        size_t n = 0;

        for (size_t i = 0; i < store->n_entries; i++) {
                const BootEntry *e = store->entries + i;

                if (!gets_tokens(e) || cmdline_state(&e->cmdline, spec, NULL) == TOKEN_ABSENT)
                        continue;
                if (grow(&record->keep, n + 1, sizeof(char *)) < 0)
                        return -ENOMEM;
                record->keep[n] = strdup(e->id);
                if (!record->keep[n++])
                        return -ENOMEM;
                record->keep[n] = NULL;
        }

        return 0;
}

static int record_token(const Survey *survey, Transaction *t, const BootStore *store, const Change *c,
                        const char *text) {
        LedgerToken *record = ledger_token(t->ledger, store->path, text);

        if (!record) {
                record = ledger_add_token(t->ledger);
                if (!record || free_and_strdup(&record->practice, c->practice) < 0 ||
                    free_and_strdup(&record->store, store->driver->name) < 0 ||
                    free_and_strdup(&record->path, store->path) < 0 || free_and_strdup(&record->token, text) < 0 ||
                    remember_keep(store, &c->token, record) < 0)
                        return -ENOMEM;
        }

        return free_and_strdup(&record->boot_id, survey->view.machine->boot_id);
}

static int collect_additions(const Survey *survey, const Plan *plan, const BootStore *store, Transaction *t,
                             Edits *e) {
        for (size_t i = 0; plan && i < plan->n_changes; i++) {
                const Change *c = plan->changes + i;
                _cleanup_free_ char *text = NULL;
                int r;

                if (c->kind != CHANGE_TOKEN || !store_lacks(store, &c->token))
                        continue;

                text = token_spec_format(&c->token);
                if (!text)
                        return -ENOMEM;
                r = record_token(survey, t, store, c, text);
                if (r < 0)
                        return r;

                e->edits[e->n] = (TokenEdit) {.spec = &c->token, .add = true};
                e->texts[e->n++] = TAKE_PTR(text);
        }

        return 0;
}

/* A record as an edit: "name=value" taken apart again. */
static int collect_removal(const LedgerToken *record, Edits *e) {
        char *text = strdup(record->token), *equals;

        if (!text)
                return -ENOMEM;

        equals = strchr(text, '=');
        if (equals)
                *equals = 0;

        e->texts[e->n] = text;
        e->specs[e->n] = (TokenSpec) {.name = text, .value = equals ? equals + 1 : NULL, .kind = TOKEN_STRING};
        e->edits[e->n] = (TokenEdit) {.spec = e->specs + e->n, .keep = (const char *const *) record->keep};
        e->n++;
        return 0;
}

static int collect_removals(const Survey *survey, const BootStore *store, unsigned release, Edits *e) {
        const LedgerToken *record = NULL;

        while ((record = ledger_next_token(survey->view.ledger, store->path, record))) {
                int r;

                if (!is_released(record->practice, release))
                        continue;
                r = collect_removal(record, e);
                if (r < 0)
                        return r;
        }

        return 0;
}

static int render_store(const BootStore *store, const Edits *e, Transaction *t) {
        _cleanup_buffer_ Buffer new = BUFFER_NULL;
        const BootEntry *entry = NULL;
        size_t size = 0;
        FileChange *f;
        int r;

        r = store->driver->render(store, e->edits, e->n, &new, &entry, &size);
        if (r == -E2BIG)
                return refuse(t, xasprintf("%s:%u: the kernel command line would be %zu bytes long, and the kernel "
                                           "takes %u: remove something from it",
                                           entry->path, entry->line, size, CMDLINE_MAX));
        if (r == -ENOSPC)
                return refuse(t, xasprintf("%s: the environment block is full: remove something from it with "
                                           "grub2-editenv",
                                           store->path));
        if (r == -ENOMEM)
                return r;
        if (r < 0)
                return refuse(t, xasprintf("%s cannot be changed: %s", store->path, strerror(-r)));
        if (buffer_equal(&new, &store->content))
                return 0;

        f = add_file(t, store->path, NULL);
        if (!f || buffer_append(&f->old, store->content.data, store->content.size) < 0)
                return -ENOMEM;

        f->existed = true;
        f->new = new;
        new = BUFFER_NULL;
        return 0;
}

static int resolve_store(const Survey *survey, const Plan *plan, unsigned release, const BootStore *store,
                         Transaction *t) {
        _cleanup_(edits_done) Edits e = {};
        size_t n = plan ? plan->n_changes : 0;
        int r;

        for (const LedgerToken *l = NULL; (l = ledger_next_token(survey->view.ledger, store->path, l));)
                n++;

        r = edits_init(&e, n);
        if (r >= 0)
                r = collect_additions(survey, plan, store, t, &e);
        if (r >= 0)
                r = collect_removals(survey, store, release, &e);

        return r < 0 || e.n == 0 ? r : render_store(store, &e, t);
}

static bool has_token_changes(const Plan *plan) {
        for (size_t i = 0; plan && i < plan->n_changes; i++)
                if (plan->changes[i].kind == CHANGE_TOKEN)
                        return true;

        return false;
}

/* Where nothing that boots is in sight, the rest is left alone too; an image may get its entries later. */
static bool can_place_tokens(const Survey *survey) {
        const Machine *m = survey->view.machine;

        for (size_t i = 0; i < m->n_entries; i++)
                if (m->entries[i]->kind == ENTRY_SYSTEM)
                        return true;

        return m->kind == MACHINE_IMAGE;
}

static int compare_paths(const void *a, const void *b) {
        return strcmp(*(const char *const *) a, *(const char *const *) b);
}

/* The paths of all stores, in order, for bsearch(). */
static int sort_stores(const BootStores *stores, const char ***ret) {
        const char **paths = calloc(stores->n_stores + 1, sizeof(char *));

        if (!paths)
                return -ENOMEM;

        for (size_t i = 0; i < stores->n_stores; i++)
                paths[i] = stores->stores[i]->path;
        qsort(paths, stores->n_stores, sizeof(char *), compare_paths);

        *ret = paths;
        return 0;
}

/* A file whose very directory is missing is most likely on a file system that is not mounted. */
static int is_out_of_reach(const Root *root, const char *path, bool *ret) {
        _cleanup_free_ char *directory = strdup(path);

        if (!directory)
                return -ENOMEM;

        *strrchr(directory, '/') = 0;
        *ret = *directory && !root_exists(root, directory);
        return 0;
}

/* Dropping the record of a file that is only unmounted would make our token in it the administrator's for good. */
static int check_records(const Survey *survey, unsigned release, Transaction *t) {
        _cleanup_free_ const char **stores = NULL;
        const Ledger *ledger = survey->view.ledger;

        if (sort_stores(survey->stores, &stores) < 0)
                return -ENOMEM;

        for (size_t i = 0; i < ledger->n_tokens; i++) {
                const LedgerToken *record = ledger->tokens + i;
                bool out_of_reach = false;

                if (is_released(record->practice, release) &&
                    !bsearch(&record->path, stores, survey->stores->n_stores, sizeof(char *), compare_paths) &&
                    is_out_of_reach(survey->root, record->path, &out_of_reach) < 0)
                        return -ENOMEM;
                if (out_of_reach)
                        return refuse(t, xasprintf("%s, where gtuned added %s, is not there: mount it; if it is gone "
                                                   "for good, remove its record from %s",
                                                   record->path, record->token, LEDGER_PATH));
        }

        return 0;
}

static bool is_record_released(const LedgerToken *record, const void *release) {
        return is_released(record->practice, *(const unsigned *) release);
}

static int resolve_tokens(const Survey *survey, const Plan *plan, unsigned release, Transaction *t) {
        bool removals;
        int r;

        r = check_records(survey, release, t);
        if (r < 0)
                return r;

        removals = ledger_drop_tokens(t->ledger, is_record_released, &release) > 0;
        if (!has_token_changes(plan) && !removals)
                return 0;

        for (size_t i = 0; i < survey->stores->n_problems; i++) {
                const BootStoreProblem *p = survey->stores->problems + i;

                if (p->fatal)
                        return refuse(t, p->line > 0 ? xasprintf("%s:%u: %s", p->path, p->line, p->reason)
                                                     : xasprintf("%s: %s", p->path, p->reason));
        }

        if (!can_place_tokens(survey))
                plan = NULL;
        for (size_t i = 0; i < survey->stores->n_stores; i++) {
                r = resolve_store(survey, plan, release, survey->stores->stores[i], t);
                if (r < 0)
                        return r;
        }

        return 0;
}

/* Attributes -------------------------------------------------------------------------------------------- */

static int add_attribute(Transaction *t, const char *practice, const char *path, const char *old, const char *new,
                         bool at_boot) {
        AttributeChange *a;

        if (grow(&t->attributes, t->n_attributes, sizeof(AttributeChange)) < 0)
                return -ENOMEM;

        a = t->attributes + t->n_attributes++;
        a->practice = practice;
        a->at_boot = at_boot;
        return free_and_strdup(&a->path, path) < 0 || free_and_strdup(&a->old, old) < 0 ||
                               free_and_strdup(&a->new, new) < 0
                       ? -ENOMEM
                       : 0;
}

static int record_attribute(const Survey *survey, Transaction *t, const Change *c, const char *old) {
        const char *boot_id = survey->view.machine->boot_id;
        LedgerAttribute *record = ledger_attribute(t->ledger, c->target, boot_id);

        if (!record) {
                record = ledger_add_attribute(t->ledger);
                if (!record || free_and_strdup(&record->practice, c->practice) < 0 ||
                    free_and_strdup(&record->path, c->target) < 0 || free_and_strdup(&record->old, old) < 0 ||
                    free_and_strdup(&record->boot_id, boot_id) < 0)
                        return -ENOMEM;
        }

        return free_and_strdup(&record->new, c->value);
}

static int resolve_attribute(const Survey *survey, const Change *c, Transaction *t) {
        _cleanup_free_ char *is = NULL;
        int r;

        if (survey->view.machine->kind == MACHINE_IMAGE)
                return add_attribute(t, c->practice, c->target, NULL, c->value, true);

        r = root_read_line(survey->root, c->target, &is);
        if (r == -ENOMEM)
                return r;
        if (r < 0)
                return refuse(t, xasprintf("%s cannot be read: %s", c->target, strerror(-r)));
        if (!c->value)
                return add_attribute(t, c->practice, c->target, is, is, false);
        if (streq(is, c->value))
                return 0;

        r = add_attribute(t, c->practice, c->target, is, c->value, false);
        return r < 0 ? r : record_attribute(survey, t, c, is);
}

/* The way back, last write first. A value that somebody else wrote since is left alone. */
static int release_attributes(const Survey *survey, Transaction *t, unsigned release) {
        for (size_t i = t->ledger->n_attributes; i-- > 0;) {
                LedgerAttribute *record = t->ledger->attributes + i;
                bool of_this_boot = streq_ptr(record->boot_id, survey->view.machine->boot_id);
                _cleanup_free_ char *is = NULL;
                int practice = practice_find(record->practice), r = 0;

                if (of_this_boot && !is_released(record->practice, release))
                        continue;

                if (of_this_boot && root_read_line(survey->root, record->path, &is) >= 0 && streq(is, record->new) &&
                    !streq(is, record->old))
                        r = add_attribute(t, practices[practice]->name, record->path, is, record->old, false);
                if (r < 0)
                        return r;
                ledger_drop_attribute(t->ledger, record);
        }

        return 0;
}

/* The whole --------------------------------------------------------------------------------------------- */

static int resolve_plan(const Survey *survey, const Plan *plan, Transaction *t) {
        for (size_t i = 0; plan && i < plan->n_changes; i++) {
                const Change *c = plan->changes + i;
                int r = 0;

                if (c->kind == CHANGE_FILE)
                        r = resolve_file(survey, c, t);
                else if (c->kind == CHANGE_ATTRIBUTE)
                        r = resolve_attribute(survey, c, t);
                else if (c->kind == CHANGE_UNIT)
                        r = add_unit(survey, t, c->practice, c->target, c->expect != NULL, c->expect);
                if (r < 0)
                        return r;
        }

        return 0;
}

static int check_policy(const Policy *policy, Transaction *t) {
        const PolicyError *e = policy->errors;

        if (policy->n_errors == 0)
                return 0;

        return refuse(t, xasprintf("nothing of a policy with errors is applied; %s:%u: %s", e->file, e->line,
                                   e->reason));
}

static int check_ledger(const Ledger *ledger, Transaction *t) {
        if (ledger->status == LEDGER_INVALID)
                return refuse(t, xasprintf("%s cannot be parsed, so it is unknown what gtuned changed: repair it, or "
                                           "remove it and gtuned's changes become the administrator's",
                                           LEDGER_PATH));
        if (ledger->status == LEDGER_UNREADABLE)
                return refuse(t, xasprintf("%s cannot be read: %s", LEDGER_PATH, strerror(-ledger->error)));

        return 0;
}

int transaction_resolve(const Survey *survey, const Plan *plan, unsigned release, Transaction **ret) {
        _cleanup_(transaction_freep) Transaction *t = calloc(1, sizeof(*t));
        int r;

        assert(ret);

        if (!t)
                return -ENOMEM;

        r = ledger_copy(survey->view.ledger, &t->ledger);
        if (r >= 0)
                r = check_ledger(survey->view.ledger, t);
        if (r >= 0 && plan)
                r = check_policy(survey->view.policy, t);
        if (r >= 0)
                r = resolve_tokens(survey, plan, release, t);
        if (r >= 0)
                r = release_files(survey, t, release);
        if (r >= 0)
                r = release_attributes(survey, t, release);
        if (r >= 0)
                r = resolve_plan(survey, plan, t);
        if (r < 0)
                return r;

        t->ledger_changed = t->ledger->n_tokens != survey->view.ledger->n_tokens ||
                            t->ledger->n_files != survey->view.ledger->n_files;
        *ret = TAKE_PTR(t);
        return 0;
}

/* As a document ----------------------------------------------------------------------------------------- */

static json_object *change_object(json_object *changes, const char *kind) {
        json_object *o = json_object_new_object();

        return o && json_add(changes, o) >= 0 && json_set_text(o, "kind", kind) >= 0 ? o : NULL;
}

static int files_to_json(const Transaction *t, json_object *changes) {
        for (size_t i = 0; i < t->n_files; i++) {
                const FileChange *f = t->files + i;
                json_object *o = change_object(changes, "file");

                if (!o || json_set_text(o, "path", f->path) < 0 ||
                    json_set_text(o, "action", f->gone ? "remove" : f->existed ? "change" : "create") < 0)
                        return -ENOMEM;
        }

        return 0;
}

static int attributes_to_json(const Transaction *t, json_object *changes) {
        for (size_t i = 0; i < t->n_attributes; i++) {
                const AttributeChange *a = t->attributes + i;
                json_object *o = change_object(changes, "attribute");

                if (!o || json_set_text(o, "practice", a->practice) < 0 || json_set_text(o, "path", a->path) < 0 ||
                    json_set_text(o, "old", a->old) < 0 || json_set_text(o, "new", a->new) < 0 ||
                    json_set(o, "at_boot", json_object_new_boolean(a->at_boot)) < 0)
                        return -ENOMEM;
        }

        return 0;
}

static int units_to_json(const Transaction *t, json_object *changes) {
        for (size_t i = 0; i < t->n_units; i++) {
                const UnitAction *u = t->units + i;
                json_object *o = change_object(changes, "unit");

                if (!o || json_set_text(o, "practice", u->practice) < 0 || json_set_text(o, "unit", u->unit) < 0 ||
                    json_set_text(o, "action", "restart") < 0)
                        return -ENOMEM;
        }

        return 0;
}

int transaction_to_json(const Transaction *t, json_object **ret) {
        _cleanup_json_ json_object *o = json_object_new_object();
        json_object *changes = json_object_new_array();

        if (!o || json_set(o, "changes", changes) < 0 || json_set_text(o, "refusal", t->refusal) < 0 ||
            files_to_json(t, changes) < 0 || attributes_to_json(t, changes) < 0 || units_to_json(t, changes) < 0)
                return -ENOMEM;

        *ret = TAKE_PTR(o);
        return 0;
}

int transaction_describe(const Survey *survey, json_object **ret) {
        _cleanup_(transaction_freep) Transaction *t = NULL;
        int r;

        r = transaction_resolve(survey, survey->plan, survey_unwanted(survey), &t);
        return r < 0 ? r : transaction_to_json(t, ret);
}
