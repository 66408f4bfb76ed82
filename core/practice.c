/* SPDX-License-Identifier: Apache-2.0 */

#include "core/practice.h"

const Reason common_reasons[] = {
        {"container", "This is a container: the kernel belongs to somebody else."},
        {"bare-metal", "This is no virtual machine; tuning it needs allow_bare_metal = yes in [guest]."},
        {"other-hypervisor", "The hypervisor is not KVM, so the practice has nothing to talk to."},
        {"held", "It was reverted by hand and is left alone until `gtune apply` is run or its policy changes."},
        {"not-configured", "It is wanted, and the next boot would not have it: `gtune apply` configures it."},
        {"later-entries", "The boot entries have it, but the file that later entries are made from does not."},
        {"changed-since", "gtuned configured it and somebody took it out again: the evidence names the file."},
        {"opposite-token", "An administrator's token says the opposite, and the last one decides."},
        {"boot-config-not-read", "It was configured before this boot, and this boot does not have it: the boot "
                                 "loader reads another file, or the guest is booted with a command line of its host."},
        {"next-boot", "It is configured and takes effect at the next boot."},
        {"until-reboot", "It is no longer configured and stays in effect until the next boot."},
        {"ours-to-remove", "The policy does not want it, and gtuned's own changes are still there."},
        {"configured-elsewhere", "It is configured, but not by gtuned, and the policy does not ask for it."},
        {"ours-without-policy", "gtuned configured it under a policy that is gone or has errors."},
        {"no-effect", "It is configured, this boot was started with it, and it is not in effect; no cause is known."},
        {"atuned", "A-Tune is enabled and edits the same boot file in place; its rollback would undo the change."},
};
const size_t n_common_reasons = ELEMENTSOF(common_reasons);

#define APPLY "run `gtune apply`"

int practice_wanted(const View *view, Finding *finding, bool automatic) {
        _cleanup_free_ char *now = NULL;
        const LedgerHold *hold;
        const char *enable;

        finding->wanted = WANTED_NOTHING;
        if (!policy_exists(view->policy) || view->policy->n_errors > 0)
                return 0;

        enable = policy_word(view->policy, finding->practice, "enable", "auto");
        finding->wanted = streq(enable, "yes") || (streq(enable, "auto") && automatic) ? WANTED_ON : WANTED_OFF;

        hold = ledger_hold(view->ledger, finding->practice);
        if (!hold)
                return 0;

        now = policy_describe(view->policy, finding->practice);
        if (!now)
                return -ENOMEM;

        finding->held = streq(now, hold->policy);
        return 0;
}

bool practice_is_on(const Finding *finding) {
        return finding->wanted == WANTED_ON && !finding->held;
}

int practice_guest_refusal(const View *view, Finding *finding) {
        const char *virtualization = view->machine->virtualization;
        int r;

        if (view->machine->container)
                r = finding_verdict(finding, STATE_UNSUPPORTED, "container", "run gtuned in the guest itself",
                                    "this is a %s container", view->machine->container);
        else if (!virtualization || streq(virtualization, "kvm"))
                return 0;
        else if (!streq(virtualization, "none"))
                r = finding_verdict(finding, STATE_UNSUPPORTED, "other-hypervisor", NULL,
                                    "the hypervisor is %s, not KVM", virtualization);
        else if (!policy_bool(view->policy, "guest", "allow_bare_metal", false))
                r = finding_verdict(finding, STATE_UNSUPPORTED, "bare-metal",
                                    "set allow_bare_metal = yes in [guest] if this is meant",
                                    "this is no virtual machine");
        else
                return 0;

        return r < 0 ? r : 1;
}

int practice_atuned_conflict(const View *view, const Configuration *c, Finding *finding) {
        int r;

        if (c->complete || !root_exists(view->root, "/etc/systemd/system/multi-user.target.wants/atuned.service"))
                return 0;

        r = finding_verdict(finding, STATE_CONFLICT, "atuned",
                            "disable atuned, or let it set the tokens itself and set enable = no here",
                            "atuned is enabled and edits the boot entries in place");
        return r < 0 ? r : 1;
}

static void check_entry(const BootEntry *e, const TokenSpec *specs, size_t n_specs, Configuration *c) {
        if (e->kind != ENTRY_SYSTEM && e->kind != ENTRY_TEMPLATE)
                return;

        for (size_t i = 0; i < n_specs; i++) {
                const Token *token;
                TokenState state = cmdline_state(&e->cmdline, specs + i, &token);

                if (state == TOKEN_OPPOSITE && !c->opposite) {
                        c->opposite = e;
                        c->opposite_token = token;
                }
                if (state == TOKEN_EQUAL)
                        continue;

                c->complete = false;
                if (e->kind == ENTRY_SYSTEM)
                        c->next_boot = false;
                if (!c->missing || (c->missing->kind == ENTRY_TEMPLATE && e->kind == ENTRY_SYSTEM))
                        c->missing = e;
        }
}

static void check_running(const View *view, const TokenSpec *specs, size_t n_specs, Configuration *c) {
        for (size_t i = 0; i < n_specs; i++) {
                if (cmdline_state(&view->machine->cmdline, specs + i, NULL) != TOKEN_EQUAL)
                        c->running = false;
        }
}

/* Where a part was added in this boot, the part that came earlier proves nothing. */
static void check_ledger(const View *view, const char *practice, Configuration *c) {
        bool now = false;

        for (size_t i = 0; i < view->ledger->n_tokens; i++) {
                const LedgerToken *t = view->ledger->tokens + i;

                if (!streq(t->practice, practice))
                        continue;

                c->ours = true;
                now = now || streq_ptr(t->boot_id, view->machine->boot_id);
        }

        c->ours_earlier = c->ours && !now;
}

void configuration_of_tokens(const View *view, const char *practice, const TokenSpec *specs, size_t n_specs,
                             Configuration *ret) {
        bool boots = false;

        *ret = (Configuration) {.automatic = n_specs == 0, .complete = true, .next_boot = true, .running = true};

        for (size_t i = 0; i < view->machine->n_entries; i++) {
                boots = boots || view->machine->entries[i]->kind == ENTRY_SYSTEM;
                check_entry(view->machine->entries[i], specs, n_specs, ret);
        }

        if (n_specs > 0 && (view->machine->entries_error || !boots)) {
                ret->unknown = true;
                ret->complete = ret->next_boot = false;
        }
        check_running(view, specs, n_specs, ret);
        check_ledger(view, practice, ret);
}

static int verdict_missing(const View *view, Finding *f, const Configuration *c) {
        const char *path = c->missing ? c->missing->path : strempty(c->path);
        _cleanup_free_ char *where = NULL;
        int r;

        where = c->missing ? xasprintf("%s:%u", path, c->missing->line) : strdup(path);
        if (!where)
                return -ENOMEM;

        if (c->ours) {
                r = finding_evidence(f, where, c->detail);
                if (r < 0)
                        return r;
                return finding_verdict(f, STATE_DRIFTED, "changed-since", APPLY,
                                       "gtuned configured it, and it is no longer in %s", where);
        }

        if (c->next_boot && view->machine->n_entries > 0)
                return finding_verdict(f, STATE_DIFFERS, "later-entries", APPLY,
                                       "the boot entries have it, but %s does not, so the next kernel would lose it",
                                       where);

        return finding_verdict(f, STATE_DIFFERS, "not-configured", APPLY, "it is not configured in %s", where);
}

static int verdict_opposite(Finding *f, const Configuration *c) {
        const Token *t = c->opposite_token;
        _cleanup_free_ char *remedy = NULL;

        remedy = xasprintf("remove %s%s%s from %s:%u, or set enable = no", t->name, t->value ? "=" : "",
                           strempty(t->value), c->opposite->path, c->opposite->line);
        if (!remedy)
                return -ENOMEM;

        return finding_verdict(f, STATE_CONFLICT, "opposite-token", remedy,
                               "%s:%u has %s%s%s, and the last token decides", c->opposite->path, c->opposite->line,
                               t->name, t->value ? "=" : "", strempty(t->value));
}

static int verdict_unknown(const View *view, Finding *f) {
        static const struct {
                const char *code, *remedy;
        } rows[] = {
                {"boot-store-none", "check that the boot partition and the EFI system partition are mounted"},
                {"boot-store-unreadable", "run gtune as root"},
        };
        const Machine *m = view->machine;

        if (!m->entries_error)
                return finding_verdict(f, STATE_UNKNOWN, rows[0].code, rows[0].remedy,
                                       "no boot entry of this system was found");

        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                if (streq_ptr(m->entries_error_code, rows[i].code))
                        return finding_verdict(f, STATE_UNKNOWN, rows[i].code, rows[i].remedy, "%s", m->entries_error);

        return finding_verdict(f, STATE_UNKNOWN, m->entries_error_code, NULL, "%s", m->entries_error);
}

/* A guest without boot entries of its own gets its command line from the host, at the next boot as at this one. */
static bool is_booted_by_host(const View *view, const Configuration *c) {
        return c->running && streq_ptr(view->machine->entries_error_code, "boot-store-none");
}

static int verdict_on(const View *view, Finding *f, const Configuration *c, bool effect) {
        if (c->unknown && effect && is_booted_by_host(view, c))
                return finding_verdict(f, STATE_ACTIVE, NULL, NULL, NULL);
        if (c->unknown)
                return verdict_unknown(view, f);
        if (c->opposite)
                return verdict_opposite(f, c);
        if (!c->complete)
                return verdict_missing(view, f, c);
        if (effect)
                return finding_verdict(f, STATE_ACTIVE, NULL, NULL, NULL);
        if (c->running && view->machine->kind != MACHINE_IMAGE)
                return finding_verdict(f, STATE_CONFLICT, "no-effect", "see the kernel log of this boot",
                                       "this boot was started with it, and it is not in effect");
        if (c->ours && c->ours_earlier && view->machine->kind != MACHINE_IMAGE)
                return finding_verdict(f, STATE_CONFLICT, "boot-config-not-read",
                                       "find out which file the boot loader reads, or who passes the command line",
                                       "it was configured before this boot, and /proc/cmdline does not have it");

        return finding_verdict(f, STATE_PENDING_REBOOT, "next-boot",
                               view->machine->kind == MACHINE_IMAGE ? NULL : "reboot",
                               "it is configured and takes effect at the next boot");
}

static int verdict_held(Finding *f, const Configuration *c, bool effect) {
        static const char text[] = "it was reverted and is held until `gtune apply` is run or its policy changes";

        if (effect && !c->next_boot)
                return finding_verdict(f, STATE_PENDING_REBOOT, "held", NULL,
                                       "%s; it stays in effect until the next boot", text);

        return finding_verdict(f, effect ? STATE_UNMANAGED : STATE_OFF, "held", NULL, "%s", text);
}

static int verdict_off(const View *view, Finding *f, const Configuration *c, bool effect) {
        bool observed = f->wanted == WANTED_NOTHING;

        if (c->ours && !observed)
                return finding_verdict(f, STATE_DIFFERS, "ours-to-remove", APPLY,
                                       "the policy does not want it, and gtuned's changes are still there");
        if (effect && !c->next_boot && c->running && !observed && !c->unknown)
                return finding_verdict(f, STATE_PENDING_REBOOT, "until-reboot", "reboot",
                                       "it is no longer configured and stays in effect until the next boot");
        if (c->ours)
                return finding_verdict(f, STATE_UNMANAGED, "ours-without-policy", NULL,
                                       "gtuned configured it, and there is no valid policy that wants it");
        if (effect)
                return finding_verdict(f, STATE_UNMANAGED, NULL, NULL,
                                       observed ? NULL : "it is in effect, and the policy does not ask for it");
        if (c->next_boot && !c->automatic && !c->unknown && view->machine->n_entries > 0)
                return finding_verdict(f, STATE_UNMANAGED, "configured-elsewhere", NULL,
                                       "it is configured, but not by gtuned, and takes effect at the next boot");

        return finding_verdict(f, STATE_OFF, NULL, NULL, NULL);
}

int configuration_verdict(const View *view, Finding *finding, const Configuration *c, bool effect) {
        if (finding->held && finding->wanted == WANTED_ON)
                return verdict_held(finding, c, effect);
        if (finding->wanted == WANTED_ON)
                return verdict_on(view, finding, c, effect);

        return verdict_off(view, finding, c, effect);
}
