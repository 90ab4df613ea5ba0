/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_AGENT_CHILD_H
#define SKEP_AGENT_CHILD_H
/*
 * The command that skep starts and follows (`skep watch exec -- make`).
 *
 * Nothing of the command may run before the sensors know its process id, so it is started in two steps: spawn
 * makes a process that waits on a pipe before its exec, release lets it go:
 *
 *     struct skep_child c = SKEP_CHILD_INIT;
 *     r = skep_child_spawn(&c, argv, &mask_at_start);
 *     ... enter c.pid into the table of followed processes ...
 *     r = skep_child_release(&c);         -ENOENT: "skep: cannot run 'mkae': No such file or directory"
 *     ... poll c.pidfd ...
 *     r = skep_child_reap(&c, &status);   a wait(2) status
 *     skep_child_clear(&c);
 *
 * The command runs as the caller of skep: with sudo it runs as root. It stays in skep's process group and
 * keeps its terminal, standard descriptors and limits. It gets the signal mask that skep itself was started with, and
 * signals that skep catches are back to their default; what the caller ignored (nohup) stays ignored.
 *
 * When skep dies before release, the waiting process ends without having run anything. A command that was
 * released goes on when skep ends or is cleared: following a command gives no right to end it.
 */
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/types.h>

#include "base/macro.h"

struct skep_child {
    pid_t pid;      /* 0: none, or reaped */
    int pidfd;      /* readable when the process has ended; -1: none */
    int release_fd; /* closed or written: go; -1: released */
    int error_fd;   /* errno of a failed exec comes from here */
};

#define SKEP_CHILD_INIT                                                                                      \
    {                                                                                                        \
        .pidfd = -1, .release_fd = -1, .error_fd = -1                                                        \
    }

/* Starts a process for argv (ended by NULL; argv[0] is looked up in PATH) that waits to be released. mask: the
 * signal mask that the command shall have; NULL: empty. -EAGAIN, -ENOMEM, -EMFILE, -ENOSYS (no pidfds). */
int skep_child_spawn(struct skep_child *c, char *const argv[], const sigset_t *mask);
/* Lets it run and waits for its exec: 0, or why that failed (-ENOENT, -EACCES, ...); it is then reaped. */
int skep_child_release(struct skep_child *c);
/* Passes a signal that reached skep on to the command, unless the terminal has sent it to both already. */
int skep_child_forward(const struct skep_child *c, const struct signalfd_siginfo *si);
/* Takes the status of a process that has ended; -EAGAIN: it still runs. */
int skep_child_reap(struct skep_child *c, int *ret_status);
/* Ends a process that was never released; lets go of one that was. */
void skep_child_clear(struct skep_child *c);
#endif
