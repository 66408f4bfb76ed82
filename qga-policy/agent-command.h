/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The command line of a qemu-ga with all that decides which RPCs it closes: either of a unit, as the unit's files have
 * it, or of a running process.
 */

#include "core/service.h"
#include "qga-policy/restrictions.h"

/* A unit's files, and what follows from them. The parts point into each other: never copy an AgentCommand. */
typedef struct AgentCommand {
        Unit unit;
        Environment environment;
        ExecCommand command;
        ExecArguments arguments;
        QgaArguments view;
        QgaConf conf;
        Restrictions restrictions;
        char *problem; /* why gtuned cannot know what the unit runs; NULL: it knows */
} AgentCommand;

/**
 * agent_unit_read() - read a unit's files as far as its command
 * @root: the root
 * @name: of the unit
 * @path: a drop-in that is not read, because the caller gives its text; NULL: read every drop-in
 * @text: the text of that drop-in; NULL: as if the drop-in did not exist
 * @ret: takes the answer; the caller calls agent_command_done()
 *
 * Return: 0 or -ENOMEM.
 */
int agent_unit_read(const Root *root, const char *name, const char *path, const char *text, AgentCommand *ret);

/**
 * agent_unit_judge() - find out which RPCs the command closes
 * @root: the root
 * @binary: what its program understands
 * @a: the answer of agent_unit_read(), which has no problem; takes the rest
 *
 * Return: 0 or -ENOMEM.
 */
int agent_unit_judge(const Root *root, const QgaBinary *binary, AgentCommand *a);

/**
 * agent_process_judge() - find out which RPCs a process closes
 * @root: the root
 * @binary: what its program understands
 * @service: the service; the process is its main process
 * @unit: the unit of the service, as its files are now
 * @a: a zeroed command; the caller calls agent_command_done()
 *
 * qemu-ga reads qemu-ga.conf only when it starts: a file that changed later is not taken into account. Return: 0 or
 * -ENOMEM.
 */
int agent_process_judge(const Root *root, const QgaBinary *binary, const Service *service, const Unit *unit,
                        AgentCommand *a);

/** agent_command_done() - release what the functions above filled in */
void agent_command_done(AgentCommand *a);
#define _cleanup_agent_command_ _cleanup_(agent_command_done)

/**
 * agent_command_text() - the command as its file has it, in one line. Return: a new string; NULL if memory is
 * exhausted.
 */
char *agent_command_text(const ExecCommand *command);

/** agent_command_list() - the last argument that holds a list of RPCs, or NULL */
const char *agent_command_list(const AgentCommand *a) _pure_;
