/* SPDX-License-Identifier: Apache-2.0 */

/*
 * One table says which lists and fields a ledger has; reading, writing and freeing all follow it.
 */

#include <assert.h>

#include "core/ledger.h"
#include "core/replace.h"

/* What 16384 boot entries take with three tokens each, in the middle of a transaction. */
#define LEDGER_MAX (64U * 1024U * 1024U)
#define LEDGER_SCHEMA 1

typedef enum FieldType {
        FIELD_TEXT,     /* char *, must be there */
        FIELD_PATH,     /* the same, and absolute */
        FIELD_OPTIONAL, /* char *, NULL is null */
        FIELD_SUBJECT,  /* char *, NULL is left out: this machine */
        FIELD_NAMES,    /* char **, NULL where absent */
} FieldType;

typedef struct Field {
        const char *name;
        size_t offset;
        FieldType type;
} Field;

typedef struct List {
        const char *name;
        size_t array, count; /* offsets in Ledger */
        size_t size;         /* of one record */
        const Field *fields;
        size_t n_fields;
        bool optional; /* an empty list is left out */
} List;

static const Field token_fields[] = {
        {"practice", offsetof(LedgerToken, practice), FIELD_TEXT},
        {"subject", offsetof(LedgerToken, subject), FIELD_SUBJECT},
        {"store", offsetof(LedgerToken, store), FIELD_TEXT},
        {"path", offsetof(LedgerToken, path), FIELD_PATH},
        {"token", offsetof(LedgerToken, token), FIELD_TEXT},
        {"boot_id", offsetof(LedgerToken, boot_id), FIELD_OPTIONAL},
        {"keep", offsetof(LedgerToken, keep), FIELD_NAMES},
};

static const Field file_fields[] = {
        {"practice", offsetof(LedgerFile, practice), FIELD_TEXT},
        {"subject", offsetof(LedgerFile, subject), FIELD_SUBJECT},
        {"path", offsetof(LedgerFile, path), FIELD_PATH},
        {"sha256", offsetof(LedgerFile, sha256), FIELD_TEXT},
        {"unit", offsetof(LedgerFile, unit), FIELD_OPTIONAL},
        {"boot_id", offsetof(LedgerFile, boot_id), FIELD_OPTIONAL},
};

static const Field attribute_fields[] = {
        {"practice", offsetof(LedgerAttribute, practice), FIELD_TEXT},
        {"subject", offsetof(LedgerAttribute, subject), FIELD_SUBJECT},
        {"path", offsetof(LedgerAttribute, path), FIELD_PATH},
        {"old", offsetof(LedgerAttribute, old), FIELD_TEXT},
        {"new", offsetof(LedgerAttribute, new), FIELD_TEXT},
        {"boot_id", offsetof(LedgerAttribute, boot_id), FIELD_OPTIONAL},
};

static const Field side_change_fields[] = {
        {"practice", offsetof(LedgerSideChange, practice), FIELD_TEXT},
        {"subject", offsetof(LedgerSideChange, subject), FIELD_SUBJECT},
        {"kind", offsetof(LedgerSideChange, kind), FIELD_TEXT},
        {"target", offsetof(LedgerSideChange, target), FIELD_TEXT},
        {"value", offsetof(LedgerSideChange, value), FIELD_OPTIONAL},
};

static const Field hold_fields[] = {
        {"practice", offsetof(LedgerHold, practice), FIELD_TEXT},
        {"subject", offsetof(LedgerHold, subject), FIELD_SUBJECT},
        {"policy", offsetof(LedgerHold, policy), FIELD_TEXT},
};

static const Field intent_fields[] = {
        {"path", offsetof(LedgerIntent, path), FIELD_PATH},
        {"old", offsetof(LedgerIntent, old), FIELD_OPTIONAL},
        {"new", offsetof(LedgerIntent, new), FIELD_OPTIONAL},
};

#define LIST(member, type, fields, ...)                                                                 \
        {#member, offsetof(Ledger, member), offsetof(Ledger, n_##member), sizeof(type), fields, ELEMENTSOF(fields), \
         __VA_ARGS__}

static const List lists[] = {
        LIST(tokens, LedgerToken, token_fields),
        LIST(files, LedgerFile, file_fields),
        LIST(attributes, LedgerAttribute, attribute_fields),
        LIST(side_changes, LedgerSideChange, side_change_fields, .optional = true),
        LIST(holds, LedgerHold, hold_fields),
        LIST(intents, LedgerIntent, intent_fields),
};

enum { LIST_TOKENS, LIST_FILES, LIST_ATTRIBUTES, LIST_SIDE_CHANGES, LIST_HOLDS, LIST_INTENTS };

static void **list_array(const Ledger *ledger, const List *list) {
        return (void **) ((char *) ledger + list->array);
}

static size_t *list_count(const Ledger *ledger, const List *list) {
        return (size_t *) ((char *) ledger + list->count);
}

static void record_done(void *record, const Field *fields, size_t n) {
        for (size_t i = 0; i < n; i++) {
                void **p = (void **) ((char *) record + fields[i].offset);

                if (fields[i].type == FIELD_NAMES)
                        strv_free(*p);
                else
                        free(*p);
                *p = NULL;
        }
}

static void forget_index(Ledger *ledger) {
        free(TAKE_PTR(ledger->index));
        free(TAKE_PTR(ledger->same_path));
        ledger->index_size = ledger->n_indexed = 0;
}

int ledger_new(Ledger **ret, const char *path) {
        _cleanup_(ledger_freep) Ledger *ledger = calloc(1, sizeof(*ledger));

        if (!ledger)
                return -ENOMEM;
        ledger->path = strdup(path);
        if (!ledger->path)
                return -ENOMEM;

        *ret = TAKE_PTR(ledger);
        return 0;
}

Ledger *ledger_free(Ledger *ledger) {
        if (!ledger)
                return NULL;

        for (size_t l = 0; l < ELEMENTSOF(lists); l++) {
                char *records = *list_array(ledger, lists + l);

                for (size_t i = 0; i < *list_count(ledger, lists + l); i++)
                        record_done(records + i * lists[l].size, lists[l].fields, lists[l].n_fields);
                free(records);
        }
        ledger_free(ledger->next);
        forget_index(ledger);
        free(ledger->path);
        free(ledger);
        return NULL;
}

static void *list_add(Ledger *ledger, const List *list) {
        void **array = list_array(ledger, list);
        size_t *n = list_count(ledger, list);

        if (grow(array, *n, list->size) < 0)
                return NULL;

        return (char *) *array + (*n)++ * list->size;
}

static void list_drop(Ledger *ledger, const List *list, void *record) {
        char *array = *list_array(ledger, list);
        size_t *n = list_count(ledger, list);
        size_t i = (size_t) ((char *) record - array) / list->size;

        assert(i < *n);

        record_done(record, list->fields, list->n_fields);
        memmove(record, (char *) record + list->size, (*n - i - 1) * list->size);
        (*n)--;
}

LedgerToken *ledger_add_token(Ledger *ledger) {
        return list_add(ledger, lists + LIST_TOKENS);
}

LedgerFile *ledger_add_file(Ledger *ledger) {
        return list_add(ledger, lists + LIST_FILES);
}

LedgerAttribute *ledger_add_attribute(Ledger *ledger) {
        return list_add(ledger, lists + LIST_ATTRIBUTES);
}

LedgerSideChange *ledger_add_side_change(Ledger *ledger) {
        return list_add(ledger, lists + LIST_SIDE_CHANGES);
}

LedgerHold *ledger_add_hold(Ledger *ledger) {
        return list_add(ledger, lists + LIST_HOLDS);
}

LedgerIntent *ledger_add_intent(Ledger *ledger) {
        return list_add(ledger, lists + LIST_INTENTS);
}

void ledger_drop_token(Ledger *ledger, LedgerToken *token) {
        forget_index(ledger);
        list_drop(ledger, lists + LIST_TOKENS, token);
}

size_t ledger_drop_tokens(Ledger *ledger, bool (*drop)(const LedgerToken *token, const void *userdata),
                          const void *userdata) {
        size_t kept = 0, n = ledger->n_tokens;

        forget_index(ledger);
        for (size_t i = 0; i < n; i++)
                if (drop(ledger->tokens + i, userdata))
                        record_done(ledger->tokens + i, token_fields, ELEMENTSOF(token_fields));
                else
                        ledger->tokens[kept++] = ledger->tokens[i];

        ledger->n_tokens = kept;
        return n - kept;
}

void ledger_drop_file(Ledger *ledger, LedgerFile *file) {
        list_drop(ledger, lists + LIST_FILES, file);
}

void ledger_drop_attribute(Ledger *ledger, LedgerAttribute *attribute) {
        list_drop(ledger, lists + LIST_ATTRIBUTES, attribute);
}

void ledger_drop_side_change(Ledger *ledger, LedgerSideChange *change) {
        list_drop(ledger, lists + LIST_SIDE_CHANGES, change);
}

void ledger_drop_hold(Ledger *ledger, const char *practice, const char *subject) {
        LedgerHold *hold = (LedgerHold *) ledger_hold(ledger, practice, subject);

        if (hold)
                list_drop(ledger, lists + LIST_HOLDS, hold);
}

const char *ledger_status_to_string(LedgerStatus status) {
        static const char *const names[] = {
                [LEDGER_OK] = "ok",
                [LEDGER_ABSENT] = "absent",
                [LEDGER_UNREADABLE] = "unreadable",
                [LEDGER_INVALID] = "invalid",
        };

        return names[status];
}

const LedgerHold *ledger_hold(const Ledger *ledger, const char *practice, const char *subject) {
        for (size_t i = 0; i < ledger->n_holds; i++)
                if (streq(ledger->holds[i].practice, practice) && streq_ptr(ledger->holds[i].subject, subject))
                        return ledger->holds + i;

        return NULL;
}

/* FNV-1a */
static size_t hash_path(const char *path) {
        uint32_t h = 2166136261U;

        for (; *path; path++)
                h = (h ^ (unsigned char) *path) * 16777619U;

        return h;
}

/* The place of a path in the index: that of its first record, or the free one where it belongs. */
static size_t *index_find(const Ledger *ledger, const char *path) {
        for (size_t i = hash_path(path);; i++) {
                size_t *place = ledger->index + (i & (ledger->index_size - 1));

                if (*place == 0 || streq(ledger->tokens[*place - 1].path, path))
                        return place;
        }
}

/* Paths are counted as if no two records had the same, so at least a half of the places is free. */
static int index_grow(Ledger *ledger) {
        size_t size = ledger->index_size > 0 ? ledger->index_size : 16;

        while (size < ledger->n_tokens * 2)
                size *= 2;
        if (size != ledger->index_size) {
                forget_index(ledger);
                ledger->index = calloc(size, sizeof(size_t));
                if (!ledger->index)
                        return -ENOMEM;
                ledger->index_size = size;
        }

        for (size_t i = ledger->n_indexed; i < ledger->n_tokens; i++)
                if (grow(&ledger->same_path, i, sizeof(size_t)) < 0)
                        return -ENOMEM;

        return 0;
}

/* Takes in the records that were added since. */
static int index_tokens(Ledger *ledger) {
        if (ledger->n_indexed == ledger->n_tokens)
                return 0;
        if (index_grow(ledger) < 0)
                return -ENOMEM;

        for (; ledger->n_indexed < ledger->n_tokens; ledger->n_indexed++) {
                size_t *place = index_find(ledger, ledger->tokens[ledger->n_indexed].path);

                while (*place > 0)
                        place = ledger->same_path + *place - 1;
                *place = ledger->n_indexed + 1;
        }

        return 0;
}

LedgerToken *ledger_next_token(Ledger *ledger, const char *path, const LedgerToken *before) {
        size_t i = before ? (size_t) (before - ledger->tokens) + 1 : 0;

        /* Without memory for an index there is still the long way. */
        if (index_tokens(ledger) < 0) {
                while (i < ledger->n_tokens && !streq(ledger->tokens[i].path, path))
                        i++;
                return i < ledger->n_tokens ? ledger->tokens + i : NULL;
        }
        if (ledger->n_tokens == 0)
                return NULL;

        i = before ? ledger->same_path[i - 1] : *index_find(ledger, path);
        return i > 0 ? ledger->tokens + i - 1 : NULL;
}

LedgerToken *ledger_token(Ledger *ledger, const char *path, const char *token) {
        for (LedgerToken *t = NULL; (t = ledger_next_token(ledger, path, t));)
                if (streq(t->token, token))
                        return t;

        return NULL;
}

LedgerFile *ledger_file(const Ledger *ledger, const char *path) {
        for (size_t i = 0; i < ledger->n_files; i++)
                if (streq(ledger->files[i].path, path))
                        return ledger->files + i;

        return NULL;
}

LedgerAttribute *ledger_attribute(const Ledger *ledger, const char *path, const char *boot_id) {
        for (size_t i = 0; i < ledger->n_attributes; i++)
                if (streq(ledger->attributes[i].path, path) && streq_ptr(ledger->attributes[i].boot_id, boot_id))
                        return ledger->attributes + i;

        return NULL;
}

LedgerSideChange *ledger_side_change(const Ledger *ledger, const char *kind, const char *target) {
        for (size_t i = 0; i < ledger->n_side_changes; i++)
                if (streq(ledger->side_changes[i].kind, kind) && streq(ledger->side_changes[i].target, target))
                        return ledger->side_changes + i;

        return NULL;
}

static int names_to_json(char *const *names, json_object *o, const char *key) {
        json_object *array = json_object_new_array();

        if (json_set(o, key, array) < 0)
                return -ENOMEM;

        for (char *const *name = names; *name; name++)
                if (json_add(array, json_text(*name)) < 0)
                        return -ENOMEM;

        return 0;
}

static int record_to_json(const void *record, const Field *fields, size_t n, json_object *o) {
        for (size_t i = 0; i < n; i++) {
                void *value = *(void *const *) ((const char *) record + fields[i].offset);
                int r = 0;

                if (fields[i].type == FIELD_NAMES && value)
                        r = names_to_json(value, o, fields[i].name);
                else if (fields[i].type != FIELD_NAMES && (value || fields[i].type != FIELD_SUBJECT))
                        r = json_set_text(o, fields[i].name, value);
                if (r < 0)
                        return r;
        }

        return 0;
}

static int list_to_json(const Ledger *ledger, const List *list, json_object *o) {
        const char *records = *list_array(ledger, list);
        json_object *array;

        if (list->optional && *list_count(ledger, list) == 0)
                return 0;

        array = json_object_new_array();
        if (json_set(o, list->name, array) < 0)
                return -ENOMEM;

        for (size_t i = 0; i < *list_count(ledger, list); i++) {
                json_object *record = json_object_new_object();

                if (!record || json_add(array, record) < 0 ||
                    record_to_json(records + i * list->size, list->fields, list->n_fields, record) < 0)
                        return -ENOMEM;
        }

        return 0;
}

static int ledger_to_json(const Ledger *ledger, json_object **ret) {
        _cleanup_json_ json_object *o = json_object_new_object();
        json_object *next = NULL;

        if (!o || json_set(o, "schema", json_object_new_int(LEDGER_SCHEMA)) < 0)
                return -ENOMEM;

        for (size_t l = 0; l < ELEMENTSOF(lists); l++)
                if (list_to_json(ledger, lists + l, o) < 0)
                        return -ENOMEM;

        if (ledger->next && (ledger_to_json(ledger->next, &next) < 0 || json_set(o, "next", next) < 0))
                return -ENOMEM;

        *ret = TAKE_PTR(o);
        return 0;
}

static int names_from_json(json_object *array, char ***ret) {
        size_t n = json_object_array_length(array);
        _cleanup_(strv_freep) char **names = calloc(n + 1, sizeof(char *));

        if (!names)
                return -ENOMEM;

        for (size_t i = 0; i < n; i++) {
                json_object *name = json_object_array_get_idx(array, i);

                if (!json_object_is_type(name, json_type_string))
                        return -EBADMSG;
                names[i] = strdup(json_object_get_string(name));
                if (!names[i])
                        return -ENOMEM;
        }

        *ret = TAKE_PTR(names);
        return 0;
}

static int field_from_json(void *record, const Field *field, json_object *o) {
        void **p = (void **) ((char *) record + field->offset);
        json_object *names;
        const char *text;

        if (field->type == FIELD_NAMES) {
                names = json_get_array(o, field->name);
                return names ? names_from_json(names, (char ***) p) : 0;
        }

        text = json_get_text(o, field->name);
        if (!text)
                return field->type == FIELD_OPTIONAL || field->type == FIELD_SUBJECT ? 0 : -EBADMSG;
        if (field->type == FIELD_PATH && text[0] != '/')
                return -EBADMSG;

        *p = strdup(text);
        return *p ? 0 : -ENOMEM;
}

static int record_from_json(void *record, const Field *fields, size_t n, json_object *o) {
        int r;

        if (!json_object_is_type(o, json_type_object))
                return -EBADMSG;

        for (size_t i = 0; i < n; i++) {
                r = field_from_json(record, fields + i, o);
                if (r < 0)
                        return r;
        }

        return 0;
}

static int list_from_json(Ledger *ledger, const List *list, json_object *o) {
        json_object *array = json_get_array(o, list->name);
        int r;

        if (!array)
                return list->optional && !json_object_object_get_ex(o, list->name, NULL) ? 0 : -EBADMSG;

        for (size_t i = 0; i < json_object_array_length(array); i++) {
                void *record = list_add(ledger, list);

                if (!record)
                        return -ENOMEM;
                r = record_from_json(record, list->fields, list->n_fields, json_object_array_get_idx(array, i));
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

        for (size_t l = 0; l < ELEMENTSOF(lists); l++) {
                r = list_from_json(ledger, lists + l, o);
                if (r < 0)
                        return r;
        }

        if (!with_next || !json_object_object_get_ex(o, "next", &part))
                return 0;

        r = ledger_new(&ledger->next, ledger->path);
        return r < 0 ? r : ledger_from_json(part, false, ledger->next);
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

static LedgerStatus status_of_error(int r) {
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
        if (error >= 0)
                error = ledger_parse(&text, path, ret);
        if (error >= 0 || error == -ENOMEM)
                return error;

        r = ledger_new(ret, path);
        if (r < 0)
                return r;

        (*ret)->status = status_of_error(error);
        (*ret)->error = error;
        return 0;
}

static int ledger_format(const Ledger *ledger, Buffer *b) {
        _cleanup_json_ json_object *o = NULL;
        int r;

        r = ledger_to_json(ledger, &o);
        if (r < 0)
                return r;

        return json_format_pretty(o, b);
}

int ledger_write(const Root *root, const Ledger *ledger) {
        _cleanup_buffer_ Buffer text = BUFFER_NULL;
        int r;

        r = ledger_format(ledger, &text);
        if (r < 0)
                return r;
        if (text.size > LEDGER_MAX)
                return -EFBIG;

        /* It holds no secrets, and everybody may ask what state the machine is in. */
        return replace_file(root, ledger->path, &text, 0644);
}

int ledger_copy(const Ledger *ledger, Ledger **ret) {
        _cleanup_(ledger_freep) Ledger *copy = NULL;
        _cleanup_json_ json_object *o = NULL;
        int r;

        r = ledger_to_json(ledger, &o);
        if (r < 0)
                return r;
        r = ledger_new(&copy, ledger->path);
        if (r < 0)
                return r;
        r = ledger_from_json(o, false, copy);
        if (r < 0)
                return r;

        while (copy->n_intents > 0)
                list_drop(copy, lists + LIST_INTENTS, copy->intents + copy->n_intents - 1);

        *ret = TAKE_PTR(copy);
        return 0;
}
