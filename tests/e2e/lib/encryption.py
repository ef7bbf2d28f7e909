"""Certificates that are made when a test wants them, and sockets that speak TLS.

With E2E_TLS=1 every daemon whose listeners a test leaves as they are speaks TLS, and every
client of the harness does so with it. Who speaks TLS where is learnt from the daemons' logs.
"""

import atexit
import os
import shutil
import ssl
import subprocess
import tempfile

from timing import DAEMON

NOT_NOW = (ssl.SSLWantReadError, ssl.SSLWantWriteError)
WANTED = bool(os.environ.get("E2E_TLS"))


def is_built_in():
    """Whether the daemon under test links OpenSSL."""
    with open(DAEMON, "rb") as binary:
        return b"libssl" in binary.read()


def openssl(*arguments):
    subprocess.run(["openssl", *map(str, arguments)], check=True, stdin=subprocess.DEVNULL,
                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def make_certificate(folder, name, issuer=None, kind="ec"):
    """NAME.pem and NAME.key, good for two days; without an issuer it vouches for itself."""
    pem, key = os.path.join(folder, name + ".pem"), os.path.join(folder, name + ".key")
    new = {"ec": ("ec", "-pkeyopt", "ec_paramgen_curve:P-256"), "rsa": ("rsa:2048",)}[kind]
    common = ("-nodes", "-subj", f"/CN={name}", "-newkey", *new, "-keyout", key)
    if issuer is None:
        openssl("req", "-x509", "-days", 2, *common, "-out", pem)
    else:
        request = os.path.join(folder, name + ".csr")
        openssl("req", "-new", *common, "-out", request)
        openssl("x509", "-req", "-days", 2, "-in", request, "-CA",
                os.path.join(folder, issuer + ".pem"), "-CAkey",
                os.path.join(folder, issuer + ".key"), "-set_serial", os.getpid(), "-out", pem)
    os.chmod(key, 0o644)  # a daemon that changes its user reads it too
    return pem, key


def context(**options):
    """A client's. It takes any certificate: who the server is, is not what is tested."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.check_hostname = False
    made.verify_mode = ssl.CERT_NONE
    for name, value in options.items():
        setattr(made, name, value)
    return made


class Everywhere:
    """One certificate for all daemons of a run, and the addresses where it is shown."""

    folder = None
    addresses = set()

    @classmethod
    def listener_options(cls):
        if cls.folder is None:
            cls.folder = tempfile.mkdtemp(prefix="kvcached-e2e-tls-")
            os.chmod(cls.folder, 0o755)
            atexit.register(shutil.rmtree, cls.folder, True)
            make_certificate(cls.folder, "everywhere")
        path = os.path.join(cls.folder, "everywhere")
        return f'tls_certificate = "{path}.pem"; tls_key = "{path}.key";'

    @classmethod
    def encrypt(cls, listen):
        """The listeners, with TLS where that is wanted."""
        if not WANTED:
            return listen
        return listen.replace(" }", "; " + cls.listener_options() + " }").replace(";;", ";")

    @classmethod
    def wrap(cls, plain, address):
        """The socket as the daemon at that address wants it."""
        if not WANTED or isinstance(address, str) or tuple(address[:2]) not in cls.addresses:
            return plain
        return context().wrap_socket(plain)
