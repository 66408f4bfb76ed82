/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Tokens on the kernel command line: the engine turns all that are wanted and all that are taken back into one new content
 * of each boot store.
 */

#include "engine/boot-check.h"
#include "engine/change.h"
#include "grub/edit.h"

/* The edits of one boot store. */
typedef struct StoreEdits {
        TokenEdit *edits;
        TokenSpec *specs; /* of what is removed */
        char **texts;
        size_t n;
} StoreEdits;

static void store_edits_done(StoreEdits *e) {
        for (size_t i = 0; i < e->n; i++)
                free(e->texts[i]);
        free(e->texts);
        free(e->specs);
        free(e->edits);
}

static int store_edits_init(StoreEdits *e, size_t n) {
        e->edits = calloc(n + 1, sizeof(TokenEdit));
        e->specs = calloc(n + 1, sizeof(TokenSpec));
        e->texts = calloc(n + 1, sizeof(char *));
        return e->edits && e->specs && e->texts ? 0 : -ENOMEM;
}

/* What entries had of the parameter before gtuned came stays when gtuned's token is taken back. */
static int change_token_remember_keep(const BootStore *store, const TokenSpec *spec, LedgerToken *record) {
        size_t n = 0;

        for (size_t i = 0; i < store->n_entries; i++) {
                const BootEntry *e = store->entries + i;

                if (!boot_entry_takes_tokens(e) || cmdline_state(&e->cmdline, spec, NULL) == TOKEN_ABSENT)
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

static int change_token_record(const Survey *survey, Transaction *t, const BootStore *store, const Change *c,
                               const char *text) {
        LedgerToken *record = ledger_token(t->ledger, store->path, text);

        if (!record) {
                record = ledger_add_token(t->ledger);
                if (!record || free_and_strdup(&record->practice, c->practice) < 0 ||
                    free_and_strdup(&record->subject, c->subject) < 0 ||
                    free_and_strdup(&record->store, store->driver->name) < 0 ||
                    free_and_strdup(&record->path, store->path) < 0 || free_and_strdup(&record->token, text) < 0 ||
                    change_token_remember_keep(store, &c->token, record) < 0)
                        return -ENOMEM;
        }

        return free_and_strdup(&record->boot_id, survey->machine->boot_id);
}

static int store_edits_add(const Survey *survey, const Plan *plan, const BootStore *store, Transaction *t,
                           StoreEdits *e) {
        for (size_t i = 0; plan && i < plan->n_changes; i++) {
                const Change *c = plan->changes + i;
                _cleanup_free_ char *text = NULL;
                int r;

                if (c->kind != CHANGE_TOKEN || !boot_store_lacks(store, &c->token))
                        continue;

                text = token_spec_format(&c->token);
                if (!text)
                        return -ENOMEM;
                r = change_token_record(survey, t, store, c, text);
                if (r < 0)
                        return r;

                e->edits[e->n] = (TokenEdit) {.spec = &c->token, .add = true};
                e->texts[e->n++] = TAKE_PTR(text);
        }

        return 0;
}

static int store_edits_add_removal(const LedgerToken *record, StoreEdits *e) {
        TokenSpec *spec = e->specs + e->n;
        int r;

        r = token_spec_parse(record->token, spec, e->texts + e->n);
        if (r < 0)
                return r;

        e->edits[e->n++] = (TokenEdit) {.spec = spec, .keep = (const char *const *) record->keep};
        return 0;
}

static int store_edits_remove(const Survey *survey, const BootStore *store, const bool *release, StoreEdits *e) {
        const LedgerToken *record = NULL;

        while ((record = ledger_next_token(survey->ledger, store->path, record))) {
                int r;

                if (!change_is_released(survey, release, record->practice, record->subject))
                        continue;
                r = store_edits_add_removal(record, e);
                if (r < 0)
                        return r;
        }

        return 0;
}

static int change_token_render(const BootStore *store, const StoreEdits *e, Transaction *t) {
        _cleanup_buffer_ Buffer new = BUFFER_NULL;
        const BootEntry *entry = NULL;
        size_t size = 0;
        FileChange *f;
        int r;

        r = store->driver->render(store, e->edits, e->n, &new, &entry, &size);
        if (r == -E2BIG)
                return transaction_refuse(t, xasprintf("%s:%u: the kernel command line would be %zu bytes long, and the "
                                                       "kernel takes %u: remove something from it",
                                                       entry->path, entry->line, size, CMDLINE_MAX));
        if (r == -ENOSPC)
                return transaction_refuse(t, xasprintf("%s: the environment block is full: remove something from it "
                                                       "with grub2-editenv",
                                                       store->path));
        if (r == -ENOMEM)
                return r;
        if (r == -EBADMSG)
                return transaction_refuse(t, xasprintf("%s: gtuned has read again what it would write here, and it is "
                                                       "not as it should be: edit the file by hand",
                                                       store->path));
        if (r < 0)
                return transaction_refuse(t, xasprintf("%s cannot be changed: %s", store->path, strerror(-r)));
        if (buffer_equal(&new, &store->content))
                return 0;

        f = change_add_file(t, store->path, NULL);
        if (!f || buffer_append(&f->old, store->content.data, store->content.size) < 0)
                return -ENOMEM;

        f->existed = true;
        f->new = TAKE_GENERIC(new, BUFFER_NULL);
        return 0;
}

static int change_token_edit_store(const Survey *survey, const Plan *plan, const bool *release, const BootStore *store,
                                   Transaction *t) {
        _cleanup_(store_edits_done) StoreEdits e = {};
        size_t n = plan ? plan->n_changes : 0;
        int r;

        for (const LedgerToken *l = NULL; (l = ledger_next_token(survey->ledger, store->path, l));)
                n++;

        r = store_edits_init(&e, n);
        if (r < 0)
                return r;
        r = store_edits_add(survey, plan, store, t, &e);
        if (r < 0)
                return r;
        r = store_edits_remove(survey, store, release, &e);
        if (r < 0 || e.n == 0)
                return r;

        return change_token_render(store, &e, t);
}

static bool plan_has_tokens(const Plan *plan) {
        for (size_t i = 0; plan && i < plan->n_changes; i++)
                if (plan->changes[i].kind == CHANGE_TOKEN)
                        return true;

        return false;
}

/*
 * Whether this boot has all wanted tokens, and what boots the system is not known: then somebody else has put them where
 * they belong, and nothing is left to do.
 */
static bool plan_is_done_elsewhere(const Survey *survey, const Plan *plan) {
        if (!survey->stores->none || survey->machine->kind == MACHINE_IMAGE)
                return false;

        for (size_t i = 0; plan && i < plan->n_changes; i++)
                if (plan->changes[i].kind == CHANGE_TOKEN &&
                    cmdline_state(&survey->machine->cmdline, &plan->changes[i].token, NULL) != TOKEN_EQUAL)
                        return false;

        return true;
}

/* Without anything that boots, the rest is left alone too; an image may get its entries later. */
static bool machine_can_take_tokens(const Machine *m) {
        for (size_t i = 0; i < m->n_entries; i++)
                if (m->entries[i]->kind == ENTRY_SYSTEM)
                        return true;

        return m->kind == MACHINE_IMAGE;
}

/* A file whose very directory is missing is most likely on a file system that is not mounted. */
static int path_is_out_of_reach(const Root *root, const char *path, bool *ret) {
        _cleanup_free_ char *directory = strdup(path);

        if (!directory)
                return -ENOMEM;

        *strrchr(directory, '/') = 0;
        *ret = *directory && !root_exists(root, directory);
        return 0;
}

/* Why a file is left alone, or NULL. */
static const BootStoreProblem *stores_find_remark(const BootStores *stores, const char *path) {
        for (size_t i = 0; i < stores->n_problems; i++)
                if (stores->problems[i].remark && streq(stores->problems[i].path, path))
                        return stores->problems + i;

        return NULL;
}

/* Dropping the record of a file that is only unmounted would make gtuned's token in it the administrator's for good. */
static int change_token_check_records(const Survey *survey, const bool *release, Transaction *t) {
        for (size_t i = 0; i < survey->ledger->n_tokens; i++) {
                const LedgerToken *record = survey->ledger->tokens + i;
                const BootStoreProblem *problem;
                bool out_of_reach = false;

                if (!change_is_released(survey, release, record->practice, record->subject) ||
                    boot_stores_by_path(survey->stores, record->path))
                        continue;

                problem = stores_find_remark(survey->stores, record->path);
                if (problem)
                        return transaction_refuse(t, boot_store_problem_format(problem));
                if (path_is_out_of_reach(survey->root, record->path, &out_of_reach) < 0)
                        return -ENOMEM;
                if (out_of_reach)
                        return transaction_refuse(t, xasprintf("%s, where gtuned added %s, is not there: mount it; if "
                                                               "it is gone for good, remove its record from %s",
                                                               record->path, record->token, survey->ledger->path));
        }

        return 0;
}

typedef struct Released {
        const Survey *survey;
        const bool *release;
} Released;

static bool change_token_drops(const LedgerToken *record, const void *userdata) {
        const Released *released = userdata;

        return change_is_released(released->survey, released->release, record->practice, record->subject);
}

/* What would be written is read again first. */
static int change_token_check(const Survey *survey, const Plan *plan, const bool *release, Transaction *t) {
        size_t n = survey->ledger->n_tokens + (plan ? plan->n_changes : 0), k = 0;
        _cleanup_free_ BootCheckToken *tokens = calloc(n + 1, sizeof(BootCheckToken));
        _cleanup_(store_edits_done) StoreEdits e = {};
        _cleanup_free_ char *path = NULL;
        int r;

        if (!tokens || store_edits_init(&e, survey->ledger->n_tokens) < 0)
                return -ENOMEM;

        for (size_t i = 0; plan && i < plan->n_changes; i++)
                if (plan->changes[i].kind == CHANGE_TOKEN)
                        tokens[k++] = (BootCheckToken) {plan->changes[i].token.name, plan->changes[i].token.value};
        for (size_t i = 0; i < survey->ledger->n_tokens; i++) {
                const LedgerToken *record = survey->ledger->tokens + i;

                if (!change_is_released(survey, release, record->practice, record->subject))
                        continue;
                r = store_edits_add_removal(record, &e);
                if (r < 0)
                        return r;
                tokens[k++] = (BootCheckToken) {e.edits[e.n - 1].spec->name, e.edits[e.n - 1].spec->value};
        }

        r = boot_check(survey, t, tokens, k, &path);
        if (r < 0)
                return r;
        if (path)
                return transaction_refuse(t, xasprintf("%s: gtuned has read again what it would write, and this file "
                                                       "would not have the same words and the tokens: add or remove "
                                                       "the tokens by hand",
                                                       path));

        return 0;
}

static int change_token_begin(const Survey *survey, const Plan *plan, const bool *release, Transaction *t) {
        const Released released = {survey, release};
        bool removals;
        int r;

        r = change_token_check_records(survey, release, t);
        if (r < 0)
                return r;

        removals = ledger_drop_tokens(t->ledger, change_token_drops, &released) > 0;
        if ((!plan_has_tokens(plan) || plan_is_done_elsewhere(survey, plan)) && !removals)
                return 0;

        for (size_t i = 0; i < survey->stores->n_problems; i++) {
                const BootStoreProblem *p = survey->stores->problems + i;

                if (p->fatal)
                        return transaction_refuse(t, boot_store_problem_format(p));
        }

        if (!machine_can_take_tokens(survey->machine))
                plan = NULL;
        for (size_t i = 0; i < survey->stores->n_stores; i++) {
                r = change_token_edit_store(survey, plan, release, survey->stores->stores[i], t);
                if (r < 0)
                        return r;
        }

        return t->refusal ? 0 : change_token_check(survey, plan, release, t);
}

const ChangeDriver change_token = {
        .name = "token",
        .begin = change_token_begin,
};
