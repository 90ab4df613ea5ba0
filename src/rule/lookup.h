/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_RULE_LOOKUP_H
#define SKEP_RULE_LOOKUP_H
/*
 * Many rules of one kind of event that all demand something of one text: that it is one of some constants, or begins
 * with one. They are not tried one after another: the text is looked up once, which gives a class, and only the rules
 * of that class are tried, for the rest of their conditions.
 *
 *     rule 1: fd.name = /etc/shadow and A        /etc/shadow -> class 1: rules 1 and 2
 *     rule 2: fd.name in (/etc/shadow, /x) and B          /x -> class 2: rule 2
 *
 * Constants that stand for the same rules have the same class. Of prefixes the longest that fits decides; its class has
 * the rules of the shorter ones, too. Class 0 is that of texts for which there is no rule.
 */
#include "rule/prefixes.h"
#include "rule/unit.h"

#define SKEP_LOOKUP_RULES_MIN 8    /* for fewer it is not worth it */
#define SKEP_LOOKUP_CODE_TEXTS 512 /* more constants are a hash map */

struct skep_lookup_rule {
    uint32_t rule;
    uint32_t rest;    /* node: what else the rule demands */
    uint32_t classes; /* how many it is in */
};

struct skep_lookup_class {
    uint32_t *rules; /* in skep_lookup.rules */
    size_t n;
};

struct skep_lookup {
    uint32_t request;
    bool prefixes;
    struct skep_lookup_rule *rules;
    size_t n_rules;
    struct skep_lookup_class *classes; /* [0] is empty */
    size_t n_classes;
    struct skep_constant *texts; /* not with prefixes */
    uint32_t *text_classes;
    size_t n_texts;
    struct skep_map_set *set; /* the same as maps; NULL: compared by code */
    uint32_t matcher;         /* with prefixes: its place behind those of the atoms */
};

/* Divides u->rules[kind] into u->lookups[kind] and u->tried[kind]. */
int skep_lookups_make(struct skep_unit *u, uint16_t kind);
#endif
