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
        const char *run_directory; /* the side's directory for files that a reboot must remove */
        bool patient;              /* what is true only over a moment may be measured */
        const char *subject;       /* the subject in question, such as the name of a domain; NULL: this machine */
} View;

typedef struct Practice {
        const char *name;
        const char *title;
        const char *purpose; /* what it is for */
        const char *how;     /* what the kernel makes of it, if that is not obvious; may be NULL */
        const char *helps;   /* when it helps */
        const char *harms;   /* when it harms */
        const char *proof;   /* what proves that it is active */
        const char *const *sources;      /* kernel files and documents that the rules come from; NULL-terminated */
        const char *const *kernel_options; /* of the kernel's configuration that matter; NULL-terminated; may be NULL */
        const char *const *log_patterns; /* texts in the kernel log that matter; NULL-terminated; may be NULL */
        const ServiceInterest *services; /* services that matter */
        size_t n_services;
        const Reason *reasons; /* its own */
        size_t n_reasons;
        unsigned shared_reasons; /* the groups of those that it shares with others, a bit (1 << ReasonGroup) each */
        PolicyKeys keys;
        bool slow; /* read() may take longer than a request of the host may wait: it reads large files */

        /*
         * List the names of its subjects. *ret takes a NULL-terminated array, which the caller frees with strv_free().
         * NULL: the practice has one subject, this machine. Return: 0 or -ENOMEM.
         */
        int (*list_subjects)(const View *view, char ***ret);

        /*
         * Read the facts about view->subject. A survey calls this once and passes the facts to the functions below.
         * done() releases them. Both NULL: the practice reads nothing but the view, and facts is NULL. Return: 0 or
         * -ENOMEM.
         */
        int (*read)(const View *view, void **ret_facts);
        void (*done)(void *facts);

        /*
         * Check the policy against the facts. Add an error to policy, which is view->policy, for values that contradict
         * each other or the kernel's actual values. May be NULL. Return: 0 or -ENOMEM.
         */
        int (*check)(const View *view, const void *facts, Policy *policy);

        /* Fill in the finding. Writes nothing, logs nothing; a missing source is evidence. Return: 0 or -ENOMEM. */
        int (*observe)(const View *view, const void *facts, Finding *finding);

        /* Describe what the policy wants; finding is what observe() found. Return: 0 or -ENOMEM. */
        int (*plan)(const View *view, const void *facts, const Finding *finding, Plan *plan);

        /*
         * List the attributes to write once more, each with its own value, after an attribute of this practice was
         * changed, so that its new value counts at once. *ret takes a NULL-terminated array, which the caller frees
         * with strv_free(), or stays NULL. May be NULL. Return: 0 or -ENOMEM.
         */
        int (*list_rewrites)(const View *view, const char *path, const char *from, const char *to, char ***ret);

        /*
         * Whether the machine counts as not in order although the state does not show it, because the policy asks for
         * something that no apply can bring about. May be NULL.
         */
        bool (*fails)(const View *view, const Finding *finding);

        /*
         * Check whether the practice's changes may be made on the running system now. plan holds the changes of every
         * practice; it holds none of this practice if its changes are undone. May run programs, writes nothing.
         * *ret_refusal takes a sentence if the changes must not be made now. May be NULL. Return: 0 or -ENOMEM.
         */
        int (*precheck)(const View *view, const void *facts, const Plan *plan, char **ret_refusal);
} Practice;

/**
 * practice_wanted() - find out what the policy wants of a practice, and whether the practice is held
 * @view: the view
 * @practice: the practice
 * @finding: takes wanted and held
 * @automatic: whether enable = auto means on
 *
 * Without a policy, or with one that has errors, nothing is wanted. Return: 0 or -ENOMEM.
 */
int practice_wanted(const View *view, const Practice *practice, Finding *finding, bool automatic);

/**
 * practice_wanted_by_keys() - practice_wanted() of a practice without the key "enable": it is wanted if any key is set
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
 * The reasons are a container, bare metal without allow_bare_metal, and another or a hidden hypervisor. Return: 1 if the
 * verdict is set, 0 if the machine may be tuned, -ENOMEM.
 */
int practice_guest_refusal(const View *view, Finding *finding);

/* The codes that practice_guest_refusal() and core/configuration.h give, for the practices that call them. */
extern const Reason common_reasons[];
extern const size_t n_common_reasons;
