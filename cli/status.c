/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/gtune.h"
#include "core/text.h"

#define WIDTH 80U
#define NAME_WIDTH 14
#define WANTED_WIDTH 8
#define STATE_WIDTH 16
#define SETTING_WIDTH 34
#define VALUE_WIDTH 16
#define ACTUAL_COLUMN (SETTING_WIDTH + VALUE_WIDTH)
#define EVIDENCE_INDENT 4U

static int print_row(const Context *c, const Finding *f, Buffer *b) {
        const char *state = state_to_string(f->state), *wanted = wanted_to_string(f->wanted);
        const char *colour = c->colour ? text_colour(state) : NULL;
        int r;

        r = buffer_printf(b, "%-*s%-*s%s%s%s", NAME_WIDTH, f->practice, WANTED_WIDTH,
                          f->held ? "held" : wanted ? wanted : "-", strempty(colour), state,
                          colour ? TEXT_COLOUR_OFF : "");
        if (r >= 0 && f->reason_code)
                r = buffer_printf(b, "%*s%s", STATE_WIDTH - (int) strlen(state), "", f->reason_code);

        return r < 0 ? r : buffer_puts(b, "\n");
}

static int print_sentence(Buffer *b, const char *label, const char *text) {
        int r;

        r = buffer_printf(b, "  %-8s", label);
        return r < 0 ? r : text_wrap(b, text, 10, 10, WIDTH);
}

/* What nobody has to act on, but should know. */
static int print_warnings(const Finding *f, Buffer *b) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < f->n_warnings; i++)
                r = print_sentence(b, "note:", f->warnings[i]);

        return r;
}

/* That something cannot be, or is not known, concerns nobody who does not want it: its code in the table is enough. */
static bool has_reason(const Finding *f, bool asked_for) {
        if (!f->reason || (f->state == STATE_OFF && !f->held) || f->state == STATE_ACTIVE)
                return false;

        return asked_for || practice_is_on(f) || (f->state != STATE_UNSUPPORTED && f->state != STATE_UNKNOWN);
}

/* What is not as it should be, and what to do. */
static int print_reason(const Finding *f, bool asked_for, Buffer *b) {
        bool reason = has_reason(f, asked_for);
        int r;

        if (!reason && f->n_warnings == 0)
                return 0;

        r = buffer_printf(b, "\n%s\n", f->practice);
        if (r >= 0 && reason)
                r = print_sentence(b, "why:", f->reason);
        if (r >= 0 && reason && f->remedy)
                r = print_sentence(b, "do:", f->remedy);
        else if (r >= 0 && reason && practice_is_on(f) && f->state == STATE_UNSUPPORTED)
                r = print_sentence(b, "do:",
                                   "nothing helps in this guest; enable = no in the policy ends this message");

        return r < 0 ? r : print_warnings(f, b);
}

static int print_table(const Context *c, const Survey *survey, unsigned mask, Buffer *b) {
        int r;

        r = buffer_printf(b, "%-*s%-*s%-*s%s\n", NAME_WIDTH, "PRACTICE", WANTED_WIDTH, "WANTED", STATE_WIDTH, "STATE",
                          "REASON");
        for (size_t i = 0; r >= 0 && i < N_PRACTICES; i++)
                if (mask & 1U << i)
                        r = print_row(c, survey->findings[i], b);
        for (size_t i = 0; r >= 0 && i < N_PRACTICES; i++)
                if (mask & 1U << i)
                        r = print_reason(survey->findings[i], mask == 1U << i, b);

        return r;
}

/* What became of a policy that the host offers. */
static int print_credential(const Policy *policy, Buffer *b) {
        int r;

        if (!policy->credential_note)
                return 0;

        r = buffer_puts(b, "\npolicy\n");
        return r < 0 ? r : print_sentence(b, "note:", policy->credential_note);
}

int print_status(const Context *c, const Survey *survey, unsigned mask) {
        _cleanup_buffer_ Buffer b = BUFFER_NULL;
        int r;

        r = print_table(c, survey, mask, &b);
        if (r < 0)
                return r;

        if (survey->view.policy->n_errors > 0)
                r = buffer_puts(&b, "\nThe policy has errors, so nothing of it is applied: "
                                    "mend what is named above.\n");
        else if (!policy_exists(survey->view.policy))
                r = buffer_puts(&b, "\nThere is no policy, so nothing is wanted: see /etc/gtuned/gtuned.conf.\n");
        if (r >= 0)
                r = print_credential(survey->view.policy, &b);
        if (r >= 0)
                (void) fwrite(b.data, 1, b.size, stdout);

        return r;
}

/* A value that needs more room than its column goes on in it, and what comes after it begins a line. */
static int print_setting(const Setting *s, Buffer *b) {
        const char *wanted = s->wanted ? s->wanted : "-", *actual = s->actual ? s->actual : "-";
        int r;

        r = buffer_printf(b, "%-*s", SETTING_WIDTH, s->name);
        if (r >= 0 && strlen(wanted) < VALUE_WIDTH)
                r = buffer_printf(b, "%-*s", VALUE_WIDTH, wanted);
        else if (r >= 0) {
                r = text_wrap(b, wanted, SETTING_WIDTH, SETTING_WIDTH, WIDTH);
                if (r >= 0)
                        r = buffer_printf(b, "%*s", ACTUAL_COLUMN, "");
        }

        return r < 0 ? r : text_wrap(b, actual, ACTUAL_COLUMN, ACTUAL_COLUMN, WIDTH);
}

/* How much of a text fits into a line: up to a blank or comma if it has one there, and no half character. */
static size_t fitting(const char *s, size_t room) {
        size_t n = room;

        while (n > 0 && !strchr(", ", s[n - 1]))
                n--;
        if (n > 0)
                return n;

        for (n = room; n > 1 && ((unsigned char) s[n] & 0xC0U) == 0x80U; n--)
                ;
        return n;
}

/* Lists of RPCs are one long word, which text_wrap() does not break. */
static int print_value(const char *value, Buffer *b) {
        const size_t room = WIDTH - EVIDENCE_INDENT;
        bool long_word = false;
        int r = 0;

        for (const char *s = value; *s && !long_word; s += strspn(s, " \n") + strcspn(s + strspn(s, " \n"), " \n"))
                long_word = strcspn(s + strspn(s, " \n"), " \n") > room;
        if (!long_word)
                return text_wrap(b, value, EVIDENCE_INDENT, EVIDENCE_INDENT, WIDTH);

        for (; r >= 0 && strlen(value) > room; value += fitting(value, room)) {
                size_t n = fitting(value, room);

                r = buffer_append(b, value, value[n - 1] == ' ' ? n - 1 : n);
                if (r >= 0)
                        r = buffer_printf(b, "\n%*s", (int) EVIDENCE_INDENT, "");
        }

        return r < 0 ? r : buffer_printf(b, "%s\n", value);
}

static int print_details(const Finding *f) {
        _cleanup_buffer_ Buffer b = BUFFER_NULL;
        int r = 0;

        if (f->n_settings > 0)
                r = buffer_printf(&b, "\n%-*s%-*s%s\n", SETTING_WIDTH, "SETTING", VALUE_WIDTH, "WANTED", "ACTUAL");
        for (size_t i = 0; r >= 0 && i < f->n_settings; i++)
                r = print_setting(f->settings + i, &b);

        if (r >= 0 && f->n_evidence > 0)
                r = buffer_puts(&b, "\nEVIDENCE\n");
        for (size_t i = 0; r >= 0 && i < f->n_evidence; i++) {
                const Evidence *e = f->evidence + i;

                r = buffer_printf(&b, "%s\n    ", e->source);
                if (r >= 0)
                        r = print_value(e->value ? e->value : "(absent)", &b);
        }
        if (r >= 0 && b.size > 0)
                (void) fwrite(b.data, 1, b.size, stdout);

        return r;
}

static void print_ledger_error(const Ledger *ledger) {
        if (ledger->status == LEDGER_INVALID || ledger->status == LEDGER_UNREADABLE)
                (void) complain("%s cannot be %s, so it is unknown what is gtuned's own; apply and revert refuse",
                                LEDGER_PATH, ledger->status == LEDGER_INVALID ? "parsed" : "read");
}

int verb_status(Context *c, char **arguments) {
        _cleanup_(survey_freep) Survey *survey = NULL;
        _cleanup_json_ json_object *report = NULL;
        unsigned mask;
        int r;

        r = parse_practices(arguments, &mask);
        if (r != 0)
                return r;

        r = take_survey(c, &survey);
        if (r < 0)
                return r;

        if (c->json) {
                r = survey_report(survey, &report);
                if (r >= 0)
                        r = print_document(report);
        } else {
                print_policy_errors(survey->view.policy);
                print_ledger_error(survey->view.ledger);
                r = print_status(c, survey, mask);
                if (r >= 0 && *arguments)
                        r = print_details(survey->findings[practice_find(*arguments)]);
        }

        return r < 0 ? r : survey_exit_status(survey, mask);
}

int verb_reboot_needed(Context *c, char **arguments) {
        _cleanup_(survey_freep) Survey *survey = NULL;

        (void) arguments;

        /* 0 and 1 only: cloud-init's power_state takes anything else for a broken condition. */
        return take_survey(c, &survey) >= 0 && survey_reboot_needed(survey) ? STATUS_OK : STATUS_ERROR;
}
