/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes system calls by number, without a library: the same source is built for 64 and for 32 bits. Each exits with 0
 * when the call did what was asked for, else with the error number.
 *
 *   calls fork|vfork|clone|clone3|clone-thread      creates a process that ends at once, and waits for it
 *   calls execve PATH ARGS...                       executes PATH; ARGS begin with the name that it gets
 *   calls execveat DIRECTORY PATH ARGS...           the same from a directory, AT_FDCWD when it is "."
 *   calls execveat-fd PATH ARGS...                  opens PATH, and executes the descriptor by an empty name
 *   calls execve-null PATH                          executes PATH without arguments: a null pointer
 *   calls execve-wild                               executes what stands at an address that is not mapped
 */
#ifdef __x86_64__
enum {
    OPEN = 2,
    CLONE = 56,
    FORK = 57,
    VFORK = 58,
    EXECVE = 59,
    EXIT = 60,
    WAIT4 = 61,
    EXECVEAT = 322,
    CLONE3 = 435
};
#else
enum {
    OPEN = 5,
    CLONE = 120,
    FORK = 2,
    VFORK = 190,
    EXECVE = 11,
    EXIT = 1,
    WAIT4 = 114,
    EXECVEAT = 358,
    CLONE3 = 435
};
#endif
#define AT_FDCWD -100
#define AT_EMPTY_PATH 0x1000
#define SIGCHLD 17
#define O_RDONLY 0
#define O_DIRECTORY 0200000

static inline __attribute__((always_inline)) long call5(long nr, long a, long b, long c, long d, long e)
{
    long ret;
#ifdef __x86_64__
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    __asm__ volatile("syscall"
                     : "=a"(ret)
                     : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8)
                     : "rcx", "r11", "memory");
#else
    __asm__ volatile("int $0x80" : "=a"(ret) : "a"(nr), "b"(a), "c"(b), "d"(c), "S"(d), "D"(e) : "memory");
#endif
    return ret;
}

static int same(const char *a, const char *b)
{
    while (*a && *a == *b)
        a++, b++;
    return *a == *b;
}

static _Noreturn void end(long ret)
{
    for (;;)
        call5(EXIT, ret < 0 ? -ret : 0, 0, 0, 0, 0);
}

static _Noreturn void wait_for(long pid)
{
    if (pid == 0)
        end(0);
    if (pid > 0)
        call5(WAIT4, pid, 0, 0, 0, 0);
    end(pid);
}

static long clone3(void)
{
    static unsigned long long args[11];
    args[4] = SIGCHLD;
    return call5(CLONE3, (long)args, sizeof(args), 0, 0, 0);
}

static long run(int argc, char **argv, char **env)
{
    const char *what = argv[1];
    if (same(what, "fork"))
        wait_for(call5(FORK, 0, 0, 0, 0, 0));
    if (same(what, "vfork"))
        wait_for(call5(VFORK, 0, 0, 0, 0, 0));
    if (same(what, "clone"))
        wait_for(call5(CLONE, SIGCHLD, 0, 0, 0, 0));
    if (same(what, "clone3"))
        wait_for(clone3());
    if (same(what, "execve-wild"))
        return call5(EXECVE, 8, (long)argv, (long)env, 0, 0);
    if (argc < 3)
        return -22;
    if (same(what, "execve"))
        return call5(EXECVE, (long)argv[2], (long)(argv + 3), (long)env, 0, 0);
    if (same(what, "execve-null"))
        return call5(EXECVE, (long)argv[2], 0, 0, 0, 0);
    if (same(what, "execveat-fd")) {
        long fd = call5(OPEN, (long)argv[2], O_RDONLY, 0, 0, 0);
        return fd < 0 ? fd : call5(EXECVEAT, fd, (long)"", (long)(argv + 3), (long)env, AT_EMPTY_PATH);
    }
    if (same(what, "execveat") && argc > 3) {
        long dir = same(argv[2], ".") ? AT_FDCWD : call5(OPEN, (long)argv[2], O_DIRECTORY, 0, 0, 0);
        return call5(EXECVEAT, dir, (long)argv[3], (long)(argv + 4), (long)env, 0);
    }
    return -22;
}

__attribute__((used)) _Noreturn void begin(long *stack)
{
    int argc = (int)stack[0];
    char **argv = (char **)(stack + 1);
    end(argc < 2 ? -22 : run(argc, argv, argv + argc + 1));
}

#ifdef __x86_64__
__asm__(".globl _start\n_start:\n mov %rsp, %rdi\n and $-16, %rsp\n call begin\n");
#else
__asm__(
    ".globl _start\n_start:\n mov %esp, %eax\n and $-16, %esp\n sub $12, %esp\n push %eax\n call begin\n");
#endif
