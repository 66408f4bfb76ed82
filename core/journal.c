/* SPDX-License-Identifier: Apache-2.0 */

#include <sys/stat.h>
#include <sys/uio.h>
#include <syslog.h>

#define SD_JOURNAL_SUPPRESS_LOCATION
#include <systemd/sd-journal.h>

#include "core/journal.h"
#include "core/text.h"

/* A boot directory can have thousands of files: the entry names the first of them, and their number. */
#define JOURNAL_FIELDS_MAX 64U

/* The ids are random and must never change: packaging/gtuned.catalog has the same ids. */
static const struct {
        const char *id;
        int priority;
} journal_messages[_JOURNAL_MESSAGE_MAX] = {
        [JOURNAL_APPLIED] = {"a2ad9f6c6b3648e5906e1f0ea4f618d7", LOG_NOTICE},
        [JOURNAL_DRIFTED] = {"adb20551d1894a38954fcc328219a9fe", LOG_WARNING},
        [JOURNAL_REVERTED] = {"6c85fd613b734238803ff5474e04ebcc", LOG_NOTICE},
        [JOURNAL_REFUSED] = {"f0e9484e635e4011b1be5241c2046f8c", LOG_ERR},
        [JOURNAL_BASELINE_MISMATCH] = {"d311a5f4ebed4282bbc02eed6bc3dbb9", LOG_ERR},
};

const char *journal_message_id(JournalMessage id) {
        return journal_messages[id].id;
}

int journal_message_priority(JournalMessage id) {
        return journal_messages[id].priority;
}

bool journal_takes_stderr(void) {
        const char *stream = getenv("JOURNAL_STREAM");
        char own[64];
        struct stat st;

        if (!stream || fstat(STDERR_FILENO, &st) < 0)
                return false;

        (void) snprintf(own, sizeof(own), "%ju:%ju", (uintmax_t) st.st_dev, (uintmax_t) st.st_ino);
        return streq(stream, own);
}

int journal_field(JournalEntry *entry, const char *name, const char *value) {
        _cleanup_buffer_ Buffer printable = BUFFER_NULL;

        if (!value || entry->n_fields >= JOURNAL_FIELDS_MAX)
                return 0;

        /* Words of the host and paths in a tree can hold any byte. */
        if (text_print(&printable, value, strlen(value)) < 0)
                return -ENOMEM;

        if (grow(&entry->fields, entry->n_fields, sizeof(char *)) < 0)
                return -ENOMEM;

        entry->fields[entry->n_fields] = xasprintf("%s=%s", name, printable.size > 0 ? printable.data : "");
        if (!entry->fields[entry->n_fields])
                return -ENOMEM;

        entry->n_fields++;
        return 0;
}

/* Add the three fields that each message has. They are added last, so fields of the caller make room for them. */
static int journal_add_common(JournalEntry *entry, const char *text) {
        char priority[] = {(char) ('0' + journal_messages[entry->id].priority), '\0'};
        int r;

        while (entry->n_fields > JOURNAL_FIELDS_MAX - 3)
                free(entry->fields[--entry->n_fields]);

        r = journal_field(entry, "MESSAGE", text);
        if (r < 0)
                return r;
        r = journal_field(entry, "MESSAGE_ID", journal_messages[entry->id].id);
        if (r < 0)
                return r;

        return journal_field(entry, "PRIORITY", priority);
}

bool journal_send(JournalEntry *entry, const char *format, ...) {
        struct iovec iov[JOURNAL_FIELDS_MAX];
        _cleanup_free_ char *text = NULL;
        va_list ap;

        va_start(ap, format);
        text = xvasprintf(format, ap);
        va_end(ap);

        if (!text || journal_add_common(entry, text) < 0)
                return false;

        for (size_t i = 0; i < entry->n_fields; i++)
                iov[i] = (struct iovec) {entry->fields[i], strlen(entry->fields[i])};

        return sd_journal_sendv(iov, (int) entry->n_fields) >= 0 && journal_takes_stderr();
}

void journal_entry_done(JournalEntry *entry) {
        for (size_t i = 0; i < entry->n_fields; i++)
                free(entry->fields[i]);
        free(entry->fields);
        *entry = JOURNAL_ENTRY(entry->id);
}
