/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_EXPORT_REFERENCE_H
#define SKEP_EXPORT_REFERENCE_H
/*
 * The reference of all kinds of event and their fields, written from the tables that the program itself works
 * with: what `skep docs events` prints.
 */
#include "event/schema.h"

/* kinds: which ones, NULL for all that are ever printed. Text is Markdown. */
void skep_reference_put_text(const struct skep_schema *s, const bool kinds[SKEP_KIND_MAX],
                             struct skep_strbuf *sb);
/* {"common":[{"name","type","doc","optional","values"}],"kinds":[{"name","group","shown","doc","fields":[...]}]} */
void skep_reference_put_json(const struct skep_schema *s, const bool kinds[SKEP_KIND_MAX],
                             struct skep_strbuf *sb);
#endif
