/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Checks before the agent is restarted: no file system is frozen, and qemu-ga itself reads the new command line as
 * gtuned does.
 *
 * Tested by tests/e2e (qga-old, qga-new).
 */

#include "core/subprocess.h"
#include "qga-policy/qga-policy.h"

#define QGA_STATE_FOLDER "/var/run"
#define QGA_FROZEN_MARK "qga.state.isfrozen"
/* A boot on a slow machine loads qemu-ga's libraries for the first time here; nothing waits for the unit that asks. */
#define QGA_TIMEOUT_MS 30000U
#define QGA_OUTPUT_MAX (1024U * 1024U)

/* A program's command line and environment, NULL-terminated. Only the strings in @owned belong to the call. */
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

        return precheck_refuse(ret_refusal,
                               xasprintf("file systems are frozen by the host (%s is there), and restarting the "
                                         "guest agent now would leave them frozen: thaw them first",
                                         path));
}

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

/*
 * Make a call with the unit's arguments, if they are wanted, and then those that make qemu-ga print and exit (@more).
 */
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

/* @r: the exit status of the program, or -errno */
static int precheck_explain_failure(int r, const char *program, const Buffer *error, char **ret_refusal) {
        _cleanup_free_ char *words = error->size > 0 ? strndup(error->data, 500) : strdup("");

        if (!words)
                return -ENOMEM;
        if (r < 0)
                return precheck_refuse(ret_refusal, xasprintf("%s cannot be asked: %s", program, error_text(-r)));

        return precheck_refuse(ret_refusal, xasprintf("%s refuses the new arguments (exit %d): %s", program, r,
                                                      strip(words)));
}

static int precheck_run_agent(const AgentCommand *a, bool with_arguments, const char *const *more, Buffer *output,
               char **ret_refusal) {
        _cleanup_(qga_call_done) QgaCall call = {};
        _cleanup_buffer_ Buffer error = BUFFER_NULL;
        int r;

        r = qga_call_make(a, with_arguments, more, &call);
        if (r < 0)
                return r;

        r = subprocess_run(call.arguments, call.environment, NULL, QGA_TIMEOUT_MS, QGA_OUTPUT_MAX, output, &error);
        if (r == 0 || r == -ENOMEM)
                return r;

        return precheck_explain_failure(r, a->command.path, &error, ret_refusal);
}

/*
 * qemu-ga prints all its block lists as one list in an order of its own, and so its allow lists: compare them as sets.
 */
static int precheck_compare_lists(const AgentCommand *a, const QgaConf *said, char **ret_refusal) {
        const Names *printed[] = {&said->block.names, &said->allow.names};
        const Restrictions *r = &a->restrictions;

        for (size_t i = 0; i < ELEMENTSOF(printed); i++) {
                _cleanup_names_ Names expected = {};
                _cleanup_free_ char *text = NULL;

                for (size_t k = 0; k < r->n; k++)
                        if (r->list[k].allow == (i == 1) && names_add_all(&expected, &r->list[k].names) < 0)
                                return -ENOMEM;
                if (names_has_all(printed[i], &expected) && names_has_all(&expected, printed[i]))
                        continue;

                text = names_join(printed[i], ", ");
                if (!text)
                        return -ENOMEM;

                return precheck_refuse(ret_refusal,
                                       xasprintf("%s -D reads the new arguments differently: its %s list would be "
                                                 "\"%s\"",
                                                 a->command.path, i == 1 ? "allow" : "block", text));
        }

        return 0;
}

/* `qemu-ga -D` prints the merged command line and qemu-ga.conf as a qemu-ga.conf that this version can read. */
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
        if (r < 0)
                return r;

        return precheck_compare_lists(a, &said, ret_refusal);
}

/* `qemu-ga -b help` prints the RPCs that it has. */
static int precheck_names(const AgentCommand *a, const Names *wanted, char **ret_refusal) {
        static const char *const help[] = {"-b", "help", NULL};
        _cleanup_buffer_ Buffer output = BUFFER_NULL;
        _cleanup_names_ Names known = {};
        char *state = NULL;
        int r;

        r = precheck_run_agent(a, false, help, &output, ret_refusal);
        if (r < 0 || *ret_refusal || output.size == 0)
                return r;

        for (char *line = strtok_r(output.data, "\n", &state); line; line = strtok_r(NULL, "\n", &state))
                if (names_add(&known, strip(line)) < 0)
                        return -ENOMEM;

        for (size_t i = 0; i < wanted->n; i++)
                if (!names_has(&known, wanted->list[i]))
                        return precheck_refuse(ret_refusal,
                                               xasprintf("%s has no %s, though its file looks as if it had",
                                                         a->command.path, wanted->list[i]));

        return 0;
}

/* The change to check; NULL if the drop-in is only removed. */
static const Change *precheck_find_change(const Plan *plan) {
        for (size_t i = 0; plan && i < plan->n_changes; i++)
                if (streq(plan->changes[i].practice, practice_qga_policy.name))
                        return plan->changes + i;

        return NULL;
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

        /* The unit as it will be after the change. */
        r = agent_unit_read(view->root, q->unit, change->kind == CHANGE_FILE ? change->target : NULL,
                            change->kind == CHANGE_FILE ? change->content.data : NULL, &planned);
        if (r < 0)
                return r;
        if (!planned.problem) {
                r = agent_unit_judge(view->root, &q->binary, &planned);
                if (r < 0)
                        return r;
        }
        if (planned.problem)
                return precheck_refuse(ret_refusal, strdup(planned.problem));

        r = precheck_merged(&planned, &q->binary, ret_refusal);
        if (r < 0 || *ret_refusal)
                return r;

        return precheck_names(&planned, &q->wish.closed, ret_refusal);
}
