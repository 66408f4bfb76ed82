/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A command line that stands in a file: each of its bytes knows where it comes from, so that tokens can be cut
 * out and put in whatever the file's quotes and escapes are.
 */

#include "grub/edit.h"
#include "grub/pieces.h"
#include "grub/shell.h"
#include "grub/stores.h"

typedef struct Line {
        Buffer text;
        ShellByte *bytes; /* one for each byte of the text */
        Cmdline cmdline;  /* the tokens refer to the text */
        size_t first;     /* where in the file text goes that shall stand before the whole line */
        ShellQuote first_quote;
        unsigned file;    /* which file of the bytes is the one at hand; what others hold is never touched */
} Line;

/* What stands in no quotes of any kind and has no escapes is what single quotes hold: bytes as they are. */
#define LINE_VERBATIM SHELL_SINGLE

/**
 * line_append() - add a byte
 * @l: the line
 * @c: the byte as the kernel shall see it
 * @begin: where it begins in the file
 * @end: … and ends; the same where the file does not hold it
 *
 * Return: 0 or -ENOMEM.
 */
int line_append(Line *l, char c, size_t begin, size_t end);

/** line_map() - add bytes of a file as they are. Return: 0 or -ENOMEM. */
int line_map(Line *l, const Buffer *content, size_t begin, size_t end);

/** line_take() - make a line of a shell's value, whose text and bytes move */
void line_take(Line *l, ShellValue *v);

/** line_copy() - the same line once more, for another of its files. Return: 0 or -ENOMEM. */
int line_copy(const Line *from, Line *ret);

/** line_parse() - read the tokens of the text. Return: 0 or -ENOMEM. */
int line_parse(Line *l);

/** line_done() - release a line */
void line_done(Line *l);

/** line_store_done() - BootStoreDriver.done of a store whose layout is one Line and nothing else */
void line_store_done(BootStore *store);

/**
 * line_mark() - choose the tokens that edits remove
 * @l: the line
 * @edits: the edits
 * @ids: the entries that have this line
 * @n_ids: how many, at least 1
 * @removed: takes for each token whether it goes
 *
 * A token goes where the file has exactly the text that the edit would write, unless "keep" names all the entries.
 */
void line_mark(const Line *l, const PreparedEdits *edits, const char *const *ids, size_t n_ids, bool *removed);

/**
 * line_cut() - take tokens out
 * @l: the line
 * @content: the file
 * @removed: which
 * @pieces: takes the changes
 * @ret_cut: takes how many bytes the line loses
 *
 * A token goes with the blanks before it or, where it is the first, with the one behind it. Return: 0 or -ENOMEM.
 */
int line_cut(const Line *l, const Buffer *content, const bool *removed, Pieces *pieces, size_t *ret_cut);

/**
 * line_insert() - put tokens in
 * @l: the line
 * @removed: the tokens that were taken out
 * @texts: the tokens
 * @n: how many
 * @emptied: nothing else is left in the line
 * @pieces: takes the change
 *
 * They go behind the last one for the kernel that this file holds, or before the whole line. Return: 0 or -ENOMEM.
 */
int line_insert(const Line *l, const bool *removed, const char *const *texts, size_t n, bool emptied, Pieces *pieces);

/* The entries that a line belongs to, and what a change of it comes to. */
typedef struct LineChange {
        const BootEntry *const *entries;
        size_t n_entries;        /* at least 1 */
        const BootEntry *longest; /* set: the entry with the longest command line */
        size_t size;             /* set: … and its length */
        size_t left;             /* set: the bytes of the line afterwards */
        const char **texts;      /* set: the tokens that are added, which belong to the edits */
        size_t n_texts;
} LineChange;

/** line_change_done() - release the array of texts */
void line_change_done(LineChange *c);

/**
 * line_plan() - which tokens edits add to a line, and how long it gets
 * @l: the line
 * @edits: the edits
 * @removed: the tokens that are taken out
 * @cut: how many bytes that takes
 * @c: entries set; the rest is filled in
 *
 * A token is added where an entry does not have its name, and none has it with another meaning: that is an
 * administrator's word. Return: 0; -E2BIG where a command line grows too long; -ENOMEM.
 */
int line_plan(const Line *l, const PreparedEdits *edits, const bool *removed, size_t cut, LineChange *c);

/**
 * line_change() - apply edits to a line that has one or more entries
 * @l: the line
 * @content: the file
 * @edits: the edits
 * @pieces: takes the changes
 * @c: entries set; the rest is filled in
 *
 * Where the line has no place in the file yet (first is SIZE_MAX), putting c->texts in is left to the caller.
 *
 * Return: as line_plan().
 */
int line_change(const Line *l, const Buffer *content, const PreparedEdits *edits, Pieces *pieces, LineChange *c);

/** line_number() - the line of a file, from 1, that a byte stands in */
unsigned line_number(const Buffer *content, size_t offset);
