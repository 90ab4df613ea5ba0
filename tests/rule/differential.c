/* SPDX-License-Identifier: Apache-2.0 */
/*
 * differential [--count PAIRS] [--seed N]: random rules over random events until so many pairs of a rule and an event
 * were judged. U by machine code with and without checks, U by the interpreter and a plain reference evaluator have to
 * agree on each, and no filter may drop a record that a rule matches. SKEP_BPF_OBJECT names the object whose types are
 * the schema.
 */
#include "../unit/rule/differ.h"

#include <getopt.h>

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"count", required_argument, NULL, 'c'}, {"seed", required_argument, NULL, 's'}, {0}};
    unsigned long long count = 100000, seed = 1;
    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (c == 'c')
            count = strtoull(optarg, NULL, 10);
        else if (c == 's')
            seed = strtoull(optarg, NULL, 10);
        else
            return 2;
    }
    const char *object = getenv("SKEP_BPF_OBJECT");
    if (!object) {
        fprintf(stderr, "differential: SKEP_BPF_OBJECT is not set\n");
        return 2;
    }
    struct skep_schema *schema = random_schema(object);
    struct differ d = {0};
    while (d.pairs < count && d.failures < 20)
        differ_round(&d, schema, seed++);
    printf(
        "%llu pairs, %llu matches, %llu records filtered, %llu dropped, %llu failures, %llu rules found by an index\n",
        (unsigned long long)d.pairs, (unsigned long long)d.matches, (unsigned long long)d.filters,
        (unsigned long long)d.dropped, (unsigned long long)d.failures, (unsigned long long)d.candidates);
    skep_schema_free(schema);
    if (d.candidates < d.pairs / 100) {
        fprintf(stderr, "differential: the indexes were hardly used\n");
        return 1;
    }
    return d.failures ? 1 : 0;
}
