/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A transaction: what a plan comes to on this machine. Files get their new content, attributes their value,
 * units their job, and the ledger what will be true afterwards. Nothing is written here.
 */

#include "engine/survey.h"

typedef struct FileChange {
        char *path;      /* as seen inside the root, without links */
        char *unit;      /* the service that reads it; NULL: none */
        Buffer old, new;
        bool existed;    /* there is an old content */
        bool gone;       /* it is to be removed; new is empty */
} FileChange;

typedef struct AttributeChange {
        const char *practice;
        char *path;
        char *old;    /* NULL: of an image, or unreadable */
        char *new;
        bool at_boot; /* of an image: the boot unit will write it */
} AttributeChange;

/* A unit that is restarted. */
typedef struct UnitAction {
        const char *practice;
        char *unit;
        bool service; /* it has a process that must come up again; it is left alone where it has none */
        char *expect; /* an argument which that process must have; NULL: any */
        bool restarted; /* set by engine_commit() */
} UnitAction;

typedef struct Transaction {
        FileChange *files;
        size_t n_files;
        AttributeChange *attributes;
        size_t n_attributes;
        UnitAction *units;
        size_t n_units;
        Ledger *ledger;  /* afterwards */
        bool ledger_changed; /* … and it says something else than before, also where nothing is written */
        char *note;      /* what engine_commit() has to say though all went well; NULL: nothing */
        char *refusal;   /* why it must not be carried out; NULL: it may */
} Transaction;

/* Practices that are meant, one bit each, in the order of the table. */
#define PRACTICES_ALL ((1U << N_PRACTICES) - 1)

/**
 * transaction_resolve() - what the plan comes to
 * @survey: the survey
 * @plan: what is wanted; may be NULL for nothing
 * @release: practices whose own changes are to be taken back, as the ledger knows them
 * @ret: takes the transaction; the caller frees it
 *
 * Return: 0 or -ENOMEM. A layout or a ledger that forbids the change is a refusal in the transaction.
 */
int transaction_resolve(const Survey *survey, const Plan *plan, unsigned release, Transaction **ret);

/** transaction_free() - release a transaction; NULL is ignored */
Transaction *transaction_free(Transaction *t);
DEFINE_CLEANUP(Transaction *, transaction_free);

/** transaction_drop_file() - leave a file alone, and the unit that would be restarted only for it */
void transaction_drop_file(Transaction *t, size_t index);

/** transaction_restarts() - whether a unit would be restarted for a practice */
bool transaction_restarts(const Transaction *t, const char *practice) _pure_;

/** transaction_is_empty() - whether there is nothing to write; what waits for the boot of an image does not count */
bool transaction_is_empty(const Transaction *t) _pure_;

/** transaction_to_json() - what kind of change, where, for which practice; no content. Return: 0 or -ENOMEM. */
int transaction_to_json(const Transaction *t, json_object **ret);

/** transaction_describe() - transaction_to_json() of what apply would do now. Return: 0 or -ENOMEM. */
int transaction_describe(const Survey *survey, json_object **ret);
