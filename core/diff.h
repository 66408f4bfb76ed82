/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "core/buffer.h"

/**
 * diff_unified() - append the difference of two texts in unified format, with three lines of context
 * @b: takes the text
 * @path: the file, for the two header lines
 * @old: the old bytes; NULL: the file does not exist yet
 * @new: the new bytes; NULL: the file is removed
 *
 * This is made for edits within lines, and takes time linear in the size of the file: between the first and the last
 * line that differ, lines are compared in pairs if both texts have the same number of lines; otherwise all lines of one
 * text are replaced by those of the other. Return: 0 or -ENOMEM.
 */
int diff_unified(Buffer *b, const char *path, const Buffer *old, const Buffer *new);
