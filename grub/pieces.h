/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The pieces of a file that an edit replaces.
 */

#include "core/buffer.h"

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

/**
 * pieces_apply() - the new bytes of a file
 * @p: the pieces, in any order; they do not overlap, and are sorted here
 * @from: the old bytes
 * @ret: takes the new ones
 *
 * Return: 0 or -ENOMEM.
 */
int pieces_apply(Pieces *p, const Buffer *from, Buffer *ret);

/** pieces_done() - release the pieces */
void pieces_done(Pieces *p);
