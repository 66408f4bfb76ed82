/* SPDX-License-Identifier: Apache-2.0 */

#include <assert.h>

#include "agent/daemon/report-cache.h"
#include "engine/report.h"
#include "engine/resolve.h"

#define REPORT_CACHE_SUMMARY_MAX 80U /* as wide as a terminal */

static int report_cache_format_changes(const Survey *survey, Buffer *ret) {
        _cleanup_(transaction_freep) Transaction *t = NULL;
        _cleanup_json_ json_object *document = NULL;
        int r;

        r = resolve_policy(survey, &t);
        if (r < 0)
                return r;
        r = transaction_to_json(t, &document);
        if (r < 0)
                return r;

        return json_format(document, ret);
}

/* How a state is shown in the summary, worst first. A state without a rank is not shown. */
typedef enum SummaryRank {
        RANK_WRONG,
        RANK_REBOOT,
        RANK_ACTIVE,
        _RANK_MAX,
} SummaryRank;

static const SummaryRank ranks[_STATE_MAX] = {
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

/* The administrator has reverted the practice by hand, so its state is as wanted. */
static bool summary_is_held(const Finding *f) {
        return f->held && f->wanted == WANTED_ON;
}

/* Do not show "unsupported" or "unknown" for a practice that is not wanted. */
static SummaryRank summary_rank_of(const Finding *f) {
        bool concerns = practice_is_on(f) || (f->state != STATE_UNSUPPORTED && f->state != STATE_UNKNOWN);

        if (summary_is_held(f))
                return RANK_ACTIVE;

        return concerns ? ranks[f->state] : _RANK_MAX;
}

/* Appends the practices of one rank, as many as fit into the line. */
static int summary_add_rank(const Survey *survey, SummaryRank rank, const char *verdict, Buffer *b) {
        const char *end = ", ...";
        int r = 0;

        for (size_t i = 0; r >= 0 && i < survey->n_observations; i++) {
                const Finding *f = survey->observations[i].finding;
                const char *state = summary_is_held(f) ? "held" : state_to_string(f->state);

                if (summary_rank_of(f) != rank)
                        continue;
                if (b->size > 0 && endswith(b->data, end))
                        return 0;
                if (b->size > 0 &&
                    b->size + strlen(f->practice) + strlen(state) + 3 + strlen(end) > REPORT_CACHE_SUMMARY_MAX)
                        return buffer_puts(b, end);

                r = buffer_printf(b, "%s%s%s %s", b->size > 0 ? "" : verdict, b->size > 0 ? ", " : ": ", f->practice,
                                  state);
        }

        return r;
}

/* Returns the summary if it names no practice, else NULL. */
static const char *summary_without_practices(const Survey *survey, SummaryRank worst) {
        if (survey->policy->n_errors > 0)
                return "The policy has an error and is not applied: see gtune status";
        if (!policy_exists(survey->policy))
                return "No policy, so that nothing is wanted: see gtuned.conf(5)";

        return worst == _RANK_MAX ? "In order: the policy wants nothing of this guest" : NULL;
}

/* One line for `systemctl status`: the verdict, and the practices that it is made of, worst first. */
static int summary_format(const Survey *survey, char **ret) {
        _cleanup_buffer_ Buffer b = BUFFER_NULL;
        const char *nothing;
        SummaryRank worst = _RANK_MAX;
        int r = 0;

        for (size_t i = 0; i < survey->n_observations; i++)
                if (summary_rank_of(survey->observations[i].finding) < worst)
                        worst = summary_rank_of(survey->observations[i].finding);

        nothing = summary_without_practices(survey, worst);
        if (nothing)
                r = buffer_puts(&b, nothing);
        for (SummaryRank rank = worst; r >= 0 && !nothing && rank < _RANK_MAX; rank++)
                r = summary_add_rank(survey, rank, verdicts[worst], &b);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(b.data);
        return 0;
}

static int report_cache_format_report(const Survey *survey, ReportCache *ret) {
        _cleanup_json_ json_object *report = NULL;
        int r;

        r = report_make(survey, &report);
        if (r < 0)
                return r;
        r = json_format(report, &ret->report);
        if (r < 0)
                return r;

        return summary_format(survey, &ret->summary);
}

static bool report_cache_allows_apply(const Policy *policy) {
        return policy->n_errors == 0 && policy_bool(policy, "channel", "allow_apply", false);
}

int report_cache_take(const Side *side, Root *root, ReportCache *ret) {
        _cleanup_(survey_freep) Survey *survey = NULL;
        _cleanup_(report_cache_done) ReportCache fresh = REPORT_CACHE_NULL;
        int r;

        r = survey_take(side, root, NULL, &survey);
        if (r < 0)
                return r;
        r = report_cache_format_report(survey, &fresh);
        if (r < 0)
                return r;
        r = report_cache_format_changes(survey, &fresh.changes);
        if (r < 0)
                return r;

        fresh.apply_allowed = report_cache_allows_apply(survey->policy);
        report_cache_done(ret);
        *ret = fresh;
        fresh = REPORT_CACHE_NULL;
        return 0;
}

void report_cache_done(ReportCache *cache) {
        buffer_done(&cache->report);
        buffer_done(&cache->changes);
        free(cache->summary);
        *cache = REPORT_CACHE_NULL;
}

static bool news_practice_equal(json_object *a, json_object *b) {
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

static json_object *news_find_practice(json_object *list, const char *name) {
        size_t n = list ? json_object_array_length(list) : 0;

        for (size_t i = 0; i < n; i++) {
                json_object *practice = json_object_array_get_idx(list, i);

                if (streq_ptr(json_get_text(practice, "name"), name))
                        return practice;
        }

        return NULL;
}

static int news_compare(json_object *before, json_object *now, json_object *ret) {
        size_t n = json_object_array_length(now);
        int r;

        for (size_t i = 0; i < n; i++) {
                json_object *practice = json_object_array_get_idx(now, i);
                json_object *known = news_find_practice(before, json_get_text(practice, "name"));

                if (known && news_practice_equal(known, practice))
                        continue;
                r = json_add(ret, json_object_get(practice));
                if (r < 0)
                        return r;
        }

        return 0;
}

int report_cache_news(Span report, json_object **known, json_object **ret) {
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

        r = news_compare(*known, list, news);
        if (r < 0)
                return r;

        json_object_put(*known);
        *known = json_object_get(list);
        *ret = TAKE_PTR(news);
        return 0;
}
