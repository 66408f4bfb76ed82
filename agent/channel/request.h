/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What a request says: the members "execute", "arguments" and "id" of its object (the envelope), and the arguments of
 * the command. All functions take text that the framing (frame.h) has found to be valid JSON.
 */

#include "core/buffer.h"

/* A longer name is cut. All known names are shorter, so a cut name occurs only in an error text. */
#define REQUEST_NAME_SIZE 65

/* The envelope. The spans point into the text of the request. */
typedef struct Request {
        char execute[REQUEST_NAME_SIZE]; /* the name of the command, maybe cut */
        bool has_execute;
        Span arguments;                  /* the text of the object; SPAN_NULL if it is not given */
        Span id;                         /* as the host wrote it; SPAN_NULL if it is not given */
        char *error;                     /* the error to answer if the envelope is wrong; else NULL */
} Request;

/**
 * request_parse() - read the envelope of a complete request
 * @text: what frame_reader_text() returned; must outlive the envelope
 * @ret: takes the envelope; the caller calls request_done()
 *
 * Return: 0, also if ret->error is set; -ENOMEM.
 */
int request_parse(Span text, Request *ret);

/** request_done() - release the envelope */
void request_done(Request *request);

typedef enum ArgumentType {
        ARGUMENT_INTEGER,
        ARGUMENT_WORD, /* a string of at most ARGUMENT_WORD_SIZE - 1 letters, digits, commas, hyphens and underscores */
} ArgumentType;

/* One argument that a command takes. */
typedef struct ArgumentSpec {
        const char *name;
        bool required;
        ArgumentType type;
} ArgumentSpec;

#define REQUEST_ARGUMENTS_MAX 4

/* The longest word is a nonce: 64 bytes in hex. */
#define ARGUMENT_WORD_SIZE 129

typedef struct ArgumentValue {
        bool given;
        int64_t number;                /* of an ARGUMENT_INTEGER */
        char word[ARGUMENT_WORD_SIZE]; /* of an ARGUMENT_WORD */
} ArgumentValue;

/**
 * request_arguments() - check and read the arguments of a request
 * @request: the envelope
 * @known: the arguments that the command takes, at most REQUEST_ARGUMENTS_MAX; the last entry has the name NULL
 * @values: takes one value for each of them; must be zeroed before
 * @ret_error: takes the error to answer if the arguments are wrong, which the caller frees; else NULL
 *
 * Return: 0, also if *ret_error is set; -ENOMEM.
 */
int request_arguments(const Request *request, const ArgumentSpec *known, ArgumentValue *values, char **ret_error);
