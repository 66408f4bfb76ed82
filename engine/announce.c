/* SPDX-License-Identifier: Apache-2.0 */

#include "engine/announce.h"
#include "core/journal.h"

#define ANNOUNCE_NAMED_MAX 3U /* so many paths are in the sentence; all are in the fields */

/* Only root on the running system writes to the journal. */
static bool announce_is_due(const Root *root) {
        return root_is_live(root) && geteuid() == 0;
}

/* What a practice found, as fields. */
static int announce_add_finding(JournalEntry *entry, const Finding *f) {
        int r;

        r = journal_field(entry, "PRACTICE", f->practice);
        if (r < 0)
                return r;
        r = journal_field(entry, "GTUNED_SUBJECT", f->subject);
        if (r < 0)
                return r;
        r = journal_field(entry, "GTUNED_STATE", state_to_string(f->state));
        if (r < 0)
                return r;
        r = journal_field(entry, "GTUNED_REASON_CODE", f->reason_code);
        if (r < 0)
                return r;
        r = journal_field(entry, "GTUNED_REMEDY", f->remedy);
        for (size_t i = 0; r >= 0 && i < f->n_evidence; i++)
                r = journal_field(entry, "GTUNED_EVIDENCE", f->evidence[i].source);

        return r;
}

void announce_finding(const Root *root, JournalMessage id, const Finding *f, const char *what) {
        _cleanup_journal_ JournalEntry entry = JOURNAL_ENTRY(id);

        if (announce_is_due(root) && announce_add_finding(&entry, f) >= 0)
                (void) journal_send(&entry, "%s: %s", what, strempty(f->reason));
}

void announce_drift(const Survey *survey) {
        for (size_t i = 0; i < survey->n_observations; i++) {
                const Finding *f = survey->observations[i].finding;
                _cleanup_free_ char *name = NULL, *what = NULL;

                if (f->state != STATE_DRIFTED)
                        continue;

                name = finding_display_name(f);
                what = name ? xasprintf("%s was changed since gtuned set it", name) : NULL;
                if (what)
                        announce_finding(survey->root, JOURNAL_DRIFTED, f, what);
        }
}

static int announce_name_change(Buffer *list, size_t *n, const char *name) {
        const char *separator = *n == 0 ? "" : ", ";

        if ((*n)++ >= ANNOUNCE_NAMED_MAX)
                return 0;

        return buffer_printf(list, "%s%s", separator, name);
}

/* Put the name of a change into the fields, and the first few into the sentence. */
static int announce_add_change(JournalEntry *entry, const char *field, const char *name, Buffer *list, size_t *n) {
        int r;

        r = journal_field(entry, field, name);
        return r < 0 ? r : announce_name_change(list, n, name);
}

static int announce_add_changes(JournalEntry *entry, const Transaction *t, Buffer *list, size_t *n) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < t->n_files; i++)
                r = announce_add_change(entry, "GTUNED_FILE", t->files[i].path, list, n);
        for (size_t i = 0; r >= 0 && i < t->n_attributes; i++)
                if (!t->attributes[i].at_boot)
                        r = announce_add_change(entry, "GTUNED_ATTRIBUTE", t->attributes[i].path, list, n);
        for (size_t i = 0; r >= 0 && i < t->n_side_changes; i++)
                r = announce_add_change(entry, "GTUNED_TARGET", t->side_changes[i].target, list, n);
        for (size_t i = 0; r >= 0 && i < t->n_units; i++)
                if (t->units[i].restarted)
                        r = announce_add_change(entry, "GTUNED_UNIT", t->units[i].unit, list, n);

        return r;
}

void announce_done(const Root *root, const Transaction *t, bool reverted) {
        _cleanup_journal_ JournalEntry entry = JOURNAL_ENTRY(reverted ? JOURNAL_REVERTED : JOURNAL_APPLIED);
        _cleanup_buffer_ Buffer list = BUFFER_NULL;
        const char *what = reverted ? "Taken back" : "Applied the tuning policy";
        size_t n = 0;

        if (!announce_is_due(root) || transaction_is_empty(t) || announce_add_changes(&entry, t, &list, &n) < 0)
                return;

        if (n > ANNOUNCE_NAMED_MAX)
                (void) journal_send(&entry, "%s: changed %s and %zu more", what, list.data, n - ANNOUNCE_NAMED_MAX);
        else
                (void) journal_send(&entry, "%s: changed %s", what, strempty(list.data));
}

static bool announce_policy_error(const PolicyError *e) {
        _cleanup_journal_ JournalEntry entry = JOURNAL_ENTRY(JOURNAL_REFUSED);
        char line[16] = "";

        (void) snprintf(line, sizeof(line), "%u", e->line);
        if (journal_field(&entry, "GTUNED_FILE", e->file) < 0 ||
            journal_field(&entry, "GTUNED_LINE", e->line > 0 ? line : NULL) < 0)
                return false;

        return journal_send(&entry, "Nothing of the policy is applied, because of an error in %s%s%s: %s", e->file,
                            e->line > 0 ? ":" : "", e->line > 0 ? line : "", e->reason);
}

bool announce_policy_errors(const Root *root, const Policy *policy) {
        bool told = true;

        if (!announce_is_due(root))
                return false;

        for (size_t i = 0; i < policy->n_errors; i++)
                told = announce_policy_error(policy->errors + i) && told;

        return told;
}

bool announce_refusal(const Root *root, const char *why) {
        _cleanup_journal_ JournalEntry entry = JOURNAL_ENTRY(JOURNAL_REFUSED);

        return announce_is_due(root) && journal_send(&entry, "Left as it is: %s", why);
}
