/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What gtune-quote and gtune-pcrs return, as bytes. Whether it is true is another question.
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
        const char *report; /* part of the JSON value */
        size_t report_size;
        bool has_report_hash;
        uint8_t report_hash[REPORT_HASH_SIZE]; /* what the guest says that it hashed */
} QuoteAnswer;

/**
 * quote_answer_parse() - read what gtune-quote returned
 * @value: it; may be NULL; must outlive the result
 * @ret: takes the content
 * @ret_where: takes what is wrong, in our own words; the caller frees it
 *
 * Return: 0; CAUSE_BAD_ANSWER; -ENOMEM.
 */
int quote_answer_parse(json_object *value, QuoteAnswer *ret, char **ret_where);

/**
 * pcrs_answer_parse() - read what gtune-pcrs returned
 * @value: it; may be NULL
 * @ret: takes the values
 * @ret_where: as quote_answer_parse()
 *
 * Return: as quote_answer_parse().
 */
int pcrs_answer_parse(json_object *value, Pcrs *ret, char **ret_where);
