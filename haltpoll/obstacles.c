/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What can keep haltpoll from working: a small check for each cause, in the order in which an administrator would go.
 *
 * Tested by the golden machines (tests/roots).
 */

#include "haltpoll/haltpoll.h"

/* Return: 1 if the check has set the verdict, 0 if not, -ENOMEM. */
typedef int (*HaltpollCheck)(const View *view, const Haltpoll *h, Finding *f);

static int obstacle_found(int r) {
        return r < 0 ? r : 1;
}

static int obstacle_guest(const View *view, _unused_ const Haltpoll *h, Finding *f) {
        return practice_guest_refusal(view, f);
}

static int obstacle_architecture(const View *view, const Haltpoll *h, Finding *f) {
        if (h->x86 || h->arm64)
                return 0;

        return obstacle_found(finding_verdict(f, STATE_UNSUPPORTED, "architecture", NULL,
                                     "haltpoll exists for x86_64 and aarch64, and this is %s",
                                     view->machine->probe->arch));
}

static int obstacle_driver(const View *view, const Haltpoll *h, Finding *f) {
        const char *release = strempty(view->machine->probe->kernel_release);

        if (h->form == HALTPOLL_ABSENT)
                return obstacle_found(finding_verdict(f, STATE_UNSUPPORTED, "kernel-no-driver",
                                             "use a kernel with CONFIG_HALTPOLL_CPUIDLE",
                                             "kernel %s has no haltpoll driver (CONFIG_HALTPOLL_CPUIDLE is not set)",
                                             release));
        if (!h->governor && (h->form != HALTPOLL_UNKNOWN || h->cpuidle))
                return obstacle_found(finding_verdict(f, STATE_UNSUPPORTED, "kernel-no-governor",
                                             "use a kernel with CONFIG_CPU_IDLE_GOV_HALTPOLL",
                                             "kernel %s has no haltpoll governor (CONFIG_CPU_IDLE_GOV_HALTPOLL)",
                                             release));

        return 0;
}

/* What keeps a module that is not loaded yet from being loaded. */
static int obstacle_module(const View *view, const Haltpoll *h, Finding *f) {
        _cleanup_free_ char *remedy = NULL;

        if (h->module_missing)
                return obstacle_found(finding_verdict(f, STATE_UNSUPPORTED, "module-missing",
                                             "install the package with the kernel's other modules (its name ends with "
                                             "-modules-extra or -modules)",
                                             "kernel %s has the haltpoll driver as a module, and cpuidle-haltpoll.ko is "
                                             "not among its modules", strempty(view->machine->probe->kernel_release)));
        if (!h->denied && h->unread)
                return obstacle_found(finding_verdict(f, STATE_UNKNOWN, "module-denial-unknown",
                                             "let it be read: run gtune as root, or where SELinux enforces restorecon -R "
                                             "on it", "%s, and a line there may keep the module " HALTPOLL_MODULE_NAME
                                             " from being loaded", h->unread));
        if (!h->denied)
                return 0;

        remedy = xasprintf("remove the line %s", h->denied);
        if (!remedy)
                return -ENOMEM;

        return obstacle_found(finding_verdict(f, STATE_CONFLICT, "module-denied", remedy,
                                     "%s keeps the module " HALTPOLL_MODULE_NAME " from being loaded", h->denied));
}

/* entry: where the token is; NULL: on the command line of this boot. */
static int obstacle_of_parameter(Finding *f, const Token *t, const BootEntry *entry, const char *why) {
        _cleanup_free_ char *text = xasprintf("%s%s%s", t->name, t->value ? "=" : "", strempty(t->value));
        _cleanup_free_ char *where = entry ? location_format(entry->path, entry->line) : NULL, *remedy = NULL;

        if (!text || (entry && !where))
                return -ENOMEM;
        remedy = entry ? xasprintf("remove %s from %s", text, where)
                       : xasprintf("remove %s from the kernel command line and reboot", text);
        if (!remedy)
                return -ENOMEM;
        if (entry)
                return obstacle_found(finding_verdict(f, STATE_CONFLICT, "kernel-parameter", remedy, "%s has %s, which %s",
                                             where, text, why));

        return obstacle_found(finding_verdict(f, STATE_CONFLICT, "kernel-parameter", remedy, "%s %s", text, why));
}

/* Names of modules with commas between them; "-" and "_" are the same in them. */
static bool obstacle_list_has(const char *list, const char *name) {
        for (const char *p = strempty(list); *p; p += *p == ',') {
                const char *n = name;

                while (*n && (*p == *n || (*p == '-' && *n == '_'))) {
                        p++;
                        n++;
                }
                if (!*n && (!*p || *p == ','))
                        return true;
                p += strcspn(p, ",");
        }

        return false;
}

/* Parameters that switch cpuidle or haltpoll off (Linux: drivers/cpuidle, arch/x86/kernel/process.c, kernel/module). */
static const struct {
        const char *name;
        const char *harmless; /* this value does no harm */
        bool deny_list;       /* the value is a list of modules */
        const char *why;
        bool x86, arm64;
} obstacle_rows[] = {
        {"idle", NULL, false, "keeps the haltpoll driver from loading", true, false},
        {"cpuidle.off", "0", false, "switches cpuidle off", true, true},
        {"nohlt", NULL, false, "makes the idle loop poll always and bypass cpuidle", false, true},
        {"cpuidle.governor", "haltpoll", false, "keeps the haltpoll governor from being chosen", true, true},
        {"module_blacklist", NULL, true, "keeps the haltpoll driver from loading", true, true},
        {"modprobe.blacklist", NULL, true, "keeps the haltpoll driver from loading", true, true},
};

/* Of most parameters the last token decides. Deny lists add up. */
static int obstacle_of_cmdline(const Haltpoll *h, Finding *f, const Cmdline *cmdline, const BootEntry *entry) {
        for (size_t i = 0; i < ELEMENTSOF(obstacle_rows); i++) {
                if (h->x86 ? !obstacle_rows[i].x86 : !obstacle_rows[i].arm64)
                        continue;
                if (obstacle_rows[i].deny_list && (h->form != HALTPOLL_MODULE || h->loaded))
                        continue;

                for (size_t k = 0; k < cmdline->n_tokens; k++) {
                        const Token *t = cmdline->tokens + k;

                        if (t->for_init || !parameter_name_equal(t->name, obstacle_rows[i].name))
                                continue;
                        if (obstacle_rows[i].deny_list
                                    ? !obstacle_list_has(t->value, HALTPOLL_MODULE_NAME)
                                    : t != cmdline_find(cmdline, t->name) ||
                                              (obstacle_rows[i].harmless &&
                                               streq_ptr(t->value, obstacle_rows[i].harmless)))
                                continue;

                        return obstacle_of_parameter(f, t, entry, obstacle_rows[i].why);
                }
        }

        return 0;
}

static int obstacle_parameters(const View *view, const Haltpoll *h, Finding *f) {
        int r;

        if (h->effect)
                return 0;

        r = obstacle_of_cmdline(h, f, &view->machine->cmdline, NULL);
        for (size_t i = 0; r == 0 && i < view->machine->n_entries; i++) {
                const BootEntry *e = view->machine->entries[i];

                if (e->kind == ENTRY_SYSTEM || e->kind == ENTRY_TEMPLATE)
                        r = obstacle_of_cmdline(h, f, &e->cmdline, e);
        }

        return r;
}

/* Of an image nothing but its kernel says whether the driver is there. */
static int obstacle_kernel_unknown(const View *view, const Haltpoll *h, Finding *f) {
        static const char remedy[] = "keep the kernel's configuration in the image: /boot/config-RELEASE, or "
                                     "/usr/lib/modules/RELEASE/config";
        const char *release = view->machine->probe->kernel_release;

        if (h->form != HALTPOLL_UNKNOWN || view->machine->kind != MACHINE_IMAGE)
                return 0;
        if (!release)
                return obstacle_found(finding_verdict(f, STATE_UNKNOWN, "kernel-unknown", remedy,
                                             "no kernel was found in /boot or /usr/lib/modules"));

        return obstacle_found(finding_verdict(f, STATE_UNKNOWN, "kernel-unknown", remedy,
                                     "nothing says whether kernel %s has the haltpoll driver", release));
}

static int obstacle_cpuidle(const View *view, const Haltpoll *h, Finding *f) {
        if (h->cpuidle || view->machine->kind == MACHINE_IMAGE)
                return 0;
        if (!view->machine->config_known)
                return obstacle_found(finding_verdict(f, STATE_UNKNOWN, "cpuidle-missing", NULL,
                                             HALTPOLL_CPUIDLE " does not exist, and the kernel's configuration is "
                                             "unknown"));

        return obstacle_found(finding_verdict(f, STATE_UNSUPPORTED, "no-cpuidle", NULL,
                                     "this kernel runs without cpuidle (no " HALTPOLL_CPUIDLE ")"));
}

static int obstacle_other_driver(_unused_ const View *view, const Haltpoll *h, Finding *f) {
        if (isempty(h->driver) || streq(h->driver, "none") || streq(h->driver, "haltpoll"))
                return 0;

        return obstacle_found(finding_verdict(f, STATE_CONFLICT, "other-driver",
                                     streq(h->driver, "intel_idle")
                                             ? "start the guest without cpu-pm=on, or add intel_idle.max_cstate=0"
                                     : streq(h->driver, "acpi_idle")
                                             ? "add processor.max_cstate=0 to the kernel command line"
                                             : NULL,
                                     "the cpuidle driver %s owns the CPUs, and a CPU has only one", h->driver));
}

static int obstacle_other_governor(_unused_ const View *view, const Haltpoll *h, Finding *f) {
        if (!streq_ptr(h->driver, "haltpoll") || h->effect)
                return 0;

        return obstacle_found(finding_verdict(f, STATE_CONFLICT, "other-governor",
                                     "write haltpoll to " HALTPOLL_CPUIDLE "/current_governor, or remove "
                                     "cpuidle.governor=",
                                     "the haltpoll driver is loaded, but the governor is %s",
                                     h->current_governor ? h->current_governor : "unknown"));
}

static int obstacle_governor_disabled(const View *view, const Haltpoll *h, Finding *f) {
        const Token *t = machine_parameter(view->machine, "haltpoll.enable");
        bool on;

        /* If there is no token, the kernel's default is off, and the token that gtuned sets changes that. */
        if (!streq_ptr(h->enable, "N") || !t || parse_kernel_bool(t->value, &on) < 0 || on)
                return 0;

        /* If the next boot has the token too, the verdict on the configuration names the file that holds it. */
        if (h->by_tokens.opposite)
                return 0;

        return obstacle_of_parameter(f, t, NULL, "keeps the haltpoll governor from registering");
}

/*
 * On x86 the 6.6 kernels of openEuler refuse every value of "force", so that only the host's hint makes the driver load
 * (openEuler: drivers/cpuidle/cpuidle-haltpoll.c, whose setter depends on CONFIG_ARM64).
 */
static int obstacle_force_refused(const View *view, const Haltpoll *h, Finding *f) {
        const char *line;

        if (!h->x86 || h->effect || view->machine->probe->dedicated_hint == 1)
                return 0;

        line = kernel_log_find(&view->machine->probe->log, "invalid for parameter `cpuidle_haltpoll.force'");
        if (!line && !(h->force_writable && h->enable))
                return 0;
        if (line && finding_evidence(f, "kernel log", line) < 0)
                return -ENOMEM;

        return obstacle_found(finding_verdict(f, STATE_UNSUPPORTED, "force-refused",
                                     "let the host announce dedicated vCPUs: <kvm><hint-dedicated state='on'/></kvm>",
                                     "this kernel refuses cpuidle_haltpoll.force on x86_64"));
}

static int obstacle_failed_to_enable(const View *view, const Haltpoll *h, Finding *f) {
        const char *line = kernel_log_find(&view->machine->probe->log, "Fail to enable haltpoll driver");

        /* At boot the parameter may be parsed too early. If "force" can be written, an apply writes it again. */
        if (!line || h->effect || h->force_writable)
                return 0;
        if (finding_evidence(f, "kernel log", line) < 0)
                return -ENOMEM;

        return obstacle_found(finding_verdict(f, STATE_CONFLICT, "driver-failed", "see the kernel log of this boot",
                                     "the haltpoll driver could not register"));
}

static int obstacle_latency(_unused_ const View *view, const Haltpoll *h, Finding *f) {
        return latency_judge(h, f, /* warn= */ false);
}

static int obstacle_tuned(_unused_ const View *view, const Haltpoll *h, Finding *f) {
        return rival_judge(h, f);
}

static int obstacle_atuned(const View *view, const Haltpoll *h, Finding *f) {
        return h->by_files ? 0 : configuration_atuned_conflict(view, &h->by_tokens, f);
}

static const HaltpollCheck checks[] = {
        obstacle_guest,
        obstacle_architecture,
        obstacle_driver,
        obstacle_module,
        obstacle_parameters,
        obstacle_kernel_unknown,
        obstacle_cpuidle,
        obstacle_other_driver,
        obstacle_other_governor,
        obstacle_governor_disabled,
        obstacle_force_refused,
        obstacle_failed_to_enable,
        obstacle_latency,
        obstacle_atuned,
        obstacle_tuned,
};

int haltpoll_obstacle(const View *view, const Haltpoll *h, Finding *finding) {
        for (size_t i = 0; i < ELEMENTSOF(checks); i++) {
                int r = checks[i](view, h, finding);

                if (r != 0)
                        return r;
        }

        return 0;
}
