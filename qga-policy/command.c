/* SPDX-License-Identifier: Apache-2.0 */

#include <assert.h>

#include "qga-policy/command.h"

/* The size limit of one argument in bytes, for variables that are expanded many times. */
#define EXEC_ARGUMENT_MAX (128U * 1024U)

void exec_command_done(ExecCommand *command) {
        free(command->prefix);
        free(command->path);
        words_done(&command->words);
        *command = (ExecCommand) {};
}

void exec_arguments_done(ExecArguments *arguments) {
        for (size_t i = 0; i < arguments->n; i++)
                free(arguments->list[i].text);
        free(arguments->list);
        *arguments = (ExecArguments) {};
}

static int exec_arguments_append(ExecArguments *arguments, const char *text, size_t word,
                                 const EnvironmentVariable *variable, bool split) {
        ExecArgument *a;

        if (arguments->n >= WORDS_MAX || strlen(text) > EXEC_ARGUMENT_MAX)
                return -E2BIG;
        if (grow(&arguments->list, arguments->n, sizeof(ExecArgument)) < 0)
                return -ENOMEM;

        a = arguments->list + arguments->n++;
        *a = (ExecArgument) {.text = strdup(text), .word = word, .variable = variable, .split = split};
        return a->text ? 0 : -ENOMEM;
}

int exec_arguments_add(ExecArguments *arguments, const char *text) {
        int r = exec_arguments_append(arguments, text, arguments->n, NULL, false);

        return r == -E2BIG ? 0 : r;
}

int exec_command_parse(const Unit *unit, const UnitSetting *setting, ExecCommand *ret) {
        _cleanup_exec_command_ ExecCommand c = {.setting = setting};
        const char *program;
        size_t n;
        int r;

        assert(ret);

        r = words_split(setting->value, WORDS_COMMAND, &c.words);
        if (r < 0)
                return r;
        if (c.words.n == 0)
                return -EINVAL;
        for (size_t i = 0; i < c.words.n; i++)
                if (streq(c.words.list[i].raw, ";"))
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
        c = (ExecCommand) {};
        return 0;
}

/*
 * Expand each ${VARIABLE} in a word. A variable that is not set is empty.
 * @ret_variable: takes the first variable that was expanded; unchanged if there is none
 */
static int exec_command_replace_variables(const char *text, const Environment *environment, Buffer *b,
                                          const EnvironmentVariable **ret_variable) {
        int r = buffer_puts(b, "");

        while (r >= 0 && *text) {
                size_t n = strcspn(text, "$");
                const char *end;

                r = buffer_append(b, text, n);
                if (r < 0)
                        return r;
                text += n;
                if (!*text)
                        return 0;

                end = text[1] == '{' ? strchr(text, '}') : NULL;
                if (end) {
                        size_t size = (size_t) (end - text - 2);
                        const EnvironmentVariable *v = environment_get(environment, text + 2, size);

                        r = v ? buffer_puts(b, v->value) : 0;
                        *ret_variable = *ret_variable ? *ret_variable : v;
                        text = end + 1;
                } else {
                        r = buffer_puts(b, "$");
                        text += text[1] == '$' ? 2 : 1;
                }
                if (b->size > EXEC_ARGUMENT_MAX)
                        return -E2BIG;
        }

        return r;
}

/* Expand a word that is a $VARIABLE: the value is split into words again. */
static int exec_command_expand_split(const char *name, size_t word, const Environment *environment,
                                     ExecArguments *ret) {
        const EnvironmentVariable *v = environment_get(environment, name, strlen(name));
        _cleanup_words_ Words words = {};
        int r;

        if (!v)
                return 0;

        r = words_split(v->value, WORDS_VARIABLE, &words);
        if (r < 0)
                return r;

        for (size_t i = 0; i < words.n; i++) {
                r = exec_arguments_append(ret, words.list[i].text, word, v, true);
                if (r < 0)
                        return r;
        }

        return 0;
}

static int exec_command_expand_word(const char *text, size_t word, const ExecCommand *command,
                                    const Environment *environment, ExecArguments *ret) {
        _cleanup_buffer_ Buffer b = BUFFER_NULL;
        const EnvironmentVariable *variable = NULL;
        int r;

        if (command->literal)
                return exec_arguments_append(ret, text, word, NULL, false);
        if (text[0] == '$' && text[1] && text[1] != '{' && text[1] != '$')
                return exec_command_expand_split(text + 1, word, environment, ret);

        r = exec_command_replace_variables(text, environment, &b, &variable);
        return r < 0 ? r : exec_arguments_append(ret, b.data, word, variable, false);
}

int exec_command_expand(const Unit *unit, const ExecCommand *command, const Environment *environment,
                        ExecArguments *ret) {
        _cleanup_exec_arguments_ ExecArguments arguments = {};

        assert(ret);

        *ret = (ExecArguments) {};
        for (size_t i = 1; i < command->words.n; i++) {
                _cleanup_free_ char *text = unit_expand_specifiers(unit->name, command->words.list[i].text);
                int r;

                if (!text)
                        return -ENOMEM;

                r = exec_command_expand_word(text, i, command, environment, &arguments);
                if (r < 0)
                        return r;
        }

        *ret = arguments;
        arguments = (ExecArguments) {};
        return 0;
}
