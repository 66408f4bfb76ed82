/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "agent/tpm/event-view.h"
#include "agent/tpm/ask.h"

/**
 * tpm_events() - the events of all logs, page by page
 * @c: the context
 * @ret: takes {"logs", "events", "total"}, where each event has been looked at by event_view(); the caller puts it
 * @ret_error: as tpm_ask()
 *
 * Return: as tpm_ask().
 */
int tpm_events(const Context *c, json_object **ret, char **ret_error);
