/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The keeper of the report. It holds a survey, knows the sources of each part of it, hears of changes, and reads again
 * only the parts whose sources have changed:
 *
 * - A source that announces its changes (agent/daemon/path-watch.h, system-watch.h, unit-watch.h) marks its parts. The
 *   first change is read at once, and those that follow within pace.burst together.
 * - The others (attributes that the kernel itself changes, the kernel log, programs without a unit) are compared when
 *   the report is asked for and was last compared longer than pace.stale ago.
 * - A mount, a lost event, and SIGHUP leave everything in doubt: the whole survey is taken again.
 *
 * What takes long is read by a thread (agent/daemon/worker.h). Until it is done, the survey belongs to it.
 */

#include <systemd/sd-event.h>

#include "core/buffer.h"
#include "core/json.h"
#include "engine/side.h"

typedef struct Keeper Keeper;

/* How often the keeper works at most, in microseconds. */
typedef struct KeeperPace {
        uint64_t burst; /* between two reports because of changes that are announced */
        uint64_t stale; /* the age of a report at which it is compared before it is given */
} KeeperPace;

#define KEEPER_PACE ((KeeperPace) {.burst = 250U * 1000U, .stale = 1000U * 1000U})

typedef struct KeeperOwner {
        /* The report was made again, and may be the same; or it could not be made, which was logged. */
        void (*updated)(void *userdata);

        /* What keeper_report() or keeper_changes() could not give yet can be asked for now. */
        void (*ready)(void *userdata);

        void *userdata;
} KeeperOwner;

/**
 * keeper_new() - make a keeper and its first report
 * @ret: takes the keeper; the caller frees it
 * @event: the event loop
 * @side: the side to report on
 * @root: the root
 * @pace: how often it works; KEEPER_PACE
 * @owner: the functions to call; copied
 *
 * Return: 0 or -errno.
 */
int keeper_new(Keeper **ret, sd_event *event, const Side *side, const Root *root, KeeperPace pace,
               const KeeperOwner *owner);

/** keeper_free() - release the keeper; NULL is ignored */
Keeper *keeper_free(Keeper *keeper);
DEFINE_CLEANUP(Keeper *, keeper_free);

/**
 * keeper_report() - get the report, JSON text
 * @keeper: the keeper
 * @ret: takes the text, valid until the event loop goes on
 *
 * Return: 0; -EAGAIN: it is being made, ask again when ready() is called; another -errno.
 */
int keeper_report(Keeper *keeper, Span *ret);

/** keeper_prepare_report() - as keeper_report(), but made in small steps, between which the event loop serves others */
int keeper_prepare_report(Keeper *keeper, Span *ret);

/** keeper_changes() - get the plan, JSON text (see transaction_to_json()); otherwise as keeper_report() */
int keeper_changes(Keeper *keeper, Span *ret);

/** keeper_summary() - one line on the state of the guest, as the report is; never NULL */
const char *keeper_summary(const Keeper *keeper) _pure_;

/** keeper_allows_apply() - whether the policy lets the host start an apply */
bool keeper_allows_apply(const Keeper *keeper) _pure_;

/** keeper_news() - report_news() of the survey. Return: as that; -EAGAIN while there is no survey that can be read. */
int keeper_news(Keeper *keeper, char ***told, json_object **ret);

/** keeper_is_in_doubt() - whether everything will be read again, but not yet */
bool keeper_is_in_doubt(const Keeper *keeper) _pure_;

/** keeper_reload() - read everything again; done when updated() is called and keeper_is_in_doubt() is false */
void keeper_reload(Keeper *keeper);
