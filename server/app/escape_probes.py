# Tries to get out of the jail it runs in, one way at a time, and prints a JSON line for each: what it tried and what the
# kernel said ("EPERM", "exit 1", ...; "escaped" when it worked). argv[1] is JSON with what the server put up to be attacked.
# Each probe runs in a child, so that one that kills or hangs does not end the suite.
import ctypes
import errno
import json
import os
import resource
import signal
import socket
import struct
import sys
import time

T = json.loads(sys.argv[1])
libc = ctypes.CDLL(None, use_errno=True)
TMP = os.environ.get("TMPDIR", "/tmp")
MACHINE = os.uname().machine
# Numbers of system calls that Python has no name for: x86-64 and arm64.
CALLS = {"add_key": (248, 217), "keyctl": (250, 219), "bpf": (321, 280), "userfaultfd": (323, 282), "perf_event_open": (298, 241),
         "ptrace": (101, 117), "process_vm_readv": (310, 270), "kexec_load": (246, 104), "reboot": (169, 142),
         "quotactl": (179, 60), "swapon": (167, 224), "init_module": (175, 105), "personality": (135, 92), "pivot_root": (155, 41),
         "mount": (165, 40), "umount2": (166, 39), "unshare": (272, 97), "setns": (308, 268), "capset": (126, 91), "acct": (163, 89),
         "name_to_handle_at": (303, 264), "open_by_handle_at": (304, 265), "settimeofday": (164, 170), "sethostname": (170, 161),
         "ioprio_set": (251, 30), "syslog": (103, 116), "memfd_create": (319, 279), "clone": (56, 220), "mknodat": (259, 33),
         "io_uring_setup": (425, 425), "pidfd_getfd": (438, 438), "open_tree": (428, 428), "fsopen": (430, 430), "mount_setattr": (442, 442)}


def call(name, *arguments):
    number = CALLS[name][0 if MACHINE == "x86_64" else 1]
    ctypes.set_errno(0)
    # Every argument of a system call is a machine word.
    words = [ctypes.c_long(a) if isinstance(a, int) else ctypes.c_char_p(a) if isinstance(a, bytes) or a is None else a for a in arguments]
    result = libc.syscall(ctypes.c_long(number), *words)
    if result < 0:
        raise OSError(ctypes.get_errno(), name)
    return result


def read(path, most=4096):
    with open(path, "rb") as file:
        return file.read(most)


def connect(family, kind, address):
    with socket.socket(family, kind) as s:
        s.settimeout(2)
        s.connect(address)
        if kind == socket.SOCK_DGRAM:
            s.send(b"x")


def make_socket(family, kind, protocol=0):
    socket.socket(family, kind, protocol).close()


def secret(path):
    if b"s3cret" not in read(path):
        raise OSError(errno.ENOENT, "it is another file")


def resolve():
    try:
        socket.getaddrinfo("example.org", 80)
    except socket.gaierror as error:
        # The resolver says only that it failed; the socket it needs says why.
        make_socket(socket.AF_INET, socket.SOCK_DGRAM)
        raise OSError(errno.ENETUNREACH, str(error)) from None


def write_file(path, data=b"x"):
    with open(path, "wb") as file:
        file.write(data)


def write_anew(path):
    write_file(path)
    os.unlink(path)


def write_back(path):
    write_file(path, read(path))


def run_written_file():
    path = TMP + "/program"
    write_file(path, read("/usr/bin/true", 1 << 20))
    os.chmod(path, 0o755)
    run(path)


def run(path):
    pid = os.posix_spawn(path, [path], {})
    if os.waitpid(pid, 0)[1] != 0:
        raise OSError(errno.EACCES, "it did not run")


def symlink_out():
    os.symlink(T["secret_file"], TMP + "/link")
    secret(TMP + "/link")


def hardlink_out():
    os.link(T["secret_file"], T["secret_file"] + ".hard")


def dots_out():
    secret(TMP + "/" + "../" * 20 + T["secret_file"])


def cwd_of_init():
    # Of the first process inside, or the host's: both would show another root.
    if b"s3cret" not in read(f"/proc/1/root{T['secret_file']}"):
        raise OSError(errno.ENOENT, "nothing there")


def see_processes():
    if os.path.exists(f"/proc/{T['server_pid']}/status") and len([p for p in os.listdir("/proc") if p.isdigit()]) > 6:
        return
    raise OSError(errno.ENOENT, "no process of the host")


def kill(pid):
    if pid != -1:
        os.kill(pid, 0)
        return
    # Everybody: signal 0 only asks, and counts whoever could be met besides this suite.
    if [p for p in os.listdir("/proc") if p.isdigit() and int(p) not in (os.getpid(), os.getppid(), 1)]:
        os.kill(T["server_pid"], 0)
        return
    raise OSError(errno.ESRCH, "nobody but us")


def fork_bomb():
    made = []
    try:
        for _ in range(300):
            pid = os.fork()
            if pid == 0:
                time.sleep(20)
                os._exit(0)
            made.append(pid)
    finally:
        for pid in made:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


def allocate():
    block = ctypes.CDLL(None).mmap
    block.restype = ctypes.c_void_p
    at = block(None, ctypes.c_size_t(2 << 30), 3, 0x22, -1, 0)
    if at in (None, ctypes.c_void_p(-1).value):
        raise OSError(errno.ENOMEM, "mmap")
    for offset in range(0, 2 << 30, 4096):
        ctypes.memset(at + offset, 1, 1)


def fill_tmp():
    for number in range(64):
        write_file(os.path.join(TMP, f"fill{number}"), b"\0" * (4 << 20))


def large_file():
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    with open(os.path.join(TMP, "large"), "wb") as file:
        file.truncate(8 << 30)


def flood_descriptors():
    for _ in range(5000):
        os.dup(0)


def spin():
    until = time.monotonic() + 20
    while time.monotonic() < until:
        pass


def dump_core():
    # A crash that may leave an image of memory behind.
    if resource.getrlimit(resource.RLIMIT_CORE)[1] == 0:
        raise OSError(errno.EPERM, "the limit is 0")
    resource.setrlimit(resource.RLIMIT_CORE, (1 << 20, resource.getrlimit(resource.RLIMIT_CORE)[1]))


def raise_limit():
    resource.setrlimit(resource.RLIMIT_NOFILE, (1 << 20, 1 << 20))


def nice():
    os.nice(-5)


def realtime():
    os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(10))


def device(path):
    descriptor = os.open(path, os.O_RDONLY)
    os.close(descriptor)


def handle():
    buffer = ctypes.create_string_buffer(struct.pack("Ii", 128, 0) + bytes(128))
    call("name_to_handle_at", -100, b"/", buffer, ctypes.byref(ctypes.c_int()), 0)


def memory_of(pid):
    local = (ctypes.c_size_t * 2)(ctypes.addressof(ctypes.create_string_buffer(8)), 8)
    call("process_vm_readv", pid, local, 1, local, 1, 0)


def anonymous_program():
    descriptor = call("memfd_create", b"x", 0)
    os.write(descriptor, read("/usr/bin/true", 1 << 20))
    run(f"/proc/self/fd/{descriptor}")


def capabilities():
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    call("capset", header, (ctypes.c_uint32 * 6)(*[0xFFFFFFFF] * 6))
    if "0000000000000000" in read("/proc/self/status").decode().split("CapEff:")[1].split()[0]:
        raise OSError(errno.EPERM, "there is none to take")


def environment_of_server():
    if b"FLOWPILOT_PROBE_SECRET" not in read(f"/proc/{T['server_pid']}/environ", 1 << 20):
        raise OSError(errno.ENOENT, "nothing there")


def own_environment():
    if "FLOWPILOT_PROBE_SECRET" not in os.environ:
        raise OSError(errno.ENOENT, "not here")


def is_open(descriptor):
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True


INHERITED = [descriptor for descriptor in range(3, 256) if is_open(descriptor)]


def inherited_descriptors():
    if not INHERITED:
        raise OSError(errno.EBADF, "none")


def mount_and_unmount():
    call("mount", b"none", T["mount_point"].encode(), b"tmpfs", 0, None)
    call("umount2", T["mount_point"].encode(), 0)


def setuid_program():
    for path in ("/usr/bin/su", "/bin/su", "/usr/bin/mount", "/usr/bin/passwd"):
        try:
            if os.stat(path).st_mode & 0o4000 and "NoNewPrivs:\t0" in read("/proc/self/status").decode():
                return
        except FileNotFoundError:
            pass
    raise OSError(errno.EPERM, "no program gives rights")


NEW = {"user": 0x10000000, "pid": 0x20000000, "net": 0x40000000, "mount": 0x00020000}
# name: (what to try, the answers that mean it failed)
NONE = ("ENOENT", "EACCES")
PROBES = {
    "read /etc/shadow": (lambda: read("/etc/shadow"), NONE),
    "read the data directory": (lambda: secret(T["secret_file"]), NONE),
    "read a home directory": (lambda: os.listdir("/root"), NONE),
    "read the tmp of another slot": (lambda: secret(T["other_tmp"]), NONE),
    "read the server's environment": (environment_of_server, ("ENOENT", "EACCES", "EPERM", "ESRCH")),
    "have the server's environment": (own_environment, ("ENOENT",)),
    "have a descriptor of the server": (inherited_descriptors, ("EBADF",)),
    "see processes of the host": (see_processes, ("ENOENT", "EACCES")),
    "leave by ..": (dots_out, NONE),
    "leave by a symbolic link": (symlink_out, NONE),
    "leave by a hard link": (hardlink_out, ("EXDEV", "EPERM", "EACCES", "ENOENT")),
    "leave by /proc/1/root": (cwd_of_init, ("ENOENT", "EACCES", "EPERM")),
    "read the memory of pid 1": (lambda: os.close(os.open("/proc/1/mem", os.O_RDONLY)), ("ENOENT", "EACCES", "EPERM")),
    "read /proc/kcore": (lambda: device("/proc/kcore"), ("ENOENT", "EACCES", "EPERM")),
    "write /proc/sys": (lambda: write_back("/proc/sys/kernel/core_pattern"), ("ENOENT", "EACCES", "EPERM", "EROFS")),
    "write /sys": (lambda: write_back("/sys/kernel/mm/transparent_hugepage/enabled"), ("ENOENT", "EACCES", "EPERM", "EROFS")),
    "open /dev/mem": (lambda: device("/dev/mem"), ("ENOENT", "EACCES", "EPERM")),
    "open a disk": (lambda: device(T["disk"]), ("ENOENT", "EACCES", "EPERM")),
    "write /usr": (lambda: write_anew("/usr/bin/flowpilot-escape-probe"), ("EROFS", "EACCES", "EPERM")),
    "write /etc": (lambda: write_anew("/etc/flowpilot-escape-probe"), ("EROFS", "EACCES", "EPERM")),
    "run a file it wrote": (run_written_file, ("EACCES", "EPERM")),
    "run a program in memory": (anonymous_program, ("EPERM", "EACCES")),
    "make a device": (lambda: call("mknodat", -100, TMP.encode() + b"/device", 0o20666, 0x103), ("EPERM", "EACCES")),
    "connect over TCP": (lambda: connect(socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", T["tcp_port"])), ("EPERM", "ENETUNREACH", "EACCES")),
    "send over UDP": (lambda: connect(socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", T["udp_port"])), ("EPERM", "ENETUNREACH", "EACCES")),
    "connect over IPv6": (lambda: make_socket(socket.AF_INET6, socket.SOCK_STREAM), ("EPERM", "EAFNOSUPPORT")),
    "connect to a unix socket": (lambda: connect(socket.AF_UNIX, socket.SOCK_STREAM, T["unix_socket"]), ("ENOENT", "EACCES")),
    "connect to an abstract socket": (lambda: connect(socket.AF_UNIX, socket.SOCK_STREAM, "\0" + T["abstract_socket"]), ("ECONNREFUSED", "EPERM")),
    "resolve a name": (resolve, ("EPERM", "ENETUNREACH")),
    "open a raw socket": (lambda: make_socket(socket.AF_INET, socket.SOCK_RAW, 1), ("EPERM", "EACCES")),
    "open a packet socket": (lambda: make_socket(socket.AF_PACKET, socket.SOCK_RAW), ("EPERM",)),
    "open a netlink socket": (lambda: make_socket(socket.AF_NETLINK, socket.SOCK_RAW), ("EPERM",)),
    "open a vsock socket": (lambda: make_socket(40, socket.SOCK_STREAM), ("EPERM", "EAFNOSUPPORT")),
    "signal the server": (lambda: kill(T["server_pid"]), ("ESRCH", "EPERM")),
    "signal everybody": (lambda: kill(-1), ("ESRCH", "EPERM", "ENOENT")),
    "trace the server": (lambda: call("ptrace", 16, T["server_pid"], 0, 0), ("EPERM",)),
    "trace pid 1": (lambda: call("ptrace", 16, 1, 0, 0), ("EPERM",)),
    "read another process's memory": (lambda: memory_of(os.getppid()), ("EPERM",)),
    "take another process's descriptor": (lambda: call("pidfd_getfd", 0, 0, 0), ("EPERM", "ENOSYS")),
    "mount": (mount_and_unmount, ("EPERM",)),
    "unmount": (lambda: call("umount2", TMP.encode(), 0), ("EPERM",)),
    "open a mount tree": (lambda: call("open_tree", -100, b"/", 1), ("EPERM",)),
    "open a file system": (lambda: call("fsopen", b"tmpfs", 0), ("EPERM",)),
    "change mount attributes": (lambda: call("mount_setattr", -100, TMP.encode(), 0, bytes(32), 32), ("EPERM",)),
    "pivot_root": (lambda: call("pivot_root", TMP.encode(), TMP.encode()), ("EPERM",)),
    "chroot": (lambda: os.chroot(TMP), ("EPERM",)),
    "new user namespace": (lambda: call("unshare", NEW["user"]), ("EPERM",)),
    "new pid namespace": (lambda: call("unshare", NEW["pid"]), ("EPERM",)),
    "new network namespace": (lambda: call("unshare", NEW["net"]), ("EPERM",)),
    "clone into a user namespace": (lambda: call("clone", NEW["user"] | 17, 0, 0, 0, 0) or os._exit(0), ("EPERM",)),
    "enter a namespace": (lambda: call("setns", os.open("/proc/self/ns/uts", 0), 0), ("EPERM",)),
    "kernel keys": (lambda: call("add_key", b"user", b"x", b"y", 1, -4), ("EPERM",)),
    "keyctl": (lambda: call("keyctl", 0, -4, 0, 0, 0), ("EPERM",)),
    "io_uring": (lambda: call("io_uring_setup", 1, ctypes.create_string_buffer(120)), ("EPERM",)),
    "bpf": (lambda: call("bpf", 0, ctypes.create_string_buffer(struct.pack("IIII", 2, 4, 4, 1) + bytes(112)), 128), ("EPERM",)),
    "userfaultfd": (lambda: call("userfaultfd", 1), ("EPERM",)),
    "perf events": (lambda: call("perf_event_open", ctypes.create_string_buffer(struct.pack("IIQ", 1, 112, 0) + bytes(96)), 0, -1, -1, 0), ("EPERM",)),
    "load a kernel module": (lambda: call("init_module", b"", 0, b""), ("EPERM",)),
    "load a kernel": (lambda: call("kexec_load", 0, 0, None, 0), ("EPERM",)),
    "reboot": (lambda: call("reboot", 0, 0, 0, None), ("EPERM",)),
    "set the clock": (lambda: call("settimeofday", None, None), ("EPERM",)),
    "set the host name": (lambda: call("sethostname", os.uname().nodename.encode(), len(os.uname().nodename)), ("EPERM",)),
    "disk quotas": (lambda: call("quotactl", 0x80000100, None, 0, None), ("EPERM",)),
    "swap": (lambda: call("swapon", b"/nothing", 0), ("EPERM",)),
    "accounting": (lambda: call("acct", b"/nothing"), ("EPERM",)),
    "kernel log": (lambda: call("syslog", 3, ctypes.create_string_buffer(64), 64), ("EPERM",)),
    "file handles": (handle, ("EPERM",)),
    "open by file handle": (lambda: call("open_by_handle_at", -100, bytes(8), 0), ("EPERM",)),
    "personality": (lambda: call("personality", 0x0040000), ("EPERM",)),
    "become root": (lambda: os.setresuid(0, 0, 0), ("EPERM", "EINVAL")),
    "change groups": (lambda: os.setgroups([0]), ("EPERM",)),
    "take capabilities": (capabilities, ("EPERM",)),
    "gain rights by a program": (setuid_program, ("EPERM",)),
    "raise a limit": (raise_limit, ("EPERM", "ValueError")),
    "raise its priority": (nice, ("EPERM", "EACCES")),
    "real-time priority": (realtime, ("EPERM",)),
    "disk priority": (lambda: call("ioprio_set", 1, 0, 0x2000), ("EPERM",)),
    "leave a core dump": (dump_core, ("EPERM",)),
    "open descriptors without end": (flood_descriptors, ("EMFILE",)),
    "write a file without end": (large_file, ("EFBIG",)),
    "fill tmp": (fill_tmp, ("ENOSPC", "EDQUOT", "killed by SIGKILL")),
    "fork without end": (fork_bomb, ("EAGAIN",)),
    "allocate without end": (allocate, ("ENOMEM", "killed by SIGKILL")),
    "compute without end": (spin, ("killed by SIGKILL", "killed by SIGXCPU")),
}


def attempt(what):
    try:
        what()
    except OSError as error:
        return errno.errorcode.get(error.errno, f"errno {error.errno}")
    except BaseException as error:
        return type(error).__name__
    return "escaped"


def in_child(what):
    ends = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(ends[0])
        os.write(ends[1], attempt(what).encode())
        os._exit(0)
    os.close(ends[1])
    said = b""
    while part := os.read(ends[0], 256):
        said += part
    os.close(ends[0])
    status = os.waitpid(pid, 0)[1]
    if said:
        return said.decode()
    return f"killed by {signal.Signals(os.WTERMSIG(status)).name}" if os.WIFSIGNALED(status) else f"exit {os.WEXITSTATUS(status)}"


# What only a namespace keeps apart: level basic does not promise these.
STRICT_ONLY = {"see processes of the host", "connect to a unix socket", "connect to an abstract socket", "fill tmp", "signal everybody"}

for name, (what, expected) in PROBES.items():
    if T["level"] == "basic" and name in STRICT_ONLY:
        continue
    print(json.dumps({"probe": name, "expected": expected, "got": in_child(what)}), flush=True)
