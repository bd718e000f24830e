"""Where a program finds pcscd. The library reads the variable once, at its first call."""

SOCKET_NAME_VARIABLE = "PCSCLITE_CSOCK_NAME"
SOCKET_NAME = "/run/pcscd/pcscd.comm"
