/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Reads the facts of qga-policy: the unit of the agent, its drop-in, its program and its process.
 *
 * Tested by test-drop-in.c, and by the golden machines qga-*.
 */

#include <assert.h>

#include "qga-policy/qga-policy.h"

#define QGA_DROP_IN_FOLDER "/etc/systemd/system"

/* Which unit is taken for the agent's, best first. */
typedef enum QgaChoice {
        QGA_CHOICE_RUNS,
        QGA_CHOICE_EXISTS,
        QGA_CHOICE_MASKED,
        _QGA_CHOICE_MAX,
} QgaChoice;

static bool qga_runs_unit(const Qga *q, const char *name) {
        const Service *service = services_find(q->services, name);

        return service && service->main.pid > 0;
}

/* Return: 1 if the unit is taken, 0 if not, -ENOMEM. */
static int qga_take_unit(const View *view, Qga *q, const char *name, QgaChoice choice) {
        int r;

        if (choice == QGA_CHOICE_RUNS && !qga_runs_unit(q, name))
                return 0;

        free(q->drop_in);
        q->drop_in = xasprintf("%s/%s.d/%s", QGA_DROP_IN_FOLDER, name, DROP_IN_NAME);
        if (!q->drop_in)
                return -ENOMEM;

        r = agent_unit_read(view->root, name, q->drop_in, NULL, &q->base);
        if (r < 0)
                return r;
        if (q->base.unit.fragment && (choice == QGA_CHOICE_MASKED || !q->base.unit.masked)) {
                q->unit = name;
                return 1;
        }

        agent_command_done(&q->base);
        return 0;
}

static int qga_find_unit(const View *view, Qga *q) {
        for (QgaChoice choice = 0; choice < _QGA_CHOICE_MAX; choice++)
                for (size_t i = 0; i < practice_qga_policy.n_services; i++) {
                        int r = qga_take_unit(view, q, practice_qga_policy.services[i].unit, choice);

                        if (r != 0)
                                return r < 0 ? r : 0;
                }

        return 0;
}

/* There is no file of a unit that gtuned knows: find an agent that something else starts, or that runs all the same. */
static int qga_find_other(const View *view, Qga *q) {
        int r;

        for (size_t i = 0; i < practice_qga_policy.n_services && !q->alone; i++) {
                const char *name = practice_qga_policy.services[i].unit;

                q->alone = qga_runs_unit(q, name) ? &services_find(q->services, name)->main
                                                  : services_find_process(q->services, name);
        }

        r = starter_find(view->root, NULL, &q->starter);
        return r < 0 ? r : wish_read(view->policy, &q->binary.names, &q->wish);
}

static int qga_read_drop_in(const View *view, Qga *q) {
        _cleanup_buffer_ Buffer text = BUFFER_NULL;
        int r;

        q->record = ledger_file(view->ledger, q->drop_in);
        q->file.masked = root_is_mask(view->root, q->drop_in) > 0;
        if (q->file.masked)
                return 0;

        r = root_read(view->root, q->drop_in, UNIT_FILE_MAX, &text);
        if (r < 0)
                return r == -ENOMEM ? r : 0;

        q->file.exists = true;
        return text.size > 0 ? drop_in_read(text.data, &q->file) : 0;
}

static int qga_same_file(const Root *root, const char *a, const char *b, bool *ret) {
        _cleanup_free_ char *real_a = NULL, *real_b = NULL;

        *ret = streq(a, b);
        if (*ret)
                return 0;
        if (root_resolve(root, a, &real_a) == -ENOMEM || root_resolve(root, b, &real_b) == -ENOMEM)
                return -ENOMEM;

        *ret = real_a && streq_ptr(real_a, real_b);
        return 0;
}

/* Whether gtuned has read a drop-in too. */
static int qga_is_seen(const View *view, const Qga *q, const char *path, bool *ret) {
        if (qga_same_file(view->root, path, q->drop_in, ret) < 0)
                return -ENOMEM;

        for (size_t i = 0; !*ret && i < q->base.unit.n_drop_ins; i++)
                if (qga_same_file(view->root, path, q->base.unit.drop_ins[i], ret) < 0)
                        return -ENOMEM;

        return 0;
}

/*
 * Find a drop-in that the service manager reads and gtuned does not: one of an alias of the unit, or of a generator. A
 * drop-in that was removed since the service manager read it does not matter.
 */
static int qga_find_unseen(const View *view, Qga *q) {
        q->service = services_find(&view->machine->probe->services, q->unit);
        for (char **path = q->service ? q->service->drop_ins : NULL; path && *path && !q->base.problem; path++) {
                bool seen = false;

                if (**path != '/' || !root_exists(view->root, *path))
                        continue;
                if (qga_is_seen(view, q, *path, &seen) < 0)
                        return -ENOMEM;
                if (seen)
                        continue;

                q->base.problem = xasprintf("the service manager reads %s for it, and gtuned does not know why",
                                             *path);
                if (!q->base.problem)
                        return -ENOMEM;
        }

        return 0;
}

static bool qga_can_judge(const Qga *q, const AgentCommand *a) {
        return !q->base.unit.masked && !q->base.problem && q->binary_error == 0 && !a->problem;
}

/* Judge the unit without the drop-in, and with it if it exists. */
static int qga_judge_units(const View *view, Qga *q) {
        int r;

        q->is = &q->base;
        if (qga_can_judge(q, &q->base)) {
                r = agent_unit_judge(view->root, &q->binary, &q->base);
                if (r < 0)
                        return r;
        }
        if (!q->file.exists)
                return 0;

        q->is = &q->with;
        r = agent_unit_read(view->root, q->unit, NULL, NULL, &q->with);
        if (r < 0 || !qga_can_judge(q, &q->with))
                return r;

        return agent_unit_judge(view->root, &q->binary, &q->with);
}

/* Drop-ins are read in the order of their file names (systemd.unit(5)), and the last ExecStart counts. */
static const char *qga_find_undoing(const Qga *q) {
        const char *path = q->base.unit.exec_file;

        if (!path || streq(path, q->base.unit.fragment) || strcmp(strrchr(path, '/') + 1, DROP_IN_NAME) <= 0)
                return NULL;

        return path;
}

/* List the RPCs that the policy wants closed and a command leaves open. */
static int qga_list_left_open(const Wish *wish, const AgentCommand *a, Names *ret) {
        for (size_t i = 0; i < wish->closed.n; i++)
                if (!restrictions_close(&a->restrictions, wish->closed.list[i]) &&
                    names_add(ret, wish->closed.list[i]) < 0)
                        return -ENOMEM;

        return 0;
}

/*
 * No drop-in is needed if the unit closes everything itself and the agent starts, unless gtuned has made one already.
 */
static int qga_make_drop_in(Qga *q) {
        _cleanup_(drop_in_form_done) DropInForm form = {};

        q->form_error = drop_in_form(&q->base, &q->binary, &q->wish, &form);
        if (q->form_error >= 0 && (form.block.n > 0 || form.allow.n > 0 || q->base.view.fault == FAULT_REMOVED ||
                                   (q->record && q->file.exists)))
                q->form_error = drop_in_write(&q->base, &form, &q->text);

        return q->form_error == -ENOMEM ? -ENOMEM : 0;
}

/* Find the argument by which a process shows that it runs with the files as they are to be. */
static int qga_find_expected(const View *view, Qga *q) {
        _cleanup_agent_command_ AgentCommand planned = {};
        const AgentCommand *a = q->is;
        int r;

        if (q->text.size > 0) {
                r = agent_unit_read(view->root, q->unit, q->drop_in, q->text.data, &planned);
                if (r < 0 || planned.problem)
                        return r;
                r = agent_unit_judge(view->root, &q->binary, &planned);
                if (r < 0)
                        return r;
                a = &planned;
        }

        return free_and_strdup(&q->expect, agent_command_list(a));
}

static int qga_judge_files(const View *view, Qga *q) {
        _cleanup_buffer_ Buffer is = BUFFER_NULL;
        int r;

        r = qga_list_left_open(&q->wish, q->is, &q->open);
        if (r < 0)
                return r;

        q->undone_by = qga_find_undoing(q);
        if (!q->undone_by && !q->base.problem) {
                r = qga_make_drop_in(q);
                if (r < 0)
                        return r;
        }

        r = qga_find_expected(view, q);
        if (r < 0)
                return r;

        q->right = q->open.n == 0 && !q->is->problem && q->is->view.fault == FAULT_NONE;
        if (!q->right || q->text.size == 0)
                return 0;

        r = root_read(view->root, q->drop_in, UNIT_FILE_MAX, &is);
        q->right = r >= 0 && buffer_equal(&is, &q->text);
        return r == -ENOMEM ? r : 0;
}

/* Whether the agent reaches the host by virtio-serial, which needs a port. */
static bool qga_uses_port(const Qga *q) {
        static const char *const others[] = {"isa-serial", "vsock-listen", "unix-listen"};

        for (size_t i = 0; i < q->is->arguments.n; i++)
                for (size_t k = 0; k < ELEMENTSOF(others); k++)
                        if (strstr(q->is->arguments.list[i].text, others[k]))
                                return false;

        return true;
}

static int qga_find_port(const Root *root, bool *ret) {
        _cleanup_(strv_freep) char **ports = NULL;
        int r = root_list(root, "/sys/class/virtio-ports", &ports);

        /* If the directory is absent, it is unknown which ports there are. */
        *ret = r < 0;
        if (r == -ENOMEM)
                return r;

        for (char **p = ports; p && *p && !*ret; p++) {
                _cleanup_free_ char *path = xasprintf("/sys/class/virtio-ports/%s/name", *p), *name = NULL;

                if (!path)
                        return -ENOMEM;
                *ret = root_read_line(root, path, &name) >= 0 && streq(name, "org.qemu.guest_agent.0");
        }

        return 0;
}

static int qga_look_for_port(const View *view, Qga *q) {
        bool port = true;

        if ((q->service && q->service->main.pid > 0) || !qga_uses_port(q))
                return 0;
        if (qga_find_port(view->root, &port) < 0)
                return -ENOMEM;

        q->lacks_port = !port;
        return 0;
}

/* A unit that starts nothing does not keep another one from starting an agent. */
static int qga_read_program(const View *view, Qga *q) {
        if (!q->base.problem && !q->base.unit.masked) {
                q->binary_error = qga_binary_read(view->root, q->base.command.path, &q->binary);
                if (q->binary_error == -ENOMEM)
                        return -ENOMEM;
        }

        return q->base.unit.masked || q->binary_error == -ENOENT ? starter_find(view->root, q->unit, &q->starter) : 0;
}

static int qga_judge_process(const View *view, Qga *q) {
        int r;

        if (!qga_runs(q))
                return 0;

        r = agent_process_judge(view->root, &q->binary, q->service, &q->is->unit, &q->process);
        return r < 0 ? r : qga_list_left_open(&q->wish, &q->process, &q->running_open);
}

static int qga_look(const View *view, Qga *q) {
        int r;

        q->image = view->machine->kind == MACHINE_IMAGE;
        q->snapshot = view->machine->kind == MACHINE_SNAPSHOT;
        q->services = &view->machine->probe->services;
        r = qga_find_unit(view, q);
        if (r < 0)
                return r;
        if (!q->unit)
                return qga_find_other(view, q);

        r = qga_read_drop_in(view, q);
        if (r < 0)
                return r;
        r = qga_find_unseen(view, q);
        if (r < 0)
                return r;
        r = qga_read_program(view, q);
        if (r < 0)
                return r;

        r = qga_judge_units(view, q);
        if (r < 0)
                return r;
        r = wish_read(view->policy, &q->binary.names, &q->wish);
        if (r < 0)
                return r;
        if (q->binary.names.n > 0) {
                r = qga_judge_files(view, q);
                if (r < 0)
                        return r;
        }

        r = qga_judge_process(view, q);
        if (r < 0)
                return r;

        return q->image ? 0 : qga_look_for_port(view, q);
}

static void qga_freep(Qga **q) {
        qga_free(*q);
}

int qga_read(const View *view, void **ret) {
        _cleanup_(qga_freep) Qga *q = calloc(1, sizeof(*q));
        int r;

        assert(ret);

        if (!q)
                return -ENOMEM;

        r = qga_look(view, q);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(q);
        return 0;
}

void qga_free(void *facts) {
        Qga *q = facts;

        if (!q)
                return;

        free(q->drop_in);
        starter_done(&q->starter);
        drop_in_file_done(&q->file);
        agent_command_done(&q->base);
        agent_command_done(&q->with);
        agent_command_done(&q->process);
        qga_binary_done(&q->binary);
        wish_done(&q->wish);
        names_done(&q->open);
        names_done(&q->running_open);
        buffer_done(&q->text);
        free(q->expect);
        free(q);
}

bool qga_runs(const Qga *q) {
        return q->service && q->service->main.pid > 0 && q->service->main.arguments && q->binary.names.n > 0;
}

bool qga_is_other(const Qga *q) {
        if (!q->unit)
                return q->alone || q->starter.path || q->starter.program;
        if (q->service && (q->service->main.pid > 0 || q->service->n_strays > 0))
                return false;

        /* The program of a masked unit is still installed, as a rule. */
        return q->starter.path || (q->starter.program && !q->base.unit.masked);
}

bool qga_is_absent(const Qga *q) {
        return !q->unit && !qga_is_other(q);
}

const AgentCommand *qga_in_effect(const Qga *q) {
        if (q->binary.names.n == 0)
                return NULL;
        if (q->image)
                return q->is->problem ? NULL : q->is;

        return qga_runs(q) ? &q->process : NULL;
}
