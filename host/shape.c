/* SPDX-License-Identifier: Apache-2.0 */

#include <assert.h>

#include "host/shape.h"

bool shape_schema_1(json_object *o) {
        return json_object_get_int64(o) == 1;
}

static size_t shape_extent(json_object *o) {
        switch (json_object_get_type(o)) {
        case json_type_string:
                return (size_t) json_object_get_string_len(o);
        case json_type_array:
                return json_object_array_length(o);
        default:
                return 0;
        }
}

/* Check a value without its members and elements. Return: what is wrong with it, or NULL. */
static const char *shape_value_fault(json_object *o, unsigned types, size_t max) {
        if (!(types & 1U << json_object_get_type(o)))
                return "has the wrong type";
        if (max > 0 && shape_extent(o) > max)
                return "is too long";
        if (json_object_is_type(o, json_type_string) && strlen(json_object_get_string(o)) != shape_extent(o))
                return "holds a NUL byte";

        return NULL;
}

/* All checks below return 0, SHAPE_FAULT with *where set, or -ENOMEM. */
static int shape_fault(char **where, const char *path, const char *what) {
        *where = xasprintf("%s %s", path, what);
        if (!*where)
                return -ENOMEM;

        return SHAPE_FAULT;
}

static int shape_check_object(json_object *o, const ShapeField *fields, const char *path, char **where);

static int shape_check_array(json_object *array, const ShapeField *field, const char *path, char **where) {
        int r;

        for (size_t i = 0; i < json_object_array_length(array); i++) {
                json_object *o = json_object_array_get_idx(array, i);
                _cleanup_free_ char *name = xasprintf("%s[%zu]", path, i);
                const char *what = shape_value_fault(o, field->elements, 0);

                if (!name)
                        return -ENOMEM;
                if (what)
                        return shape_fault(where, name, what);
                if (!field->members)
                        continue;

                r = shape_check_object(o, field->members, name, where);
                if (r != 0)
                        return r;
        }

        return 0;
}

static int shape_check_field(json_object *value, const ShapeField *field, const char *path, char **where) {
        const char *what;

        what = shape_value_fault(value, field->types, field->max);
        if (!what && field->allowed && !field->allowed(value))
                what = "has a value that is not known";
        if (what)
                return shape_fault(where, path, what);

        if (json_object_is_type(value, json_type_array))
                return shape_check_array(value, field, path, where);
        if (json_object_is_type(value, json_type_object) && field->members)
                return shape_check_object(value, field->members, path, where);

        return 0;
}

static int shape_check_object(json_object *o, const ShapeField *fields, const char *path, char **where) {
        int r;

        for (const ShapeField *f = fields; f->name; f++) {
                _cleanup_free_ char *name = xasprintf("%s%s%s", path, *path ? "." : "", f->name);
                json_object *value;

                if (!name)
                        return -ENOMEM;

                if (json_object_object_get_ex(o, f->name, &value))
                        r = shape_check_field(value, f, name, where);
                else
                        r = f->required ? shape_fault(where, name, "is missing") : 0;
                if (r != 0)
                        return r;
        }

        return 0;
}

int shape_check(json_object *o, const ShapeField *fields, char **ret_where) {
        assert(fields);
        assert(ret_where);

        if (!json_object_is_type(o, json_type_object))
                return shape_fault(ret_where, "it", "is not an object");

        return shape_check_object(o, fields, "", ret_where);
}
