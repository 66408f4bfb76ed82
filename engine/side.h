/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A side: the guest or the host. It tells the engine which practices there are, where policy and ledger are kept, and
 * which kinds of change only this side knows. The engine and the command line know no side of their own.
 */

#include "core/practice.h"

/* The most practices a side may have: PracticeSet and SurveyParts (engine/survey.h) have a bit for each. */
#define PRACTICES_MAX 56U

/* The most services, and the most texts of each kind, that the practices of a side may want to know about. */
#define SIDE_SERVICES_MAX 8U
#define SIDE_WORDS_MAX 64U

/* What all practices of a side look for; not to be copied, because interest points into it. */
typedef struct SideInterest {
        Interest interest;
        const char *kernel_options[SIDE_WORDS_MAX], *log_patterns[SIDE_WORDS_MAX];
        ServiceInterest services[SIDE_SERVICES_MAX];
        char *kept_log;
} SideInterest;

/* A change of a kind that only a side knows, as it is carried out. */
typedef struct SideChange {
        const struct ChangeKindRow *kind;
        const char *practice;
        const char *subject; /* NULL: this machine */
        char *target;
        Buffer old, new;     /* what there is and what there will be, as text; the plan shows the difference */
        bool existed;        /* there is an old text */
        bool gone;           /* the target is to be removed; new is empty */
        char *value;         /* what the ledger is to keep; NULL: nothing, because gtuned's change is taken back */
} SideChange;

/* A kind of change that only a side knows, as a constant table row. */
typedef struct ChangeKindRow {
        const char *name; /* "domain": stable, in the ledger and in documents */

        /*
         * Find out what a change comes to. wanted is what a practice asks for; NULL: what record says is taken back.
         * record is what the ledger knows of the target, or NULL. Fills in old, new, existed, gone and value, and
         * writes nothing. *ret_refusal takes a sentence if the change must not be made. Return: 1, or 0 if there is
         * nothing to write, or -ENOMEM.
         */
        int (*plan)(const View *view, const Change *wanted, const LedgerSideChange *record, SideChange *change,
                    char **ret_refusal);

        /*
         * Carry it out. The target must still be as change->old says. Return: 0, or -errno, the target is as before
         * (undo() is not called), and *ret_error says why.
         */
        int (*commit)(const View *view, const SideChange *change, char **ret_error);

        /*
         * See whether a target is as a record says: after a commit, and after a crash, of which nothing is known but the
         * ledger. Return: 1 if it is, 0 if not, or -errno.
         */
        int (*verify)(const View *view, const LedgerSideChange *record);

        /* Put the old text back. Return: 0 or -errno. */
        int (*undo)(const View *view, const SideChange *change);
} ChangeKindRow;

typedef struct Side {
        const char *name; /* "guest" or "host" */
        const Practice *const *practices;
        size_t n_practices;            /* at most PRACTICES_MAX */
        PolicyKeys keys;               /* sections that belong to no practice: [guest], [channel] */
        const char *policy_name;       /* "gtuned/gtuned.conf", below /usr/lib, /run and /etc */
        const char *state_directory;   /* what lasts: the ledger, the lock */
        const char *run_directory;     /* what a reboot removes */
        const char *apply_unit;        /* the unit that applies at boot and for others */
        const char *ledger_name;       /* in state_directory */
        const ChangeKindRow *kinds;    /* changes that only this side has */
        size_t n_kinds;

        /* Read the policy: side_read_policy_files(), and what else this side counts as policy. Return: 0 or -ENOMEM. */
        int (*read_policy)(const struct Side *side, const Root *root, Policy **ret);
} Side;

/* Some practices of a side, a bit each, in the order of its table. */
typedef struct PracticeSet {
        uint64_t bits;
} PracticeSet;

#define PRACTICE_SET_ALL ((PracticeSet) {UINT64_MAX})

static inline bool practice_set_has(PracticeSet set, size_t row) {
        return (set.bits >> row & 1U) != 0;
}

static inline void practice_set_add(PracticeSet *set, size_t row) {
        set->bits |= UINT64_C(1) << row;
}

/** side_find_practice() - the row of a practice by its name, or -ENOENT */
int side_find_practice(const Side *side, const char *name) _pure_;

/** side_find_kind() - the kind of change of that name, or NULL */
const ChangeKindRow *side_find_kind(const Side *side, const char *name) _pure_;

/** side_state_path() - a file in the state directory. Return: a new string, or NULL when memory is exhausted. */
char *side_state_path(const Side *side, const char *name);

/** side_run_path() - a file in the run directory. Return: a new string, or NULL when memory is exhausted. */
char *side_run_path(const Side *side, const char *name);

/** side_read_policy_files() - policy_read() with the keys of the side and of its practices. Return: 0 or -ENOMEM. */
int side_read_policy_files(const Side *side, const Root *root, Policy **ret);

/** side_read_policy_text() - policy_read_text() with the same keys. Return: 0 or -ENOMEM. */
int side_read_policy_text(const Side *side, const char *text, size_t size, Policy **ret);

/** side_services() - the services that the practices want to know about, NULL-terminated */
void side_services(const Side *side, const char *ret[static SIDE_SERVICES_MAX + 1]);

/**
 * side_interest() - collect what the practices look for
 * @side: the side
 * @ret: filled in; the caller calls side_interest_done()
 *
 * Return: 0 or -ENOMEM.
 */
int side_interest(const Side *side, SideInterest *ret);

/** side_interest_done() - release what side_interest() made */
void side_interest_done(SideInterest *interest);

/** side_keep_log() - kernel_log_keep() in the run directory, where side_interest() looks for it. Return: 0 or -errno. */
int side_keep_log(const Side *side, const Root *root, const KernelLog *log);

/** side_read_ledger() - ledger_read() of the side's ledger. Return: 0 or -ENOMEM. */
int side_read_ledger(const Side *side, const Root *root, Ledger **ret);
