/* SPDX-License-Identifier: Apache-2.0 */

#include "core/replace.h"
#include "engine/boot-flush.h"
#include "engine/hash.h"
#include "engine/recover.h"

/* How a file of an interrupted transaction was found. */
typedef enum Found {
        FOUND_OLD,   /* not renamed yet */
        FOUND_NEW,   /* renamed */
        FOUND_OTHER, /* neither: another process wrote it, and it is left alone */
} Found;

typedef struct Recovery {
        const Side *side;
        const Root *root;
        Ledger *ledger;
        Found *found;   /* one for each intent */
        const char **paths; /* of the intents, where this is the running system */
        size_t n_paths;
        bool forward;
} Recovery;

static bool hash_is(const Buffer *b, const char *expected) {
        char hash[HASH_TEXT_SIZE];

        if (!b || !expected)
                return !b && !expected;

        hash_buffer(b, hash);
        return streq(hash, expected);
}

static int recovery_look_at_target(const Root *root, const LedgerIntent *intent, Found *ret) {
        _cleanup_buffer_ Buffer is = BUFFER_NULL;
        const Buffer *content = &is;
        int r;

        r = root_read(root, intent->path, BOOT_FILE_MAX, &is);
        if (r == -ENOENT)
                content = NULL;
        else if (r < 0)
                return r;

        *ret = hash_is(content, intent->new)   ? FOUND_NEW
               : hash_is(content, intent->old) ? FOUND_OLD
                                               : FOUND_OTHER;
        return 0;
}

static char *staged_path(const char *path) {
        const char *name = strrchr(path, '/') + 1;
        _cleanup_free_ char *staged = replacement_staged_name(name);

        return staged ? xasprintf("%.*s%s", (int) (name - path), path, staged) : NULL;
}

static int staged_is_whole(const Root *root, const LedgerIntent *intent, bool *ret) {
        _cleanup_free_ char *path = staged_path(intent->path);
        _cleanup_buffer_ Buffer is = BUFFER_NULL;
        int r;

        *ret = true;
        if (!intent->new)
                return 0;
        if (!path)
                return -ENOMEM;

        r = root_read(root, path, BOOT_FILE_MAX, &is);
        *ret = r >= 0 && hash_is(&is, intent->new);
        return r == -ENOMEM ? r : 0;
}

static int recovery_look(Recovery *v, char **ret_error) {
        v->found = calloc(v->ledger->n_intents + 1, sizeof(Found));
        if (!v->found)
                return -ENOMEM;

        v->forward = true;
        for (size_t i = 0; i < v->ledger->n_intents; i++) {
                const LedgerIntent *intent = v->ledger->intents + i;
                bool whole = true;
                int r;

                r = recovery_look_at_target(v->root, intent, v->found + i);
                if (r >= 0 && v->found[i] == FOUND_OLD)
                        r = staged_is_whole(v->root, intent, &whole);
                if (r < 0) {
                        *ret_error = xasprintf("%s cannot be read: %s", intent->path, strerror(-r));
                        return r;
                }
                if (v->found[i] == FOUND_OTHER || !whole)
                        v->forward = false;
        }

        return 0;
}

static int recovery_roll_forward(const Root *root, const LedgerIntent *intent) {
        _cleanup_(replacement_done) Replacement p = REPLACEMENT_NULL;
        int r;

        if (intent->new)
                r = replacement_adopt(root, intent->path, &p);
        else
                r = replacement_stage(root, intent->path, NULL, 0, &p);
        if (r < 0)
                return r;
        r = replacement_commit(&p);
        if (r < 0)
                return r;

        return replacement_sync(&p);
}

/* Nothing else has to be undone: gtuned wrote the targets that are renamed already, and the next plan sees them. */
static void staged_remove(const Root *root, const char *path) {
        _cleanup_(replacement_done) Replacement p = REPLACEMENT_NULL;

        (void) replacement_adopt(root, path, &p);
}

/* Of the new ledger, what belongs to files that were renamed; of the old one, the rest. */
static int recovery_keep_token_records(Recovery *v, const char *path, bool renamed) {
        Ledger *to = v->ledger->next;
        const Ledger *from = v->ledger;

        if (renamed)
                return 0;

        for (size_t i = 0; i < to->n_tokens;)
                if (streq(to->tokens[i].path, path))
                        ledger_drop_token(to, to->tokens + i);
                else
                        i++;
        for (size_t i = 0; i < from->n_tokens; i++) {
                LedgerToken *record, *old = from->tokens + i;

                /* One that was moved has no path any more. */
                if (!streq_ptr(old->path, path))
                        continue;
                record = ledger_add_token(to);
                if (!record)
                        return -ENOMEM;
                *record = *old;
                *old = (LedgerToken) {};
        }

        return 0;
}

static int recovery_keep_file_record(Recovery *v, const char *path, bool renamed) {
        Ledger *to = v->ledger->next;
        LedgerFile *new = ledger_file(to, path), *old = ledger_file(v->ledger, path), *record;

        if (renamed)
                return 0;
        if (new)
                ledger_drop_file(to, new);
        if (!old)
                return 0;

        record = ledger_add_file(to);
        if (!record)
                return -ENOMEM;

        *record = *old;
        *old = (LedgerFile) {};
        ledger_drop_file(v->ledger, old);
        return 0;
}

/* How many of the next ledger's token records the present one has too: they come first, in the same order. */
static size_t recovery_count_known_tokens(const Ledger *ledger) {
        const Ledger *next = ledger->next;
        size_t n = 0;

        for (size_t i = 0; i < ledger->n_tokens && n < next->n_tokens; i++)
                if (streq(ledger->tokens[i].path, next->tokens[n].path) &&
                    streq(ledger->tokens[i].token, next->tokens[n].token))
                        n++;

        return n;
}

/*
 * What a power cut interrupted may have reached its file without the boot loader having read it there: this boot is
 * no proof of anything, and the next one is. Before the merge, which moves records.
 */
static int recovery_renew_records(const Recovery *v) {
        _cleanup_free_ char *boot_id = NULL;
        Ledger *next = v->ledger->next;
        int r = 0;

        if (!root_is_live(v->root) || root_read_line(v->root, "/proc/sys/kernel/random/boot_id", &boot_id) < 0)
                return 0;

        for (size_t i = recovery_count_known_tokens(v->ledger); r >= 0 && i < next->n_tokens; i++)
                r = free_and_strdup(&next->tokens[i].boot_id, boot_id);
        for (size_t i = 0; r >= 0 && i < next->n_files; i++)
                if (!ledger_file(v->ledger, next->files[i].path))
                        r = free_and_strdup(&next->files[i].boot_id, boot_id);

        return r;
}

static int recovery_check_frozen(Recovery *v, char **ret_error) {
        const char *path = NULL, *on_root;
        int r;

        v->paths = calloc(v->ledger->n_intents + 1, sizeof(char *));
        if (!v->paths)
                return -ENOMEM;
        if (root_is_live(v->root))
                for (size_t i = 0; i < v->ledger->n_intents; i++)
                        v->paths[v->n_paths++] = v->ledger->intents[i].path;

        r = boot_flush_check(v->root, v->paths, v->n_paths, &path, &on_root);
        if (r < 0)
                *ret_error = boot_flush_explain(path, r);

        return r;
}

static int recovery_flush_files(Recovery *v, char **ret_error) {
        const char *path = NULL;
        int r;

        r = boot_flush(v->root, v->paths, v->n_paths, &path);
        if (r < 0)
                *ret_error = boot_flush_explain(path, r);

        return r;
}

/* Return: 1 if an attribute still has the value that its record says was written, 0, or -ENOMEM. */
static int recovery_attribute_is_ours(const Recovery *v, const LedgerAttribute *record) {
        _cleanup_free_ char *is = NULL;
        int r = root_read_line(v->root, record->path, &is);

        return r == -ENOMEM ? r : r >= 0 && streq(is, record->new);
}

/*
 * Attributes are written last, and no intent says how far the run came with them. One that it had still to put back keeps
 * its record, so that the next run can do it.
 */
static int recovery_keep_attributes(Recovery *v) {
        Ledger *next = v->ledger->next;

        for (size_t i = 0; i < v->ledger->n_attributes; i++) {
                LedgerAttribute *record, *old = v->ledger->attributes + i;
                int r;

                if (ledger_attribute(next, old->path, old->boot_id))
                        continue;
                r = recovery_attribute_is_ours(v, old);
                if (r < 0)
                        return r;
                if (r == 0)
                        continue;

                record = ledger_add_attribute(next);
                if (!record)
                        return -ENOMEM;
                *record = *old;
                *old = (LedgerAttribute) {};
        }

        return 0;
}

/* Put a record of the side's changes into a ledger, where it moves. */
static int recovery_move_side_change(LedgerSideChange *record, Ledger *to) {
        LedgerSideChange *moved = ledger_add_side_change(to);

        if (!moved)
                return -ENOMEM;

        *moved = *record;
        *record = (LedgerSideChange) {};
        return 0;
}

/* Return: 1 if the target is as the record says, 0, or -errno. A record of a kind that is not known here is kept. */
static int recovery_verify(const Recovery *v, const LedgerSideChange *record, char **ret_error) {
        const ChangeKindRow *kind = side_find_kind(v->side, record->kind);
        const View view = {.root = v->root, .ledger = v->ledger, .run_directory = v->side->run_directory,
                           .subject = record->subject};
        int r;

        r = kind ? kind->verify(&view, record) : 1;
        if (r < 0)
                *ret_error = xasprintf("%s cannot be read: %s", record->target, strerror(-r));

        return r;
}

/*
 * No intent says how far the run came with changes that only the side knows: each kind says which of the two records is
 * true. A target that neither record describes was changed by another process and is left alone.
 */
static int recovery_keep_side_changes(Recovery *v, char **ret_error) {
        Ledger *next = v->ledger->next;
        int r;

        for (size_t i = 0; i < next->n_side_changes;) {
                r = recovery_verify(v, next->side_changes + i, ret_error);
                if (r < 0)
                        return r;
                if (r > 0)
                        i++;
                else
                        ledger_drop_side_change(next, next->side_changes + i);
        }

        for (size_t i = 0; i < v->ledger->n_side_changes; i++) {
                LedgerSideChange *old = v->ledger->side_changes + i;

                if (ledger_side_change(next, old->kind, old->target))
                        continue;
                r = recovery_verify(v, old, ret_error);
                if (r > 0)
                        r = recovery_move_side_change(old, next);
                if (r < 0)
                        return r;
        }

        return 0;
}

static int recovery_finish_files(Recovery *v, char **ret_error) {
        for (size_t i = 0; i < v->ledger->n_intents; i++) {
                const LedgerIntent *intent = v->ledger->intents + i;
                int r = 0;

                if (v->forward && v->found[i] == FOUND_OLD)
                        r = recovery_roll_forward(v->root, intent);
                else if (!v->forward) {
                        staged_remove(v->root, intent->path);
                        r = recovery_keep_token_records(v, intent->path, v->found[i] == FOUND_NEW);
                        if (r >= 0)
                                r = recovery_keep_file_record(v, intent->path, v->found[i] == FOUND_NEW);
                }
                if (r < 0) {
                        *ret_error = xasprintf("%s cannot be settled: %s", intent->path, strerror(-r));
                        return r;
                }
        }

        return 0;
}

static char *recovery_describe(const Recovery *v) {
        _cleanup_buffer_ Buffer b = BUFFER_NULL;

        if (buffer_printf(&b, "an interrupted apply was %s", v->forward ? "completed" : "taken back") < 0)
                return NULL;
        for (size_t i = 0; i < v->ledger->n_intents; i++)
                if (v->found[i] == FOUND_OTHER &&
                    buffer_printf(&b, "; %s was changed by somebody else and is left alone",
                                  v->ledger->intents[i].path) < 0)
                        return NULL;

        return TAKE_PTR(b.data);
}

static int recovery_run(Recovery *v, char **ret_error) {
        int r;

        r = recovery_look(v, ret_error);
        if (r < 0)
                return r;
        r = recovery_check_frozen(v, ret_error);
        if (r < 0)
                return r;
        r = recovery_renew_records(v);
        if (r < 0)
                return r;
        r = recovery_finish_files(v, ret_error);
        if (r < 0)
                return r;
        r = recovery_keep_attributes(v);
        if (r < 0)
                return r;
        r = recovery_keep_side_changes(v, ret_error);
        if (r < 0)
                return r;
        r = recovery_flush_files(v, ret_error);
        if (r < 0)
                return r;

        r = ledger_write(v->root, v->ledger->next);
        if (r < 0)
                *ret_error = xasprintf("%s cannot be written: %s", v->ledger->path, strerror(-r));
        return r;
}

static void recovery_done(Recovery *v) {
        free(v->found);
        free(v->paths);
        ledger_free(v->ledger);
}

int recover(const Side *side, const Root *root, char **ret_note, char **ret_error) {
        _cleanup_(recovery_done) Recovery v = {.side = side, .root = root};
        int r;

        r = side_read_ledger(side, root, &v.ledger);
        if (r < 0 || !v.ledger->next)
                return r;

        r = recovery_run(&v, ret_error);
        if (r < 0)
                return r;

        *ret_note = recovery_describe(&v);
        return 0;
}

typedef struct Leftovers {
        const Root *root;
        const char **paths; /* of the targets */
        size_t n_paths;
} Leftovers;

static int leftovers_add(Leftovers *l, const char *path) {
        _cleanup_free_ char *staged = staged_path(path);
        int r;

        if (!staged)
                return -ENOMEM;
        if (!root_exists(l->root, staged))
                return 0;

        r = grow(&l->paths, l->n_paths, sizeof(char *));
        if (r >= 0)
                l->paths[l->n_paths++] = path;
        return r;
}

static int leftovers_find(const Survey *survey, Leftovers *l) {
        int r;

        r = leftovers_add(l, survey->ledger->path);
        for (size_t i = 0; r >= 0 && i < survey->stores->n_stores; i++)
                r = leftovers_add(l, survey->stores->stores[i]->path);
        for (size_t i = 0; r >= 0 && i < survey->ledger->n_files; i++)
                r = leftovers_add(l, survey->ledger->files[i].path);
        for (size_t i = 0; r >= 0 && i < survey->plan->n_changes; i++)
                if (survey->plan->changes[i].kind == CHANGE_FILE)
                        r = leftovers_add(l, survey->plan->changes[i].target);

        return r;
}

void recover_leftovers(const Survey *survey) {
        _cleanup_free_ const char **paths = NULL;
        Leftovers l = {.root = survey->root};
        const char *where, *on_root;
        int r;

        r = leftovers_find(survey, &l);
        paths = l.paths;

        /* Removing would hang on a file system that is frozen. Apply says so when it wants to write. */
        if (r < 0 || (root_is_live(l.root) && l.n_paths > 0 &&
                      boot_flush_check(l.root, paths, l.n_paths, &where, &on_root) < 0))
                return;

        for (size_t i = 0; i < l.n_paths; i++)
                staged_remove(l.root, paths[i]);
}
