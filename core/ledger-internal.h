/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The tables that say which lists and fields a ledger has, private to the files core/ledger*.c: reading, writing,
 * copying and freeing all follow them.
 */

#include "core/ledger.h"

typedef enum LedgerFieldType {
        LEDGER_FIELD_TEXT,     /* char *, required */
        LEDGER_FIELD_PATH,     /* char *, required, an absolute path */
        LEDGER_FIELD_OPTIONAL, /* char *, NULL is written as null */
        LEDGER_FIELD_EXTRA,    /* char *, NULL is not written */
        LEDGER_FIELD_NAMES,    /* char **, NULL is not written */
} LedgerFieldType;

typedef struct LedgerField {
        const char *name;
        size_t offset;
        LedgerFieldType type;
} LedgerField;

typedef struct LedgerList {
        const char *name;
        size_t array, count; /* offsets in Ledger */
        size_t size;         /* of one record */
        const LedgerField *fields;
        size_t n_fields;
        bool optional; /* an empty list is not written */
} LedgerList;

typedef enum LedgerListName {
        LEDGER_LIST_TOKENS,
        LEDGER_LIST_FILES,
        LEDGER_LIST_DIRECTORIES,
        LEDGER_LIST_ATTRIBUTES,
        LEDGER_LIST_SIDE_CHANGES,
        LEDGER_LIST_HOLDS,
        LEDGER_LIST_RELEASES,
        LEDGER_LIST_INTENTS,
        _LEDGER_LISTS_MAX,
} LedgerListName;

extern const LedgerList ledger_lists[_LEDGER_LISTS_MAX];

/** ledger_list_array() - where a ledger keeps the pointer to the records of a list */
void **ledger_list_array(const Ledger *ledger, const LedgerList *list);

/** ledger_list_count() - where a ledger keeps the number of the records of a list */
size_t *ledger_list_count(const Ledger *ledger, const LedgerList *list);

/** ledger_list_add() - add a zeroed record at the end of a list. Return: the record, or NULL: no memory. */
void *ledger_list_add(Ledger *ledger, const LedgerList *list);

/** ledger_list_drop() - remove a record of a list; the order of the others stays */
void ledger_list_drop(Ledger *ledger, const LedgerList *list, void *record);

/** ledger_forget_index() - release the index of the tokens; the next search makes a new one */
void ledger_forget_index(Ledger *ledger);
