/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_EXPORT_TERMINAL_H
#define SKEP_EXPORT_TERMINAL_H
/*
 * What skep needs to know of a terminal: whether a descriptor is one, how wide it is, whether colour is
 * wanted there, and how much of a text fits on one line of it. Nothing here writes; the output queue
 * (export/output.h) owns the terminal while it lives.
 *
 * The width is asked for each time it is needed, so a changed window needs no signal handler.
 *
 * Colour, in this order: --color always or never; then off when NO_COLOR is set and not empty, when the
 * descriptor is no terminal, when TERM is missing or "dumb"; else on.
 */
#include "base/macro.h"

enum skep_color {
    SKEP_COLOR_AUTO,
    SKEP_COLOR_ALWAYS,
    SKEP_COLOR_NEVER,
};

bool skep_terminal_is(int fd);
/* A terminal that understands the sequences that a status line needs. */
bool skep_terminal_can_draw(int fd);
bool skep_terminal_wants_color(enum skep_color color, int fd);
/* Both are the same terminal. */
bool skep_terminal_same(int a, int b);
/* Columns; 80 when the terminal does not say. */
unsigned skep_terminal_width(int fd);
/* How many bytes of text (without a line feed) fit into so many columns: every character counts as one
 * column, an SGR sequence (ESC [ ... m) as none, and neither is ever cut in its middle. */
size_t skep_terminal_fit(const char *text, size_t len, unsigned columns);
#endif
