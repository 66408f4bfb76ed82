/* SPDX-License-Identifier: Apache-2.0 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/policy-file.h"
#include "qga-policy/qga-policy.h"
#include "tests/unit/tree.h"

#define UNIT "qemu-guest-agent.service"
#define FRAGMENT "/usr/lib/systemd/system/" UNIT
#define DROP_IN "/etc/systemd/system/" UNIT ".d/" DROP_IN_NAME
#define CONF "/etc/qemu/qemu-ga.conf"

#define NAMES "guest-exec\0guest-exec-status\0guest-info\0guest-ping\0guest-shutdown\0"
#define BINARY(options) "\177ELF\0" options NAMES CONF "\0"

static const struct {
        const char *data;
        size_t size;
} binaries[] = {
#define B(x) {x, sizeof(x)}
        [0] = B(BINARY("blacklist\0")),
        [1] = B(BINARY("blacklist\0block-rpcs\0")),
        [2] = B(BINARY("blacklist\0block-rpcs\0allow-rpcs\0")),
        [3] = B(BINARY("block-rpcs\0allow-rpcs\0")),
#undef B
};
enum { V62, V72, V82, V100 };

/* Everything that qga_read() looks at. */
typedef struct World {
        View view;
        Machine machine;
        Ledger *ledger;
        Policy *policy;
} World;

static void world_begin(const Tree *t, World *w, const char *policy) {
        const PolicyKeys keys = {wish_keys, WISH_N_KEYS};
        _cleanup_free_ char *text = xasprintf("[qga-policy]\n%s\n", policy);

        *w = (World) {.machine = {.kind = MACHINE_IMAGE}};
        assert_int_equal(policy_read_text(text, strlen(text), &keys, 1, &w->policy), 0);
        assert_int_equal(ledger_new(&w->ledger, "/ledger"), 0);
        assert_int_equal(probe_new(&w->machine.probe), 0);
        w->view = (View) {.root = t->root, .machine = &w->machine, .policy = w->policy, .ledger = w->ledger};
}

static void world_end(World *w) {
        policy_free(w->policy);
        ledger_free(w->ledger);
        probe_free(w->machine.probe);
}

static Qga *look(const World *w) {
        void *facts;

        assert_int_equal(qga_read(&w->view, &facts), 0);
        return facts;
}

static void qga_putp(Qga **q) {
        qga_free(*q);
}

static void write_unit(const Tree *t, const char *exec, const char *rest) {
        _cleanup_free_ char *text = xasprintf("[Service]\n%sExecStart=%s\n", rest, exec);

        tree_file(t, FRAGMENT, text);
}

/*
 * Compare the last line of the drop-in.
 * @exec: the line without "ExecStart="; "": no drop-in is needed; NULL: none is possible
 */
static void assert_drop_in(const Qga *q, const char *exec) {
        const char *last;

        if (!exec) {
                assert_int_equal(q->form_error, -EOPNOTSUPP);
                return;
        }
        assert_int_equal(q->form_error, 0);
        if (!*exec) {
                assert_int_equal(q->text.size, 0);
                return;
        }
        assert_true(q->text.size > 0);
        last = strstr(q->text.data, "\nExecStart=\nExecStart=");
        assert_non_null(last);
        last += strlen("\nExecStart=\nExecStart=");
        if (strncmp(last, exec, strlen(exec)) != 0 || !streq(last + strlen(exec), "\n"))
                fail_msg("wanted %s, is %s", exec, last);
}

static void test_forms(void **state) {
        static const struct {
                int version;
                const char *exec, *rest, *conf; /* NULL: no qemu-ga.conf */
                const char *policy, *result;    /* "": no drop-in is needed; NULL: none is possible */
                const char *expect;
        } cases[] = {
                {V72, "-/a", "", NULL, "block = exec", "-/a -b guest-exec,guest-exec-status",
                 "guest-exec,guest-exec-status"},
                {V62, "/a --blacklist=${L} -F/h", "Environment=L=guest-exec\n", NULL, "block = exec",
                 "/a --blacklist=${L} -F/h -b guest-exec-status", "guest-exec-status"},
                {V62, "/a --blacklist=${L} -F/h", "Environment=L=guest-exec,guest-exec-status\n", NULL,
                 "block = exec", "", "--blacklist=guest-exec,guest-exec-status"},
                {V72, "/a", "", "[general]\nblock-rpcs=guest-exec\n", "block = exec", "/a -b guest-exec-status",
                 "guest-exec-status"},
                {V72, "/a", "", "[general]\nblock-rpcs=guest-exec,guest-exec-status\n", "block = exec", "", NULL},
                {V72, "/a", "", NULL, "allow = info", "/a -b guest-exec,guest-exec-status,guest-shutdown", NULL},
                {V82, "/a", "", NULL, "allow = info", "/a --allow-rpcs=guest-info,guest-ping",
                 "--allow-rpcs=guest-info,guest-ping"},
                {V82, "/a -b guest-info", "", NULL, "allow = info",
                 "/a -b guest-info -b guest-exec,guest-exec-status,guest-shutdown", NULL},
                {V100, "/a -b guest-info", "", NULL, "allow = info", "/a -b guest-info --allow-rpcs=guest-ping", NULL},
                /* The distribution's allow list: kept if qemu-ga takes both kinds of list, otherwise replaced. */
                {V100, "/a $A", "Environment=A=--allow-rpcs=guest-ping,guest-shutdown\n", NULL, "block = power",
                 "/a $A -b guest-shutdown", "guest-shutdown"},
                {V82, "/a $A -v", "Environment=A=--allow-rpcs=guest-ping,guest-shutdown\n", NULL, "block = power",
                 "/a -v --allow-rpcs=guest-ping", "--allow-rpcs=guest-ping"},
                {V82, "/a $A", "Environment='A=-v --allow-rpcs=guest-ping,guest-shutdown -m \"x y\"'\n", NULL,
                 "block = power", "/a -v -m \"x y\" --allow-rpcs=guest-ping", NULL},
                {V82, "/a -a guest-ping,guest-shutdown", "", NULL, "allow = guest-exec, guest-ping",
                 "/a --allow-rpcs=guest-ping", NULL},
                /* qemu-ga would ignore an empty allow list. */
                {V82, "/a --allow-rpcs=guest-ping", "", NULL, "block = info",
                 "/a -b guest-exec,guest-exec-status,guest-info,guest-ping,guest-shutdown", NULL},
                {V100, "/a", "", NULL, "allow = hotplug",
                 "/a -b guest-exec,guest-exec-status,guest-info,guest-ping,guest-shutdown", NULL},
                /* Allow lists of file and command line add up. */
                {V100, "/a", "", "[general]\nallow-rpcs=guest-ping,guest-exec\n", "allow = info",
                 "/a -b guest-exec", NULL},
                {V82, "/a", "", "[general]\nallow-rpcs=guest-ping,guest-exec\n", "allow = info",
                 "/a -b guest-exec", NULL},
                {V82, "/a -a guest-ping", "", "[general]\nallow-rpcs=guest-exec\n", "block = exec", NULL, NULL},
                /* Removed options, and names after a blank. */
                {V100, "/a --blacklist=guest-exec", "", NULL, "block = exec",
                 "/a --block-rpcs=guest-exec -b guest-exec-status", NULL},
                {V100, "/a \"--blacklist=${L}\"", "Environment=L=guest-exec,guest-exec-status\n", NULL, "block = exec",
                 "/a \"--block-rpcs=${L}\"", NULL},
                {V100, "/a --blacklist guest-exec", "", NULL, "block = guest-exec",
                 "/a --block-rpcs guest-exec", NULL},
                {V100, "/a --blackl=guest-exec", "", NULL, "block = guest-exec", "/a --block-rpcs=guest-exec", NULL},
                {V100, "/a $L", "Environment='L=--blacklist=guest-exec -l /x$y%%z'\n", NULL, "block = guest-exec",
                 "/a --block-rpcs=guest-exec -l /x$$y%%z", NULL},
                {V62, "/a --blacklist=guest-exec guest-exec-status other", "", NULL, "block = exec",
                 "/a --blacklist=guest-exec other -b guest-exec-status", NULL},
                {V72, "/a -v -- x", "", NULL, "block = guest-exec", "/a -b guest-exec -v -- x", NULL},
                {V72, "/a 'b  c' \\x41 %p", "", NULL, "block = guest-exec", "/a 'b  c' \\x41 %p -b guest-exec", NULL},
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                const Tree *t = *state;
                _cleanup_(world_end) World w;
                _cleanup_(qga_putp) Qga *q = NULL;

                tree_bytes(t, "/a", binaries[cases[i].version].data, binaries[cases[i].version].size, 0755);
                write_unit(t, cases[i].exec, cases[i].rest);
                tree_file(t, CONF, cases[i].conf ? cases[i].conf : "");
                world_begin(t, &w, cases[i].policy);
                q = look(&w);
                assert_drop_in(q, cases[i].result);
                if (cases[i].expect && !streq_ptr(q->expect, cases[i].expect))
                        fail_msg("%s: expect %s", cases[i].exec, strempty(q->expect));
        }
}

/* A drop-in that was written is right, needs no change, and closes each name once. */
static void test_stable(void **state) {
        const Tree *t = *state;
        _cleanup_(world_end) World w;
        _cleanup_(qga_putp) Qga *before = NULL, *after = NULL;
        LedgerFile *record;

        tree_bytes(t, "/a", binaries[V72].data, binaries[V72].size, 0755);
        write_unit(t, "/a --blacklist=guest-exec", "");
        world_begin(t, &w, "block = exec, power");
        before = look(&w);
        assert_false(before->right);

        tree_bytes(t, DROP_IN, before->text.data, before->text.size, 0644);
        record = ledger_add_file(w.ledger);
        assert_non_null(record);
        assert_int_equal(free_and_strdup(&record->path, DROP_IN), 0);
        assert_int_equal(free_and_strdup(&record->practice, "qga-policy"), 0);
        after = look(&w);
        assert_true(after->right);
        assert_true(after->file.intact);
        assert_true(buffer_equal(&before->text, &after->text));
        assert_int_equal(after->is->restrictions.n, 2);
        assert_string_equal(after->file.copied, "/a --blacklist=guest-exec");
}

static void test_file(void **state) {
        static const char other[] = "[Service]\nExecStart=\nExecStart=/a\n";
        const Tree *t = *state;
        _cleanup_(world_end) World w;
        _cleanup_(qga_putp) Qga *q = NULL;
        _cleanup_(drop_in_file_done) DropInFile file = {}, edited = {}, foreign = {};
        char *digit;

        tree_bytes(t, "/a", binaries[V72].data, binaries[V72].size, 0755);
        write_unit(t, "/a", "");
        world_begin(t, &w, "block = exec");
        q = look(&w);

        assert_int_equal(drop_in_read(q->text.data, &file), 0);
        assert_true(file.intact);

        digit = strstr(q->text.data, "guest-exec-status");
        assert_non_null(digit);
        *digit = 'G';
        assert_int_equal(drop_in_read(q->text.data, &edited), 0);
        assert_false(edited.intact);
        assert_string_equal(edited.copied, "/a");

        assert_int_equal(drop_in_read(other, &foreign), 0);
        assert_false(foreign.intact);
        assert_null(foreign.copied);
}

/* A name that could end its line never gets into the drop-in, whatever its source. */
static void test_hostile_names(void **state) {
        static const char data[] = "\177ELF\0blacklist\0guest-exec\0guest-evil;reboot\0guest-\nExecStartPre=/bin/sh\0";
        const Tree *t = *state;
        _cleanup_(world_end) World w;
        _cleanup_(qga_putp) Qga *q = NULL;

        tree_bytes(t, "/a", data, sizeof(data), 0755);
        write_unit(t, "/a", "");
        world_begin(t, &w, "block = exec, guest-evil;reboot");
        q = look(&w);
        assert_drop_in(q, "/a -b guest-exec");
}

/* The plan that the practice makes. */
static int precheck(const World *w, char **ret_refusal) {
        const Finding owner = {.practice = "qga-policy"};
        _cleanup_(plan_freep) Plan *plan = NULL;
        _cleanup_(qga_putp) Qga *q = NULL;

        q = look(w);
        assert_true(q->text.size > 0);
        assert_int_equal(plan_new(&plan), 0);
        assert_int_equal(plan_unit_file(plan, &owner, DROP_IN, q->text.data, UNIT, q->expect), 0);
        return qga_precheck(&w->view, q, plan, ret_refusal);
}

/* The facts come from the tree. The program that runs is a script at the same path outside the tree. */
static void set_program(const Tree *t, const char *output, int status) {
        _cleanup_free_ char *path = xasprintf("%s/qemu-ga", t->top), *script = NULL;

        script = xasprintf("#!/bin/sh\n[ \"$1\" = -b ] && [ \"$2\" = help ] && { echo guest-exec; exit 0; }\n"
                           "printf '%s'\necho complaint >&2\nexit %d\n", output, status);
        tree_bytes(t, "/qemu-ga", script, strlen(script), 0755);
        tree_bytes(t, path, binaries[V72].data, binaries[V72].size, 0755);
        write_unit(t, path, "");
}

static void test_precheck(void **state) {
        static const struct {
                const char *policy, *output;
                int status;
                const char *refusal; /* part of it; NULL: none */
        } cases[] = {
                {"block = guest-exec", "[general]\\nblock-rpcs=guest-exec\\n", 0, NULL},
                {"block = guest-exec", "[general]\\nverbose=false\\n", 0, "its block list would be \"\""},
                {"block = guest-exec", "[general]\\nblock-rpcs=guest-exec,guest-ping\\n", 0,
                 "its block list would be \"guest-exec, guest-ping\""},
                {"block = guest-exec", "", 1, "refuses the new arguments (exit 1): complaint"},
                {"block = guest-ping", "[general]\\nblock-rpcs=guest-ping\\n", 0, "has no guest-ping"},
                {"block = exec", "[general]\\nblock-rpcs=guest-exec-status,guest-exec\\n", 0,
                 "has no guest-exec-status"},
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                const Tree *t = *state;
                _cleanup_(world_end) World w;
                _cleanup_free_ char *refusal = NULL;

                set_program(t, cases[i].output, cases[i].status);
                world_begin(t, &w, cases[i].policy);
                assert_int_equal(precheck(&w, &refusal), 0);
                if (cases[i].refusal ? !refusal || !strstr(refusal, cases[i].refusal) : !!refusal)
                        fail_msg("%zu: %s", i, refusal ? refusal : "no refusal");
        }
}

static void test_frozen(void **state) {
        const Tree *t = *state;
        _cleanup_(world_end) World w;
        _cleanup_(qga_putp) Qga *q = NULL;
        _cleanup_free_ char *refusal = NULL;

        set_program(t, "[general]\\nblock-rpcs=guest-exec\\n", 0);
        tree_file(t, "/var/run/qga.state.isfrozen", "");
        world_begin(t, &w, "block = guest-exec");
        q = look(&w);
        assert_int_equal(qga_precheck(&w.view, q, NULL, &refusal), 0);
        assert_non_null(refusal);
        assert_non_null(strstr(refusal, "/var/run/qga.state.isfrozen"));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_forms, tree_setup, tree_teardown),
                cmocka_unit_test_setup_teardown(test_stable, tree_setup, tree_teardown),
                cmocka_unit_test_setup_teardown(test_file, tree_setup, tree_teardown),
                cmocka_unit_test_setup_teardown(test_hostile_names, tree_setup, tree_teardown),
                cmocka_unit_test_setup_teardown(test_precheck, tree_setup, tree_teardown),
                cmocka_unit_test_setup_teardown(test_frozen, tree_setup, tree_teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
