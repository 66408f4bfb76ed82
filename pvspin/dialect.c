/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Kernel trees name the parameters of arm64 PV qspinlocks differently. openEuler and its derivatives take "arm_pvspin",
 * which switches on both the locks and the hint that a vCPU is preempted. Another tree, seen in an Anolis kernel, takes
 * "pvqspinlock" for the locks and "pvpreempted" for the hint. Both log the same lines, except "PV sched disabled".
 *
 * Tested by the golden machines pvspin-* and anolis-*.
 */

#include "pvspin/pvspin.h"

#define DIALECT_OPENEULER_KERNEL "use an openEuler kernel of the 4.19 or 5.10 line"

static const Dialect arm_pvspin = {
        .tokens = {{"arm_pvspin", NULL, TOKEN_FLAG}},
        .n_tokens = 1,
        .silence = "it does not have them, or runs at EL2",
        .silent_remedy = DIALECT_OPENEULER_KERNEL,
};

static const Dialect pvqspinlock = {
        .tokens = {{"pvqspinlock", NULL, TOKEN_FLAG}, {"pvpreempted", NULL, TOKEN_FLAG}},
        .n_tokens = 2,
        .asks_late = true,
        .silence = "it does not have them, or the host does not offer them",
        .silent_remedy = "use a host that offers PV qspinlocks",
};

static const Dialect doubtful = {
        .tokens = {{"arm_pvspin", NULL, TOKEN_FLAG}},
        .n_tokens = 1,
        .doubtful = true,
        .silence = "it does not have them, or runs at EL2",
        .silent_remedy = DIALECT_OPENEULER_KERNEL,
};

static bool dialect_is_word_byte(char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

const char *dialect_unknown_token(const Machine *machine, const char *name) {
        const char *line = kernel_log_line(&machine->probe->log, "Unknown kernel command line parameters");
        size_t size = strlen(name);

        for (const char *p = line; p && (p = strstr(p, name)); p += size)
                if (p > line && !dialect_is_word_byte(p[-1]) && !dialect_is_word_byte(p[size]))
                        return line;

        return NULL;
}

/*
 * By the kernel log. A tree with arm_pvspin never logs "PV sched disabled", and always logs another line of "PV sched",
 * whatever its command line is. A tree with pvpreempted logs such a line only if that parameter is given.
 */
static const Dialect *dialect_by_log(const Machine *m) {
        bool locks = kernel_log_line(&m->probe->log, "arm-pv: PV qspinlocks ");
        bool asked = kernel_log_line(&m->probe->log, "arm-pv: using PV sched preempted") ||
                     kernel_log_line(&m->probe->log, "arm-pv: PV sched is not available") ||
                     kernel_log_line(&m->probe->log, "arm-pv: PV sched init failed");

        if (kernel_log_line(&m->probe->log, "arm-pv: PV sched disabled"))
                return &pvqspinlock;
        if (locks && dialect_unknown_token(m, "arm_pvspin"))
                return &pvqspinlock;
        if (dialect_unknown_token(m, "pvqspinlock") || dialect_unknown_token(m, "pvpreempted"))
                return &arm_pvspin;
        if (asked && !machine_parameter(m, "pvpreempted"))
                return &arm_pvspin;

        return NULL;
}

/* By the only one of the two parameters that a command line has. */
static const Dialect *dialect_by_tokens(const Cmdline *c) {
        bool a = cmdline_find(c, "arm_pvspin"), b = cmdline_find(c, "pvqspinlock");

        return a == b ? NULL : a ? &arm_pvspin : &pvqspinlock;
}

static const Dialect *dialect_by_entries(const Machine *m) {
        for (size_t i = 0; i < m->n_entries; i++) {
                const BootEntry *e = m->entries[i];
                const Dialect *d = NULL;

                if (e->kind == ENTRY_SYSTEM || e->kind == ENTRY_TEMPLATE)
                        d = dialect_by_tokens(&e->cmdline);
                if (d)
                        return d;
        }

        return NULL;
}

static bool dialect_is_openeuler(const View *view) {
        static const char *const ids[] = {
                "openEuler", "kylin", "euleros", "hce", "uos", "UOS", "bclinux", "ctyunos", "fusionos", "kylinsec",
        };

        for (size_t i = 0; view->machine->os_id && i < ELEMENTSOF(ids); i++)
                if (streq(view->machine->os_id, ids[i]))
                        return true;

        /*
         * Only kernels derived from openEuler's have this parameter (openEuler: drivers/cpuidle/governors/haltpoll.c).
         */
        return root_exists(view->root, "/sys/module/haltpoll/parameters/enable");
}

/*
 * Whether the kernel is known to have the locks. If it is not, the token can be tried without harm: the log of the next
 * boot shows whether the kernel knows it.
 */
static bool dialect_has_locks(const Machine *m) {
        return kernel_log_line(&m->probe->log, "arm-pv: PV qspinlocks ") ||
               machine_kernel_option(m, "CONFIG_PARAVIRT_SPINLOCKS") == 'y';
}

const Dialect *dialect_of(const View *view) {
        const Machine *m = view->machine;
        const Dialect *d = dialect_by_log(m);

        if (!d && dialect_is_openeuler(view))
                d = &arm_pvspin;
        if (!d)
                d = dialect_by_tokens(&m->cmdline);
        if (!d)
                d = dialect_by_entries(m);
        if (d)
                return d;

        if (streq_ptr(m->os_id, "anolis"))
                return &pvqspinlock;

        return dialect_has_locks(m) ? &doubtful : &arm_pvspin;
}
