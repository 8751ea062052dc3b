"""Bring an unchanged server to the sandbox: Datadog's names with TLS, and all other hosts refused.

Way A (`proxy`, `environment`): a forward proxy, and variables that lead a process to it.
Way B (`isolation`): a Linux namespace in which Datadog's names are this machine.
"""
