/* SPDX-License-Identifier: Apache-2.0 */

#include "engine/announce.h"
#include "core/journal.h"

#define NAMED_MAX 3U /* so many paths are in the sentence; all are in the fields */

/* Who may not change anything has nothing to tell, either. */
static bool concerns_this_machine(const Root *root) {
        return root_is_live(root) && geteuid() == 0;
}

/* What a practice found, as fields. */
static int add_finding(JournalEntry *entry, const Finding *f) {
        int r;

        r = journal_field(entry, "PRACTICE", f->practice);
        if (r >= 0)
                r = journal_field(entry, "GTUNED_STATE", state_to_string(f->state));
        if (r >= 0)
                r = journal_field(entry, "GTUNED_REASON_CODE", f->reason_code);
        if (r >= 0)
                r = journal_field(entry, "GTUNED_REMEDY", f->remedy);
        for (size_t i = 0; r >= 0 && i < f->n_evidence; i++)
                r = journal_field(entry, "GTUNED_EVIDENCE", f->evidence[i].source);

        return r;
}

static void announce_finding(JournalMessage id, const Finding *f, const char *subject, const char *what) {
        _cleanup_journal_ JournalEntry entry = JOURNAL_ENTRY(id);

        if (add_finding(&entry, f) >= 0)
                (void) journal_send(&entry, "%s %s: %s", subject, what, strempty(f->reason));
}

void announce_drift(const Survey *survey) {
        if (!concerns_this_machine(survey->root))
                return;

        for (size_t i = 0; i < N_PRACTICES; i++) {
                const Finding *f = survey->findings[i];

                if (f->state == STATE_DRIFTED)
                        announce_finding(JOURNAL_DRIFTED, f, f->practice, "was changed since gtuned set it");
        }
}

static int name_change(Buffer *list, size_t *n, const char *name) {
        const char *separator = *n == 0 ? "" : ", ";

        if ((*n)++ >= NAMED_MAX)
                return 0;

        return buffer_printf(list, "%s%s", separator, name);
}

/* The paths and units of a transaction: as fields, and the first of them for the sentence. */
static int add_changes(JournalEntry *entry, const Transaction *t, Buffer *list, size_t *n) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < t->n_files; i++) {
                r = journal_field(entry, "GTUNED_FILE", t->files[i].path);
                if (r >= 0)
                        r = name_change(list, n, t->files[i].path);
        }
        for (size_t i = 0; r >= 0 && i < t->n_attributes; i++) {
                if (t->attributes[i].at_boot)
                        continue;
                r = journal_field(entry, "GTUNED_ATTRIBUTE", t->attributes[i].path);
                if (r >= 0)
                        r = name_change(list, n, t->attributes[i].path);
        }
        for (size_t i = 0; r >= 0 && i < t->n_units; i++)
                if (t->units[i].restarted) {
                        r = journal_field(entry, "GTUNED_UNIT", t->units[i].unit);
                        if (r >= 0)
                                r = name_change(list, n, t->units[i].unit);
                }

        return r;
}

void announce_done(const Root *root, const Transaction *t, bool reverted) {
        _cleanup_journal_ JournalEntry entry = JOURNAL_ENTRY(reverted ? JOURNAL_REVERTED : JOURNAL_APPLIED);
        _cleanup_buffer_ Buffer list = BUFFER_NULL;
        const char *what = reverted ? "Taken back" : "Applied the tuning policy";
        size_t n = 0;

        if (!concerns_this_machine(root) || transaction_is_empty(t) || add_changes(&entry, t, &list, &n) < 0)
                return;

        if (n > NAMED_MAX)
                (void) journal_send(&entry, "%s: changed %s and %zu more", what, list.data, n - NAMED_MAX);
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

        if (!concerns_this_machine(root))
                return false;

        for (size_t i = 0; i < policy->n_errors; i++)
                told = announce_policy_error(policy->errors + i) && told;

        return told;
}

bool announce_refusal(const Root *root, const char *why) {
        _cleanup_journal_ JournalEntry entry = JOURNAL_ENTRY(JOURNAL_REFUSED);

        return concerns_this_machine(root) && journal_send(&entry, "Left as it is: %s", why);
}

void announce_baseline(const Survey *survey) {
        if (!concerns_this_machine(survey->root))
                return;

        for (size_t i = 0; i < N_PRACTICES; i++) {
                const Finding *f = survey->findings[i];

                if (streq_ptr(f->reason_code, "baseline-mismatch"))
                        announce_finding(JOURNAL_BASELINE_MISMATCH, f, "This boot",
                                         "is not one that the baseline allows");
        }
}
