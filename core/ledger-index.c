/* SPDX-License-Identifier: Apache-2.0 */

/* Finding the records of tokens by path. Tested by tests/unit/core/test-ledger.c. */

#include "core/ledger-internal.h"

void ledger_forget_index(Ledger *ledger) {
        free(TAKE_PTR(ledger->index));
        free(TAKE_PTR(ledger->same_path));
        ledger->index_size = ledger->n_indexed = 0;
}

/* FNV-1a */
static size_t ledger_hash_path(const char *path) {
        uint32_t h = 2166136261U;

        for (; *path; path++)
                h = (h ^ (unsigned char) *path) * 16777619U;

        return h;
}

/* Find the place of a path in the index: the place of its first record, or the free place for the path. */
static size_t *ledger_index_find(const Ledger *ledger, const char *path) {
        for (size_t i = ledger_hash_path(path);; i++) {
                size_t *place = ledger->index + (i & (ledger->index_size - 1));

                if (*place == 0 || streq(ledger->tokens[*place - 1].path, path))
                        return place;
        }
}

/* There are at least twice as many places as records, so at least half of the places are free. */
static int ledger_index_grow(Ledger *ledger) {
        size_t size = ledger->index_size > 0 ? ledger->index_size : 16;

        while (size < ledger->n_tokens * 2)
                size *= 2;
        if (size != ledger->index_size) {
                ledger_forget_index(ledger);
                ledger->index = calloc(size, sizeof(size_t));
                if (!ledger->index)
                        return -ENOMEM;
                ledger->index_size = size;
        }

        for (size_t i = ledger->n_indexed; i < ledger->n_tokens; i++)
                if (grow(&ledger->same_path, i, sizeof(size_t)) < 0)
                        return -ENOMEM;

        return 0;
}

/* Add the records that the index does not have yet. */
static int ledger_index_tokens(Ledger *ledger) {
        if (ledger->n_indexed == ledger->n_tokens)
                return 0;
        if (ledger_index_grow(ledger) < 0)
                return -ENOMEM;

        for (; ledger->n_indexed < ledger->n_tokens; ledger->n_indexed++) {
                size_t *place = ledger_index_find(ledger, ledger->tokens[ledger->n_indexed].path);

                while (*place > 0)
                        place = ledger->same_path + *place - 1;
                *place = ledger->n_indexed + 1;
        }

        return 0;
}

LedgerToken *ledger_next_token(Ledger *ledger, const char *path, const LedgerToken *before) {
        size_t i = before ? (size_t) (before - ledger->tokens) + 1 : 0;

        /* Without memory for an index, search all records. */
        if (ledger_index_tokens(ledger) < 0) {
                while (i < ledger->n_tokens && !streq(ledger->tokens[i].path, path))
                        i++;
                return i < ledger->n_tokens ? ledger->tokens + i : NULL;
        }
        if (ledger->n_tokens == 0)
                return NULL;

        i = before ? ledger->same_path[i - 1] : *ledger_index_find(ledger, path);
        return i > 0 ? ledger->tokens + i - 1 : NULL;
}

LedgerToken *ledger_token(Ledger *ledger, const char *path, const char *token) {
        for (LedgerToken *t = NULL; (t = ledger_next_token(ledger, path, t));)
                if (streq(t->token, token))
                        return t;

        return NULL;
}
