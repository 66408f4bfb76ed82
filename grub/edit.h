/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Edits of tokens, made ready for use on many entries.
 */

#include "grub/bootstore.h"

/* An edit made ready for use on many entries. */
typedef struct PreparedEdit {
        const TokenEdit *edit;
        char *text;        /* what is added or removed: "name" or "name=value" */
        const char **keep; /* sorted */
        size_t n_keep;
} PreparedEdit;

typedef struct PreparedEdits {
        PreparedEdit *edits;
        size_t n_edits;
} PreparedEdits;

/**
 * edits_prepare() - make edits ready
 * @edits: the edits
 * @n_edits: how many
 * @ret: takes what refers to them; the caller calls edits_done()
 *
 * Return: 0; -EINVAL where a token would need quotes in some boot file; -ENOMEM.
 */
int edits_prepare(const TokenEdit *edits, size_t n_edits, PreparedEdits *ret);

/** edits_done() - release what edits_prepare() made */
void edits_done(PreparedEdits *edits);

/** edit_keeps() - whether all these entries keep what the edit removes */
bool edit_keeps(const PreparedEdit *edit, const char *const *ids, size_t n_ids);

/** edit_text_equal() - whether a token is written as the edit would write it ("-" and "_" equal in the name) */
bool edit_text_equal(const PreparedEdit *edit, const char *written, size_t size);

/**
 * edits_mark() - choose the tokens of an entry that edits remove
 * @edits: the edits
 * @content: the file that the tokens refer to
 * @entry: the entry
 * @removed: takes for each token whether it goes
 *
 * A token goes where the file has exactly the text that the edit would write ("-" and "_" are the same in the name).
 * What is for init stays.
 */
void edits_mark(const PreparedEdits *edits, const Buffer *content, const BootEntry *entry, bool *removed);

/**
 * edit_adds() - whether an edit adds its token to an entry
 * @edit: the edit
 * @entry: the entry
 * @removed: the tokens that do not count any more
 *
 * It does where no other token has its name: an opposite one is an administrator's word.
 */
bool edit_adds(const PreparedEdit *edit, const BootEntry *entry, const bool *removed);
