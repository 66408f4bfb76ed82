/* SPDX-License-Identifier: Apache-2.0 */

#include <assert.h>

#include "qga-policy/arguments.h"

/* Which qemu-ga has an option. */
typedef enum QgaOptionPresence {
        PRESENT_ALWAYS,
        PRESENT_WITH_BLACKLIST,
        PRESENT_WITH_BLOCK_RPCS,
        PRESENT_WITH_ALLOW_RPCS,
        PRESENT_WITH_CONFIG,
        _PRESENT_MAX,
} QgaOptionPresence;

typedef enum QgaOptionTakes {
        TAKES_NOTHING,
        TAKES_VALUE,
        TAKES_OPTIONAL_VALUE, /* only in the same argument */
} QgaOptionTakes;

typedef struct QgaOption {
        const char *name;
        char letter;
        QgaOptionTakes takes;
        ArgumentRole role;
        QgaOptionPresence presence;
        bool exits;
} QgaOption;

/* QEMU: qga/main.c, sopt and lopt. Letter 0: there is only the long form; name NULL: only the short form. */
static const QgaOption qga_options[] = {
        {"help", 'h', TAKES_NOTHING, ROLE_OTHER, PRESENT_ALWAYS, true},
        {"version", 'V', TAKES_NOTHING, ROLE_OTHER, PRESENT_ALWAYS, true},
        {"dump-conf", 'D', TAKES_NOTHING, ROLE_OTHER, PRESENT_ALWAYS, true},
        {"logfile", 'l', TAKES_VALUE, ROLE_OTHER, PRESENT_ALWAYS, false},
        {"pidfile", 'f', TAKES_VALUE, ROLE_OTHER, PRESENT_ALWAYS, false},
        {"fsfreeze-hook", 'F', TAKES_OPTIONAL_VALUE, ROLE_OTHER, PRESENT_ALWAYS, false},
        {"verbose", 'v', TAKES_NOTHING, ROLE_OTHER, PRESENT_ALWAYS, false},
        {"method", 'm', TAKES_VALUE, ROLE_OTHER, PRESENT_ALWAYS, false},
        {"path", 'p', TAKES_VALUE, ROLE_OTHER, PRESENT_ALWAYS, false},
        {"daemonize", 'd', TAKES_NOTHING, ROLE_OTHER, PRESENT_ALWAYS, false},
        {"statedir", 't', TAKES_VALUE, ROLE_STATE, PRESENT_ALWAYS, false},
        {"retry-path", 'r', TAKES_NOTHING, ROLE_OTHER, PRESENT_ALWAYS, false},
        {NULL, 's', TAKES_VALUE, ROLE_OTHER, PRESENT_ALWAYS, false},
        {NULL, 'b', TAKES_VALUE, ROLE_BLOCK, PRESENT_ALWAYS, false},
        {"blacklist", 0, TAKES_VALUE, ROLE_BLOCK, PRESENT_WITH_BLACKLIST, false},
        {"block-rpcs", 0, TAKES_VALUE, ROLE_BLOCK, PRESENT_WITH_BLOCK_RPCS, false},
        {"allow-rpcs", 'a', TAKES_VALUE, ROLE_ALLOW, PRESENT_WITH_ALLOW_RPCS, false},
        {"config", 'c', TAKES_VALUE, ROLE_CONF, PRESENT_WITH_CONFIG, false},
};

typedef struct QgaArgumentsParser {
        const ExecArguments *arguments;
        const QgaBinary *binary;
        QgaArguments *result;
        size_t at;
} QgaArgumentsParser;

void qga_arguments_done(QgaArguments *a) {
        free(a->views);
        *a = (QgaArguments) {};
}

static bool qga_option_is_present(const QgaOption *o, const QgaBinary *b) {
        const bool present[_PRESENT_MAX] = {
                [PRESENT_ALWAYS] = true,
                [PRESENT_WITH_BLACKLIST] = b->blacklist,
                [PRESENT_WITH_BLOCK_RPCS] = b->block_rpcs,
                [PRESENT_WITH_ALLOW_RPCS] = b->allow_rpcs,
                [PRESENT_WITH_CONFIG] = qga_binary_has_config(b),
        };

        return present[o->presence];
}

/* The first fault counts, but a removed option yields to any other fault, because the drop-in can rename the option. */
static void qga_arguments_note_fault(QgaArgumentsParser *p, ArgumentsFault what) {
        if (p->result->fault != FAULT_NONE && (p->result->fault != FAULT_REMOVED || what == FAULT_REMOVED))
                return;

        p->result->fault = what;
        p->result->fault_at = p->at;
}

static void qga_arguments_take_value(QgaArgumentsParser *p, const QgaOption *o, const char *value) {
        ArgumentView *view = p->result->views + p->at;

        view->role = o->role;
        view->value = value;
        view->removed = !qga_option_is_present(o, p->binary);
        if (o->role == ROLE_BLOCK && (streq(value, "help") || streq(value, "?")))
                qga_arguments_note_fault(p, FAULT_EXITS);
}

static void qga_arguments_take_option(QgaArgumentsParser *p, const QgaOption *o, const char *value) {
        if (!qga_option_is_present(o, p->binary))
                qga_arguments_note_fault(p, o->presence == PRESENT_WITH_BLACKLIST ? FAULT_REMOVED : FAULT_UNKNOWN);
        if (o->exits)
                qga_arguments_note_fault(p, FAULT_EXITS);
        if (value) {
                qga_arguments_take_value(p, o, value);
                return;
        }
        if (o->takes != TAKES_VALUE)
                return;
        if (p->at + 1 >= p->arguments->n) {
                qga_arguments_note_fault(p, FAULT_UNKNOWN);
                return;
        }

        p->result->views[p->at].role = o->role == ROLE_OTHER ? ROLE_OTHER : ROLE_NAME;
        p->result->views[p->at].removed = !qga_option_is_present(o, p->binary);
        p->at++;
        qga_arguments_take_value(p, o, p->arguments->list[p->at].text);
}

/*
 * getopt_long() accepts the beginning of a long option if it fits one option only, or if all options that it fits do the
 * same, as the two long names of -b do. An option of this qemu-ga is preferred to a removed one.
 */
static const QgaOption *qga_arguments_find_long(const QgaArgumentsParser *p, const char *name, size_t n) {
        const QgaOption *found = NULL, *gone = NULL;

        for (size_t i = 0; i < ELEMENTSOF(qga_options); i++) {
                const QgaOption *o = qga_options + i;

                if (!o->name || strncmp(o->name, name, n) != 0)
                        continue;
                if (!qga_option_is_present(o, p->binary)) {
                        gone = o->presence == PRESENT_WITH_BLACKLIST ? o : gone;
                        continue;
                }
                if (strlen(o->name) == n)
                        return o;
                if (found && found->role != ROLE_BLOCK)
                        return NULL;
                if (found && o->role != ROLE_BLOCK)
                        return NULL;
                found = o;
        }

        return found ? found : gone;
}

static void qga_arguments_take_long(QgaArgumentsParser *p, const char *text) {
        size_t n = strcspn(text, "=");
        const QgaOption *o = qga_arguments_find_long(p, text, n);

        if (!o || (text[n] && o->takes == TAKES_NOTHING))
                qga_arguments_note_fault(p, FAULT_UNKNOWN);
        else
                qga_arguments_take_option(p, o, text[n] ? text + n + 1 : NULL);
}

static const QgaOption *qga_arguments_find_short(const QgaArgumentsParser *p, char letter) {
        for (size_t i = 0; i < ELEMENTSOF(qga_options); i++)
                if (qga_options[i].letter == letter && qga_option_is_present(qga_options + i, p->binary))
                        return qga_options + i;

        return NULL;
}

/* Letters of options without a value may be combined in one argument. */
static void qga_arguments_take_short(QgaArgumentsParser *p, const char *text) {
        for (; *text; text++) {
                const QgaOption *o = qga_arguments_find_short(p, *text);

                if (!o) {
                        qga_arguments_note_fault(p, FAULT_UNKNOWN);
                        return;
                }
                if (o->takes == TAKES_NOTHING) {
                        qga_arguments_take_option(p, o, NULL);
                        continue;
                }

                qga_arguments_take_option(p, o, text[1] ? text + 1 : NULL);
                return;
        }
}

static void qga_arguments_check_exclusive(const QgaArgumentsParser *p) {
        bool block = false, allow = false;

        for (size_t i = 0; i < p->result->n; i++) {
                block = block || (p->result->views[i].role == ROLE_BLOCK && *p->result->views[i].value);
                allow = allow || (p->result->views[i].role == ROLE_ALLOW && *p->result->views[i].value);
        }

        if (block && allow && qga_binary_is_exclusive(p->binary) && p->result->fault == FAULT_NONE)
                p->result->fault = FAULT_EXCLUSIVE;
}

int qga_arguments_parse(const ExecArguments *arguments, const QgaBinary *binary, QgaArguments *ret) {
        QgaArgumentsParser p = {.arguments = arguments, .binary = binary, .result = ret};
        bool options_end = false;

        assert(ret);

        *ret = (QgaArguments) {.views = calloc(arguments->n + 1, sizeof(ArgumentView)), .n = arguments->n};
        if (!ret->views)
                return -ENOMEM;

        for (; p.at < arguments->n; p.at++) {
                const char *text = arguments->list[p.at].text;

                if (options_end || text[0] != '-' || !text[1])
                        ret->views[p.at].role = ROLE_IGNORED;
                else if (streq(text, "--"))
                        options_end = true;
                else if (text[1] == '-')
                        qga_arguments_take_long(&p, text + 2);
                else
                        qga_arguments_take_short(&p, text + 1);
        }

        qga_arguments_check_exclusive(&p);
        return 0;
}

const char *qga_arguments_value(const QgaArguments *a, ArgumentRole role) {
        const char *value = NULL;

        for (size_t i = 0; i < a->n; i++)
                if (a->views[i].role == role)
                        value = a->views[i].value;

        return value;
}
