/* SPDX-License-Identifier: Apache-2.0 */

#include "core/configuration.h"

#define CONFIGURATION_APPLY "run `gtune apply`"
#define CONFIGURATION_REMOVE "remove what is not wanted from these files"

static bool configuration_is_in(const BootEntry *e, const TokenSpec *specs, size_t n_specs) {
        for (size_t i = 0; i < n_specs; i++)
                if (cmdline_state(&e->cmdline, specs + i, NULL) == TOKEN_EQUAL)
                        return true;

        return false;
}

/* An entry that gtuned does not change is no reason to change anything, but its owner has to know. */
static void configuration_check_unedited(const BootEntry *e, const TokenSpec *specs, size_t n_specs, Configuration *c) {
        for (size_t i = 0; i < n_specs; i++)
                if (cmdline_state(&e->cmdline, specs + i, NULL) != TOKEN_EQUAL && (!c->unedited || e->by_default))
                        c->unedited = e;
}

static void configuration_check_entry(const BootEntry *e, const TokenSpec *specs, size_t n_specs, Configuration *c) {
        c->still = c->still || ((e->kind == ENTRY_SYSTEM || e->kind == ENTRY_UNEDITED) &&
                                configuration_is_in(e, specs, n_specs));
        if (e->kind == ENTRY_UNEDITED)
                configuration_check_unedited(e, specs, n_specs, c);
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

bool configuration_is_released(const View *view, const char *practice) {
        const LedgerRelease *release = ledger_release(view->ledger, practice, view->subject);

        return release && streq_ptr(release->boot_id, view->machine->boot_id);
}

/* If gtuned added a token in this boot, the configuration was not complete when this boot began. */
static void configuration_check_ledger(const View *view, const char *practice, Configuration *c) {
        bool now = false;

        for (size_t i = 0; i < view->ledger->n_tokens; i++) {
                const LedgerToken *t = view->ledger->tokens + i;

                if (!streq(t->practice, practice) || !streq_ptr(t->subject, view->subject) ||
                    !ledger_token_is_added(t))
                        continue;

                c->ours = true;
                now = now || streq_ptr(t->boot_id, view->machine->boot_id);
        }

        c->ours_earlier = c->ours && !now;
        c->released = configuration_is_released(view, practice);
}

void configuration_of_tokens(const View *view, const char *practice, const TokenSpec *specs, size_t n_specs,
                             Configuration *ret) {
        bool boots = false;

        *ret = (Configuration) {
                .automatic = n_specs == 0,
                .complete = true,
                .next_boot = true,
                .running = true,
                .specs = specs,
                .n_specs = n_specs,
        };

        for (size_t i = 0; i < view->machine->n_entries; i++) {
                boots = boots || view->machine->entries[i]->kind == ENTRY_SYSTEM;
                configuration_check_entry(view->machine->entries[i], specs, n_specs, ret);
        }

        if (n_specs > 0 && (view->machine->entries_error || !boots)) {
                ret->unknown = true;
                ret->built = view->machine->entries_built;
                ret->complete = ret->complete && ret->built;
                ret->next_boot = false;
        }
        for (size_t i = 0; i < n_specs; i++)
                if (cmdline_state(&view->machine->cmdline, specs + i, NULL) != TOKEN_EQUAL)
                        ret->running = false;
        configuration_check_ledger(view, practice, ret);
}

static int configuration_missing(const View *view, Finding *f, const Configuration *c) {
        const char *path = c->missing ? c->missing->path : strempty(c->path);
        _cleanup_free_ char *where = NULL;
        int r;

        where = location_format(path, c->missing ? c->missing->line : 0);
        if (!where)
                return -ENOMEM;

        if (c->ours) {
                r = finding_evidence(f, where, c->detail);
                if (r < 0)
                        return r;
                return finding_verdict(f, STATE_DRIFTED, "changed-since", CONFIGURATION_APPLY,
                                       "gtuned configured it, and it is no longer in %s", where);
        }

        if (c->next_boot && view->machine->n_entries > 0)
                return finding_verdict(f, STATE_DIFFERS, "later-entries", CONFIGURATION_APPLY,
                                       "the boot entries have it, but %s does not, so the entry of a new kernel would "
                                       "not have it", where);

        return finding_verdict(f, STATE_DIFFERS, "not-configured", CONFIGURATION_APPLY,
                               "it is not configured in %s", where);
}

static int configuration_opposite(Finding *f, const Configuration *c) {
        const Token *t = c->opposite_token;
        _cleanup_free_ char *remedy = NULL, *text = NULL;

        text = xasprintf("%s%s%s", t->name, t->value ? "=" : "", strempty(t->value));
        if (!text)
                return -ENOMEM;

        remedy = xasprintf("remove %s from %s%s:%u%s, or set enable = no", text,
                           t->from_variable ? "the variables that " : "", c->opposite->path, c->opposite->line,
                           t->from_variable ? " refers to" : "");
        if (!remedy)
                return -ENOMEM;

        return finding_verdict(f, STATE_CONFLICT, "opposite-token", remedy, "%s:%u has %s%s, and the last token decides",
                               c->opposite->path, c->opposite->line, text,
                               t->from_variable ? " by a variable" : "");
}

static int configuration_unknown(const View *view, Finding *f) {
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

static int configuration_verdict_on(const View *view, Finding *f, const Configuration *c, bool effect) {
        /*
         * A guest without boot entries of its own gets the same command line from its host at the next boot, and one with
         * a boot loader that gtuned does not know from that.
         */
        if (c->unknown && effect && c->running && view->machine->entries_none)
                return finding_verdict(f, STATE_ACTIVE, NULL, NULL, NULL);
        if (c->unknown && !c->built)
                return configuration_unknown(view, f);
        if (c->opposite)
                return configuration_opposite(f, c);
        if (!c->complete)
                return configuration_missing(view, f, c);
        if (effect)
                return finding_verdict(f, STATE_ACTIVE, NULL, NULL, NULL);
        if (c->built && view->machine->kind != MACHINE_IMAGE && !c->running)
                return finding_verdict(f, STATE_CONFLICT, "image-not-built",
                                       "build the image anew with `kernel-install add`, if that was not done since, "
                                       "and reboot",
                                       "it is configured for the next image, and the unified kernel image of this boot "
                                       "was built without it");
        if (c->running && view->machine->kind != MACHINE_IMAGE)
                return finding_verdict(f, STATE_CONFLICT, "no-effect", "see the kernel log of this boot",
                                       "this boot was started with it, and it is not in effect");
        if (c->ours && c->ours_earlier && view->machine->kind != MACHINE_IMAGE)
                return finding_verdict(f, STATE_CONFLICT, "boot-config-not-read",
                                       "find out which file the boot loader reads, or who passes the command line",
                                       "it was configured before this boot, and /proc/cmdline does not have it");

        if (c->unedited && c->unedited->by_default)
                return finding_verdict(f, STATE_CONFLICT, "default-unedited",
                                       "add the tokens there by hand, or make another entry the default",
                                       "it is configured, but %s:%u is booted by default, which gtuned does not change, "
                                       "and does not have it", c->unedited->path, c->unedited->line);

        if (c->built && finding_coded_warning(f, "image-not-built", "build it with `kernel-install add` after this",
                                              "a unified kernel image that was built before it was configured does not "
                                              "have it") < 0)
                return -ENOMEM;

        return finding_verdict(f, STATE_PENDING_REBOOT, "next-boot",
                               view->machine->kind == MACHINE_IMAGE ? NULL : "reboot",
                               "it is configured and takes effect at the next boot");
}

/* So many files are named in a sentence; the evidence has more. */
#define CONFIGURATION_NAMED_MAX 8U
#define CONFIGURATION_EVIDENCE_MAX 64U

#define CONFIGURATION_LEFT "%s, and the ledger does not say that gtuned added it"

/* Name an entry in a list: "FILE:LINE has TOKEN". */
static int configuration_name_entry(Finding *f, const BootEntry *e, const Configuration *c, size_t n, Buffer *list) {
        _cleanup_free_ char *where = location_format(e->path, e->line);
        _cleanup_buffer_ Buffer tokens = BUFFER_NULL;

        if (!where)
                return -ENOMEM;

        for (size_t i = 0; i < c->n_specs; i++) {
                const Token *t;

                if (cmdline_state(&e->cmdline, c->specs + i, &t) == TOKEN_EQUAL &&
                    buffer_printf(&tokens, "%s%s%s%s", tokens.size > 0 ? " " : "", t->name, t->value ? "=" : "",
                                  strempty(t->value)) < 0)
                        return -ENOMEM;
        }

        if (n < CONFIGURATION_EVIDENCE_MAX && finding_evidence(f, where, tokens.data) < 0)
                return -ENOMEM;

        return n < CONFIGURATION_NAMED_MAX ? buffer_printf(list, "%s%s has %s", n > 0 ? ", " : "", where, tokens.data)
                                           : 0;
}

/* Whether an entry boots this system in any way, or is a template of such entries. */
static bool configuration_may_boot(const BootEntry *e) {
        return e->kind == ENTRY_SYSTEM || e->kind == ENTRY_TEMPLATE || e->kind == ENTRY_RESCUE ||
               e->kind == ENTRY_UNEDITED;
}

/*
 * Name all entries and templates that have the tokens although they are not wanted. gtuned's own are gone or recorded;
 * of these it is not known that they are gtuned's. *ret takes a sentence, or NULL if there are none. Return: 0 or
 * -ENOMEM.
 */
static int configuration_name_left(const View *view, Finding *f, const Configuration *c, char **ret) {
        _cleanup_buffer_ Buffer list = BUFFER_NULL;
        size_t n = 0;

        for (size_t i = 0; i < view->machine->n_entries; i++) {
                const BootEntry *e = view->machine->entries[i];

                if (!configuration_may_boot(e) || !configuration_is_in(e, c->specs, c->n_specs))
                        continue;
                if (configuration_name_entry(f, e, c, n++, &list) < 0)
                        return -ENOMEM;
        }

        if (n > CONFIGURATION_NAMED_MAX &&
            buffer_printf(&list, ", and so have %zu more entries", n - CONFIGURATION_NAMED_MAX) < 0)
                return -ENOMEM;

        *ret = n > 0 ? strdup(list.data) : NULL;
        return n == 0 || *ret ? 0 : -ENOMEM;
}

static int configuration_verdict_held(const View *view, Finding *f, const Configuration *c, bool effect) {
        static const char text[] = "it was reverted and is held until `gtune apply` is run or its policy changes";
        _cleanup_free_ char *left = NULL;
        int r;

        r = configuration_name_left(view, f, c, &left);
        if (r < 0)
                return r;

        if (effect && !c->next_boot && !c->unknown && !c->still && c->released)
                return finding_verdict(f, STATE_PENDING_REBOOT, "held", NULL,
                                       "%s; it stays in effect until the next boot%s%s", text, left ? "; " : "",
                                       strempty(left));
        if (left)
                return finding_verdict(f, STATE_UNMANAGED, "tokens-left", NULL, "%s; " CONFIGURATION_LEFT, text, left);

        return finding_verdict(f, effect ? STATE_UNMANAGED : STATE_OFF, "held", NULL, "%s", text);
}

static int configuration_verdict_off(const View *view, Finding *f, const Configuration *c, bool effect) {
        bool observed = f->wanted == WANTED_NOTHING;
        _cleanup_free_ char *left = NULL;
        int r;

        if (c->ours && !observed)
                return finding_verdict(f, STATE_DIFFERS, "ours-to-remove", CONFIGURATION_APPLY,
                                       "the policy does not want it, and gtuned's changes are still there");

        if (!c->ours && !observed) {
                r = configuration_name_left(view, f, c, &left);
                if (r < 0)
                        return r;
        }

        if (effect && !c->next_boot && !c->still && c->running && c->released && !observed && !c->unknown)
                return finding_verdict(f, STATE_PENDING_REBOOT, "until-reboot", "reboot",
                                       "it is no longer configured and stays in effect until the next boot%s%s",
                                       left ? "; " : "", strempty(left));
        if (c->ours)
                return finding_verdict(f, STATE_UNMANAGED, "ours-without-policy", NULL,
                                       "gtuned configured it, and there is no valid policy that wants it");
        if (effect && (c->next_boot || !left))
                return finding_verdict(f, STATE_UNMANAGED, NULL, NULL,
                                       observed ? NULL : "it is in effect, and the policy does not ask for it");
        if (c->next_boot && !c->automatic && !c->unknown && view->machine->n_entries > 0)
                return finding_verdict(f, STATE_UNMANAGED, "configured-elsewhere", NULL,
                                       "it is configured, but not by gtuned, and takes effect at the next boot");
        if (left)
                return finding_verdict(f, STATE_UNMANAGED, "tokens-left", CONFIGURATION_REMOVE,
                                       "the policy does not want it; " CONFIGURATION_LEFT, left);

        return finding_verdict(f, STATE_OFF, NULL, NULL, NULL);
}

int configuration_verdict(const View *view, Finding *finding, const Configuration *c, bool effect) {
        for (size_t i = 0; finding->wanted == WANTED_ON && !c->automatic && i < view->machine->n_remarks; i++) {
                int r;

                r = finding_warning(finding, "%s", view->machine->remarks[i]);
                if (r < 0)
                        return r;
        }

        if (finding->held && finding->wanted == WANTED_ON)
                return configuration_verdict_held(view, finding, c, effect);
        if (finding->wanted == WANTED_ON && c->unedited && !c->unknown &&
            finding_warning(finding, "%s:%u boots this system, too; gtuned does not change it, and it does not have the "
                            "tokens", c->unedited->path, c->unedited->line) < 0)
                return -ENOMEM;
        if (finding->wanted == WANTED_ON)
                return configuration_verdict_on(view, finding, c, effect);

        return configuration_verdict_off(view, finding, c, effect);
}

int configuration_atuned_conflict(const View *view, const Configuration *c, Finding *finding) {
        int r;

        if (c->complete || !root_exists(view->root, "/etc/systemd/system/multi-user.target.wants/atuned.service"))
                return 0;

        r = finding_verdict(finding, STATE_CONFLICT, "atuned",
                            "disable atuned, or let it set the tokens itself and set enable = no here",
                            "atuned is enabled and edits the boot entries in place");
        if (r < 0)
                return r;

        return 1;
}
