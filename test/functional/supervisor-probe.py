"""A supervisor as systemd is one to the service it starts: NOTIFY_SOCKET, LISTEN_FDS, the service's pid.

Arguments: ports of the TCP sockets to pass, separated by commas, or -; then the command. Prints what it hears, one
message a line with ` | ` for line ends, and the answers of its sockets; ends with the status of the service.
"""
import os, socket, struct, sys, tempfile, threading

ports = [] if sys.argv[1] == '-' else [int(port) for port in sys.argv[1].split(',')]
count = len(ports)
listeners = []
for port in ports:
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind(('127.0.0.1', port))
    s.listen(8)
    listeners.append(s)
words = sys.argv[2:]

place = os.path.join(tempfile.mkdtemp(), 'notify')
notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
notify.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
notify.bind(place)
notify.settimeout(0.05)

pid = os.fork()
if pid == 0:
    for index, s in enumerate(listeners):
        os.dup2(s.fileno(), 100 + index)
    for index in range(count):
        os.dup2(100 + index, 3 + index, inheritable=True)
    os.environ['NOTIFY_SOCKET'] = place
    if count:
        os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=str(count), LISTEN_FDNAMES=':'.join('name%d' % i for i in range(count)))
    os.execv(words[0], words)

def ask(port):
    with socket.create_connection(('127.0.0.1', port), timeout=20) as c:
        c.settimeout(20)
        print('answer', ports.index(port), c.recv(100).decode().strip(), flush=True)

def hear():
    try:
        data, control, _, _ = notify.recvmsg(4096, 1024)
    except socket.timeout:
        return False
    sender = next(struct.unpack('iii', value)[0] for level, kind, value in control if kind == 2)
    who = 'main' if sender == pid else 'other'
    print(who, data.decode().strip().replace('MAINPID=%d' % pid, 'MAINPID=main').replace('\n', ' | '), flush=True)
    return True

threads = [threading.Thread(target=ask, args=(port,), daemon=True) for port in ports]
for thread in threads:
    thread.start()
while True:
    hear()
    done, status = os.waitpid(pid, os.WNOHANG)
    if done:
        while hear():
            pass
        for thread in threads:
            thread.join(5)
        sys.exit(os.waitstatus_to_exitcode(status))
