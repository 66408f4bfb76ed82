/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Reads the lines of an entry as the program that boots it does: systemd-boot takes them all, while GRUB stops at a
 * line without a value (rhboot/grub2: blscfg.c, read_entry(); GRUB 2.14: blsuki.c, bls_parse_keyvals()).
 *
 * Tested by test-bls.c.
 */

#include "grub/bls.h"

/* A line "key value" of an entry. */
typedef struct BlsField {
        size_t key, key_end, value, value_end;
        size_t end;   /* of the line, with the blanks at its end */
        size_t next;  /* where the next line begins */
        unsigned number;
} BlsField;

static bool bls_is_space(char c) {
        return c == ' ' || c == '\t' || c == '\r';
}

/* The end of the key. rhboot/grub2 ends it at the first blank of the line and, if there is none, at the first tab. */
static size_t bls_key_end(const char *text, size_t key, size_t end, BlsReader reader) {
        const char *blank = reader == BLS_GRUB_FEDORA && end > key ? memchr(text + key, ' ', end - key) : NULL;
        size_t p = key;

        if (blank)
                return (size_t) (blank - text);
        while (p < end && !bls_is_space(text[p]))
                p++;
        return p;
}

static BlsField bls_field_read(const Buffer *content, size_t begin, unsigned number, BlsReader reader) {
        const char *text = content->data, *newline = memchr(text + begin, '\n', content->size - begin);
        size_t end = newline ? (size_t) (newline - text) : content->size;
        BlsField f = { .key = begin, .next = newline ? end + 1 : end, .number = number };

        while (end > begin && text[end - 1] == '\r')
                end--;
        f.end = f.value_end = end;
        while (f.key < end && bls_is_space(text[f.key]))
                f.key++;
        while (f.value_end > f.key && bls_is_space(text[f.value_end - 1]))
                f.value_end--;

        f.key_end = bls_key_end(text, f.key, end, reader);
        f.value = f.key_end;
        while (f.value < f.value_end && bls_is_space(text[f.value]))
                f.value++;

        return f;
}

/* Whether a line has a key, and a value for it. */
static bool bls_field_is(const Buffer *content, const BlsField *f, const char *key) {
        return f->value < f->value_end && f->key_end - f->key == strlen(key) &&
               memcmp(content->data + f->key, key, strlen(key)) == 0;
}

static bool bls_field_is_comment(const Buffer *content, const BlsField *f) {
        return f->key < f->end && content->data[f->key] == '#';
}

/* Whether the program reads no line of the entry after this one. To rhboot/grub2, two blanks after a key are a value */
static bool bls_field_ends_entry(const Buffer *content, const BlsField *f, BlsReader reader) {
        if (reader == BLS_SYSTEMD_BOOT || f->value < f->value_end || bls_field_is_comment(content, f))
                return false;

        return reader != BLS_GRUB_FEDORA || f->key_end + 1 >= f->end;
}

/* Keep the value of a line, unless an earlier line had the same key: the first one decides. */
static int bls_field_take(const Buffer *content, const BlsField *f, char **p) {
        if (*p)
                return 0;

        *p = strndup(content->data + f->value, f->value_end - f->value);
        return *p ? 0 : -ENOMEM;
}

static int bls_add_options(const Buffer *content, const BlsField *f, BlsLayout *l) {
        int r;

        if (l->line.text.size == 0) {
                l->begin = f->key;
                l->end = f->value_end;
                l->line.first = f->value;
                l->number = f->number;
                l->n_blanks = f->end - f->value_end;
        } else {
                r = line_append(&l->line, ' ', f->value, f->value);
                if (r < 0)
                        return r;
        }

        return line_map(&l->line, content, f->value, f->value_end);
}

/* A line with a value that the program does not read. */
static void bls_note_unread(const Buffer *content, const BlsField *f, BlsUnread *unread) {
        if (f->value == f->value_end || bls_field_is_comment(content, f))
                return;

        unread->behind_end = true;
        if (bls_field_is(content, f, BLS_OPTIONS) && unread->options == 0)
                unread->options = f->number;
}

static int bls_read_field(const Buffer *content, const BlsField *f, BlsLayout *l, BlsKeys *keys) {
        if (bls_field_is(content, f, "title"))
                return bls_field_take(content, f, &l->title);
        if (bls_field_is(content, f, "version"))
                return bls_field_take(content, f, &keys->version);
        if (bls_field_is(content, f, "efi"))
                return bls_field_take(content, f, &keys->efi);
        if (bls_field_is(content, f, "linux") && !l->kernel) {
                l->place = f->next;
                l->number = l->number > 0 ? l->number : f->number;
                return bls_field_take(content, f, &l->kernel);
        }
        if (!bls_field_is(content, f, BLS_OPTIONS))
                return 0;
        if (l->line.text.size == 0 || l->reader == BLS_SYSTEMD_BOOT)
                return bls_add_options(content, f, l);

        l->unread.options = l->unread.options > 0 ? l->unread.options : f->number;
        return 0;
}

int bls_read_fields(const Buffer *content, BlsLayout *l, BlsKeys *keys) {
        unsigned number = 1;
        BlsField f;

        for (size_t pos = 0; pos < content->size; pos = f.next, number++) {
                int r;

                f = bls_field_read(content, pos, number, l->reader);
                if (l->unread.end > 0) {
                        bls_note_unread(content, &f, &l->unread);
                        continue;
                }
                if (bls_field_ends_entry(content, &f, l->reader)) {
                        l->unread.end = number;
                        continue;
                }

                r = bls_read_field(content, &f, l, keys);
                if (r < 0)
                        return r;
        }

        return 0;
}

/* Of an entry that boots nothing here, nobody has to know how GRUB reads it. */
int bls_remark_unread(BootStores *stores, const char *path, const BlsLayout *l) {
        const BlsUnread *u = &l->unread;
        int r = 0;

        if (u->end > 0 && u->options > u->end && l->line.text.size == 0 && l->kind == ENTRY_SYSTEM)
                return boot_stores_problem(stores, path, u->end, "boot-store-bls-unread", /* fatal= */ true,
                                           "GRUB ends the entry at this line, which has no value, and does not read "
                                           "the options in line %u: remove this line", u->options);

        if (u->end > 0 && u->behind_end)
                r = boot_stores_remark(stores, path, u->end, "boot-store-bls-unread",
                                       "GRUB ends the entry at this line, which has no value, and does not read what "
                                       "comes after it%s: remove this line",
                                       l->kernel ? "" : ", so that its menu does not have the entry");
        else if (u->options > 0)
                r = boot_stores_remark(stores, path, u->options, "boot-store-bls-unread",
                                       "GRUB reads only the first line \"options\", and this is another one: move its "
                                       "words into line %u", l->number);
        if (r < 0 || !bls_loses_byte(l))
                return r;

        return boot_stores_remark(stores, path, l->number, "boot-store-bls-unread",
                                  "GRUB drops a single character that stands beside a variable, or alone: remove it, "
                                  "or write it before the words that come before the variable");
}
