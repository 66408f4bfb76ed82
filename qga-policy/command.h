/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The command of an ExecStart= setting, and the arguments that the service manager makes of it
 * (systemd.service(5), "Command lines"; systemd: src/core/load-fragment.c, config_parse_exec();
 * src/basic/env-util.c, replace_env_argv()).
 */

#include "qga-policy/environment.h"
#include "qga-policy/words.h"

typedef struct ExecCommand {
        const UnitSetting *setting; /* where it was written; the unit owns it */
        char *prefix;               /* of "-@:+!|" */
        char *path;                 /* of the program */
        Words words;                /* the program first, prefix included */
        bool literal;               /* prefix ":": variables are not expanded */
} ExecCommand;

/* One argument as the program gets it. */
typedef struct ExecArgument {
        char *text;
        size_t word;              /* which word of the command it was made of */
        const EnvironmentVariable *variable; /* the first that was used for it, or NULL; the environment owns it */
        bool split;               /* the whole word is a $VARIABLE, which can make any number of arguments */
} ExecArgument;

typedef struct ExecArguments {
        ExecArgument *list; /* without the program itself */
        size_t n;
} ExecArguments;

/**
 * exec_command_parse() - take an ExecStart= apart
 * @unit: the unit
 * @setting: one of its settings
 * @ret: takes the command; the caller calls exec_command_done()
 *
 * Return: 0; -EINVAL where the manager would refuse it; -EOPNOTSUPP where it is more than one command, or the
 * program gets another name than its own; -ENOMEM.
 */
int exec_command_parse(const Unit *unit, const UnitSetting *setting, ExecCommand *ret);

/** exec_command_done() - release what exec_command_parse() filled in */
void exec_command_done(ExecCommand *command);
#define _cleanup_exec_command_ _cleanup_(exec_command_done)

/**
 * exec_command_expand() - the arguments that the program gets
 * @unit: the unit
 * @command: the command
 * @environment: the unit's variables; must outlive the arguments
 * @ret: takes the arguments; the caller calls exec_arguments_done()
 *
 * Return: 0, -E2BIG or -ENOMEM.
 */
int exec_command_expand(const Unit *unit, const ExecCommand *command, const Environment *environment, ExecArguments *ret);

/** exec_arguments_add() - append an argument that comes from no unit file. Return: 0 or -ENOMEM. */
int exec_arguments_add(ExecArguments *arguments, const char *text);

/** exec_arguments_done() - release the arguments */
void exec_arguments_done(ExecArguments *arguments);
#define _cleanup_exec_arguments_ _cleanup_(exec_arguments_done)
