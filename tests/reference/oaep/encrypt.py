"""Encrypts texts as Python clients do: encrypt.py <Base64 SubjectPublicKeyInfo> <text>... (package cryptography)."""
import base64
import sys

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.serialization import load_der_public_key

key = load_der_public_key(base64.b64decode(sys.argv[1]))
for text in sys.argv[2:]:
    for by, mask in (("python-sha256", hashes.SHA256()), ("python-sha1", hashes.SHA1())):
        oaep = padding.OAEP(mgf=padding.MGF1(mask), algorithm=hashes.SHA256(), label=None)
        print(by, base64.b64encode(key.encrypt(text.encode(), oaep)).decode())
