#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""files.py call DIR EXPECTED          makes system calls on files and writes down what events they should make
files.py check EXPECTED EVENTS NOTED  compares: prints a case for each call

Each call is made for real, natively by number or as a 32-bit call. What is expected of a path depends on whether
this kernel lets skep hook in where the kernel knows the object of a path (NOTED is 1): then its events carry the
object's path, inode and device; else the path is made from the names.
"""

import ctypes
import fcntl
import json
import mmap
import os
import socket
import struct
import sys
import threading

libc = ctypes.CDLL(None, use_errno=True)
AT_FDCWD, AT_EMPTY_PATH, AT_REMOVEDIR, AT_NOFOLLOW = -100, 0x1000, 0x200, 0x100
MS_BIND, MS_REC, MS_PRIVATE = 0x1000, 0x4000, 1 << 18
NATIVE = dict(
    open=2, dup=32, dup2=33, fcntl=72, truncate=76, ftruncate=77, chdir=80, fchdir=81, rename=82, mkdir=83, rmdir=84,
    creat=85, link=86, unlink=87, symlink=88, chmod=90, fchmod=91, chown=92, fchown=93, lchown=94, setsid=112,
    pivot_root=155, chroot=161, mount=165, umount2=166, pipe=22, openat=257, mkdirat=258, fchownat=260, unlinkat=263,
    renameat=264, linkat=265, symlinkat=266, fchmodat=268, dup3=292, pipe2=293, name_to_handle_at=303,
    open_by_handle_at=304, renameat2=316, memfd_create=319, open_tree=428, move_mount=429, fsopen=430, openat2=437,
    fchmodat2=452)
COMPAT = dict(
    open=5, link=9, unlink=10, chdir=12, chmod=15, lchown=16, mount=21, umount=22, rename=38, mkdir=39, rmdir=40,
    dup=41, pipe=42, umount2=52, fcntl=55, dup2=63, symlink=83, truncate=92, ftruncate=93, fchmod=94, fchown=95,
    chown=182, truncate64=193, ftruncate64=194, lchown32=198, chown32=212, fchown32=207, fcntl64=221, unlinkat=301)

expected = []


# ---- calls ----


def native(name, *args):
    args = [ctypes.c_long(a) if isinstance(a, int) else ctypes.c_char_p(a) if isinstance(a, bytes) else a for a in args]
    ctypes.set_errno(0)
    ret = libc.syscall(ctypes.c_long(NATIVE[name]), *args)
    return ret if ret != -1 or ctypes.get_errno() == 0 else -ctypes.get_errno()


class Gate:
    """int 0x80 from a 64-bit process, with memory that a 32-bit pointer reaches."""

    CODE = bytes.fromhex("5355" "4889f8" "8b5f04" "8b4f08" "8b570c" "8b7710" "8b6f18" "8b00" "8b7f14" "cd80" "5d5b4898c3")

    def __init__(self):
        libc.mmap.restype = ctypes.c_void_p
        libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t] + [ctypes.c_int] * 3 + [ctypes.c_long]
        self.at = libc.mmap(None, 65536, 7, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x40, -1, 0)
        ctypes.memmove(self.at, self.CODE, len(self.CODE))
        self.call = ctypes.CFUNCTYPE(ctypes.c_long, ctypes.c_void_p)(self.at)

    def __call__(self, name, *args):
        at, values = self.at + 4096, [COMPAT[name]]
        for a in args:
            if isinstance(a, bytes):
                ctypes.memmove(at, a + b"\0", len(a) + 1)
                values.append(at)
                at += len(a) + 1
            else:
                values.append(a & 0xFFFFFFFF)
        values += [0] * (7 - len(values))
        ctypes.memmove(self.at + 2048, struct.pack("7I", *values), 28)
        return self.call(self.at + 2048)


def ids(path, follow=True):
    s = os.stat(path) if follow else os.lstat(path)
    return s.st_ino, f"{os.major(s.st_dev)}:{os.minor(s.st_dev)}"


def expect(call, kind, ret, by=None, path=None, named=None, at=None, compat=False, **fields):
    """by: object, lexical, or noted (object where hooks work, else lexical); path: the canonical one; named: the
    one made from names, where it differs; at: inode and device of the object."""
    error = -ret if isinstance(ret, int) and ret < 0 else None
    expected.append(dict(
        call=call, kind=kind, ret=ret, error=error, by=by, path=path, named=named or path, at=at, compat=compat,
        pid=os.getpid(), tid=threading.get_native_id(), fields=fields))


def expect_none(call, kind, **fields):
    expected.append(dict(call=call, kind=kind, none=True, pid=os.getpid(), fields=fields))


def do(name, kind, args, gate=None, **want):
    ret = gate(name, *args) if gate else native(name, *args)
    raw = [a.decode("utf-8", "surrogateescape") for a in args if isinstance(a, bytes)]
    for member in want.pop("raw", ("raw_path",)):
        want[member] = raw.pop(0)
    expect(name, kind, ret, compat=gate is not None, **want)
    return ret


def write_expected():
    for e in expected:
        os.write(out, (json.dumps(e) + "\n").encode())


def in_child(function):
    pid = os.fork()
    if pid == 0:
        expected.clear()
        status = 1
        try:
            function()
            write_expected()
            status = 0
        finally:
            os._exit(status)
    if os.waitpid(pid, 0)[1]:
        raise RuntimeError(f"{function.__name__} failed")


# ---- what is called ----


def names(top, gate=None):
    """One path: each call once, and ways to fail."""
    c = gate or native
    d = top + ("/names32" if gate else "/names")
    b = d.encode()
    do("mkdir", "mkdir", (b, 0o750), gate, by="noted", path=d, at="later", mode="0750", dirfd="AT_FDCWD")
    expected[-1]["at"] = ids(d)
    os.mkdir(d + "/real")
    os.symlink("real", d + "/alias")
    fd = os.open(d, os.O_RDONLY)
    os.chdir(d)

    # a symbolic link on the way: the object knows better than the name
    do("mkdir", "mkdir", (b + b"/alias//./sub", 0o700), gate, by="noted", path=d + "/real/sub",
       named=d + "/alias/sub", at="later")
    expected[-1]["at"] = ids(d + "/real/sub")
    do("mkdir", "mkdir", (b"real/../real/sub", 0o700), gate, by="lexical", path=d + "/real/sub")  # EEXIST
    open("real/sub/inside", "w").close()
    do("rmdir", "rmdir", (b"alias/sub",), gate, by="noted", path=d + "/real/sub", named=d + "/alias/sub",
       at=ids("real/sub"), flags="")  # ENOTEMPTY
    at = ids("real/sub/inside")
    do("unlink", "unlink", (b"alias/sub/inside",), gate, by="noted", path=d + "/real/sub/inside",
       named=d + "/alias/sub/inside", at=at)
    do("unlink", "unlink", (b"alias/sub/inside",), gate, by="lexical", path=d + "/alias/sub/inside")  # ENOENT
    at = ids("real/sub")
    do("rmdir", "rmdir", (b"real/sub",), gate, by="noted", path=d + "/real/sub", at=at, dirfd="AT_FDCWD")

    open("f", "w").close()
    at = ids("f")
    do("chmod", "chmod", (b"f", 0o4711), gate, by="noted", path=d + "/f", at=at, mode="4711")
    f = os.open("f", os.O_RDWR)
    do("fchmod", "chmod", (f, 0o600), gate, raw=(), by="object", path=d + "/f", at=at, mode="0600", dirfd=f,
       raw_path=None)
    do("truncate", "truncate", (b"f", 4097), gate, by="noted", path=d + "/f", at=at, length=4097)
    do("ftruncate", "truncate", (f, 10), gate, raw=(), by="object", path=d + "/f", at=at, length=10, dirfd=f)
    do("chown", "chown", (b"f", 12, 34), gate, by="noted", path=d + "/f", at=at, owner=12, group=34)
    do("fchown", "chown", (f, -1, 35), gate, raw=(), by="object", path=d + "/f", at=at, owner=None, group=35)
    link_at = ids("alias", False)
    do("lchown", "chown", (b"alias", 1, -1), gate, by="noted", path=d + "/alias", at=link_at, owner=1, group=None,
       flags="AT_SYMLINK_NOFOLLOW")
    do("chmod", "chmod", (b"missing", 0o600), gate, by="lexical", path=d + "/missing")
    do("symlink", "symlink", (b"../what it//says", b"s"), gate, raw=("target", "raw_path"), by="noted", path=d + "/s",
       at="later", dirfd="AT_FDCWD")
    expected[-1]["at"] = ids("s", False)
    at = ids("f")
    do("rename", "rename", (b"f", b"alias/g"), gate, raw=("raw_path", "raw_target"), by="noted", path=d + "/f", at=at,
       target=[d + "/real/g", d + "/alias/g"], flags="")
    if gate:
        at = ids("s", False)
        do("unlinkat", "unlink", (fd, b"s", 0), gate, by="noted", path=d + "/s", at=at, dirfd=fd, flags="")
        do("unlinkat", "rmdir", (fd, b"missing", AT_REMOVEDIR), gate, by="lexical", path=d + "/missing", dirfd=fd,
           flags="AT_REMOVEDIR")
        at = ids("real/g")
        do("truncate64", "truncate", (b"real/g", 5, 1), gate, by="noted", path=d + "/real/g", at=at, length=(1 << 32) + 5)
        do("ftruncate64", "truncate", (f, 7, 0), gate, raw=(), by="object", path=d + "/real/g", at=at, length=7)
        do("truncate", "truncate", (b"real/g", -1), gate, by="lexical", path=d + "/real/g", length=(1 << 64) - 1)  # EINVAL
        do("chown32", "chown", (b"real/g", 70000, -1), gate, by="noted", path=d + "/real/g", at=at, owner=70000, group=None)
        do("lchown32", "chown", (b"real/g", 70001, 5), gate, by="noted", path=d + "/real/g", at=at, owner=70001, group=5,
           flags="AT_SYMLINK_NOFOLLOW")
        do("fchown32", "chown", (f, 3, 4), gate, raw=(), by="object", path=d + "/real/g", at=at, owner=3, group=4)
        do("open", "open", (b"real/g", os.O_RDONLY), gate, by="object", path=d + "/real/g", at=at)
        do("link", "link", (b"real/g", b"h"), gate, raw=("raw_path", "raw_target"), by="noted", path=d + "/real/g", at=at,
           target=[d + "/h", d + "/h"])
        os.close(f)
        return
    os.unlink("s")

    do("mkdirat", "mkdir", (fd, b"at", 0o711), by="noted", path=d + "/at", mode="0711", dirfd=fd, at="later")
    expected[-1]["at"] = ids("at")
    at = ids("at")
    do("unlinkat", "rmdir", (fd, b"at", AT_REMOVEDIR), by="noted", path=d + "/at", at=at, flags="AT_REMOVEDIR", dirfd=fd)
    do("unlinkat", "unlink", (9999, b"at", 0), by=None, path=None, dirfd=9999)  # EBADF: nothing is known
    do("unlinkat", "unlink", (fd, b"", 0), by=None, path=None)  # ENOENT
    at = ids("real/g")
    do("fchmodat", "chmod", (fd, b"real/g", 0o640), by="noted", path=d + "/real/g", at=at, mode="0640", dirfd=fd)
    ret = native("fchmodat2", f, b"", 0o604, AT_EMPTY_PATH)  # since Linux 6.6
    expect("fchmodat2", "chmod", ret, by="object", path=d + "/real/g", at=at, mode="0604", dirfd=f,
           flags="AT_EMPTY_PATH", raw_path="")
    do("fchownat", "chown", (f, b"", 1, 2, AT_EMPTY_PATH), by="object", path=d + "/real/g", at=at, owner=1, group=2)
    do("fchownat", "chown", (fd, b"alias", 1, 2, AT_NOFOLLOW), by="noted", path=d + "/alias", at=ids("alias", False),
       flags="AT_SYMLINK_NOFOLLOW")
    do("symlinkat", "symlink", (b"/x", fd, b"s2"), raw=("target", "raw_path"), by="noted", path=d + "/s2", dirfd=fd,
       at="later")
    expected[-1]["at"] = ids("s2", False)
    do("link", "link", (b"real/g", b"h"), raw=("raw_path", "raw_target"), by="noted", path=d + "/real/g", at=at,
       target=[d + "/h", d + "/h"])
    do("linkat", "link", (f, b"", fd, b"h2", AT_EMPTY_PATH), raw=("raw_path", "raw_target"), by="noted",
       path=d + "/real/g", at=at, target=[d + "/h2", d + "/h2"], flags="AT_EMPTY_PATH")
    expected[-1]["object_anyway"] = True
    do("renameat", "rename", (fd, b"h", fd, b"h3"), raw=("raw_path", "raw_target"), by="noted", path=d + "/h", at=at,
       target=[d + "/h3", d + "/h3"], dirfd=fd, target_dirfd=fd)
    do("renameat2", "rename", (fd, b"h3", AT_FDCWD, b"h2", 1), raw=("raw_path", "raw_target"), by="lexical",
       path=d + "/h3", target=[d + "/h2", d + "/h2"], flags="RENAME_NOREPLACE")  # EEXIST
    os.unlink("real/g")
    do("fchmod", "chmod", (f, 0o600), raw=(), by="object", path=d + "/real/g", at=at)
    os.close(f)
    os.close(fd)


def opens(top):
    d = top + "/opens"
    os.mkdir(d)
    os.chdir(d)
    fd = os.open(".", os.O_RDONLY)
    new = do("openat", "open", (fd, b".//new", os.O_RDWR | os.O_CREAT, 0o640), by="object", path=d + "/new", at="later",
             created=True, dirfd=fd, mode="0640")
    expected[-1]["at"] = ids("new")
    at = ids("new")
    do("open", "open", (b"../opens/new", os.O_RDONLY), by="object", path=d + "/new", at=at, created=False)
    do("creat", "open", (b"new", 0o600), by="object", path=d + "/new", at=at, flags="O_WRONLY|O_CREAT|O_TRUNC")
    how = struct.pack("QQQ", os.O_RDONLY | os.O_CLOEXEC, 0, 8)
    do("openat2", "open", (AT_FDCWD, b"new", ctypes.create_string_buffer(how, 24), 24), by="object", path=d + "/new", at=at,
       flags="O_RDONLY|O_CLOEXEC")
    how = ctypes.create_string_buffer(struct.pack("QQQ", os.O_RDONLY, 0, 0x10), 24)  # RESOLVE_IN_ROOT
    do("openat2", "open", (fd, b"/new", how, 24), by="object", path=d + "/new", at=at)
    do("openat2", "open", (fd, b"/etc/shadow", how, 24), by="lexical", path=d + "/etc/shadow", dirfd=fd)
    do("open", "open", (b"../nowhere/./x", os.O_RDONLY), by="lexical", path=top + "/nowhere/x")
    do("open", "open", (b"/" + b"y" * 300, os.O_RDONLY), by="lexical", path="/" + "y" * 300)  # ENAMETOOLONG
    native("open", ctypes.c_void_p(8), 0)
    expect("open", "open", -14, by=None, path=None, raw_path=None)  # EFAULT
    os.mkdir(b"bad\xff\xfename")
    do("open", "open", (b"bad\xff\xfename", os.O_RDONLY), raw=(), by="object", path=None)
    expected[-1]["any_path"] = True
    deep = d
    for i in range(40):
        deep += "/" + chr(97 + i % 26) * 80
        os.mkdir(deep)
    os.chdir(deep)
    do("open", "open", (b".", os.O_RDONLY), by="object", path=deep, at=ids("."))
    os.chdir(d)
    os.unlink("new")
    do("open", "open", (b"/proc/self/fd/%d" % new, os.O_RDONLY), by="object", path=d + "/new", at=at)  # deleted
    handle = ctypes.create_string_buffer(struct.pack("Ii", 128, 0) + bytes(128), 136)
    mount_id = ctypes.c_int()
    open("handle", "w").close()
    if native("name_to_handle_at", AT_FDCWD, b"handle", handle, ctypes.byref(mount_id), 0) == 0:
        do("open_by_handle_at", "open", (fd, handle, os.O_RDONLY), by="object", raw=(), path=d + "/handle",
           at=ids("handle"), raw_path=None, dirfd=fd)


def mounts(top):
    t = top + "/mounts"
    os.mkdir(t)
    os.chdir(t)
    os.mkdir("a")
    os.mkdir("b")
    os.symlink("a", "la")
    at = ids("a")
    do("mount", "mount", (b"thing", b"la", b"tmpfs", 6, b"size=1M,mode=700"), raw=("source", "raw_path", "fstype", "options"),
       by="noted", path=t + "/a", named=t + "/la", at=at, flags="MS_NOSUID|MS_NODEV")
    os.mkdir("a/in")
    do("mount", "mount", (b"a/in", b"b", 0, MS_BIND, 0), raw=("source", "raw_path"), by="noted", path=t + "/b",
       at=ids("b"), flags="MS_BIND", fstype=None, options=None)
    at = ids("b")
    do("open", "open", (b"b", os.O_RDONLY), by="object", path=t + "/b", at=at)
    os.close(expected[-1]["ret"])
    do("umount2", "umount", (b"b", 2), by="noted", path=t + "/b", at=at, flags="MNT_DETACH")
    do("umount2", "umount", (b"b", 8), by="lexical", path=t + "/b", flags="UMOUNT_NOFOLLOW")  # EINVAL
    do("mount", "mount", (b"x", b"b", b"nosuchfs", 0, 0), raw=("source", "raw_path", "fstype"), by="noted", path=t + "/b",
       at=ids("b"))  # ENODEV, asked for after the hook
    do("fsopen", "fsopen", (b"tmpfs", 1), raw=("fstype",), flags="FSOPEN_CLOEXEC")
    do("fsopen", "fsopen", (b"nosuchfs", 0), raw=("fstype",))
    tree = native("open_tree", AT_FDCWD, b"a/in", 1)
    at = ids("a/in")
    do("move_mount", "move_mount", (tree, b"", AT_FDCWD, b"b", 4), raw=("raw_path", "raw_target"), by="noted", path="/",
       at=at, target=[t + "/b", t + "/b"], flags="MOVE_MOUNT_F_EMPTY_PATH")
    expected[-1]["object_anyway"] = True
    expected[-1]["any_path"] = True  # where a mount is that is attached nowhere differs between kernels

    gate = Gate()
    do("umount", "umount", (b"b",), gate, by="noted", path=t + "/b", at=at, flags="")
    at = ids("b")
    do("mount", "mount", (b"32", b"b", b"tmpfs", 0, b""), gate, raw=("source", "raw_path", "fstype", "options"), by="noted",
       path=t + "/b", at=at)
    do("umount2", "umount", (b"b", 0), gate, by="noted", path=t + "/b", at=ids("b"))


def roots(top):
    """In a child: its root changes."""
    r = top + "/root"
    os.mkdir(r)
    os.mkdir(r + "/inner")
    at = ids(r)
    os.chdir(top)
    do("chroot", "chroot", (b"missing",), by="lexical", path=top + "/missing")
    do("chroot", "chroot", (b"./root",), by="object", path=r, at=at)
    do("open", "open", (b"/inner", os.O_RDONLY), by="object", path="/inner", at=ids("/inner"))
    # beyond the root: as the mount namespace sees it
    do("open", "open", (b".", os.O_RDONLY), by="object", path=top, at=ids("."))
    do("chdir", "chdir", (b"/inner/..//inner",), raw=("raw_path",), path="/inner")
    do("chroot", "chroot", (b".",), by="object", path=r + "/inner", at=ids("."))


def pivot(top):
    libc.unshare(0x20000)
    libc.mount(None, b"/", None, MS_REC | MS_PRIVATE, None)
    r = top + "/newroot"
    os.mkdir(r)
    libc.mount(b"none", r.encode(), b"tmpfs", 0, None)
    os.mkdir(r + "/old")
    at = ids(r)
    do("pivot_root", "pivot_root", (r.encode(), r.encode() + b"/missing"), raw=("raw_path", "raw_target"), by="lexical",
       path=r, target=[r + "/missing"] * 2)
    ret = native("pivot_root", r.encode(), r.encode() + b"/old")
    expect("pivot_root", "pivot_root", ret, by="noted", path=r, target=[r + "/old"] * 2, at=at)


def directories(top):
    d = top + "/dirs"
    os.mkdir(d)
    os.symlink("dirs", top + "/dl")
    do("chdir", "chdir", (top.encode() + b"/dl",), path=d, syscall="chdir")
    native("chdir", b"nowhere")
    expect_none("chdir that fails", "chdir", raw_path="nowhere")
    fd = os.open(top, os.O_RDONLY)
    do("fchdir", "chdir", (fd,), raw=(), path=top, raw_path=None)
    Gate()("chdir", b"dl")
    expect("chdir", "chdir", 0, path=d, raw_path="dl", compat=True)

    def session():
        ret = native("setsid")
        expect("setsid", "setsid", ret, session=os.getpid())
        native("setsid")

    in_child(session)

    def thread():
        os.chdir(top)
        do("mkdir", "mkdir", (b"by-thread", 0o700), by="noted", path=top + "/by-thread", at="later")
        expected[-1]["at"] = ids("by-thread")

    t = threading.Thread(target=thread)
    t.start()
    t.join()


def descriptors(top):
    """In a child: it gives its standard descriptors away."""
    path = top + "/out"
    f = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    r, w = os.pipe()
    ino = os.fstat(r).st_ino
    null = os.open("/dev/null", os.O_RDWR)
    event = libc.eventfd(0, 0)
    gate = Gate()

    def dup(name, old, new, kind, text, *more, how=None):
        ret = (how or native)(name, old, *more)
        assert ret == new, (name, ret, new)
        expect(name, "dup", ret, compat=how is not None, oldfd=old, newfd=new, fd={"num": new, "kind": kind, "name": text})

    dup("dup2", f, 1, "file", path, 1)
    os.unlink(path)
    dup("dup2", f, 1, "file", path, 1)
    dup("dup3", w, 1, "pipe", f"pipe:[{ino}]", 1, os.O_CLOEXEC)
    dup("dup2", null, 0, "char", "/dev/null", 0)
    dup("dup2", event, 0, "anon", "anon_inode:[eventfd]", 0)
    os.close(0)
    dup("dup", w, 0, "pipe", f"pipe:[{ino}]")
    os.close(0)
    dup("fcntl", r, 0, "pipe", f"pipe:[{ino}]", fcntl.F_DUPFD, 0)
    os.close(0)
    dup("fcntl", null, 0, "char", "/dev/null", 1030, 0)
    d = os.open(top, os.O_RDONLY)
    dup("dup2", d, 0, "dir", top, 0)
    s = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    dup("dup2", s.fileno(), 0, "socket", f"socket:[{os.fstat(s.fileno()).st_ino}]", 0)
    memfd = native("memfd_create", b"a name", 3)
    expect("memfd_create", "memfd_create", memfd, name="a name", at=ids(f"/proc/self/fd/{memfd}"),
           flags="MFD_CLOEXEC|MFD_ALLOW_SEALING")
    dup("dup2", memfd, 0, "memfd", "memfd:a name", 0)
    ret = native("memfd_create", b"n" * 300, 0)
    expect("memfd_create", "memfd_create", ret, name="n" * 300)
    ns = os.open("/proc/self/ns/uts", os.O_RDONLY)
    dup("dup2", ns, 0, "file", os.readlink("/proc/self/ns/uts"), 0)
    os.mkfifo(top + "/fifo")
    fifo = os.open(top + "/fifo", os.O_RDWR)
    dup("dup2", fifo, 0, "fifo", top + "/fifo", 0)
    if hasattr(os, "pidfd_open"):
        dup("dup2", os.pidfd_open(os.getpid()), 0, "anon", "anon_inode:[pidfd]", 0)
    dup("dup2", null, 0, "char", "/dev/null", 0, how=gate)
    os.close(0)
    dup("fcntl64", f, 0, "file", path, 0, 0, how=gate)

    native("dup2", 1, 1)
    native("dup2", null, 100)
    native("dup2", 9999, 1)
    native("fcntl", 0, fcntl.F_GETFD)
    expect_none("calls that duplicate nothing onto 0, 1 or 2", "dup", oldfd=1, newfd=1)
    expect_none("dup2 elsewhere", "dup", newfd=100)

    fds = (ctypes.c_int * 2)()
    ret = native("pipe2", fds, os.O_CLOEXEC | os.O_NONBLOCK)
    expect("pipe2", "pipe", ret, readfd=fds[0], writefd=fds[1], inode=os.fstat(fds[0]).st_ino, flags="O_RDONLY|O_NONBLOCK|O_CLOEXEC")
    ret = native("pipe", fds)
    expect("pipe", "pipe", ret, readfd=fds[0], writefd=fds[1], inode=os.fstat(fds[0]).st_ino)
    ret = native("pipe", ctypes.c_void_p(8))
    expect("pipe", "pipe", ret, readfd=-1, writefd=-1, inode=None)


def call(top):
    libc.unshare(0x20000)
    libc.mount(None, b"/", None, MS_REC | MS_PRIVATE, None)
    # a file system of our own: inode numbers that mean the same to everybody
    if libc.mount(b"none", top.encode(), b"tmpfs", 0, None) != 0:
        sys.exit("cannot mount a tmpfs")
    names(top)
    names(top, Gate())
    opens(top)
    mounts(top)
    in_child(lambda: roots(top))
    in_child(lambda: pivot(top))
    directories(top)
    in_child(lambda: descriptors(top))
    write_expected()


# ---- comparing ----


def differences(e, x, noted):
    want = dict(x["fields"])
    by = x["by"]
    if by == "noted":
        by = "object" if noted else "lexical"
    objects = by == "object"
    want["ret"] = x["ret"]
    if "path" in e:
        want["path"] = x["path"] if objects or by is None else x["named"]
    if x.get("any_path"):
        want.pop("path")
    if "path_source" in e:
        want["path_source"] = by
    if isinstance(want.get("target"), list):
        want["target"] = want["target"][0 if objects else 1]
    if "inode" in e and "inode" not in want:
        known = x["at"] and (objects or by is None or x.get("object_anyway"))
        if x["at"] or not objects:
            want["inode"], want["dev"] = x["at"] if known else (None, None)
    return {k: (e.get(k), v) for k, v in want.items() if e.get(k) != v}


def same_call(e, x):
    return (e["kind"] == x["kind"] and e["proc"]["pid"] == x["pid"] and e.get("syscall", "").split()[0] == x["call"]
            and e["ret"] == x["ret"])


def check(expected_path, events_path, noted):
    with open(events_path, encoding="utf-8", errors="surrogateescape") as f:
        events = [e for e in map(json.loads, f) if "proc" in e]
    with open(expected_path, encoding="utf-8") as f:
        wanted = [json.loads(line) for line in f]
    for x in wanted:
        title = f"{x['call']} {'(32-bit) ' if x.get('compat') else ''}{x['fields'].get('raw_path') or x['fields'].get('name') or ''}"
        title = title[:60].strip()
        if x.get("none"):
            found = [e for e in events if e["kind"] == x["kind"] and e["proc"]["pid"] == x["pid"] and
                     all(e.get(k) == v for k, v in x["fields"].items())]
            print(f"not ok - {title}: {found[0]}" if found else f"ok - {title} makes no event")
            continue
        alike = [e for e in events if same_call(e, x)]
        best = min(alike, key=lambda e: len(differences(e, x, noted)), default=None)
        if best is None:
            print(f"not ok - {title}: no such event")
            continue
        wrong = differences(best, x, noted)
        if best["proc"]["tid"] != x["tid"]:
            wrong["tid"] = (best["proc"]["tid"], x["tid"])
        events.remove(best)
        told = ", ".join(f"{k} is {have!r} instead of {want!r}" for k, (have, want) in wrong.items())
        print(f"not ok - {title}: {told}" if wrong else f"ok - {title}{' fails' if x['error'] else ''}")


if __name__ == "__main__":
    if sys.argv[1] == "call":
        out = os.open(sys.argv[3], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        call(sys.argv[2])
    else:
        check(sys.argv[2], sys.argv[3], sys.argv[4] == "1")
