"""Several processes that serve the same: a supervisor that owns the sockets, and workers that ask it for them.

Each worker loads the files, follows their changes and answers calls by itself. The supervisor binds every port, hands
its sockets out (over a Unix socket, as `SCM_RIGHTS`), and replaces a worker that dies. On Linux each worker has its own
socket for a port, among which the system spreads connections (`SO_REUSEPORT`); the supervisor keeps them open, so
that connections that wait for a dead worker are taken up by the next. Elsewhere they share one socket.
"""
