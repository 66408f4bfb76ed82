/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What the files of commit() share: a transaction under way, and how far it has come.
 */

#include "core/replace.h"
#include "engine/commit.h"

typedef struct Commit {
        const Survey *survey;
        const Root *root;
        Transaction *t;
        Replacement *staged; /* one for each file */
        const char **paths;  /* of the files that the boot loader reads */
        size_t n_paths;
        size_t n_staged, n_renamed, n_written, n_side_changes; /* so many are done */
        bool intent_written;
        char **error;
} Commit;

/* What went wrong (commit-error.c). */

/** commit_fail() - say that something at a path failed; what is a verb such as "cannot be written". Return: r. */
int commit_fail(Commit *c, int r, const char *path, const char *what);

/** commit_set_error() - set the sentence of the failure; ownership moves; NULL: memory is exhausted */
void commit_set_error(Commit *c, char *sentence);

/* Files (commit-files.c). */

/** commit_seal_files() - put the hashes of new files into the ledger, and leave files alone that are edited since */
int commit_seal_files(Commit *c);

/** commit_check_boot_files() - see that what the boot loader reads can be written to its place. Return: 0 or -errno. */
int commit_check_boot_files(Commit *c);

/** commit_flush_boot_files() - write what the boot loader reads to its place. Return: 0 or -errno. */
int commit_flush_boot_files(Commit *c);

/** commit_stage_files() - write every new file beside its target. Return: 0 or -errno. */
int commit_stage_files(Commit *c);

/** commit_rename_files() - put every staged file in place and flush the directories. Return: 0 or -errno. */
int commit_rename_files(Commit *c);

/** commit_put_back() - give a file the bytes that it had. Return: 0 or -errno. */
int commit_put_back(const Commit *c, const FileChange *f);

/** commit_undo_files() - put every renamed file back and remove what is staged. Return: whether that worked. */
bool commit_undo_files(Commit *c);

/* Attributes, the side's own changes and the ledger (commit-state.c). */

/** commit_write_intent() - let the ledger say what is about to happen. Return: 0 or -errno. */
int commit_write_intent(Commit *c);

/** commit_write_attributes() - write every attribute. Return: 0 or -errno. */
int commit_write_attributes(Commit *c);

/** commit_make_side_changes() - make the changes that only the side knows, and verify each. Return: 0 or -errno. */
int commit_make_side_changes(Commit *c);

/** commit_write_ledger() - let the ledger say what is true now. Return: 0 or -errno. */
int commit_write_ledger(Commit *c);

/** commit_undo_state() - take back attributes and the side's changes. Return: whether that worked. */
bool commit_undo_state(Commit *c);

/* Units (commit-units.c). */

/** commit_act_on_units() - restart what has to be. Return: 0, or the positive errno of the first unit that failed. */
int commit_act_on_units(Commit *c);
