/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * An edit of a file as a list of pieces, byte ranges that are replaced.
 */

#include "core/buffer.h"

/* A range of bytes that is replaced. */
typedef struct Piece {
        size_t offset, size;
        char *text; /* the new bytes; NULL for none */
} Piece;

typedef struct Pieces {
        Piece *pieces;
        size_t n_pieces;
} Pieces;

/** pieces_add() - replace @size bytes at @offset; @text is copied. Return: 0 or -ENOMEM. */
int pieces_add(Pieces *p, size_t offset, size_t size, const char *text);

/**
 * pieces_join() - add the pieces of another list
 * @p: the list
 * @from: the other one, which is empty afterwards
 *
 * A piece that both lists have counts once. Return: 0; -EBADMSG if two pieces overlap; -ENOMEM.
 */
int pieces_join(Pieces *p, Pieces *from);

/**
 * pieces_apply() - the new bytes of a file
 * @p: the pieces, in any order; they do not overlap, and are sorted here
 * @from: the old bytes
 * @ret: takes the new ones
 *
 * Return: 0 or -ENOMEM.
 */
int pieces_apply(Pieces *p, const Buffer *from, Buffer *ret);

/* The comment above a line that gtuned itself added to a file. When nothing is left in that line, both go. */
#define PIECE_MARKER "# Added by gtuned, which removes it again when it is empty.\n"

/**
 * piece_is_marked() - whether gtuned added a line
 * @content: the file
 * @begin: where the statement in it begins
 * @end: where the statement ends
 *
 * Return: true if the statement is alone on its line, and the line above it is PIECE_MARKER.
 */
bool piece_is_marked(const Buffer *content, size_t begin, size_t end) _pure_;

/**
 * pieces_cut_marked() - replace all pieces by one that removes a marked line
 * @p: the pieces
 * @content: the file
 * @begin: as piece_is_marked(), which returned true
 * @end: as piece_is_marked()
 *
 * The newline that was added with the line goes too: the one after it or, at the end of a file without a last newline,
 * the one before it. Return: 0 or -ENOMEM.
 */
int pieces_cut_marked(Pieces *p, const Buffer *content, size_t begin, size_t end);

/** pieces_done() - release the pieces */
void pieces_done(Pieces *p);
