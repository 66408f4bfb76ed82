/* SPDX-License-Identifier: Apache-2.0 */

#include <assert.h>

#include "agent/daemon/report-cache.h"
#include "engine/report.h"
#include "engine/resolve.h"

#define REPORT_CACHE_SUMMARY_MAX 80U /* as wide as a terminal */

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

static int report_cache_note_policy(ReportCache *cache, const Survey *survey) {
        char *summary;
        int r;

        r = summary_format(survey, &summary);
        if (r < 0)
                return r;

        free(cache->summary);
        cache->summary = summary;
        cache->apply_allowed =
                survey->policy->n_errors == 0 && policy_bool(survey->policy, "channel", "allow_apply", false);
        return 0;
}

static int report_append_practice(const Finding *f, Buffer *b) {
        _cleanup_json_ json_object *o = NULL;
        int r = finding_to_json(f, &o);

        return r < 0 ? r : json_format(o, b);
}

/* Opens the last object of the text again, so that more members can follow. */
static int report_reopen(Buffer *b) {
        assert(b->size > 1 && b->data[b->size - 1] == '}');

        b->size--;
        return buffer_puts(b, ",");
}

static int report_append_practices(ReportCache *cache, const Survey *survey) {
        int r;

        r = buffer_puts(&cache->report, "\"practices\":[");
        for (size_t i = 0; r >= 0 && i < survey->n_observations; i++) {
                if (i > 0)
                        r = buffer_puts(&cache->report, ",");
                cache->pieces[i].start = cache->report.size;
                if (r >= 0)
                        r = report_append_practice(survey->observations[i].finding, &cache->report);
                cache->pieces[i].size = cache->report.size - cache->pieces[i].start;
        }

        return r;
}

/* Closes the list of practices, and the report. */
static int report_append_end(ReportCache *cache, const Survey *survey) {
        return buffer_printf(&cache->report, "],\"reboot_needed\":%s}", survey_reboot_needed(survey) ? "true" : "false");
}

static int report_cache_make(ReportCache *cache, const Survey *survey) {
        _cleanup_json_ json_object *head = NULL;
        int r;

        free(cache->pieces);
        cache->n_pieces = survey->n_observations;
        cache->pieces = calloc(cache->n_pieces + 1, sizeof(ReportPiece));
        if (!cache->pieces)
                return -ENOMEM;

        cache->report.size = 0;
        r = report_make_head(survey, &head);
        if (r < 0)
                return r;
        r = json_format(head, &cache->report);
        if (r < 0)
                return r;
        r = report_reopen(&cache->report);
        if (r < 0)
                return r;
        r = report_append_practices(cache, survey);
        if (r < 0)
                return r;

        return report_append_end(cache, survey);
}

/* Replaces the object of one observation; those after it move. */
static int report_cache_replace(ReportCache *cache, const Survey *survey, size_t i) {
        ReportPiece *piece = cache->pieces + i;
        _cleanup_buffer_ Buffer text = BUFFER_NULL, rest = BUFFER_NULL;
        const size_t end = piece->start + piece->size;
        int r;

        r = report_append_practice(survey->observations[i].finding, &text);
        if (r < 0)
                return r;
        r = buffer_append(&rest, cache->report.data + end, cache->report.size - end);
        if (r < 0)
                return r;

        cache->report.size = piece->start;
        r = buffer_append(&cache->report, text.data, text.size);
        if (r >= 0)
                r = buffer_append(&cache->report, rest.data, rest.size);

        for (size_t k = i + 1; k < cache->n_pieces; k++)
                cache->pieces[k].start += text.size - piece->size;
        piece->size = text.size;
        return r;
}

static int report_cache_replace_end(ReportCache *cache, const Survey *survey) {
        const ReportPiece *last = cache->pieces + cache->n_pieces - 1;

        cache->report.size = last->start + last->size;
        return report_append_end(cache, survey);
}

int report_cache_update(ReportCache *cache, const Survey *survey, SurveyParts parts) {
        int r = 0;

        assert(cache && survey);

        buffer_done(&cache->changes);
        if ((parts & ~SURVEY_PRACTICES) != 0 || cache->n_pieces == 0 || cache->n_pieces != survey->n_observations)
                r = report_cache_make(cache, survey);
        else {
                for (size_t i = 0; r >= 0 && i < cache->n_pieces; i++)
                        if (parts & survey_practice(survey->observations[i].row))
                                r = report_cache_replace(cache, survey, i);
                if (r >= 0)
                        r = report_cache_replace_end(cache, survey);
                report_cache_touch(cache, survey->observed_at);
        }

        if (r >= 0)
                r = report_cache_note_policy(cache, survey);
        if (r < 0)
                buffer_done(&cache->report); /* it may be half made */
        return r;
}

void report_cache_touch(ReportCache *cache, const char *time) {
        static const char member[] = "\"observed_at\":\"";
        const size_t n = strlen(time);
        char *at;

        /* No text of the guest comes before it but the boot ID, in which a quote is escaped. */
        at = memmem(cache->report.data, cache->report.size, member, strlen(member));
        if (at && at[strlen(member) + n] == '"')
                memcpy(at + strlen(member), time, n);
}

int report_cache_plan(ReportCache *cache, Survey *survey) {
        _cleanup_(transaction_freep) Transaction *t = NULL;
        _cleanup_json_ json_object *document = NULL;
        int r;

        buffer_done(&cache->changes);

        /* It is made anew: what only a plan looks at is no source of the survey. */
        survey->plan = plan_free(survey->plan);
        r = survey_plan(survey);
        if (r < 0)
                return r;
        r = resolve_policy(survey, &t);
        if (r < 0)
                return r;
        r = transaction_to_json(t, &document);
        if (r < 0)
                return r;

        return json_format(document, &cache->changes);
}

void report_cache_done(ReportCache *cache) {
        buffer_done(&cache->report);
        buffer_done(&cache->changes);
        free(cache->pieces);
        free(cache->summary);
        *cache = REPORT_CACHE_NULL;
}

static json_object *report_find_setting(json_object *settings, const char *name) {
        for (size_t i = 0; settings && i < json_object_array_length(settings); i++) {
                json_object *setting = json_object_array_get_idx(settings, i);

                if (streq_ptr(json_get_text(setting, "name"), name))
                        return setting;
        }

        return NULL;
}

static bool report_has_setting(const Finding *f, const char *name) {
        for (size_t i = 0; i < f->n_settings; i++)
                if (streq(f->settings[i].name, name))
                        return true;

        return false;
}

static int report_add_old_setting(json_object *was, const char *name, json_object *old) {
        json_object *o = json_object_new_object();

        if (json_add(was, o) < 0 || json_set_text(o, "name", name) < 0 ||
            json_set_text(o, "wanted", old ? json_get_text(old, "wanted") : NULL) < 0 ||
            json_set_text(o, "actual", old ? json_get_text(old, "actual") : NULL) < 0)
                return -ENOMEM;

        return 0;
}

/*
 * Names the settings that are not as the host was told, with what they were: state and reason need not have changed, as
 * if the policy does not set them.
 */
static int report_add_old_settings(const Finding *f, const char *known, json_object *news) {
        _cleanup_json_ json_object *before = NULL, *was = json_object_new_array();
        json_object *settings;
        int r;

        r = was ? json_parse(known, strlen(known), &before) : -ENOMEM;
        if (r < 0)
                return r;

        settings = json_get_array(before, "settings");
        for (const Setting *s = f->settings; s < f->settings + f->n_settings; s++) {
                json_object *old = report_find_setting(settings, s->name);

                if (old && streq_ptr(json_get_text(old, "wanted"), s->wanted) &&
                    streq_ptr(json_get_text(old, "actual"), s->actual))
                        continue;
                r = report_add_old_setting(was, s->name, old);
                if (r < 0)
                        return r;
        }
        for (size_t i = 0; settings && i < json_object_array_length(settings); i++) {
                json_object *old = json_object_array_get_idx(settings, i);
                const char *name = json_get_text(old, "name");

                if (!name || report_has_setting(f, name))
                        continue;
                r = report_add_old_setting(was, name, old);
                if (r < 0)
                        return r;
        }

        return json_object_array_length(was) > 0 ? json_set(news, "was", TAKE_PTR(was)) : 0;
}

/* Adds a practice to the news if it is not as the host was told, and remembers how it is. */
static int report_add_news(const Finding *f, const char *known, char **ret_told, json_object *news) {
        _cleanup_json_ json_object *whole = NULL, *core = NULL;
        _cleanup_buffer_ Buffer text = BUFFER_NULL;
        int r;

        if (finding_to_json(f, &whole) < 0 || finding_to_json(f, &core) < 0)
                return -ENOMEM;

        json_object_object_del(core, "evidence");
        r = json_format(core, &text);
        if (r < 0)
                return r;
        if (!streq_ptr(known, text.data)) {
                r = known ? report_add_old_settings(f, known, whole) : 0;
                if (r < 0)
                        return r;
                r = json_add(news, TAKE_PTR(whole));
                if (r < 0)
                        return r;
        }

        *ret_told = TAKE_PTR(text.data);
        return 0;
}

int report_news(const Survey *survey, char ***told, json_object **ret) {
        _cleanup_(strv_freep) char **now = calloc(survey->n_observations + 1, sizeof(char *));
        _cleanup_json_ json_object *news = json_object_new_array();
        char **known = *told;

        if (!now || !news)
                return -ENOMEM;

        for (size_t i = 0; i < survey->n_observations; i++) {
                int r = report_add_news(survey->observations[i].finding, known ? *known : NULL, now + i, news);

                if (r < 0)
                        return r;
                known = known && *known ? known + 1 : NULL;
        }

        strv_free(*told);
        *told = TAKE_PTR(now);
        *ret = TAKE_PTR(news);
        return 0;
}
