"""The lifetime of a process: how a web server's starts, how a worker shuts down, and how a worker is woken."""
