/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Tokens on the kernel command line: the engine turns all that are wanted and all that are taken back into one new
 * content of each boot store. Of a practice all tokens are changed in all stores, or none: if a store cannot be changed,
 * those who need it are left out (transaction_leave_out()), and the stores are edited anew without them.
 */

#include "engine/boot-check.h"
#include "engine/change.h"
#include "engine/ownership.h"
#include "grub/edit.h"

/* All changes of tokens that are not left out. */
typedef struct TokenWork {
        const Survey *survey;
        Transaction *t;
        const Change **adds;
        size_t n_adds;
        bool *release; /* for each observation whether its tokens are taken back */
        Ownerships taken;
        Foresight *foresight;
} TokenWork;

static void token_work_done(TokenWork *w) {
        free(w->adds);
        free(w->release);
        ownerships_done(&w->taken);
}

/* The edits of one boot store. */
typedef struct StoreEdits {
        TokenEdit *edits;
        const Observation **owners; /* who asks for each */
        TokenSpec *specs; /* of what is removed */
        char **texts;
        char ***keeps;    /* of what is removed: the entries in which it is not gtuned's */
        size_t n;
} StoreEdits;

static void store_edits_done(StoreEdits *e) {
        for (size_t i = 0; i < e->n; i++) {
                free(e->texts[i]);
                strv_free(e->keeps[i]);
        }
        free(e->texts);
        free(e->keeps);
        free(e->specs);
        free(e->owners);
        free(e->edits);
}

static int store_edits_init(StoreEdits *e, size_t n) {
        e->edits = calloc(n + 1, sizeof(TokenEdit));
        e->owners = calloc(n + 1, sizeof(Observation *));
        e->specs = calloc(n + 1, sizeof(TokenSpec));
        e->texts = calloc(n + 1, sizeof(char *));
        e->keeps = calloc(n + 1, sizeof(char **));
        return e->edits && e->owners && e->specs && e->texts && e->keeps ? 0 : -ENOMEM;
}

/* Whether an entry has the parameter as gtuned would write it, so that a copy of it looks like gtuned's. */
static bool change_token_is_alike(const BootEntry *e, const TokenSpec *spec) {
        for (size_t i = 0; i < e->cmdline.n_tokens; i++) {
                const Token *t = e->cmdline.tokens + i;

                if (!t->for_init && parameter_name_equal(t->name, spec->name) && streq_ptr(t->value, spec->value))
                        return true;
        }

        return false;
}

/* What entries had of the parameter before gtuned came stays when gtuned's token is taken back. */
static int change_token_remember_keep(const BootStore *store, const TokenSpec *spec, LedgerToken *record) {
        size_t n = 0, n_other = 0;

        for (size_t i = 0; i < store->n_entries; i++) {
                const BootEntry *e = store->entries + i;

                if (!boot_entry_loses_tokens(e) || cmdline_state(&e->cmdline, spec, NULL) == TOKEN_ABSENT)
                        continue;
                if (strv_take(&record->keep, &n, strdup(e->id)) < 0 ||
                    (!change_token_is_alike(e, spec) && strv_take(&record->other, &n_other, strdup(e->id)) < 0))
                        return -ENOMEM;
        }

        return 0;
}

/* Remove an id from a list. Return: whether it was there. */
static bool change_token_forget_id(char **ids, const char *id) {
        for (char **p = ids; p && *p; p++)
                if (streq(*p, id)) {
                        free(*p);
                        do
                                p[0] = p[1];
                        while (*p++);
                        return true;
                }

        return false;
}

/* Which entries get the token. One that had it and lost it since then gets it from gtuned. */
static int change_token_remember_added(const BootStore *store, const TokenSpec *spec, bool new, LedgerToken *record) {
        size_t n = strv_length(record->added);

        for (size_t i = 0; i < store->n_entries; i++) {
                const BootEntry *e = store->entries + i;

                if (!entry_needs(e, spec, /* n_removed= */ 0))
                        continue;
                if (!new && change_token_forget_id(record->added, e->id))
                        n--;
                else if (!new && change_token_forget_id(record->keep, e->id))
                        (void) change_token_forget_id(record->other, e->id);
                if (strv_take(&record->added, &n, strdup(e->id)) < 0)
                        return -ENOMEM;
        }

        return 0;
}

/* A file that is one entry may be renamed, and its kernel is still the same. */
static int change_token_remember_kernel(const BootStore *store, LedgerToken *record) {
        const BootEntry *e = store->entries;

        if (store->n_entries != 1 || isempty(e->kernel) || !streq(e->id, store->path))
                return 0;

        return free_and_strdup(&record->kernel, e->kernel);
}

static int change_token_new_record(const BootStore *store, const Change *c, const char *text, LedgerToken *record) {
        if (free_and_strdup(&record->practice, c->practice) < 0 || free_and_strdup(&record->subject, c->subject) < 0 ||
            free_and_strdup(&record->store, store->driver->name) < 0 ||
            free_and_strdup(&record->path, store->path) < 0 || free_and_strdup(&record->token, text) < 0 ||
            change_token_remember_keep(store, &c->token, record) < 0)
                return -ENOMEM;

        record->added = calloc(1, sizeof(char *));
        return record->added ? change_token_remember_kernel(store, record) : -ENOMEM;
}

static int change_token_record(const Survey *survey, Transaction *t, const BootStore *store, const Change *c,
                               const char *text) {
        LedgerToken *record = ledger_token(t->ledger, store->path, text);
        bool new = !record;

        if (new) {
                record = ledger_add_token(t->ledger);
                if (!record || change_token_new_record(store, c, text, record) < 0)
                        return -ENOMEM;
        }

        /* Of a record that an older gtuned wrote it stays unknown which entries it had added the token to. */
        if (record->added && change_token_remember_added(store, &c->token, new, record) < 0)
                return -ENOMEM;

        ledger_drop_release(t->ledger, c->practice, c->subject);
        return free_and_strdup(&record->boot_id, survey->machine->boot_id);
}

/* Whether a token is added for the first time: no record says yet that gtuned has added it anywhere. */
static bool change_token_is_first(const Survey *survey, const Change *c, const char *text) {
        bool lacking = false;

        for (size_t i = 0; i < survey->ledger->n_tokens; i++)
                if (ledger_token_is_added(survey->ledger->tokens + i) &&
                    streq(survey->ledger->tokens[i].token, text) &&
                    streq(survey->ledger->tokens[i].practice, c->practice) &&
                    streq_ptr(survey->ledger->tokens[i].subject, c->subject))
                        return false;
        for (size_t i = 0; i < survey->stores->n_stores; i++)
                lacking = lacking || boot_store_lacks(survey->stores->stores[i], &c->token);

        return lacking;
}

static bool change_token_is_in(const BootStore *store, const TokenSpec *spec) {
        for (size_t i = 0; i < store->n_entries; i++)
                if (boot_entry_loses_tokens(store->entries + i) &&
                    cmdline_state(&store->entries[i].cmdline, spec, NULL) != TOKEN_ABSENT)
                        return true;

        return false;
}

/* Stores to which nothing is added, because they have the token: what they have of it was there before gtuned came. */
static int change_token_record_others(const Survey *survey, Transaction *t, const Change *c) {
        _cleanup_free_ char *text = token_spec_format(&c->token);

        if (!text)
                return -ENOMEM;
        if (!change_token_is_first(survey, c, text))
                return 0;

        for (size_t i = 0; i < survey->stores->n_stores; i++) {
                const BootStore *store = survey->stores->stores[i];
                LedgerToken *record;

                if (boot_store_lacks(store, &c->token) || !change_token_is_in(store, &c->token) ||
                    ledger_token(t->ledger, store->path, text))
                        continue;

                record = ledger_add_token(t->ledger);
                if (!record || change_token_new_record(store, c, text, record) < 0 ||
                    free_and_strdup(&record->boot_id, survey->machine->boot_id) < 0)
                        return -ENOMEM;
        }

        return 0;
}

static int store_edits_add(const TokenWork *w, const BootStore *store, StoreEdits *e) {
        for (size_t i = 0; i < w->n_adds; i++) {
                const Change *c = w->adds[i];
                _cleanup_free_ char *text = NULL;
                int r;

                if (!boot_store_lacks(store, &c->token))
                        continue;

                text = token_spec_format(&c->token);
                if (!text)
                        return -ENOMEM;
                r = change_token_record(w->survey, w->t, store, c, text);
                if (r < 0)
                        return r;

                e->edits[e->n] = (TokenEdit) {.spec = &c->token, .add = true};
                e->owners[e->n] = survey_find(w->survey, c->practice, c->subject);
                e->texts[e->n++] = TAKE_PTR(text);
        }

        return 0;
}

static int store_edits_remove(const TokenWork *w, const BootStore *store, StoreEdits *e) {
        for (size_t i = 0; i < w->taken.n_tokens; i++) {
                const Ownership *o = w->taken.tokens + i;
                TokenSpec *spec = e->specs + e->n;
                _cleanup_(strv_freep) char **keep = NULL;
                int r;

                r = ownership_keep(o, store, &keep);
                if (r < 0)
                        return r;
                if (r == 0)
                        continue;
                r = token_spec_parse(o->token, spec, e->texts + e->n);
                if (r < 0)
                        return r;

                e->edits[e->n] = (TokenEdit) {.spec = spec, .keep = (const char *const *) keep};
                e->owners[e->n] = survey_find(w->survey, o->practice, o->subject);
                e->keeps[e->n++] = TAKE_PTR(keep);
        }

        return 0;
}

/* The reason moves to this function; NULL: memory is exhausted. */
static int store_edits_leave_out(const StoreEdits *e, Transaction *t, char *reason) {
        _cleanup_free_ char *text = reason;

        if (!text)
                return -ENOMEM;

        for (size_t i = 0; i < e->n; i++)
                if (transaction_leave_out(t, e->owners[i], text) < 0)
                        return -ENOMEM;

        return 0;
}

/* Leave out all that changes tokens, because it is not known who needs what cannot be changed, or all do. */
static int token_work_leave_out(const TokenWork *w, char *reason) {
        _cleanup_free_ char *text = reason;

        if (!text)
                return -ENOMEM;

        for (size_t i = 0; i < w->n_adds; i++)
                if (transaction_leave_out(w->t, survey_find(w->survey, w->adds[i]->practice, w->adds[i]->subject),
                                          text) < 0)
                        return -ENOMEM;
        for (size_t i = 0; i < w->taken.n_tokens; i++)
                if (transaction_leave_out(w->t, survey_find(w->survey, w->taken.tokens[i].practice,
                                                            w->taken.tokens[i].subject), text) < 0)
                        return -ENOMEM;

        return 0;
}

/* Why a store cannot be rendered, as a sentence. */
static char *change_token_explain(const BootStore *store, int r, const BootEntry *entry, size_t size) {
        if (r == -E2BIG)
                return xasprintf("%s:%u: the kernel command line would be %zu bytes long, and the kernel takes %u: "
                                 "remove something from it", entry->path, entry->line, size, CMDLINE_MAX);
        if (r == -ENOSPC)
                return xasprintf("%s: the environment block is full: remove something from it with grub2-editenv",
                                 store->path);
        if (r == -EBADMSG)
                return xasprintf("%s: gtuned has read again what it would write here, and it is not as it should be: "
                                 "edit the file by hand", store->path);

        return xasprintf("%s cannot be changed: %s", store->path, error_text(-r));
}

static int change_token_render(const TokenWork *w, const BootStore *store, const StoreEdits *e) {
        _cleanup_buffer_ Buffer new = BUFFER_NULL;
        const BootEntry *entry = NULL;
        FileTraits traits = {};
        size_t size = 0;
        FileChange *f;
        int r;

        r = store->driver->render(store, e->edits, e->n, &new, &entry, &size);
        if (r == -ENOMEM)
                return r;
        if (r < 0)
                return store_edits_leave_out(e, w->t, change_token_explain(store, r, entry, size));
        if (buffer_equal(&new, &store->content))
                return 0;

        /* What cannot be looked at fails, or not, when it is written. */
        if (foresight_file(w->foresight, store->path, &traits) >= 0 && (traits.flag || traits.folder_flag))
                return store_edits_leave_out(e, w->t, change_file_explain_flag(store->path, &traits));

        f = change_add_file(w->t, store->path, NULL);
        if (!f || buffer_append(&f->old, store->content.data, store->content.size) < 0)
                return -ENOMEM;

        f->other_names = traits.other_names;
        f->foreseen = true;
        f->existed = !store->missing;
        f->gone = store->own && new.size == 0;
        f->new = TAKE_GENERIC(new, BUFFER_NULL);
        return f->existed ? 0 : change_record_directories(w->survey, w->t, store->path);
}

static int change_token_edit_store(const TokenWork *w, const BootStore *store) {
        _cleanup_(store_edits_done) StoreEdits e = {};
        int r;

        r = store_edits_init(&e, w->n_adds + w->taken.n_tokens);
        if (r < 0)
                return r;
        r = store_edits_add(w, store, &e);
        if (r < 0)
                return r;
        r = store_edits_remove(w, store, &e);
        if (r < 0 || e.n == 0)
                return r;

        return change_token_render(w, store, &e);
}

/*
 * Whether this boot has all tokens that a practice wants, and what boots the system is not known: then somebody else
 * has put them where they belong, and nothing is left to do.
 */
static bool change_token_is_done_elsewhere(const Survey *survey, const Plan *plan, const Change *wanted) {
        if (!survey->stores->none || survey->machine->kind == MACHINE_IMAGE)
                return false;

        for (size_t i = 0; i < plan->n_changes; i++) {
                const Change *c = plan->changes + i;

                if (c->kind == CHANGE_TOKEN && streq(c->practice, wanted->practice) &&
                    streq_ptr(c->subject, wanted->subject) &&
                    cmdline_state(&survey->machine->cmdline, &c->token, NULL) != TOKEN_EQUAL)
                        return false;
        }

        return true;
}

static int token_work_init(const Plan *plan, const bool *release, TokenWork *w) {
        size_t n_changes = plan ? plan->n_changes : 0;

        w->adds = calloc(n_changes + 1, sizeof(Change *));
        w->release = calloc(w->survey->n_observations + 1, sizeof(bool));
        if (!w->adds || !w->release)
                return -ENOMEM;

        for (size_t i = 0; i < n_changes; i++) {
                const Change *c = plan->changes + i;

                if (c->kind == CHANGE_TOKEN && !change_token_is_done_elsewhere(w->survey, plan, c) &&
                    !transaction_leaves_out(w->t, survey_find(w->survey, c->practice, c->subject)))
                        w->adds[w->n_adds++] = c;
        }
        for (size_t i = 0; i < w->survey->n_observations; i++)
                w->release[i] = release[i] && !transaction_leaves_out(w->t, w->survey->observations + i);

        return 0;
}

/* Without anything that boots, the rest is left alone too; an image may get its entries later. */
static bool machine_can_take_tokens(const Machine *m) {
        if (m->entries_built)
                return true;

        for (size_t i = 0; i < m->n_entries; i++)
                if (m->entries[i]->kind == ENTRY_SYSTEM)
                        return true;

        return m->kind == MACHINE_IMAGE;
}

/*
 * A file whose very directory is missing is most likely on a file system that is not mounted; but one that gtuned made is
 * on the same as the directory above.
 */
static int change_token_is_out_of_reach(const Survey *survey, const char *path, bool *ret) {
        _cleanup_free_ char *directory = strdup(path);

        if (!directory)
                return -ENOMEM;

        *strrchr(directory, '/') = 0;
        *ret = *directory && !root_exists(survey->root, directory) && !ledger_directory(survey->ledger, directory);
        return 0;
}

/*
 * Why a file is left alone, or NULL. Some files are read together: if another one of their kind is no good, neither is
 * known.
 */
static const BootStoreProblem *change_token_find_problem(const Survey *survey, const LedgerToken *record) {
        const BootStores *stores = survey->stores;

        for (size_t i = 0; i < stores->n_problems; i++) {
                const BootStoreProblem *p = stores->problems + i;
                const char *rest = startswith(p->code, record->store);

                if (p->remark && (streq(p->path, record->path) ||
                                  (rest && *rest == '-' && root_exists(survey->root, record->path))))
                        return p;
        }

        return NULL;
}

/* Dropping the record of a file that is only unmounted would make gtuned's token in it the administrator's for good. */
static int change_token_check_records(const TokenWork *w) {
        const Ledger *ledger = w->survey->ledger;

        for (size_t i = 0; i < ledger->n_tokens; i++) {
                const LedgerToken *record = ledger->tokens + i;
                _cleanup_free_ char *reason = NULL;
                const BootStoreProblem *problem;
                bool out_of_reach = false;

                if (!ledger_token_is_added(record) ||
                    !change_is_released(w->survey, w->release, record->practice, record->subject) ||
                    boot_stores_by_path(w->survey->stores, record->path))
                        continue;

                problem = change_token_find_problem(w->survey, record);
                if (!problem && change_token_is_out_of_reach(w->survey, record->path, &out_of_reach) < 0)
                        return -ENOMEM;
                if (!problem && !out_of_reach)
                        continue;

                reason = problem ? boot_store_problem_format(problem)
                                 : xasprintf("%s, where gtuned added %s, is not there: mount it; if it is gone for "
                                             "good, remove its record from %s",
                                             record->path, record->token, ledger->path);
                if (!reason || transaction_leave_out(w->t, survey_find(w->survey, record->practice, record->subject),
                                                     reason) < 0)
                        return -ENOMEM;
        }

        return 0;
}

static bool change_token_drops(const LedgerToken *record, const void *userdata) {
        const TokenWork *w = userdata;

        return change_is_released(w->survey, w->release, record->practice, record->subject);
}

/* What would be written is read again first. */
static int change_token_check(const TokenWork *w) {
        size_t n = w->taken.n_tokens + w->n_adds, k = 0;
        _cleanup_free_ BootCheckToken *tokens = calloc(n + 1, sizeof(BootCheckToken));
        _cleanup_(store_edits_done) StoreEdits e = {};
        _cleanup_free_ char *path = NULL;
        int r;

        if (!tokens || store_edits_init(&e, w->taken.n_tokens) < 0)
                return -ENOMEM;

        for (size_t i = 0; i < w->n_adds; i++)
                tokens[k++] = (BootCheckToken) {w->adds[i]->token.name, w->adds[i]->token.value};
        for (; e.n < w->taken.n_tokens; e.n++) {
                r = token_spec_parse(w->taken.tokens[e.n].token, e.specs + e.n, e.texts + e.n);
                if (r < 0)
                        return r;
                tokens[k++] = (BootCheckToken) {e.specs[e.n].name, e.specs[e.n].value};
        }

        r = boot_check(w->survey, w->t, tokens, k, &path);
        if (r < 0 || !path)
                return r;

        return token_work_leave_out(w, xasprintf("%s: gtuned has read again what it would write, and this file would "
                                                 "not have the same words and the tokens: add or remove the tokens by "
                                                 "hand", path));
}

/* Say which practices gtuned takes back in this boot: what it removes stays in effect until the next one. */
static int change_token_note_release(const TokenWork *w) {
        for (size_t i = 0; i < w->taken.n_tokens; i++)
                if (ledger_note_release(w->t->ledger, w->taken.tokens[i].practice, w->taken.tokens[i].subject,
                                        w->survey->machine->boot_id) < 0)
                        return -ENOMEM;

        return 0;
}

static int change_token_edit_stores(const TokenWork *w) {
        const BootStores *stores = w->survey->stores;
        size_t n_left_out = w->t->n_left_out;

        for (size_t i = 0; i < w->n_adds; i++)
                if (change_token_record_others(w->survey, w->t, w->adds[i]) < 0)
                        return -ENOMEM;

        for (size_t i = 0; i < stores->n_stores; i++) {
                int r = change_token_edit_store(w, stores->stores[i]);

                if (r < 0 || w->t->n_left_out > n_left_out)
                        return r;
        }

        return 0;
}

/* What keeps all boot stores from being changed. */
static int change_token_check_stores(const TokenWork *w) {
        const BootStores *stores = w->survey->stores;

        for (size_t i = 0; i < stores->n_problems; i++)
                if (stores->problems[i].fatal)
                        return token_work_leave_out(w, boot_store_problem_format(stores->problems + i));

        return 0;
}

/* Change the tokens of all who are not left out. If that leaves out somebody else, the transaction is half done. */
static int change_token_try(TokenWork *w, const Plan *plan, const bool *release) {
        size_t n_left_out = w->t->n_left_out;
        int r;

        r = token_work_init(plan, release, w);
        if (r < 0)
                return r;
        r = change_token_check_records(w);
        if (r < 0 || w->t->n_left_out > n_left_out)
                return r;
        r = ownerships_read(w->survey, w->release, &w->taken);
        if (r < 0)
                return r;

        (void) ledger_drop_tokens(w->t->ledger, change_token_drops, w);
        if (w->n_adds == 0 && w->taken.n_tokens == 0)
                return 0;

        r = change_token_note_release(w);
        if (r < 0)
                return r;
        r = change_token_check_stores(w);
        if (r < 0 || w->t->n_left_out > n_left_out)
                return r;

        if (!machine_can_take_tokens(w->survey->machine))
                w->n_adds = 0;
        r = change_token_edit_stores(w);
        if (r < 0 || w->t->n_left_out > n_left_out)
                return r;

        return change_token_check(w);
}

/* Each round leaves out one observation more, or is the last. Tokens come first: nothing else is dropped with them. */
static int change_token_begin(const Survey *survey, const Plan *plan, const bool *release, Transaction *t) {
        _cleanup_(foresight_done) Foresight foresight = FORESIGHT(survey->root);

        for (;;) {
                _cleanup_(token_work_done) TokenWork w = {.survey = survey, .t = t, .foresight = &foresight};
                size_t n_left_out = t->n_left_out;
                int r;

                r = change_token_try(&w, plan, release);
                if (r < 0 || t->n_left_out == n_left_out)
                        return r;
                r = transaction_start_over(t, survey->ledger);
                if (r < 0)
                        return r;
        }
}

const ChangeDriver change_token = {
        .name = "token",
        .begin = change_token_begin,
};
