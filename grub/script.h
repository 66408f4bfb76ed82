/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * GRUB's configuration language, read as GRUB 2.12 reads it: bytes as grub_file_getline() and
 * read_config_file_getline() deliver them (grub-core/normal/getline.c, main.c), tokens as grub-core/script/yylex.l
 * and the grammar as grub-core/script/parser.y define them. Nothing is executed and no variable is expanded.
 */

#include "core/util.h"

/* GRUB's parser runs out of stack between 1,665 and 1,998 nested blocks, and at 9,994 words of a command. */
#define SCRIPT_DEPTH_MAX 1000U
#define SCRIPT_WORDS_MAX 9000U

/* The "parent" of a command that is in no menu. */
#define SCRIPT_NO_PARENT SIZE_MAX

/* One word of a command. A word without bytes of its own, such as a lone "\" before a newline, is left out. */
typedef struct ScriptWord {
        size_t offset, size; /* its bytes with quotes, in general without line continuations at its ends */
        const char *value;   /* without quotes and escapes; variables are not expanded */
} ScriptWord;

typedef struct ScriptCommand {
        unsigned line;           /* where its first word begins, from 1 */
        const ScriptWord *words; /* words[0] is the command's name */
        size_t n_words;          /* at least 1 */
        size_t parent;           /* index of the menuentry or submenu that it is in, or SCRIPT_NO_PARENT */
        bool os_prober;          /* written by grub-mkconfig's 30_os-prober: another operating system */
} ScriptCommand;

typedef struct Script {
        ScriptCommand *commands; /* in the order of the text; a menuentry comes before what it holds */
        size_t n_commands;
        ScriptWord *words;
        size_t n_words;
        char *values;
} Script;

#define SCRIPT_NULL ((Script) {})

typedef struct ScriptError {
        unsigned line;      /* from 1 */
        const char *reason; /* a sentence without a full stop */
} ScriptError;

/**
 * script_parse() - read a whole configuration file
 * @text: its bytes
 * @size: how many
 * @ret: takes the commands; the caller calls script_done()
 * @ret_error: takes why GRUB would refuse the file; only set with -EINVAL
 *
 * The time is linear in the size, and nesting is not recursive.
 *
 * Return: 0; -EINVAL if GRUB would refuse the file; -ENOMEM.
 */
int script_parse(const char *text, size_t size, Script *ret, ScriptError *ret_error);

/** script_done() - release the commands */
void script_done(Script *s);

#define _cleanup_script_ _cleanup_(script_done)
