/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A made-up side, to prove that engine and command line know no guest: a practice with one attribute, a practice with
 * one file, a practice with two subjects, and a kind of change of its own. Include it after cmocka.h and
 * tests/unit/tree.h.
 *
 * The subjects are the things "one" and "two". A thing has a label, which is a file below /things, and the kind "label"
 * is the only code that knows where. A file /things/.broken/STEP with the name of a thing as its text makes a step fail
 * for the thing: "commit", "verify" or "read".
 */

#include "core/replace.h"
#include "engine/side.h"

#define MADE_UP_KNOB "/sys/knob"
#define MADE_UP_NOTE "/etc/note.conf"
#define MADE_UP_LEDGER "/var/lib/made-up/things.json"

static inline int made_up_state(const View *view, const Practice *practice, Finding *f, bool right, bool effect) {
        int r = practice_wanted_by_keys(view, practice, f);

        if (r < 0)
                return r;
        if (f->held)
                return finding_verdict(f, effect ? STATE_UNMANAGED : STATE_OFF, "held", NULL, "it is held");
        if (f->wanted == WANTED_ON)
                return right ? finding_verdict(f, STATE_ACTIVE, NULL, NULL, NULL)
                             : finding_verdict(f, STATE_DIFFERS, "not-right", "apply", "it is not as it should be");

        return finding_verdict(f, effect ? STATE_UNMANAGED : STATE_OFF, NULL, NULL, NULL);
}

/* A value that the policy wants for the view's subject, or NULL. */
static inline const char *made_up_wanted(const View *view, const Practice *practice) {
        const PolicyKey *key = practice->keys.keys;
        const PolicySetting *s = policy_get_for(view->policy, key->section, key->name, view->subject);

        return s ? s->value : NULL;
}

static inline int made_up_read(const View *view, const char *path, void **ret) {
        char *text = NULL;
        int r = root_read_line(view->root, path, &text);

        *ret = text;
        return r == -ENOMEM ? r : 0;
}

/* The practice "knob": an attribute. */
extern const Practice made_up_knob;

static inline int knob_read(const View *view, void **ret) {
        return made_up_read(view, MADE_UP_KNOB, ret);
}

static inline int knob_observe(const View *view, const void *facts, Finding *f) {
        const char *wanted = made_up_wanted(view, &made_up_knob);

        return made_up_state(view, &made_up_knob, f, streq_ptr(wanted, facts), !streq_ptr(facts, "0"));
}

static inline int knob_plan(const View *view, _unused_ const void *facts, const Finding *f, Plan *plan) {
        return practice_is_on(f) ? plan_attribute(plan, f, MADE_UP_KNOB, made_up_wanted(view, &made_up_knob)) : 0;
}

static inline int knob_check(const View *view, _unused_ const void *facts, Policy *policy) {
        const PolicySetting *s = policy_get(view->policy, "knob", "value");

        if (s && streq(s->value, "13"))
                return policy_error(policy, s->file, s->line, "13 is refused here");

        return s && streq(s->value, "14") ? policy_error(policy, s->file, 0, "it is refused as a whole") : 0;
}

static const PolicyKey knob_keys[] = {{"knob", "value", KEY_KERNEL_UINT, NULL, "how far it is turned"}};
static const Reason made_up_reasons[] = {{"not-right", "It is not as it should be."}};
static const char *const made_up_sources[] = {"this test", NULL};

#define MADE_UP_TEXTS .title = "a title", .purpose = "A purpose.", .helps = "It helps.", .harms = "It harms.", \
                      .proof = "A proof.", .sources = made_up_sources, .reasons = made_up_reasons, .n_reasons = 1

const Practice made_up_knob = {
        .name = "knob", MADE_UP_TEXTS, .keys = {knob_keys, 1},
        .read = knob_read, .done = free, .check = knob_check, .observe = knob_observe, .plan = knob_plan,
};

/* The practice "note": a file. */
extern const Practice made_up_note;

static inline int note_read(const View *view, void **ret) {
        return made_up_read(view, MADE_UP_NOTE, ret);
}

static inline int note_observe(const View *view, const void *facts, Finding *f) {
        bool right = streq_ptr(made_up_wanted(view, &made_up_note), facts);

        return made_up_state(view, &made_up_note, f, right, facts != NULL);
}

static inline int note_plan(const View *view, _unused_ const void *facts, const Finding *f, Plan *plan) {
        _cleanup_free_ char *text = NULL;

        if (!practice_is_on(f))
                return 0;

        text = xasprintf("%s\n", made_up_wanted(view, &made_up_note));
        return text ? plan_file(plan, f, MADE_UP_NOTE, text) : -ENOMEM;
}

static const PolicyKey note_keys[] = {{"note", "text", KEY_PATH, NULL, "what it says"}};

const Practice made_up_note = {
        .name = "note", MADE_UP_TEXTS, .keys = {note_keys, 1},
        .read = note_read, .done = free, .observe = note_observe, .plan = note_plan,
};

/* The practice "label": two subjects, and changes of the kind "label". */
extern const Practice made_up_label;

static inline char *label_path(const char *thing) {
        return xasprintf("/things/%s", thing);
}

static inline int label_list(_unused_ const View *view, char ***ret) {
        *ret = calloc(3, sizeof(char *));
        if (!*ret)
                return -ENOMEM;

        (*ret)[0] = strdup("one");
        (*ret)[1] = strdup("two");
        return (*ret)[0] && (*ret)[1] ? 0 : -ENOMEM;
}

static inline int label_read(const View *view, void **ret) {
        _cleanup_free_ char *path = label_path(view->subject);

        return path ? made_up_read(view, path, ret) : -ENOMEM;
}

static inline int label_observe(const View *view, const void *facts, Finding *f) {
        bool right = streq_ptr(made_up_wanted(view, &made_up_label), facts);

        return made_up_state(view, &made_up_label, f, right, facts != NULL);
}

static inline int label_plan(const View *view, _unused_ const void *facts, const Finding *f, Plan *plan) {
        if (!practice_is_on(f))
                return 0;

        return plan_of_side(plan, f, "label", view->subject, made_up_wanted(view, &made_up_label));
}

static const PolicyKey label_keys[] = {{"thing", "label", KEY_LIST, NULL, "what is written on it"}};

const Practice made_up_label = {
        .name = "label", MADE_UP_TEXTS, .keys = {label_keys, 1, .by_subject = true},
        .list_subjects = label_list, .read = label_read, .done = free, .observe = label_observe, .plan = label_plan,
};

/* The kind "label". The ledger keeps the label that was set and, after a blank, the label before it. */
static inline int label_fill(Buffer *b, const char *text) {
        return text ? buffer_printf(b, "%s\n", text) : 0;
}

static inline int label_change_plan(const View *view, const Change *wanted, const LedgerSideChange *record,
                                    SideChange *change, char **ret_refusal) {
        _cleanup_free_ char *path = label_path(change->target), *is = NULL;
        const char *before = record ? strchr(record->value, ' ') : NULL;

        if (!path || root_read_line(view->root, path, &is) == -ENOMEM)
                return -ENOMEM;
        if (wanted && streq(wanted->value, "forbidden"))
                return (*ret_refusal = xasprintf("%s: that label is forbidden", change->target)) ? 0 : -ENOMEM;

        change->existed = is != NULL;
        if (label_fill(&change->old, is) < 0)
                return -ENOMEM;

        if (!wanted) {
                /* A label that another process wrote afterwards stays. */
                if (!is || strncmp(record->value, is, strlen(is)) != 0 || record->value[strlen(is)] != ' ')
                        return 0;
                change->gone = before[1] == 0;
                return change->gone || label_fill(&change->new, before + 1) >= 0 ? 1 : -ENOMEM;
        }
        if (streq_ptr(is, wanted->value))
                return 0;

        change->value = xasprintf("%s %s", wanted->value, before ? before + 1 : strempty(is));
        return change->value && label_fill(&change->new, wanted->value) >= 0 ? 1 : -ENOMEM;
}

static inline bool label_is_broken(const View *view, const char *step, const char *thing) {
        _cleanup_free_ char *path = xasprintf("/things/.broken/%s", step), *name = NULL;

        return path && root_read_line(view->root, path, &name) >= 0 && streq(name, thing);
}

static inline int label_write(const View *view, const char *thing, const Buffer *text) {
        _cleanup_(replacement_done) Replacement p = REPLACEMENT_NULL;
        _cleanup_free_ char *path = label_path(thing);
        int r;

        r = path ? replacement_stage(view->root, NULL, path, text, 0644, &p) : -ENOMEM;
        return r < 0 ? r : replacement_commit(&p);
}

static inline int label_commit(const View *view, const SideChange *change, char **ret_error) {
        if (label_is_broken(view, "commit", change->target)) {
                *ret_error = xasprintf("%s has no room for a label", change->target);
                return -ENOSPC;
        }
        if (label_is_broken(view, "verify", change->target))
                return 0;

        return label_write(view, change->target, change->gone ? NULL : &change->new);
}

static inline int label_verify(const View *view, const LedgerSideChange *record) {
        _cleanup_free_ char *path = label_path(record->target), *is = NULL;

        if (!path || root_read_line(view->root, path, &is) == -ENOMEM)
                return -ENOMEM;
        if (label_is_broken(view, "read", record->target))
                return -EIO;

        return is && strncmp(record->value, is, strlen(is)) == 0 && record->value[strlen(is)] == ' ';
}

static inline int label_undo(const View *view, const SideChange *change) {
        return label_write(view, change->target, change->existed ? &change->old : NULL);
}

static const ChangeKindRow made_up_kinds[] = {
        {.name = "label", .plan = label_change_plan, .commit = label_commit, .verify = label_verify,
         .undo = label_undo},
};

static const Practice *const made_up_practices[] = {&made_up_knob, &made_up_note, &made_up_label};
static const PolicyKey made_up_side_keys[] = {
        {"general", "mood", KEY_LIST, NULL, "what every practice depends on", .shared = "good"},
};

static const Side made_up_side = {
        .name = "thing",
        .practices = made_up_practices,
        .n_practices = ELEMENTSOF(made_up_practices),
        .keys = {made_up_side_keys, ELEMENTSOF(made_up_side_keys)},
        .policy_name = "made-up/policy.conf",
        .state_directory = "/var/lib/made-up",
        .run_directory = "/run/made-up",
        .apply_unit = "made-up-apply.service",
        .ledger_name = "things.json",
        .kinds = made_up_kinds,
        .n_kinds = ELEMENTSOF(made_up_kinds),
        .read_policy = side_read_policy_files,
};

/* A machine that runs, as a snapshot has it: attributes are files. */
static inline void made_up_tree(const Tree *t, const char *policy) {
        tree_file(t, "/gtuned-machine.json", "{\"schema\": 1, \"arch\": \"x86_64\", \"kernel\": \"1\"}");
        tree_file(t, "/proc/sys/kernel/random/boot_id", "this\n");
        tree_file(t, MADE_UP_KNOB, "0\n");
        tree_file(t, "/things/two", "blank\n");
        tree_file(t, "/etc/made-up/policy.conf", policy);
}
