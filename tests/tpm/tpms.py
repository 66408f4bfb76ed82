# SPDX-License-Identifier: Apache-2.0
"""TPMs for tests: a real TPM (swtpm) behind a UNIX socket, and a TPM that a thread of this process plays."""
import os
import socket
import struct
import subprocess
import threading
import time

HEADER = struct.Struct(">HII")
ALGORITHMS = {"sha1": 0x4, "sha256": 0xB, "sha384": 0xC, "sha512": 0xD}
SIZES = {"sha1": 20, "sha256": 32, "sha384": 48, "sha512": 64}


class Swtpm:
    """A started TPM 2.0. Its folder must have a short path: sockets are in it."""

    def __init__(self, folder, banks=None):
        self.folder, self.banks = folder, banks
        self.path = f"{folder}/sock"
        self.device = f"unix:{self.path}"

    def __enter__(self):
        os.makedirs(self.folder)
        if self.banks:
            subprocess.run(["swtpm_setup", "--tpm2", "--tpmstate", self.folder, "--pcr-banks", self.banks],
                           check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.process = subprocess.Popen(
            ["swtpm", "socket", "--tpm2", "--tpmstate", f"dir={self.folder}",
             "--server", f"type=unixio,path={self.path}", "--ctrl", f"type=unixio,path={self.path}.ctrl",
             "--flags", "not-need-init,startup-clear"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 10
        while not (os.path.exists(self.path) and os.path.exists(self.path + ".ctrl")):
            if time.monotonic() > deadline or self.process.poll() is not None:
                raise RuntimeError("swtpm did not start")
            time.sleep(0.02)
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()

    def tool(self, *words, check=True):
        """Runs one of tpm2-tools against it, in its folder."""
        done = subprocess.run(words, cwd=self.folder, capture_output=True, text=True, check=False,
                              env={**os.environ, "TPM2TOOLS_TCTI": f"swtpm:path={self.path}", "TSS2_LOG": "all+none"})
        if check and done.returncode != 0:
            raise RuntimeError(f"{words}: {done.stderr}")
        return done

    def extend(self, pcr, digests):
        """digests: {bank: hex}"""
        self.tool("tpm2_pcrextend", f"{pcr}:" + ",".join(f"{bank}={digest}" for bank, digest in digests.items()))

    def read(self, bank):
        """{"0": hex, ...} as tpm2_pcrread prints it."""
        values = {}
        for line in self.tool("tpm2_pcrread", bank).stdout.splitlines():
            number, colon, value = line.partition(":")
            if colon and value.strip().startswith("0x"):
                values[number.strip()] = value.strip()[2:].lower()
        return values


def message(payload=b"", rc=0, tag=0x8001, size=None):
    return HEADER.pack(tag, len(payload) + 10 if size is None else size, rc) + payload


def selection(bank, pcrs):
    mask = sum(1 << n for n in pcrs)
    return struct.pack(">HB", ALGORITHMS[bank], 3) + mask.to_bytes(3, "little")


def banks(**allocated):
    return message(struct.pack(">BII", 0, 5, len(allocated)) +
                   b"".join(selection(bank, pcrs) for bank, pcrs in allocated.items()))


def is_pcr_read(command):
    return command[6:10] == b"\0\0\x01\x7e"


def values(command, counter=1):
    """An honest answer to TPM2_PCR_Read of sha256."""
    asked = [n for n in range(24) if int.from_bytes(command[17:20], "little") >> n & 1][:8]
    return message(struct.pack(">II", counter, 1) + selection("sha256", asked) + struct.pack(">I", len(asked)) +
                   b"".join(struct.pack(">H", 32) + bytes([n]) * 32 for n in asked))


class Played:
    """A TPM whose answers a function of the command makes; for None it closes, for False it never answers."""

    def __init__(self, path, behaviour):
        self.device = f"unix:{path}"
        self.behaviour = behaviour
        self.over = threading.Event()
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        self.listener.listen(1)
        self.thread = threading.Thread(target=self.play, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.listener.close()

    def play(self):
        with self.listener.accept()[0] as peer:
            try:
                self.converse(peer)
            except OSError:
                pass  # it has hung up

    def converse(self, peer):
        while command := peer.recv(4096):
            answer = self.behaviour(command)
            if answer is None:
                return
            if answer is False:
                self.over.wait()
                return
            for part in answer if isinstance(answer, list) else [answer]:
                peer.sendall(part)
