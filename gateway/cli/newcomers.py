"""Keeping new connections from a listening socket, so that those it has taken can be served before it closes.

Closing a listening socket resets what the system has taken for it and nobody has accepted yet: requests
whose clients believe them sent. A filter that drops what opens a connection ends the stream of newcomers
first; whoever knocks meanwhile knocks again a second later, at the next server or at none.

Source: socket(7), ``SO_ATTACH_FILTER``; Linux, Documentation/networking/filter.rst.
"""

from __future__ import annotations

import ctypes
import socket
import struct
import sys
from typing import Final

_SO_ATTACH_FILTER: Final = 26
_FLAGS_AT: Final = 13
"""Where the flags stand in a TCP header, at which the filter of a TCP socket begins to read (RFC 9293, section 3.1)."""

_SYN: Final = 0x02
_SYN_ACK: Final = 0x12
_PASS: Final = 0xFFFFFFFF

# Classic BPF, each (code, jump if true, jump if false, operand): pass everything but a SYN without an ACK.
_PROGRAM: Final = (
    (0x30, 0, 0, _FLAGS_AT),  # load the byte of flags
    (0x54, 0, 0, _SYN_ACK),  # keep these two
    (0x15, 0, 1, _SYN),  # SYN alone?
    (0x06, 0, 0, 0),  # drop
    (0x06, 0, 0, _PASS),
)


def hold_off(listener: socket.socket) -> bool:
    """Let no new connection come to a listening socket; return whether the system can do that."""
    if not sys.platform.startswith("linux"):
        return False
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in _PROGRAM))
    program = struct.pack("HL", len(_PROGRAM), ctypes.addressof(code))
    try:
        listener.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, program)
    except OSError:  # a system that forbids it, as some containers' do
        return False
    return True
