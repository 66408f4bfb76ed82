/* SPDX-License-Identifier: Apache-2.0 */

#include "cli/verb.h"
#include "core/text.h"

#define EXPLAIN_WIDTH 80U

static int print_section(Buffer *b, const char *title, const char *text) {
        int r;

        r = buffer_printf(b, "\n%s\n    ", title);
        return r < 0 ? r : text_wrap(b, text, 4, 4, EXPLAIN_WIDTH);
}

static int print_reasons(Buffer *b, const Reason *reasons, size_t n) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < n; i++) {
                r = buffer_printf(b, "    %s\n        ", reasons[i].code);
                if (r >= 0)
                        r = text_wrap(b, reasons[i].meaning, 8, 8, EXPLAIN_WIDTH);
        }

        return r;
}

static int print_keys(Buffer *b, const PolicyKeys *keys) {
        int r;

        r = buffer_puts(b, "\nPolicy keys\n");
        for (size_t i = 0; r >= 0 && i < keys->n_keys; i++)
                r = buffer_printf(b, "    %-30s %s\n", keys->keys[i].name, keys->keys[i].meaning);

        return r;
}

static int print_facts(Buffer *b, const Practice *p) {
        const struct {
                const char *title, *text;
        } sections[] = {
                {"What it is for", p->purpose},
                {"When it helps", p->helps},
                {"When it harms", p->harms},
                {"What \"active\" rests on", p->proof},
        };
        int r;

        r = buffer_printf(b, "%s: %s\n", p->name, p->title);
        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(sections); i++)
                r = print_section(b, sections[i].title, sections[i].text);

        return r;
}

static int print_all_reasons(Buffer *b, const Practice *p) {
        int r;

        r = buffer_puts(b, "\nReasons\n");
        if (r < 0)
                return r;
        r = print_reasons(b, p->reasons, p->n_reasons);
        if (r < 0)
                return r;
        r = print_reasons(b, common_reasons, n_common_reasons);
        if (r < 0)
                return r;

        return print_reasons(b, boot_store_reasons, n_boot_store_reasons);
}

static int explain(const Practice *p, Buffer *b) {
        int r;

        r = print_facts(b, p);
        if (r < 0)
                return r;
        r = print_keys(b, &p->keys);
        if (r < 0)
                return r;
        r = print_all_reasons(b, p);
        if (r < 0)
                return r;

        r = buffer_puts(b, "\nSources\n");
        for (const char *const *s = p->sources; r >= 0 && *s; s++)
                r = buffer_printf(b, "    %s\n", *s);

        return r;
}

static int reasons_to_json(const Reason *reasons, size_t n, json_object *o) {
        for (size_t i = 0; i < n; i++)
                if (json_set(o, reasons[i].code, json_text(reasons[i].meaning)) < 0)
                        return -ENOMEM;

        return 0;
}

static int choices_to_json(const PolicyKey *key, json_object *o) {
        json_object *choices = key->choices ? json_object_new_array() : NULL;
        int r;

        if (key->choices && !choices)
                return -ENOMEM;

        r = json_set(o, "choices", choices);
        for (const char *const *c = key->choices; r >= 0 && c && *c; c++)
                r = json_add(choices, json_text(*c));

        return r;
}

static int keys_to_json(const PolicyKeys *keys, json_object *array) {
        for (size_t i = 0; i < keys->n_keys; i++) {
                json_object *o = json_object_new_object();

                if (!o || json_add(array, o) < 0 || json_set_text(o, "section", keys->keys[i].section) < 0 ||
                    json_set_text(o, "name", keys->keys[i].name) < 0 || choices_to_json(keys->keys + i, o) < 0 ||
                    json_set_text(o, "meaning", keys->keys[i].meaning) < 0)
                        return -ENOMEM;
        }

        return 0;
}

/* What every practice has: the states, and the keys of sections that belong to none. */
static int common_to_json(const Side *side, const Practice *p, json_object *o) {
        json_object *states = json_object_new_object(), *keys = json_object_new_array();

        if (json_set(o, "states", states) < 0 || json_set(o, "keys", keys) < 0)
                return -ENOMEM;
        if (!states || !keys || keys_to_json(&p->keys, keys) < 0)
                return -ENOMEM;
        for (State s = 0; s < _STATE_MAX; s++)
                if (json_set(states, state_to_string(s), json_text(state_meaning(s))) < 0)
                        return -ENOMEM;

        return keys_to_json(&side->keys, keys);
}

static int explain_json(const Context *c, const Practice *p) {
        _cleanup_json_ json_object *o = json_object_new_object();
        json_object *reasons = json_object_new_object();

        if (!o || json_set_text(o, "name", p->name) < 0 || json_set_text(o, "title", p->title) < 0 ||
            json_set_text(o, "purpose", p->purpose) < 0 || json_set_text(o, "helps", p->helps) < 0 ||
            json_set_text(o, "harms", p->harms) < 0 || json_set_text(o, "proof", p->proof) < 0 ||
            json_set(o, "reasons", reasons) < 0 || reasons_to_json(p->reasons, p->n_reasons, reasons) < 0 ||
            reasons_to_json(common_reasons, n_common_reasons, reasons) < 0 ||
            reasons_to_json(boot_store_reasons, n_boot_store_reasons, reasons) < 0 || common_to_json(c->side, p, o) < 0)
                return -ENOMEM;

        return print_document(o);
}

int verb_explain(Context *c, char **arguments) {
        _cleanup_buffer_ Buffer b = BUFFER_NULL;
        PracticeSet set;
        const Practice *p;
        int r;

        r = parse_practices(c, arguments, &set);
        if (r != 0)
                return r;

        p = c->side->practices[side_find_practice(c->side, *arguments)];
        if (c->json)
                return explain_json(c, p);

        r = explain(p, &b);
        if (r >= 0)
                (void) fwrite(b.data, 1, b.size, stdout);

        return r;
}
