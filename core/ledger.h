/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The ledger: a record of gtuned's own changes, so that gtuned can undo exactly these. It holds names, tokens, values
 * and hashes, but no content of files. The records of attributes are valid only in the boot in which they were made.
 */

#include "core/json.h"
#include "core/root.h"

typedef enum LedgerStatus {
        LEDGER_OK,
        LEDGER_ABSENT,     /* gtuned never changed anything, or the ledger was lost: nothing counts as gtuned's own */
        LEDGER_UNREADABLE, /* no permission, or an I/O error */
        LEDGER_INVALID,    /* it cannot be parsed: apply and revert refuse */
} LedgerStatus;

/* One token that gtuned added to one boot store. */
typedef struct LedgerToken {
        char *practice;
        char *subject; /* NULL: this machine, as in all records */
        char *store;   /* kind of boot store: "grub-cfg" */
        char *path;    /* the file */
        char *token;   /* as written: "cpuidle_haltpoll.force=Y" */
        char *boot_id; /* the boot in which it was added; NULL: it was added to an image */
        char **keep;   /* ids of the entries that already had the token, NULL-terminated; may be NULL */
        char **other;  /* ids of those of them that have the parameter in another spelling; may be NULL */
        char **added;  /* ids of the entries that it was added to, NULL-terminated; NULL: an older gtuned wrote this */
        char *kernel;  /* the kernel of the entry, where a file is one entry; may be NULL */
} LedgerToken;

/* That gtuned took back what it had configured for the next boot. */
typedef struct LedgerRelease {
        char *practice;
        char *subject;
        char *boot_id; /* the boot in which it did; NULL: it was an image */
} LedgerRelease;

/* One file that gtuned made. */
typedef struct LedgerFile {
        char *practice;
        char *subject;
        char *path;
        char *sha256; /* of the bytes that were written, in hex */
        char *unit;   /* the service that reads it; NULL: none */
        char *boot_id;
} LedgerFile;

/* One directory that gtuned made for a file, and removes with the last of its files if nothing else is in it. */
typedef struct LedgerDirectory {
        char *path;
} LedgerDirectory;

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
        char *value; /* data with which the kind undoes the change */
} LedgerSideChange;

/* A practice that was reverted by `gtune revert`. */
typedef struct LedgerHold {
        char *practice;
        char *subject;
        char *policy; /* policy_describe() at that time */
} LedgerHold;

/* One file of a transaction that has begun. */
typedef struct LedgerIntent {
        char *path;
        char *old; /* SHA-256 in hex; NULL: the file did not exist */
        char *new; /* SHA-256 in hex; NULL: the file is removed */
} LedgerIntent;

typedef struct Ledger Ledger;
struct Ledger {
        LedgerStatus status;
        int error;  /* -errno for LEDGER_UNREADABLE */
        char *path; /* the file of the ledger, as seen inside the root */

        LedgerToken *tokens;
        size_t n_tokens;
        LedgerFile *files;
        size_t n_files;
        LedgerDirectory *directories;
        size_t n_directories;
        LedgerAttribute *attributes;
        size_t n_attributes;
        LedgerSideChange *side_changes;
        size_t n_side_changes;
        LedgerHold *holds;
        size_t n_holds;
        LedgerRelease *releases;
        size_t n_releases;

        /* Set during a transaction: the files that it changes, and the ledger that is valid after it. */
        LedgerIntent *intents;
        size_t n_intents;
        Ledger *next;

        /* An index of the tokens by path, private to ledger-index.c. Numbers are indices plus 1; 0: none. */
        size_t *index;     /* by the hash of the path: the first record */
        size_t index_size; /* a power of two */
        size_t *same_path; /* for each record the next one of its path */
        size_t n_indexed;
};

/** ledger_new() - make an empty ledger, which the caller frees; path is copied. Return: 0 or -ENOMEM. */
int ledger_new(Ledger **ret, const char *path);

/** ledger_free() - release a ledger; NULL is ignored */
Ledger *ledger_free(Ledger *ledger);
DEFINE_CLEANUP(Ledger *, ledger_free);

/**
 * ledger_read() - read the ledger below a root
 * @root: the root
 * @path: the file of the ledger
 * @ret: takes the ledger; if it cannot be read, an empty one with its status and error; the caller frees it
 *
 * Return: 0 or -ENOMEM.
 */
int ledger_read(const Root *root, const char *path, Ledger **ret);

/**
 * ledger_write() - replace the ledger below a root and flush it
 * @root: the root
 * @ledger: the ledger; ledger->path says where
 *
 * Return: 0; -EFBIG if it is larger than ledger_read() accepts; another -errno.
 */
int ledger_write(const Root *root, const Ledger *ledger);

/** ledger_copy() - make a copy without intents, which the caller frees. Return: 0 or -ENOMEM. */
int ledger_copy(const Ledger *ledger, Ledger **ret);

/** ledger_status_to_string() - "ok", "absent", "unreadable", "invalid" */
const char *ledger_status_to_string(LedgerStatus status);

/** ledger_hold() - the hold on a practice for a subject, or NULL */
const LedgerHold *ledger_hold(const Ledger *ledger, const char *practice, const char *subject) _pure_;

/** ledger_release() - when gtuned took back what it had configured of a practice for a subject, or NULL */
LedgerRelease *ledger_release(const Ledger *ledger, const char *practice, const char *subject) _pure_;

/**
 * ledger_note_release() - record that gtuned takes back what it had configured of a practice
 * @ledger: the ledger
 * @practice: the practice
 * @subject: its subject; NULL: this machine
 * @boot_id: the present boot; NULL: this is an image
 *
 * Return: 0 or -ENOMEM.
 */
int ledger_note_release(Ledger *ledger, const char *practice, const char *subject, const char *boot_id);

/** ledger_token() - the record of a token in a store, or NULL */
LedgerToken *ledger_token(Ledger *ledger, const char *path, const char *token);

/** ledger_token_is_added() - whether gtuned added the token of a record to an entry, and not only found it there */
bool ledger_token_is_added(const LedgerToken *token) _pure_;

/**
 * ledger_next_token() - go through the records of one store
 * @ledger: the ledger
 * @path: the file
 * @before: the previous record; NULL: begin
 *
 * The time does not grow with the number of stores. Return: the record, or NULL after the last one.
 */
LedgerToken *ledger_next_token(Ledger *ledger, const char *path, const LedgerToken *before);

/** ledger_file() - the record of a file, or NULL */
LedgerFile *ledger_file(const Ledger *ledger, const char *path) _pure_;

/** ledger_directory() - the record of a directory, or NULL */
LedgerDirectory *ledger_directory(const Ledger *ledger, const char *path) _pure_;

/** ledger_attribute() - the record of an attribute in this boot, or NULL */
LedgerAttribute *ledger_attribute(const Ledger *ledger, const char *path, const char *boot_id) _pure_;

/** ledger_side_change() - the record of a change of the side, or NULL */
LedgerSideChange *ledger_side_change(const Ledger *ledger, const char *kind, const char *target) _pure_;

/** ledger_add_…() - add a zeroed record at the end of a list. Return: the record, or NULL when memory is exhausted. */
LedgerToken *ledger_add_token(Ledger *ledger);
LedgerFile *ledger_add_file(Ledger *ledger);
LedgerDirectory *ledger_add_directory(Ledger *ledger);
LedgerAttribute *ledger_add_attribute(Ledger *ledger);
LedgerSideChange *ledger_add_side_change(Ledger *ledger);
LedgerHold *ledger_add_hold(Ledger *ledger);
LedgerRelease *ledger_add_release(Ledger *ledger);
LedgerIntent *ledger_add_intent(Ledger *ledger);

/** ledger_drop_…() - remove one record of a list; the order of the others stays */
void ledger_drop_token(Ledger *ledger, LedgerToken *token);
void ledger_drop_file(Ledger *ledger, LedgerFile *file);
void ledger_drop_directory(Ledger *ledger, LedgerDirectory *directory);
void ledger_drop_attribute(Ledger *ledger, LedgerAttribute *attribute);
void ledger_drop_side_change(Ledger *ledger, LedgerSideChange *change);
void ledger_drop_hold(Ledger *ledger, const char *practice, const char *subject);
void ledger_drop_release(Ledger *ledger, const char *practice, const char *subject);

/**
 * ledger_drop_tokens() - remove many records at once
 * @ledger: the ledger
 * @drop: returns true for a record that is removed
 * @userdata: passed to drop
 *
 * Return: how many were removed.
 */
size_t ledger_drop_tokens(Ledger *ledger, bool (*drop)(const LedgerToken *token, const void *userdata),
                          const void *userdata);
