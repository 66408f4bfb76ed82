/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Settings, evidence and warnings of qga-policy: a setting for each group, a piece of evidence for each source of a
 * restriction, and a warning for each function of a management system that the closed RPCs break.
 *
 * Tested by the golden machines qga-*.
 */

#include "qga-policy/qga-policy.h"

static int report_list_group(const Names *names, RpcGroup group, Names *ret) {
        for (size_t i = 0; i < names->n; i++)
                if (rpc_group_of(names->list[i]) == group && names_add(ret, names->list[i]) < 0)
                        return -ENOMEM;

        return 0;
}

/* Describe the RPCs of a group: "open", "closed", or "partly: closed NAME, ...". */
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

        if (a) {
                r = restrictions_closed(&a->restrictions, &q->binary.names, &closed);
                if (r < 0)
                        return r;
        }

        for (RpcGroup g = 0; g < _RPC_GROUP_MAX; g++) {
                _cleanup_free_ char *wanted = NULL, *actual = NULL;

                if (practice_is_on(f) && q->wish.spoken_of[g]) {
                        r = report_describe_group(&q->binary.names, &q->wish.closed, g, &wanted);
                        if (r < 0)
                                return r;
                }
                if (a) {
                        r = report_describe_group(&q->binary.names, &closed, g, &actual);
                        if (r < 0)
                                return r;
                }

                r = finding_setting(f, rpc_group_name(g), wanted, actual);
                if (r < 0)
                        return r;
        }

        return 0;
}

static int report_binary(const Qga *q, Finding *f) {
        _cleanup_free_ char *value = NULL;
        const QgaBinary *b = &q->binary;

        if (q->binary.names.n == 0)
                return q->base.command.path ? finding_evidence(f, q->base.command.path, NULL) : 0;

        value = xasprintf("%zu RPCs; has%s%s%s%s", b->names.n, b->blacklist ? " --blacklist" : "",
                          b->block_rpcs ? " --block-rpcs" : "", b->allow_rpcs ? " --allow-rpcs" : "",
                          qga_binary_is_exclusive(b) ? ", and not both kinds of list at once" : "");
        if (!value)
                return -ENOMEM;

        return finding_evidence(f, q->base.command.path, value);
}

static int report_restrictions(const Restrictions *r, Finding *f) {
        for (size_t i = 0; i < r->n; i++) {
                _cleanup_free_ char *list = names_join(&r->list[i].names, ", "), *value = NULL;

                if (!list)
                        return -ENOMEM;

                value = xasprintf("%s%s", r->list[i].names.n == 0 ? "an empty list, which restricts nothing"
                                          : r->list[i].allow      ? "closes all but "
                                                                  : "closes ",
                                  list);
                if (!value || finding_evidence(f, r->list[i].source, value) < 0)
                        return -ENOMEM;
        }

        return 0;
}

/* At most so many bytes of each argument of a process, and of all, are shown. */
#define REPORT_WORD_MAX 200U
#define REPORT_LINE_MAX 1000U

/* Add an argument, cut between two UTF-8 characters if it is too long. */
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
        if (r < 0)
                return r;
        if (with_cgroup) {
                r = buffer_printf(&b, " in %s", p->cgroup ? p->cgroup : "an unknown control group");
                if (r < 0)
                        return r;
        }
        r = buffer_puts(&b, ":");
        if (r < 0)
                return r;

        for (char **word = p->arguments; word && *word; word++) {
                bool full = b.size > REPORT_LINE_MAX;

                r = full ? buffer_puts(&b, " ...") : report_add_shortened(&b, *word);
                if (r < 0)
                        return r;
                if (full)
                        break;
        }

        return finding_evidence(f, source, b.data);
}

static int report_service(const Qga *q, Finding *f) {
        const Service *s = q->service;
        int r;

        if (!s)
                return 0;
        if (s->main.pid > 0)
                return report_process(&s->main, s->unit, /* with_cgroup= */ false, f);

        r = finding_evidence(f, s->unit, s->active_state);
        if (r < 0)
                return r;

        for (size_t i = 0; i < s->n_strays; i++) {
                r = report_process(s->strays + i, "qemu-ga outside of its unit", /* with_cgroup= */ true, f);
                if (r < 0)
                        return r;
        }

        return 0;
}

/* A frozen agent answers only thaw and status, and until 9.0 not even those if they are blocked (QEMU: qga/main.c). */
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

        for (const char *const *name = need->names; *name; name++)
                if (names_has(closed, *name) && names_add(&missed, *name) < 0)
                        return -ENOMEM;
        if (missed.n == 0)
                return 0;

        list = names_join(&missed, ", ");
        if (!list)
                return -ENOMEM;

        return finding_warning(f, "%s will miss %s: %s", need->who, list, need->what);
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
        if (!list)
                return -ENOMEM;

        return finding_warning(f, "%s leaves open what it is meant to close (%s): %s", r->left_open_source, list,
                               r->left_open_why);
}

/* Lists add up, so an RPC that another source closes stays closed, even if the policy allows it. */
static int report_warn_cannot_open(const Qga *q, Finding *f) {
        const Restrictions *r = &q->base.restrictions;

        for (size_t i = 0; i < r->n; i++) {
                _cleanup_names_ Names names = {};
                _cleanup_free_ char *list = NULL;

                for (size_t k = 0; k < q->wish.open.n; k++)
                        if (restrictions_close(r, q->wish.open.list[k]) == r->list + i &&
                            names_add(&names, q->wish.open.list[k]) < 0)
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

                if (s && !s->value[strspn(s->value, ", \t")] &&
                    finding_warning(f, "%s:%u: %s is empty, which restricts nothing", s->file, s->line, keys[i]) < 0)
                        return -ENOMEM;
        }
        if (practice_is_on(f) && q->wish.disputed.n > 0) {
                _cleanup_free_ char *list = names_join(&q->wish.disputed, ", ");

                if (!list || finding_warning(f, "one file of the policy allows %s, and another does not: closed. A line "
                                                "\"allow =\" clears the lists that were read before it",
                                             list) < 0)
                        return -ENOMEM;
        }
        for (size_t i = 0; practice_is_on(f) && i < q->wish.missing.n; i++)
                if (finding_warning(f, "this qemu-ga has no %s, so there is nothing to close or open",
                                    q->wish.missing.list[i]) < 0)
                        return -ENOMEM;

        return 0;
}

static int report_warnings(const View *view, const Qga *q, Finding *f) {
        const AgentCommand *a = qga_in_effect(q);
        _cleanup_names_ Names closed = {};

        /* Both the RPCs that are closed now and those that an apply closes. */
        if (a && restrictions_closed(&a->restrictions, &q->binary.names, &closed) < 0)
                return -ENOMEM;
        if (practice_is_on(f) && names_add_all(&closed, &q->wish.closed) < 0)
                return -ENOMEM;

        if (report_warn_left_open(q, f) < 0 || report_warn_policy(view, q, f) < 0)
                return -ENOMEM;
        if (practice_is_on(f) && report_warn_cannot_open(q, f) < 0)
                return -ENOMEM;
        if (report_warn_freeze(&closed, &q->binary.names, f) < 0)
                return -ENOMEM;

        for (size_t i = 0; i < n_rpc_needs; i++)
                if (report_warn_need(rpc_needs + i, &closed, f) < 0)
                        return -ENOMEM;

        return 0;
}

/* What is known of an agent that no unit starts that gtuned knows. */
static int report_other(const Qga *q, Finding *f) {
        int r = 0;

        if (q->starter.program)
                r = finding_evidence(f, q->starter.program, "a guest agent");
        if (r >= 0 && q->starter.path)
                r = finding_evidence(f, q->starter.path, "starts qemu-ga");
        if (r >= 0 && q->alone)
                r = report_process(q->alone, "qemu-ga outside of a known unit", /* with_cgroup= */ true, f);

        return r;
}

int qga_report(const View *view, const Qga *q, Finding *finding) {
        int r;

        if (!q->unit || qga_is_other(q))
                return report_other(q, finding);
        if (q->base.unit.masked)
                return 0;

        r = report_binary(q, finding);
        if (r < 0)
                return r;
        if (q->binary.names.n > 0) {
                r = report_restrictions(&q->is->restrictions, finding);
                if (r < 0)
                        return r;
        }
        r = report_service(q, finding);
        if (r < 0 || q->binary.names.n == 0)
                return r;

        r = report_settings(q, finding);
        if (r < 0)
                return r;

        return report_warnings(view, q, finding);
}
