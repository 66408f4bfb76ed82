/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A transaction: what a plan comes to on this machine. Files get their new content, attributes their value, units their
 * job, and the ledger what will be true afterwards. engine/resolve.h makes it, engine/commit.h carries it out.
 */

#include "engine/survey.h"

typedef struct FileChange {
        char *path;      /* as seen inside the root, without links */
        char *unit;      /* the service that reads it; NULL: none */
        Buffer old, new;
        bool existed;    /* there is an old content */
        bool gone;       /* it is to be removed; new is empty */
        unsigned other_names; /* its hard links besides the path: they keep the old content */
} FileChange;

typedef struct AttributeChange {
        const char *practice, *subject;
        char *path;
        char *old;    /* NULL: of an image, or unreadable */
        char *new;
        bool at_boot; /* of an image: the boot unit will write it */
} AttributeChange;

/* A unit that is restarted. */
typedef struct UnitChange {
        const char *practice, *subject;
        char *unit;
        bool service;   /* it has a process that must come up again; it is left alone if it has none */
        char *expect;   /* an argument which that process must have; NULL: any */
        bool restarted; /* set by commit() */
} UnitChange;

typedef struct Transaction {
        FileChange *files;
        size_t n_files;
        AttributeChange *attributes;
        size_t n_attributes;
        UnitChange *units;
        size_t n_units;
        SideChange *side_changes;
        size_t n_side_changes;
        Ledger *ledger;      /* afterwards */
        bool ledger_changed; /* … and it says something else than before, also if nothing is written */
        char *note;          /* what commit() has to say although all went well; NULL: nothing */
        char *refusal;       /* why it must not be carried out; NULL: it may */
} Transaction;

/** transaction_free() - release a transaction; NULL is ignored */
Transaction *transaction_free(Transaction *t);
DEFINE_CLEANUP(Transaction *, transaction_free);

/**
 * transaction_refuse() - say that a transaction must not be carried out
 * @t: the transaction; the first refusal stays
 * @sentence: why; ownership moves; NULL: memory is exhausted
 *
 * Return: 0 or -ENOMEM.
 */
int transaction_refuse(Transaction *t, char *sentence);

/** transaction_drop_file() - leave a file alone, and the unit that would be restarted only for it */
void transaction_drop_file(Transaction *t, size_t index);

/** transaction_restarts() - whether a unit would be restarted for an observation */
bool transaction_restarts(const Transaction *t, const Observation *o) _pure_;

/** transaction_is_empty() - whether there is nothing to write; what waits for the boot of an image does not count */
bool transaction_is_empty(const Transaction *t) _pure_;

/** transaction_to_json() - what kind of change, where, for which practice; no content. Return: 0 or -ENOMEM. */
int transaction_to_json(const Transaction *t, json_object **ret);
