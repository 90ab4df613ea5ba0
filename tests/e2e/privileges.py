#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""privileges.py call DIR EXPECTED      makes system calls on privileges, other processes and the kernel's own
                                     facilities, and writes down what events they should make
privileges.py check EXPECTED EVENTS  compares: prints a case for each call

Each call is made for real; calls that would change the machine are made so that they fail.
"""

import ctypes
import errno
import json
import mmap
import os
import platform
import re
import signal
import socket
import struct
import sys
import threading
import time
import traceback

import files
from files import Gate, libc, native

files.NATIVE.update(
    setuid=105, setgid=106, setreuid=113, setregid=114, setgroups=116, setresuid=117, setresgid=119, setfsuid=122,
    setfsgid=123, capset=126, rt_sigqueueinfo=129, ptrace=101, init_module=175, delete_module=176, tgkill=234,
    kexec_load=246, add_key=248, request_key=249, keyctl=250, unshare=272, perf_event_open=298, rt_tgsigqueueinfo=297,
    setns=308, process_vm_readv=310, process_vm_writev=311, finit_module=313, kexec_file_load=320, bpf=321,
    userfaultfd=323, pidfd_send_signal=424, io_uring_setup=425, io_uring_enter=426, io_uring_register=427,
    pidfd_open=434)
files.COMPAT.update(
    setuid=23, setgid=46, setreuid=70, setregid=71, setgroups=81, setfsuid=138, setfsgid=139, setresuid=164,
    setresgid=170, setreuid32=203, setregid32=204, setgroups32=206, setresuid32=208, setresgid32=210, setuid32=213,
    setgid32=214, setfsuid32=215, setfsgid32=216, capset=185, ptrace=26, delete_module=129, unshare=310)

RELEASE = tuple(int(n) for n in re.match(r"(\d+)\.(\d+)", platform.release()).groups())
CLONE_NEWNS, CLONE_NEWUTS, CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET = 1 << 17, 1 << 26, 1 << 28, 1 << 29, 1 << 30
CAP_CHOWN, CAP_NET_RAW = 1 << 0, 1 << 13
expected = []


def expect(kind, title=None, /, **fields):
    """Members by name, with __ for a dot. Of each: a value, or {"has": text} for a part of the whole."""
    expected.append(dict(
        kind=kind, title=title or kind, pid=outer_pid(), tid=threading.get_native_id() if outer_pid() == os.getpid() else None,
        fields={k.replace("__", "."): v for k, v in fields.items()}))


def expect_none(kind, title, /, **fields):
    expect(kind, title, **fields)
    expected[-1]["none"] = True


def do(name, kind, args, gate=None, /, **fields):
    ret = gate(name, *args) if gate else native(name, *args)
    syscall = name + (" (32-bit)" if gate else "")
    fields = dict(ret=ret, error=None if ret >= 0 else errno.errorcode[-ret], syscall=name) | fields
    expect(kind, syscall + (" fails" if ret < 0 else ""), **fields)
    return ret


def has(part):
    return {"has": part}


def outer_pid():
    # /proc is that of the initial namespace, also for who is in another one
    return int(os.readlink("/proc/self"))


def in_child(function, *args):
    pid = os.fork()
    if pid == 0:
        expected.clear()
        status = 1
        try:
            function(*args)
            write_expected()
            status = 0
        except Exception:
            traceback.print_exc()
        finally:
            os._exit(status)
    if os.waitpid(pid, 0)[1]:
        raise RuntimeError(f"{function.__name__} failed")


def write_expected():
    for e in expected:
        os.write(out, (json.dumps(e) + "\n").encode())


class Sleeper:
    """A child that waits until it is ended; its buffer can be read and written from outside."""

    def __init__(self, prepare=lambda: None):
        self.buffer = ctypes.create_string_buffer(b"what the child keeps", 64)
        r, w = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            try:
                libc.prctl(15, b"sleeper", 0, 0, 0)
                prepare()
                os.write(w, str(outer_pid()).encode())
                while True:
                    time.sleep(60)
            finally:
                os._exit(1)
        os.close(w)
        self.outer = int(os.read(r, 20))
        os.close(r)

    def end(self):
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)


# ---- credentials ----


def users():
    """From root to a user and half of the way back."""
    do("setgid", "setgid", (5,), asked_first=5, old_gid=0, old_egid=0, new_gid=5, new_egid=5, new_sgid=5, new_fsgid=5)
    do("setregid", "setgid", (6, 7), old_gid=5, old_egid=5, new_gid=6, new_egid=7)
    do("setresgid", "setgid", (8, 9, 10), asked_first=8, asked_second=9, asked_third=10, old_gid=6, old_egid=7, new_gid=8, new_egid=9, new_sgid=10, new_fsgid=9)
    do("setfsgid", "setgid", (11,), old_gid=8, old_egid=9, new_gid=8, new_egid=9, new_fsgid=11)
    do("setgroups", "setgid", (2, ctypes.create_string_buffer(struct.pack("II", 1, 2), 8)), old_gid=8, new_gid=8)
    do("setgroups", "setgid", (-1, 0), new_gid=8)  # EINVAL
    do("setfsuid", "setuid", (77,), ret=0, old_uid=0, new_uid=0, new_euid=0, new_fsuid=77, gained="")
    do("setfsuid", "setuid", (0,), ret=77, new_fsuid=0, gained=has("CAP_CHOWN"))
    do("setreuid", "setuid", (1001, -1), asked_first=1001, old_uid=0, old_euid=0, new_uid=1001, new_euid=0, effective=has("CAP_SYS_ADMIN"), gained="")
    do("setresuid", "setuid", (1002, 1003, 0), old_uid=1001, old_euid=0, new_uid=1002, new_euid=1003, new_suid=0, new_fsuid=1003,
       effective="", gained="")
    do("setresuid", "setuid", (-1, 0, -1), old_uid=1002, old_euid=1003, new_uid=1002, new_euid=0, effective=has("CAP_SYS_ADMIN"),
       gained=has("CAP_SYS_ADMIN"))
    in_thread(lambda: do("setresuid", "setuid", (1004, 1004, 1004), old_uid=1002, old_euid=0, new_uid=1004, new_euid=1004, gained=""))
    in_child(lambda: do("setuid", "setuid", (1005,), old_uid=1002, old_euid=0, new_uid=1005, new_suid=1005, gained=""))
    do("setuid", "setuid", (1006,), old_uid=1002, old_euid=0, new_uid=1006, new_euid=1006, new_suid=1006, effective="")
    do("setuid", "setuid", (0,), old_uid=1006, old_euid=1006, new_uid=1006, new_euid=1006, gained="")  # EPERM
    do("setgid", "setgid", (0,), old_gid=8, old_egid=9, new_gid=8, new_egid=9)  # EPERM


def in_thread(function):
    t = threading.Thread(target=function)
    t.start()
    t.join()


def users32():
    gate = Gate()
    do("setgid", "setgid", (5,), gate, old_gid=0, new_gid=5, new_egid=5)  # 16 bits
    do("setgid32", "setgid", (70005,), gate, old_gid=5, new_gid=70005)
    do("setregid32", "setgid", (6, 7), gate, old_gid=70005, new_gid=6, new_egid=7)
    do("setresgid32", "setgid", (8, 9, 10), gate, old_gid=6, old_egid=7, new_gid=8, new_egid=9, new_sgid=10)
    do("setfsgid32", "setgid", (11,), gate, new_fsgid=11)
    do("setgroups32", "setgid", (0, 0), gate, new_gid=8)
    do("setgroups", "setgid", (0, 0), gate, new_gid=8)
    do("setfsuid32", "setuid", (70077,), gate, ret=0, new_fsuid=70077)
    do("setfsuid", "setuid", (0,), gate, new_fsuid=0, gained=has("CAP_CHOWN"))
    do("setreuid32", "setuid", (1001, -1), gate, old_uid=0, new_uid=1001, new_euid=0)
    do("setresuid32", "setuid", (1002, 70003, 0), gate, old_uid=1001, old_euid=0, new_uid=1002, new_euid=70003, new_suid=0, effective="")
    do("setresuid", "setuid", (-1, 0, -1), gate, old_euid=70003, new_uid=1002, new_euid=0, gained=has("CAP_SYS_ADMIN"))
    do("setuid32", "setuid", (1006,), gate, old_uid=1002, new_uid=1006)
    do("setuid", "setuid", (0,), gate, new_uid=1006)  # EPERM


def caps():
    """Drop all but two effective ones, take one back; then a user namespace, which comes with all of them."""
    header = ctypes.create_string_buffer(struct.pack("Ii", 0x20080522, 0), 8)

    def set_caps(wanted, allowed, **fields):
        data = struct.pack("IIIIII", wanted, allowed, 0, 0, 0, 0)
        return do("capset", "capset", (header, ctypes.create_string_buffer(data, 24)), **fields)

    both = CAP_CHOWN | CAP_NET_RAW
    set_caps(CAP_CHOWN, both, effective="CAP_CHOWN", permitted="CAP_CHOWN|CAP_NET_RAW", inheritable="", gained="")
    set_caps(both, both, effective="CAP_CHOWN|CAP_NET_RAW", gained="CAP_NET_RAW")
    set_caps(both | 2, both | 2, effective="CAP_CHOWN|CAP_NET_RAW", gained="")  # EPERM
    if do("unshare", "unshare", (CLONE_NEWUSER,), flags="CLONE_NEWUSER") == 0:
        set_caps(both | 2, both | 2, effective="CAP_CHOWN|CAP_DAC_OVERRIDE|CAP_NET_RAW", gained="")


# ---- namespaces ----


def ns_id(name, who="self"):
    return int(re.search(r"\d+", os.readlink(f"/proc/{who}/ns/{name}")).group())


def namespaces():
    before = {n: ns_id(n) for n in ("mnt", "uts", "net", "pid")}
    old = os.open("/proc/self/ns/uts", os.O_RDONLY)
    do("unshare", "unshare", (CLONE_NEWNS | CLONE_NEWUTS,), flags="CLONE_NEWNS|CLONE_NEWUTS", new_ns__net=before["net"])
    expected[-1]["fields"].update({"new_ns.uts": ns_id("uts"), "new_ns.mnt": ns_id("mnt")})
    do("unshare", "unshare", (0x80000000,), new_ns__uts=ns_id("uts"))  # EINVAL
    do("unshare", "unshare", (CLONE_NEWUTS,), Gate(), flags="CLONE_NEWUTS")
    do("setns", "setns", (old, 0), flags="CLONE_NEWUTS", fd__num=old, fd__name=f"uts:[{before['uts']}]", new_ns__uts=before["uts"],
       new_ns__mnt=ns_id("mnt"))
    do("setns", "setns", (old, CLONE_NEWNET), flags="CLONE_NEWNET", fd__num=old)  # EINVAL
    do("setns", "setns", (9999, 0), flags="", fd__num=9999, fd__kind=None, fd__name=None)  # EBADF
    pidfd = native("pidfd_open", os.getppid(), 0)
    do("setns", "setns", (pidfd, CLONE_NEWUTS | CLONE_NEWNET), flags="CLONE_NEWUTS|CLONE_NEWNET", fd__num=pidfd,
       new_ns__net=before["net"])
    do("unshare", "unshare", (CLONE_NEWPID,), flags="CLONE_NEWPID")
    expected[-1]["fields"]["new_ns.pid"] = {"not": before["pid"]}  # of the children to come


# ---- other processes ----


def ptraces(nested):
    s = Sleeper()
    uid = os.getuid()
    target = dict(target__pid=s.outer, target__ns_pid=s.pid, target__comm="sleeper", target__uid=uid)
    at = ctypes.addressof(s.buffer)
    regs = ctypes.create_string_buffer(27 * 8)
    do("ptrace", "ptrace", (16, s.pid, 0, 0), request="PTRACE_ATTACH", **target)
    os.waitpid(s.pid, 0x40000000)
    native("ptrace", 2, s.pid, at, ctypes.byref(ctypes.c_long()))
    expect_none("ptrace", "ptrace peeks", request="PTRACE_PEEKDATA")
    do("ptrace", "ptrace", (5, s.pid, at, 0x41424344), request="PTRACE_POKEDATA", addr=f"0x{at:x}", data="0x41424344", **target)
    native("ptrace", 12, s.pid, 0, regs)
    expect_none("ptrace", "ptrace reads registers", request="PTRACE_GETREGS")
    do("ptrace", "ptrace", (13, s.pid, 0, regs), request="PTRACE_SETREGS", **target)
    do("ptrace", "ptrace", (17, s.pid, 0, 0), request="PTRACE_DETACH")
    do("ptrace", "ptrace", (0x4206, s.pid, 0, 0), request="PTRACE_SEIZE", **target)
    do("ptrace", "ptrace", (0x4206, s.pid, 0, 0), request="PTRACE_SEIZE", **target)  # EPERM: it is traced already
    do("ptrace", "ptrace", (16, 4000000, 0, 0), request="PTRACE_ATTACH", target__pid=0 if nested else 4000000, target__ns_pid=4000000,
       target__uid=None)  # ESRCH
    if not nested:
        do("ptrace", "ptrace", (16, 4000000, 0, 0), Gate(), request="PTRACE_ATTACH", target__pid=4000000)
        in_child(lambda: do("ptrace", "ptrace", (0, 0, 0, 0), request="PTRACE_TRACEME", target__pid=outer_pid()))
    s.end()


def memory(nested):
    s = Sleeper()
    found = RELEASE >= (6, 13) or (RELEASE >= (6, 2) and not nested)
    here = ctypes.create_string_buffer(8)
    local = ctypes.create_string_buffer(struct.pack("QQ", ctypes.addressof(here), 8), 16)
    remote = ctypes.create_string_buffer(struct.pack("QQ", ctypes.addressof(s.buffer), 8), 16)
    target = dict(target__ns_pid=s.pid)
    if found or not nested:
        target.update(target__pid=s.outer)
    if found:
        target.update(target__comm="sleeper", target__uid=os.getuid())
    do("process_vm_readv", "process_vm", (s.pid, local, 1, remote, 1, 0), direction="in", size=8, **target)
    do("process_vm_writev", "process_vm", (s.pid, local, 1, remote, 1, 0), direction="out", size=8, **target)
    do("process_vm_readv", "process_vm", (s.pid, local, 1, remote, 1, 99), direction="in", size=0, **target)  # EINVAL
    if not nested:
        do("process_vm_readv", "process_vm", (4000001, local, 1, remote, 1, 0), size=0, target__pid=4000001)  # ESRCH
    native("process_vm_readv", os.getpid(), local, 1, local, 1, 0)
    expect_none("process_vm", "a process that reads itself", **{"target__pid": outer_pid()})
    s.end()


def in_pid_namespace(function):
    def inside():
        libc.unshare(CLONE_NEWPID)
        in_child(function, True)
    in_child(inside)


def signals():
    s = Sleeper(lambda: os.setresuid(1007, 1007, 1007))
    target = dict(target__pid=s.outer, target__ns_pid=s.pid, target__comm="sleeper", target__uid=1007, target_uid=1007)
    os.kill(s.pid, signal.SIGSTOP)
    expect("signal", "kill", signal="SIGSTOP", group=True, **target)
    native("tgkill", s.pid, s.pid, signal.SIGCONT)
    expect("signal", "tgkill", signal="SIGCONT", group=False, **target)
    os.kill(s.pid, signal.SIGURG)
    expect_none("signal", "a signal that is ignored", signal="SIGURG", **target)
    os.kill(s.pid, 0)
    info = ctypes.create_string_buffer(struct.pack("iii", signal.SIGSTOP, 0, -2), 128)
    native("rt_sigqueueinfo", s.pid, signal.SIGSTOP, info)
    expect("signal", "rt_sigqueueinfo that claims a timer", signal="SIGSTOP", group=True, **target)
    os.kill(s.pid, signal.SIGCONT)
    expect("signal", "kill", signal="SIGCONT", group=True, **target)
    pidfd = native("pidfd_open", s.pid, 0)
    native("pidfd_send_signal", pidfd, signal.SIGTERM, 0, 0)
    expect("signal", "pidfd_send_signal", signal="SIGTERM", group=True, **target)
    os.waitpid(s.pid, 0)
    same = Sleeper()
    os.kill(same.pid, signal.SIGTERM)
    expect_none("signal", "a signal to the same user", **{"target__pid": same.outer})
    os.waitpid(same.pid, 0)
    # the real user is the receiver's, the effective one is not
    s = Sleeper(lambda: os.setresuid(1008, 1008, 1008))

    def half():
        os.setreuid(1008, 0)
        os.kill(s.pid, signal.SIGTERM)
        expect("signal", "a signal with another's rights", signal="SIGTERM", target__pid=s.outer, proc__uid=1008, proc__euid=0)
    in_child(half)
    os.waitpid(s.pid, 0)
    s = Sleeper()

    def denied():
        os.setresuid(1009, 1009, 1009)
        try:
            os.kill(s.pid, signal.SIGTERM)
        except PermissionError:
            expect_none("signal", "a signal that is not allowed", target__pid=s.outer)
    in_child(denied)
    s.end()


# ---- the kernel ----


def modules(top):
    path = top + "/none.ko"
    with open(path, "wb") as f:
        f.write(b"this is no module")
    fd = os.open(path, os.O_RDONLY)
    do("finit_module", "module", (fd, b"debug=1", 1), path=path, params="debug=1", name=None, unload=False,
       flags="MODULE_INIT_IGNORE_MODVERSIONS")
    do("init_module", "module", (b"no module either", 16, b"x=y"), size=16, params="x=y", path=None)
    do("delete_module", "module", (b"no_such_module", 0), name="no_such_module", unload=True)
    do("delete_module", "module", (b"no_such_module_32", 0), Gate(), name="no_such_module_32", unload=True)
    file = f"/lib/modules/{platform.release()}/kernel/drivers/net/dummy.ko"
    if os.environ.get("SKEP_TEST_VM") and os.path.exists(file):
        fd = os.open(file, os.O_RDONLY)
        do("finit_module", "module", (fd, b"numdummies=0", 0), ret=0, path=has("/dummy.ko"), params="numdummies=0", name="dummy",
           unload=False)
        do("finit_module", "module", (fd, b"", 0), name="dummy")  # EEXIST
        expected[-1]["fields"].pop("name")  # whether it is known so late differs
        do("delete_module", "module", (b"dummy", 0), ret=0, name="dummy", unload=True)


def bpf(command, fmt, *values):
    """The attribute as bytes; strings and pointers are the caller's business."""
    attr = struct.pack(fmt, *values)
    return command, ctypes.create_string_buffer(attr, len(attr)), len(attr)


def bpf_id(fd):
    info = ctypes.create_string_buffer(256)
    native("bpf", *bpf(15, "=IIQ", fd, 256, ctypes.addressof(info)))
    return struct.unpack_from("II", info)[1]


def bpf_calls(top):
    insns = ctypes.create_string_buffer(struct.pack("<BBhiBBhi", 0xb7, 0, 0, 0, 0x95, 0, 0, 0), 16)
    licence = ctypes.create_string_buffer(b"GPL")
    code, gpl = ctypes.addressof(insns), ctypes.addressof(licence)
    load = "=IIQQIIQII16sII"

    def prog(kind, name, n=2, attach=0):
        return bpf(5, load, kind, n, code, gpl, 0, 0, 0, 0, 0, name, 0, attach)

    m = do("bpf", "bpf", bpf(0, "=IIIIIII16s", 2, 4, 8, 16, 0, 0, 0, b"skep_test_map"), command="map_create", map_type="array",
           prog_type=None, attach_type=None, name="skep_test_map")
    expected[-1]["fields"]["id"] = bpf_id(m)
    do("bpf", "bpf", bpf(0, "=IIIIIII16s", 2, 99, 8, 16, 0, 0, 0, b"wrong_key"), command="map_create", map_type="array",
       name="wrong_key", id=0)  # EINVAL
    p = do("bpf", "bpf", prog(1, b"skep_test_prog"), command="prog_load", prog_type="socket_filter", attach_type=None,
           name="skep_test_prog", insns=2, map_type=None)
    p_id = bpf_id(p)
    expected[-1]["fields"]["id"] = p_id
    do("bpf", "bpf", prog(1, b"unfinished", 1), command="prog_load", prog_type="socket_filter", name="unfinished", insns=1, id=0)
    do("bpf", "bpf", bpf(5, "=IIQQ", 1, 2, code, gpl), command="prog_load", prog_type="socket_filter", name="")  # a short attribute
    s = do("bpf", "bpf", prog(18, b"skep_addr", 2, 10), command="prog_load", prog_type="cgroup_sock_addr",
           attach_type="cgroup_inet4_connect", name="skep_addr")
    do("bpf", "bpf", prog(8, b"skep_skb"), command="prog_load", prog_type="cgroup_skb", attach_type="cgroup_inet_ingress")
    made = dict(prog_type="socket_filter", name="skep_test_prog", id=p_id)
    native("bpf", *bpf(1, "=IxxxxQQQ", m, code, code, 0))
    expect_none("bpf", "elements of maps", command="map_lookup_elem")
    do("bpf", "bpf", bpf(8, "=IIII", 9999, s, 10, 0), command="prog_attach", attach_type="cgroup_inet4_connect", name="skep_addr",
       prog_type="cgroup_sock_addr")  # EBADF
    do("bpf", "bpf", bpf(8, "=IIII", 9999, m, 10, 0), command="prog_attach", name="skep_test_map", map_type="array")  # EBADF
    fd = os.open("/dev/null", os.O_RDONLY)
    do("bpf", "bpf", bpf(8, "=IIII", 9999, fd, 10, 0), command="prog_attach", name=None, id=0)
    do("bpf", "bpf", bpf(28, "=IIII", p, 9999, 10, 0), command="link_create", **made)
    do("bpf", "bpf", bpf(15, "=IIQ", p, 0, 0), command="obj_get_info_by_fd", **made)
    again = do("bpf", "bpf", bpf(13, "=III", p_id, 0, 0), command="prog_get_fd_by_id", **made)
    pinned = f"/sys/fs/bpf/skep-test-{os.getpid()}"
    path = ctypes.create_string_buffer(pinned.encode())
    at = ctypes.addressof(path)
    if do("bpf", "bpf", bpf(6, "=QII", at, again, 0), command="obj_pin", path=pinned, **made) == 0:
        do("bpf", "bpf", bpf(7, "=QII", at, 0, 0), command="obj_get", path=pinned, **made)
        os.unlink(pinned)
    do("bpf", "bpf", bpf(7, "=QII", at, 0, 0), command="obj_get", path=pinned, name=None, id=0)  # ENOENT
    tracepoint = ctypes.create_string_buffer(b"no_such_tracepoint")
    do("bpf", "bpf", bpf(17, "=QII", ctypes.addressof(tracepoint), p, 0), command="raw_tracepoint_open", **made)


def others(top):
    attr = ctypes.create_string_buffer(struct.pack("IIQ", 1, 112, 0), 112)
    do("perf_event_open", "perf_event_open", (attr, 0, -1, -1, 8), type="software", config="0x0", target_pid=0, target_cpu=-1,
       flags="PERF_FLAG_FD_CLOEXEC")
    attr = ctypes.create_string_buffer(struct.pack("IIQ", 4, 112, 0xabc), 112)
    do("perf_event_open", "perf_event_open", (attr, -1, 0, 9999, 0), type="raw", config="0xabc", target_pid=-1, target_cpu=0)  # EBADF
    do("userfaultfd", "userfaultfd", (os.O_CLOEXEC | 1,), flags=has("UFFD_USER_MODE_ONLY"))
    do("userfaultfd", "userfaultfd", (0x100,),)  # EINVAL
    key = do("add_key", "keyctl", (b"user", b"skep:test", b"secret", 6, -2), operation="add_key", type="user", description="skep:test")
    expected[-1]["fields"]["key"] = max(key, 0)
    do("add_key", "keyctl", (b"nosuchtype", b"x", 0, 0, -2), operation="add_key", type="nosuchtype", key=0)
    do("request_key", "keyctl", (b"user", b"skep:test", 0, 0), operation="request_key", type="user", description="skep:test",
       key=max(key, 0))
    do("keyctl", "keyctl", (10, -2, b"user", b"skep:test", 0), operation="search", key=-2, type="user", description="skep:test")
    do("keyctl", "keyctl", (3, key), operation="revoke", key=key, description=None)
    in_child(lambda: do("keyctl", "keyctl", (1, b"skep-session"), operation="join_session_keyring", description="skep-session"))
    do("kexec_load", "kexec", (0, 1, 0, 0xff00), segments=1, path=None)
    fd = os.open(top + "/none.ko", os.O_RDONLY)
    do("kexec_file_load", "kexec", (fd, -1, 6, b"quiet\0", 0xff00), path=top + "/none.ko", cmdline="quiet", segments=0)


# ---- io_uring ----


class Ring:
    """As much of io_uring as it takes to submit one operation at a time."""

    def __init__(self, flags=0):
        params = ctypes.create_string_buffer(120)
        struct.pack_into("IIIII", params, 0, 8, 16, flags, 0, 50)
        self.fd = native("io_uring_setup", 8, params)
        if self.fd < 0:
            return
        fields = struct.unpack("30I", params)
        self.flags = flags
        sq, cq = fields[10:20], fields[20:30]
        self.sq_tail, self.sq_mask, self.sq_flags, self.sq_array = sq[1], sq[2], sq[4], sq[6]
        self.cq_head, self.cq_tail, self.cq_mask, self.cqes = cq[0], cq[1], cq[2], cq[5]
        self.sq = mmap.mmap(self.fd, max(self.sq_array + 8 * 4, self.cqes + 16 * 16), offset=0)
        self.sqes = mmap.mmap(self.fd, 8 * 64, offset=0x10000000)
        self.keep = []

    def word(self, at):
        return struct.unpack_from("I", self.sq, at)[0]

    def __call__(self, op, fd=-1, addr=0, length=0, off=0, op_flags=0, flags=0, tag=0):
        if isinstance(addr, bytes):
            self.keep.append(ctypes.create_string_buffer(addr))
            addr = ctypes.addressof(self.keep[-1])
        if isinstance(off, bytes):
            self.keep.append(ctypes.create_string_buffer(off))
            off = ctypes.addressof(self.keep[-1])
        tail = self.word(self.sq_tail)
        at = tail & self.word(self.sq_mask)
        self.sqes[at * 64:at * 64 + 64] = struct.pack("=BBHiQQIIQ24x", op, flags, 0, fd, off, addr, length & 0xffffffff, op_flags, tag)
        struct.pack_into("I", self.sq, self.sq_array + 4 * at, at)
        struct.pack_into("I", self.sq, self.sq_tail, tail + 1)
        if self.flags & 2:
            native("io_uring_enter", self.fd, 0, 1, 3, 0, 0)  # wake the thread, wait for one
        else:
            native("io_uring_enter", self.fd, 1, 1, 1, 0, 0)
        head = self.word(self.cq_head)
        if head == self.word(self.cq_tail):
            return None
        result = struct.unpack_from("=Qi", self.sq, self.cqes + 16 * (head & self.word(self.cq_mask)))[1]
        struct.pack_into("I", self.sq, self.cq_head, head + 1)
        return result


def uring(top):
    d = top + "/uring"
    os.mkdir(d)
    os.chdir(d)
    ring = Ring()
    if ring.fd < 0:
        expect("uring", "skip: io_uring is not allowed here")
        return

    def op(title, *args, result=0, tag=0, **fields):
        got = args[0] if callable(args[0]) else ring
        args = args[1:] if callable(args[0]) else args
        kw = fields.pop("kw", {})
        got = got(*args, tag=tag, **kw)
        if result is not None and got != result:
            raise RuntimeError(f"{title} gave {got}")
        fields = dict(op=title, user_data=f"0x{tag:x}") | fields
        expect("uring", f"uring {title}", **fields)
        if title in ("openat", "openat2") and got >= 0:
            fields["path_source"] = "object"  # of the file that was opened
        expect("uring_done", f"uring_done {title}", ret=got, error=None if got >= 0 else errno.errorcode[-got], unknown=None, **fields)
        return got

    dir_fd = os.open(d, os.O_RDONLY)
    op("nop", 0, tag=7, path=None, fd__num=-1, sqpoll=False)
    name = dict(path_source="lexical")
    f = op("openat", 18, -100, b"./new", 0o600, 0, os.O_CREAT | os.O_RDWR, result=None, tag=0xabcdef, path=d + "/new", raw_path="./new",
           open_flags=has("O_CREAT"), **name)
    how = struct.pack("QQQ", os.O_RDONLY, 0, 0)
    op("openat2", 28, dir_fd, b"new", 24, how, result=None, path=d + "/new", raw_path="new", open_flags=has("O_RDONLY"), **name)
    op("write", 23, f, b"content", 7, result=7, fd__num=f, fd__kind="file", fd__name=d + "/new", path=None)
    op("mkdirat", 37, dir_fd, b"sub", 0o700, path=d + "/sub", **name)
    op("linkat", 39, -100, b"new", -100, b"sub/../hard", path=d + "/new", target=d + "/hard", raw_target="sub/../hard", **name)
    op("symlinkat", 38, -100, b"/what/../ever", 0, b"soft", path=d + "/soft", raw_path="soft", target=None, raw_target="/what/../ever", **name)
    op("renameat", 35, -100, b"hard", dir_fd, b"moved", path=d + "/hard", target=d + "/moved", **name)
    op("unlinkat", 36, dir_fd, b"moved", path=d + "/moved", raw_path="moved", **name)
    op("unlinkat", 36, -100, d.encode() + b"/gone", result=-2, path=d + "/gone", **name)
    buffer = ctypes.create_string_buffer(16)
    op("read", 22, f, ctypes.addressof(buffer), 4, result=4, fd__num=f, fd__name=d + "/new")
    table = ctypes.create_string_buffer(struct.pack("ii", -1, f), 8)
    if native("io_uring_register", ring.fd, 2, table, 2) == 0:
        op("read", 22, 1, ctypes.addressof(buffer), 4, result=4, kw=dict(flags=1), fd__num=-1, fd__kind="file", fd__name=d + "/new",
           sqe_flags="IOSQE_FIXED_FILE")
    op("close", 19, f, fd__num=f, path=None)
    inet, inet6, unix = (socket.socket(n, socket.SOCK_STREAM) for n in (socket.AF_INET, socket.AF_INET6, socket.AF_UNIX))
    port = struct.pack(">H", 9)
    op("connect", 16, inet.fileno(), struct.pack("=H", 2) + port + bytes([127, 0, 0, 1]) + bytes(8), 0, 16, result=None,
       remote__ip="127.0.0.1", remote__port=9, fd__num=inet.fileno(), fd__kind="socket")
    op("connect", 16, inet6.fileno(), struct.pack("=H", 10) + port + bytes(4) + bytes(15) + b"\1" + bytes(4), 0, 28, result=None,
       remote__ip="::1", remote__port=9)
    path = b"/run/skep-none"
    op("connect", 16, unix.fileno(), struct.pack("=H", 1) + path + b"\0", 0, 3 + len(path), result=None, path=path.decode(), remote=None)
    op("connect", 16, unix.fileno(), struct.pack("=H", 1) + b"\0hidden", 0, 9, result=None, path=has("@hidden"))
    if RELEASE >= (6, 11):
        bound = socket.socket()
        op("bind", 56, bound.fileno(), struct.pack("=H", 2) + port + bytes([127, 0, 0, 2]) + bytes(8), 0, 16, result=None,
           local__ip="127.0.0.2", local__port=9, remote=None)
    ring = Ring(2)
    if ring.fd >= 0:
        f = op("openat", 18, -100, b"new", 0, 0, os.O_RDONLY, result=None, path=d + "/new", sqpoll=True, **name)


def call(top):
    if os.path.ismount("/sys/fs/bpf") is False:
        libc.unshare(CLONE_NEWNS)
        libc.mount(None, b"/", None, 1 << 14 | 1 << 18, None)
        libc.mount(b"bpf", b"/sys/fs/bpf", b"bpf", 0, None)
    libc.prctl(0x59616d61, -1, 0, 0, 0)
    in_child(users)
    in_child(users32)
    in_child(caps)
    in_child(namespaces)
    ptraces(False)
    in_pid_namespace(ptraces)
    memory(False)
    in_pid_namespace(memory)
    signals()
    modules(top)
    bpf_calls(top)
    others(top)
    uring(top)
    expect_none("end", "an end that was not reached")
    write_expected()


# ---- comparing ----


def member(e, name):
    for part in name.split("."):
        if not isinstance(e, dict):
            return None
        e = e.get(part)
    return e


def agrees(have, want):
    if isinstance(want, dict) and "has" in want:
        every = "all" if want["has"].startswith("CAP_") else want["has"]  # of the capabilities that there are
        return isinstance(have, str) and (want["has"] in have or have == every)
    if isinstance(want, dict) and "not" in want:
        return have != want["not"]
    return have == want


def differences(e, x):
    return {k: (member(e, k), v) for k, v in x["fields"].items() if not agrees(member(e, k), v)}


def check(expected_path, events_path):
    with open(events_path, encoding="utf-8", errors="surrogateescape") as f:
        events = [e for e in map(json.loads, f) if "proc" in e]
    with open(expected_path, encoding="utf-8") as f:
        wanted = [json.loads(line) for line in f]
    for x in wanted:
        title = x["title"]
        if title.startswith("skip: "):
            print(f"skip - {x['kind']}: {title[6:]}")
            continue
        alike = [e for e in events if e["kind"] == x["kind"] and e["proc"]["pid"] == x["pid"]]
        if x.get("none"):
            found = [e for e in alike if not differences(e, x)]
            print(f"not ok - {title} make no event: {found[0]}" if found else f"ok - {title}: no event")
            continue
        best = min(alike, key=lambda e: len(differences(e, x)), default=None)
        if best is None:
            print(f"not ok - {title}: no such event")
            continue
        wrong = differences(best, x)
        if x["tid"] and not x["kind"].startswith("uring") and best["proc"]["tid"] != x["tid"]:
            wrong["tid"] = (best["proc"]["tid"], x["tid"])
        events.remove(best)
        told = ", ".join(f"{k} is {have!r} instead of {want!r}" for k, (have, want) in wrong.items())
        print(f"not ok - {title}: {told}" if wrong else f"ok - {title}")
    callers = {x["pid"] for x in wanted}
    for e in events:
        if e["kind"] in ("ptrace", "process_vm", "signal") and e["proc"]["pid"] in callers:
            print(f"not ok - nothing else happened: {json.dumps(e)}")


if __name__ == "__main__":
    if sys.argv[1] == "call":
        out = os.open(sys.argv[3], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        call(sys.argv[2])
    else:
        check(sys.argv[2], sys.argv[3])
