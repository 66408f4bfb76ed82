/* SPDX-License-Identifier: Apache-2.0 */

/* Reading and writing a ledger. Tested by tests/unit/core/test-ledger.c. */

#include "core/ledger-internal.h"
#include "core/replace.h"

/* Enough for 16384 boot entries with three tokens each, in the middle of a transaction. */
#define LEDGER_MAX (64U * 1024U * 1024U)
#define LEDGER_SCHEMA 1

static int ledger_names_to_json(char *const *names, json_object *o, const char *key) {
        json_object *array = json_object_new_array();

        if (json_set(o, key, array) < 0)
                return -ENOMEM;

        for (char *const *name = names; *name; name++)
                if (json_add(array, json_text(*name)) < 0)
                        return -ENOMEM;

        return 0;
}

static int ledger_record_to_json(const void *record, const LedgerField *fields, size_t n, json_object *o) {
        for (size_t i = 0; i < n; i++) {
                void *value = *(void *const *) ((const char *) record + fields[i].offset);
                int r = 0;

                if (fields[i].type == LEDGER_FIELD_NAMES && value)
                        r = ledger_names_to_json(value, o, fields[i].name);
                else if (fields[i].type != LEDGER_FIELD_NAMES && (value || fields[i].type != LEDGER_FIELD_EXTRA))
                        r = json_set_text(o, fields[i].name, value);
                if (r < 0)
                        return r;
        }

        return 0;
}

static int ledger_list_to_json(const Ledger *ledger, const LedgerList *list, json_object *o) {
        const char *records = *ledger_list_array(ledger, list);
        json_object *array;

        if (list->optional && *ledger_list_count(ledger, list) == 0)
                return 0;

        array = json_object_new_array();
        if (json_set(o, list->name, array) < 0)
                return -ENOMEM;

        for (size_t i = 0; i < *ledger_list_count(ledger, list); i++) {
                json_object *record = json_object_new_object();

                if (!record || json_add(array, record) < 0 ||
                    ledger_record_to_json(records + i * list->size, list->fields, list->n_fields, record) < 0)
                        return -ENOMEM;
        }

        return 0;
}

static int ledger_to_json(const Ledger *ledger, json_object **ret) {
        _cleanup_json_ json_object *o = json_object_new_object();
        json_object *next = NULL;

        if (!o || json_set(o, "schema", json_object_new_int(LEDGER_SCHEMA)) < 0)
                return -ENOMEM;

        for (size_t l = 0; l < _LEDGER_LISTS_MAX; l++)
                if (ledger_list_to_json(ledger, ledger_lists + l, o) < 0)
                        return -ENOMEM;

        if (ledger->next && (ledger_to_json(ledger->next, &next) < 0 || json_set(o, "next", next) < 0))
                return -ENOMEM;

        *ret = TAKE_PTR(o);
        return 0;
}

static int ledger_names_from_json(json_object *array, char ***ret) {
        _cleanup_(strv_freep) char **names = NULL;
        size_t n = 0;

        if (grow(&names, 0, sizeof(char *)) < 0)
                return -ENOMEM;

        for (size_t i = 0; i < json_object_array_length(array); i++) {
                json_object *name = json_object_array_get_idx(array, i);

                if (!json_object_is_type(name, json_type_string))
                        return -EBADMSG;
                if (strv_take(&names, &n, strdup(json_object_get_string(name))) < 0)
                        return -ENOMEM;
        }

        *ret = TAKE_PTR(names);
        return 0;
}

static int ledger_field_from_json(void *record, const LedgerField *field, json_object *o) {
        void **p = (void **) ((char *) record + field->offset);
        json_object *names;
        const char *text;

        if (field->type == LEDGER_FIELD_NAMES) {
                names = json_get_array(o, field->name);
                return names ? ledger_names_from_json(names, (char ***) p) : 0;
        }

        text = json_get_text(o, field->name);
        if (!text)
                return field->type == LEDGER_FIELD_OPTIONAL || field->type == LEDGER_FIELD_EXTRA ? 0 : -EBADMSG;
        if (field->type == LEDGER_FIELD_PATH && text[0] != '/')
                return -EBADMSG;

        *p = strdup(text);
        return *p ? 0 : -ENOMEM;
}

static int ledger_record_from_json(void *record, const LedgerField *fields, size_t n, json_object *o) {
        int r;

        if (!json_object_is_type(o, json_type_object))
                return -EBADMSG;

        for (size_t i = 0; i < n; i++) {
                r = ledger_field_from_json(record, fields + i, o);
                if (r < 0)
                        return r;
        }

        return 0;
}

static int ledger_list_from_json(Ledger *ledger, const LedgerList *list, json_object *o) {
        json_object *array = json_get_array(o, list->name);
        int r;

        if (!array)
                return list->optional && !json_object_object_get_ex(o, list->name, NULL) ? 0 : -EBADMSG;

        for (size_t i = 0; i < json_object_array_length(array); i++) {
                void *record = ledger_list_add(ledger, list);

                if (!record)
                        return -ENOMEM;
                r = ledger_record_from_json(record, list->fields, list->n_fields, json_object_array_get_idx(array, i));
                if (r < 0)
                        return r;
        }

        return 0;
}

static int ledger_from_json(json_object *o, bool with_next, Ledger *ledger) {
        json_object *part;
        int r;

        if (!json_object_is_type(o, json_type_object) || !json_object_object_get_ex(o, "schema", &part) ||
            json_object_get_int(part) != LEDGER_SCHEMA)
                return -EBADMSG;

        for (size_t l = 0; l < _LEDGER_LISTS_MAX; l++) {
                r = ledger_list_from_json(ledger, ledger_lists + l, o);
                if (r < 0)
                        return r;
        }

        if (!with_next || !json_object_object_get_ex(o, "next", &part))
                return 0;

        r = ledger_new(&ledger->next, ledger->path);
        if (r < 0)
                return r;

        return ledger_from_json(part, false, ledger->next);
}

static int ledger_parse(const Buffer *text, const char *path, Ledger **ret) {
        _cleanup_(ledger_freep) Ledger *ledger = NULL;
        _cleanup_json_ json_object *o = NULL;
        int r;

        r = json_parse(text->data, text->size, &o);
        if (r < 0)
                return r;
        r = ledger_new(&ledger, path);
        if (r < 0)
                return r;
        r = ledger_from_json(o, true, ledger);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(ledger);
        return 0;
}

static LedgerStatus ledger_status_of_error(int r) {
        switch (r) {
        case -ENOENT:
                return LEDGER_ABSENT;
        case -EBADMSG:
        case -EISDIR:
        case -EOPNOTSUPP:
        case -EFBIG:
                return LEDGER_INVALID;
        default:
                return LEDGER_UNREADABLE;
        }
}

int ledger_read(const Root *root, const char *path, Ledger **ret) {
        _cleanup_buffer_ Buffer text = BUFFER_NULL;
        int r, error;

        error = root_read(root, path, LEDGER_MAX, &text);
        if (error >= 0) {
                error = ledger_parse(&text, path, ret);
                if (error >= 0)
                        return 0;
        }
        if (error == -ENOMEM)
                return error;

        r = ledger_new(ret, path);
        if (r < 0)
                return r;

        (*ret)->status = ledger_status_of_error(error);
        (*ret)->error = error;
        return 0;
}

int ledger_write(const Root *root, const Ledger *ledger) {
        _cleanup_buffer_ Buffer text = BUFFER_NULL;
        _cleanup_json_ json_object *o = NULL;
        int r;

        r = ledger_to_json(ledger, &o);
        if (r < 0)
                return r;
        r = json_format_pretty(o, &text);
        if (r < 0)
                return r;
        if (text.size > LEDGER_MAX)
                return -EFBIG;

        /* Everybody may read it: it holds no secrets, and `gtune status` needs it and no privilege. */
        return replace_file(root, ledger->path, &text, 0644);
}
