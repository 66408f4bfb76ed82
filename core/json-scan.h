/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A scanner that reads JSON text byte by byte and reports a wrong byte at once. It keeps no text and allocates nothing,
 * so it can check the bytes of a peer while they arrive.
 *
 * It is as strict as RFC 8259 about tokens, brackets, numbers and escapes. It does not check that a string is UTF-8,
 * that a name occurs once in an object, or how long the text is.
 */

#include "core/util.h"

#define JSON_SCAN_DEPTH_LIMIT 64U /* depth_max can be at most this: one bit of JsonScan.objects for each level */

/* Why a byte is wrong. */
typedef enum JsonScanError {
        JSON_SCAN_OK,
        JSON_SCAN_CHARACTER,  /* no token begins with this character */
        JSON_SCAN_TOKEN,      /* this token cannot stand here */
        JSON_SCAN_BRACKETS,   /* } closes [, or ] closes { */
        JSON_SCAN_DEPTH,      /* more than depth_max brackets are open */
        JSON_SCAN_WORD,       /* neither a number nor true, false or null */
        JSON_SCAN_ESCAPE,     /* an escape in a string that JSON does not know */
        JSON_SCAN_CONTROL,    /* a control character in a string */
        _JSON_SCAN_ERROR_MAX,
} JsonScanError;

/* What may come next. */
typedef enum JsonScanExpect {
        JSON_SCAN_VALUE,       /* also at the beginning of the text */
        JSON_SCAN_FIRST_VALUE, /* after [ */
        JSON_SCAN_FIRST_KEY,   /* after { */
        JSON_SCAN_KEY,         /* after a comma in an object */
        JSON_SCAN_COLON,
        JSON_SCAN_NEXT,        /* after a value: a comma, or the bracket that closes */
        JSON_SCAN_END,         /* after the whole value: white space */
        _JSON_SCAN_EXPECT_MAX,
} JsonScanExpect;

/* How much of a number or a name without quotes has been read. */
typedef enum JsonScanWord {
        JSON_SCAN_NO_WORD,
        JSON_SCAN_MINUS,
        JSON_SCAN_ZERO,
        JSON_SCAN_INTEGER,
        JSON_SCAN_POINT,
        JSON_SCAN_FRACTION,
        JSON_SCAN_E,
        JSON_SCAN_SIGN,     /* + or - after e */
        JSON_SCAN_EXPONENT,
        JSON_SCAN_NAME,     /* true, false or null; JsonScan.rest is the part that is missing */
        JSON_SCAN_BAD,
} JsonScanWord;

typedef struct JsonScan {
        unsigned depth_max;
        bool single_quotes; /* strings may be in single quotes, and \' is an escape (QEMU: qobject/json-lexer.c) */
        unsigned depth;     /* brackets that are open */
        uint64_t objects;   /* one bit for each of them, set for a { */
        JsonScanExpect expect;
        JsonScanWord word;
        const char *rest;
        bool in_string;
        char quote;         /* with which that string began */
        bool escaped;       /* the last byte was a backslash in a string */
        unsigned hex;       /* how many digits a \u still needs */
        size_t values;      /* begun so far: strings, also those that are keys, words, arrays and objects */
        size_t containers;  /* begun so far: arrays and objects */
} JsonScan;

#define JSON_SCAN_INIT(max) ((JsonScan) {.depth_max = (max)})

/** json_scan_byte() - json_scan() for all bytes, also those that change the state; call json_scan() instead */
JsonScanError json_scan_byte(JsonScan *scan, char ch);

/**
 * json_scan() - take the next byte into account
 * @scan: begins as JSON_SCAN_INIT(depth_max), where single_quotes may be set
 * @ch: the byte
 *
 * A word is judged at the byte that follows it. After an error the scan is of no use.
 *
 * Return: JSON_SCAN_OK or why the byte is wrong.
 */
static inline JsonScanError json_scan(JsonScan *scan, char ch) {
        /* Most bytes of a long text are ordinary ones in strings, so they need no call. */
        if (scan->in_string && !scan->escaped && scan->hex == 0 && (uint8_t) ch >= 0x20 && ch != scan->quote &&
            ch != '\\')
                return JSON_SCAN_OK;

        return json_scan_byte(scan, ch);
}

/**
 * json_scan_end() - check the text after its last byte
 * @scan: the scan; of no use afterwards
 *
 * Return: whether the text was one whole value.
 */
bool json_scan_end(JsonScan *scan);
