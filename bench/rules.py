# SPDX-License-Identifier: Apache-2.0
"""What rules cost: in the kernel for those who are watched, and in user space for each event that is judged."""
import json
import os
import resource
import subprocess
import tempfile
import time

import bars


def name(path):
    """What the rules of a file, or without one those that are built in, are called in a table."""
    return os.path.basename(path) if path else "built-in"


def options(path):
    return ["--rules", path] if path else []


def kernel(costs, running, rounds, empty, skep, rules):
    """costs(job) measures one job; running(argv) is a watcher."""
    jobs = ["getppid", "open", "spawn"]
    variants = [
        ("nothing attached", None),
        ("empty raw_tp sys_exit", [empty]),
        ("rules", [skep, "run"] + rules),
        ("rules, nothing dropped in the kernel", [skep, "run", "--no-pushdown"] + rules),
    ]
    best = {}
    for _ in range(rounds):
        for name, argv in variants:
            watcher = running(argv) if argv else None
            if watcher:
                watcher.settle()
            for job in jobs:
                best[name, job] = min(best.get((name, job), 1e18), costs(job))
            if watcher:
                watcher.stop()
    print("| cost of one, with rules | " + " | ".join(jobs) + " |")
    print("|---|" + "---|" * len(jobs))
    for name, _ in variants:
        cells = []
        for job in jobs:
            bare, it = best["nothing attached", job], best[name, job]
            cells.append(f"{it:.0f} ns" if name == "nothing attached" else f"{it / bare:.2f}x ({it - bare:+.0f} ns)")
        print(f"| {name} | " + " | ".join(cells) + " |")
    added = {job: best["rules", job] - best["nothing attached", job] for job in jobs}
    empty_added = max(best["empty raw_tp sys_exit", "getppid"] - best["nothing attached", "getppid"], 0.1)
    print()
    bars.at_most("a system call that no rule wants, in added cost of an empty raw_tp sys_exit program", 1.25,
                 added["getppid"] / empty_added, "x")
    bars.at_most("open+close of a file that no rule wants", 150, added["open"], " ns added", ".0f")
    bars.at_most("fork+exec+exit, with rules", 10000, added["spawn"], " ns added", ".0f")


def memory(running, skep, rules):
    watcher = running([skep, "run"] + rules)
    watcher.settle()
    time.sleep(1)
    resident = watcher.memory()[0]
    watcher.stop()
    print(f"Resident memory with the rules, idle: {resident:.1f} MiB.")
    bars.at_most("resident memory with the rules, idle", 40, resident, " MiB", ".1f")


def verdict(running, skep, work, rules):
    """A flood of opens through ring, pipeline and rules, reader on a processor of its own."""
    with tempfile.TemporaryFile() as out:
        watcher = running([skep, "run", "--no-pushdown", "--events", "--json", "--kinds", "open", "--comm", "bench_workload"] + rules,
                          pin=1, stdout=out)
        before = watcher.cpu()
        work("flood", 3, pin=0)
        time.sleep(0.5)
        used, resident = watcher.cpu() - before, watcher.memory()[1]
        watcher.stop()
        out.seek(max(0, out.seek(0, 2) - 65536))
        row = json.loads(out.read().splitlines()[-1])["kinds"]["open"]
    emitted, lost = row["emitted"], sum(row["lost"].values())
    print(f"A flood of opens, each judged and written as JSON: {emitted / used / 1e6:.2f} M events per second of processor time "
          f"({emitted} in {used:.2f} s, {lost} lost), at most {resident:.1f} MiB resident.")
    bars.at_most("resident memory with the rules, in a flood as JSON", 40, resident, " MiB", ".1f")


def judge(skep, recording, rules):
    """The report of `skep rules test`, and processor seconds of the whole command."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    out = subprocess.run([skep, "rules", "test", "-q", "--json"] + rules + [recording], capture_output=True, text=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if out.returncode:
        raise RuntimeError(out.stderr)
    return json.loads(out.stdout), after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


FILES, SOCKETS = "open, openat", "connect, accept, accept4"

# What rule number i demands, by name of the family: types of event, condition. None of it is true of what is recorded, as is
# usual of rules.
FAMILIES = {
    "equal": (FILES, "fd.name = /no/such/{i} and not proc.name in (p{i}, q{i}) and user.uid != {i}"),
    "in": (FILES, "fd.name in (/no/such/{i}, /no/other/{i}, /none/{i})"),
    "startswith": (FILES, "fd.name startswith /tmp/such/{i}/"),
    "endswith": (FILES, "fd.name endswith /such{i}.conf"),
    "contains": (FILES, "fd.name contains /such{i}/"),
    "icontains": (FILES, "fd.name icontains /Such{i}/"),
    "glob": (FILES, "fd.name glob '/tmp/*/such{i}/?*.conf'"),
    "iglob": (FILES, "fd.name iglob '/tmp/*/Such{i}/?*.conf'"),
    "regex": (FILES, "fd.name regex '/tmp/.*/such{i}/[a-z]+'"),
    "regex, alternatives": (FILES, "fd.name regex '/tmp/(.*/such{i}|.*/other{i})/[a-z]+'"),
    "pmatch": (FILES, "fd.name pmatch (/tmp/such/{i}, /tmp/*/other{i})"),
    "number": (FILES, "user.uid = 70{i}"),
    "range": (FILES, "user.uid in (70{i}-71{i}, 90{i})"),
    "comparison": (FILES, "evt.rawres > 70{i}"),
    "or": (FILES, "(fd.name contains /such{i}/ or proc.name = p{i} or user.uid = 70{i}) and fd.num >= 0"),
    "or of and": (FILES, "((fd.name contains /such{i}/ and fd.num >= 0) or (proc.name = p{i} and not user.uid = {i}))"),
    "address": (SOCKETS, "fd.sip = 10.1.{hi}.{lo}"),
    "networks": (SOCKETS, "fd.sip in (10.{hi}.{lo}.0/24, 2001:db8:{i}::/48)"),
    "snet": (SOCKETS, "fd.snet in (10.{hi}.{lo}.0/24, 172.16.{lo}.0/30)"),
    "port": (SOCKETS, "fd.sport in (7{i:03}, 6{i:03}-7{i:03})"),
}


def synthetic(path, n, family):
    """n rules of a family; of all that are about files, taking turns, when family is None."""
    files = [f for f in FAMILIES.values() if f[0] == FILES]
    with open(path, "w") as f:
        for i in range(n):
            types, condition = FAMILIES[family] if family else files[i % len(files)]
            f.write(f"- rule: synthetic {i}\n  desc: x\n  output: x\n  priority: NOTICE\n"
                    f"  condition: evt.type in ({types}) and {condition.format(i=i, hi=i // 250, lo=i % 250)}\n")


def record(skep, path, kinds, jobs):
    argv = [skep, "record", "-o", path, "--memory", "64M"] + (["--kinds", kinds] if kinds else [])
    recorder = subprocess.Popen(argv, stderr=subprocess.DEVNULL)
    time.sleep(1)
    for job in jobs:
        job()
    time.sleep(0.5)
    recorder.terminate()
    recorder.wait(60)


def best_judged(skep, recording, options):
    reports = [judge(skep, recording, options) for _ in range(3)]
    return min(reports, key=lambda r: r[0]["ns_per_event"])[0], min(r[1] for r in reports)


def families(skep, files, sockets, top):
    print("\n| rules that demand | 100 | 1,000 | ratio | reading, compiling 1,000 |")
    print("|---|---|---|---|---|")
    for name in list(FAMILIES) + [None]:
        recording = sockets if name and FAMILIES[name][0] == SOCKETS else files
        ns = []
        for n in (100, 1000):
            path = os.path.join(top, f"{n}.yaml")
            synthetic(path, n, name)
            ns.append(best_judged(skep, recording, ["--rules", path])[0]["ns_per_event"])
        begin = time.monotonic()
        subprocess.run([skep, "rules", "explain", "--selection", path], check=True, stdout=subprocess.DEVNULL)
        took = time.monotonic() - begin
        print(f"| {name or 'any of these, about files'} | {ns[0]:.0f} ns | {ns[1]:.0f} ns | {ns[1] / ns[0]:.2f}x |"
              f" {took * 1e3:.0f} ms |", flush=True)
        bars.at_most(f"1,000 rules that demand {name or 'any of these'}, in cost of 100", 2, ns[1] / ns[0], "x")


def user(skep, work, rules):
    with tempfile.TemporaryDirectory() as top:
        files, sockets = os.path.join(top, "all.skep"), os.path.join(top, "sockets.skep")
        record(skep, files, None, [lambda: work("flood", 2), lambda: work("spawn", 1), lambda: work("connect", 0.5)])
        record(skep, sockets, "connect,accept", [lambda: work("connect", 3)])
        print("\n| rules over a recording | events | judging | events/s of one processor while judging |"
              " the whole command, processor |")
        print("|---|---|---|---|---|")
        for name, options in [("as given", rules), ("as given, interpreted", ["--interpret"] + rules)]:
            report, cpu = best_judged(skep, files, options)
            ns, events = report["ns_per_event"], report["events"]
            print(f"| {name} | {events} | {ns:.0f} ns/event | {1e3 / ns:.2f} M | {cpu:.2f} s |")
            if options is rules:
                bars.at_least("the rules judging, events of one processor second", 1, 1e3 / ns, " M")
                bars.at_least("a recording read, decoded and judged twice, events of one processor second", 1,
                              events / cpu / 1e6, " M")
        families(skep, files, sockets, top)


def compile_time(skep, rules):
    def once(argv):
        begin = time.monotonic()
        subprocess.run(argv, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return time.monotonic() - begin

    bare = min(once([skep, "version"]) for _ in range(5))
    files = [r for r in rules if r != "--rules"]
    took = min(once([skep, "rules", "explain", "--selection"] + files) for _ in range(5))
    print(f"Reading, compiling and loading the rules: {(took - bare) * 1e3:.0f} ms.")
    bars.at_most("reading, compiling and loading the rules", 200, (took - bare) * 1e3, " ms", ".0f")


def main(skep, empty, work, running, rounds, path):
    rules = options(path)
    print(f"\n## Rules: {name(path)}\n")
    kernel(work, running, rounds, empty, skep, rules)
    memory(running, skep, rules)
    verdict(running, skep, work, rules)
    user(skep, work, rules)
    compile_time(skep, rules)
