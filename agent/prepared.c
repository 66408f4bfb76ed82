/* SPDX-License-Identifier: Apache-2.0 */

#include <assert.h>

#include "agent/prepared.h"
#include "agent/transaction.h"

/* ---- from a survey to texts ---- */

static int format_changes(const Survey *survey, Buffer *ret) {
        _cleanup_json_ json_object *document = NULL;
        int r;

        r = transaction_describe(survey, &document);
        return r < 0 ? r : json_format(document, ret);
}

static int summarize(json_object *report, char **ret) {
        _cleanup_buffer_ Buffer b = BUFFER_NULL;
        json_object *list = json_get_array(report, "practices");
        size_t n = list ? json_object_array_length(list) : 0;
        int r = 0;

        for (size_t i = 0; r >= 0 && i < n; i++) {
                json_object *practice = json_object_array_get_idx(list, i);

                r = buffer_printf(&b, "%s%s %s", i == 0 ? "" : ", ", strempty(json_get_text(practice, "name")),
                                  strempty(json_get_text(practice, "state")));
        }
        if (r < 0)
                return r;

        *ret = strdup(b.data ? b.data : "nothing to report");
        return *ret ? 0 : -ENOMEM;
}

static int format_report(const Survey *survey, Prepared *ret) {
        _cleanup_json_ json_object *report = NULL;
        int r;

        r = survey_report(survey, &report);
        if (r < 0)
                return r;
        r = json_format(report, &ret->report);
        if (r < 0)
                return r;

        return summarize(report, &ret->summary);
}

static bool allows_apply(const Policy *policy) {
        return policy->n_errors == 0 && policy_bool(policy, "channel", "allow_apply", false);
}

int prepared_take(Root *root, Prepared *ret) {
        _cleanup_(survey_freep) Survey *survey = NULL;
        _cleanup_(prepared_done) Prepared fresh = PREPARED_NULL;
        int r;

        r = survey_take(root, NULL, &survey);
        if (r < 0)
                return r;
        r = format_report(survey, &fresh);
        if (r < 0)
                return r;
        r = format_changes(survey, &fresh.changes);
        if (r < 0)
                return r;

        fresh.apply_allowed = allows_apply(survey->guest.policy);
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
