/* SPDX-License-Identifier: Apache-2.0 */

#include "cli/verb.h"
#include "core/text.h"
#include "engine/report.h"

#define STATUS_WIDTH 80U
#define STATUS_NAME_WIDTH 14
#define STATUS_WANTED_WIDTH 8
#define STATUS_STATE_WIDTH 16
#define STATUS_SETTING_WIDTH 34
#define STATUS_VALUE_WIDTH 16
#define STATUS_ACTUAL_COLUMN (STATUS_SETTING_WIDTH + STATUS_VALUE_WIDTH)
#define STATUS_EVIDENCE_INDENT 4U

static int print_row(const Context *c, const Finding *f, Buffer *b) {
        const char *state = state_to_string(f->state), *wanted = wanted_to_string(f->wanted);
        _cleanup_free_ char *name = finding_display_name(f);
        int r;

        if (!name)
                return -ENOMEM;

        r = text_printf(b, "%-*s%s%-*s", STATUS_NAME_WIDTH, name, strlen(name) < STATUS_NAME_WIDTH ? "" : " ",
                        STATUS_WANTED_WIDTH, f->held ? "held" : wanted ? wanted : "-");
        if (r >= 0)
                r = text_add_state(b, state, 0, c->colour);
        if (r >= 0 && f->reason_code)
                r = text_printf(b, "%*s%s", STATUS_STATE_WIDTH - (int) strlen(state), "", f->reason_code);

        return r < 0 ? r : buffer_puts(b, "\n");
}

static int print_sentence(Buffer *b, const char *label, const char *text) {
        int r;

        r = text_printf(b, "  %-8s", label);
        return r < 0 ? r : text_wrap(b, text, 10, 10, STATUS_WIDTH);
}

/* What the owner should know although nothing has to be done. */
static int print_warnings(const Finding *f, Buffer *b) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < f->n_warnings; i++) {
                r = print_sentence(b, "note:", f->warnings[i].text);
                if (r >= 0 && f->warnings[i].remedy)
                        r = print_sentence(b, "do:", f->warnings[i].remedy);
        }

        return r;
}

/* Do not explain "unsupported" or "unknown" for a practice that is not wanted: its code in the table is enough. */
static bool has_reason(const Finding *f, bool asked_for) {
        if (!f->reason || (f->state == STATE_OFF && !f->held) || f->state == STATE_ACTIVE)
                return false;

        return asked_for || practice_is_on(f) || (f->state != STATE_UNSUPPORTED && f->state != STATE_UNKNOWN);
}

/* The remedy of a practice that is wanted and has none. */
static int print_nothing_helps(const Context *c, Buffer *b) {
        _cleanup_free_ char *text = xasprintf("nothing helps in this %s; enable = no in the policy ends this message",
                                              c->side->name);

        return text ? print_sentence(b, "do:", text) : -ENOMEM;
}

/* What is not as it should be, and what to do. */
static int print_reason(const Context *c, const Finding *f, bool asked_for, Buffer *b) {
        _cleanup_free_ char *name = finding_display_name(f);
        bool reason = has_reason(f, asked_for);
        int r;

        if (!name)
                return -ENOMEM;
        if (!reason && f->n_warnings == 0)
                return 0;

        r = text_printf(b, "\n%s\n", name);
        if (r >= 0 && reason)
                r = print_sentence(b, "why:", f->reason);
        if (r >= 0 && reason && f->remedy)
                r = print_sentence(b, "do:", f->remedy);
        else if (r >= 0 && reason && practice_is_on(f) && f->state == STATE_UNSUPPORTED)
                r = print_nothing_helps(c, b);

        return r < 0 ? r : print_warnings(f, b);
}

/* Whether one practice alone is asked for, so that its owner wants to know everything. */
static bool asks_for_one(PracticeSet set) {
        return set.bits != 0 && (set.bits & (set.bits - 1)) == 0;
}

static int print_table(const Context *c, const Survey *survey, PracticeSet set, Buffer *b) {
        int r;

        r = text_printf(b, "%-*s%-*s%-*s%s\n", STATUS_NAME_WIDTH, "PRACTICE", STATUS_WANTED_WIDTH, "WANTED",
                          STATUS_STATE_WIDTH, "STATE", "REASON");
        for (size_t i = 0; r >= 0 && i < survey->n_observations; i++)
                if (practice_set_has(set, survey->observations[i].row))
                        r = print_row(c, survey->observations[i].finding, b);
        for (size_t i = 0; r >= 0 && i < survey->n_observations; i++)
                if (practice_set_has(set, survey->observations[i].row))
                        r = print_reason(c, survey->observations[i].finding, asks_for_one(set), b);

        return r;
}

/* What became of a policy that the host offers. */
static int print_credential(const Policy *policy, Buffer *b) {
        int r;

        if (!policy->credential_note)
                return 0;

        r = buffer_puts(b, "\npolicy\n");
        if (r < 0)
                return r;

        return print_sentence(b, "note:", policy->credential_note);
}

int print_status(const Context *c, const Survey *survey, PracticeSet set) {
        _cleanup_buffer_ Buffer b = BUFFER_NULL;
        int r;

        r = print_table(c, survey, set, &b);
        if (r < 0)
                return r;

        if (survey->policy->n_errors > 0)
                r = buffer_puts(&b, "\nThe policy has errors, so nothing of it is applied: "
                                    "fix what is named above.\n");
        else if (!policy_exists(survey->policy))
                r = text_printf(&b, "\nThere is no policy, so nothing is wanted: see /etc/%s.\n",
                                  c->side->policy_name);
        if (r < 0)
                return r;
        r = print_credential(survey->policy, &b);
        if (r < 0)
                return r;

        (void) text_write(stdout, &b);
        return 0;
}

/* A value that needs more room than its column goes on in it, and what comes after it begins a line. */
static int print_setting(const Setting *s, Buffer *b) {
        const char *wanted = s->wanted ? s->wanted : "-", *actual = s->actual ? s->actual : "-";
        int r;

        r = text_printf(b, "%-*s", STATUS_SETTING_WIDTH, s->name);
        if (r < 0)
                return r;

        if (strlen(wanted) < STATUS_VALUE_WIDTH)
                r = text_printf(b, "%-*s", STATUS_VALUE_WIDTH, wanted);
        else {
                r = text_wrap(b, wanted, STATUS_SETTING_WIDTH, STATUS_SETTING_WIDTH, STATUS_WIDTH);
                if (r < 0)
                        return r;
                r = text_printf(b, "%*s", STATUS_ACTUAL_COLUMN, "");
        }
        if (r < 0)
                return r;

        return text_wrap(b, actual, STATUS_ACTUAL_COLUMN, STATUS_ACTUAL_COLUMN, STATUS_WIDTH);
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
        const size_t room = STATUS_WIDTH - STATUS_EVIDENCE_INDENT;
        bool long_word = false;
        int r;

        for (const char *s = value; *s && !long_word; s += strspn(s, " \n") + strcspn(s + strspn(s, " \n"), " \n"))
                long_word = strcspn(s + strspn(s, " \n"), " \n") > room;
        if (!long_word)
                return text_wrap(b, value, STATUS_EVIDENCE_INDENT, STATUS_EVIDENCE_INDENT, STATUS_WIDTH);

        for (; strlen(value) > room; value += fitting(value, room)) {
                size_t n = fitting(value, room);

                r = text_printf(b, "%.*s", (int) (value[n - 1] == ' ' ? n - 1 : n), value);
                if (r < 0)
                        return r;
                r = text_printf(b, "\n%*s", (int) STATUS_EVIDENCE_INDENT, "");
                if (r < 0)
                        return r;
        }

        return text_printf(b, "%s\n", value);
}

static int print_settings(const Finding *f, Buffer *b) {
        int r;

        if (f->n_settings == 0)
                return 0;

        r = text_printf(b, "\n%-*s%-*s%s\n", STATUS_SETTING_WIDTH, "SETTING", STATUS_VALUE_WIDTH, "WANTED", "ACTUAL");
        for (size_t i = 0; r >= 0 && i < f->n_settings; i++)
                r = print_setting(f->settings + i, b);

        return r;
}

static int print_evidence(const Finding *f, Buffer *b) {
        int r;

        if (f->n_evidence == 0)
                return 0;

        r = buffer_puts(b, "\nEVIDENCE\n");
        for (const Evidence *e = f->evidence; r >= 0 && e < f->evidence + f->n_evidence; e++) {
                r = text_printf(b, "%s\n    ", e->source);
                if (r < 0)
                        return r;
                r = print_value(e->value ? e->value : "(absent)", b);
        }

        return r;
}

static int print_details(const Finding *f) {
        _cleanup_buffer_ Buffer b = BUFFER_NULL;
        int r;

        r = print_settings(f, &b);
        if (r < 0)
                return r;
        r = print_evidence(f, &b);
        if (r < 0)
                return r;

        (void) text_write(stdout, &b);
        return 0;
}

static void print_ledger_error(const Context *c, const Ledger *ledger) {
        if (ledger->status == LEDGER_INVALID || ledger->status == LEDGER_UNREADABLE)
                (void) complain(c, "%s cannot be %s, so it is unknown what is gtuned's own; apply and revert refuse",
                                ledger->path, ledger->status == LEDGER_INVALID ? "parsed" : "read");
}

static int print_survey(const Context *c, const Survey *survey, PracticeSet set, bool details) {
        int r;

        print_policy_errors(survey->policy);
        print_ledger_error(c, survey->ledger);
        r = print_status(c, survey, set);
        for (size_t i = 0; r >= 0 && details && i < survey->n_observations; i++)
                if (practice_set_has(set, survey->observations[i].row))
                        r = print_details(survey->observations[i].finding);

        return r;
}

static int print_report(const Survey *survey) {
        _cleanup_json_ json_object *report = NULL;
        int r;

        r = report_make(survey, &report);
        return r < 0 ? r : print_document(report);
}

int verb_status(Context *c, char **arguments) {
        _cleanup_(survey_freep) Survey *survey = NULL;
        PracticeSet set;
        int r;

        r = parse_practices(c, arguments, &set);
        if (r != 0)
                return r;

        r = take_survey(c, &survey);
        if (r < 0)
                return r;

        r = c->json ? print_report(survey) : print_survey(c, survey, set, *arguments != NULL);
        return r < 0 ? r : survey_exit_status(survey, set);
}

int verb_reboot_needed(Context *c, _unused_ char **arguments) {
        _cleanup_(survey_freep) Survey *survey = NULL;

        /* 0 and 1 only: cloud-init's power_state takes anything else for a broken condition. */
        return take_survey(c, &survey) >= 0 && survey_reboot_needed(survey) ? STATUS_OK : STATUS_ERROR;
}
