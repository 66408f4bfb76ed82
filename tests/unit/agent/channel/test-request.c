/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The envelope of a request and its arguments.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/agent/channel/stage.h"

static const Row envelope[] = {
        {"a list is no object", "[1,{\"a\":2}]" PING, NO_OBJECT PONG},
        {"empty object", "{}", ERROR("QMP input lacks member 'execute'")},
        {"unknown member", "{\"execute\":\"guest-ping\",\"foo\":1}", ERROR("QMP input member 'foo' is unexpected")},
        {"unknown member with an id", "{\"id\":7,\"exec-oob\":\"guest-ping\"}",
         "{\"error\": {\"class\": \"GenericError\", \"desc\": \"QMP input member 'exec-oob' is unexpected\"}, \"id\": 7}\n"},
        {"execute is no string", "{\"execute\":1}", ERROR("QMP input member 'execute' must be a string")},
        {"arguments are no object", "{\"execute\":\"guest-ping\",\"arguments\":[]}",
         ERROR("QMP input member 'arguments' must be an object")},
        {"unknown command", "{\"execute\":\"guest-exec\"}" PING,
         "{\"error\": {\"class\": \"CommandNotFound\", \"desc\": \"The command guest-exec has not been found\"}}\n" PONG},
        {"duplicate member", "{\"execute\":\"guest-ping\",\"execute\":\"guest-ping\"}",
         ERROR("JSON parse error, duplicate key")},
        {"duplicate id", "{\"id\":1,\"id\":2,\"execute\":\"guest-ping\"}", ERROR("JSON parse error, duplicate key")},
        {"an escaped name", "{\"\\u0065xecute\":\"guest\\u002dping\"}", PONG},
        {"a name with NUL", "{\"execute\\u0000\":\"guest-ping\"}", ERROR("QMP input member '' is unexpected")},
        {"empty arguments", "{\"execute\":\"guest-ping\",\"arguments\":{}}", PONG},
        {"unexpected argument", "{\"execute\":\"guest-ping\",\"arguments\":{\"zz\":1}}", ERROR("Parameter 'zz' is unexpected")},
        {"missing argument", "{\"execute\":\"guest-sync\"}", ERROR("Parameter 'id' is missing")},
        {"wrong type", "{\"execute\":\"guest-sync\",\"arguments\":{\"id\":\"1\"}}",
         ERROR("Invalid parameter type for 'id', expected: integer")},
        {"a float is no integer", "{\"execute\":\"guest-sync\",\"arguments\":{\"id\":1.0}}",
         ERROR("Invalid parameter type for 'id', expected: integer")},
        {"beyond 64 bits", "{\"execute\":\"guest-sync\",\"arguments\":{\"id\":9223372036854775808}}",
         ERROR("Invalid parameter type for 'id', expected: integer")},
        {"a list is no integer", "{\"execute\":\"guest-sync\",\"arguments\":{\"id\":[1]}}",
         ERROR("Invalid parameter type for 'id', expected: integer")},
        {"argument twice", "{\"execute\":\"guest-sync\",\"arguments\":{\"id\":1,\"id\":2}}",
         ERROR("Parameter 'id' is unexpected")},
        {"a name is cut", "{\"execute\":\"guest-ping\",\"" "0123456789012345678901234567890123456789012345678901234567890123456789"
         "\":1}", ERROR("QMP input member '0123456789012345678901234567890123456789012345678901234567890123' is unexpected")},
};

static void test_envelope(_unused_ void **state) {
        check_rows(envelope, ELEMENTSOF(envelope));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_envelope),
        };

        return cmocka_run_group_tests_name("request", tests, NULL, NULL);
}
