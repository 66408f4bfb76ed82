/* SPDX-License-Identifier: Apache-2.0 */

/* Tested by tests/unit/engine/test-engine.c and tests/upgrade. */

#include "engine/recover-internal.h"

int recovery_keep_token_records(Recovery *v, const char *path) {
        Ledger *to = v->ledger->next;
        const Ledger *from = v->ledger;

        for (size_t i = 0; i < to->n_tokens;)
                if (streq(to->tokens[i].path, path))
                        ledger_drop_token(to, to->tokens + i);
                else
                        i++;
        for (size_t i = 0; i < from->n_tokens; i++) {
                LedgerToken *record, *old = from->tokens + i;

                /* One that was moved has no path any more. */
                if (!streq_ptr(old->path, path))
                        continue;
                record = ledger_add_token(to);
                if (!record)
                        return -ENOMEM;
                *record = *old;
                *old = (LedgerToken) {};
        }

        return 0;
}

int recovery_keep_file_record(Recovery *v, const char *path) {
        Ledger *to = v->ledger->next;
        LedgerFile *new = ledger_file(to, path), *old = ledger_file(v->ledger, path), *record;

        if (new)
                ledger_drop_file(to, new);
        if (!old)
                return 0;

        record = ledger_add_file(to);
        if (!record)
                return -ENOMEM;

        *record = *old;
        *old = (LedgerFile) {};
        ledger_drop_file(v->ledger, old);
        return 0;
}

/* How many of the next ledger's token records the present one has too: they come first, in the same order. */
static size_t recovery_count_known_tokens(const Ledger *ledger) {
        const Ledger *next = ledger->next;
        size_t n = 0;

        for (size_t i = 0; i < ledger->n_tokens && n < next->n_tokens; i++)
                if (streq(ledger->tokens[i].path, next->tokens[n].path) &&
                    streq(ledger->tokens[i].token, next->tokens[n].token))
                        n++;

        return n;
}

/*
 * What a power cut interrupted may have reached its file without the boot loader having read it there: this boot is
 * no proof of anything, and the next one is. Before the merge, which moves records.
 */
int recovery_renew_records(const Recovery *v) {
        _cleanup_free_ char *boot_id = NULL;
        Ledger *next = v->ledger->next;
        int r = 0;

        if (!root_is_live(v->root) || root_read_line(v->root, "/proc/sys/kernel/random/boot_id", &boot_id) < 0)
                return 0;

        for (size_t i = recovery_count_known_tokens(v->ledger); r >= 0 && i < next->n_tokens; i++)
                r = free_and_strdup(&next->tokens[i].boot_id, boot_id);
        for (size_t i = 0; r >= 0 && i < next->n_files; i++)
                if (!ledger_file(v->ledger, next->files[i].path))
                        r = free_and_strdup(&next->files[i].boot_id, boot_id);
        for (size_t i = 0; r >= 0 && i < next->n_releases; i++) {
                const LedgerRelease *new = next->releases + i, *old;

                old = ledger_release(v->ledger, new->practice, new->subject);
                if (!old || !streq_ptr(old->boot_id, new->boot_id))
                        r = free_and_strdup(&next->releases[i].boot_id, boot_id);
        }

        return r;
}

/* Return: 1 if an attribute still has the value that its record says was written, 0, or -ENOMEM. */
static int recovery_attribute_is_ours(const Recovery *v, const LedgerAttribute *record) {
        _cleanup_free_ char *is = NULL;
        int r = root_read_line(v->root, record->path, &is);

        return r == -ENOMEM ? r : r >= 0 && streq(is, record->new);
}

/*
 * Attributes are written last, and no intent says how far the run came with them. One that it had still to put back keeps
 * its record, so that the next run can do it.
 */
int recovery_keep_attributes(Recovery *v) {
        Ledger *next = v->ledger->next;

        for (size_t i = 0; i < v->ledger->n_attributes; i++) {
                LedgerAttribute *record, *old = v->ledger->attributes + i;
                int r;

                if (ledger_attribute(next, old->path, old->boot_id))
                        continue;
                r = recovery_attribute_is_ours(v, old);
                if (r < 0)
                        return r;
                if (r == 0)
                        continue;

                record = ledger_add_attribute(next);
                if (!record)
                        return -ENOMEM;
                *record = *old;
                *old = (LedgerAttribute) {};
        }

        return 0;
}

/* Put a record of the side's changes into a ledger, where it moves. */
static int recovery_move_side_change(LedgerSideChange *record, Ledger *to) {
        LedgerSideChange *moved = ledger_add_side_change(to);

        if (!moved)
                return -ENOMEM;

        *moved = *record;
        *record = (LedgerSideChange) {};
        return 0;
}

/* Return: 1 if the target is as the record says, 0, or -errno. A record of a kind that is not known here is kept. */
static int recovery_verify(const Recovery *v, const LedgerSideChange *record, char **ret_error) {
        const ChangeKindRow *kind = side_find_kind(v->side, record->kind);
        const View view = {.root = v->root, .ledger = v->ledger, .run_directory = v->side->run_directory,
                           .subject = record->subject};
        int r;

        r = kind ? kind->verify(&view, record) : 1;
        if (r < 0)
                *ret_error = xasprintf("%s cannot be read: %s", record->target, error_text(-r));

        return r;
}

/*
 * No intent says how far the run came with changes that only the side knows: each kind says which of the two records is
 * true. A target that neither record describes was changed by another process and is left alone.
 */
int recovery_keep_side_changes(Recovery *v, char **ret_error) {
        Ledger *next = v->ledger->next;
        int r;

        for (size_t i = 0; i < next->n_side_changes;) {
                r = recovery_verify(v, next->side_changes + i, ret_error);
                if (r < 0)
                        return r;
                if (r > 0)
                        i++;
                else
                        ledger_drop_side_change(next, next->side_changes + i);
        }

        for (size_t i = 0; i < v->ledger->n_side_changes; i++) {
                LedgerSideChange *old = v->ledger->side_changes + i;

                if (ledger_side_change(next, old->kind, old->target))
                        continue;
                r = recovery_verify(v, old, ret_error);
                if (r > 0)
                        r = recovery_move_side_change(old, next);
                if (r < 0)
                        return r;
        }

        return 0;
}
