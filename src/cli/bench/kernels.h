/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_CLI_BENCH_KERNELS_H
#define SKEP_CLI_BENCH_KERNELS_H
/*
 * The programs of `skep vm bench`, written once and compiled three times: by the compiler of this program for its own
 * machine (native.c), and for BPF (kernels.bpf.c), where the engine and the kernel run them. Each works on KERNEL_BYTES
 * bytes of a packet and returns a number, so that all can be held against each other. They are shaped so that the
 * kernel's verifier walks them within its budget: constant loop bounds, no data-dependent exits that multiply.
 *
 * Who includes this defines u8, u32, u64, the parameters KERNEL_ARGS (p, the packet, among them), the map operations
 * KERNEL_LOOKUP(map, key) and KERNEL_OUTPUT(map, data, size), and the maps kernel_hash, kernel_values, kernel_ring.
 */

/* Keeps the compiler from turning a loop over memory into a call of a library function or vector code. */
#define KERNEL_OPAQUE(x) __asm__ volatile("" : "+r"(x))

/* Trial division: 64-bit modulo and branches. */
static inline u64 kernel_sieve(KERNEL_ARGS)
{
    u64 divisors = 0;
    u64 odd = p[0] | 1;
    for (u32 i = 0; i < 100; i++) {
        u64 n = odd + 2 * i;
        for (u64 d = 3; d < 43; d += 2) {
            u64 by = d;
            KERNEL_OPAQUE(by);
            if (n % by == 0)
                divisors++;
        }
    }
    return divisors;
}

/* 64-bit shifts and exclusive-ors, each waiting for the one before. */
static inline u64 kernel_xorshift(KERNEL_ARGS)
{
    u64 x = *(const u64 *)p | 1;
    for (u32 i = 0; i < 1000; i++) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
    }
    return x;
}

/* FNV-1a: byte loads and 64-bit multiplications. */
static inline u64 kernel_fnv(KERNEL_ARGS)
{
    u64 h = 0xcbf29ce484222325ULL;
    for (u32 i = 0; i < KERNEL_BYTES; i++) {
        h ^= p[i];
        h *= 0x100000001b3ULL;
    }
    return h;
}

/* 32-bit loads and additions. */
static inline u64 kernel_sum32(KERNEL_ARGS)
{
    const u32 *a = (const u32 *)p;
    u32 sum = 0;
    for (u32 round = 0; round < 4; round++) {
        for (u32 i = 0; i < KERNEL_BYTES / 4; i++) {
            u32 v = a[i];
            KERNEL_OPAQUE(v);
            sum += v;
        }
    }
    return sum;
}

/* Bubble sort on the stack. */
static inline u64 kernel_sort(KERNEL_ARGS)
{
    u64 a[24];
    for (u32 i = 0; i < 24; i++)
        a[i] = ((const u64 *)p)[i];
    for (u32 end = 23; end > 0; end--) {
        for (u32 i = 0; i < 23; i++) {
            u64 x = a[i], y = a[i + 1];
            if (x > y) {
                a[i] = y;
                a[i + 1] = x;
            }
        }
    }
    return a[0] ^ a[12] << 1 ^ a[23] << 2;
}

/* A scanner of characters: a jump for each class. */
static inline u64 kernel_parser(KERNEL_ARGS)
{
    u64 words = 0, numbers = 0, lines = 0, quotes = 0, other = 0;
    for (u32 i = 0; i < KERNEL_BYTES; i++) {
        u8 c = p[i];
        switch (c & 31) {
        case 0:
        case 13:
            lines++;
            break;
        case 1:
        case 9:
            words += c >> 5;
            break;
        case 2:
        case 7:
            quotes ^= c;
            break;
        case 3:
            numbers = numbers * 10 + (c & 7);
            break;
        case 4:
        case 5:
            words++;
            break;
        case 8:
            numbers += lines;
            break;
        case 10:
            lines += 2;
            break;
        case 16:
            quotes++;
            break;
        case 17:
        case 18:
            other ^= words;
            break;
        case 24:
            other += c;
            break;
        default:
            other++;
        }
    }
    return words + numbers * 3 + lines * 5 + quotes * 7 + other * 11;
}

/* Byte by byte from the packet to the stack. */
static inline u64 kernel_memcpy(KERNEL_ARGS)
{
    u8 copy[256];
    u64 x = 0;
    for (u32 round = 0; round < 4; round++) {
        for (u32 i = 0; i < sizeof(copy); i++) {
            u8 c = p[i];
            KERNEL_OPAQUE(c);
            copy[i] = c;
        }
        x = x * 31 + copy[17 * round];
    }
    return x;
}

/* Two strings against each other, up to the first difference, which is at the end. */
static inline u64 kernel_strcmp(KERNEL_ARGS)
{
    u32 equal = 0;
    for (u32 round = 0; round < 4; round++) {
        for (u32 i = 0; i < 256; i++) {
            u8 a = p[i], b = p[i + 512];
            KERNEL_OPAQUE(b);
            if (a != b)
                break;
            equal++;
        }
    }
    return equal;
}

static inline u64 kernel_hash_hit(KERNEL_ARGS)
{
    u64 sum = 0, key = *(const u64 *)p & 1023;
    for (u32 i = 0; i < KERNEL_LOOKUPS; i++) {
        const u64 *v = KERNEL_LOOKUP(&kernel_hash, &key);
        if (v)
            sum += *v;
        key = (key + 31) & 1023;
    }
    return sum;
}

static inline u64 kernel_hash_miss(KERNEL_ARGS)
{
    u64 sum = 0, key = *(const u64 *)p | 4096;
    for (u32 i = 0; i < KERNEL_LOOKUPS; i++) {
        const u64 *v = KERNEL_LOOKUP(&kernel_hash, &key);
        if (!v)
            sum++;
        key += 8192;
    }
    return sum;
}

static inline u64 kernel_array(KERNEL_ARGS)
{
    u64 sum = 0;
    u32 key = *(const u32 *)p & 1023;
    for (u32 i = 0; i < KERNEL_LOOKUPS; i++) {
        const u64 *v = KERNEL_LOOKUP(&kernel_values, &key);
        if (v)
            sum += *v;
        key = (key + 31) & 1023;
    }
    return sum;
}

static inline u64 kernel_output(KERNEL_ARGS)
{
    u64 record[4] = {*(const u64 *)p, 1, 2, 3};
    u64 sent = 0;
    for (u32 i = 0; i < KERNEL_RECORDS; i++) {
        record[1] = i;
        sent += KERNEL_OUTPUT(&kernel_ring, record, sizeof(record)) == 0;
    }
    return sent;
}
#endif
