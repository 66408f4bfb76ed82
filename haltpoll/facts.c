/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Reads the facts of haltpoll, and decides how it is configured here: by tokens or by files.
 *
 * Tested by the golden machines (tests/roots).
 */

#include "haltpoll/haltpoll.h"

#define HALTPOLL_POLL_STATE "/sys/devices/system/cpu/cpu0/cpuidle/state0"
#define HALTPOLL_FILE_SIZE_MAX 65536U

void haltpoll_free(void *facts) {
        Haltpoll *h = facts;

        if (!h)
                return;

        tuned_free(h->tuned);
        free(h->driver);
        free(h->current_governor);
        free(h->force);
        free(h->enable);
        free(h->poll_usage);
        tunables_done(h->tunables);
        free(h->cpus);
        free(h->denied);
        free(h->unread);
        free(h->stuck);
        free(h);
}

static void haltpoll_freep(Haltpoll **h) {
        haltpoll_free(*h);
}

/* An attribute that does not exist or cannot be read is NULL: that is a fact too, and no error. */
static int haltpoll_read_attribute(const View *view, const char *path, char **ret) {
        return root_read_line(view->root, path, ret) == -ENOMEM ? -ENOMEM : 0;
}

static int haltpoll_read_cpuidle(const View *view, Haltpoll *h) {
        /* Before 5.8 only the second file exists, unless booted with cpuidle_sysfs_switch (drivers/cpuidle/sysfs.c). */
        static const char *const governors[] = {
                HALTPOLL_CPUIDLE "/current_governor", HALTPOLL_CPUIDLE "/current_governor_ro",
        };

        h->cpuidle = root_exists(view->root, HALTPOLL_CPUIDLE);
        if (!h->cpuidle)
                return 0;

        if (haltpoll_read_attribute(view, HALTPOLL_CPUIDLE "/current_driver", &h->driver) < 0)
                return -ENOMEM;

        for (size_t i = 0; i < ELEMENTSOF(governors) && !h->current_governor; i++) {
                h->governor_path = governors[i];
                if (haltpoll_read_attribute(view, governors[i], &h->current_governor) < 0)
                        return -ENOMEM;
        }

        h->effect = streq_ptr(h->driver, "haltpoll") && streq_ptr(h->current_governor, "haltpoll");
        return 0;
}

static int haltpoll_compare_cpus(const void *a, const void *b) {
        const unsigned x = *(const unsigned *) a, y = *(const unsigned *) b;

        return x < y ? -1 : x > y;
}

int haltpoll_list_cpus(const View *view, unsigned **ret, size_t *ret_n) {
        _cleanup_(strv_freep) char **names = NULL;
        _cleanup_free_ unsigned *cpus = NULL;
        size_t n = 0;
        int r;

        r = root_list(view->root, "/sys/devices/system/cpu", &names);
        if (r == -ENOMEM)
                return r;

        for (char **name = names; name && *name && n < HALTPOLL_CPUS_MAX; name++) {
                const char *number = startswith(*name, "cpu");

                if (!number || !*number || strlen(number) > 5 || strspn(number, "0123456789") != strlen(number))
                        continue;
                if (grow(&cpus, n, sizeof(unsigned)) < 0)
                        return -ENOMEM;
                cpus[n++] = (unsigned) strtoul(number, NULL, 10);
        }

        if (n > 0)
                qsort(cpus, n, sizeof(unsigned), haltpoll_compare_cpus);
        *ret = TAKE_PTR(cpus);
        *ret_n = n;
        return 0;
}

/* Whether the idle loop really polls: usage of the first state (drivers/cpuidle/poll_state.c). */
static int haltpoll_read_polling(const View *view, Haltpoll *h) {
        _cleanup_free_ char *name = NULL;
        int r;

        if (!h->effect)
                return 0;

        r = haltpoll_read_attribute(view, HALTPOLL_POLL_STATE "/name", &name);
        if (r < 0 || !streq_ptr(name, "POLL"))
                return r;

        return haltpoll_read_attribute(view, HALTPOLL_POLL_STATE "/usage", &h->poll_usage);
}

static int haltpoll_decide_form(const View *view, Haltpoll *h) {
        ModulePlace place = MODULE_UNKNOWN;
        char driver = machine_kernel_option(view->machine, "CONFIG_HALTPOLL_CPUIDLE");
        char governor = machine_kernel_option(view->machine, "CONFIG_CPU_IDLE_GOV_HALTPOLL");

        h->loaded = root_exists(view->root, "/sys/module/cpuidle_haltpoll");
        h->governor = governor == 'y' || root_exists(view->root, "/sys/module/haltpoll");

        /* A module that is loaded is there; else the file of a module that the configuration promises may be missing. */
        if (!h->loaded && !h->effect && driver != 'y' && driver != 'n' && module_find(view, &place) < 0)
                return -ENOMEM;

        if (driver == 'm' || (driver == 0 && place == MODULE_AS_FILE))
                h->form = HALTPOLL_MODULE;
        else if (driver == 'y' || h->loaded || h->effect || place == MODULE_IS_BUILT_IN)
                h->form = HALTPOLL_BUILT_IN;
        else
                h->form = driver == 'n' || place == MODULE_IS_ABSENT ? HALTPOLL_ABSENT : HALTPOLL_UNKNOWN;
        h->module_missing = h->form == HALTPOLL_MODULE && place == MODULE_IS_ABSENT;

        /* The driver selects the governor (drivers/cpuidle/Kconfig). */
        if (governor == 0 && view->machine->kind == MACHINE_IMAGE)
                h->governor = true;
        if (h->form == HALTPOLL_MODULE && !h->loaded)
                return module_find_denial(view, &h->denied, &h->unread);

        return 0;
}

/*
 * If the driver is a module that is not loaded, a file in modules-load.d loads it and a file in modprobe.d sets force:
 * that takes effect at once. If the module is loaded without taking effect, the initramfs has loaded it. gtuned does
 * not change the copy of modprobe.d in there, so the tokens go onto the command line, which modprobe reads too.
 */
static void haltpoll_decide_tokens(const View *view, Haltpoll *h) {
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

/* Whether both files have the texts of haltpoll_files(). */
static int haltpoll_configuration_of_files(const View *view, const Haltpoll *h, Configuration *ret) {
        const char *paths[] = {HALTPOLL_MODULES_LOAD, HALTPOLL_MODPROBE}, *texts[2];

        *ret = (Configuration) {.complete = true, .next_boot = true, .running = h->loaded};
        ret->released = configuration_is_released(view, practice_haltpoll.name);
        haltpoll_files(&texts[0], &texts[1]);

        for (size_t i = 0; i < ELEMENTSOF(paths); i++) {
                _cleanup_buffer_ Buffer is = BUFFER_NULL;
                const LedgerFile *record = ledger_file(view->ledger, paths[i]);
                int r = root_read(view->root, paths[i], HALTPOLL_FILE_SIZE_MAX, &is);

                if (r == -ENOMEM)
                        return r;
                ret->ours = ret->ours || record;
                /* A file that gtuned wrote in an earlier boot was already read in this one. */
                ret->running = ret->running || (record && !streq_ptr(record->boot_id, view->machine->boot_id));
                if (r >= 0 && streq(is.data, texts[i]))
                        continue;

                ret->complete = ret->next_boot = false;
                ret->path = paths[i];
                ret->detail = r >= 0 ? "other content" : NULL;
        }

        return 0;
}

static int haltpoll_read_configuration(const View *view, Haltpoll *h) {
        int r;

        configuration_of_tokens(view, practice_haltpoll.name, h->tokens, h->n_tokens, &h->by_tokens);
        h->configuration = h->by_tokens;
        if (!h->by_files)
                return 0;

        r = haltpoll_configuration_of_files(view, h, &h->configuration);
        if (r < 0 || h->n_tokens == 0 || !h->configuration.complete)
                return r;

        /* The governor of the module is switched off, so a token is needed besides the files. */
        h->by_tokens.ours = h->by_tokens.ours || h->configuration.ours;
        h->configuration = h->by_tokens;
        return 0;
}

int haltpoll_read(const View *view, void **ret) {
        _cleanup_(haltpoll_freep) Haltpoll *h = calloc(1, sizeof(*h));
        struct stat st;
        int r;

        if (!h)
                return -ENOMEM;

        h->x86 = streq(view->machine->probe->arch, "x86_64");
        h->arm64 = streq(view->machine->probe->arch, "aarch64");

        r = haltpoll_read_cpuidle(view, h);
        if (r < 0)
                return r;

        r = haltpoll_read_attribute(view, HALTPOLL_FORCE, &h->force);
        if (r < 0)
                return r;
        h->force_writable = root_stat(view->root, HALTPOLL_FORCE, &st) >= 0 && (st.st_mode & 0200) != 0;
        r = haltpoll_read_attribute(view, HALTPOLL_PARAMETERS "/enable", &h->enable);
        if (r < 0)
                return r;

        r = haltpoll_read_polling(view, h);
        if (r < 0)
                return r;
        r = tunables_read(view, h->tunables);
        if (r < 0)
                return r;
        if (h->effect) {
                r = haltpoll_list_cpus(view, &h->cpus, &h->n_cpus);
                if (r < 0)
                        return r;
        }
        r = latency_read(view, h);
        if (r < 0)
                return r;
        r = tuned_read(view->root, &h->tuned);
        if (r < 0)
                return r;
        r = polls_find_stuck(view, h);
        if (r < 0)
                return r;

        r = haltpoll_decide_form(view, h);
        if (r < 0)
                return r;
        haltpoll_decide_tokens(view, h);
        r = haltpoll_read_configuration(view, h);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(h);
        return 0;
}

void haltpoll_files(const char **ret_modules_load, const char **ret_modprobe) {
        *ret_modules_load = "# Written by gtuned; `gtune revert haltpoll` removes it.\ncpuidle_haltpoll\n";
        *ret_modprobe = "# Written by gtuned; `gtune revert haltpoll` removes it.\noptions cpuidle_haltpoll force=Y\n";
}
