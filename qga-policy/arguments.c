/* SPDX-License-Identifier: Apache-2.0 */

#include <assert.h>

#include "qga-policy/arguments.h"

/* When an option is there. */
typedef enum Presence {
        ALWAYS,
        WITH_BLACKLIST,
        WITH_BLOCK_RPCS,
        WITH_ALLOW_RPCS,
        WITH_CONFIG,
        _PRESENCE_MAX,
} Presence;

typedef enum Takes {
        TAKES_NOTHING,
        TAKES_VALUE,
        MAY_TAKE_VALUE, /* only in the same argument */
} Takes;

/* qga/main.c: sopt and lopt. A letter of 0 has only the long form, a name of NULL only the short one. */
static const struct Option {
        const char *name;
        char letter;
        Takes takes;
        ArgumentRole role;
        Presence presence;
        bool exits;
} options[] = {
        {"help", 'h', TAKES_NOTHING, ROLE_OTHER, ALWAYS, true},
        {"version", 'V', TAKES_NOTHING, ROLE_OTHER, ALWAYS, true},
        {"dump-conf", 'D', TAKES_NOTHING, ROLE_OTHER, ALWAYS, true},
        {"logfile", 'l', TAKES_VALUE, ROLE_OTHER, ALWAYS, false},
        {"pidfile", 'f', TAKES_VALUE, ROLE_OTHER, ALWAYS, false},
        {"fsfreeze-hook", 'F', MAY_TAKE_VALUE, ROLE_OTHER, ALWAYS, false},
        {"verbose", 'v', TAKES_NOTHING, ROLE_OTHER, ALWAYS, false},
        {"method", 'm', TAKES_VALUE, ROLE_OTHER, ALWAYS, false},
        {"path", 'p', TAKES_VALUE, ROLE_OTHER, ALWAYS, false},
        {"daemonize", 'd', TAKES_NOTHING, ROLE_OTHER, ALWAYS, false},
        {"statedir", 't', TAKES_VALUE, ROLE_STATE, ALWAYS, false},
        {"retry-path", 'r', TAKES_NOTHING, ROLE_OTHER, ALWAYS, false},
        {NULL, 's', TAKES_VALUE, ROLE_OTHER, ALWAYS, false},
        {NULL, 'b', TAKES_VALUE, ROLE_BLOCK, ALWAYS, false},
        {"blacklist", 0, TAKES_VALUE, ROLE_BLOCK, WITH_BLACKLIST, false},
        {"block-rpcs", 0, TAKES_VALUE, ROLE_BLOCK, WITH_BLOCK_RPCS, false},
        {"allow-rpcs", 'a', TAKES_VALUE, ROLE_ALLOW, WITH_ALLOW_RPCS, false},
        {"config", 'c', TAKES_VALUE, ROLE_CONF, WITH_CONFIG, false},
};

typedef struct Parser {
        const Arguments *arguments;
        const QgaBinary *binary;
        QgaArguments *result;
        size_t at;
} Parser;

void qga_arguments_done(QgaArguments *a) {
        free(a->views);
        *a = (QgaArguments) {};
}

static bool is_present(const struct Option *o, const QgaBinary *b) {
        const bool present[_PRESENCE_MAX] = {
                [ALWAYS] = true,
                [WITH_BLACKLIST] = b->blacklist,
                [WITH_BLOCK_RPCS] = b->block_rpcs,
                [WITH_ALLOW_RPCS] = b->allow_rpcs,
                [WITH_CONFIG] = qga_binary_has_config(b),
        };

        return present[o->presence];
}

/* The first counts, but a removed option can be mended and the others cannot. */
static void fault(Parser *p, ArgumentsFault what) {
        if (p->result->fault != FAULT_NONE && (p->result->fault != FAULT_REMOVED || what == FAULT_REMOVED))
                return;

        p->result->fault = what;
        p->result->fault_at = p->at;
}

static void take_value(Parser *p, const struct Option *o, const char *value) {
        ArgumentView *view = p->result->views + p->at;

        view->role = o->role;
        view->value = value;
        view->removed = !is_present(o, p->binary);
        if (o->role == ROLE_BLOCK && (streq(value, "help") || streq(value, "?")))
                fault(p, FAULT_EXITS);
}

static void take_option(Parser *p, const struct Option *o, const char *value) {
        if (!is_present(o, p->binary))
                fault(p, o->presence == WITH_BLACKLIST ? FAULT_REMOVED : FAULT_UNKNOWN);
        if (o->exits)
                fault(p, FAULT_EXITS);
        if (value) {
                take_value(p, o, value);
                return;
        }
        if (o->takes != TAKES_VALUE)
                return;
        if (p->at + 1 >= p->arguments->n) {
                fault(p, FAULT_UNKNOWN);
                return;
        }

        p->result->views[p->at].role = o->role == ROLE_OTHER ? ROLE_OTHER : ROLE_NAME;
        p->result->views[p->at].removed = !is_present(o, p->binary);
        p->at++;
        take_value(p, o, p->arguments->list[p->at].text);
}

/*
 * A long option may be cut short as long as it means one thing. The two names of -b do: getopt_long() takes
 * options that do the same for one. An option that is there goes before one that was.
 */
static const struct Option *find_long(const Parser *p, const char *name, size_t n) {
        const struct Option *found = NULL, *gone = NULL;

        for (size_t i = 0; i < ELEMENTSOF(options); i++) {
                const struct Option *o = options + i;

                if (!o->name || strncmp(o->name, name, n) != 0)
                        continue;
                if (!is_present(o, p->binary)) {
                        gone = o->presence == WITH_BLACKLIST ? o : gone;
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

static void take_long(Parser *p, const char *text) {
        size_t n = strcspn(text, "=");
        const struct Option *o = find_long(p, text, n);

        if (!o || (text[n] && o->takes == TAKES_NOTHING))
                fault(p, FAULT_UNKNOWN);
        else
                take_option(p, o, text[n] ? text + n + 1 : NULL);
}

static const struct Option *find_short(const Parser *p, char letter) {
        for (size_t i = 0; i < ELEMENTSOF(options); i++)
                if (options[i].letter == letter && is_present(options + i, p->binary))
                        return options + i;

        return NULL;
}

/* Letters that take nothing may stand together. */
static void take_short(Parser *p, const char *text) {
        for (; *text; text++) {
                const struct Option *o = find_short(p, *text);

                if (!o) {
                        fault(p, FAULT_UNKNOWN);
                        return;
                }
                if (o->takes == TAKES_NOTHING) {
                        take_option(p, o, NULL);
                        continue;
                }

                take_option(p, o, text[1] ? text + 1 : NULL);
                return;
        }
}

static void check_exclusive(const Parser *p) {
        bool block = false, allow = false;

        for (size_t i = 0; i < p->result->n; i++) {
                block = block || (p->result->views[i].role == ROLE_BLOCK && *p->result->views[i].value);
                allow = allow || (p->result->views[i].role == ROLE_ALLOW && *p->result->views[i].value);
        }

        if (block && allow && qga_binary_is_exclusive(p->binary) && p->result->fault == FAULT_NONE)
                p->result->fault = FAULT_EXCLUSIVE;
}

int qga_arguments_parse(const Arguments *arguments, const QgaBinary *binary, QgaArguments *ret) {
        Parser p = {.arguments = arguments, .binary = binary, .result = ret};
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
                        take_long(&p, text + 2);
                else
                        take_short(&p, text + 1);
        }

        check_exclusive(&p);
        return 0;
}

const char *qga_arguments_value(const QgaArguments *a, ArgumentRole role) {
        const char *value = NULL;

        for (size_t i = 0; i < a->n; i++)
                if (a->views[i].role == role)
                        value = a->views[i].value;

        return value;
}
