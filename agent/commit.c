/* SPDX-License-Identifier: Apache-2.0 */

#include <assert.h>

#include "agent/commit.h"
#include "agent/hash.h"
#include "agent/units.h"
#include "core/replace.h"

/* A transaction under way. */
typedef struct Commit {
        const Survey *survey;
        const Root *root;
        Transaction *t;
        Replacement *staged;  /* one for each file */
        size_t n_staged, n_renamed, n_written;
        bool intent_written;
        char **error;
} Commit;

static void commit_done(Commit *c) {
        for (size_t i = 0; i < c->n_staged; i++)
                replacement_done(c->staged + i);
        free(c->staged);
}

static int fail(Commit *c, int r, const char *path, const char *what) {
        free(*c->error);
        *c->error = xasprintf("%s %s: %s", path, what, strerror(-r));
        return r;
}

/* Completes the ledger with the hashes of what will be written, and drops files that are no longer ours to remove. */
static int seal(Commit *c) {
        Transaction *t = c->t;
        char hash[HASH_TEXT_SIZE];

        for (size_t i = 0; i < t->n_files; i++) {
                FileChange *f = t->files + i;
                LedgerFile *record = ledger_file(t->ledger, f->path);

                if (f->gone) {
                        const LedgerFile *before = ledger_file(c->survey->guest.ledger, f->path);

                        hash_buffer(&f->old, hash);
                        if (!before || streq(before->sha256, hash))
                                continue;

                        /* An administrator made it his own. */
                        free(f->path);
                        buffer_done(&f->old);
                        memmove(f, f + 1, (t->n_files - i - 1) * sizeof(*f));
                        t->n_files--;
                        i--;
                } else if (record) {
                        hash_buffer(&f->new, hash);
                        if (free_and_strdup(&record->sha256, hash) < 0)
                                return -ENOMEM;
                }
        }

        return 0;
}

static int stage_files(Commit *c) {
        c->staged = calloc(c->t->n_files + 1, sizeof(Replacement));
        if (!c->staged)
                return -ENOMEM;

        for (size_t i = 0; i < c->t->n_files; i++) {
                const FileChange *f = c->t->files + i;
                int r;

                r = replacement_stage(c->root, f->path, f->gone ? NULL : &f->new, 0644, c->staged + i);
                if (r < 0)
                        return fail(c, r, f->path, "cannot be written");
                c->n_staged++;
        }

        return 0;
}

static int add_intent(Ledger *ledger, const FileChange *f) {
        LedgerIntent *intent = ledger_add_intent(ledger);
        char hash[HASH_TEXT_SIZE];
        int r;

        if (!intent)
                return -ENOMEM;

        r = free_and_strdup(&intent->path, f->path);
        if (r >= 0 && f->existed) {
                hash_buffer(&f->old, hash);
                r = free_and_strdup(&intent->old, hash);
        }
        if (r >= 0 && !f->gone) {
                hash_buffer(&f->new, hash);
                r = free_and_strdup(&intent->new, hash);
        }

        return r;
}

static int write_intent(Commit *c) {
        _cleanup_(ledger_freep) Ledger *ledger = NULL;
        int r;

        r = ledger_copy(c->survey->guest.ledger, &ledger);
        if (r >= 0)
                r = ledger_copy(c->t->ledger, &ledger->next);
        for (size_t i = 0; r >= 0 && i < c->t->n_files; i++)
                r = add_intent(ledger, c->t->files + i);
        if (r >= 0)
                r = ledger_write(c->root, ledger);
        if (r < 0)
                return fail(c, r, LEDGER_PATH, "cannot be written");

        c->intent_written = true;
        return 0;
}

/* Somebody may have edited the file since it was read. */
static int check_unchanged(Commit *c, const FileChange *f) {
        _cleanup_buffer_ Buffer is = BUFFER_NULL;
        int r;

        r = root_read(c->root, f->path, f->old.size + 1, &is);
        if (r == -ENOENT && !f->existed)
                return 0;
        if (r >= 0 && f->existed && buffer_equal(&is, &f->old))
                return 0;

        return fail(c, -ESTALE, f->path, "was changed by somebody else in this moment; try again");
}

static int rename_files(Commit *c) {
        int r;

        for (size_t i = 0; i < c->n_staged; i++) {
                r = check_unchanged(c, c->t->files + i);
                if (r < 0)
                        return r;
                r = replacement_commit(c->staged + i);
                if (r < 0)
                        return fail(c, r, c->t->files[i].path, "cannot be replaced");
                c->n_renamed++;
        }

        for (size_t i = 0; i < c->n_staged; i++) {
                r = replacement_sync(c->staged + i);
                if (r < 0)
                        return fail(c, r, c->t->files[i].path, "cannot be flushed");
        }

        return 0;
}

static int write_attributes(Commit *c) {
        for (size_t i = 0; i < c->t->n_attributes; i++) {
                const AttributeChange *a = c->t->attributes + i;
                int r;

                if (!a->at_boot) {
                        r = write_attribute(c->root, a->path, a->new);
                        if (r < 0)
                                return fail(c, r, a->path, "cannot be written");
                }
                c->n_written++;
        }

        return 0;
}

static int write_ledger(Commit *c) {
        int r = ledger_write(c->root, c->t->ledger);

        return r < 0 ? fail(c, r, LEDGER_PATH, "cannot be written") : 0;
}

/*
 * The way back. What fails here cannot be mended by this process: the intent then stays in the ledger, and
 * the next run settles it.
 */
static void undo(Commit *c) {
        bool clean = true;

        while (c->n_written > 0) {
                const AttributeChange *a = c->t->attributes + --c->n_written;

                if (!a->at_boot && a->old)
                        clean = write_attribute(c->root, a->path, a->old) >= 0 && clean;
        }

        while (c->n_renamed > 0) {
                const FileChange *f = c->t->files + --c->n_renamed;
                _cleanup_(replacement_done) Replacement back = REPLACEMENT_NULL;

                if (replacement_stage(c->root, f->path, f->existed ? &f->old : NULL, 0644, &back) < 0 ||
                    replacement_commit(&back) < 0 || replacement_sync(&back) < 0)
                        clean = false;
        }

        if (c->intent_written && clean && ledger_write(c->root, c->survey->guest.ledger) >= 0)
                c->intent_written = false;
}

static int change_everything(Commit *c) {
        int r;

        r = stage_files(c);
        if (r >= 0)
                r = write_intent(c);
        if (r >= 0)
                r = rename_files(c);
        if (r >= 0)
                r = write_attributes(c);
        if (r >= 0)
                r = write_ledger(c);

        return r;
}

static int act_on_units(Commit *c) {
        int first = 0;

        for (size_t i = 0; i < c->t->n_units; i++) {
                const UnitAction *u = c->t->units + i;
                int r = unit_act(u->unit, u->verb);

                if (r < 0 && first == 0) {
                        (void) fail(c, r, u->unit,
                                    streq(u->verb, "reload") ? "cannot be reloaded" : "cannot be restarted");
                        first = -r;
                }
        }

        return first;
}

int engine_commit(const Survey *survey, Transaction *t, char **ret_error) {
        _cleanup_(commit_done) Commit c = {.survey = survey, .root = survey->root, .t = t, .error = ret_error};
        int r;

        assert(!t->refusal);

        r = seal(&c);
        if (r >= 0)
                r = change_everything(&c);
        if (r < 0) {
                undo(&c);
                return r;
        }

        return act_on_units(&c);
}
