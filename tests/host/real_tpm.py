# SPDX-License-Identifier: Apache-2.0
"""A real TPM: swtpm, used through tpm2-tools. A guest of guests.py sends its answers."""
import hashlib
import os
import subprocess
import time

import soft_tpm
from soft_tpm import parts


class RealTpm:
    def __init__(self, directory):
        self.directory = directory
        os.makedirs(directory + "/state", exist_ok=True)

    def start(self):
        self.process = subprocess.Popen([
            "swtpm", "socket", "--tpm2", "--tpmstate", f"dir={self.directory}/state",
            "--server", f"type=unixio,path={self.directory}/sock",
            "--ctrl", f"type=unixio,path={self.directory}/sock.ctrl",
            "--flags", "not-need-init,startup-clear"], stderr=subprocess.DEVNULL)
        for _ in range(100):
            if os.path.exists(self.directory + "/sock.ctrl"):
                return
            time.sleep(0.05)

    def stop(self):
        self.tool("shutdown", "-c")
        self.process.terminate()
        self.process.wait()
        for name in ("sock", "sock.ctrl"):
            if os.path.exists(f"{self.directory}/{name}"):
                os.unlink(f"{self.directory}/{name}")

    def tool(self, name, *args):
        env = {**os.environ, "TPM2TOOLS_TCTI": f"swtpm:path={self.directory}/sock"}
        subprocess.run(["tpm2_" + name, *args], cwd=self.directory, env=env, check=True, stdout=subprocess.DEVNULL)

    def read(self, name):
        with open(f"{self.directory}/{name}", "rb") as file:
            return file.read()

    def answer(self, arguments, report):
        bank, pcrs = arguments["bank"], sorted(soft_tpm.selection_of(arguments["selection"]))
        listed = bank + ":" + ",".join(map(str, pcrs))
        extra = soft_tpm.qualifying_data(bytes.fromhex(arguments["nonce"]), report).hex()
        self.tool("createprimary", "-Q", "-C", "e", "-G", "ecc256:ecdsa-sha256:null", "-g", "sha256", "-c", "key",
                  "-a", "fixedtpm|fixedparent|sensitivedataorigin|userwithauth|restricted|sign|noda")
        self.tool("readpublic", "-Q", "-c", "key", "-f", "tss", "-o", "public")
        self.tool("quote", "-Q", "-c", "key", "-l", listed, "-q", extra, "-m", "attest", "-s", "signature",
                  "-g", "sha256")
        self.tool("flushcontext", "-t")
        self.tool("pcrread", "-Q", "-o", "values", listed)
        size = hashlib.new(bank).digest_size
        values = self.read("values")
        return parts(self.read("attest"), self.read("signature"), self.read("public")) | {
            "report": report.decode(), "bank": bank, "selection": arguments["selection"],
            "pcrs": {bank: {str(p): values[i * size:(i + 1) * size].hex() for i, p in enumerate(pcrs)}}}
