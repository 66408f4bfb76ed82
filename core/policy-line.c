/* SPDX-License-Identifier: Apache-2.0 */

/* Tested by tests/unit/core/test-policy.c. */

#include <ctype.h>

#include "core/policy-line.h"

#define POLICY_LINE_MAX 199U /* bytes; with the NUL, the size of inih's own buffer (INI_MAX_LINE) */
#define POLICY_LINE_SECTION_MAX 49U /* bytes; with the NUL, what inih keeps of a section's name (MAX_SECTION) */

static size_t policy_line_skip_blanks(const char *line, size_t size, size_t i) {
        while (i < size && isspace((unsigned char) line[i]))
                i++;

        return i;
}

/* Where the text of a line begins, behind a byte order mark and blanks. */
static size_t policy_line_start(const char *line, size_t size) {
        return policy_line_skip_blanks(line, size, size >= 3 && memcmp(line, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0);
}

/* inih reports only the first line that it cannot read, so each line is judged here. */
static bool policy_line_is_complete(const char *line, size_t size) {
        size_t i = policy_line_start(line, size);

        if (i == size || line[i] == '#' || line[i] == ';')
                return true;
        if (line[i] == '[')
                return memchr(line + i, ']', size - i) != NULL;

        return memchr(line + i, '=', size - i) || memchr(line + i, ':', size - i);
}

/* Of a line that begins with a section. */
static const char *policy_line_section_refusal(const char *line, size_t size) {
        const char *end = memchr(line, ']', size);
        size_t i;

        if ((size_t) (end - line) - 1 > POLICY_LINE_SECTION_MAX)
                return "the section's name is longer than 49 bytes; a shell pattern may shorten the name of a subject";

        i = policy_line_skip_blanks(line, size, (size_t) (end - line) + 1);
        if (i < size && line[i] != '#' && line[i] != ';')
                return "there is text after the ]: write every key on a line of its own";

        return NULL;
}

/* Whether a line that is no comment has a semicolon behind a blank: inih takes the rest for a comment. */
static bool policy_line_has_tail(const char *line, size_t size) {
        size_t start = policy_line_start(line, size);

        if (start == size || strchr("#;[", line[start]))
                return false;

        for (size_t i = start + 1; i < size; i++)
                if (line[i] == ';' && isspace((unsigned char) line[i - 1]))
                        return true;

        return false;
}

const char *policy_line_refusal(const char *line, size_t size) {
        if (size > POLICY_LINE_MAX)
                return "the line is longer than 199 bytes; a list key may be repeated instead";
        if (memchr(line, 0, size))
                return "the line holds a NUL byte";
        if (size > 0 && isblank((unsigned char) line[0])) {
                size_t i = policy_line_skip_blanks(line, size, 0);

                if (i < size && line[i] != '#' && line[i] != ';')
                        return "the line begins with a blank; continuation lines are not supported, "
                               "write every key at the beginning of a line";
        }
        if (policy_line_has_tail(line, size))
                return "there is a semicolon behind a blank: separate the names of a list with commas, and write a comment "
                       "on a line of its own";
        if (!policy_line_is_complete(line, size))
                return "expected [section], key = value, or a comment";

        return size > 0 && line[0] == '[' ? policy_line_section_refusal(line, size) : NULL;
}
