/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Hostile text for a person: printable ASCII stays, a backslash too (EFI paths have them), and every other byte
 * becomes \xNN, every other UTF-16 unit \uNNNN. Each call writes EVENT_DESCRIPTION_MAX characters and a few at most.
 */

#include "tpm/describe.h"
#include "tpm/reader.h"

/** words_bytes() - append bytes; NUL bytes at the end are left out. Return: 0 or -ENOMEM. */
int words_bytes(Buffer *b, const uint8_t *data, size_t size);

/** words_utf16() - append little-endian UTF-16 up to a NUL; an odd last byte is left out. Return: 0 or -ENOMEM. */
int words_utf16(Buffer *b, const uint8_t *data, size_t size);

/** words_guess() - append bytes as UTF-16 where each second one of the first is zero, else as bytes. As above. */
int words_guess(Buffer *b, const uint8_t *data, size_t size);

/** words_are_utf16() - whether a text looks like UTF-16 */
bool words_are_utf16(const uint8_t *data, size_t size) _pure_;

/* What EFI structures say (efi.c): each appends words. Return: 0, -ENOMEM, -EBADMSG for one that is broken. */
int efi_describe_variable(const Event *event, Buffer *b);
int efi_describe_image(const Event *event, Buffer *b);
int efi_describe_gpt(const Event *event, Buffer *b);
int efi_describe_blob(const Event *event, Buffer *b);
int efi_describe_blob2(const Event *event, Buffer *b);
