/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_LOAD_FEATURES_H
#define SKEP_LOAD_FEATURES_H
/*
 * What the running kernel lets us do, found out by doing it: each feature has a probe that loads, attaches or
 * makes the real thing and takes it away again. Versions are never compared; distributions take features back
 * and forth.
 *
 * A refusal comes with a reason in words that an operator can act on, and with the cure from features.def.
 */
#include "base/macro.h"

enum skep_feature_id {
#define SKEP_FEATURE(name, doc, cure) SKEP_FEATURE_##name,
#include "load/features.def"
#undef SKEP_FEATURE
    SKEP_FEATURE_MAX,
};

struct skep_feature {
    const char *name;
    const char *doc;
    bool works;
    char reason[256]; /* when it does not */
    const char *cure;
};

/* Tries all of them: some tens of milliseconds. */
void skep_features_probe(struct skep_feature ret[SKEP_FEATURE_MAX]);
#endif
