/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Checks JSON from an untrusted source against tables of members. Members that no table names are ignored. The texts
 * that say what is wrong hold no byte of the source, so they can be printed. The tests are those of the tables:
 * tests/unit/host/test-reply.c and test-known-keys.c.
 */

#include "core/json.h"

#define SHAPE_TYPE(name) (1U << json_type_##name)
#define SHAPE_TEXT SHAPE_TYPE(string)
#define SHAPE_TEXT_OR_NULL (SHAPE_TYPE(string) | SHAPE_TYPE(null))

/* A member of an object, and the rules for its value. */
typedef struct ShapeField ShapeField;
struct ShapeField {
        const char *name;               /* NULL ends a table */
        unsigned types;                 /* the allowed types, as SHAPE_TYPE() bits */
        size_t max;                     /* of a text the bytes, of an array the elements; 0: no limit */
        bool required;                  /* the object must have this member */
        bool (*allowed)(json_object *); /* whether a value of the right type is allowed; NULL: every value is */
        const ShapeField *members;      /* the members of this object, or of each element; may be NULL */
        unsigned elements;              /* of an array: the allowed types of each element, as SHAPE_TYPE() bits */
};

/** shape_schema_1() - check that a number is 1, the only format so far; for the "schema" of a document */
bool shape_schema_1(json_object *o);

/* The positive outcome of shape_check(): the value is not as the table says. */
#define SHAPE_FAULT 1

/**
 * shape_check() - check that a value is an object with these members
 * @o: the value; may be NULL
 * @fields: the table of members; the last row has no name
 * @ret_where: takes a text like "practices[1].name is missing"; the caller frees it
 *
 * A text with a NUL byte is never accepted. Return: 0; SHAPE_FAULT with *ret_where set; -ENOMEM.
 */
int shape_check(json_object *o, const ShapeField *fields, char **ret_where);
