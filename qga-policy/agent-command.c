/* SPDX-License-Identifier: Apache-2.0 */

#include <assert.h>

#include "qga-policy/agent-command.h"

void agent_command_done(AgentCommand *a) {
        restrictions_done(&a->restrictions);
        qga_conf_done(&a->conf);
        qga_arguments_done(&a->view);
        exec_arguments_done(&a->arguments);
        exec_command_done(&a->command);
        environment_done(&a->environment);
        unit_done(&a->unit);
        free(a->problem);
        *a = (AgentCommand) {};
}

static int agent_command_set_problem(AgentCommand *a, char *problem) {
        free(a->problem);
        a->problem = problem;
        return problem ? 0 : -ENOMEM;
}

static int agent_command_find(AgentCommand *a) {
        const UnitSetting *s;
        size_t n;
        int r;

        s = unit_setting(&a->unit, "ExecStart", &n);
        if (!s)
                return agent_command_set_problem(
                                a, xasprintf(n == 0 ? "%s has no ExecStart" : "%s has more than one ExecStart",
                                             a->unit.exec_file ? a->unit.exec_file : a->unit.fragment));

        r = exec_command_parse(&a->unit, s, &a->command);
        if (r == -ENOMEM || r >= 0)
                return r;

        return agent_command_set_problem(
                        a, xasprintf(r == -EOPNOTSUPP
                                             ? "%s:%u has an ExecStart of a kind that gtuned does not take apart"
                                             : "%s:%u has an ExecStart that the service manager refuses",
                                     s->file, s->line));
}

int agent_unit_read(const Root *root, const char *name, const char *path, const char *text, AgentCommand *ret) {
        int r;

        assert(ret);

        *ret = (AgentCommand) {};
        r = unit_read(root, name, path, text, &ret->unit);
        if (r < 0 || !ret->unit.fragment || ret->unit.masked)
                return r;
        if (ret->unit.problem)
                return agent_command_set_problem(ret, strdup(ret->unit.problem));

        return agent_command_find(ret);
}

/* The path of qemu-ga.conf; NULL if it is unknown, or if qemu-ga reads none. */
static const char *agent_command_conf_path(const AgentCommand *a, const QgaBinary *binary) {
        const EnvironmentVariable *v = environment_get(&a->environment, "QGA_CONF", strlen("QGA_CONF"));
        const char *path = qga_arguments_value(&a->view, ROLE_CONF);

        return path ? path : a->environment.stale ? NULL : v ? v->value : binary->conf;
}

/*
 * Read the arguments and qemu-ga.conf as qemu-ga does.
 * @source: where the arguments come from, for reports
 * @started: when the process began, as for unit_file_is_newer()
 */
static int agent_command_judge(const Root *root, const QgaBinary *binary, const char *source, uint64_t started,
                               AgentCommand *a) {
        const char *path;
        int r;

        r = qga_arguments_parse(&a->arguments, binary, &a->view);
        if (r < 0)
                return r;

        path = agent_command_conf_path(a, binary);
        if (path && *path == '/' && !unit_file_is_newer(root, path, started)) {
                r = qga_conf_read(root, path, binary, &a->conf);
                if (r < 0)
                        return r;
        }

        r = restrictions_add_conf(&a->restrictions, &a->conf);
        if (r < 0)
                return r;
        r = restrictions_add_arguments(&a->restrictions, &a->arguments, &a->view, source);
        if (r < 0)
                return r;

        return a->conf.problem ? agent_command_set_problem(a, strdup(a->conf.problem)) : 0;
}

int agent_unit_judge(const Root *root, const QgaBinary *binary, AgentCommand *a) {
        _cleanup_free_ char *source = NULL;
        int r;

        assert(!a->problem && a->command.setting);

        source = xasprintf("%s:%u (ExecStart)", a->command.setting->file, a->command.setting->line);
        if (!source)
                return -ENOMEM;

        r = environment_read(root, &a->unit, &a->environment);
        if (r < 0)
                return r;
        if (a->environment.problem) {
                r = agent_command_set_problem(a, strdup(a->environment.problem));
                if (r < 0)
                        return r;
        }

        r = exec_command_expand(&a->unit, &a->command, &a->environment, &a->arguments);
        if (r == -E2BIG)
                return agent_command_set_problem(a, xasprintf("%s is too long when it is expanded", source));
        if (r < 0)
                return r;

        return agent_command_judge(root, binary, source, /* started= */ 0, a);
}

int agent_process_judge(const Root *root, const QgaBinary *binary, const Service *service, const Unit *unit,
                        AgentCommand *a) {
        const ServiceProcess *process = &service->main;
        _cleanup_free_ char *source = xasprintf("process %u", process->pid);
        int r;

        if (!source)
                return -ENOMEM;

        for (size_t i = 1; process->arguments && *process->arguments && process->arguments[i]; i++) {
                r = exec_arguments_add(&a->arguments, process->arguments[i]);
                if (r < 0)
                        return r;
        }

        r = environment_read_process(root, unit, service->environment, service->started, &a->environment);
        if (r < 0)
                return r;

        return agent_command_judge(root, binary, source, service->started, a);
}

char *agent_command_text(const ExecCommand *command) {
        _cleanup_buffer_ Buffer b = BUFFER_NULL;

        for (size_t i = 0; i < command->words.n; i++)
                if (buffer_printf(&b, "%s%s", i > 0 ? " " : "", command->words.list[i].raw) < 0)
                        return NULL;

        return TAKE_PTR(b.data);
}

const char *agent_command_list(const AgentCommand *a) {
        const char *text = NULL;

        for (size_t i = 0; i < a->view.n; i++)
                if (a->view.views[i].role == ROLE_BLOCK || a->view.views[i].role == ROLE_ALLOW)
                        text = a->arguments.list[i].text;

        return text;
}
