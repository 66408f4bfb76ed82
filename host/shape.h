/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What JSON must look like that came from elsewhere, as tables of members. Members that no table names are not looked
 * at. Nothing else here is trusted, either: the texts that say what is wrong are made of our own words only.
 */

#include "core/json.h"

#define TYPE(name) (1U << json_type_##name)
#define TEXT TYPE(string)
#define TEXT_OR_NULL (TYPE(string) | TYPE(null))

/* One member of an object, and what is known of it. */
typedef struct Field Field;
struct Field {
        const char *name;              /* NULL ends a table */
        unsigned types;                /* TYPE() bits */
        size_t max;                    /* longest text, or most elements; 0: no bound but that of the line */
        bool required;
        bool (*allowed)(json_object *); /* which values; may be NULL */
        const Field *members;          /* of this object, or of each element; may be NULL */
        unsigned elements;             /* TYPE() bits of each element */
};

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
int shape_check(json_object *o, const Field *fields, char **ret_where);
