"""scenario_tls.py - what encryption costs the server, and what handshakes do."""

import copy
import os
import shutil
import socket
import ssl
import subprocess
import tempfile

from scenario_cpu import COMPARED, LASTING, closed_loop
from servers import Trouble


def make_certificate(directory):
    """One for all servers: P-256, as is usual now."""
    pair = os.path.join(directory, "bench.pem"), os.path.join(directory, "bench.key")
    done = subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                           "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
                           "/CN=bench", "-out", pair[0], "-keyout", pair[1]],
                          stdin=subprocess.DEVNULL, capture_output=True)
    if done.returncode != 0:
        raise Trouble(f"openssl made no certificate: {done.stderr.decode()[-300:]}")
    return pair


def cipher_of(server):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with socket.create_connection(("127.0.0.1", server.port), 10) as plain:
        with context.wrap_socket(plain) as wrapped:
            return "%s %s" % (wrapped.version(), wrapped.cipher()[0])


def with_tls(bench, pair):
    """The same bench without the peers that were built without TLS."""
    able = copy.copy(bench)
    able.paths = dict(bench.paths)
    for kind in bench.peers(*COMPARED):
        try:
            with bench.start(kind, memory=64, tls=pair):
                pass
        except Trouble as why:
            if kind == "kvcached":
                raise
            bench.report.note(f"tls: {kind} is passed over: {str(why).splitlines()[-1]}")
            del able.paths[kind]
    return able


def tls(bench):
    directory = tempfile.mkdtemp(prefix="bench-certificate-")
    try:
        pair = make_certificate(directory)
        requests(with_tls(bench, pair), pair)
        handshakes(bench, pair)
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def requests(bench, pair):
    """As the scenario `cpu`, encrypted: a hundred bytes, 50 connections."""
    shape = {"keys": bench.size(200_000), "value_bytes": 100, "ttl": LASTING}
    load = {"connections": 50, "ratio": "1:10", **shape}
    with bench.running(*COMPARED, twins=True, memory=1024, pinned=True, tls=pair) as servers:
        for server in servers:
            bench.report.note(f"tls: {server.name}: {cipher_of(server)}")
            if server.name != "kvcached-mc":
                bench.tools.fill(server, **shape)
        for _ in range(bench.rounds):
            for pipeline in (32, 1):
                for server in servers:
                    closed_loop(bench, server, f"pipeline {pipeline}",
                                bench.adder("tls", server), pipeline=pipeline, **load)


def handshakes(bench, pair):
    """One after the other, of kvcached's: with a new session each, and with the last one."""
    if not bench.peers("kvcached"):
        return
    with bench.start("kvcached", memory=64, pinned=True, tls=pair) as server:
        add = bench.adder("tls", server)
        for _ in range(bench.rounds):
            for way, resume in (("full handshake", False), ("resumed handshake", True)):
                done = bench.tools.greet(server, 0.5 if bench.quick else 2, resume)
                if resume and done["resumed"] < done["handshakes"]:
                    raise Trouble("not every session was resumed")
                add(f"{way}: CPU", "us", done["cpu_us"])
                add(f"{way}s of one core", "1/s", 1e6 / done["cpu_us"])
