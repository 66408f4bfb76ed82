/* SPDX-License-Identifier: Apache-2.0 */

#include "engine/change.h"

static void change_attribute_done(Transaction *t) {
        for (size_t i = 0; i < t->n_attributes; i++) {
                free(t->attributes[i].path);
                free(t->attributes[i].old);
                free(t->attributes[i].new);
        }
        free(t->attributes);
        t->attributes = NULL;
        t->n_attributes = 0;
}

/* Return: the change without values, or NULL when memory is exhausted. */
static AttributeChange *change_add_attribute(Transaction *t, const char *practice, const char *subject,
                                             const char *path) {
        AttributeChange *a;

        if (grow(&t->attributes, t->n_attributes, sizeof(AttributeChange)) < 0)
                return NULL;

        a = t->attributes + t->n_attributes++;
        a->practice = practice;
        a->subject = subject;
        return free_and_strdup(&a->path, path) < 0 ? NULL : a;
}

static int change_set_values(AttributeChange *a, const char *old, const char *new) {
        if (!a || free_and_strdup(&a->old, old) < 0 || free_and_strdup(&a->new, new) < 0)
                return -ENOMEM;

        return 0;
}

static int change_attribute_record(const Survey *survey, Transaction *t, const Change *c, const char *old) {
        const char *boot_id = survey->machine->boot_id;
        LedgerAttribute *record = ledger_attribute(t->ledger, c->target, boot_id);

        if (!record) {
                record = ledger_add_attribute(t->ledger);
                if (!record || free_and_strdup(&record->practice, c->practice) < 0 ||
                    free_and_strdup(&record->subject, c->subject) < 0 ||
                    free_and_strdup(&record->path, c->target) < 0 || free_and_strdup(&record->old, old) < 0 ||
                    free_and_strdup(&record->boot_id, boot_id) < 0)
                        return -ENOMEM;
        }

        return free_and_strdup(&record->new, c->value);
}

static int change_attribute_resolve(const Survey *survey, const Change *c, Transaction *t) {
        _cleanup_free_ char *is = NULL;
        AttributeChange *a;
        int r;

        if (survey->machine->kind == MACHINE_IMAGE) {
                a = change_add_attribute(t, c->practice, c->subject, c->target);
                r = change_set_values(a, NULL, c->value);
                if (r >= 0)
                        a->at_boot = true;
                return r;
        }

        r = root_read_line(survey->root, c->target, &is);
        if (r == -ENOMEM)
                return r;
        if (r < 0)
                return transaction_refuse(t, xasprintf("%s cannot be read: %s", c->target, error_text(-r)));
        if (c->value && streq(is, c->value))
                return 0;

        a = change_add_attribute(t, c->practice, c->subject, c->target);
        r = change_set_values(a, is, c->value ? c->value : is);
        if (r < 0 || !c->value)
                return r;

        return change_attribute_record(survey, t, c, is);
}

/* A value that somebody else wrote since is left alone. */
static int change_attribute_release(const Survey *survey, const LedgerAttribute *record, Transaction *t) {
        const Observation *o = survey_find(survey, record->practice, record->subject);
        _cleanup_free_ char *is = NULL;

        if (root_read_line(survey->root, record->path, &is) < 0 || !streq(is, record->new) || streq(is, record->old))
                return 0;

        return change_set_values(change_add_attribute(t, o->practice->name, o->subject, record->path), is, record->old);
}

/* The way back, last write first. What the ledger says of another boot is void. */
static int change_attribute_begin(const Survey *survey, _unused_ const Plan *plan, const bool *release, Transaction *t) {
        for (size_t i = t->ledger->n_attributes; i-- > 0;) {
                LedgerAttribute *record = t->ledger->attributes + i;
                bool of_this_boot = streq_ptr(record->boot_id, survey->machine->boot_id);
                int r = 0;

                if (of_this_boot && !change_is_released(survey, release, record->practice, record->subject))
                        continue;

                if (of_this_boot)
                        r = change_attribute_release(survey, record, t);
                if (r < 0)
                        return r;
                ledger_drop_attribute(t->ledger, record);
        }

        return 0;
}

int change_attribute_list_rewrites(const Survey *survey, const AttributeChange *a, const char *from, const char *to,
                                   char ***ret) {
        const Observation *o = survey_find(survey, a->practice, a->subject);
        View view;

        if (!o || !o->practice->list_rewrites || !from || !to)
                return 0;

        view = survey_view(survey, o);
        return o->practice->list_rewrites(&view, a->path, from, to, ret);
}

static bool change_attribute_is_in(const Transaction *t, const char *path) {
        for (size_t i = 0; i < t->n_attributes; i++)
                if (streq(t->attributes[i].path, path))
                        return true;

        return false;
}

static int change_add_rewrite(const Survey *survey, Transaction *t, const AttributeChange *cause, const char *path) {
        const char *practice = cause->practice, *subject = cause->subject; /* adding moves the array */
        _cleanup_free_ char *is = NULL;
        int r;

        r = root_read_line(survey->root, path, &is);
        if (r == -ENOMEM)
                return r;
        if (r < 0)
                return transaction_refuse(t, xasprintf("%s cannot be read: %s", path, error_text(-r)));

        return change_set_values(change_add_attribute(t, practice, subject, path), is, is);
}

/* Rewrites come last, so that all new values are there by then. One that a practice has planned is not made twice. */
static int change_attribute_end(const Survey *survey, Transaction *t) {
        const size_t n = t->n_attributes;

        for (size_t i = 0; i < n; i++) {
                _cleanup_(strv_freep) char **paths = NULL;
                const AttributeChange *a = t->attributes + i;
                int r;

                r = change_attribute_list_rewrites(survey, a, a->old, a->new, &paths);
                for (char **path = paths; r >= 0 && path && *path; path++)
                        if (!change_attribute_is_in(t, *path))
                                r = change_add_rewrite(survey, t, t->attributes + i, *path);
                if (r < 0)
                        return r;
        }

        return 0;
}

static int change_attribute_to_json(const Transaction *t, json_object *changes) {
        for (size_t i = 0; i < t->n_attributes; i++) {
                const AttributeChange *a = t->attributes + i;
                json_object *o = change_object(changes, &change_attribute);

                if (!o || change_set_owner(o, a->practice, a->subject) < 0 || json_set_text(o, "path", a->path) < 0 ||
                    json_set_text(o, "old", a->old) < 0 || json_set_text(o, "new", a->new) < 0 ||
                    json_set(o, "at_boot", json_object_new_boolean(a->at_boot)) < 0)
                        return -ENOMEM;
        }

        return 0;
}

const ChangeDriver change_attribute = {
        .name = "attribute",
        .begin = change_attribute_begin,
        .resolve = change_attribute_resolve,
        .end = change_attribute_end,
        .to_json = change_attribute_to_json,
        .done = change_attribute_done,
};
