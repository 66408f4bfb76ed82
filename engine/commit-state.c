/* SPDX-License-Identifier: Apache-2.0 */

#include "engine/change.h"
#include "engine/commit-internal.h"
#include "engine/hash.h"
#include "engine/own-directory.h"

static int commit_add_intent(Ledger *ledger, const FileChange *f) {
        LedgerIntent *intent = ledger_add_intent(ledger);
        char hash[HASH_TEXT_SIZE];

        if (!intent || free_and_strdup(&intent->path, f->path) < 0)
                return -ENOMEM;

        if (f->existed) {
                hash_buffer(&f->old, hash);
                if (free_and_strdup(&intent->old, hash) < 0)
                        return -ENOMEM;
        }
        if (!f->gone) {
                hash_buffer(&f->new, hash);
                if (free_and_strdup(&intent->new, hash) < 0)
                        return -ENOMEM;
        }

        return 0;
}

static int commit_make_intent(const Commit *c, Ledger **ret) {
        _cleanup_(ledger_freep) Ledger *ledger = NULL;
        int r;

        r = ledger_copy(c->survey->ledger, &ledger);
        if (r < 0)
                return r;

        for (size_t i = 0; i < c->t->n_files; i++) {
                r = commit_add_intent(ledger, c->t->files + i);
                if (r < 0)
                        return r;
        }

        *ret = TAKE_PTR(ledger);
        return 0;
}

int commit_write_intent(Commit *c) {
        _cleanup_(ledger_freep) Ledger *ledger = NULL;
        int r;

        r = commit_make_intent(c, &ledger);
        if (r >= 0) {
                ledger->next = c->t->ledger;
                r = ledger_write(c->root, ledger);
                ledger->next = NULL; /* it belongs to the transaction */
        }
        if (r < 0)
                return commit_fail(c, r, c->t->ledger->path, "cannot be written");

        c->intent_written = true;
        return 0;
}

int commit_write_attributes(Commit *c) {
        for (; c->n_written < c->t->n_attributes; c->n_written++) {
                const AttributeChange *a = c->t->attributes + c->n_written;
                int r;

                r = a->at_boot ? 0 : write_attribute(c->root, a->path, a->new);
                if (r < 0)
                        return commit_fail(c, r, a->path, "cannot be written");
        }

        return 0;
}

static View commit_view(const Commit *c, const SideChange *change) {
        return survey_view(c->survey, survey_find(c->survey, change->practice, change->subject));
}

/* A change that was made and is not found afterwards has failed. */
static int commit_verify_side_change(Commit *c, const SideChange *change) {
        const LedgerSideChange *record = ledger_side_change(c->t->ledger, change->kind->name, change->target);
        View view = commit_view(c, change);
        int r;

        if (!record)
                return 0;

        r = change->kind->verify(&view, record);
        if (r < 0)
                return commit_fail(c, r, change->target, "cannot be read back");

        return r > 0 ? 0 : commit_fail(c, -EIO, change->target, "is not what was written");
}

int commit_make_side_changes(Commit *c) {
        while (c->n_side_changes < c->t->n_side_changes) {
                const SideChange *change = c->t->side_changes + c->n_side_changes;
                View view = commit_view(c, change);
                char *error = NULL;
                int r;

                r = change->kind->commit(&view, change, &error);
                if (r < 0) {
                        if (error)
                                commit_set_error(c, error);
                        else
                                (void) commit_fail(c, r, change->target, "cannot be changed");
                        return r;
                }

                c->n_side_changes++;
                r = commit_verify_side_change(c, change);
                if (r < 0)
                        return r;
        }

        return 0;
}

int commit_write_ledger(Commit *c) {
        int r;

        own_directories_settle(c->root, c->t->ledger);
        r = ledger_write(c->root, c->t->ledger);
        return r < 0 ? commit_fail(c, r, c->t->ledger->path, "cannot be written") : 0;
}

/* Let the old value count at once, as the new one was to. */
static int commit_rewrite_after_undo(const Commit *c, const AttributeChange *a) {
        _cleanup_(strv_freep) char **paths = NULL;
        int r;

        r = change_attribute_list_rewrites(c->survey, a, a->new, a->old, &paths);
        for (char **path = paths; r >= 0 && path && *path; path++) {
                _cleanup_free_ char *is = NULL;

                r = root_read_line(c->root, *path, &is);
                if (r >= 0)
                        r = write_attribute(c->root, *path, is);
        }

        return r;
}

bool commit_undo_state(Commit *c) {
        bool clean = true;

        while (c->n_side_changes > 0) {
                const SideChange *change = c->t->side_changes + --c->n_side_changes;
                View view = commit_view(c, change);

                clean = change->kind->undo(&view, change) >= 0 && clean;
        }

        while (c->n_written > 0) {
                const AttributeChange *a = c->t->attributes + --c->n_written;

                if (!a->at_boot && a->old)
                        clean = write_attribute(c->root, a->path, a->old) >= 0 &&
                                commit_rewrite_after_undo(c, a) >= 0 && clean;
        }

        return clean;
}
