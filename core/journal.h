/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The few messages of which an administrator wants to be told what they mean: each has an id that
 * packaging/gtuned.catalog explains (`journalctl -x`), and fields to search for. A person at a terminal is told there,
 * too; where standard error is the journal itself, the line there is left out.
 */

#include "core/util.h"

typedef enum JournalMessage {
        JOURNAL_APPLIED,
        JOURNAL_DRIFTED,
        JOURNAL_REVERTED,
        JOURNAL_REFUSED,
        JOURNAL_BASELINE_MISMATCH,
        _JOURNAL_MESSAGE_MAX,
} JournalMessage;

/* A message that is being put together; start with JOURNAL_ENTRY(id). */
typedef struct JournalEntry {
        JournalMessage id;
        char **fields; /* "NAME=value" */
        size_t n_fields;
} JournalEntry;

#define JOURNAL_ENTRY(message) ((JournalEntry) {.id = (message)})
#define _cleanup_journal_ _cleanup_(journal_entry_done)

/** journal_message_id() - the id of a message in hex, as the catalog has it */
const char *journal_message_id(JournalMessage id) _const_;

/** journal_message_priority() - LOG_NOTICE and so on */
int journal_message_priority(JournalMessage id) _const_;

/** journal_takes_stderr() - whether standard error is the journal; the variable alone proves nothing, it is inherited */
bool journal_takes_stderr(void);

/**
 * journal_field() - add a field
 * @entry: the message
 * @name: of the field, which may come more than once
 * @value: any bytes, which are made printable; NULL is left out
 *
 * Return: 0 or -ENOMEM.
 */
int journal_field(JournalEntry *entry, const char *name, const char *value);

/**
 * journal_send() - send a message
 * @entry: its id and fields; MESSAGE, MESSAGE_ID and PRIORITY are added
 * @format: one sentence for a person
 *
 * Return: whether it was sent, and standard error is the journal. Where not, say it there.
 */
bool journal_send(JournalEntry *entry, const char *format, ...) _printf_(2, 3);

/** journal_entry_done() - release what an entry holds */
void journal_entry_done(JournalEntry *entry);
