/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The inside of a GrubScope. Part of grub-scope.c and grub-scope-run.c.
 */

#include "grub/grub-scope.h"

typedef struct ScopeVariable {
        char *name;
        char *values[GRUB_FORMS_MAX]; /* those that it can have; NULL: it is not set */
        size_t n_values;              /* at least 1, unless only "unknown" is true */
        bool unknown;                 /* or any other value */
        bool uncertain;               /* or it is not set: it may not have passed into the submenu that has this copy */
        bool exported, may_export;    /* a submenu gets it, or may get it */
} ScopeVariable;

struct GrubScope {
        const GrubScope *outer;   /* the variables around a menu; NULL: there are no others */
        ScopeVariable *variables; /* sorted by name */
        size_t n_variables;
        bool submenu;             /* what is outside passes only if it is exported */
        bool in_functions;        /* functions run: each submenu may call them, and assigns what they assign */
        size_t work, *left; /* the work that may still be done for the file, in bytes and steps; the outermost scope has it */
        bool open; /* commands that are not known have run: a variable that is not of this scope can have any value */
};

/**
 * scope_set() - assign a value
 * @scope: the variables
 * @name: the variable
 * @value: the value; NULL: it is unset
 * @may: the assignment may not happen: the value is one more that the variable can have
 *
 * Return: 0 or -ENOMEM.
 */
int scope_set(GrubScope *scope, const char *name, const char *value, bool may);

/** scope_set_unknown() - as scope_set() with a value that is not known */
int scope_set_unknown(GrubScope *scope, const char *name, bool may);

/** scope_export() - submenus get a variable, or may get it; NULL: they may get all variables of the scope */
int scope_export(GrubScope *scope, const char *name, bool may);

/** scope_open() - commands that are not known run: each variable, also of the scopes around this one, can get any value */
void scope_open(GrubScope *scope);

/** scope_done() - release the variables of a scope, and not the scope itself */
void scope_done(GrubScope *scope);
