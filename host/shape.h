/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What JSON must look like that came from elsewhere, as tables of members. Members that no table names are not looked
 * at. Nothing else here is trusted, either: the texts that say what is wrong are made of our own words only.
 */

#include "core/json.h"

#define SHAPE_TYPE(name) (1U << json_type_##name)
#define SHAPE_TEXT SHAPE_TYPE(string)
#define SHAPE_TEXT_OR_NULL (SHAPE_TYPE(string) | SHAPE_TYPE(null))

/* One member of an object, and what is known of it. */
typedef struct ShapeField ShapeField;
struct ShapeField {
        const char *name;              /* NULL ends a table */
        unsigned types;                /* SHAPE_TYPE() bits */
        size_t max;                    /* longest text, or most elements; 0: no bound but that of the line */
        bool required;
        bool (*allowed)(json_object *); /* which values; may be NULL */
        const ShapeField *members;          /* of this object, or of each element; may be NULL */
        unsigned elements;             /* SHAPE_TYPE() bits of each element */
};

/** shape_schema_1() - whether a number is 1, for the member "schema" of documents of the first format */
bool shape_schema_1(json_object *o);

/* Positive outcome of shape_check(). */
#define SHAPE_FAULT 1

/**
 * shape_check() - whether a value is an object with these members
 * @o: the value; may be NULL
 * @fields: the members, ended by one without a name
 * @ret_where: takes what is wrong, as "practices[1].name is missing"; the caller frees it
 *
 * A text must not hold a NUL byte. Return: 0; SHAPE_FAULT; -ENOMEM.
 */
int shape_check(json_object *o, const ShapeField *fields, char **ret_where);
