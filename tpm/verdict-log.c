/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Event log and baseline in a verdict, and the events of PCRs that disagree. Tests: tests/unit/tpm/test-verdict.c.
 */

#include "tpm/describe.h"
#include "tpm/verdict-internal.h"

/* Return: as replay_compare(). */
static int verdict_compare_banks(const VerdictInput *in, const Replay *replay, Verdict *v) {
        /* Above PCR 7 only PCRs with events are compared: systemd before 255 extends PCR 11 to 15 and writes no log. */
        uint32_t selection = VERDICT_PCRS | (replay->touched & ~PCR_MOVING);

        for (Algorithm i = 0; i < _ALGORITHM_MAX; i++) {
                int r = replay_compare(replay, in->pcrs, i, selection, v->banks + i);

                if (r < 0 && r != -EOPNOTSUPP)
                        return r;
        }

        return 0;
}

/* Chooses the judged bank if the log has it, else the best other bank: a log of TPM 1.2's layout has only SHA-1. */
static Algorithm verdict_choose_log_bank(const VerdictInput *in, const Verdict *v) {
        const uint32_t banks = in->firmware->banks;

        if (v->bank >= 0 && banks & 1U << v->bank && v->banks[v->bank].compared)
                return v->bank;

        for (size_t i = 0; i < ELEMENTSOF(verdict_bank_order); i++) {
                Algorithm bank = verdict_bank_order[i];

                if (banks & 1U << bank && v->banks[bank].compared)
                        return bank;
        }

        return _ALGORITHM_INVALID;
}

_printf_(2, 3) static int verdict_set_text(char **p, const char *format, ...) {
        va_list ap;

        free(*p);
        va_start(ap, format);
        *p = xvasprintf(format, ap);
        va_end(ap);
        return *p ? 0 : -ENOMEM;
}

/*
 * The log leads to the PCRs of another bank than the judged one: nothing of it was compared with those that are judged,
 * as if there were no log.
 */
static int verdict_set_other_bank(const VerdictInput *in, Verdict *v) {
        const char *judged = v->bank >= 0 ? algorithm_to_string(v->bank) : NULL;

        v->log = VERDICT_LOG_ABSENT;
        if (!judged || in->firmware->banks & 1U << v->bank)
                return verdict_set_text(&v->log_reason, "the event log could be compared in the %s bank only",
                                        algorithm_to_string(v->log_bank));

        return verdict_set_text(&v->log_reason,
                                "the event log has no %s digests, and leads to the PCRs of the %s bank only", judged,
                                algorithm_to_string(v->log_bank));
}

static int verdict_judge_replay(const VerdictInput *in, Verdict *v) {
        const ReplayDifference *d;

        v->log_bank = verdict_choose_log_bank(in, v);
        if (v->log_bank < 0)
                return verdict_set_text(&v->log_reason, "the event log has no digests of a bank that this TPM has");

        d = v->banks + v->log_bank;
        v->disagree = d->differ;
        v->explained = d->explained;

        if ((d->compared & VERDICT_PCRS) != VERDICT_PCRS) {
                v->log = VERDICT_LOG_UNUSABLE;
                return verdict_set_text(&v->log_reason, "some of its events have no %s digest",
                                        algorithm_to_string(v->log_bank));
        }

        v->log = d->differ & VERDICT_PCRS ? VERDICT_LOG_MISMATCH : VERDICT_LOG_MATCH;
        if (v->log == VERDICT_LOG_MATCH && v->log_bank != v->bank)
                return verdict_set_other_bank(in, v);
        if (in->userspace && in->userspace->reason)
                return verdict_set_text(&v->log_reason, "systemd's measurement log is %s: %s",
                                        eventlog_status_to_string(in->userspace->status), in->userspace->reason);

        return 0;
}

/* Sets secure_boot from an event that a matching log and the digest prove; the text alone may be forged. */
static int verdict_read_secure_boot(const VerdictInput *in, Verdict *v) {
        for (size_t i = 0; i < in->firmware->n_events && v->log == VERDICT_LOG_MATCH; i++) {
                const Event *event = in->firmware->events + i;
                int r, on = event_secure_boot(event);
                EventText text;

                if (on < 0)
                        continue;

                r = event_text(event, v->log_bank, &text);
                if (r < 0)
                        return r;
                if (text == EVENT_TEXT_VERIFIED)
                        v->secure_boot = on;
                break;
        }

        return 0;
}

static int verdict_judge_complete_log(const VerdictInput *in, Verdict *v) {
        const EventLog *logs[] = {in->firmware, in->userspace};
        _cleanup_free_ Replay *replay = malloc(sizeof(*replay));
        int r;

        if (!replay)
                return -ENOMEM;

        r = replay_logs(logs, ELEMENTSOF(logs), replay);
        if (r < 0)
                return r;
        r = verdict_compare_banks(in, replay, v);
        if (r < 0)
                return r;
        r = verdict_judge_replay(in, v);
        if (r < 0)
                return r;

        return verdict_read_secure_boot(in, v);
}

int verdict_judge_log(const VerdictInput *in, Verdict *v) {
        v->log = VERDICT_LOG_ABSENT;
        if (!in->firmware || in->firmware->status == EVENT_LOG_EMPTY)
                return 0;

        if (!eventlog_usable(in->firmware)) {
                v->log = VERDICT_LOG_UNUSABLE;
                return verdict_set_text(&v->log_reason, "the event log is %s: %s",
                                        eventlog_status_to_string(in->firmware->status),
                                        strempty(in->firmware->reason));
        }

        if (!in->pcrs)
                return verdict_set_text(&v->log_reason, "there are no PCR values to compare the event log with");

        return verdict_judge_complete_log(in, v);
}

int verdict_judge_baseline(const VerdictInput *in, Verdict *v) {
        static const Pcrs nothing;
        _cleanup_free_ char *failed = NULL, *warned = NULL;
        BaselineCheck check;

        if (in->baseline_error) {
                v->baseline = BASELINE_INVALID;
                return free_and_strdup(&v->baseline_reason, in->baseline_error);
        }
        if (!in->baseline)
                return 0;

        baseline_check(in->baseline, in->pcrs ? in->pcrs : &nothing, &check);
        v->baseline = check.result;
        v->baseline_failed = check.failed;
        v->baseline_warned = check.warned;

        failed = pcr_selection_format(check.failed);
        warned = pcr_selection_format(check.warned);
        if (!failed || !warned)
                return -ENOMEM;
        if (check.failed)
                return verdict_set_text(&v->baseline_reason, "the baseline allows no such value of PCR %s (%s)",
                                        failed, algorithm_to_string(in->baseline->bank));
        if (check.warned)
                return verdict_set_text(&v->baseline_reason,
                                        "the baseline has no such value of PCR %s (%s), and only warns", warned,
                                        algorithm_to_string(in->baseline->bank));

        return 0;
}

static int verdict_add_event(Verdict *v, const Event *event, Algorithm bank) {
        _cleanup_buffer_ Buffer description = BUFFER_NULL;
        EventText text = EVENT_TEXT_UNPROVEN;
        VerdictEvent *e;

        if (buffer_puts(&description, "") < 0 || event_describe(event, &description) < 0 ||
            (bank >= 0 && event_text(event, bank, &text) == -ENOMEM) ||
            grow(&v->events, v->n_events, sizeof(VerdictEvent)) < 0)
                return -ENOMEM;

        e = v->events + v->n_events++;
        e->pcr = event->pcr;
        e->description = TAKE_PTR(description.data);
        if (free_and_strdup(&e->type, event_type_name(event)) < 0 ||
            free_and_strdup(&e->text, event_text_to_string(text)) < 0)
                return -ENOMEM;

        return 0;
}

/* Counts for each PCR the events before its last @room events. */
static void verdict_count_surplus(const EventLog *const *logs, size_t n_logs, size_t room,
                                  size_t surplus[static PCR_COUNT]) {
        for (size_t i = 0; i < n_logs; i++)
                for (size_t k = 0; logs[i] && k < logs[i]->n_events; k++)
                        if (event_extends(logs[i]->events + k))
                                surplus[logs[i]->events[k].pcr]++;

        for (unsigned i = 0; i < PCR_COUNT; i++)
                surplus[i] = surplus[i] > room ? surplus[i] - room : 0;
}

int verdict_collect_events(const VerdictInput *in, Verdict *v) {
        const EventLog *logs[] = {in->firmware, in->userspace};
        uint32_t wanted = v->disagree | v->baseline_failed | v->baseline_warned;
        size_t surplus[PCR_COUNT] = {};
        Algorithm bank = v->log_bank;

        if (!wanted)
                return 0;

        verdict_count_surplus(logs, ELEMENTSOF(logs), VERDICT_EVENTS_MAX / (size_t) __builtin_popcount(wanted),
                              surplus);
        for (size_t i = 0; i < ELEMENTSOF(logs); i++)
                for (size_t k = 0; logs[i] && k < logs[i]->n_events; k++) {
                        const Event *event = logs[i]->events + k;
                        int r;

                        if (!event_extends(event) || !(wanted & 1U << event->pcr))
                                continue;
                        if (surplus[event->pcr] > 0) {
                                surplus[event->pcr]--;
                                continue;
                        }

                        r = verdict_add_event(v, event, bank);
                        if (r < 0)
                                return r;
                }

        return 0;
}
