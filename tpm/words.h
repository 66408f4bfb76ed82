/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Text of the firmware, made safe for a terminal. Printable ASCII stays as it is, the backslash too, because EFI paths
 * have it; any other byte becomes \xNN, and any other UTF-16 unit \uNNNN. A call stops after EVENT_DESCRIPTION_MAX
 * characters and appends "...".
 */

#include "tpm/describe.h"
#include "tpm/reader.h"

/** words_bytes() - append bytes; NUL bytes at the end are left out. Return: 0 or -ENOMEM. */
int words_bytes(Buffer *b, const uint8_t *data, size_t size);

/** words_utf16() - append little-endian UTF-16 up to a NUL; an odd last byte is left out. Return: 0 or -ENOMEM. */
int words_utf16(Buffer *b, const uint8_t *data, size_t size);

/** words_guess() - append text as UTF-16 if words_are_utf16(), else as bytes. Return: 0 or -ENOMEM. */
int words_guess(Buffer *b, const uint8_t *data, size_t size);

/**
 * words_are_utf16() - whether bytes look like little-endian UTF-16
 *
 * Its first two characters are ASCII, or at least two and at least half of those before the first NUL. Secrets are
 * redacted in words only, so that a command line must not be taken for bytes.
 */
bool words_are_utf16(const uint8_t *data, size_t size) _pure_;

/* Each describes an EFI structure and appends the text to @b (efi.c). Return: 0, -ENOMEM, -EBADMSG: malformed. */
int efi_describe_variable(const Event *event, Buffer *b);
int efi_describe_image(const Event *event, Buffer *b);
int efi_describe_gpt(const Event *event, Buffer *b);
int efi_describe_blob(const Event *event, Buffer *b);
int efi_describe_blob2(const Event *event, Buffer *b);
