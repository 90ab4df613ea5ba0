# SPDX-License-Identifier: Apache-2.0
"""net.py WHAT [ARGS]: does things with sockets that the network test looks for, inside this machine only."""
import ctypes
import fcntl
import mmap
import os
import socket
import struct
import sys
import time

LIBC = ctypes.CDLL(None, use_errno=True)


def lo_up():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        fcntl.ioctl(s, 0x8914, struct.pack("16sh22x", b"lo", 0x49))  # SIOCSIFFLAGS: up, loopback, running
    wait_ip6()


def wait_ip6():
    for _ in range(200):
        try:
            with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as s:
                s.bind(("::1", 0))
            return
        except OSError:
            time.sleep(0.05)
    raise SystemExit("no ::1")


def serve_in_child(listener):
    """A child accepts one connection, reads to the end and answers with 1000 bytes."""
    pid = os.fork()
    if pid:
        return pid
    c, _ = listener.accept()
    listener.close()
    while c.recv(4096):
        pass
    c.sendall(b"y" * 1000)
    c.close()
    os._exit(0)


def tcp_exchange(family, address, bind_to=None):
    listener = socket.socket(family)
    listener.bind((address if bind_to is None else bind_to, 0))
    listener.listen(7)
    child = serve_in_child(listener)
    s = socket.socket(family)
    s.connect((address, listener.getsockname()[1]))
    s.sendall(b"x" * 50)
    s.shutdown(socket.SHUT_WR)
    n = 0
    while True:
        got = s.recv(4096)
        if not got:
            break
        n += len(got)
    assert n == 1000
    print("tcp", address, os.getpid(), child, s.getsockname()[1], listener.getsockname()[1], flush=True)
    s.close()
    listener.close()
    os.waitpid(child, 0)


def tcp():
    tcp_exchange(socket.AF_INET, "127.0.0.1")
    tcp_exchange(socket.AF_INET6, "::1")
    tcp_exchange(socket.AF_INET6, "::ffff:127.0.0.1", "::")


def failures():
    for blocking in (True, False):
        s = socket.socket()
        s.setblocking(blocking)
        try:
            s.connect(("127.0.0.1", 1))
        except (ConnectionRefusedError, BlockingIOError):
            pass
        time.sleep(0.05)
        s.close()
    a, b = socket.socket(), socket.socket()
    a.bind(("127.0.0.1", 7071))
    a.listen()
    for act in (
        lambda: b.bind(("127.0.0.1", 7071)),
        lambda: socket.socket(99, 1, 0),
        lambda: socket.socket(socket.AF_UNIX).connect("/nonexistent/socket"),
        lambda: socket.socket(socket.AF_UNIX).connect("\0nobody-there"),
    ):
        try:
            act()
        except OSError:
            continue
        raise SystemExit("that should have failed")
    a.setblocking(False)
    try:
        a.accept()
    except BlockingIOError:
        pass
    # not a socket, and no descriptor at all
    address = struct.pack("=HH4s8x", socket.AF_INET, socket.htons(9), bytes([127, 0, 0, 1]))
    LIBC.connect(0, address, 16)
    LIBC.connect(-1, address, 16)
    # an address that cannot be read, and one that is too long
    u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    LIBC.connect(u.fileno(), ctypes.c_void_p(8), 16)
    LIBC.connect(u.fileno(), address, 0x7FFFFFFF)


class Iovec(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("len", ctypes.c_size_t)]


class Msghdr(ctypes.Structure):
    _fields_ = [
        ("name", ctypes.c_void_p),
        ("namelen", ctypes.c_uint),
        ("iov", ctypes.POINTER(Iovec)),
        ("iovlen", ctypes.c_size_t),
        ("control", ctypes.c_void_p),
        ("controllen", ctypes.c_size_t),
        ("flags", ctypes.c_int),
    ]


class Mmsghdr(ctypes.Structure):
    _fields_ = [("hdr", Msghdr), ("len", ctypes.c_uint)]


def messages(datas, name=None, name_size=0):
    """An array of struct mmsghdr, and what must stay alive with it."""
    vec = (Mmsghdr * len(datas))()
    keep = []
    for m, data in zip(vec, datas):
        buffer = ctypes.create_string_buffer(data, len(data))
        iov = Iovec(ctypes.addressof(buffer), len(data))
        room = ctypes.create_string_buffer(name or b"", name_size or len(name))
        m.hdr.name = ctypes.addressof(room)
        m.hdr.namelen = len(room)
        m.hdr.iov = ctypes.pointer(iov)
        m.hdr.iovlen = 1
        keep += [buffer, iov, room]
    return vec, keep


def udp():
    for family, address in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
        here, there = socket.socket(family, socket.SOCK_DGRAM), socket.socket(family, socket.SOCK_DGRAM)
        here.bind((address, 0))
        there.sendto(b"hello", here.getsockname())
        here.recvfrom(100)
        there.sendmsg([b"abc", b"defg"], [], 0, here.getsockname())
        here.recvmsg(100)
        there.connect(here.getsockname())
        there.send(b"names nobody")
        here.recv(100)
        there.close()
        here.close()
    here, there = socket.socket(socket.AF_INET, socket.SOCK_DGRAM), socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    here.bind(("127.0.0.1", 0))
    name = struct.pack("=HH4s8x", socket.AF_INET, socket.htons(here.getsockname()[1]), bytes([127, 0, 0, 1]))
    vec, keep = messages([b"1", b"22", b"333"], name)
    assert LIBC.sendmmsg(there.fileno(), vec, 3, 0) == 3
    vec, keep = messages([bytes(9), bytes(9), bytes(9)], name_size=16)
    assert LIBC.recvmmsg(here.fileno(), vec, 3, 0, None) == 3
    there.connect(here.getsockname())
    vec, keep = messages([b"4444", b"55555"], name)
    vec[0].hdr.name, vec[0].hdr.namelen = None, 0
    assert LIBC.sendmmsg(there.fileno(), vec, 2, 0) == 2


def unix():
    for name in ("relative.sock", "\0skep-abstract"):
        server, client = socket.socket(socket.AF_UNIX), socket.socket(socket.AF_UNIX)
        server.bind(name)
        server.listen(3)
        client.connect(name)
        server.accept()[0].close()
        client.close()
        server.close()
    here, there = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    here.bind("datagram.sock")
    there.bind("\0skep-sender")
    there.sendto(b"zz", "datagram.sock")
    here.recvfrom(10)
    socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0).bind((0, 0))


class Compat:
    """32-bit system calls out of this 64-bit process."""

    CODE = bytes.fromhex("53 89f8 89f3 4189ca 89d1 4489d2 31f6 31ff cd80 5b c3")

    def __init__(self):
        LIBC.mmap.restype = ctypes.c_void_p
        LIBC.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t] + 3 * [ctypes.c_int] + [ctypes.c_long]
        self.low = LIBC.mmap(None, 8192, 7, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x40, -1, 0)
        assert self.low < 1 << 32
        ctypes.memmove(self.low, self.CODE, len(self.CODE))
        self.call = ctypes.CFUNCTYPE(ctypes.c_int, *4 * [ctypes.c_uint])(self.low)

    def put(self, offset, data):
        """Puts data into memory that has a 32-bit address."""
        ctypes.memmove(self.low + 4096 + offset, data, len(data))
        return self.low + 4096 + offset

    def socketcall(self, number, *args):
        # the arguments end where the page does: one byte further would fault
        return self.call(102, number, self.put(4096 - 4 * len(args), struct.pack("=%dI" % len(args), *args)), 0)


def compat():
    c = Compat()
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    name = struct.pack("=HH4s8x", 2, socket.htons(listener.getsockname()[1]), bytes([127, 0, 0, 1]))
    any_port = struct.pack("=HH4s8x", 2, 0, bytes([127, 0, 0, 1]))
    # through socketcall
    fd = c.socketcall(1, 2, 1, 0)
    assert fd >= 0
    assert c.socketcall(3, fd, c.put(0, name), 16) == 0
    server = c.socketcall(1, 2, 1, 0)
    assert c.socketcall(2, server, c.put(0, any_port), 16) == 0
    assert c.socketcall(4, server, 5) == 0
    got = c.socketcall(5, listener.fileno(), 0, 0)
    assert got >= 0
    here = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    here.bind(("127.0.0.1", 0))
    to = struct.pack("=HH4s8x", 2, socket.htons(here.getsockname()[1]), bytes([127, 0, 0, 1]))
    there = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    data = c.put(64, b"socketcall")
    assert c.socketcall(11, there.fileno(), data, 10, 0, c.put(0, to), 16) == 10
    assert c.socketcall(12, here.fileno(), data, 10, 0, c.put(0, bytes(16)), c.put(32, struct.pack("=I", 16))) == 10
    # struct msghdr of 32-bit programs
    iov = c.put(128, struct.pack("=II", data, 7))
    assert c.socketcall(16, there.fileno(), c.put(256, struct.pack("=7I", c.put(0, to), 16, iov, 1, 0, 0, 0)), 0) == 7
    # and struct mmsghdr
    one = struct.pack("=8I", c.put(0, to), 16, iov, 1, 0, 0, 0, 0)
    assert c.call(345, there.fileno(), c.put(256, one + one), 2) == 2  # sendmmsg
    # calls of their own
    fd = c.call(359, 10, 2, 0)
    assert fd >= 0
    assert c.call(362, fd, c.put(0, struct.pack("=HHI16sI", 10, socket.htons(4321), 0, bytes(15) + b"\1", 0)), 28) == 0
    print("compat", os.getpid(), flush=True)


def stdin():
    """What a remote shell does: a connection becomes standard input."""
    listener, s = socket.socket(), socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    s.connect(listener.getsockname())
    c, _ = listener.accept()
    os.dup2(c.fileno(), 0)
    print("stdin", s.getsockname()[1], listener.getsockname()[1], flush=True)


def question(name, ident=0x1234):
    labels = b"".join(bytes([len(x)]) + x.encode() for x in name.split("."))
    return struct.pack("!6H", ident, 0x0100, 1, 0, 0, 0) + labels + struct.pack("!BHH", 0, 1, 1)


def answer(message, padding=0):
    asked = message[12:]
    head = message[:2] + struct.pack("!5H", 0x8180, 1, 1, 0, 0)
    return head + asked + struct.pack("!HHHIH4B", 0xC00C, 1, 1, 60, 4, 192, 0, 2, 7) + bytes(padding)


def dns_server(sockets):
    pid = os.fork()
    if pid:
        return pid
    import select

    while True:
        for s in select.select(sockets, [], [])[0]:
            data, who = s.recvfrom(4096)
            s.sendto(answer(data, 3000 if b"long" in data else 0), who)


def dns():
    lo_up()
    sockets = []
    for family, address in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
        s = socket.socket(family, socket.SOCK_DGRAM)
        s.bind((address, 53))
        sockets.append(s)
    server = dns_server(sockets)
    time.sleep(0.1)
    print("dns", os.getpid(), server, flush=True)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.connect(("127.0.0.1", 53))
        s.send(question("connected.example"))
        s.recv(4096)
        os.write(s.fileno(), question("write.example"))
        os.read(s.fileno(), 4096)
        s.send(question("long.example"))
        s.recv(4096)
        vec, keep = messages([question("many.example"), question("more.example")], name_size=16)
        for m in vec:
            m.hdr.name, m.hdr.namelen = None, 0
        assert LIBC.sendmmsg(s.fileno(), vec, 2, 0) == 2
        s.recv(4096)
        s.recv(4096)
        s.send(b"short")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.sendto(question("unconnected.example"), ("127.0.0.1", 53))
        s.recvfrom(4096)
        s.sendto(question("elsewhere.example"), ("127.0.0.1", 54))
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as s:
        s.sendto(question("six.example"), ("::1", 53))
        s.recvfrom(4096)
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as s:
        # a destination options header of eight bytes in front of UDP
        s.setsockopt(socket.IPPROTO_IPV6, 59, bytes([0, 0, 1, 4, 0, 0, 0, 0]))  # IPV6_DSTOPTS
        s.sendto(question("options.example"), ("::1", 53))
        s.recvfrom(4096)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.setsockopt(socket.IPPROTO_IP, 4, bytes([1, 1, 1, 0]))  # IP_OPTIONS: three no-operations and the end
        s.sendto(question("ip-options.example"), ("127.0.0.1", 53))
        s.recvfrom(4096)
    # multicast DNS: both ports are 5353, only the message tells a question from an answer
    a, b = socket.socket(socket.AF_INET, socket.SOCK_DGRAM), socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    a.bind(("127.0.0.1", 5353))
    b.bind(("127.0.0.2", 5353))
    a.sendto(question("printer.local", 0), ("127.0.0.2", 5353))
    b.sendto(answer(b.recv(4096)), ("127.0.0.1", 5353))
    a.recv(4096)
    os.kill(server, 9)
    os.waitpid(server, 0)


def in_stream(*several):
    """Messages as they stand in a stream, each behind its length."""
    return b"".join(struct.pack("!H", len(m)) + m for m in several)


def dns_tcp_server(listener):
    pid = os.fork()
    if pid:
        return pid
    while True:
        s, _ = listener.accept()
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        stream = s.makefile("rb")
        while head := stream.read(2):
            message = stream.read(*struct.unpack("!H", head))
            if b"split" in message:  # its length alone, and a part of it
                data = in_stream(answer(message))
                for part in (data[:2], data[2:40], data[40:]):
                    s.sendall(part)
                    time.sleep(0.1)
            elif b"halves" in message:  # the length in two parts
                data = in_stream(answer(message))
                for part in (data[:1], data[1:]):
                    s.sendall(part)
                    time.sleep(0.1)
            else:
                s.sendall(in_stream(answer(message, 3000 if b"long" in message else 0)))


def ask_tcp(server, *parts, answers=1):
    with socket.create_connection(server) as s:
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for part in parts:
            s.sendall(part)
            time.sleep(0.1)
        stream = s.makefile("rb")
        for _ in range(answers):
            assert stream.read(*struct.unpack("!H", stream.read(2)))


def dns_tcp():
    lo_up()
    server = ("127.0.0.1", 53)
    listener = socket.create_server(server)
    other = socket.create_server(("127.0.0.1", 54))
    six = socket.create_server(("::1", 53), family=socket.AF_INET6)
    pids = [dns_tcp_server(s) for s in (listener, other, six)]
    print("dns_tcp", os.getpid(), *pids, flush=True)
    ask_tcp(server, in_stream(question("tcp.example")))
    ask_tcp(server, in_stream(question("first.example"), question("second.example"), question("third.example")), answers=3)
    ask_tcp(server, in_stream(question("length.example"))[:2], question("length.example"))
    data = in_stream(question("cut.example"))
    ask_tcp(server, data[:1], data[1:])
    ask_tcp(server, data[:20], data[20:] + in_stream(question("behind.example")), answers=2)
    ask_tcp(server, in_stream(question("split.example")))
    ask_tcp(server, in_stream(question("halves.example")))
    ask_tcp(server, in_stream(question("long.example")))
    ask_tcp(("127.0.0.1", 54), in_stream(question("elsewhere.example")))
    ask_tcp(("::1", 53), in_stream(question("six-tcp.example")))
    for pid in pids:
        os.kill(pid, 9)
        os.waitpid(pid, 0)


def old(fifo):
    """Sockets that are older than skep: says so, waits for a line, uses them."""
    lo_up()
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    port = listener.getsockname()[1]
    one = socket.socket()
    one.connect(("127.0.0.1", port))
    other, _ = listener.accept()
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("127.0.0.1", 53))
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.connect(("127.0.0.1", 53))
    s.send(question("old.example"))
    data, who = server.recvfrom(4096)
    print("old", os.getpid(), port, one.getsockname()[1], flush=True)
    with open(fifo) as f:
        f.readline()
    server.sendto(answer(data), who)
    s.recv(4096)
    one.sendall(b"12345")
    other.recv(5)
    one.close()
    other.recv(5)
    other.close()
    new = socket.socket()
    new.connect(("127.0.0.1", port))
    new.close()
    print("done", flush=True)


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
