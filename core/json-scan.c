/* SPDX-License-Identifier: Apache-2.0 */

#include <assert.h>

#include "core/json-scan.h"

typedef enum JsonToken {
        JSON_TOKEN_OPEN_OBJECT = 1 << 0,
        JSON_TOKEN_OPEN_ARRAY = 1 << 1,
        JSON_TOKEN_CLOSE_OBJECT = 1 << 2,
        JSON_TOKEN_CLOSE_ARRAY = 1 << 3,
        JSON_TOKEN_COMMA = 1 << 4,
        JSON_TOKEN_COLON = 1 << 5,
        JSON_TOKEN_STRING = 1 << 6,
        JSON_TOKEN_WORD = 1 << 7,
        JSON_TOKENS_VALUE = JSON_TOKEN_OPEN_OBJECT | JSON_TOKEN_OPEN_ARRAY | JSON_TOKEN_STRING | JSON_TOKEN_WORD,
} JsonToken;

static const unsigned json_scan_allowed[_JSON_SCAN_EXPECT_MAX] = {
        [JSON_SCAN_VALUE] = JSON_TOKENS_VALUE,
        [JSON_SCAN_FIRST_VALUE] = JSON_TOKENS_VALUE | JSON_TOKEN_CLOSE_ARRAY,
        [JSON_SCAN_FIRST_KEY] = JSON_TOKEN_STRING | JSON_TOKEN_CLOSE_OBJECT,
        [JSON_SCAN_KEY] = JSON_TOKEN_STRING,
        [JSON_SCAN_COLON] = JSON_TOKEN_COLON,
        [JSON_SCAN_NEXT] = JSON_TOKEN_COMMA | JSON_TOKEN_CLOSE_OBJECT | JSON_TOKEN_CLOSE_ARRAY,
        [JSON_SCAN_END] = 0,
};

/* strchr() would find the NUL at the end of the set. */
static bool json_scan_is_one_of(char ch, const char *set) {
        return ch && strchr(set, ch);
}

static bool json_scan_in_object(const JsonScan *s) {
        return s->depth > 0 && (s->objects >> (s->depth - 1) & 1);
}

static JsonScanError json_scan_open(JsonScan *s, bool object) {
        uint64_t bit;

        if (s->depth == s->depth_max)
                return JSON_SCAN_DEPTH;

        bit = UINT64_C(1) << s->depth;
        s->objects = object ? s->objects | bit : s->objects & ~bit;
        s->depth++;
        s->containers++;
        s->expect = object ? JSON_SCAN_FIRST_KEY : JSON_SCAN_FIRST_VALUE;
        return JSON_SCAN_OK;
}

static void json_scan_value_ended(JsonScan *s) {
        s->expect = s->depth > 0 ? JSON_SCAN_NEXT : JSON_SCAN_END;
}

static JsonScanError json_scan_token(JsonScan *s, JsonToken token) {
        if (!(json_scan_allowed[s->expect] & token))
                return JSON_SCAN_TOKEN;

        switch (token) {
        case JSON_TOKEN_OPEN_OBJECT:
        case JSON_TOKEN_OPEN_ARRAY:
                return json_scan_open(s, token == JSON_TOKEN_OPEN_OBJECT);
        case JSON_TOKEN_CLOSE_OBJECT:
        case JSON_TOKEN_CLOSE_ARRAY:
                if (json_scan_in_object(s) != (token == JSON_TOKEN_CLOSE_OBJECT))
                        return JSON_SCAN_BRACKETS;
                s->depth--;
                json_scan_value_ended(s);
                return JSON_SCAN_OK;
        case JSON_TOKEN_COMMA:
                s->expect = json_scan_in_object(s) ? JSON_SCAN_KEY : JSON_SCAN_VALUE;
                return JSON_SCAN_OK;
        case JSON_TOKEN_COLON:
                s->expect = JSON_SCAN_VALUE;
                return JSON_SCAN_OK;
        default:
                if (s->expect == JSON_SCAN_KEY || s->expect == JSON_SCAN_FIRST_KEY)
                        s->expect = JSON_SCAN_COLON;
                else
                        json_scan_value_ended(s);
                return JSON_SCAN_OK;
        }
}

static JsonScanError json_scan_string_byte(JsonScan *s, char ch) {
        if ((uint8_t) ch < 0x20)
                return JSON_SCAN_CONTROL;

        if (s->hex > 0) {
                s->hex--;
                return json_scan_is_one_of(ch, "0123456789abcdefABCDEF") ? JSON_SCAN_OK : JSON_SCAN_ESCAPE;
        }

        if (s->escaped) {
                s->escaped = false;
                s->hex = ch == 'u' ? 4 : 0;
                return json_scan_is_one_of(ch, s->single_quotes ? "'\"\\/bfnrtu" : "\"\\/bfnrtu") ? JSON_SCAN_OK
                                                                                           : JSON_SCAN_ESCAPE;
        }

        s->escaped = ch == '\\';
        if (ch != s->quote)
                return JSON_SCAN_OK;

        s->in_string = false;
        return json_scan_token(s, JSON_TOKEN_STRING);
}

static JsonScanWord json_scan_word_begins(JsonScan *s, char ch) {
        static const char *const names[] = {"true", "false", "null"};

        if (ch == '-')
                return JSON_SCAN_MINUS;
        if (ch == '0')
                return JSON_SCAN_ZERO;
        if (json_scan_is_one_of(ch, "123456789"))
                return JSON_SCAN_INTEGER;

        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                if (ch == names[i][0]) {
                        s->rest = names[i] + 1;
                        return JSON_SCAN_NAME;
                }

        return JSON_SCAN_NO_WORD;
}

/* -?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)? */
static JsonScanWord json_scan_number_byte(JsonScanWord word, char ch) {
        bool digit = json_scan_is_one_of(ch, "0123456789"), e = ch == 'e' || ch == 'E';

        switch (word) {
        case JSON_SCAN_MINUS:
                if (digit)
                        return ch == '0' ? JSON_SCAN_ZERO : JSON_SCAN_INTEGER;
                return JSON_SCAN_BAD;
        case JSON_SCAN_ZERO:
        case JSON_SCAN_INTEGER:
                if (digit)
                        return word == JSON_SCAN_ZERO ? JSON_SCAN_BAD : JSON_SCAN_INTEGER;
                if (ch == '.')
                        return JSON_SCAN_POINT;
                return e ? JSON_SCAN_E : JSON_SCAN_BAD;
        case JSON_SCAN_POINT:
                return digit ? JSON_SCAN_FRACTION : JSON_SCAN_BAD;
        case JSON_SCAN_FRACTION:
                if (digit)
                        return JSON_SCAN_FRACTION;
                return e ? JSON_SCAN_E : JSON_SCAN_BAD;
        case JSON_SCAN_E:
                if (ch == '+' || ch == '-')
                        return JSON_SCAN_SIGN;
                return digit ? JSON_SCAN_EXPONENT : JSON_SCAN_BAD;
        case JSON_SCAN_SIGN:
        case JSON_SCAN_EXPONENT:
                return digit ? JSON_SCAN_EXPONENT : JSON_SCAN_BAD;
        default:
                return JSON_SCAN_BAD;
        }
}

static JsonScanError json_scan_word_ended(JsonScan *s) {
        JsonScanWord word = TAKE_GENERIC(s->word, JSON_SCAN_NO_WORD);

        switch (word) {
        case JSON_SCAN_NAME:
                if (*s->rest)
                        return JSON_SCAN_WORD;
                break;
        case JSON_SCAN_ZERO:
        case JSON_SCAN_INTEGER:
        case JSON_SCAN_FRACTION:
        case JSON_SCAN_EXPONENT:
                break;
        default:
                return JSON_SCAN_WORD;
        }

        return json_scan_token(s, JSON_TOKEN_WORD);
}

/* A byte that is outside of strings and words, or begins one. */
static JsonScanError json_scan_mark(JsonScan *s, char ch) {
        switch (ch) {
        case ' ':
        case '\t':
        case '\r':
        case '\n':
                return JSON_SCAN_OK;
        case '{':
                s->values++;
                return json_scan_token(s, JSON_TOKEN_OPEN_OBJECT);
        case '[':
                s->values++;
                return json_scan_token(s, JSON_TOKEN_OPEN_ARRAY);
        case '}':
                return json_scan_token(s, JSON_TOKEN_CLOSE_OBJECT);
        case ']':
                return json_scan_token(s, JSON_TOKEN_CLOSE_ARRAY);
        case ',':
                return json_scan_token(s, JSON_TOKEN_COMMA);
        case ':':
                return json_scan_token(s, JSON_TOKEN_COLON);
        case '\'':
        case '"':
                if (ch == '\'' && !s->single_quotes)
                        return JSON_SCAN_CHARACTER;
                s->values++;
                s->in_string = true;
                s->quote = ch;
                return JSON_SCAN_OK;
        default:
                s->word = json_scan_word_begins(s, ch);
                if (s->word == JSON_SCAN_NO_WORD)
                        return JSON_SCAN_CHARACTER;
                s->values++;
                return JSON_SCAN_OK;
        }
}

JsonScanError json_scan_byte(JsonScan *s, char ch) {
        JsonScanError error;

        assert(s && s->depth_max <= JSON_SCAN_DEPTH_LIMIT);

        if (s->in_string)
                return json_scan_string_byte(s, ch);
        if (s->word == JSON_SCAN_NO_WORD)
                return json_scan_mark(s, ch);

        if (json_scan_is_one_of(ch, "0123456789+-.eEtrufalsn")) {
                if (s->word != JSON_SCAN_NAME)
                        s->word = json_scan_number_byte(s->word, ch);
                else if (!*s->rest || *s->rest++ != ch)
                        s->word = JSON_SCAN_BAD;
                return JSON_SCAN_OK;
        }

        error = json_scan_word_ended(s);
        if (error != JSON_SCAN_OK)
                return error;

        return json_scan_mark(s, ch);
}

bool json_scan_end(JsonScan *s) {
        assert(s);

        if (s->word != JSON_SCAN_NO_WORD && json_scan_word_ended(s) != JSON_SCAN_OK)
                return false;

        return !s->in_string && s->expect == JSON_SCAN_END;
}
