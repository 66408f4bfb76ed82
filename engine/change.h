/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The kinds of change. Each is one file with one constant row, and one line in the table of engine/resolve.c.
 */

#include "core/replace.h"
#include "engine/transaction.h"

typedef struct ChangeDriver {
        const char *name; /* "file": the member "kind" of documents */

        /*
         * Do what concerns all changes of the kind at once: take back what the ledger records for observations that are
         * released. Tokens are added here, too, because a boot store gets one new content. plan may be NULL; release has
         * a bool for each observation. May be NULL. Return: 0 or -ENOMEM.
         */
        int (*begin)(const Survey *survey, const Plan *plan, const bool *release, Transaction *t);

        /* Find out what one change of the plan comes to. May be NULL. Return: 0 or -ENOMEM. */
        int (*resolve)(const Survey *survey, const Change *change, Transaction *t);

        /* Add what follows from all changes of the kind together. May be NULL. Return: 0 or -ENOMEM. */
        int (*end)(const Survey *survey, Transaction *t);

        /* Append the changes of this kind to an array. May be NULL. Return: 0 or -ENOMEM. */
        int (*to_json)(const Transaction *t, json_object *changes);

        /* Release the changes of this kind. May be NULL. */
        void (*done)(Transaction *t);
} ChangeDriver;

extern const ChangeDriver change_token;
extern const ChangeDriver change_file;
extern const ChangeDriver change_attribute;
extern const ChangeDriver change_unit;
extern const ChangeDriver change_of_side;

/* By ChangeKind, which is also the order in which they begin. */
extern const ChangeDriver *const change_drivers[_CHANGE_KIND_MAX];

/** change_is_released() - whether what a record of the ledger says is to be taken back */
bool change_is_released(const Survey *survey, const bool *release, const char *practice, const char *subject) _pure_;

/**
 * change_attribute_list_rewrites() - ask a practice what is to be written once more after a change of its attribute
 * @survey: the survey
 * @a: the change
 * @from: the value before the write
 * @to: the value that is written
 * @ret: takes a NULL-terminated array of paths, which the caller frees with strv_free(), or stays NULL
 *
 * Return: 0 or -ENOMEM.
 */
int change_attribute_list_rewrites(const Survey *survey, const AttributeChange *a, const char *from, const char *to,
                                   char ***ret);

/**
 * change_add_file() - add a file to a transaction
 * @t: the transaction
 * @path: the file; copied
 * @unit: the service that reads it, or NULL; copied
 *
 * Return: the change without content, or NULL when memory is exhausted.
 */
FileChange *change_add_file(Transaction *t, const char *path, const char *unit);

/**
 * change_file_explain_flag() - say which flag of a file, or of its directory, forbids to replace it, and what to do
 * @path: the file
 * @traits: what a replacement would meet; it has such a flag
 *
 * Return: a new string, or NULL when memory is exhausted.
 */
char *change_file_explain_flag(const char *path, const FileTraits *traits);

/**
 * change_record_directories() - record the directories that are missing, because they are made with a file
 * @survey: the survey
 * @t: the transaction
 * @path: the file
 *
 * Return: 0 or -ENOMEM.
 */
int change_record_directories(const Survey *survey, Transaction *t, const char *path);

/**
 * change_add_unit() - let a unit be restarted, once, whatever asks for it
 * @survey: the survey; only a running system has units
 * @t: the transaction
 * @practice: the name of the practice that asks; must outlive the transaction
 * @subject: the subject, likewise
 * @unit: the unit; NULL: nothing is to be done
 * @service: whether it must have a process afterwards
 * @expect: an argument of that process, or NULL
 *
 * Return: 0 or -ENOMEM.
 */
int change_add_unit(const Survey *survey, Transaction *t, const char *practice, const char *subject, const char *unit,
                    bool service, const char *expect);

/** change_drop_unit() - do not restart a unit, unless a file that it reads still changes */
void change_drop_unit(Transaction *t, const char *unit);

/** change_object() - append an object with the member "kind" to an array. Return: the object, or NULL: no memory. */
json_object *change_object(json_object *changes, const ChangeDriver *driver);

/** change_set_owner() - set the members "practice" and, if it is not this machine, "subject". Return: 0 or -ENOMEM. */
int change_set_owner(json_object *o, const char *practice, const char *subject);
