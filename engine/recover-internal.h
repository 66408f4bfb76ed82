/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What the files of recover() share: an interrupted transaction, and which records the ledger has after it.
 */

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

/*
 * Records (recover-records.c). v->ledger is the ledger that the run found and v->ledger->next the one that it wanted to
 * write; the latter becomes what is true, and is written in the end. All return 0 or -ENOMEM, and the last one -errno too.
 */

/** recovery_renew_records() - let new records of tokens and files be of this boot; before all others */
int recovery_renew_records(const Recovery *v);

/** recovery_keep_token_records() - keep the present records of a file that was not renamed, instead of the new ones */
int recovery_keep_token_records(Recovery *v, const char *path);

/** recovery_keep_file_record() - the same with the record of a file that is gtuned's own */
int recovery_keep_file_record(Recovery *v, const char *path);

/** recovery_keep_attributes() - keep the records of attributes that the run had still to put back */
int recovery_keep_attributes(Recovery *v);

/** recovery_keep_side_changes() - keep those records of the side's own changes that say what is there; *ret_error says why not */
int recovery_keep_side_changes(Recovery *v, char **ret_error);
