/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The ledger: what gtuned itself changed, so that it can undo exactly that. It holds names, tokens, values
 * and hashes, and no file content. What it says of attributes is of one boot; in another it is void.
 */

#include "core/json.h"
#include "core/root.h"

typedef enum LedgerStatus {
        LEDGER_OK,
        LEDGER_ABSENT,     /* nothing was ever changed, or the ledger was lost: what is there is the administrator's */
        LEDGER_UNREADABLE, /* no permission, or an I/O error */
        LEDGER_INVALID,    /* it cannot be parsed: apply and revert refuse */
} LedgerStatus;

/* One token that gtuned added to one boot store. */
typedef struct LedgerToken {
        char *practice;
        char *subject; /* NULL: this machine; so in all records */
        char *store;   /* kind of boot store: "grub-cfg" */
        char *path;    /* the file */
        char *token;   /* as written: "cpuidle_haltpoll.force=Y" */
        char *boot_id; /* the boot in which it was added; NULL: into an image */
        char **keep;   /* ids of the entries that had the token before gtuned came, NULL-terminated; may be NULL */
} LedgerToken;

/* One file that gtuned made. */
typedef struct LedgerFile {
        char *practice;
        char *subject;
        char *path;
        char *sha256; /* of the bytes that were written, in hex */
        char *unit;   /* the service that reads it; NULL: none */
        char *boot_id;
} LedgerFile;

/* One attribute that gtuned wrote. */
typedef struct LedgerAttribute {
        char *practice;
        char *subject;
        char *path;
        char *old; /* the value before gtuned's first write in this boot */
        char *new; /* the value that gtuned wrote last */
        char *boot_id;
} LedgerAttribute;

/* One change of a kind that only the side knows (engine/side.h). */
typedef struct LedgerSideChange {
        char *practice;
        char *subject;
        char *kind;
        char *target;
        char *value; /* what the kind needs to undo it */
} LedgerSideChange;

/* A practice that was reverted by hand. */
typedef struct LedgerHold {
        char *practice;
        char *subject;
        char *policy; /* policy_describe() at that time */
} LedgerHold;

/* One file of a transaction that has begun. */
typedef struct LedgerIntent {
        char *path;
        char *old; /* SHA-256 in hex, or NULL: did not exist */
        char *new; /* SHA-256 in hex, or NULL: is removed */
} LedgerIntent;

typedef struct Ledger Ledger;
struct Ledger {
        LedgerStatus status;
        int error;  /* -errno for LEDGER_UNREADABLE */
        char *path; /* where it is kept, as seen inside the root */

        LedgerToken *tokens;
        size_t n_tokens;
        LedgerFile *files;
        size_t n_files;
        LedgerAttribute *attributes;
        size_t n_attributes;
        LedgerSideChange *side_changes;
        size_t n_side_changes;
        LedgerHold *holds;
        size_t n_holds;

        /* Set between the intent and the end of a transaction: what will be true when it is done. */
        LedgerIntent *intents;
        size_t n_intents;
        Ledger *next;

        /* Tokens by path; private to ledger.c. Numbers are indices plus 1, and 0 is none. */
        size_t *index;     /* by the hash of the path: the first record */
        size_t index_size; /* a power of two */
        size_t *same_path; /* for each record the next one of its path */
        size_t n_indexed;
};

/** ledger_new() - an empty ledger that is kept at path, which is copied. Return: 0 or -ENOMEM. */
int ledger_new(Ledger **ret, const char *path);

/** ledger_free() - release a ledger; NULL is ignored */
Ledger *ledger_free(Ledger *ledger);
DEFINE_CLEANUP(Ledger *, ledger_free);

/**
 * ledger_read() - read the ledger below a root
 * @root: the root
 * @path: where it is kept
 * @ret: takes the ledger, also an empty one that only says why; the caller frees it
 *
 * Return: 0 or -ENOMEM.
 */
int ledger_read(const Root *root, const char *path, Ledger **ret);

/** ledger_write() - replace the ledger below a root and flush it. Return: 0; -EFBIG: none could read it; -errno. */
int ledger_write(const Root *root, const Ledger *ledger);

/** ledger_copy() - an independent copy without intents. Return: 0 or -ENOMEM. */
int ledger_copy(const Ledger *ledger, Ledger **ret);

/** ledger_status_to_string() - "ok", "absent", "unreadable", "invalid" */
const char *ledger_status_to_string(LedgerStatus status);

/** ledger_hold() - the hold on a practice for a subject, or NULL */
const LedgerHold *ledger_hold(const Ledger *ledger, const char *practice, const char *subject) _pure_;

/** ledger_token() - the record of a token in a store, or NULL */
LedgerToken *ledger_token(Ledger *ledger, const char *path, const char *token);

/**
 * ledger_next_token() - go through the records of one store
 * @ledger: the ledger
 * @path: the file
 * @before: the record before; NULL: begin
 *
 * It takes no time that grows with the number of stores. Return: the record, or NULL behind the last one.
 */
LedgerToken *ledger_next_token(Ledger *ledger, const char *path, const LedgerToken *before);

/** ledger_file() - the record of a file, or NULL */
LedgerFile *ledger_file(const Ledger *ledger, const char *path) _pure_;

/** ledger_attribute() - the record of an attribute in this boot, or NULL */
LedgerAttribute *ledger_attribute(const Ledger *ledger, const char *path, const char *boot_id) _pure_;

/** ledger_side_change() - the record of a change of the side, or NULL */
LedgerSideChange *ledger_side_change(const Ledger *ledger, const char *kind, const char *target) _pure_;

/* Adding a zeroed record at the end of a list. Each returns it, or NULL when memory is exhausted. */
LedgerToken *ledger_add_token(Ledger *ledger);
LedgerFile *ledger_add_file(Ledger *ledger);
LedgerAttribute *ledger_add_attribute(Ledger *ledger);
LedgerSideChange *ledger_add_side_change(Ledger *ledger);
LedgerHold *ledger_add_hold(Ledger *ledger);
LedgerIntent *ledger_add_intent(Ledger *ledger);

/* Removing one record; the order of the others stays. */
void ledger_drop_token(Ledger *ledger, LedgerToken *token);
void ledger_drop_file(Ledger *ledger, LedgerFile *file);
void ledger_drop_attribute(Ledger *ledger, LedgerAttribute *attribute);
void ledger_drop_side_change(Ledger *ledger, LedgerSideChange *change);
void ledger_drop_hold(Ledger *ledger, const char *practice, const char *subject);

/**
 * ledger_drop_tokens() - remove many records at once
 * @ledger: the ledger
 * @drop: which ones
 * @userdata: handed through
 *
 * Return: how many were removed.
 */
size_t ledger_drop_tokens(Ledger *ledger, bool (*drop)(const LedgerToken *token, const void *userdata),
                          const void *userdata);
