/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * cpuidle haltpoll: a guest that is about to halt polls for a moment first, so that a wake-up costs no exit.
 * It has two pieces: the governor (drivers/cpuidle/governors/haltpoll.c, the five tunables) and the driver
 * (drivers/cpuidle/cpuidle-haltpoll.c, which registers only where it is told to).
 */

#include "core/practice.h"

#define CPUIDLE "/sys/devices/system/cpu/cpuidle"
#define HALTPOLL_PARAMETERS "/sys/module/haltpoll/parameters"
#define HALTPOLL_FORCE "/sys/module/cpuidle_haltpoll/parameters/force"
#define HALTPOLL_MODULES_LOAD "/etc/modules-load.d/gtuned-haltpoll.conf"
#define HALTPOLL_MODPROBE "/etc/modprobe.d/gtuned-haltpoll.conf"

/* How the driver is built. */
typedef enum HaltpollForm {
        HALTPOLL_UNKNOWN,  /* no kernel configuration, and nothing of it in /sys */
        HALTPOLL_ABSENT,
        HALTPOLL_BUILT_IN,
        HALTPOLL_MODULE,
} HaltpollForm;

/* What is true of haltpoll on this machine. */
typedef struct Haltpoll {
        bool x86, arm64;
        HaltpollForm form;
        bool governor;            /* the governor is compiled in */
        bool loaded;              /* /sys/module/cpuidle_haltpoll exists */
        bool cpuidle;             /* /sys/devices/system/cpu/cpuidle exists */
        char *driver, *current_governor;
        char *force;              /* "Y", "N", or NULL */
        bool force_writable;      /* the kernel lets it be written (6.6 and later, arm64) */
        char *enable;             /* haltpoll.enable of openEuler kernels: "Y", "N", or NULL */
        bool effect;              /* driver and governor are haltpoll */
        bool by_files;            /* configured by modules-load.d and modprobe.d, not on the command line */
        TokenSpec tokens[2];
        size_t n_tokens;
} Haltpoll;

#define _cleanup_haltpoll_ _cleanup_(haltpoll_done)

/** haltpoll_read() - read the facts; what is read becomes evidence where finding is not NULL. Return: 0 or -ENOMEM. */
int haltpoll_read(const View *view, Finding *finding, Haltpoll *ret);

/** haltpoll_done() - release the facts */
void haltpoll_done(Haltpoll *h);

/**
 * haltpoll_obstacle() - what keeps haltpoll from working here
 * @view: the view
 * @h: the facts
 * @finding: takes the verdict "unsupported", "conflict" or "unknown" where there is one
 *
 * Return: 1 where the verdict is set, 0 where nothing is in the way, -ENOMEM.
 */
int haltpoll_obstacle(const View *view, const Haltpoll *h, Finding *finding);

/** haltpoll_hopeless() - whether configuring it would be pointless on this kernel, with every policy */
bool haltpoll_hopeless(const Finding *finding) _pure_;

/** haltpoll_files() - the text of the two files of the module form; *_ret are constant strings */
void haltpoll_files(const char **ret_modules_load, const char **ret_modprobe);

/* The tunables (tunables.c). */
extern const PolicyKey haltpoll_keys[];
#define HALTPOLL_N_KEYS 6

/** tunables_check() - refuse values that contradict each other or the kernel's actual ones. Return: 0 or -ENOMEM. */
int tunables_check(const View *view);

/**
 * tunables_observe() - compare the tunables with the policy
 * @view: the view
 * @finding: takes a setting for each tunable, and evidence for each that drifted
 * @ret_differs: takes whether one differs from the policy
 * @ret_drifted: takes the name of one that gtuned wrote in this boot and that has another value now, or NULL
 *
 * Return: 0 or -ENOMEM.
 */
int tunables_observe(const View *view, Finding *finding, bool *ret_differs, const char **ret_drifted);

/** tunables_plan() - ask for the values that differ, in an order that is safe at every step. Return: 0 or -ENOMEM. */
int tunables_plan(const View *view, Plan *plan);

extern const Practice practice_haltpoll;
