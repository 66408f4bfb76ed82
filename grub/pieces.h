/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The pieces of a file that an edit replaces.
 */

#include "core/buffer.h"

/* A copy of a text in the making, with pieces of it replaced from front to back. */
typedef struct Rewrite {
        const Buffer *from;
        Buffer *to;
        size_t done; /* bytes of "from" that are copied or dropped */
} Rewrite;

/**
 * rewrite_replace() - replace bytes
 * @w: the copy in the making
 * @offset: where they stand in the text; not before what was replaced last
 * @size: how many
 * @text: what comes in their place; NULL for nothing
 *
 * Return: 0 or -ENOMEM.
 */
int rewrite_replace(Rewrite *w, size_t offset, size_t size, const char *text);

/** rewrite_finish() - copy the rest; as rewrite_replace() */
int rewrite_finish(Rewrite *w);

/* Bytes of a file that are replaced. */
typedef struct Piece {
        size_t offset, size;
        char *text; /* what comes in their place; NULL for nothing */
} Piece;

typedef struct Pieces {
        Piece *pieces;
        size_t n_pieces;
} Pieces;

/** pieces_add() - replace bytes; text is copied. Return: 0 or -ENOMEM. */
int pieces_add(Pieces *p, size_t offset, size_t size, const char *text);

/** pieces_sort() - put them into the order of the file */
void pieces_sort(Pieces *p);

/**
 * pieces_apply() - the new bytes of a file
 * @p: the pieces, which do not overlap; they are sorted
 * @from: the old bytes
 * @ret: takes the new ones
 *
 * Return: 0 or -ENOMEM.
 */
int pieces_apply(Pieces *p, const Buffer *from, Buffer *ret);

/** pieces_done() - release the pieces */
void pieces_done(Pieces *p);
