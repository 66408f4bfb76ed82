# SPDX-License-Identifier: Apache-2.0
"""A TPM simulated in Python that quotes, and lies on demand. The structures are those of TPM 2.0 part 2: 10.12.12
TPMS_ATTEST, 11.3.4 TPMT_SIGNATURE, 12.2.5 TPM2B_PUBLIC.
"""
import base64
import copy
import hashlib
import secrets
import struct

P = 2 ** 256 - 2 ** 224 + 2 ** 192 + 2 ** 96 - 1
N = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551
G = (0x6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296,
     0x4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5)

BANKS = {"sha1": 0x0004, "sha256": 0x000b, "sha384": 0x000c, "sha512": 0x000d}
MAGIC, QUOTE, TIME = 0xff544347, 0x8018, 0x8019
RESTRICTED = 0x00050472  # sign, restricted, noDA, userWithAuth, sensitiveDataOrigin, fixedParent, fixedTPM
UNRESTRICTED = RESTRICTED & ~0x00010000
ENDORSEMENT, OWNER = 0x4000000b, 0x40000001


def add(a, b):
    if a is None or b is None:
        return a or b
    if a[0] == b[0] and (a[1] + b[1]) % P == 0:
        return None
    slope = ((3 * a[0] * a[0] - 3) * pow(2 * a[1], -1, P) if a == b else (b[1] - a[1]) * pow(b[0] - a[0], -1, P)) % P
    x = (slope * slope - a[0] - b[0]) % P
    return x, (slope * (a[0] - x) - a[1]) % P


def multiply(k, point):
    result = None
    while k:
        result = add(result, point) if k & 1 else result
        point, k = add(point, point), k >> 1
    return result


def number(value):
    return value.to_bytes(32, "big")


def sized(data):
    return struct.pack(">H", len(data)) + data


def selection_of(text):
    """"0-7,14" as a set."""
    pcrs = set()
    for part in text.split(","):
        first, _, last = part.partition("-")
        pcrs |= set(range(int(first), int(last or first) + 1))
    return pcrs


def extended(bank, *data, locality=0):
    """The value of a PCR that started at this locality and was then extended with the hash of each of data."""
    value = b"\0" * (hashlib.new(bank).digest_size - 1) + bytes([locality])
    for part in data:
        value = hashlib.new(bank, value + hashlib.new(bank, part).digest()).digest()
    return value


def qualifying_data(nonce, report):
    return hashlib.sha256(b"gtuned-quote-1" + nonce + hashlib.sha256(report).digest()).digest()


class Tpm:
    """One TPM state: a key, counters, PCRs."""

    def __init__(self, hierarchy=ENDORSEMENT, attributes=RESTRICTED):
        self.secret = secrets.randbelow(N - 1) + 1
        self.x, self.y = multiply(self.secret, G)
        self.hierarchy, self.attributes = hierarchy, attributes
        self.resets, self.restarts, self.clock = 5, 1, 123456
        self.banks = {bank: [hashlib.new(bank, b"%d" % i).digest() for i in range(24)] for bank in BANKS}

    def with_pcr(self, pcr, *data, bank="sha256", locality=0):
        """The same TPM after a boot that measured only this data into one PCR."""
        other = copy.deepcopy(self)
        other.banks[bank][pcr] = extended(bank, *data, locality=locality)
        return other

    def area(self, **lies):
        lie = {"type": 0x0023, "name": 0x000b, "attributes": self.attributes, "policy": b"", "symmetric": 0x0010,
               "scheme": 0x0018, "hash": 0x000b, "curve": 0x0003, "kdf": 0x0010, "x": number(self.x),
               "y": number(self.y), "rest": b"", **lies}
        head = struct.pack(">HHI", lie["type"], lie["name"], lie["attributes"]) + sized(lie["policy"])
        head += struct.pack(">HHHHH", *(lie[k] for k in ("symmetric", "scheme", "hash", "curve", "kdf")))
        return head + sized(lie["x"]) + sized(lie["y"]) + lie["rest"]

    def public(self, **lies):
        return sized(self.area(**lies))

    def name(self):
        return b"\x00\x0b" + hashlib.sha256(self.area()).digest()

    def signer(self):
        return b"\x00\x0b" + hashlib.sha256(struct.pack(">I", self.hierarchy) + self.name()).digest()

    def digest(self, bank, pcrs):
        return hashlib.sha256(b"".join(self.banks[bank][i] for i in sorted(pcrs))).digest()

    def attest(self, qualifying, bank, pcrs, **lies):
        bits = sum(1 << i for i in pcrs).to_bytes(3, "little")
        lie = {"magic": MAGIC, "type": QUOTE, "signer": self.signer(), "extra": qualifying,
               "clock": self.clock, "resets": self.resets, "restarts": self.restarts, "safe": 1,
               "firmware": 0x0123456789abcdef, "count": 1, "list": struct.pack(">HB", BANKS[bank], 3) + bits,
               "digest": self.digest(bank, pcrs), "rest": b"", **lies}
        head = struct.pack(">IH", lie["magic"], lie["type"]) + sized(lie["signer"]) + sized(lie["extra"])
        head += struct.pack(">QIIBQ", lie["clock"], lie["resets"], lie["restarts"], lie["safe"], lie["firmware"])
        return head + struct.pack(">I", lie["count"]) + lie["list"] + sized(lie["digest"]) + lie["rest"]

    def sign_numbers(self, data):
        while True:
            k = secrets.randbelow(N - 1) + 1
            r = multiply(k, G)[0] % N
            s = pow(k, -1, N) * (int.from_bytes(hashlib.sha256(data).digest(), "big") + r * self.secret) % N
            if r and s:
                return r, s

    def sign(self, data):
        return signature(*map(number, self.sign_numbers(data)))

    def answer(self, arguments, report, **lies):
        """The answer to gtune-quote. Lies are passed to attest() before it is signed; "bank" and "selection" change
        the quoted PCRs."""
        bank, selection = lies.pop("bank", arguments["bank"]), lies.pop("selection", arguments["selection"])
        nonce = lies.pop("nonce", bytes.fromhex(arguments["nonce"]))
        attest = self.attest(qualifying_data(nonce, report), bank, selection_of(selection), **lies)
        return parts(attest, self.sign(attest), self.public()) | {
            "report": report.decode(), "bank": bank, "selection": selection,
            "pcrs": {bank: {str(i): self.banks[bank][i].hex() for i in selection_of(selection)}},
            "report_sha256": hashlib.sha256(report).hexdigest(), "a_new_field": {"x": [1]}}


def signature(r, s, scheme=0x0018, hashing=0x000b):
    return struct.pack(">HH", scheme, hashing) + sized(r) + sized(s)


def encode(data):
    return base64.b64encode(data).decode()


def parts(attest, signed, public):
    return {"attest": encode(attest), "signature": encode(signed), "public": encode(public)}
