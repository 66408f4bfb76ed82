/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Decides from the menus around a command what kind of entry it is.
 *
 * Tested by test-grub-cfg.c.
 */

#include "core/buffer.h"
#include "grub/entry-kind.h"
#include "grub/grub-cfg-menu.h"

bool grub_word_is_one_of(const char *word, const char *const *list) {
        for (; *list; list++)
                if (streq(word, *list))
                        return true;

        return false;
}

/* The title of a menuentry or submenu: its first argument that is no option (grub-core/commands/menuentry.c). */
static const char *grub_menu_title(const ScriptCommand *c) {
        static const char *const with_value[] = {
                "--class", "--users", "--hotkey", "--source", "--id", "$menuentry_id_option",
                "${menuentry_id_option}", NULL
        };

        for (size_t i = 1; i < c->n_words; i++) {
                const char *word = c->words[i].value;

                if (grub_word_is_one_of(word, with_value))
                        i++;
                else if (streq(word, "--"))
                        return i + 1 < c->n_words ? c->words[i + 1].value : "";
                else if (!startswith(word, "--"))
                        return word;
        }

        return "";
}

/* The ids of grub-mkconfig are not translated, unlike titles: gnulinux-VERSION-recovery-UUID. */
static bool grub_menu_has_recovery_id(const ScriptCommand *c) {
        for (size_t i = 1; i < c->n_words; i++)
                if (startswith(c->words[i].value, "gnulinux-") && strstr(c->words[i].value, "-recovery-"))
                        return true;

        return false;
}

static bool grub_menu_is_rescue(const ScriptCommand *c) {
        const char *title = grub_menu_title(c);

        return entry_name_is_rescue(title) || entry_name_is_snapshot(title) || grub_menu_has_recovery_id(c);
}

/* 30_os-prober ends the title of each system that it finds with "(on /dev/sda1)". */
static bool grub_menu_is_foreign(const ScriptCommand *c) {
        const char *title = grub_menu_title(c), *on = NULL;

        for (const char *p = title; (p = strstr(p, "(on /dev/")); p++)
                on = p;

        return on && endswith(on, ")");
}

static bool grub_menu_any(const Script *script, const ScriptCommand *c, bool (*test)(const ScriptCommand *menu)) {
        for (size_t i = c->parent; i != SCRIPT_NO_PARENT; i = script->commands[i].parent)
                if (test(script->commands + i))
                        return true;

        return false;
}

EntryKind grub_menu_kind(const Script *script, const ScriptCommand *c) {
        if (c->os_prober || grub_menu_any(script, c, grub_menu_is_foreign))
                return ENTRY_FOREIGN;

        return grub_menu_any(script, c, grub_menu_is_rescue) ? ENTRY_RESCUE : ENTRY_SYSTEM;
}

/* The room that the titles of all menus around a command take, each with the " > " behind it. */
static size_t grub_menu_titles_size(const Script *script, const ScriptCommand *c) {
        size_t n = 0;

        for (size_t i = c->parent; i != SCRIPT_NO_PARENT; i = script->commands[i].parent)
                n += strlen(grub_menu_title(script->commands + i)) + strlen(" > ");

        return n;
}

/* The titles of all menus around a command, the outermost first, joined with " > ". */
int grub_menu_titles(const Script *script, const ScriptCommand *c, char **ret) {
        size_t n = grub_menu_titles_size(script, c);
        char *titles = malloc(n + 1), *end = titles + n;

        if (!titles)
                return -ENOMEM;

        /* From the inside to the outside, and so from the end to the beginning. */
        *end = 0;
        for (size_t i = c->parent; i != SCRIPT_NO_PARENT; i = script->commands[i].parent) {
                const char *title = grub_menu_title(script->commands + i);

                end -= strlen(" > ");
                memcpy(end, " > ", strlen(" > "));
                if (i == c->parent)
                        *end = 0;
                end -= strlen(title);
                memcpy(end, title, strlen(title));
        }

        *ret = titles;
        return 0;
}

size_t grub_menu_id_size(const Script *script, const ScriptCommand *c) {
        return strlen(c->words[1].value) + strlen(" | ") + grub_menu_titles_size(script, c);
}
