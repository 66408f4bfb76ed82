/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A command line in a file. For each byte of the command line it is known which bytes of the file stand for it, so that
 * tokens can be removed and inserted under any quotes and escapes of the file.
 */

#include "grub/edit.h"
#include "grub/pieces.h"
#include "grub/shell.h"
#include "grub/stores.h"

typedef struct Line {
        Buffer text;
        ShellByte *bytes; /* one for each byte of the text */
        Cmdline cmdline;  /* the tokens refer to the text */
        size_t first;     /* where in the file text is inserted to come before the whole line; SIZE_MAX: nowhere */
        ShellQuote first_quote;
        unsigned file;    /* the file that is edited, as in ShellByte.file; bytes of other files are not touched */
} Line;

/* The quote of bytes in a file that knows no quotes and escapes: as in single quotes, each byte stands for itself. */
#define LINE_VERBATIM SHELL_SINGLE

/**
 * line_append() - add a byte
 * @l: the line
 * @c: the byte as the kernel gets it
 * @begin: where its bytes begin in the file
 * @end: where they end; equal to @begin if the file has no bytes for it
 *
 * Return: 0 or -ENOMEM.
 */
int line_append(Line *l, char c, size_t begin, size_t end);

/** line_map() - add bytes of a file that stand for themselves. Return: 0 or -ENOMEM. */
int line_map(Line *l, const Buffer *content, size_t begin, size_t end);

/** line_copy() - copy a line, for example to edit another of its files. Return: 0 or -ENOMEM. */
int line_copy(const Line *from, Line *ret);

/** line_parse() - read the tokens of the text. Return: 0 or -ENOMEM. */
int line_parse(Line *l);

/** line_done() - release a line */
void line_done(Line *l);

/** line_store_done() - BootStoreDriver.done for stores whose layout is a Line */
void line_store_done(BootStore *store);

/**
 * line_mark() - choose the tokens that edits remove
 * @l: the line
 * @edits: the edits
 * @ids: the entries that have this line
 * @n_ids: how many, at least 1
 * @removed: an element for each token; set to true for those that are removed
 *
 * Each edit removes the first token for which the file has exactly the text that the edit would write, unless "keep"
 * names all the entries.
 */
void line_mark(const Line *l, const PreparedEdits *edits, const char *const *ids, size_t n_ids, bool *removed);

/**
 * line_cut() - remove tokens
 * @l: the line
 * @content: the file
 * @removed: for each token whether it is removed
 * @pieces: takes the changes
 * @ret_cut: takes how many bytes the line loses
 *
 * A token is removed with the blanks before it or, if it is the first, with one blank after it. Return: 0 or -ENOMEM.
 */
int line_cut(const Line *l, const Buffer *content, const bool *removed, Pieces *pieces, size_t *ret_cut);

/**
 * line_last_byte() - the byte after which new tokens are best inserted, in whatever file
 * @l: the line
 *
 * It ends the last token for the kernel that a shell surely has there or, without any, the last one. Return: the byte,
 * or NULL if there is none.
 */
const ShellByte *line_last_byte(const Line *l) _pure_;

/** line_has_place() - whether line_insert() has a place in this file */
bool line_has_place(const Line *l, const bool *removed) _pure_;

/**
 * line_insert() - insert tokens
 * @l: the line
 * @removed: for each token of the line whether it was removed
 * @texts: the new tokens
 * @n: how many
 * @emptied: all tokens of the line were removed
 * @pad: put one blank more before them, if they come after a token
 * @pieces: takes the change
 *
 * They are inserted after the last token for the kernel that this file has (and a shell surely has there), or, without
 * any, before the whole line.
 * Return: 0 or -ENOMEM.
 */
int line_insert(const Line *l, const bool *removed, const char *const *texts, size_t n, bool emptied, bool pad,
                Pieces *pieces);

/* The entries that take a line, and the result of a change. */
typedef struct LineChange {
        const BootEntry *const *entries;
        size_t n_entries;        /* at least 1 */
        bool pad;                /* as line_insert() */
        const BootEntry *longest; /* set: the entry with the longest command line */
        size_t size;             /* set: the length of that command line */
        size_t left;             /* set: the bytes that are left of the line, without the added tokens */
        const char **texts;      /* set: the tokens that are added, which belong to the edits */
        size_t n_texts;
} LineChange;

/** line_change_done() - release the array of texts */
void line_change_done(LineChange *c);

/**
 * line_plan() - choose the tokens that edits add to a line, and measure it
 * @l: the line
 * @edits: the edits
 * @removed: for each token whether it is removed
 * @cut: the bytes that are removed with them
 * @c: the entries are set; the rest is filled in
 *
 * A token is added if an entry needs it (entry_needs()), unless another entry has it with the opposite meaning: that is
 * the administrator's decision. Return: 0; -E2BIG if a command line becomes too long; -ENOMEM.
 */
int line_plan(const Line *l, const PreparedEdits *edits, const bool *removed, size_t cut, LineChange *c);

/**
 * line_change() - apply edits to a line that has one or more entries
 * @l: the line
 * @content: the file
 * @edits: the edits
 * @pieces: takes the changes
 * @c: the entries are set; the rest is filled in
 *
 * If the file has no place for the line yet (first is SIZE_MAX), the caller inserts c->texts.
 *
 * Return: as line_plan().
 */
int line_change(const Line *l, const Buffer *content, const PreparedEdits *edits, Pieces *pieces, LineChange *c);

/** line_number() - the number of the line, from 1, in which a byte of a file is */
unsigned line_number(const Buffer *content, size_t offset);
