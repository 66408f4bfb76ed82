/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * GRUB's configuration language, read as GRUB 2.12 reads it: bytes as grub_file_getline() and
 * read_config_file_getline() deliver them (grub-core/normal/getline.c, main.c), tokens as grub-core/script/yylex.l
 * and the grammar as grub-core/script/parser.y define them. Nothing is executed and no variable is expanded. The loop
 * "for NAME in WORD..." is a command "for" with the words NAME WORD... before the commands of the loop.
 */

#include "core/util.h"

/* GRUB's parser runs out of stack between 1,665 and 1,998 nested blocks, and at 9,994 words of a command. */
#define SCRIPT_DEPTH_MAX 1000U
#define SCRIPT_WORDS_MAX 9000U

/* The "parent" of a command that is in no menu. */
#define SCRIPT_NO_PARENT SIZE_MAX

/* A variable in a word: "$name" or "${name}". */
typedef struct ScriptReference {
        uint32_t begin;    /* in the value of the word; it begins with the "$" */
        uint32_t size : 31;
        uint32_t quoted : 1; /* in double quotes: its value is not split at blanks */
} ScriptReference;

/* One word of a command. A word without bytes of its own, such as a lone "\" before a newline, is left out. */
typedef struct ScriptWord {
        size_t offset, size; /* its bytes with quotes, in general without line continuations at its ends */
        const char *value;   /* without quotes and escapes; variables are not expanded */
        uint32_t references; /* its variables are Script.references from here on, in the order of the value */
        uint32_t n_references : 31;
        uint32_t quotes : 1; /* it has quotes: it is an argument even if nothing is in them */
} ScriptWord;

typedef struct ScriptCommand {
        unsigned line;           /* where its first word begins, from 1 */
        const ScriptWord *words; /* words[0] is the command's name */
        size_t n_words;          /* at least 1 */
        size_t parent;           /* index of the menuentry or submenu that it is in, or SCRIPT_NO_PARENT */
        bool os_prober;          /* written by grub-mkconfig's 30_os-prober: another operating system */
        bool in_function;        /* it runs when the function is called */
        bool conditional;        /* in its menu, or function, it may not run: it is in an "if" or a loop */
        /*
         * The index of the one command that decides whether it runs: it is after "then", and nothing else is around it.
         * SCRIPT_NO_PARENT if there is no such command. With "otherwise" it is after the "elif" or "else" of that "if".
         */
        size_t guard;
        bool otherwise;
} ScriptCommand;

typedef struct Script {
        ScriptCommand *commands; /* in the order of the text; a menuentry comes before what it holds */
        size_t n_commands;
        ScriptWord *words;
        size_t n_words;
        ScriptReference *references;
        size_t n_references;
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
 * @ret_error: takes where GRUB reports an error first, and why; only set with -EINVAL
 *
 * The time is linear in the size, and nesting is not recursive.
 *
 * After an error GRUB itself drops the command that has it and reads on (grub-core/normal/main.c: read_config_file()).
 * Which command that is depends on its parser, so that nothing is read here. Return: 0; -EINVAL; -ENOMEM.
 */
int script_parse(const char *text, size_t size, Script *ret, ScriptError *ret_error);

/** script_done() - release the commands */
void script_done(Script *s);

#define _cleanup_script_ _cleanup_(script_done)
