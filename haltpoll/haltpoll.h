/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * cpuidle haltpoll: a vCPU that goes idle polls for a moment before it halts, so that a wake-up costs no exit. It has
 * two parts: the governor (Linux: drivers/cpuidle/governors/haltpoll.c), which has the five tunables, and the driver
 * (drivers/cpuidle/cpuidle-haltpoll.c), which registers only if a parameter or the host's hint says so.
 */

#include "core/configuration.h"
#include "core/tuned.h"

#define HALTPOLL_CPUIDLE "/sys/devices/system/cpu/cpuidle"
#define HALTPOLL_PARAMETERS "/sys/module/haltpoll/parameters"
#define HALTPOLL_FORCE "/sys/module/cpuidle_haltpoll/parameters/force"
#define HALTPOLL_MODULES_LOAD "/etc/modules-load.d/gtuned-haltpoll.conf"
#define HALTPOLL_MODPROBE "/etc/modprobe.d/gtuned-haltpoll.conf"

#define HALTPOLL_MODULE_NAME "cpuidle_haltpoll"

/* Whether the kernel has the driver, and in which form. */
typedef enum HaltpollForm {
        HALTPOLL_UNKNOWN, /* there is no kernel configuration, and /sys does not show the driver */
        HALTPOLL_ABSENT,
        HALTPOLL_BUILT_IN,
        HALTPOLL_MODULE,
} HaltpollForm;

typedef enum Tunable {
        TUNABLE_NS,
        TUNABLE_SHRINK,
        TUNABLE_GROW,
        TUNABLE_GROW_START,
        TUNABLE_ALLOW_SHRINK,
        _TUNABLE_MAX,
} Tunable;

/* A tunable as the policy wants it and as the kernel has it. */
typedef struct TunableValue {
        const PolicySetting *setting; /* NULL: the policy does not set it */
        uint32_t wanted;              /* if there is a setting */
        char *text;                   /* the kernel's value; NULL: it cannot be read */
        uint32_t actual;              /* if there is a text */
} TunableValue;

/* The facts about haltpoll on this machine. */
typedef struct Haltpoll {
        bool x86, arm64;
        HaltpollForm form;
        bool module_missing;       /* it is a module, and the file of the module is not there */
        char *denied;              /* "PATH:LINE" that keeps the module from being loaded; NULL: none */
        char *unread;              /* a file or directory of modprobe.d that cannot be read, and may deny it; NULL: none */
        bool governor;             /* the governor is compiled in */
        bool loaded;               /* /sys/module/cpuidle_haltpoll exists */
        bool cpuidle;              /* /sys/devices/system/cpu/cpuidle exists */
        char *driver, *current_governor;
        const char *governor_path; /* the file that current_governor was read from */
        char *force;               /* "Y", "N", or NULL */
        bool force_writable;       /* the kernel allows writing to force (6.6 and later, arm64) */
        char *enable;              /* haltpoll.enable of openEuler kernels: "Y", "N", or NULL */
        char *poll_usage;          /* entries into the first idle state, if it is POLL and haltpoll is in effect */
        bool effect;               /* the current driver and the current governor are both haltpoll */
        bool by_files;             /* configured by modules-load.d and modprobe.d, not on the command line */
        TokenSpec tokens[2];
        size_t n_tokens;
        Configuration by_tokens;     /* whether the command lines have the tokens */
        Configuration configuration; /* the same, with the two files if by_files is set */
        TunableValue tunables[_TUNABLE_MAX];
        unsigned *cpus;            /* the numbers of the CPUs that are present, in order, if haltpoll is in effect */
        size_t n_cpus;
        bool latency_zero;         /* a PM QoS request tolerates no latency on any CPU */
        unsigned n_latency_cpus;   /* CPUs with such a request of their own */
        unsigned latency_cpu;      /* the first of them */
        bool *stuck;               /* as cpus: its limit is above the maximum; NULL: not measured */
        Tuned *tuned;              /* TuneD's profile; NULL: there is none */
} Haltpoll;

/** haltpoll_read() - Practice.read: the facts, a Haltpoll. Return: 0 or -ENOMEM. */
int haltpoll_read(const View *view, void **ret);

/* More CPUs no kernel has (Linux: arch/x86/Kconfig, NR_CPUS_RANGE_END). */
#define HALTPOLL_CPUS_MAX 8192U

/**
 * haltpoll_list_cpus() - list the CPUs that are present
 * @view: the view
 * @ret: takes their numbers in order, HALTPOLL_CPUS_MAX at most; the caller frees it
 * @ret_n: takes how many there are
 *
 * Return: 0 or -ENOMEM.
 */
int haltpoll_list_cpus(const View *view, unsigned **ret, size_t *ret_n);

/** haltpoll_free() - Practice.done: release the facts; NULL is ignored */
void haltpoll_free(void *facts);

/**
 * haltpoll_obstacle() - find out whether something keeps haltpoll from working here
 * @view: the view
 * @h: the facts
 * @finding: takes the verdict "unsupported", "conflict" or "unknown" if there is an obstacle
 *
 * Return: 1 if the verdict is set, 0 if nothing is in the way, -ENOMEM.
 */
int haltpoll_obstacle(const View *view, const Haltpoll *h, Finding *finding);

/** haltpoll_files() - the texts of the files in modules-load.d and modprobe.d; constant strings */
void haltpoll_files(const char **ret_modules_load, const char **ret_modprobe);

/* The tunables (tunables.c). */
extern const PolicyKey haltpoll_keys[];
#define HALTPOLL_N_KEYS 6

/** tunables_read() - read the kernel's values and the policy's. Return: 0 or -ENOMEM. */
int tunables_read(const View *view, TunableValue values[static _TUNABLE_MAX]);

/** tunables_done() - release the values */
void tunables_done(TunableValue values[static _TUNABLE_MAX]);

/**
 * tunables_check() - Practice.check: refuse values with which the kernel's arithmetic wraps. Return: 0 or -ENOMEM.
 */
int tunables_check(const View *view, const void *facts, Policy *policy);

/** tunables_advise() - add a warning for values that the kernel takes for others than were meant. Return: 0 or -ENOMEM. */
int tunables_advise(const Haltpoll *h, Finding *finding);

/* What became of the tunables that the policy sets. */
typedef struct TunableOutcome {
        bool differs;           /* one has another value */
        const char *drifted;    /* the name of one that gtuned wrote in this boot and that has another value now, or NULL */
        const char *unreadable; /* the name of one whose value the kernel does not show, or NULL */
} TunableOutcome;

/**
 * tunables_observe() - compare the tunables with the policy
 * @view: the view
 * @h: the facts
 * @finding: takes a setting for each tunable, and evidence for each that drifted
 * @ret: takes the outcome
 *
 * Return: 0 or -ENOMEM.
 */
int tunables_observe(const View *view, const Haltpoll *h, Finding *finding, TunableOutcome *ret);

/** tunables_plan() - plan writes of the values that differ. Return: 0 or -ENOMEM. */
int tunables_plan(const View *view, const Haltpoll *h, const Finding *finding, Plan *plan);

/** tunables_list_rewrites() - Practice.list_rewrites: what sets the limits of the CPUs to 0. Return: 0 or -ENOMEM. */
int tunables_list_rewrites(const View *view, const char *path, const char *from, const char *to, char ***ret);

/** haltpoll_disable_path() - the attribute with which the limit of a CPU is reset, or NULL when memory is exhausted */
char *haltpoll_disable_path(unsigned cpu);

/* TuneD beside gtuned (rival.c). */

/** rival_add_evidence() - name what TuneD sets of haltpoll. Return: 0 or -ENOMEM. */
int rival_add_evidence(const Haltpoll *h, Finding *finding);

/**
 * rival_judge() - say that TuneD's profile sets a tunable to another value than the policy
 * @h: the facts
 * @finding: takes the verdict "conflict"
 *
 * Return: 1 if there is such a tunable, 0 if not, -ENOMEM.
 */
int rival_judge(const Haltpoll *h, Finding *finding);

/** rival_warn() - warn that TuneD's profile loads the driver, though it is not wanted. Return: 0 or -ENOMEM. */
int rival_warn(const Haltpoll *h, Finding *finding);

/** tunable_path() - the attribute of a tunable, or NULL when memory is exhausted */
char *tunable_path(Tunable t);

/** tunable_is_equal() - whether a text is the value that the policy wants for a tunable that it sets */
bool tunable_is_equal(const Haltpoll *h, Tunable t, const char *text) _pure_;

/* The driver as a file (module.c). */

/* What the modules of the kernel say of the driver. */
typedef enum ModulePlace {
        MODULE_UNKNOWN,    /* there are no modules of this kernel */
        MODULE_AS_FILE,
        MODULE_IS_BUILT_IN,
        MODULE_IS_ABSENT,
} ModulePlace;

/** module_find() - look for the driver among the kernel's modules. Return: 0 or -ENOMEM. */
int module_find(const View *view, ModulePlace *ret);

/**
 * module_find_denial() - look for a line of modprobe.d that keeps the driver from being loaded
 * @view: the view
 * @ret_where: takes "PATH:LINE", which the caller frees, or stays NULL
 * @ret_unread: takes "PATH: ERROR" of the first directory or file that cannot be read, which the caller frees, or stays NULL
 *
 * Return: 0 or -ENOMEM.
 */
int module_find_denial(const View *view, char **ret_where, char **ret_unread);

/* PM QoS (latency.c). */

/** latency_read() - read which PM QoS requests tolerate no latency. Return: 0 or -ENOMEM. */
int latency_read(const View *view, Haltpoll *h);

/**
 * latency_judge() - say that such a request makes every idle a poll
 * @h: the facts
 * @finding: takes the verdict "conflict", or the warning
 * @warn: it is not wanted anyhow, so that a warning will do
 *
 * Return: 1 if there is such a request, 0 if not, -ENOMEM.
 */
int latency_judge(const Haltpoll *h, Finding *finding, bool warn);

/* Limits above the maximum (polls.c). */

/* What the kernel has counted of the polls of a CPU (Linux: drivers/cpuidle/sysfs.c). */
typedef struct PollCount {
        uint64_t polls, usec;
} PollCount;

/** poll_count_is_above() - whether the polls between two counts were longer than the maximum ns allows, on average */
bool poll_count_is_above(const PollCount *before, const PollCount *after, uint32_t ns) _pure_;

/**
 * polls_find_stuck() - measure which CPUs poll for longer than the maximum
 * @view: the view; nothing is measured if it is not patient, or not of the running system
 * @h: the facts; takes stuck
 *
 * It takes 5 ms, or 20 if there is such a CPU. Return: 0 or -ENOMEM.
 */
int polls_find_stuck(const View *view, Haltpoll *h);

/** polls_judge() - say that there are such CPUs: "differs" for "active", a warning if not wanted. Return: 0 or -ENOMEM. */
int polls_judge(const Haltpoll *h, Finding *finding);

/** polls_plan() - plan to reset the limits of such CPUs. Return: 0 or -ENOMEM. */
int polls_plan(const Haltpoll *h, const Finding *finding, Plan *plan);

extern const Practice practice_haltpoll;
