/* SPDX-License-Identifier: Apache-2.0 */

#include "cli/verb.h"
#include "core/secret.h"
#include "core/text.h"

#define EXPLAIN_WIDTH 80U
#define EXPLAIN_NAME_WIDTH 16
#define EXPLAIN_SECRETS_TEXT \
        "What can leave the machine (the report, events of the event log, a snapshot) does not hold these. What stands for " \
        "VALUE, TEXT or USER:PASSWORD is overwritten with REDACTED over and over, in its own length. Small and capital " \
        "letters are the same, and so are - and _."

static int print_section(Buffer *b, const char *title, const char *text) {
        int r;

        r = text_printf(b, "\n%s\n    ", title);
        return r < 0 ? r : text_wrap(b, text, 4, 4, EXPLAIN_WIDTH);
}

/* The reasons that a practice can give, each a row of one of the tables. */
typedef struct ReasonList {
        const Reason **reasons;
        size_t n;
} ReasonList;

static void reason_list_done(ReasonList *l) {
        free(l->reasons);
}

static int reason_list_add(ReasonList *l, const Practice *p, const Reason *reasons, size_t n, bool shared) {
        for (size_t i = 0; i < n; i++) {
                if (shared && (p->shared_reasons & 1U << reasons[i].group) == 0)
                        continue;
                if (grow(&l->reasons, l->n, sizeof(Reason *)) < 0)
                        return -ENOMEM;
                l->reasons[l->n++] = reasons + i;
        }

        return 0;
}

static int reason_list_make(const Practice *p, ReasonList *ret) {
        if (reason_list_add(ret, p, p->reasons, p->n_reasons, false) < 0 ||
            reason_list_add(ret, p, common_reasons, n_common_reasons, true) < 0 ||
            reason_list_add(ret, p, boot_store_reasons, n_boot_store_reasons, true) < 0)
                return -ENOMEM;

        return 0;
}

static const Reason *reason_list_find(const ReasonList *l, const char *code) {
        for (size_t i = 0; i < l->n; i++)
                if (streq(l->reasons[i]->code, code))
                        return l->reasons[i];

        return NULL;
}

static int print_meaning(Buffer *b, const char *what, const char *meaning) {
        int r = text_printf(b, "    %s\n        ", what);

        return r < 0 ? r : text_wrap(b, meaning, 8, 8, EXPLAIN_WIDTH);
}

static int print_keys(Buffer *b, const PolicyKeys *keys) {
        int r;

        r = buffer_puts(b, "\nPolicy keys\n");
        for (size_t i = 0; r >= 0 && i < keys->n_keys; i++)
                r = text_printf(b, "    %-30s %s\n", keys->keys[i].name, keys->keys[i].meaning);

        return r;
}

static int print_facts(Buffer *b, const Practice *p) {
        const struct {
                const char *title, *text;
        } sections[] = {
                {"What it is for", p->purpose},
                {"How it works", p->how},
                {"When it helps", p->helps},
                {"When it harms", p->harms},
                {"What \"active\" rests on", p->proof},
        };
        int r;

        r = text_printf(b, "%s: %s\n", p->name, p->title);
        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(sections); i++)
                r = !sections[i].text ? 0 : print_section(b, sections[i].title, sections[i].text);

        return r;
}

static int print_all_reasons(Buffer *b, const Practice *p) {
        _cleanup_(reason_list_done) ReasonList l = {};
        int r;

        r = reason_list_make(p, &l);
        if (r < 0)
                return r;

        r = buffer_puts(b, "\nReasons\n");
        for (size_t i = 0; r >= 0 && i < l.n; i++)
                r = print_meaning(b, l.reasons[i]->code, l.reasons[i]->meaning);

        return r;
}

static int explain_practice(const Practice *p, Buffer *b) {
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
                r = text_printf(b, "    %s\n", *s);

        return r;
}

static int reasons_to_json(const Practice *p, json_object *o) {
        _cleanup_(reason_list_done) ReasonList l = {};
        int r;

        r = reason_list_make(p, &l);
        for (size_t i = 0; r >= 0 && i < l.n; i++)
                r = json_set(o, l.reasons[i]->code, json_text(l.reasons[i]->meaning));

        return r;
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

static int explain_practice_json(const Side *side, const Practice *p, json_object *o) {
        json_object *reasons = json_object_new_object();

        if (json_set_text(o, "name", p->name) < 0 || json_set_text(o, "title", p->title) < 0 ||
            json_set_text(o, "purpose", p->purpose) < 0 || json_set_text(o, "how", p->how) < 0 ||
            json_set_text(o, "helps", p->helps) < 0 ||
            json_set_text(o, "harms", p->harms) < 0 || json_set_text(o, "proof", p->proof) < 0 ||
            json_set(o, "reasons", reasons) < 0 || reasons_to_json(p, reasons) < 0 || common_to_json(side, p, o) < 0)
                return -ENOMEM;

        return 0;
}

/* The practices that give a code with one meaning. */
typedef struct Meaning {
        const char *text;
        Buffer names; /* with commas between them */
        json_object *practices;
} Meaning;

typedef struct Meanings {
        Meaning *meanings;
        size_t n;
} Meanings;

static void meanings_done(Meanings *m) {
        for (size_t i = 0; i < m->n; i++) {
                buffer_done(&m->meanings[i].names);
                json_object_put(m->meanings[i].practices);
        }
        free(m->meanings);
}

static int meanings_add(Meanings *m, const char *text, const char *practice) {
        Meaning *meaning = m->meanings;

        while (meaning < m->meanings + m->n && !streq(meaning->text, text))
                meaning++;
        if (meaning == m->meanings + m->n) {
                if (grow(&m->meanings, m->n, sizeof(Meaning)) < 0)
                        return -ENOMEM;
                meaning = m->meanings + m->n++;
                meaning->text = text;
                meaning->practices = json_object_new_array();
        }
        if (!meaning->practices || json_add(meaning->practices, json_text(practice)) < 0)
                return -ENOMEM;

        return text_printf(&meaning->names, "%s%s", meaning->names.size > 0 ? ", " : "", practice);
}

/* What a code means: the same for all practices that can give it, or not. None: there is no such code. */
static int meanings_find(const Side *side, const char *code, Meanings *ret) {
        for (size_t i = 0; i < side->n_practices; i++) {
                _cleanup_(reason_list_done) ReasonList l = {};
                const Reason *reason;
                int r;

                r = reason_list_make(side->practices[i], &l);
                if (r < 0)
                        return r;
                reason = reason_list_find(&l, code);
                if (!reason)
                        continue;
                r = meanings_add(ret, reason->meaning, side->practices[i]->name);
                if (r < 0)
                        return r;
        }

        return 0;
}

static int explain_code(const char *code, const Meanings *m, Buffer *b) {
        int r;

        r = text_printf(b, "%s\n", code);
        for (size_t i = 0; r >= 0 && i < m->n; i++) {
                r = buffer_puts(b, "    ");
                if (r >= 0)
                        r = text_wrap(b, m->meanings[i].text, 4, 4, EXPLAIN_WIDTH);
                if (r >= 0)
                        r = text_printf(b, "    A reason of %s.\n", m->meanings[i].names.data);
        }

        return r;
}

static int explain_code_json(const char *code, const Meanings *m, json_object *o) {
        json_object *reasons = json_object_new_array();

        if (json_set_text(o, "code", code) < 0 || json_set(o, "reasons", reasons) < 0)
                return -ENOMEM;

        for (size_t i = 0; i < m->n; i++) {
                json_object *reason = json_object_new_object();

                if (!reason || json_add(reasons, reason) < 0 || json_set_text(reason, "meaning", m->meanings[i].text) < 0 ||
                    json_set(reason, "practices", json_object_get(m->meanings[i].practices)) < 0)
                        return -ENOMEM;
        }

        return 0;
}

static int explain_list(const Context *c, Buffer *b) {
        const char *name = c->program->name;
        int r = 0;

        for (size_t i = 0; r >= 0 && i < c->side->n_practices; i++)
                r = text_printf(b, "%-*s%s\n", EXPLAIN_NAME_WIDTH, c->side->practices[i]->name,
                                  c->side->practices[i]->title);
        if (r < 0)
                return r;

        return text_printf(b, "\n`%s explain PRACTICE` says what one is for, and which reasons it can give;\n"
                                "`%s explain CODE` what a reason means;\n"
                                "`%s explain secrets` what reports and snapshots do not hold.\n", name, name, name);
}

static int explain_list_json(const Side *side, json_object *o) {
        json_object *practices = json_object_new_array();

        if (json_set(o, "practices", practices) < 0)
                return -ENOMEM;

        for (size_t i = 0; i < side->n_practices; i++) {
                json_object *practice = json_object_new_object();

                if (!practice || json_add(practices, practice) < 0 ||
                    json_set_text(practice, "name", side->practices[i]->name) < 0 ||
                    json_set_text(practice, "title", side->practices[i]->title) < 0)
                        return -ENOMEM;
        }

        return 0;
}

static int explain_secrets(Buffer *b) {
        int r;

        r = buffer_puts(b, "secrets\n    ");
        if (r >= 0)
                r = text_wrap(b, EXPLAIN_SECRETS_TEXT, 4, 4, EXPLAIN_WIDTH);
        if (r >= 0)
                r = buffer_puts(b, "\n");

        for (size_t i = 0; r >= 0 && i < n_secrets; i++) {
                _cleanup_free_ char *pattern = secret_format(secrets + i);

                r = pattern ? print_meaning(b, pattern, secrets[i].meaning) : -ENOMEM;
        }

        return r;
}

static int explain_secrets_json(json_object *o) {
        json_object *rows = json_object_new_array();

        if (json_set_text(o, "meaning", EXPLAIN_SECRETS_TEXT) < 0 || json_set(o, "secrets", rows) < 0)
                return -ENOMEM;

        for (size_t i = 0; i < n_secrets; i++) {
                _cleanup_free_ char *pattern = secret_format(secrets + i);
                json_object *row = json_object_new_object();

                if (!pattern || !row || json_add(rows, row) < 0 || json_set_text(row, "text", pattern) < 0 ||
                    json_set_text(row, "meaning", secrets[i].meaning) < 0)
                        return -ENOMEM;
        }

        return 0;
}

/* Fill in the text, or the document if there is one. topic is NULL, a practice, "secrets" or a reason code. */
static int explain_topic(const Context *c, const char *topic, Buffer *b, json_object *o) {
        _cleanup_(meanings_done) Meanings m = {};
        int r, row = topic ? side_find_practice(c->side, topic) : -1;

        if (!topic)
                return o ? explain_list_json(c->side, o) : explain_list(c, b);
        if (streq(topic, "secrets"))
                return o ? explain_secrets_json(o) : explain_secrets(b);
        if (row >= 0)
                return o ? explain_practice_json(c->side, c->side->practices[row], o)
                         : explain_practice(c->side->practices[row], b);

        r = meanings_find(c->side, topic, &m);
        if (r < 0)
                return r;
        if (m.n == 0)
                return complain_usage(c, "there is no practice and no reason %s; `%s explain` lists the practices", topic,
                                      c->program->name);

        return o ? explain_code_json(topic, &m, o) : explain_code(topic, &m, b);
}

int verb_explain(Context *c, char **arguments) {
        _cleanup_json_ json_object *o = c->json ? json_object_new_object() : NULL;
        _cleanup_buffer_ Buffer b = BUFFER_NULL;
        int r;

        if (c->json && !o)
                return -ENOMEM;

        r = explain_topic(c, *arguments, &b, o);
        if (r != 0)
                return r;
        if (o)
                return print_document(o);

        (void) text_write(stdout, &b);
        return STATUS_OK;
}
