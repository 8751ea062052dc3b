"""Bring an unchanged server to the sandbox: Datadog's names with TLS, and all other hosts refused.

Way A (`proxy`, `environment`) is a forward proxy, with variables that lead a process to it.
Way B (`isolation`) is a Linux namespace in which Datadog's names are this machine.
"""
