/* SPDX-License-Identifier: Apache-2.0 */

/* Tested by the unit tests of engine and practices, and by the golden machines, tests/roots. */

#include "core/plan.h"

int plan_new(Plan **ret) {
        *ret = calloc(1, sizeof(**ret));
        return *ret ? 0 : -ENOMEM;
}

static void plan_change_done(Change *c) {
        free(c->target);
        free(c->value);
        free(c->unit);
        free(c->expect);
        buffer_done(&c->content);
}

Plan *plan_free(Plan *plan) {
        if (!plan)
                return NULL;

        for (size_t i = 0; i < plan->n_changes; i++)
                plan_change_done(plan->changes + i);
        free(plan->changes);
        free(plan);
        return NULL;
}

static Change *plan_add(Plan *plan, const Finding *owner, ChangeKind kind, const char *target) {
        Change *c;

        if (grow(&plan->changes, plan->n_changes, sizeof(Change)) < 0)
                return NULL;

        c = plan->changes + plan->n_changes++;
        c->kind = kind;
        c->practice = owner->practice;
        c->subject = owner->subject;
        return free_and_strdup(&c->target, target) < 0 ? NULL : c;
}

int plan_token(Plan *plan, const Finding *owner, const TokenSpec *token) {
        Change *c = plan_add(plan, owner, CHANGE_TOKEN, NULL);

        if (!c)
                return -ENOMEM;

        c->token = *token;
        return 0;
}

int plan_file(Plan *plan, const Finding *owner, const char *path, const char *text) {
        Change *c = plan_add(plan, owner, CHANGE_FILE, path);

        return c ? buffer_puts(&c->content, text) : -ENOMEM;
}

int plan_attribute(Plan *plan, const Finding *owner, const char *path, const char *value) {
        Change *c = plan_add(plan, owner, CHANGE_ATTRIBUTE, path);

        return c ? free_and_strdup(&c->value, value) : -ENOMEM;
}

int plan_rewrite(Plan *plan, const Finding *owner, const char *path) {
        return plan_add(plan, owner, CHANGE_ATTRIBUTE, path) ? 0 : -ENOMEM;
}

int plan_unit_file(Plan *plan, const Finding *owner, const char *path, const char *text, const char *unit,
                   const char *expect) {
        Change *c = plan_add(plan, owner, CHANGE_FILE, path);

        if (!c || buffer_puts(&c->content, text) < 0 || free_and_strdup(&c->unit, unit) < 0 ||
            free_and_strdup(&c->expect, expect) < 0)
                return -ENOMEM;

        return 0;
}

int plan_unit(Plan *plan, const Finding *owner, const char *unit, const char *expect) {
        Change *c = plan_add(plan, owner, CHANGE_UNIT, unit);

        return c ? free_and_strdup(&c->expect, expect) : -ENOMEM;
}

int plan_of_side(Plan *plan, const Finding *owner, const char *kind, const char *target, const char *value) {
        Change *c = plan_add(plan, owner, CHANGE_OF_SIDE, target);

        if (!c)
                return -ENOMEM;

        c->side_kind = kind;
        return free_and_strdup(&c->value, value);
}

void plan_drop(Plan *plan, const Finding *owner) {
        size_t kept = 0;

        for (size_t i = 0; i < plan->n_changes; i++)
                if (streq(plan->changes[i].practice, owner->practice) &&
                    streq_ptr(plan->changes[i].subject, owner->subject))
                        plan_change_done(plan->changes + i);
                else
                        plan->changes[kept++] = plan->changes[i];

        plan->n_changes = kept;
}
