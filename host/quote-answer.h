/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Reads the answers to gtune-quote and gtune-pcrs. The form of an answer is checked here, its truth by quote_check().
 * The test is tests/host/lying-quotes.py.
 */

#include "host/outcome.h"
#include "tpm/attest.h"

#define REPORT_HASH_SIZE 32U

typedef struct QuoteAnswer {
        uint8_t attest[QUOTE_PART_SIZE_MAX];
        size_t attest_size;
        uint8_t signature[QUOTE_PART_SIZE_MAX];
        size_t signature_size;
        uint8_t public_key[QUOTE_PART_SIZE_MAX];
        size_t public_key_size;
        Algorithm bank;
        uint32_t selection;
        Pcrs pcrs;
        const char *report; /* the report as text; belongs to the JSON value */
        size_t report_size;
        bool has_report_hash;
        uint8_t report_hash[REPORT_HASH_SIZE]; /* the hash of the report that the guest claims to have quoted */
} QuoteAnswer;

/**
 * quote_answer_parse() - read the answer to gtune-quote
 * @value: the answer; may be NULL; must outlive @ret
 * @ret: takes the content
 * @ret_where: takes a text that names the bad member and holds no byte of the guest; the caller frees it
 *
 * Return: 0; CAUSE_BAD_ANSWER with *ret_where set; -ENOMEM.
 */
int quote_answer_parse(json_object *value, QuoteAnswer *ret, char **ret_where);

/**
 * pcrs_answer_parse() - read the answer to gtune-pcrs
 * @value: the answer; may be NULL
 * @ret: takes the values
 * @ret_where: as for quote_answer_parse()
 *
 * Return: 0; CAUSE_BAD_ANSWER with *ret_where set; -ENOMEM.
 */
int pcrs_answer_parse(json_object *value, Pcrs *ret, char **ret_where);
