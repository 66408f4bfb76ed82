/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The envelope of a request: the command, its arguments and its id.
 */

#include "core/buffer.h"

/* How much of a name is kept. All that we know are shorter, and a longer one is only shown. */
#define REQUEST_NAME_SIZE 65

/* The envelope of a request. The spans point into its text. */
typedef struct Request {
        char execute[REQUEST_NAME_SIZE]; /* the command, or its beginning */
        bool has_execute;
        Span arguments;          /* the text of the object, or none */
        Span id;                 /* as the host wrote it, or none */
        char *error;             /* why this is no request, or NULL */
} Request;

/**
 * request_parse() - read the envelope of a complete request
 * @text: what frame_reader_text() gave
 * @ret: takes the envelope; the caller calls request_done()
 *
 * Return: 0, also where ret->error is set, or -ENOMEM.
 */
int request_parse(Span text, Request *ret);

/** request_done() - release what request_parse() made */
void request_done(Request *request);

typedef enum ArgumentType {
        ARGUMENT_INTEGER,
        ARGUMENT_WORD, /* a string of at most ARGUMENT_WORD_SIZE - 1 letters, digits, commas, hyphens and underscores */
} ArgumentType;

/* An argument that a command takes. */
typedef struct ArgumentSpec {
        const char *name;
        bool required;
        ArgumentType type;
} ArgumentSpec;

#define REQUEST_ARGUMENTS_MAX 4

/* 64 bytes in hex are the longest that anybody needs. */
#define ARGUMENT_WORD_SIZE 129

typedef struct ArgumentValue {
        bool given;
        int64_t number;
        char word[ARGUMENT_WORD_SIZE];
} ArgumentValue;

/**
 * request_arguments() - check and read the arguments of a request
 * @request: the request
 * @known: what the command takes, at most REQUEST_ARGUMENTS_MAX, ended by a name of NULL
 * @values: takes one value for each of them; all must be zero before
 * @ret_error: takes a description where the arguments are wrong, which the caller frees; else NULL
 *
 * Return: 0, also where *ret_error is set, or -ENOMEM.
 */
int request_arguments(const Request *request, const ArgumentSpec *known, ArgumentValue *values, char **ret_error);
