# SPDX-License-Identifier: Apache-2.0
"""Guests that quote: honest ones, and each forgery with the reason for which it must be refused."""
import base64
import hashlib
import json
import struct

import soft_tpm
from guests import practice, report
from soft_tpm import RESTRICTED, TIME, UNRESTRICTED, Tpm, encode, number, parts, signature, sized

ESC = "\x1b]0;owned\x07\x1b[31m\x7f"
REPORT = json.dumps(report()).encode()
MEASURED = json.dumps(report(practice(), practice(name="measured-boot"))).encode()
MINE, OTHER = Tpm(), Tpm()
BAD = "bad-quote"


def quotes(make):
    """A guest that answers gtune-quote with the return value of make(arguments)."""
    async def serve(guest):
        request = await guest.sync()
        assert request["execute"] == "gtune-quote", request
        await guest.send({"return": make(request["arguments"]), "id": request["id"]})
        await guest.reader.read()
    return serve


def honest(tpm=MINE, text=REPORT, **lies):
    return quotes(lambda a: tpm.answer(a, text, **lies))


def changed(tpm=MINE, text=REPORT, **members):
    """A good answer with some members replaced. A replacement is a value, or a function of the old value."""
    def make(arguments):
        answer = tpm.answer(arguments, text)
        for key, value in members.items():
            answer[key] = value(answer[key]) if callable(value) else value
        return {k: v for k, v in answer.items() if v is not None}
    return quotes(make)


def resigned(change, tpm=MINE):
    """An attest that was changed and signed again with the right key, as a key without restrictions would allow."""
    def make(arguments):
        answer = tpm.answer(arguments, REPORT)
        attest = change(base64.b64decode(answer["attest"]))
        return answer | parts(attest, tpm.sign(attest), tpm.public())
    return quotes(make)


def with_public(**lies):
    """A key whose public area does not say what is required. The signature is good."""
    return changed(public=encode(MINE.public(**lies)))


def flip(text, position):
    data = bytearray(base64.b64decode(text))
    data[position // 8 % len(data)] ^= 1 << position % 8
    return encode(bytes(data))


def flip_pcr(pcrs):
    pcrs["sha256"]["7"] = pcrs["sha256"]["7"][:-1] + ("0" if pcrs["sha256"]["7"][-1] != "0" else "1")
    return pcrs


def without_pcr(pcrs):
    del pcrs["sha256"]["14"]
    return pcrs


def replayed():
    """A guest that answers every request with its first answer."""
    kept = []

    def make(arguments):
        kept.append(MINE.answer(arguments, REPORT))
        return kept[0]
    return quotes(make)


def another_report(state="conflict"):
    return json.dumps(report(practice(state=state)))


def lists(*banks):
    data = b"".join(struct.pack(">HB", soft_tpm.BANKS[b], 3) + b"\xff\x43\x00" for b in banks)
    return {"count": len(banks), "list": data}


FORGED = {  # name: (behaviour, reason)
    "another nonce": (honest(nonce=b"\x01" * 32), "nonce"),
    "extra data is the nonce itself": (quotes(lambda a: MINE.answer(a, REPORT, extra=bytes.fromhex(a["nonce"]))),
                                       "nonce"),
    "no extra data": (honest(extra=b""), "nonce"),
    "a bit of the magic": (changed(attest=lambda a: flip(a, 5)), "magic"),
    "a bit of the type": (changed(attest=lambda a: flip(a, 40)), "type"),
    "a bit of the attest's clock": (changed(attest=lambda a: flip(a, 8 * 90)), "signature"),
    "a bit of the PCR digest": (changed(attest=lambda a: flip(a, 8 * 140)), "signature"),
    "a bit of the signature": (changed(signature=lambda s: flip(s, 100)), "signature"),
    "a bit of the key": (changed(public=lambda p: flip(p, 8 * 40)), "signature"),
    "a PCR value": (changed(pcrs=flip_pcr), "pcr-digest"),
    "a PCR value is missing": (changed(pcrs=without_pcr), "pcrs-missing"),
    "values of another bank": (changed(pcrs=lambda p: {"sha1": {"0": "00" * 20}}), "pcrs-missing"),
    "a report that was not quoted": (changed(report=another_report()), "report"),
    "a letter of the report": (changed(report=lambda r: r.replace("active", "activf")), "report"),
    "a report that was not quoted, and its hash": (
        changed(report=another_report(), report_sha256=hashlib.sha256(another_report().encode()).hexdigest()),
        "nonce"),
    "a report that was not quoted, and no hash": (changed(report=another_report(), report_sha256=None), "nonce"),
    "signed by another key": (changed(signature=lambda s: encode(OTHER.sign(b"x"))), "signature"),
    "another key beside the signature": (changed(public=encode(OTHER.public())), "signature"),
    "a wrong magic, signed": (honest(magic=0xdeadbeef), "magic"),
    "magic zero, signed": (honest(magic=0), "magic"),
    "no quote but a time, signed": (honest(type=TIME), "type"),
    "type zero, signed": (honest(type=0), "type"),
    "fewer PCRs": (honest(selection="0-7"), "selection"),
    "more PCRs": (honest(selection="0-9,14,23"), "selection"),
    "no PCR": (honest(list=b"\x00\x0b\x03\x00\x00\x00"), "selection"),
    "another bank": (honest(bank="sha1"), "selection"),
    "another bank in the attest only": (honest(list=b"\x00\x04\x03\xff\x43\x00"), "selection"),
    "two banks": (honest(**lists("sha256", "sha1")), "selection"),
    "the same bank twice": (honest(**lists("sha256", "sha256")), "selection"),
    "no bank": (honest(count=0, list=b""), "attest-malformed"),
    "4294967295 banks": (honest(count=0xffffffff), "selection"),
    "an unknown bank": (honest(list=b"\x00\x99\x03\xff\x43\x00"), "selection"),
    "PCRs beyond 23": (honest(list=b"\x00\x0b\x04\xff\x43\x00\x01"), "selection"),
    "the digest of other PCRs": (honest(digest=MINE.digest("sha256", range(8))), "pcr-digest"),
    "the digest of another bank": (honest(digest=MINE.digest("sha1", [*range(10), 14])), "pcr-digest"),
    "a digest with SHA-1": (honest(digest=hashlib.sha1(b"").digest()), "pcr-digest"),
    "no digest": (honest(digest=b""), "pcr-digest"),
    "the text says another bank": (changed(bank="sha1"), "selection"),
    "the text says other PCRs": (changed(selection="0-7"), "selection"),
    "a key that may sign anything": (honest(Tpm(attributes=UNRESTRICTED)), "key-attributes"),
    "a key that may leave the TPM": (honest(Tpm(attributes=RESTRICTED & ~0x12)), "key-attributes"),
    "a key that came from outside": (honest(Tpm(attributes=RESTRICTED & ~0x20)), "key-attributes"),
    "a key that decrypts, too": (honest(Tpm(attributes=RESTRICTED | 0x20000)), "key-attributes"),
    "a key with unknown attributes": (honest(Tpm(attributes=RESTRICTED | 0x80000000)), "key-attributes"),
    "the key says RSA": (with_public(type=1), "key-type"),
    "the key says P-384": (with_public(curve=4), "key-type"),
    "the key says another scheme": (with_public(scheme=0x10), "key-type"),
    "the key says SHA-1": (with_public(hash=4), "key-type"),
    "the key has another kind of name": (with_public(name=4), "key-type"),
    "a key off the curve": (with_public(y=number(MINE.y ^ 1)), "signature"),
    "the key is infinity": (with_public(x=b"\0" * 32, y=b"\0" * 32), "signature"),
    "the key is beyond the field": (with_public(x=b"\xff" * 32), "signature"),
    "a key with bytes behind it": (with_public(rest=b"\0"), "public-malformed"),
    "a key with a huge number": (with_public(x=b"\1" * 33), "public-malformed"),
    "an empty key": (changed(public=""), "public-malformed"),
    "half a key": (changed(public=lambda p: encode(base64.b64decode(p)[:40])), "public-malformed"),
    "a key that is longer than it says": (changed(public=lambda p: encode(base64.b64decode(p) + b"\0")),
                                          "public-malformed"),
    "r and s are zero": (changed(signature=encode(signature(number(0), number(0)))), "signature"),
    "r and s are the order": (changed(signature=encode(signature(number(soft_tpm.N), number(soft_tpm.N)))),
                              "signature"),
    "r and s are empty": (changed(signature=encode(signature(b"", b""))), "signature-malformed"),
    "a huge r": (changed(signature=encode(signature(b"\1" * 33, b"\1"))), "signature-malformed"),
    "an empty signature": (changed(signature=""), "signature-malformed"),
    "bytes behind the signature": (changed(signature=lambda s: encode(base64.b64decode(s) + b"\0")),
                                   "signature-malformed"),
    "a signature of RSA": (changed(signature=encode(signature(b"\1", b"\1", scheme=0x14))), "signature-scheme"),
    "a signature with SHA-1": (changed(signature=encode(signature(b"\1", b"\1", hashing=4))), "signature-scheme"),
    "an HMAC": (changed(signature=encode(signature(b"\1", b"\1", scheme=5))), "signature-scheme"),
    "an empty attest": (changed(attest=""), "attest-malformed"),
    "half an attest": (resigned(lambda a: a[:60]), "attest-malformed"),
    "an attest of 5 bytes": (resigned(lambda a: a[:5]), "attest-malformed"),
    "bytes behind the attest": (honest(rest=b"\0"), "attest-malformed"),
    "2048 bytes of attest": (changed(attest=encode(b"\xffTCG\x80\x18" + b"\xff" * 2042)), "attest-malformed"),
    "a signer of 65535 bytes": (resigned(lambda a: a[:6] + b"\xff\xff" + a[8:]), "attest-malformed"),
    "a clock that is neither safe nor not": (honest(safe=2), "attest-malformed"),
    "an attest with its size before it": (resigned(sized), "magic"),
    "measured, and nothing is in PCR 0": (honest(MINE.with_pcr(0), MEASURED), "contradiction"),
    "measured, and PCR 0 is as locality 3 left it": (honest(MINE.with_pcr(0, locality=3), MEASURED), "contradiction"),
    "measured, and nothing is in PCR 4": (honest(MINE.with_pcr(4), MEASURED), "contradiction"),
    "measured, and nothing is in PCR 7": (honest(MINE.with_pcr(7), MEASURED), "contradiction"),
    "measured, and PCR 4 was only closed": (honest(MINE.with_pcr(4, b"\0\0\0\0"), MEASURED), "contradiction"),
    "measured, and PCR 7 was only closed, twice": (
        honest(MINE.with_pcr(7, b"\xff\xff\xff\xff", b"os-separator"), MEASURED), "contradiction"),
}

NO_ANSWER = {  # answers that are not valid, or whose report is not valid: (behaviour, reason)
    "null": (quotes(lambda a: None), "bad-answer"),
    "an array": (quotes(lambda a: [1]), "bad-answer"),
    "nothing in it": (quotes(lambda a: {}), "bad-answer"),
    "no report": (changed(report=None), "bad-answer"),
    "a report that is an object": (changed(report=report()), "bad-answer"),
    "no attest": (changed(attest=None), "bad-answer"),
    "attest is a number": (changed(attest=5), "bad-answer"),
    "attest is an array": (changed(attest=lambda a: [a]), "bad-answer"),
    "attest of 2049 bytes": (changed(attest=encode(b"A" * 2049)), "bad-answer"),
    "attest of 500,000 bytes": (changed(attest=encode(b"A" * 500000)), "bad-answer"),
    "blanks in base64": (changed(attest=lambda a: a[:8] + " " + a[8:]), "bad-answer"),
    "a newline behind base64": (changed(signature=lambda s: s + "\n"), "bad-answer"),
    "base64 without its padding": (changed(public=lambda p: encode(base64.b64decode(p)[:-1]).rstrip("=")),
                                   "bad-answer"),
    "base64 with bits that mean nothing": (changed(public="AB=="), "bad-answer"),
    "padding in the middle": (changed(public="AA==AAAA"), "bad-answer"),
    "only padding": (changed(public="===="), "bad-answer"),
    "base64 of web addresses": (changed(attest="_-__"), "bad-answer"),
    "escapes in base64": (changed(attest=ESC), "bad-answer"),
    "a NUL byte in base64": (changed(attest=lambda a: a[:8] + "\0" + a[8:]), "bad-answer"),
    "an unknown bank": (changed(bank="md5"), "bad-answer"),
    "a bank with a NUL byte": (changed(bank="sha256\0"), "bad-answer"),
    "a selection with PCR 24": (changed(selection="0-24"), "bad-answer"),
    "a selection of 100,000 bytes": (changed(selection="0," * 50000 + "0"), "bad-answer"),
    "no values": (changed(pcrs=None), "bad-answer"),
    "values in an array": (changed(pcrs=[]), "bad-answer"),
    "values of an unknown bank": (changed(pcrs={ESC: {"0": "00"}}), "bad-answer"),
    "a value that is too short": (changed(pcrs={"sha256": {"0": "00" * 31}}), "bad-answer"),
    "a value that is too long": (changed(pcrs={"sha256": {"0": "00" * 33}}), "bad-answer"),
    "a value that is no hex": (changed(pcrs={"sha256": {"0": "xy" * 32}}), "bad-answer"),
    "a value of PCR 24": (changed(pcrs={"sha256": {"24": "00" * 32}}), "bad-answer"),
    "a value of PCR -1": (changed(pcrs={"sha256": {"-1": "00" * 32}}), "bad-answer"),
    "a value of PCR 007": (changed(pcrs={"sha256": {"007": "00" * 32}}), "bad-answer"),
    "a hash of the report that is none": (changed(report_sha256="00"), "bad-answer"),
    "what is quoted is no JSON": (honest(text=b"garbage \\u001b"), "bad-report"),
    "what is quoted is empty": (honest(text=b""), "bad-report"),
    "what is quoted is no report": (honest(text=b'{"schema": 1}'), "bad-report"),
    "what is quoted is deep": (honest(text=b"[" * 33 + b"]" * 33), "bad-report"),
    "what is quoted holds many values": (honest(text=b"[" + b"0," * 100001 + b"0]"), "bad-report"),
    "what is quoted has a bad state": (honest(text=another_report("excellent").encode()), "bad-report"),
}
