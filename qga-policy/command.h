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
        const UnitSetting *setting; /* the setting that holds it; the unit owns it */
        char *prefix;               /* characters of "-@:+!|" before the path */
        char *path;                 /* the program's */
        Words words;                /* the first is the program with its prefix */
        bool literal;               /* prefix ":": variables are not expanded */
} ExecCommand;

/* One argument as the program gets it. */
typedef struct ExecArgument {
        char *text;
        size_t word;              /* index of the word of the command that it comes from */
        const EnvironmentVariable *variable; /* the first that was expanded in it, or NULL; the environment owns it */
        bool split;               /* the whole word is a $VARIABLE, which becomes any number of arguments */
} ExecArgument;

typedef struct ExecArguments {
        ExecArgument *list; /* without the program */
        size_t n;
} ExecArguments;

/**
 * exec_command_parse() - parse an ExecStart= setting
 * @unit: the unit
 * @setting: one of its settings
 * @ret: takes the command; the caller calls exec_command_done()
 *
 * Return: 0; -EINVAL if the service manager would refuse it; -EOPNOTSUPP if it is more than one command, if argv[0] is
 * not the program's path (prefix "@"), or if the path is not absolute; -ENOMEM.
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
int exec_command_expand(const Unit *unit, const ExecCommand *command, const Environment *environment,
                        ExecArguments *ret);

/**
 * exec_arguments_add() - append an argument of a process; beyond the limits of size it is dropped. Return: 0 or -ENOMEM.
 */
int exec_arguments_add(ExecArguments *arguments, const char *text);

/** exec_arguments_done() - release the arguments */
void exec_arguments_done(ExecArguments *arguments);
#define _cleanup_exec_arguments_ _cleanup_(exec_arguments_done)
