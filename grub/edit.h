/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Edits of the tokens of boot entries: which entries need a token, which tokens an edit removes, and edits made ready
 * for use on many entries. The engine asks the first three functions, the stores all of them.
 */

#include "grub/bootstore.h"

/**
 * boot_entry_takes_tokens() - whether gtuned changes the tokens of an entry
 * @entry: the entry
 *
 * It does for entries of this system and for templates. Rescue entries, memory tests and other operating systems are
 * left alone.
 */
bool boot_entry_takes_tokens(const BootEntry *entry) _pure_;

/**
 * boot_entry_loses_tokens() - whether gtuned takes its own tokens from an entry
 * @entry: the entry
 *
 * It adds none to a rescue entry, but grub-mkconfig writes those of a template into it (util/grub.d/10_linux.in).
 */
bool boot_entry_loses_tokens(const BootEntry *entry) _pure_;

/**
 * entry_needs() - whether a token has to be added to an entry
 * @entry: the entry
 * @spec: the token
 * @n_removed: how many tokens of that name, not for init, are about to be removed from the entry
 *
 * Return: true if the entry takes tokens and then has no token of that name, or only some that the kernel may not get. A
 * token with the opposite meaning is the administrator's decision, and stays the only one.
 */
bool entry_needs(const BootEntry *entry, const TokenSpec *spec, size_t n_removed) _pure_;

/** boot_store_lacks() - whether any entry of a store needs a token, as entry_needs() with nothing removed */
bool boot_store_lacks(const BootStore *store, const TokenSpec *spec) _pure_;

/**
 * tokens_count() - how many tokens of a command line have a name
 * @c: the command line
 * @name: the name; "-" and "_" are the same
 * @marked: count only the tokens that are marked here; NULL counts all
 *
 * Tokens for init do not count.
 */
size_t tokens_count(const Cmdline *c, const char *name, const bool *marked) _pure_;

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
 * @ret: takes the prepared edits, which refer to @edits; the caller calls edits_done()
 *
 * Return: 0; -EINVAL if a token would need quotes in some boot file; -ENOMEM.
 */
int edits_prepare(const TokenEdit *edits, size_t n_edits, PreparedEdits *ret);

/** edits_done() - release what edits_prepare() made */
void edits_done(PreparedEdits *edits);

/** edit_keeps() - whether "keep" names all these entries, so that the edit removes nothing from them */
bool edit_keeps(const PreparedEdit *edit, const char *const *ids, size_t n_ids);

/** edit_text_equal() - whether a token is written as the edit would write it ("-" and "_" equal in the name) */
bool edit_text_equal(const PreparedEdit *edit, const char *written, size_t size);

/**
 * edits_mark() - choose the tokens of an entry that edits remove
 * @edits: the edits
 * @content: the file that the tokens refer to
 * @entry: the entry
 * @removed: an element for each token; set to true for those that are removed
 *
 * Each edit removes the first token that has exactly the text which the edit would write ("-" and "_" are the same in
 * the name). Tokens for init stay.
 */
void edits_mark(const PreparedEdits *edits, const Buffer *content, const BootEntry *entry, bool *removed);
