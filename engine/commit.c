/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The order of a commit, and the way back.
 */

#include <assert.h>

#include "engine/commit-internal.h"

static void commit_done(Commit *c) {
        for (size_t i = 0; i < c->n_staged; i++)
                replacement_done(c->staged + i);
        free(c->staged);
        free(c->paths);
}

static int commit_change_everything(Commit *c) {
        int r;

        r = commit_seal_files(c);
        if (r < 0)
                return r;
        r = commit_check_boot_files(c);
        if (r < 0)
                return r;
        r = commit_stage_files(c);
        if (r < 0)
                return r;
        r = commit_flush_boot_files(c);
        if (r < 0)
                return r;
        r = commit_write_intent(c);
        if (r < 0)
                return r;
        r = commit_rename_files(c);
        if (r < 0)
                return r;
        r = commit_flush_boot_files(c);
        if (r < 0)
                return r;
        r = commit_write_attributes(c);
        if (r < 0)
                return r;
        r = commit_make_side_changes(c);
        if (r < 0)
                return r;

        return commit_write_ledger(c);
}

/*
 * What fails here cannot be put right by this process: the intent then stays in the ledger, and the next run finishes the
 * work.
 */
static void commit_undo(Commit *c) {
        bool clean = commit_undo_state(c);

        clean = commit_undo_files(c) && clean;
        if (c->intent_written && clean && ledger_write(c->root, c->survey->ledger) >= 0)
                c->intent_written = false;
}

int commit(const Survey *survey, Transaction *t, char **ret_error) {
        _cleanup_(commit_done) Commit c = {.survey = survey, .root = survey->root, .t = t, .error = ret_error};
        int r;

        assert(!t->refusal);

        r = commit_change_everything(&c);
        if (r < 0) {
                commit_undo(&c);
                return r;
        }

        return commit_act_on_units(&c);
}
