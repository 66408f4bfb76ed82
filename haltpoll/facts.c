/* SPDX-License-Identifier: Apache-2.0 */

#include "haltpoll/haltpoll.h"

void haltpoll_done(Haltpoll *h) {
        free(h->driver);
        free(h->current_governor);
        free(h->force);
        free(h->enable);
}

/* Reads an attribute; absence is a value too. */
static int read_fact(const View *view, Finding *finding, const char *path, bool evidence, char **ret) {
        int r = root_read_line(view->root, path, ret);

        if (r == -ENOMEM)
                return r;

        return evidence && finding && *ret ? finding_evidence(finding, path, *ret) : 0;
}

static int read_cpuidle(const View *view, Finding *finding, Haltpoll *h) {
        int r;

        h->cpuidle = root_exists(view->root, CPUIDLE);

        r = read_fact(view, finding, CPUIDLE "/current_driver", true, &h->driver);
        if (r >= 0)
                r = read_fact(view, finding, CPUIDLE "/current_governor", true, &h->current_governor);
        /* Before 5.8 only this one exists, unless booted with cpuidle_sysfs_switch (drivers/cpuidle/sysfs.c). */
        if (r >= 0 && !h->current_governor)
                r = read_fact(view, finding, CPUIDLE "/current_governor_ro", true, &h->current_governor);

        h->effect = streq_ptr(h->driver, "haltpoll") && streq_ptr(h->current_governor, "haltpoll");
        return r;
}

static int read_parameters(const View *view, Finding *finding, Haltpoll *h) {
        struct stat st;
        int r;

        r = read_fact(view, finding, HALTPOLL_FORCE, true, &h->force);
        if (r >= 0)
                r = read_fact(view, finding, HALTPOLL_PARAMETERS "/enable", true, &h->enable);

        h->force_writable = root_stat(view->root, HALTPOLL_FORCE, &st) >= 0 && (st.st_mode & 0200) != 0;
        return r;
}

/* Whether the idle loop really polls: usage of the first state (drivers/cpuidle/poll_state.c). */
static int read_polling(const View *view, Finding *finding, const Haltpoll *h) {
        _cleanup_free_ char *name = NULL, *usage = NULL;
        int r;

        if (!h->effect || !finding)
                return 0;

        r = read_fact(view, NULL, "/sys/devices/system/cpu/cpu0/cpuidle/state0/name", false, &name);
        if (r < 0 || !streq_ptr(name, "POLL"))
                return r;

        r = read_fact(view, NULL, "/sys/devices/system/cpu/cpu0/cpuidle/state0/usage", false, &usage);
        if (r < 0 || !usage)
                return r;

        return finding_evidence(finding, "/sys/devices/system/cpu/cpu0/cpuidle/state0/usage",
                                streq(usage, "0") ? "0" : "more than 0");
}

static void decide_form(const View *view, Haltpoll *h) {
        char driver = machine_kernel_option(view->machine, "CONFIG_HALTPOLL_CPUIDLE");
        char governor = machine_kernel_option(view->machine, "CONFIG_CPU_IDLE_GOV_HALTPOLL");

        h->loaded = root_exists(view->root, "/sys/module/cpuidle_haltpoll");
        h->governor = governor == 'y' || root_exists(view->root, "/sys/module/haltpoll");

        if (driver == 'm')
                h->form = HALTPOLL_MODULE;
        else if (driver == 'y' || h->loaded || h->effect)
                h->form = HALTPOLL_BUILT_IN;
        else
                h->form = driver == 'n' ? HALTPOLL_ABSENT : HALTPOLL_UNKNOWN;

        if (governor == 0 && h->form == HALTPOLL_UNKNOWN && view->machine->kind == MACHINE_IMAGE)
                h->governor = true; /* nothing is known of the kernel: no reason to refuse */
}

/*
 * Where the driver is a module that nothing has loaded, modules-load.d loads it and modprobe.d passes force:
 * that is active at once. One that is loaded without being in effect came from the initramfs, whose copy of
 * modprobe.d we do not reach: there only the command line helps, which modprobe reads too.
 */
static void decide_configuration(const View *view, Haltpoll *h) {
        static const TokenSpec force = {"cpuidle_haltpoll.force", "Y", TOKEN_BOOL};
        static const TokenSpec enable = {"haltpoll.enable", "Y", TOKEN_BOOL};
        bool ours = ledger_file(view->ledger, HALTPOLL_MODULES_LOAD) != NULL;

        h->by_files = h->form == HALTPOLL_MODULE && (!h->loaded || ours || h->effect);

        /* With the host's hint the driver loads by itself (x86 only). */
        if (!h->by_files && !(h->x86 && view->machine->probe->dedicated_hint == 1))
                h->tokens[h->n_tokens++] = force;
        if (h->arm64 && (!h->by_files || streq_ptr(h->enable, "N")))
                h->tokens[h->n_tokens++] = enable;
}

int haltpoll_read(const View *view, Finding *finding, Haltpoll *ret) {
        _cleanup_haltpoll_ Haltpoll h = {};
        int r;

        h.x86 = streq(view->machine->probe->arch, "x86_64");
        h.arm64 = streq(view->machine->probe->arch, "aarch64");

        r = read_cpuidle(view, finding, &h);
        if (r >= 0)
                r = read_parameters(view, finding, &h);
        if (r >= 0)
                r = read_polling(view, finding, &h);
        if (r < 0)
                return r;

        decide_form(view, &h);
        decide_configuration(view, &h);

        *ret = h;
        h = (Haltpoll) {};
        return 0;
}

void haltpoll_files(const char **ret_modules_load, const char **ret_modprobe) {
        *ret_modules_load = "# Written by gtuned; `gtune revert haltpoll` removes it.\ncpuidle_haltpoll\n";
        *ret_modprobe = "# Written by gtuned; `gtune revert haltpoll` removes it.\noptions cpuidle_haltpoll force=Y\n";
}
