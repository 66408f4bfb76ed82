/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What must hold before the agent is restarted: no file system is frozen, and qemu-ga itself says that the
 * merged command line means what we think.
 */

#include "core/subprocess.h"
#include "qga-policy/qga-policy.h"

#define QGA_STATE_FOLDER "/var/run"
#define QGA_FROZEN_MARK "qga.state.isfrozen"
#define QGA_TIMEOUT_MS 10000U
#define QGA_OUTPUT_MAX (1024U * 1024U)

/* A program's command line and environment, NULL-terminated; the strings belong to others. */
typedef struct QgaCall {
        const char **arguments;
        const char **environment;
        char **owned;
        size_t n_owned;
} QgaCall;

static void qga_call_done(QgaCall *call) {
        for (size_t i = 0; i < call->n_owned; i++)
                free(call->owned[i]);
        free(call->owned);
        free(call->arguments);
        free(call->environment);
}

static int precheck_refuse(char **ret_refusal, char *text) {
        free(*ret_refusal);
        *ret_refusal = text;
        return text ? 0 : -ENOMEM;
}

static int precheck_frozen(const View *view, const AgentCommand *a, char **ret_refusal) {
        const char *given = qga_arguments_value(&a->view, ROLE_STATE);
        const char *folder = given ? given : a->conf.state ? a->conf.state : QGA_STATE_FOLDER;
        _cleanup_free_ char *path = xasprintf("%s/%s", folder, QGA_FROZEN_MARK);

        if (!path)
                return -ENOMEM;
        if (*path != '/' || !root_exists(view->root, path))
                return 0;

        return precheck_refuse(ret_refusal, xasprintf("file systems are frozen by the host (%s is there), and restarting the "
                                             "guest agent now would leave them frozen: thaw them first",
                                             path));
}

/* Asking the program ------------------------------------------------------------------------------------ */

static int qga_call_set_environment(const AgentCommand *a, QgaCall *call) {
        call->environment = calloc(a->environment.n + 1, sizeof(char *));
        call->owned = calloc(a->environment.n + 1, sizeof(char *));
        if (!call->environment || !call->owned)
                return -ENOMEM;

        for (size_t i = 0; i < a->environment.n; i++) {
                char *text = xasprintf("%s=%s", a->environment.list[i].name, a->environment.list[i].value);

                if (!text)
                        return -ENOMEM;
                call->owned[call->n_owned++] = text;
                call->environment[i] = text;
        }

        return 0;
}

/* The arguments of the unit where they are asked for, and behind them what makes qemu-ga print and exit. */
static int qga_call_make(const AgentCommand *a, bool with_arguments, const char *const *more, QgaCall *call) {
        size_t n = 0;

        call->arguments = calloc(a->arguments.n + 4, sizeof(char *));
        if (!call->arguments)
                return -ENOMEM;

        call->arguments[n++] = a->command.path;
        for (size_t i = 0; with_arguments && i < a->arguments.n; i++)
                call->arguments[n++] = a->arguments.list[i].text;
        for (; *more; more++)
                call->arguments[n++] = *more;

        return qga_call_set_environment(a, call);
}

static int precheck_explain_failure(int r, const char *program, const Buffer *error, char **ret_refusal) {
        _cleanup_free_ char *words = error->size > 0 ? strndup(error->data, 500) : strdup("");

        if (!words)
                return -ENOMEM;
        if (r < 0)
                return precheck_refuse(ret_refusal, xasprintf("%s cannot be asked: %s", program, strerror(-r)));

        return precheck_refuse(ret_refusal, xasprintf("%s refuses the new arguments (exit %d): %s", program, r, strip(words)));
}

static int precheck_run_agent(const AgentCommand *a, bool with_arguments, const char *const *more, Buffer *output,
               char **ret_refusal) {
        _cleanup_(qga_call_done) QgaCall call = {};
        _cleanup_buffer_ Buffer error = BUFFER_NULL;
        int r;

        r = qga_call_make(a, with_arguments, more, &call);
        if (r >= 0)
                r = subprocess_run(call.arguments, call.environment, NULL, QGA_TIMEOUT_MS, QGA_OUTPUT_MAX, output, &error);
        if (r == -ENOMEM)
                return r;

        return r == 0 ? 0 : precheck_explain_failure(r, a->command.path, &error, ret_refusal);
}

/* Comparing what it says -------------------------------------------------------------------------------- */

static int precheck_list_ours(const Restrictions *r, bool allow, Names *ret) {
        int e = 0;

        for (size_t i = 0; e >= 0 && i < r->n; i++)
                if (r->list[i].allow == allow)
                        e = names_add_all(ret, &r->list[i].names);

        return e;
}

/* The order is another one there, and each list is one. */
static int precheck_compare_lists(const AgentCommand *a, const QgaConf *said, char **ret_refusal) {
        const Names *theirs[] = {&said->block.names, &said->allow.names};

        for (size_t i = 0; i < ELEMENTSOF(theirs); i++) {
                _cleanup_names_ Names ours = {};
                _cleanup_free_ char *text = NULL;

                if (precheck_list_ours(&a->restrictions, i == 1, &ours) < 0)
                        return -ENOMEM;
                if (names_has_all(theirs[i], &ours) && names_has_all(&ours, theirs[i]))
                        continue;

                text = names_join(theirs[i], ", ");
                return text ? precheck_refuse(ret_refusal, xasprintf("%s -D reads the new arguments differently: its "
                                                            "%s list would be \"%s\"",
                                                            a->command.path, i == 1 ? "allow" : "block", text))
                            : -ENOMEM;
        }

        return 0;
}

/* qemu-ga writes what it reads, so its own file says which keys it knows. */
static int precheck_merged(const AgentCommand *a, const QgaBinary *binary, char **ret_refusal) {
        static const char *const dump[] = {"-D", NULL};
        _cleanup_buffer_ Buffer output = BUFFER_NULL;
        _cleanup_qga_conf_ QgaConf said = {};
        int r;

        r = precheck_run_agent(a, true, dump, &output, ret_refusal);
        if (r < 0 || *ret_refusal)
                return r;

        said.path = strdup("its answer");
        if (!said.path)
                return -ENOMEM;

        r = qga_conf_parse(output.size > 0 ? output.data : "", binary, &said);
        return r < 0 ? r : precheck_compare_lists(a, &said, ret_refusal);
}

static int precheck_names(const AgentCommand *a, const Names *wanted, char **ret_refusal) {
        static const char *const help[] = {"-b", "help", NULL};
        _cleanup_buffer_ Buffer output = BUFFER_NULL;
        _cleanup_names_ Names known = {};
        char *state = NULL;
        int r;

        r = precheck_run_agent(a, false, help, &output, ret_refusal);
        if (r < 0 || *ret_refusal || output.size == 0)
                return r;

        for (char *line = strtok_r(output.data, "\n", &state); r >= 0 && line; line = strtok_r(NULL, "\n", &state))
                r = names_add(&known, strip(line));
        for (size_t i = 0; r >= 0 && i < wanted->n; i++)
                if (!names_has(&known, wanted->list[i]))
                        return precheck_refuse(ret_refusal, xasprintf("%s has no %s, though its file looks as if it had",
                                                             a->command.path, wanted->list[i]));

        return r;
}

/* The change that is to be checked, or NULL: where only something is taken back, there is nothing to ask about. */
static const Change *precheck_find_change(const Plan *plan) {
        for (size_t i = 0; plan && i < plan->n_changes; i++)
                if (streq(plan->changes[i].practice, practice_qga_policy.name))
                        return plan->changes + i;

        return NULL;
}

/* The unit as it will be. */
static int precheck_read_planned(const View *view, const Qga *q, const Change *c, AgentCommand *ret) {
        bool file = c->kind == CHANGE_FILE;
        int r;

        r = agent_unit_read(view->root, q->unit, file ? c->target : NULL, file ? c->content.data : NULL, ret);
        return r < 0 || ret->problem ? r : agent_unit_judge(view->root, &q->binary, ret);
}

int qga_precheck(const View *view, const void *facts, const Plan *plan, char **ret_refusal) {
        const Change *change = precheck_find_change(plan);
        _cleanup_agent_command_ AgentCommand planned = {};
        const Qga *q = facts;
        int r;

        *ret_refusal = NULL;
        if (!q->unit || q->binary.names.n == 0)
                return 0;

        r = precheck_frozen(view, q->is, ret_refusal);
        if (r < 0 || *ret_refusal || !change)
                return r;

        r = precheck_read_planned(view, q, change, &planned);
        if (r < 0)
                return r;
        if (planned.problem)
                return precheck_refuse(ret_refusal, strdup(planned.problem));

        r = precheck_merged(&planned, &q->binary, ret_refusal);
        return r < 0 || *ret_refusal ? r : precheck_names(&planned, &q->wish.closed, ret_refusal);
}
