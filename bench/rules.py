# SPDX-License-Identifier: Apache-2.0
"""What rules cost: in the kernel for those who are watched, and in user space for each event that is judged.

$SKEP_BENCH_RULES names the rule file that is measured; without it the built-in rules are."""
import json
import os
import resource
import subprocess
import tempfile
import time


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
            for job in jobs:
                best[name, job] = min(best.get((name, job), 1e18), costs(job))
            if watcher:
                watcher.stop()
    print("\n| cost of one, with rules | " + " | ".join(jobs) + " |")
    print("|---|" + "---|" * len(jobs))
    for name, _ in variants:
        cells = []
        for job in jobs:
            bare, it = best["nothing attached", job], best[name, job]
            cells.append(f"{it:.0f} ns" if name == "nothing attached" else f"{it / bare:.2f}x ({it - bare:+.0f} ns)")
        print(f"| {name} | " + " | ".join(cells) + " |")
    base, none = best["nothing attached", "getppid"], best["empty raw_tp sys_exit", "getppid"]
    print(f"\nA call that no rule wants: {(best['rules', 'getppid'] - base) / max(none - base, 0.1):.2f}x of an empty program.")


def memory(running, skep, rules):
    watcher = running([skep, "run"] + rules)
    time.sleep(1)
    resident = watcher.memory()[0]
    watcher.stop()
    print(f"Resident memory with the rules, idle: {resident:.1f} MiB.")


def judge(skep, recording, rules):
    """The report of `skep rules test`, and processor seconds of the whole command."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    out = subprocess.run([skep, "rules", "test", "-q", "--json"] + rules + [recording], capture_output=True, text=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if out.returncode:
        raise RuntimeError(out.stderr)
    return json.loads(out.stdout), after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def synthetic(path, n):
    """n rules, each about files and programs of its own."""
    with open(path, "w") as f:
        for i in range(n):
            f.write(f"- rule: synthetic {i}\n  desc: x\n  output: x %fd.name\n  priority: NOTICE\n"
                    f"  condition: evt.type in (open, openat) and fd.name = /no/such/{i}"
                    f" and not proc.name in (p{i}, q{i}) and user.uid != {i}\n")


def user(skep, work, rules):
    with tempfile.TemporaryDirectory() as top:
        recording = os.path.join(top, "all.skep")
        recorder = subprocess.Popen([skep, "record", "-o", recording, "--memory", "64M"], stderr=subprocess.DEVNULL)
        time.sleep(1)
        work("flood", 2)
        work("spawn", 1)
        work("connect", 0.5)
        time.sleep(0.5)
        recorder.terminate()
        recorder.wait(60)
        print("\n| rules over a recording | events | judging | events/s of one processor while judging |")
        print("|---|---|---|---|")
        rows = [("as given", rules), ("as given, interpreted", ["--interpret"] + rules)]
        for n in (100, 1000):
            path = os.path.join(top, f"{n}.yaml")
            synthetic(path, n)
            rows.append((f"{n} synthetic ones", ["--rules", path]))
        cost = {}
        for name, options in rows:
            best = None
            for _ in range(3):
                report, _ = judge(skep, recording, options)
                best = min(best or 1e9, report["ns_per_event"])
            cost[name] = best
            print(f"| {name} | {report['events']} | {best:.0f} ns/event | {1e3 / best:.2f} M |")
        print(f"\n1,000 rules cost {cost['1000 synthetic ones'] / cost['100 synthetic ones']:.2f}x of 100.")


def compile_time(skep, rules):
    def once(argv):
        begin = time.monotonic()
        subprocess.run(argv, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return time.monotonic() - begin

    bare = min(once([skep, "version"]) for _ in range(5))
    files = [r for r in rules if r != "--rules"]
    took = min(once([skep, "rules", "explain", "--selection"] + files) for _ in range(5))
    print(f"Reading, compiling and loading the rules: {(took - bare) * 1e3:.0f} ms.")


def main(skep, empty, work, running, rounds):
    path = os.environ.get("SKEP_BENCH_RULES")
    rules = ["--rules", path] if path else []
    print(f"\nRules: {os.path.basename(path) if path else 'built-in'}")
    kernel(work, running, rounds, empty, skep, rules)
    memory(running, skep, rules)
    user(skep, work, rules)
    compile_time(skep, rules)
