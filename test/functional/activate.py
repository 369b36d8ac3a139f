"""Starts a command as systemd starts the service of its sockets: activate.py ADDRESS,... COMMAND...
An address is a path, or HOST PORT joined by a slash; the sockets are descriptors 3 and on."""
import os
import socket
import sys

sockets = []
for address in sys.argv[1].split(","):
    host, slash, port = address.rpartition("/")
    if address.startswith("/"):
        one = socket.socket(socket.AF_UNIX)
        one.bind(address)
    else:
        one = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
        one.bind((host, int(port)))
    one.listen(16)
    sockets.append(os.dup2(one.fileno(), 100 + len(sockets)))
for index, fd in enumerate(sockets):
    os.dup2(fd, 3 + index, inheritable=True)
    os.close(fd)
os.environ["LISTEN_FDS"] = str(len(sockets))
os.environ["LISTEN_PID"] = str(os.getpid())
os.execv(sys.argv[2], sys.argv[2:])
