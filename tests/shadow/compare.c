/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Keeps a report as the daemon does, and compares it with one that is made anew: compare ROOT [MILLISECONDS]
 *
 * For a line "compare" on standard input it takes what has been announced, asks for the report and the plan, makes both
 * from nothing, and answers "same", or "different" with both texts; "none" if there is no report either way. For "paths"
 * it answers the paths that a report rests on, and an empty line. The daemon's pace is left out: each request compares,
 * or those after so many milliseconds. Counters of the running kernel are left out of both.
 */

#include <systemd/sd-event.h>

#include "agent/daemon/keeper.h"
#include "agent/daemon/report-cache.h"
#include "agent/side.h"
#include "engine/report.h"

typedef struct Comparison {
        sd_event *event;
        Root *root;
        Keeper *keeper;
        int (*question)(Keeper *keeper, Span *ret); /* what is being asked */
        Buffer *text;                               /* takes the answer */
        int result;                                 /* -EAGAIN: there is no answer yet */
} Comparison;

static void on_updated(_unused_ void *userdata) {
}

static void put_question(Comparison *c) {
        Span text = SPAN_NULL;

        c->result = c->question(c->keeper, &text);
        if (c->result >= 0)
                c->result = buffer_append(c->text, text.data, text.size);
}

static void on_ready(void *userdata) {
        Comparison *c = userdata;

        if (c->question && c->result == -EAGAIN)
                put_question(c);
}

/* A counter goes on between two looks. */
static void drop_counters(Buffer *text) {
        static const char member[] = "/usage\",\"value\":\"";
        char *at = text->data;

        while ((at = memmem(at, text->size - (size_t) (at - text->data), member, strlen(member)))) {
                const char *end = strchr(at += strlen(member), '"');

                memmove(at, end, text->size - (size_t) (end - text->data) + 1);
                text->size -= (size_t) (end - at);
        }
}

/* The time of a report is that of its last comparison. */
static int mask_time(Buffer *text) {
        static const char member[] = "\"observed_at\":\"";
        char *at = memmem(text->data, text->size, member, strlen(member));

        for (at = at ? at + strlen(member) : NULL; at && *at && *at != '"'; at++)
                *at = '-';
        drop_counters(text);
        return buffer_puts(text, "\n");
}

static int ask(Comparison *c, int (*question)(Keeper *keeper, Span *ret), Buffer *ret) {
        int r;

        while ((r = sd_event_run(c->event, 0)) > 0)
                ;

        c->question = question;
        c->text = ret;
        put_question(c);
        while (r >= 0 && c->result == -EAGAIN)
                r = sd_event_run(c->event, UINT64_MAX);
        c->question = NULL;

        if (r >= 0)
                r = c->result;
        return r < 0 ? r : mask_time(ret);
}

/* What the command line would print, which does not come from the daemon's texts. */
static int make_report(const Survey *survey, Buffer *ret) {
        _cleanup_json_ json_object *document = NULL;
        int r;

        r = report_make(survey, &document);
        if (r < 0)
                return r;
        r = json_format(document, ret);
        return r < 0 ? r : mask_time(ret);
}

static int make_anew(Comparison *c, Buffer *report, Buffer *changes) {
        _cleanup_(survey_freep) Survey *survey = NULL;
        _cleanup_(report_cache_done) ReportCache cache = REPORT_CACHE_NULL;
        int r;

        r = survey_take(&guest_side, c->root, NULL, &survey);
        if (r < 0)
                return r;
        r = make_report(survey, report);
        if (r < 0)
                return r;
        r = report_cache_plan(&cache, survey);
        if (r < 0)
                return r;
        r = buffer_append(changes, cache.changes.data, cache.changes.size);
        return r < 0 ? r : buffer_puts(changes, "\n");
}

/* A text that is wrong may have bytes that end it too early, and then the reader would wait for its line. */
static void print_line(const Buffer *text) {
        for (size_t i = 0; i + 1 < text->size; i++)
                (void) putchar((unsigned char) text->data[i] < ' ' ? '?' : text->data[i]);
        (void) putchar('\n');
}

static void answer(const char *what, const Buffer *kept, const Buffer *anew) {
        printf("different %s\n", what);
        print_line(kept);
        print_line(anew);
        (void) fflush(stdout);
}

static int compare(Comparison *c) {
        _cleanup_buffer_ Buffer kept = BUFFER_NULL, kept_changes = BUFFER_NULL;
        _cleanup_buffer_ Buffer anew = BUFFER_NULL, changes = BUFFER_NULL;
        int r;

        r = ask(c, keeper_report, &kept);
        if (r >= 0)
                r = ask(c, keeper_changes, &kept_changes);
        if (r >= 0)
                r = make_anew(c, &anew, &changes);

        /* Not a survey: both ways find the same fault. */
        if (r < 0 && make_anew(c, &anew, &changes) >= 0)
                return r;
        if (r >= 0 && !buffer_equal(&kept, &anew))
                answer("report", &kept, &anew);
        else if (r >= 0 && !buffer_equal(&kept_changes, &changes))
                answer("plan", &kept_changes, &changes);
        else
                puts(r < 0 ? "none" : "same");

        return fflush(stdout) == 0 ? 0 : negative_errno();
}

static void print_path(const Sight *sight, _unused_ void *userdata) {
        puts(sight->path);
}

static int list_paths(Comparison *c) {
        _cleanup_(survey_freep) Survey *survey = NULL;

        root_trace(c->root, &(RootTrace) {.before = print_path});
        (void) survey_take(&guest_side, c->root, NULL, &survey);
        root_trace(c->root, NULL);
        puts("");
        return fflush(stdout) == 0 ? 0 : negative_errno();
}

static int run(const char *path, KeeperPace pace) {
        Comparison c = {};
        const KeeperOwner owner = {.updated = on_updated, .ready = on_ready, .userdata = &c};
        char line[64];
        int r;

        r = sd_event_new(&c.event);
        if (r >= 0)
                r = root_new(&c.root, path);
        if (r >= 0)
                r = keeper_new(&c.keeper, c.event, &guest_side, c.root, pace, &owner);
        while (r >= 0 && fgets(line, sizeof(line), stdin))
                r = streq(line, "paths\n") ? list_paths(&c) : compare(&c);

        keeper_free(c.keeper);
        root_free(c.root);
        sd_event_unref(c.event);
        return r;
}

int main(int argc, char **argv) {
        const KeeperPace pace = {.stale = argc == 3 ? strtoull(argv[2], NULL, 10) * 1000 : 0};
        int r = argc == 2 || argc == 3 ? run(argv[1], pace) : -EINVAL;

        if (r < 0)
                fprintf(stderr, "compare: %s\n", strerror(-r));
        return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
