/* SPDX-License-Identifier: Apache-2.0 */

#include <assert.h>
#include <inttypes.h>

#include "agent/channel/commands.h"
#include "agent/channel/reply.h"
#include "agent/channel/request.h"
#include "config.h"
#include "core/json.h"

/* One call of a command. */
typedef struct CommandCall {
        const CommandAgent *agent;
        const Request *request;
        ArgumentValue values[REQUEST_ARGUMENTS_MAX]; /* in the order of ChannelCommand.arguments */
        Buffer *reply;
} CommandCall;

typedef struct ChannelCommand {
        const char *name;
        int (*answer)(const CommandCall *call);
        ArgumentSpec arguments[REQUEST_ARGUMENTS_MAX + 1]; /* ended by an empty one */
        bool needs_policy;                             /* enabled only if the policy allows apply */
} ChannelCommand;

static const ChannelCommand *command_find(const char *name);

static int command_return(const CommandCall *call, const char *body) {
        return reply_return(call->reply, (Span) {.data = body, .size = strlen(body)}, call->request->id);
}

static int command_failure(const CommandCall *call, const char *what, int error) {
        _cleanup_free_ char *desc = xasprintf("%s: %s", what, error_text(-error));

        if (!desc)
                return -ENOMEM;

        return reply_error(call->reply, "GenericError", desc, call->request->id);
}

static int command_sync(const CommandCall *call) {
        char body[32];

        call->agent->watch(call->agent->userdata, false);
        (void) snprintf(body, sizeof(body), "%" PRId64, call->values[0].number);
        return command_return(call, body);
}

static int command_sync_delimited(const CommandCall *call) {
        int r;

        r = buffer_append(call->reply, "\xFF", 1);
        if (r < 0)
                return r;

        return command_sync(call);
}

static int command_ping(const CommandCall *call) {
        return command_return(call, "{}");
}

static int command_status(const CommandCall *call) {
        Span report;
        int r;

        r = call->agent->report(call->agent->userdata, &report);
        if (r == -EAGAIN)
                return COMMAND_LATER;
        if (r < 0)
                return command_failure(call, "There is no report", r);

        return reply_return(call->reply, report, call->request->id);
}

static int command_watch(const CommandCall *call) {
        int r;

        r = command_status(call);
        if (r != COMMAND_ANSWERED)
                return r;

        call->agent->watch(call->agent->userdata, true);
        return COMMAND_ANSWERED;
}

static int command_apply(const CommandCall *call) {
        call->agent->apply(call->agent->userdata);
        return COMMAND_PENDING;
}

/* Appends elements from the first on, as many as fit. Returns the index of the next one, or the length of the list. */
static size_t command_fill_page(json_object *all, size_t first, size_t space, Buffer *page) {
        size_t i, n = json_object_array_length(all);

        for (i = first; i < n; i++) {
                size_t before = page->size;

                if (buffer_puts(page, i == first ? "" : ", ") < 0 ||
                    json_format(json_object_array_get_idx(all, i), page) < 0 || page->size > space) {
                        page->size = before;
                        return i;
                }
        }

        return i;
}

static int command_add_left_out(json_object *left_out, Buffer *page) {
        int r;

        if (!left_out)
                return 0;

        r = buffer_puts(page, ", \"left_out\": ");
        return r < 0 ? r : json_format(left_out, page);
}

static int command_answer_page(const CommandCall *call, json_object *plan, size_t first) {
        _cleanup_buffer_ Buffer page = BUFFER_NULL;
        json_object *all = json_get_array(plan, "changes"), *refusal = json_object_object_get(plan, "refusal");
        size_t next, n = json_object_array_length(all);
        int r;

        r = buffer_puts(&page, "{\"refusal\": ");
        if (r < 0)
                return r;
        r = json_format(refusal, &page);
        if (r < 0)
                return r;
        r = command_add_left_out(json_get_array(plan, "left_out"), &page);
        if (r < 0)
                return r;
        r = buffer_puts(&page, ", \"changes\": [");
        if (r < 0)
                return r;

        next = command_fill_page(all, first, reply_space(call->request->id) - 128, &page);
        if (next == first && first < n)
                return reply_error(call->reply, "GenericError", "One change alone is longer than a reply may be",
                                   call->request->id);

        r = buffer_printf(&page, "], \"offset\": %zu, \"total\": %zu, \"next\": ", first, n);
        if (r < 0)
                return r;
        r = next < n ? buffer_printf(&page, "%zu}", next) : buffer_puts(&page, "null}");
        if (r < 0)
                return r;

        return reply_return(call->reply, SPAN_BUFFER(page), call->request->id);
}

static int command_plan(const CommandCall *call) {
        _cleanup_json_ json_object *plan = NULL;
        json_object *all;
        Span text;
        int r;

        r = call->agent->changes(call->agent->userdata, &text);
        if (r == -EAGAIN)
                return COMMAND_LATER;
        if (r >= 0)
                r = json_parse(text.data, text.size, &plan);
        if (r < 0)
                return command_failure(call, "There is no plan", r);

        all = json_get_array(plan, "changes");
        if (!all)
                return command_failure(call, "There is no plan", -EBADMSG);
        if (call->values[0].number < 0 || (uint64_t) call->values[0].number > json_object_array_length(all))
                return reply_error(call->reply, "GenericError", "Parameter 'offset' is beyond the end of the list",
                                   call->request->id);

        return command_answer_page(call, plan, (size_t) call->values[0].number);
}

/* gtune-tpm knows the arguments by the same names and checks their values itself. */
static int command_format_arguments(const CommandCall *call, Buffer *ret) {
        const ArgumentSpec *arguments = command_find(call->request->execute)->arguments;
        const char *separator = "";
        int r;

        for (size_t i = 0; arguments[i].name; i++) {
                const ArgumentValue *v = call->values + i;

                if (!v->given)
                        continue;
                if (arguments[i].type == ARGUMENT_INTEGER)
                        r = buffer_printf(ret, "%s\"%s\": %" PRId64, separator, arguments[i].name, v->number);
                else
                        r = buffer_printf(ret, "%s\"%s\": \"%s\"", separator, arguments[i].name, v->word);
                if (r < 0)
                        return r;
                separator = ", ";
        }

        return 0;
}

static int command_ask_tpm(const CommandCall *call, const char *verb, bool signs_report) {
        _cleanup_buffer_ Buffer arguments = BUFFER_NULL;
        int r;

        r = command_format_arguments(call, &arguments);
        if (r < 0)
                return r;

        r = call->agent->tpm(call->agent->userdata, verb, &arguments, signs_report);
        if (r == -EBUSY)
                return reply_error(call->reply, "GenericError", "Another question to the TPM is still being answered",
                                   call->request->id);
        if (r == -EAGAIN)
                return COMMAND_LATER;

        return r < 0 ? r : COMMAND_BACKGROUND;
}

static int command_pcrs(const CommandCall *call) {
        return command_ask_tpm(call, "pcrs", /* signs_report= */ false);
}

static int command_eventlog(const CommandCall *call) {
        return command_ask_tpm(call, "eventlog", /* signs_report= */ false);
}

static int command_quote(const CommandCall *call) {
        return command_ask_tpm(call, "quote", /* signs_report= */ true);
}

static int command_info(const CommandCall *call);

static const ChannelCommand commands[] = {
        {"guest-sync", command_sync, {{"id", true}}, false},
        {"guest-sync-delimited", command_sync_delimited, {{"id", true}}, false},
        {"guest-ping", command_ping, {}, false},
        {"guest-info", command_info, {}, false},
        {"gtune-status", command_status, {}, false},
        {"gtune-plan", command_plan, {{"offset", false}}, false},
        {"gtune-pcrs", command_pcrs, {{"bank", false, ARGUMENT_WORD}}, false},
        {"gtune-eventlog", command_eventlog, {{"offset", false}}, false},
        {"gtune-quote",
         command_quote,
         {{"nonce", true, ARGUMENT_WORD}, {"bank", true, ARGUMENT_WORD}, {"selection", true, ARGUMENT_WORD}},
         false},
        {"gtune-watch", command_watch, {}, false},
        {"gtune-apply", command_apply, {}, true},
};

static int command_info(const CommandCall *call) {
        _cleanup_buffer_ Buffer body = BUFFER_NULL;
        int r;

        r = buffer_puts(&body, "{\"version\": \"" PACKAGE_VERSION "\", \"supported_commands\": [");
        if (r < 0)
                return r;

        for (size_t i = 0; i < ELEMENTSOF(commands); i++) {
                bool enabled = !commands[i].needs_policy || call->agent->apply_allowed(call->agent->userdata);

                r = buffer_printf(&body, "%s{\"name\": \"%s\", \"enabled\": %s, \"success-response\": true}",
                                  i == 0 ? "" : ", ", commands[i].name, enabled ? "true" : "false");
                if (r < 0)
                        return r;
        }
        r = buffer_puts(&body, "]}");
        if (r < 0)
                return r;

        return reply_return(call->reply, SPAN_BUFFER(body), call->request->id);
}

static const ChannelCommand *command_find(const char *name) {
        for (size_t i = 0; i < ELEMENTSOF(commands); i++)
                if (streq(commands[i].name, name))
                        return &commands[i];

        return NULL;
}

static int command_run(const Request *request, const CommandAgent *agent, Buffer *reply) {
        _cleanup_free_ char *error = NULL;
        CommandCall call = {.agent = agent, .request = request, .reply = reply};
        const ChannelCommand *command;
        int r;

        command = command_find(request->execute);
        if (!command) {
                error = xasprintf("The command %s has not been found", request->execute);
                if (!error)
                        return -ENOMEM;

                return reply_error(reply, "CommandNotFound", error, request->id);
        }

        r = request_arguments(request, command->arguments, call.values, &error);
        if (r < 0)
                return r;
        if (error)
                return reply_error(reply, "GenericError", error, request->id);

        return command->answer(&call);
}

int command_answer(Span text, const CommandAgent *agent, Buffer *reply, Span *ret_id) {
        _cleanup_(request_done) Request request = {};
        int r;

        assert(agent && reply && ret_id);

        r = request_parse(text, &request);
        if (r < 0)
                return r;

        *ret_id = request.id;
        if (request.error)
                return reply_error(reply, "GenericError", request.error, request.id);

        return command_run(&request, agent, reply);
}

int command_finish(Span id, const char *class, const char *desc, Buffer *reply) {
        assert(desc && reply);

        if (class)
                return reply_error(reply, class, desc, id);

        return reply_return(reply, (Span) {.data = desc, .size = strlen(desc)}, id);
}
