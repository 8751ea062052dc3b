"""Route an unmodified server to the sandbox under Datadog's names, and refuse all other hosts.

Way A (`proxy`, `environment`) is a forward proxy, with variables that make a process use it. Way B
(`isolation`) is a Linux namespace in which Datadog's names resolve to this machine.
"""
