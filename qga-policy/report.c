/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Settings, evidence and warnings: one setting for each group, one piece of evidence for each source of a
 * restriction, one warning for each thing that somebody will miss.
 */

#include "qga-policy/qga-policy.h"

/* Settings ---------------------------------------------------------------------------------------------- */

static int report_list_group(const Names *names, RpcGroup group, Names *ret) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < names->n; i++)
                if (rpc_group_of(names->list[i]) == group)
                        r = names_add(ret, names->list[i]);

        return r;
}

/* "open", "closed" or "partly: closed ..." for the RPCs of a group. */
static int report_describe_group(const Names *all, const Names *closed, RpcGroup group, char **ret) {
        _cleanup_names_ Names of_group = {}, of_closed = {};
        _cleanup_free_ char *list = NULL;

        if (report_list_group(all, group, &of_group) < 0 || report_list_group(closed, group, &of_closed) < 0)
                return -ENOMEM;

        if (of_group.n == 0)
                return 0;
        if (of_closed.n == 0 || of_closed.n == of_group.n) {
                *ret = strdup(of_closed.n == 0 ? "open" : "closed");
                return *ret ? 0 : -ENOMEM;
        }

        list = names_join(&of_closed, ", ");
        *ret = list ? xasprintf("partly: closed %s", list) : NULL;
        return *ret ? 0 : -ENOMEM;
}

static int report_settings(const Qga *q, Finding *f) {
        const AgentCommand *a = qga_in_effect(q);
        _cleanup_names_ Names closed = {};
        int r;

        r = a ? restrictions_closed(&a->restrictions, &q->binary.names, &closed) : 0;
        for (RpcGroup g = 0; r >= 0 && g < _RPC_GROUP_MAX; g++) {
                _cleanup_free_ char *wanted = NULL, *actual = NULL;

                if (practice_is_on(f) && q->wish.spoken_of[g])
                        r = report_describe_group(&q->binary.names, &q->wish.closed, g, &wanted);
                if (r >= 0 && a)
                        r = report_describe_group(&q->binary.names, &closed, g, &actual);
                if (r >= 0)
                        r = finding_setting(f, rpc_group_name(g), wanted, actual);
        }

        return r;
}

/* Evidence ---------------------------------------------------------------------------------------------- */

static int report_binary(const Qga *q, Finding *f) {
        _cleanup_free_ char *value = NULL;
        const QgaBinary *b = &q->binary;

        if (q->binary.names.n == 0)
                return q->base.command.path ? finding_evidence(f, q->base.command.path, NULL) : 0;

        value = xasprintf("%zu RPCs; has%s%s%s%s", b->names.n, b->blacklist ? " --blacklist" : "",
                          b->block_rpcs ? " --block-rpcs" : "", b->allow_rpcs ? " --allow-rpcs" : "",
                          qga_binary_is_exclusive(b) ? ", and not both kinds of list at once" : "");
        return value ? finding_evidence(f, q->base.command.path, value) : -ENOMEM;
}

static int report_restrictions(const Restrictions *r, Finding *f) {
        int e = 0;

        for (size_t i = 0; e >= 0 && i < r->n; i++) {
                _cleanup_free_ char *list = names_join(&r->list[i].names, ", "), *value = NULL;

                if (!list)
                        return -ENOMEM;

                value = xasprintf("%s%s", r->list[i].names.n == 0 ? "an empty list, which restricts nothing"
                                          : r->list[i].allow      ? "closes all but "
                                                                  : "closes ",
                                  list);
                e = value ? finding_evidence(f, r->list[i].source, value) : -ENOMEM;
        }

        return e;
}

/* What is shown of a process's command line, in bytes. */
#define REPORT_WORD_MAX 200U
#define REPORT_LINE_MAX 1000U

/* No character is cut in two. */
static int report_add_shortened(Buffer *b, const char *word) {
        size_t n = strnlen(word, REPORT_WORD_MAX + 1);

        if (n <= REPORT_WORD_MAX)
                return buffer_printf(b, " %s", word);

        n = REPORT_WORD_MAX;
        while (n > 0 && (word[n] & 0xC0) == 0x80)
                n--;

        return buffer_printf(b, " %.*s...", (int) n, word);
}

static int report_process(const ServiceProcess *p, const char *source, bool with_cgroup, Finding *f) {
        _cleanup_buffer_ Buffer b = BUFFER_NULL;
        int r;

        r = buffer_printf(&b, "process %u", p->pid);
        if (r >= 0 && with_cgroup)
                r = buffer_printf(&b, " in %s", p->cgroup ? p->cgroup : "an unknown control group");
        if (r >= 0)
                r = buffer_puts(&b, ":");
        for (char **word = p->arguments; r >= 0 && word && *word; word++) {
                if (b.size > REPORT_LINE_MAX) {
                        r = buffer_puts(&b, " ...");
                        break;
                }
                r = report_add_shortened(&b, *word);
        }

        return r < 0 ? r : finding_evidence(f, source, b.data);
}

static int report_service(const Qga *q, Finding *f) {
        const Service *s = q->service;
        int r = 0;

        if (!s)
                return 0;
        if (s->main.pid > 0)
                return report_process(&s->main, s->unit, false, f);

        r = finding_evidence(f, s->unit, s->active_state);
        for (size_t i = 0; r >= 0 && i < s->n_strays; i++)
                r = report_process(s->strays + i, "qemu-ga outside of its unit", true, f);

        return r;
}

static int report_evidence(const Qga *q, Finding *f) {
        int r;

        r = report_binary(q, f);
        if (r >= 0 && q->binary.names.n > 0)
                r = report_restrictions(&q->is->restrictions, f);

        return r < 0 ? r : report_service(q, f);
}

/* Warnings ---------------------------------------------------------------------------------------------- */

/* What is or will be closed. */
static int report_list_closed(const Qga *q, const Finding *f, Names *ret) {
        const AgentCommand *a = qga_in_effect(q);
        int r = a ? restrictions_closed(&a->restrictions, &q->binary.names, ret) : 0;

        return r < 0 || !practice_is_on(f) ? r : names_add_all(ret, &q->wish.closed);
}

/* A frozen agent answers nothing but thaw and status, and until 9.0 not even those where they are blocked. */
static int report_warn_freeze(const Names *closed, const Names *all, Finding *f) {
        static const char *const freeze[] = {"guest-fsfreeze-freeze", "guest-fsfreeze-freeze-list"};
        static const char *const thaw[] = {"guest-fsfreeze-thaw", "guest-fsfreeze-status"};

        for (size_t i = 0; i < ELEMENTSOF(thaw); i++)
                for (size_t k = 0; k < ELEMENTSOF(freeze); k++)
                        if (names_has(closed, thaw[i]) && names_has(all, freeze[k]) && !names_has(closed, freeze[k]))
                                return finding_warning(f,
                                                       "%s is closed and %s is not: file systems that the host "
                                                       "freezes could stay frozen; close both or none",
                                                       thaw[i], freeze[k]);

        return 0;
}

static int report_warn_need(const RpcNeed *need, const Names *closed, Finding *f) {
        _cleanup_names_ Names missed = {};
        _cleanup_free_ char *list = NULL;
        int r = 0;

        for (const char *const *name = need->names; r >= 0 && *name; name++)
                if (names_has(closed, *name))
                        r = names_add(&missed, *name);
        if (r < 0 || missed.n == 0)
                return r;

        list = names_join(&missed, ", ");
        return list ? finding_warning(f, "%s will miss %s: %s", need->who, list, need->what) : -ENOMEM;
}

static int report_warn_left_open(const Qga *q, Finding *f) {
        const Restrictions *r = &q->is->restrictions;
        _cleanup_names_ Names open = {};
        _cleanup_free_ char *list = NULL;

        for (size_t i = 0; i < r->left_open.n; i++)
                if (!restrictions_close(r, r->left_open.list[i]) && names_add(&open, r->left_open.list[i]) < 0)
                        return -ENOMEM;
        if (open.n == 0)
                return 0;

        list = names_join(&open, ", ");
        return list ? finding_warning(f, "%s leaves open what it is meant to close (%s): %s", r->left_open_source,
                                      list, r->left_open_why)
                    : -ENOMEM;
}

/* Those of the names that this one closes. */
static int report_list_closed_by(const Restrictions *all, const Restriction *by, const Names *names, Names *ret) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < names->n; i++)
                if (restrictions_close(all, names->list[i]) == by)
                        r = names_add(ret, names->list[i]);

        return r;
}

/* Lists add up, so what another source closes stays closed. */
static int report_warn_cannot_open(const Qga *q, Finding *f) {
        const Restrictions *r = &q->base.restrictions;

        for (size_t i = 0; i < r->n; i++) {
                _cleanup_names_ Names names = {};
                _cleanup_free_ char *list = NULL;

                if (report_list_closed_by(r, r->list + i, &q->wish.open, &names) < 0)
                        return -ENOMEM;
                if (names.n == 0)
                        continue;

                list = names_join(&names, ", ");
                if (!list || finding_warning(f, "%s closes %s, and a drop-in cannot open what another list closes",
                                             r->list[i].source, list) < 0)
                        return -ENOMEM;
        }

        return 0;
}

static int report_warn_policy(const View *view, const Qga *q, Finding *f) {
        static const char *const keys[] = {"block", "allow"};

        for (size_t i = 0; i < ELEMENTSOF(keys); i++) {
                const PolicySetting *s = policy_get(view->policy, "qga-policy", keys[i]);

                if (s && !*s->value &&
                    finding_warning(f, "%s:%u: %s is empty, which restricts nothing", s->file, s->line, keys[i]) < 0)
                        return -ENOMEM;
        }
        for (size_t i = 0; practice_is_on(f) && i < q->wish.missing.n; i++)
                if (finding_warning(f, "this qemu-ga has no %s, so there is nothing to close or open",
                                    q->wish.missing.list[i]) < 0)
                        return -ENOMEM;

        return 0;
}

static int report_warnings(const View *view, const Qga *q, Finding *f) {
        _cleanup_names_ Names closed = {};
        int r;

        r = report_list_closed(q, f, &closed);
        if (r >= 0)
                r = report_warn_left_open(q, f);
        if (r >= 0)
                r = report_warn_policy(view, q, f);
        if (r >= 0 && practice_is_on(f))
                r = report_warn_cannot_open(q, f);
        if (r >= 0)
                r = report_warn_freeze(&closed, &q->binary.names, f);
        for (size_t i = 0; r >= 0 && i < n_rpc_needs; i++)
                r = report_warn_need(rpc_needs + i, &closed, f);

        return r;
}

int qga_report(const View *view, const Qga *q, Finding *finding) {
        int r;

        if (!q->unit || q->base.unit.masked)
                return 0;

        r = report_evidence(q, finding);
        if (r < 0 || q->binary.names.n == 0)
                return r;

        r = report_settings(q, finding);
        return r < 0 ? r : report_warnings(view, q, finding);
}
