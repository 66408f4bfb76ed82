/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A practice: one best practice that gtuned knows, as a constant table row. It reads facts, judges them and describes
 * changes. It writes nothing.
 */

#include "core/finding.h"
#include "core/ledger.h"
#include "core/machine.h"
#include "core/plan.h"
#include "core/policy.h"

/* What a practice may look at: one machine at one moment. */
typedef struct View {
        const Root *root;
        const Machine *machine;
        const Policy *policy;
        const Ledger *ledger;
        const char *run_directory; /* where the side keeps what the next boot must not see */
        const char *subject;       /* what the practice is asked about, as a domain's name; NULL: this machine */
} View;

typedef struct Practice {
        const char *name;
        const char *title;
        const char *purpose; /* what it is for */
        const char *helps;   /* when it helps */
        const char *harms;   /* when it harms */
        const char *proof;   /* what "active" rests on */
        const char *const *sources;      /* kernel files and documents that the rules come from; NULL-terminated */
        const char *const *log_patterns; /* kernel log lines that matter; NULL-terminated; may be NULL */
        const ServiceInterest *services; /* services that matter */
        size_t n_services;
        const Reason *reasons;
        size_t n_reasons;
        PolicyKeys keys;

        /*
         * List the names of its subjects. *ret takes a NULL-terminated array, which the caller frees with strv_free().
         * NULL: the practice has one subject, this machine. Return: 0 or -ENOMEM.
         */
        int (*list_subjects)(const View *view, char ***ret);

        /*
         * Read what is true of view->subject. It is read once in a survey, and the functions below are given it. done()
         * releases it. Both NULL: the practice reads nothing but the view, and facts is NULL. Return: 0 or -ENOMEM.
         */
        int (*read)(const View *view, void **ret_facts);
        void (*done)(void *facts);

        /*
         * Check the policy against the facts: values that contradict each other or the kernel's actual ones. Add what is
         * wrong to policy, which is view->policy. May be NULL. Return: 0 or -ENOMEM.
         */
        int (*check)(const View *view, const void *facts, Policy *policy);

        /* Fill in the finding. Writes nothing, logs nothing; a missing source is evidence. Return: 0 or -ENOMEM. */
        int (*observe)(const View *view, const void *facts, Finding *finding);

        /* Describe what the policy wants; finding is what observe() found. Return: 0 or -ENOMEM. */
        int (*plan)(const View *view, const void *facts, const Finding *finding, Plan *plan);

        /*
         * Whether the machine must not count as being in order although the state alone would not say so: an apply cannot
         * fix what the policy asks for. May be NULL.
         */
        bool (*fails)(const View *view, const Finding *finding);

        /*
         * Check what else must hold before the practice's changes are carried out on a running system. plan holds the
         * changes of every practice, and none of this one where its changes are taken back. May run programs, writes
         * nothing. *ret_refusal takes a sentence if the changes must not be carried out now. May be NULL. Return: 0 or
         * -ENOMEM.
         */
        int (*precheck)(const View *view, const void *facts, const Plan *plan, char **ret_refusal);
} Practice;

/**
 * practice_wanted() - find out what the policy wants of a practice, and whether the practice is held
 * @view: the view
 * @practice: the practice
 * @finding: takes wanted and held
 * @automatic: what enable = auto comes to
 *
 * Without a policy, or with one that has errors, nothing is wanted. Return: 0 or -ENOMEM.
 */
int practice_wanted(const View *view, const Practice *practice, Finding *finding, bool automatic);

/**
 * practice_wanted_by_keys() - practice_wanted() of a practice that has no key "enable": who sets one of its keys wants it
 * @view: the view
 * @practice: the practice
 * @finding: takes wanted and held
 *
 * Return: 0 or -ENOMEM.
 */
int practice_wanted_by_keys(const View *view, const Practice *practice, Finding *finding);

/** practice_is_on() - whether the practice is wanted and not held */
bool practice_is_on(const Finding *finding) _pure_;

/** practice_is_hopeless() - whether the reason of a finding says that no change of this practice could help */
bool practice_is_hopeless(const Practice *practice, const Finding *finding) _pure_;

/**
 * practice_guest_refusal() - the reason not to tune this machine at all
 * @view: the view
 * @finding: takes the verdict "unsupported" if there is such a reason
 *
 * The reasons are a container, bare metal without allow_bare_metal, and another hypervisor than KVM. Return: 1 if the
 * verdict is set, 0 if the machine may be tuned, -ENOMEM.
 */
int practice_guest_refusal(const View *view, Finding *finding);

/* The codes that practice_guest_refusal() and core/configuration.h give, for every practice that calls them. */
extern const Reason common_reasons[];
extern const size_t n_common_reasons;
