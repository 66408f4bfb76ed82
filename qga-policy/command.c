/* SPDX-License-Identifier: Apache-2.0 */

#include <assert.h>

#include "qga-policy/command.h"

/* More than this in one argument is refused, in bytes: a variable that is used many times over. */
#define ARGUMENT_MAX (128U * 1024U)

void command_done(Command *command) {
        free(command->prefix);
        free(command->path);
        words_done(&command->words);
        *command = (Command) {};
}

void arguments_done(Arguments *arguments) {
        for (size_t i = 0; i < arguments->n; i++)
                free(arguments->list[i].text);
        free(arguments->list);
        *arguments = (Arguments) {};
}

static int add(Arguments *arguments, const char *text, size_t word, const Variable *variable, bool split) {
        Argument *a;

        if (arguments->n >= WORDS_MAX || strlen(text) > ARGUMENT_MAX)
                return -E2BIG;
        if (grow(&arguments->list, arguments->n, sizeof(Argument)) < 0)
                return -ENOMEM;

        a = arguments->list + arguments->n++;
        *a = (Argument) {.text = strdup(text), .word = word, .variable = variable, .split = split};
        return a->text ? 0 : -ENOMEM;
}

int arguments_add(Arguments *arguments, const char *text) {
        int r = add(arguments, text, arguments->n, NULL, false);

        return r == -E2BIG ? 0 : r;
}

static bool is_one_command(const Words *words) {
        for (size_t i = 0; i < words->n; i++)
                if (streq(words->list[i].raw, ";"))
                        return false;

        return true;
}

int command_parse(const Unit *unit, const UnitSetting *setting, Command *ret) {
        _cleanup_command_ Command c = {.setting = setting};
        const char *program;
        size_t n;
        int r;

        assert(ret);

        r = words_split(setting->value, WORDS_COMMAND, &c.words);
        if (r < 0)
                return r;
        if (c.words.n == 0)
                return -EINVAL;
        if (!is_one_command(&c.words))
                return -EOPNOTSUPP;

        program = c.words.list->text;
        n = strspn(program, "-@:+!|");
        c.prefix = strndup(program, n);
        c.path = unit_expand_specifiers(unit->name, program + n);
        if (!c.prefix || !c.path)
                return -ENOMEM;
        if (strchr(c.prefix, '@'))
                return -EOPNOTSUPP;
        if (*c.path != '/')
                return *c.path ? -EOPNOTSUPP : -EINVAL;

        c.literal = strchr(c.prefix, ':') != NULL;
        *ret = c;
        c = (Command) {};
        return 0;
}

/* Variables inside of a word; what is not set is empty. */
static int replace(const char *text, const Environment *environment, Buffer *b, const Variable **ret_variable) {
        int r = buffer_puts(b, "");

        while (r >= 0 && *text) {
                size_t n = strcspn(text, "$");
                const char *end;

                r = buffer_append(b, text, n);
                text += n;
                if (r < 0 || !*text)
                        break;

                end = text[1] == '{' ? strchr(text, '}') : NULL;
                if (end) {
                        const Variable *v = environment_get(environment, text + 2, (size_t) (end - text - 2));

                        r = v ? buffer_puts(b, v->value) : 0;
                        *ret_variable = *ret_variable ? *ret_variable : v;
                        text = end + 1;
                } else {
                        r = buffer_puts(b, "$");
                        text += text[1] == '$' ? 2 : 1;
                }
                if (b->size > ARGUMENT_MAX)
                        return -E2BIG;
        }

        return r;
}

static int expand_split(const char *name, size_t word, const Environment *environment, Arguments *ret) {
        const Variable *v = environment_get(environment, name, strlen(name));
        _cleanup_words_ Words words = {};
        int r;

        if (!v)
                return 0;

        r = words_split(v->value, WORDS_VARIABLE, &words);
        for (size_t i = 0; r >= 0 && i < words.n; i++)
                r = add(ret, words.list[i].text, word, v, true);

        return r;
}

static int expand_word(const char *text, size_t word, const Command *command, const Environment *environment,
                       Arguments *ret) {
        _cleanup_buffer_ Buffer b = BUFFER_NULL;
        const Variable *variable = NULL;
        int r;

        if (command->literal)
                return add(ret, text, word, NULL, false);
        if (text[0] == '$' && text[1] && text[1] != '{' && text[1] != '$')
                return expand_split(text + 1, word, environment, ret);

        r = replace(text, environment, &b, &variable);
        return r < 0 ? r : add(ret, b.data, word, variable, false);
}

int command_expand(const Unit *unit, const Command *command, const Environment *environment, Arguments *ret) {
        int r = 0;

        assert(ret);

        *ret = (Arguments) {};
        for (size_t i = 1; r >= 0 && i < command->words.n; i++) {
                _cleanup_free_ char *text = unit_expand_specifiers(unit->name, command->words.list[i].text);

                r = text ? expand_word(text, i, command, environment, ret) : -ENOMEM;
        }
        if (r < 0)
                arguments_done(ret);

        return r;
}
