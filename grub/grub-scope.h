/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The variables of a grub.cfg at each of its commands, as far as the file, the files that it reads and the environment
 * blocks that it loads tell them. Nothing is executed: a command whose condition is not certain may run or not, and
 * then a variable has several values.
 *
 * The rules are those of grub-core/script/execute.c (grub_script_arglist_to_argv(), grub_script_env_get()) and argv.c.
 */

#include "core/buffer.h"
#include "core/root.h"
#include "grub/script.h"

/* More values than these are not remembered: the variable can have any. */
#define GRUB_FORMS_MAX 8U

typedef struct GrubScope GrubScope;

/* What one word becomes if its variables have certain values: arguments, each of which ends with NUL. */
typedef struct GrubForm {
        Buffer args;
        size_t n_args;
} GrubForm;

/* All that a word can become. */
typedef struct GrubExpansion {
        GrubForm forms[GRUB_FORMS_MAX]; /* in the last one, each variable has the value that was assigned last */
        size_t n_forms;                 /* at least 1 */
        bool unknown;                   /* an argument begins with a variable that can have any value */
        bool uncertain;                 /* a variable has values in the forms, and can have any other one, or none */
} GrubExpansion;

/**
 * grub_scope_expand() - the arguments that GRUB makes of a word
 * @scope: the variables
 * @script: the script of the word
 * @w: the word
 * @ret: takes the forms; the caller calls grub_expansion_done()
 *
 * A variable that is not set has no bytes, and the value of one outside of quotes is split at blanks. In place of a
 * value that is not known, its reference "$name" stays, and so does a word whose forms are too long together. Return:
 * 0 or -ENOMEM.
 */
int grub_scope_expand(const GrubScope *scope, const Script *script, const ScriptWord *w, GrubExpansion *ret);

/** grub_scope_spend() - take steps off the work that may still be done for the file; after that, words are not known */
void grub_scope_spend(const GrubScope *scope, size_t n);

/** grub_expansion_done() - release the forms */
void grub_expansion_done(GrubExpansion *e);

/**
 * grub_scope_get() - the value that a variable was assigned last
 * @ret_certain: takes whether it cannot have another one, and cannot be unset
 *
 * Return: the value, which belongs to the scope, or NULL if the variable is not set or not known.
 */
const char *grub_scope_get(const GrubScope *scope, const char *name, bool *ret_certain);

/** grub_scope_outermost() - the variables outside of all menus, which a scope is in */
const GrubScope *grub_scope_outermost(const GrubScope *scope);

/* A file of GRUB commands that is read: a grub.cfg, or a file that it reads with "source". */
typedef struct GrubSource {
        char *path; /* the real path */
        Buffer content;
        Script script;
        int8_t *outcomes; /* of each command that is a condition; private to grub-scope.c */
} GrubSource;

/*
 * Called for each command that can run, with the variables that it sees: first those outside of menus, then those in
 * functions and menus. Return: 0 or -ENOMEM.
 */
typedef int (*GrubVisit)(void *userdata, const GrubScope *scope, const GrubSource *source, const ScriptCommand *c);

/**
 * grub_scope_run() - find the variables of a grub.cfg
 * @root: the root, where other files are read; NULL: none are
 * @source: the grub.cfg; its outcomes are set
 * @visit: called for each command
 * @userdata: passed to @visit
 * @ret: takes the variables as they are when the menu is shown; the caller calls grub_scope_free()
 *
 * Return: 0 or -ENOMEM.
 */
int grub_scope_run(const Root *root, GrubSource *source, GrubVisit visit, void *userdata, GrubScope **ret);

/** grub_source_done() - release a source */
void grub_source_done(GrubSource *s);

/** grub_scope_free() - release the variables; NULL is ignored */
GrubScope *grub_scope_free(GrubScope *scope);
DEFINE_CLEANUP(GrubScope *, grub_scope_free);
