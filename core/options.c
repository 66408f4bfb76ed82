/* SPDX-License-Identifier: Apache-2.0 */

/* Tested by the tests of the programs, such as tests/roots/run and tests/docs/run. */

#include <assert.h>
#include <getopt.h>

#include "core/options.h"
#include "core/text.h"

/* Options without a letter get numbers that are no characters. */
#define OPTIONS_LONG_ONLY 0x100

/* getopt_long() would write what it does not know to stderr as it is. */
static void options_complain(int c, const struct option *table, char **argv) {
        const char *program = argv[0], *word = argv[optind - 1];
        const bool is_long = startswith(word, "--") != NULL;

        for (; table->name && table->val != optopt; table++)
                ;
        if (c == ':')
                text_say(stderr, "%s: the option %s needs an argument\n", program, word);
        else if (is_long && optopt && table->name)
                text_say(stderr, "%s: the option --%s takes no argument\n", program, table->name);
        else if (optopt)
                text_say(stderr, "%s: there is no option -%c\n", program, optopt);
        else
                text_say(stderr, "%s: there is no option %s\n", program, word);
}

static void options_fill_tables(const Option *options, size_t n, struct option *table, char *letters) {
        *letters++ = ':'; /* a missing argument is told from an unknown option */
        for (size_t i = 0; i < n; i++) {
                table[i] = (struct option) {
                        .name = options[i].name,
                        .has_arg = options[i].argument ? required_argument : no_argument,
                        .val = options[i].letter ? options[i].letter : OPTIONS_LONG_ONLY + (int) i,
                };
                if (!options[i].letter)
                        continue;
                *letters++ = (char) options[i].letter;
                if (options[i].argument)
                        *letters++ = ':';
        }

        table[n] = (struct option) {};
        *letters = 0;
}

int options_parse(const Option *options, size_t n, int argc, char **argv, void *userdata, uint32_t *ret_given) {
        struct option table[OPTIONS_MAX + 1];
        char letters[2 * OPTIONS_MAX + 2];
        uint32_t given = 0;
        int c;

        assert(n <= OPTIONS_MAX);

        options_fill_tables(options, n, table, letters);
        opterr = 0;
        while ((c = getopt_long(argc, argv, letters, table, NULL)) >= 0) {
                size_t i = 0;
                int r;

                while (i < n && table[i].val != c)
                        i++;
                if (i == n) {
                        options_complain(c, table, argv);
                        return -EINVAL;
                }

                given |= UINT32_C(1) << i;
                r = options[i].set(userdata, optarg);
                if (r < 0)
                        return r;
        }

        if (ret_given)
                *ret_given = given;
        return optind;
}

void option_help(const Option *option) {
        char left[64];

        (void) snprintf(left, sizeof(left), "--%s%s%s", option->name, option->argument ? " " : "",
                        strempty(option->argument));
        if (option->letter)
                text_say(stdout, "  -%c, %-20s %s\n", option->letter, left, option->help);
        else
                text_say(stdout, "      %-20s %s\n", left, option->help);
}

void options_help(const Option *options, size_t n) {
        puts("\nOptions:");
        for (size_t i = 0; i < n; i++)
                option_help(options + i);
}
