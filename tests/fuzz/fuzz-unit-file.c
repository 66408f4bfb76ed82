/* SPDX-License-Identifier: Apache-2.0 */

/*
 * libFuzzer target: any bytes as a unit file, an EnvironmentFile= and a qemu-ga.conf. Where a command comes of it,
 * the drop-in that we would write is read back and closes what it was written for, and nothing of it is a setting
 * that we did not mean.
 */

#include "qga-policy/drop-in.h"

#define UNIT "qemu-guest-agent.service"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok) {
        if (!ok)
                abort();
}

static void add_names(Names *names) {
        static const char *const list[] = {"guest-exec", "guest-exec-status", "guest-info", "guest-ping"};

        for (size_t i = 0; i < ELEMENTSOF(list); i++)
                check(names_add(names, list[i]) >= 0);
}

/* One of the four kinds of qemu-ga, as the input says. */
static void make_binary(uint8_t kind, QgaBinary *b) {
        b->blacklist = (kind & 3) != 3;
        b->block_rpcs = (kind & 3) != 0;
        b->allow_rpcs = (kind & 3) >= 2;
        add_names(&b->names);
}

/* As agent_unit_judge(), with variables of a text and without a qemu-ga.conf. */
static bool judge(AgentCommand *a, const QgaBinary *binary, const char *text, size_t size) {
        const UnitSetting *s;
        size_t n;

        check(environment_parse_file(&a->environment, "/env", text, size) >= 0);
        s = unit_setting(&a->unit, "ExecStart", &n);
        if (!s || exec_command_parse(&a->unit, s, &a->command) < 0)
                return false;
        if (exec_command_expand(&a->unit, &a->command, &a->environment, &a->arguments) < 0)
                return false;

        check(qga_arguments_parse(&a->arguments, binary, &a->view) >= 0);
        check(restrictions_add_arguments(&a->restrictions, &a->arguments, &a->view, "here") >= 0);
        return true;
}

static void check_drop_in(const AgentCommand *base, const QgaBinary *binary, bool allows, const char *text,
                          size_t size) {
        _cleanup_agent_command_ AgentCommand with = {.unit = {.name = strdup(UNIT)}};
        _cleanup_(wish_done) Wish wish = {.restricts = true, .allows = allows};
        _cleanup_(drop_in_form_done) DropInForm form = {};
        _cleanup_(drop_in_file_done) DropInFile file = {};
        _cleanup_buffer_ Buffer b = BUFFER_NULL;

        check(with.unit.name && names_add(&wish.closed, "guest-exec") >= 0);
        check(names_add(&wish.closed, "guest-info") >= 0);
        if (drop_in_form(base, binary, &wish, &form) < 0 || drop_in_write(base, &form, &b) < 0)
                return;

        check(drop_in_read(b.data, &file) >= 0 && file.intact && file.copied);
        check(unit_parse(&with.unit, "/drop-in", b.data, b.size) >= 0);
        check(with.unit.n_settings == 1 && streq(with.unit.settings->key, "ExecStart"));
        check(judge(&with, binary, text, size));
        if (base->view.fault == FAULT_NONE || base->view.fault == FAULT_REMOVED)
                check(with.view.fault == FAULT_NONE);
        check(streq(with.command.path, base->command.path) && streq(with.command.prefix, base->command.prefix));

        /* What does not start is reported and not written. */
        if (base->view.fault != FAULT_NONE && base->view.fault != FAULT_REMOVED)
                return;
        for (size_t i = 0; i < wish.closed.n; i++)
                check(restrictions_close(&with.restrictions, wish.closed.list[i]) != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_agent_command_ AgentCommand base = {.unit = {.name = strdup(UNIT)}};
        _cleanup_qga_conf_ QgaConf conf = {.path = strdup("/conf")};
        _cleanup_free_ char *text = NULL;
        QgaBinary binary = {};

        if (size == 0)
                return 0;

        text = strndup((const char *) data + 1, size - 1);
        check(base.unit.name && conf.path && text);
        make_binary(data[0], &binary);
        check(qga_conf_parse(text, &binary, &conf) >= 0);
        if (unit_parse(&base.unit, "/unit", text, strlen(text)) >= 0 && judge(&base, &binary, text, strlen(text)))
                check_drop_in(&base, &binary, data[0] & 4, text, strlen(text));

        qga_binary_done(&binary);
        return 0;
}
