/* SPDX-License-Identifier: Apache-2.0 */

#include <assert.h>

#include "agent/daemon/report-cache.h"
#include "engine/report.h"
#include "engine/resolve.h"

#define SUMMARY_MAX 80U /* as wide as a terminal */

/* ---- from a survey to texts ---- */

static int format_changes(const Survey *survey, Buffer *ret) {
        _cleanup_(transaction_freep) Transaction *t = NULL;
        _cleanup_json_ json_object *document = NULL;
        int r;

        r = resolve_policy(survey, &t);
        if (r < 0)
                return r;
        r = transaction_to_json(t, &document);
        return r < 0 ? r : json_format(document, ret);
}

/* What a person wants to know of a state, worst first; the rest is as it should be or of no interest. */
typedef enum Rank {
        RANK_WRONG,
        RANK_REBOOT,
        RANK_ACTIVE,
        _RANK_MAX,
} Rank;

static const Rank ranks[_STATE_MAX] = {
        [STATE_OFF] = _RANK_MAX,
        [STATE_UNMANAGED] = _RANK_MAX,
        [STATE_ACTIVE] = RANK_ACTIVE,
        [STATE_PENDING_REBOOT] = RANK_REBOOT,
        [STATE_DIFFERS] = RANK_WRONG,
        [STATE_DRIFTED] = RANK_WRONG,
        [STATE_CONFLICT] = RANK_WRONG,
        [STATE_UNSUPPORTED] = RANK_WRONG,
        [STATE_UNKNOWN] = RANK_WRONG,
};

static const char *const verdicts[_RANK_MAX] = {"Needs attention", "Needs a reboot", "In order"};

/* It was reverted by hand, and so it is as somebody wants it. */
static bool is_held(const Finding *f) {
        return f->held && f->wanted == WANTED_ON;
}

/* That something cannot be, or is not known, concerns only who wants it. */
static Rank rank_of(const Finding *f) {
        bool concerns = practice_is_on(f) || (f->state != STATE_UNSUPPORTED && f->state != STATE_UNKNOWN);

        if (is_held(f))
                return RANK_ACTIVE;

        return concerns ? ranks[f->state] : _RANK_MAX;
}

/* The practices of one rank, as long as there is room in the line. */
static int summarize_rank(const Survey *survey, Rank rank, const char *verdict, Buffer *b) {
        const char *end = ", ...";
        int r = 0;

        for (size_t i = 0; r >= 0 && i < survey->n_observations; i++) {
                const Finding *f = survey->observations[i].finding;
                const char *state = is_held(f) ? "held" : state_to_string(f->state);

                if (rank_of(f) != rank)
                        continue;
                if (b->size > 0 && endswith(b->data, end))
                        return 0;
                if (b->size > 0 && b->size + strlen(f->practice) + strlen(state) + 3 + strlen(end) > SUMMARY_MAX)
                        return buffer_puts(b, end);

                r = buffer_printf(b, "%s%s%s %s", b->size > 0 ? "" : verdict, b->size > 0 ? ", " : ": ", f->practice,
                                  state);
        }

        return r;
}

/* Why no practice is named; NULL: some are. */
static const char *summarize_nothing(const Survey *survey, Rank worst) {
        if (survey->policy->n_errors > 0)
                return "The policy has an error and is not applied: see gtune status";
        if (!policy_exists(survey->policy))
                return "No policy, so that nothing is wanted: see gtuned.conf(5)";

        return worst == _RANK_MAX ? "In order: the policy wants nothing of this guest" : NULL;
}

/* One line for `systemctl status`: the verdict, and what it rests on with the worst first. */
static int summarize(const Survey *survey, char **ret) {
        _cleanup_buffer_ Buffer b = BUFFER_NULL;
        const char *nothing;
        Rank worst = _RANK_MAX;
        int r = 0;

        for (size_t i = 0; i < survey->n_observations; i++)
                if (rank_of(survey->observations[i].finding) < worst)
                        worst = rank_of(survey->observations[i].finding);

        nothing = summarize_nothing(survey, worst);
        if (nothing)
                r = buffer_puts(&b, nothing);
        for (Rank rank = worst; r >= 0 && !nothing && rank < _RANK_MAX; rank++)
                r = summarize_rank(survey, rank, verdicts[worst], &b);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(b.data);
        return 0;
}

static int format_report(const Survey *survey, Prepared *ret) {
        _cleanup_json_ json_object *report = NULL;
        int r;

        r = report_make(survey, &report);
        if (r < 0)
                return r;
        r = json_format(report, &ret->report);
        if (r < 0)
                return r;

        return summarize(survey, &ret->summary);
}

static bool allows_apply(const Policy *policy) {
        return policy->n_errors == 0 && policy_bool(policy, "channel", "allow_apply", false);
}

int prepared_take(const Side *side, Root *root, Prepared *ret) {
        _cleanup_(survey_freep) Survey *survey = NULL;
        _cleanup_(prepared_done) Prepared fresh = PREPARED_NULL;
        int r;

        r = survey_take(side, root, NULL, &survey);
        if (r < 0)
                return r;
        r = format_report(survey, &fresh);
        if (r < 0)
                return r;
        r = format_changes(survey, &fresh.changes);
        if (r < 0)
                return r;

        fresh.apply_allowed = allows_apply(survey->policy);
        prepared_done(ret);
        *ret = fresh;
        fresh = PREPARED_NULL;
        return 0;
}

void prepared_done(Prepared *prepared) {
        buffer_done(&prepared->report);
        buffer_done(&prepared->changes);
        free(prepared->summary);
        *prepared = PREPARED_NULL;
}

/* ---- what is new ---- */

static bool practice_equal(json_object *a, json_object *b) {
        json_object *other;

        if (json_object_object_length(a) != json_object_object_length(b))
                return false;

        json_object_object_foreach(a, key, value) {
                if (streq(key, "evidence"))
                        continue;
                if (!json_object_object_get_ex(b, key, &other) || !json_object_equal(value, other))
                        return false;
        }

        return true;
}

static json_object *find_practice(json_object *list, const char *name) {
        size_t n = list ? json_object_array_length(list) : 0;

        for (size_t i = 0; i < n; i++) {
                json_object *practice = json_object_array_get_idx(list, i);

                if (streq_ptr(json_get_text(practice, "name"), name))
                        return practice;
        }

        return NULL;
}

static int practices_compare(json_object *before, json_object *now, json_object *ret) {
        size_t n = json_object_array_length(now);
        int r;

        for (size_t i = 0; i < n; i++) {
                json_object *practice = json_object_array_get_idx(now, i);
                json_object *known = find_practice(before, json_get_text(practice, "name"));

                if (known && practice_equal(known, practice))
                        continue;
                r = json_add(ret, json_object_get(practice));
                if (r < 0)
                        return r;
        }

        return 0;
}

int prepared_news(Span report, json_object **known, json_object **ret) {
        _cleanup_json_ json_object *document = NULL, *news = json_object_new_array();
        json_object *list;
        int r;

        if (!news)
                return -ENOMEM;

        r = json_parse(report.data, report.size, &document);
        if (r < 0)
                return r;
        list = json_get_array(document, "practices");
        if (!list)
                return -EBADMSG;

        r = practices_compare(*known, list, news);
        if (r < 0)
                return r;

        json_object_put(*known);
        *known = json_object_get(list);
        *ret = TAKE_PTR(news);
        return 0;
}
