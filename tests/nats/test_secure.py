#!/usr/bin/python3
# Passwords, TLS and credentials files, with real servers on loopback: who has the right ones is answered, others are told why not
# SPDX-License-Identifier: LGPL-2.1-or-later
import base64
import binascii
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

from test_demo import free_ports

HERE = os.path.dirname(os.path.abspath(__file__))
MODEL = os.path.join(HERE, "..", "golden", "deep-3", "model.safetensors")
MAPPING = 'mappings = { "continual.vectors.*": "continual.vectors.{{partition(1,1)}}.{{wildcard(1)}}" }'
WIDTH = 32  # of the model's vectors
# What NATS's `nsc` writes: the first byte of a key says whose it is.
OPERATOR, ACCOUNT, USER, SEED = 14 << 3, 0 << 3, 20 << 3, 18 << 3


def openssl(*arguments, data=None):
    return subprocess.run(["openssl", *arguments], input=data, check=True, capture_output=True).stdout


def encode(raw):
    """Base 32 with a checksum: CRC-16 of XMODEM, its low byte first"""
    return base64.b32encode(raw + binascii.crc_hqx(raw, 0).to_bytes(2, "little")).rstrip(b"=").decode()


class Key:
    """An Ed25519 key of NATS (https://docs.nats.io/running-a-nats-service/configuration/securing_nats/auth_intro/nkey_auth)"""

    def __init__(self, folder, name, prefix):
        self.path, self.prefix = os.path.join(folder, name + ".key"), prefix
        openssl("genpkey", "-algorithm", "ed25519", "-out", self.path)
        self.public = encode(bytes([prefix]) + openssl("pkey", "-in", self.path, "-pubout", "-outform", "DER")[-32:])

    def seed(self):
        head = bytes([SEED | self.prefix >> 5, (self.prefix & 31) << 3])
        return encode(head + openssl("pkey", "-in", self.path, "-outform", "DER")[-32:])

    def sign(self, folder, subject, name, claims):
        """A token by which this key vouches for @subject"""
        parts = [{"typ": "JWT", "alg": "ed25519-nkey"},
                 {"jti": name, "iat": int(time.time()), "iss": self.public, "name": name, "sub": subject.public,
                  "nats": {**claims, "version": 2}}]
        text = b".".join(base64.urlsafe_b64encode(json.dumps(p).encode()).rstrip(b"=") for p in parts)
        message = os.path.join(folder, "message")
        with open(message, "wb") as file:
            file.write(text)
        signature = openssl("pkeyutl", "-sign", "-rawin", "-inkey", self.path, "-in", message)
        return (text + b"." + base64.urlsafe_b64encode(signature).rstrip(b"=")).decode()


class Secure(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder, self.port, self.processes = folder.name, free_ports(1), []
        self.addCleanup(self.stop)

    def stop(self):
        for process in self.processes:
            process.send_signal(signal.SIGKILL)
            process.wait()

    def file(self, name, text=None):
        path = os.path.join(self.folder, name)
        if text is not None:
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
        return path

    def serve(self, configuration):
        path = self.file("server.conf", f"listen: 127.0.0.1:{self.port}\njetstream {{ store_dir: \"{self.folder}/store\" }}\n"
                         + configuration)
        self.processes.append(subprocess.Popen(["nats-server", "-c", path, "-l", self.file("server.log")]))
        end = time.monotonic() + 30
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                self.assertLess(time.monotonic(), end, "the server did not start")
                time.sleep(0.05)

    def launch(self, line, **environment):
        return subprocess.run(["gst-launch-1.0", "-q", *line.split()], capture_output=True, text=True, timeout=60,
                              env={**os.environ, **environment}, stdin=subprocess.DEVNULL)

    def check_answered(self, url, credentials="", **environment):
        """Vectors that are sent come back from a worker."""
        option = ["--credentials", credentials] if credentials else []
        with open(self.file("worker.log"), "w", encoding="utf-8") as log:
            self.processes.append(subprocess.Popen(
                [os.environ["CONTINUAL_WORKER"], "--model", MODEL, "--servers", url, "--shards", "1", *option],
                env={**os.environ, **environment}, stdout=log, stderr=log))
        way = f"servers={url} " + (f"credentials={credentials}" if credentials else "")
        sent = self.launch(f"audiotestsrc num-buffers=40 ! melspectrogram n-mels={WIDTH} ! natstensorsink {way}"
                           " subject=continual.vectors.one", **environment)
        self.assertEqual((sent.returncode, sent.stderr), (0, ""))
        got = self.launch(f"natstensorsrc {way} subject=continual.outputs.one start=all eos-at-end=true !"
                          f" filesink location={self.folder}/outputs", **environment)
        self.assertEqual((got.returncode, got.stderr), (0, ""))
        self.assertGreater(os.path.getsize(os.path.join(self.folder, "outputs")), 0)
        with open(self.file("worker.log"), encoding="utf-8") as log:
            return log.read()

    def check_refused(self, url, expected, secret="", credentials="", **environment):
        way = f"servers={url} " + (f"credentials={credentials}" if credentials else "")
        run = self.launch(f"natstensorsrc {way} subject=continual.outputs.one ! fakesink", **environment)
        self.assertNotEqual(run.returncode, 0)
        self.assertIn(expected, run.stderr)
        if secret:
            self.assertNotIn(secret, run.stderr + run.stdout)

    def test_password(self):
        self.serve("accounts { A { jetstream: enabled, users: [{user: edge, password: hemlig}], %s } }" % MAPPING)
        log = self.check_answered(f"nats://edge:hemlig@127.0.0.1:{self.port}")
        self.assertNotIn("hemlig", log)
        self.check_refused(f"nats://edge:hemligt@127.0.0.1:{self.port}", "correct the addresses or the credentials", "hemligt")
        self.check_refused(f"nats://edge:hem/ligt@127.0.0.1:{self.port}", "nats://...@127.0.0.1", "ligt")
        self.check_refused(f"nats://127.0.0.1:{self.port}", "Authorization")

    def test_tls(self):
        ca, key, request, own, names = (self.file(n) for n in ("ca.pem", "ca.key", "request", "own.pem", "names"))
        openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", ca, "-days", "2", "-subj", "/CN=Tests")
        openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", self.file("own.key"), "-out", request, "-subj", "/CN=localhost")
        self.file("names", "subjectAltName=DNS:localhost")
        openssl("x509", "-req", "-in", request, "-CA", ca, "-CAkey", key, "-CAcreateserial", "-out", own, "-days", "2",
                "-extfile", names)
        self.serve("tls { cert_file: \"%s\", key_file: \"%s\" }\naccounts { A { jetstream: enabled, users: [{user: a, password: a}],"
                   " %s } }\nno_auth_user: a" % (own, self.file("own.key"), MAPPING))
        self.check_answered(f"tls://localhost:{self.port}", SSL_CERT_FILE=ca)
        self.check_refused(f"tls://localhost:{self.port}", "SSL_CERT_FILE", SSL_CERT_FILE="/dev/null")
        self.check_refused(f"tls://127.0.0.1:{self.port}", "the host is one of the server's certificate", SSL_CERT_FILE=ca)

    def credentials(self, name, account, user):
        token = account.sign(self.folder, user, name, {"type": "user", "subs": -1, "data": -1, "payload": -1})
        return self.file(name + ".creds", f"-----BEGIN NATS USER JWT-----\n{token}\n------END NATS USER JWT------\n\n"
                         f"-----BEGIN USER NKEY SEED-----\n{user.seed()}\n------END USER NKEY SEED------\n")

    def test_credentials(self):
        operator, system, account, other = (Key(self.folder, n, p) for n, p in (
            ("operator", OPERATOR), ("system", ACCOUNT), ("account", ACCOUNT), ("other", ACCOUNT)))
        limits = {**dict.fromkeys(("subs", "data", "payload", "imports", "exports", "conn", "leaf"), -1), "wildcards": True}
        storage = dict.fromkeys(("mem_storage", "disk_storage", "streams", "consumer"), -1)
        mapping = {"continual.vectors.*": [{"subject": "continual.vectors.{{partition(1,1)}}.{{wildcard(1)}}", "weight": 100}]}
        tokens = {system.public: operator.sign(self.folder, system, "system", {"type": "account", "limits": limits}),
                  account.public: operator.sign(self.folder, account, "account", {
                      "type": "account", "limits": {**limits, **storage}, "mappings": mapping})}
        self.serve("operator: \"%s\"\nsystem_account: %s\nresolver: MEMORY\nresolver_preload: { %s }" % (
            self.file("operator.jwt", operator.sign(self.folder, operator, "operator", {"type": "operator"})), system.public,
            ", ".join("%s: \"%s\"" % pair for pair in tokens.items())))
        url = f"nats://127.0.0.1:{self.port}"
        self.check_answered(url, self.credentials("edge", account, Key(self.folder, "user", USER)))
        self.check_refused(url, "Authorization", credentials=self.credentials("stranger", other, Key(self.folder, "stranger", USER)))
        self.check_refused(url, "/no/such.creds", credentials="/no/such.creds")


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    unittest.main()
