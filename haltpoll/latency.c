/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What makes a CPU poll whatever the tunables say: a PM QoS request that tolerates no latency at all (haltpoll_select()
 * in Linux: drivers/cpuidle/governors/haltpoll.c).
 *
 * Tested by the golden machines (tests/roots), and by tests/haltpoll in a real guest.
 */

#include "haltpoll/haltpoll.h"

/* A read gives the strictest request in µs; to open the file for reading is a request for nothing (kernel/power/qos.c). */
#define LATENCY_DEVICE "/dev/cpu_dma_latency"

static char *latency_cpu_path(unsigned cpu) {
        return xasprintf("/sys/devices/system/cpu/cpu%u/power/pm_qos_resume_latency_us", cpu);
}

int latency_read(const View *view, Haltpoll *h) {
        int32_t usec;
        int r;

        if (!h->effect)
                return 0;

        r = root_read_device(view->root, LATENCY_DEVICE, sizeof(usec), &usec);
        if (r == -ENOMEM)
                return r;
        h->latency_zero = r >= 0 && usec == 0;

        for (size_t i = 0; i < h->n_cpus; i++) {
                _cleanup_free_ char *path = latency_cpu_path(h->cpus[i]), *text = NULL;

                if (!path || root_read_line(view->root, path, &text) == -ENOMEM)
                        return -ENOMEM;

                /* "0" says that there is no request, and "n/a" is one of 0 (drivers/base/power/sysfs.c). */
                if (streq_ptr(text, "n/a") && h->n_latency_cpus++ == 0)
                        h->latency_cpu = h->cpus[i];
        }

        return 0;
}

static int latency_verdict_of_cpu(const Haltpoll *h, Finding *finding, bool warn) {
        static const char reason[] = "a PM QoS request tolerates no wake-up latency of CPU %u (such CPUs: %u), so that "
                                     "each of its idles is polled, whatever the tunables say";
        _cleanup_free_ char *path = latency_cpu_path(h->latency_cpu), *remedy = NULL;

        if (!path)
                return -ENOMEM;
        remedy = xasprintf("end what asks for it, or write 0, which is no request, to %s", path);
        if (!remedy || finding_evidence(finding, path, "n/a") < 0)
                return -ENOMEM;

        return warn ? finding_coded_warning(finding, "qos-zero", remedy, reason, h->latency_cpu, h->n_latency_cpus)
                    : finding_verdict(finding, STATE_CONFLICT, "qos-zero", remedy, reason, h->latency_cpu,
                                      h->n_latency_cpus);
}

int latency_judge(const Haltpoll *h, Finding *finding, bool warn) {
        static const char remedy[] = "end the program that holds " LATENCY_DEVICE " open (`fuser -v` names it): "
                                     "cyclictest, DPDK, a profile of tuned with force_latency=0";
        static const char reason[] = "a PM QoS request tolerates no wake-up latency (" LATENCY_DEVICE " is 0), so that "
                                     "every idle is polled, whatever the tunables say";
        int r;

        if (!h->latency_zero && h->n_latency_cpus == 0)
                return 0;

        if (!h->latency_zero)
                r = latency_verdict_of_cpu(h, finding, warn);
        else if (finding_evidence(finding, LATENCY_DEVICE, "0") < 0)
                r = -ENOMEM;
        else
                r = warn ? finding_coded_warning(finding, "qos-zero", remedy, reason)
                         : finding_verdict(finding, STATE_CONFLICT, "qos-zero", remedy, reason);

        return r < 0 ? r : 1;
}
