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
        bool foreseen;   /* other_names is known, and nothing forbids to replace the file */
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

/*
 * An observation whose tokens stay as they are, because a boot store cannot be changed. What else the practice asks for
 * is done: files, attributes and units count without the token, or wait for it and do no harm.
 */
typedef struct LeftOut {
        const Observation *observation;
        char *reason; /* a sentence with its remedy */
} LeftOut;

typedef struct Transaction {
        FileChange *files;
        size_t n_files;
        AttributeChange *attributes;
        size_t n_attributes;
        UnitChange *units;
        size_t n_units;
        SideChange *side_changes;
        size_t n_side_changes;
        LeftOut *left_out;
        size_t n_left_out;
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

/**
 * transaction_leave_out() - say that the tokens of an observation stay as they are
 * @t: the transaction
 * @o: the observation; it must outlive the transaction; if it is left out already, its first reason stays
 * @reason: why, as a sentence with its remedy; copied
 *
 * Return: 0 or -ENOMEM.
 */
int transaction_leave_out(Transaction *t, const Observation *o, const char *reason);

/** transaction_leaves_out() - whether the tokens of an observation stay as they are */
bool transaction_leaves_out(const Transaction *t, const Observation *o) _pure_;

/**
 * transaction_start_over() - drop all changes, and keep what is left out and why nothing may be carried out
 * @t: the transaction
 * @ledger: the ledger to begin with
 *
 * Return: 0 or -ENOMEM.
 */
int transaction_start_over(Transaction *t, const Ledger *ledger);

/**
 * transaction_left_out_status() - what a verb exits with because of what is left out
 * @t: the transaction
 *
 * Return: STATUS_OK: nothing is; STATUS_UNMET: the states of those practices tell it; STATUS_ERROR: a state does not.
 */
int transaction_left_out_status(const Transaction *t) _pure_;

/**
 * left_out_format() - say for people what is left out and why: "NAME: its kernel parameters stay as they are: REASON"
 * @l: what is left out
 *
 * Return: a new string, or NULL when memory is exhausted.
 */
char *left_out_format(const LeftOut *l);

/** transaction_drop_file() - leave a file alone, and the unit that would be restarted only for it */
void transaction_drop_file(Transaction *t, size_t index);

/** transaction_restarts() - whether a unit would be restarted for an observation */
bool transaction_restarts(const Transaction *t, const Observation *o) _pure_;

/** transaction_is_empty() - whether there is nothing to write; what waits for the boot of an image does not count */
bool transaction_is_empty(const Transaction *t) _pure_;

/** transaction_to_json() - what kind of change, where, for which practice; no content. Return: 0 or -ENOMEM. */
int transaction_to_json(const Transaction *t, json_object **ret);

/** transaction_left_out_to_json() - set the member "left_out", if anything is left out. Return: 0 or -ENOMEM. */
int transaction_left_out_to_json(const Transaction *t, json_object *o);
