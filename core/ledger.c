/* SPDX-License-Identifier: Apache-2.0 */

/*
 * One table says which lists and fields a ledger has; reading, writing, copying and freeing all follow it.
 */

#include <assert.h>

#include "core/ledger-internal.h"

static const LedgerField token_fields[] = {
        {"practice", offsetof(LedgerToken, practice), LEDGER_FIELD_TEXT},
        {"subject", offsetof(LedgerToken, subject), LEDGER_FIELD_EXTRA},
        {"store", offsetof(LedgerToken, store), LEDGER_FIELD_TEXT},
        {"path", offsetof(LedgerToken, path), LEDGER_FIELD_PATH},
        {"token", offsetof(LedgerToken, token), LEDGER_FIELD_TEXT},
        {"boot_id", offsetof(LedgerToken, boot_id), LEDGER_FIELD_OPTIONAL},
        {"keep", offsetof(LedgerToken, keep), LEDGER_FIELD_NAMES},
        {"other", offsetof(LedgerToken, other), LEDGER_FIELD_NAMES},
        {"added", offsetof(LedgerToken, added), LEDGER_FIELD_NAMES},
        {"kernel", offsetof(LedgerToken, kernel), LEDGER_FIELD_EXTRA},
};

static const LedgerField file_fields[] = {
        {"practice", offsetof(LedgerFile, practice), LEDGER_FIELD_TEXT},
        {"subject", offsetof(LedgerFile, subject), LEDGER_FIELD_EXTRA},
        {"path", offsetof(LedgerFile, path), LEDGER_FIELD_PATH},
        {"sha256", offsetof(LedgerFile, sha256), LEDGER_FIELD_TEXT},
        {"unit", offsetof(LedgerFile, unit), LEDGER_FIELD_OPTIONAL},
        {"boot_id", offsetof(LedgerFile, boot_id), LEDGER_FIELD_OPTIONAL},
};

static const LedgerField directory_fields[] = {
        {"path", offsetof(LedgerDirectory, path), LEDGER_FIELD_PATH},
};

static const LedgerField attribute_fields[] = {
        {"practice", offsetof(LedgerAttribute, practice), LEDGER_FIELD_TEXT},
        {"subject", offsetof(LedgerAttribute, subject), LEDGER_FIELD_EXTRA},
        {"path", offsetof(LedgerAttribute, path), LEDGER_FIELD_PATH},
        {"old", offsetof(LedgerAttribute, old), LEDGER_FIELD_TEXT},
        {"new", offsetof(LedgerAttribute, new), LEDGER_FIELD_TEXT},
        {"boot_id", offsetof(LedgerAttribute, boot_id), LEDGER_FIELD_OPTIONAL},
};

static const LedgerField side_change_fields[] = {
        {"practice", offsetof(LedgerSideChange, practice), LEDGER_FIELD_TEXT},
        {"subject", offsetof(LedgerSideChange, subject), LEDGER_FIELD_EXTRA},
        {"kind", offsetof(LedgerSideChange, kind), LEDGER_FIELD_TEXT},
        {"target", offsetof(LedgerSideChange, target), LEDGER_FIELD_TEXT},
        {"value", offsetof(LedgerSideChange, value), LEDGER_FIELD_OPTIONAL},
};

static const LedgerField hold_fields[] = {
        {"practice", offsetof(LedgerHold, practice), LEDGER_FIELD_TEXT},
        {"subject", offsetof(LedgerHold, subject), LEDGER_FIELD_EXTRA},
        {"policy", offsetof(LedgerHold, policy), LEDGER_FIELD_TEXT},
};

static const LedgerField release_fields[] = {
        {"practice", offsetof(LedgerRelease, practice), LEDGER_FIELD_TEXT},
        {"subject", offsetof(LedgerRelease, subject), LEDGER_FIELD_EXTRA},
        {"boot_id", offsetof(LedgerRelease, boot_id), LEDGER_FIELD_OPTIONAL},
};

static const LedgerField intent_fields[] = {
        {"path", offsetof(LedgerIntent, path), LEDGER_FIELD_PATH},
        {"old", offsetof(LedgerIntent, old), LEDGER_FIELD_OPTIONAL},
        {"new", offsetof(LedgerIntent, new), LEDGER_FIELD_OPTIONAL},
};

#define LEDGER_LIST(member, type, fields, ...)                                                                      \
        {#member, offsetof(Ledger, member), offsetof(Ledger, n_##member), sizeof(type), fields, ELEMENTSOF(fields), \
         __VA_ARGS__}

const LedgerList ledger_lists[_LEDGER_LISTS_MAX] = {
        [LEDGER_LIST_TOKENS] = LEDGER_LIST(tokens, LedgerToken, token_fields),
        [LEDGER_LIST_FILES] = LEDGER_LIST(files, LedgerFile, file_fields),
        [LEDGER_LIST_DIRECTORIES] = LEDGER_LIST(directories, LedgerDirectory, directory_fields, .optional = true),
        [LEDGER_LIST_ATTRIBUTES] = LEDGER_LIST(attributes, LedgerAttribute, attribute_fields),
        [LEDGER_LIST_SIDE_CHANGES] = LEDGER_LIST(side_changes, LedgerSideChange, side_change_fields, .optional = true),
        [LEDGER_LIST_HOLDS] = LEDGER_LIST(holds, LedgerHold, hold_fields),
        [LEDGER_LIST_RELEASES] = LEDGER_LIST(releases, LedgerRelease, release_fields, .optional = true),
        [LEDGER_LIST_INTENTS] = LEDGER_LIST(intents, LedgerIntent, intent_fields),
};

void **ledger_list_array(const Ledger *ledger, const LedgerList *list) {
        return (void **) ((char *) ledger + list->array);
}

size_t *ledger_list_count(const Ledger *ledger, const LedgerList *list) {
        return (size_t *) ((char *) ledger + list->count);
}

static void ledger_record_done(void *record, const LedgerField *fields, size_t n) {
        for (size_t i = 0; i < n; i++) {
                void **p = (void **) ((char *) record + fields[i].offset);

                if (fields[i].type == LEDGER_FIELD_NAMES)
                        strv_free(*p);
                else
                        free(*p);
                *p = NULL;
        }
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

        for (size_t l = 0; l < _LEDGER_LISTS_MAX; l++) {
                const LedgerList *list = ledger_lists + l;
                char *records = *ledger_list_array(ledger, list);

                for (size_t i = 0; i < *ledger_list_count(ledger, list); i++)
                        ledger_record_done(records + i * list->size, list->fields, list->n_fields);
                free(records);
        }
        ledger_free(ledger->next);
        ledger_forget_index(ledger);
        free(ledger->path);
        free(ledger);
        return NULL;
}

/* The copy has the room that strv_take() expects, because names are appended to it. */
static int ledger_names_copy(char *const *names, char ***ret) {
        _cleanup_(strv_freep) char **copy = NULL;
        size_t n = 0;

        if (grow(&copy, 0, sizeof(char *)) < 0)
                return -ENOMEM;

        for (; *names; names++)
                if (strv_take(&copy, &n, strdup(*names)) < 0)
                        return -ENOMEM;

        *ret = TAKE_PTR(copy);
        return 0;
}

static int ledger_record_copy(const void *from, void *to, const LedgerField *fields, size_t n) {
        for (size_t i = 0; i < n; i++) {
                void *const *value = (void *const *) ((const char *) from + fields[i].offset);
                void *copy = (char *) to + fields[i].offset;
                int r = 0;

                if (fields[i].type != LEDGER_FIELD_NAMES)
                        r = free_and_strdup(copy, *value);
                else if (*value)
                        r = ledger_names_copy(*value, copy);
                if (r < 0)
                        return r;
        }

        return 0;
}

int ledger_copy(const Ledger *ledger, Ledger **ret) {
        _cleanup_(ledger_freep) Ledger *copy = NULL;
        int r;

        r = ledger_new(&copy, ledger->path);
        if (r < 0)
                return r;

        for (size_t l = 0; l < _LEDGER_LISTS_MAX; l++) {
                const LedgerList *list = ledger_lists + l;
                const char *records = *ledger_list_array(ledger, list);

                for (size_t i = 0; l != LEDGER_LIST_INTENTS && i < *ledger_list_count(ledger, list); i++) {
                        void *record = ledger_list_add(copy, list);

                        if (!record || ledger_record_copy(records + i * list->size, record, list->fields,
                                                          list->n_fields) < 0)
                                return -ENOMEM;
                }
        }

        *ret = TAKE_PTR(copy);
        return 0;
}

void *ledger_list_add(Ledger *ledger, const LedgerList *list) {
        void **array = ledger_list_array(ledger, list);
        size_t *n = ledger_list_count(ledger, list);

        if (grow(array, *n, list->size) < 0)
                return NULL;

        return (char *) *array + (*n)++ * list->size;
}

void ledger_list_drop(Ledger *ledger, const LedgerList *list, void *record) {
        char *array = *ledger_list_array(ledger, list);
        size_t *n = ledger_list_count(ledger, list);
        size_t i = (size_t) ((char *) record - array) / list->size;

        assert(i < *n);

        ledger_record_done(record, list->fields, list->n_fields);
        memmove(record, (char *) record + list->size, (*n - i - 1) * list->size);
        (*n)--;
}

LedgerToken *ledger_add_token(Ledger *ledger) {
        return ledger_list_add(ledger, ledger_lists + LEDGER_LIST_TOKENS);
}

LedgerFile *ledger_add_file(Ledger *ledger) {
        return ledger_list_add(ledger, ledger_lists + LEDGER_LIST_FILES);
}

LedgerDirectory *ledger_add_directory(Ledger *ledger) {
        return ledger_list_add(ledger, ledger_lists + LEDGER_LIST_DIRECTORIES);
}

LedgerAttribute *ledger_add_attribute(Ledger *ledger) {
        return ledger_list_add(ledger, ledger_lists + LEDGER_LIST_ATTRIBUTES);
}

LedgerSideChange *ledger_add_side_change(Ledger *ledger) {
        return ledger_list_add(ledger, ledger_lists + LEDGER_LIST_SIDE_CHANGES);
}

LedgerHold *ledger_add_hold(Ledger *ledger) {
        return ledger_list_add(ledger, ledger_lists + LEDGER_LIST_HOLDS);
}

LedgerRelease *ledger_add_release(Ledger *ledger) {
        return ledger_list_add(ledger, ledger_lists + LEDGER_LIST_RELEASES);
}

LedgerIntent *ledger_add_intent(Ledger *ledger) {
        return ledger_list_add(ledger, ledger_lists + LEDGER_LIST_INTENTS);
}

void ledger_drop_token(Ledger *ledger, LedgerToken *token) {
        ledger_forget_index(ledger);
        ledger_list_drop(ledger, ledger_lists + LEDGER_LIST_TOKENS, token);
}

size_t ledger_drop_tokens(Ledger *ledger, bool (*drop)(const LedgerToken *token, const void *userdata),
                          const void *userdata) {
        size_t kept = 0, n = ledger->n_tokens;

        ledger_forget_index(ledger);
        for (size_t i = 0; i < n; i++)
                if (drop(ledger->tokens + i, userdata))
                        ledger_record_done(ledger->tokens + i, token_fields, ELEMENTSOF(token_fields));
                else
                        ledger->tokens[kept++] = ledger->tokens[i];

        ledger->n_tokens = kept;
        return n - kept;
}

void ledger_drop_file(Ledger *ledger, LedgerFile *file) {
        ledger_list_drop(ledger, ledger_lists + LEDGER_LIST_FILES, file);
}

void ledger_drop_directory(Ledger *ledger, LedgerDirectory *directory) {
        ledger_list_drop(ledger, ledger_lists + LEDGER_LIST_DIRECTORIES, directory);
}

void ledger_drop_attribute(Ledger *ledger, LedgerAttribute *attribute) {
        ledger_list_drop(ledger, ledger_lists + LEDGER_LIST_ATTRIBUTES, attribute);
}

void ledger_drop_side_change(Ledger *ledger, LedgerSideChange *change) {
        ledger_list_drop(ledger, ledger_lists + LEDGER_LIST_SIDE_CHANGES, change);
}

void ledger_drop_hold(Ledger *ledger, const char *practice, const char *subject) {
        LedgerHold *hold = (LedgerHold *) ledger_hold(ledger, practice, subject);

        if (hold)
                ledger_list_drop(ledger, ledger_lists + LEDGER_LIST_HOLDS, hold);
}

void ledger_drop_release(Ledger *ledger, const char *practice, const char *subject) {
        LedgerRelease *release = ledger_release(ledger, practice, subject);

        if (release)
                ledger_list_drop(ledger, ledger_lists + LEDGER_LIST_RELEASES, release);
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

bool ledger_token_is_added(const LedgerToken *token) {
        return !token->added || token->added[0];
}

LedgerRelease *ledger_release(const Ledger *ledger, const char *practice, const char *subject) {
        for (size_t i = 0; i < ledger->n_releases; i++)
                if (streq(ledger->releases[i].practice, practice) && streq_ptr(ledger->releases[i].subject, subject))
                        return ledger->releases + i;

        return NULL;
}

int ledger_note_release(Ledger *ledger, const char *practice, const char *subject, const char *boot_id) {
        LedgerRelease *release = ledger_release(ledger, practice, subject);

        if (!release)
                release = ledger_add_release(ledger);
        if (!release || free_and_strdup(&release->practice, practice) < 0 ||
            free_and_strdup(&release->subject, subject) < 0)
                return -ENOMEM;

        return free_and_strdup(&release->boot_id, boot_id);
}

LedgerFile *ledger_file(const Ledger *ledger, const char *path) {
        for (size_t i = 0; i < ledger->n_files; i++)
                if (streq(ledger->files[i].path, path))
                        return ledger->files + i;

        return NULL;
}

LedgerDirectory *ledger_directory(const Ledger *ledger, const char *path) {
        for (size_t i = 0; i < ledger->n_directories; i++)
                if (streq(ledger->directories[i].path, path))
                        return ledger->directories + i;

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

