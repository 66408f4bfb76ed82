/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What a practice may look at, and the table row that a practice is.
 */

#include "core/finding.h"
#include "core/ledger.h"
#include "core/machine.h"
#include "core/plan.h"
#include "core/policy.h"

typedef struct View {
        const Root *root;
        Machine *machine;
        Policy *policy;
        Ledger *ledger;
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
         * Check what the machine must be known for: values that contradict each other or the kernel's actual
         * ones. Errors go to guest->policy. May be NULL. Return: 0 or -ENOMEM.
         */
        int (*check)(const View *view);

        /* Fill in the finding. Writes nothing, logs nothing; a missing source is evidence. Return: 0 or -ENOMEM. */
        int (*observe)(const View *view, Finding *finding);

        /* Describe what the policy wants here; finding is what observe() found. Return: 0 or -ENOMEM. */
        int (*plan)(const View *view, const Finding *finding, Plan *plan);

        /*
         * Whether the machine must not count as being in order, though the state alone would not say so: what is asked
         * for cannot be mended by an apply. May be NULL.
         */
        bool (*fails)(const View *view, const Finding *finding);

        /*
         * What else must hold before the changes that it planned are carried out on a running system. May run programs,
         * writes nothing. *ret_refusal takes a sentence where they must not be. May be NULL. Return: 0 or -ENOMEM.
         */
        int (*precheck)(const View *view, const Plan *plan, char **ret_refusal);
} Practice;

/**
 * practice_wanted() - what the policy wants of a practice, and whether it is held
 * @view: the view
 * @finding: takes wanted and held
 * @automatic: what enable = auto comes to
 *
 * Without a policy, or with one that has errors, nothing is wanted. Return: 0 or -ENOMEM.
 */
int practice_wanted(const View *view, Finding *finding, bool automatic);

/** practice_is_on() - whether the practice is wanted and not held */
bool practice_is_on(const Finding *finding) _pure_;

/**
 * practice_guest_refusal() - the reason not to tune this machine at all
 * @view: the view
 * @finding: takes the verdict "unsupported" where there is one
 *
 * A container, bare metal without allow_bare_metal, another hypervisor than KVM. Return: 1 where the verdict is
 * set, 0 where the machine may be tuned, -ENOMEM.
 */
int practice_guest_refusal(const View *view, Finding *finding);

/* The codes that practice_guest_refusal() and configuration_verdict() give, for every practice that calls them. */
extern const Reason common_reasons[];
extern const size_t n_common_reasons;

/* What the configuration says of a practice: is it there for the next boot, was it for the last, whose is it? */
typedef struct Configuration {
        bool automatic;           /* nothing has to be configured: the kernel does it by itself */
        bool unknown;             /* the boot entries cannot be relied on */
        bool complete;            /* every place has it */
        bool next_boot;           /* every entry that boots has it */
        bool running;             /* this boot was started with it */
        bool ours;                /* gtuned put it there */
        bool ours_earlier;        /* … in an earlier boot, or into the image */
        const BootEntry *missing; /* a place that does not have it */
        const BootEntry *opposite; /* a place that says the opposite … */
        const Token *opposite_token; /* … by this token */
        const char *path, *detail; /* the same for a practice that is configured by files: what is missing */
} Configuration;

/**
 * configuration_of_tokens() - look for tokens on all command lines
 * @view: the view
 * @practice: whose tokens they are
 * @specs: the tokens; all of them are needed
 * @n_specs: how many
 * @ret: takes the answer
 */
void configuration_of_tokens(const View *view, const char *practice, const TokenSpec *specs, size_t n_specs,
                             Configuration *ret);

/**
 * configuration_verdict() - the state that follows from configuration and effect
 * @view: the view
 * @finding: takes the verdict; its wanted and held are read
 * @c: the configuration
 * @effect: whether the running system proves that it is in effect
 *
 * For practices that take effect at boot. What stops a practice that is configured is the practice's own
 * knowledge, and must be asked before. Return: 0 or -ENOMEM.
 */
int configuration_verdict(const View *view, Finding *finding, const Configuration *c, bool effect);

/**
 * practice_atuned_conflict() - whether A-Tune would fight over the boot entries that have to change
 * @view: the view
 * @c: the configuration; one that is complete needs no edit and so no fight
 * @finding: takes the verdict "conflict"
 *
 * A-Tune edits grub.cfg in place and rolls back by copying the whole file
 * (A-Tune: analysis/plugin/configurator/bootloader/grub2.py). Return: 1 where the verdict is set, 0, or -ENOMEM.
 */
int practice_atuned_conflict(const View *view, const Configuration *c, Finding *finding);
