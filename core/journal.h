/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Messages for the journal. Each has an id, which packaging/gtuned.catalog explains (`journalctl -x`), and fields to
 * search for. The caller also writes the message to standard error, unless standard error is the journal itself.
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

/**
 * journal_takes_stderr() - whether standard error is the journal
 *
 * The variable JOURNAL_STREAM (systemd.exec(5)) alone does not prove it, because processes inherit it.
 */
bool journal_takes_stderr(void);

/**
 * journal_field() - add a field
 * @entry: the message
 * @name: the name of the field; an entry may have several fields of one name
 * @value: any bytes; those that are not printable are escaped; NULL: no field is added
 *
 * A field that no longer fits is left out. Return: 0 or -ENOMEM.
 */
int journal_field(JournalEntry *entry, const char *name, const char *value);

/**
 * journal_send() - send a message
 * @entry: the id and the fields; MESSAGE, MESSAGE_ID and PRIORITY are added
 * @format: one sentence for a person
 *
 * Return: true if the message was sent and standard error is the journal; if not, the caller writes the message to
 * standard error.
 */
bool journal_send(JournalEntry *entry, const char *format, ...) _printf_(2, 3);

/** journal_entry_done() - release the fields of an entry; it keeps its id and can be used again */
void journal_entry_done(JournalEntry *entry);
