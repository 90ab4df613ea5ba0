/* SPDX-License-Identifier: Apache-2.0 */
#include "rule/compile/operations.h"

#include "event/names.h"

#define PREFIX "IORING_OP_"
#define WORDS (SKEP_URING_OPS / 64)

struct set {
    uint64_t bits[WORDS];
};

struct possible {
    struct set yes, no;
};

static const struct set all = {{~0ULL, ~0ULL}}, none = {{0}};
_Static_assert(WORDS == 2, "the constant above");

static void join(struct set *to, const struct set *from)
{
    for (size_t i = 0; i < WORDS; i++)
        to->bits[i] |= from->bits[i];
}

static void meet(struct set *to, const struct set *from)
{
    for (size_t i = 0; i < WORDS; i++)
        to->bits[i] &= from->bits[i];
}

static bool is_operation(const struct skep_unit *u, const struct skep_atom *a)
{
    const struct skep_fact_request *q = &u->requests.list[a->request];
    return a->op == SKEP_ATOM_EQ && a->mode == SKEP_ATOM_ONE && a->type == SKEP_RULE_TEXT && !a->oneof &&
           !a->negated && !a->on_evttype && a->right == SKEP_ATOM_NO_RIGHT && q->field && q->arg &&
           skep_streq(q->field->name, "evt.arg") && skep_streq(q->arg, "op");
}

static bool names(const struct skep_constant *value, const char *name)
{
    size_t n = strlen(PREFIX);
    return value->text.n == n + strlen(name) && memcmp(value->text.s, PREFIX, n) == 0 &&
           strncasecmp(value->text.s + n, name, value->text.n - n) == 0;
}

/* Operations without a name are in every set: how they are written is not our business. */
static struct set operations_named(const struct skep_atom *a)
{
    struct set s = none;
    for (unsigned op = 0; op < SKEP_URING_OPS; op++) {
        const char *name = skep_names_get(&skep_names_uring_op, op);
        bool found = !name;
        for (size_t i = 0; i < a->n_values && !found; i++)
            found = names(&a->values[i], name);
        if (found)
            s.bits[op / 64] |= 1ULL << op % 64;
    }
    return s;
}

static struct possible of_node(const struct skep_unit *u, const struct skep_node *n,
                               const struct possible *known)
{
    struct possible p = {all, all};
    switch (n->kind) {
    case SKEP_NODE_CONSTANT:
        *(n == &u->dag.nodes[SKEP_NODE_TRUE] ? &p.no : &p.yes) = none;
        break;
    case SKEP_NODE_ATOM:
        if (is_operation(u, &u->atoms.list[n->atom]))
            p.yes = operations_named(&u->atoms.list[n->atom]);
        break;
    case SKEP_NODE_NOT:
        p.yes = known[n->kids[0]].no;
        p.no = known[n->kids[0]].yes;
        break;
    case SKEP_NODE_AND:
        p.no = none;
        for (uint32_t i = 0; i < n->n_kids; i++) {
            meet(&p.yes, &known[n->kids[i]].yes);
            join(&p.no, &known[n->kids[i]].no);
        }
        break;
    case SKEP_NODE_OR:
        p.yes = none;
        for (uint32_t i = 0; i < n->n_kids; i++) {
            join(&p.yes, &known[n->kids[i]].yes);
            meet(&p.no, &known[n->kids[i]].no);
        }
        break;
    }
    return p;
}

int skep_operations_of(const struct skep_unit *u, uint16_t kind, uint64_t ret[WORDS])
{
    struct set wanted = none;
    if (u->n_rules[kind] > 0) {
        _cleanup_free_ struct possible *known = calloc(u->dag.n, sizeof(*known));
        if (!known)
            return -ENOMEM;
        for (size_t i = 0; i < u->dag.n; i++)
            known[i] = of_node(u, &u->dag.nodes[i], known);
        for (size_t i = 0; i < u->n_rules[kind]; i++)
            join(&wanted, &known[u->rules[kind][i].node].yes);
    }
    memcpy(ret, wanted.bits, sizeof(wanted.bits));
    return 0;
}
