/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The command line of a qemu-ga with all that decides what it closes: of a unit as its files have it, or of a
 * process that runs.
 */

#include "core/service.h"
#include "qga-policy/restrictions.h"

/* A unit's files, and what comes of them. The parts refer to each other: never copy one. */
typedef struct AgentCommand {
        Unit unit;
        Environment environment;
        ExecCommand command;
        ExecArguments arguments;
        QgaArguments view;
        QgaConf conf;
        Restrictions restrictions;
        char *problem; /* why it cannot be known what the unit runs; NULL: it can */
} AgentCommand;

/**
 * agent_unit_read() - read a unit's files as far as its command
 * @root: the root
 * @name: of the unit
 * @path: a drop-in whose bytes are not to be read but known
 * @text: those bytes; NULL: as if it were not there
 * @ret: takes the answer; the caller calls agent_command_done()
 *
 * Return: 0 or -ENOMEM.
 */
int agent_unit_read(const Root *root, const char *name, const char *path, const char *text, AgentCommand *ret);

/**
 * agent_unit_judge() - find out what the command closes
 * @root: the root
 * @binary: what its program understands
 * @a: the answer of agent_unit_read(), where it has no problem; takes the rest
 *
 * Return: 0 or -ENOMEM.
 */
int agent_unit_judge(const Root *root, const QgaBinary *binary, AgentCommand *a);

/**
 * agent_process_judge() - find out what a process closes
 * @root: the root
 * @binary: what its program understands
 * @service: whose main process it is
 * @unit: its unit as the files have it now
 * @a: a zeroed command; the caller calls agent_command_done()
 *
 * qemu-ga reads its file only when it starts: one that changed later is as good as none. Return: 0 or -ENOMEM.
 */
int agent_process_judge(const Root *root, const QgaBinary *binary, const Service *service, const Unit *unit,
                        AgentCommand *a);

/** agent_command_done() - release what the functions above filled in */
void agent_command_done(AgentCommand *a);
#define _cleanup_agent_command_ _cleanup_(agent_command_done)

/** agent_command_text() - the command as its file has it, in one line. Return: a new string, or NULL: no memory. */
char *agent_command_text(const ExecCommand *command);

/** agent_command_list() - the last argument that holds a list of RPCs, or NULL */
const char *agent_command_list(const AgentCommand *a) _pure_;
