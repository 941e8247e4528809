"""Certificates of a cluster's machines: one authority of its own, one identity that all of its machines share.

Dask asks whether a certificate is the authority's, and not whose it is; whoever has one can run code on every machine
of the cluster. So there is one, and the authority's own key is thrown away: nobody, whatever they get hold of later,
can make another one.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

DAYS = 730
"""How long certificates are good by default."""

_CLOCKS = timedelta(hours=1)
"""By how much the clocks of two machines may differ."""


@dataclass(frozen=True)
class Files:
    """What each machine of a cluster has."""

    ca: Path
    certificate: Path
    key: Path


def make(folder: Path, days: int = DAYS) -> Files:
    """Write the certificates of a new cluster into a folder, the key for its owner's eyes only.

    Raises
    ------
    FileExistsError
        There are some already: a cluster in service would lose its machines one by one.
    OSError
        The folder cannot be written to.
    """
    files = Files(folder / "ca.pem", folder / "certificate.pem", folder / "key.pem")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for path in (files.ca, files.certificate, files.key):
        if path.exists():
            raise FileExistsError(path)
    until = datetime.now(UTC) + timedelta(days=days)
    authority_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    authority = _authority(authority_key, until)
    certificate = _certificate(key, authority, authority_key, until)
    key_bytes = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    _write(files.key, key_bytes, 0o600)
    _write(files.ca, authority.public_bytes(serialization.Encoding.PEM), 0o644)
    _write(files.certificate, certificate.public_bytes(serialization.Encoding.PEM), 0o644)
    return files


def good_until(path: Path) -> datetime:
    """Say until when a certificate is good; raises ``OSError`` or ``ValueError`` where there is none in the file."""
    return x509.load_pem_x509_certificate(path.read_bytes()).not_valid_after_utc


def _authority(key: ec.EllipticCurvePrivateKey, until: datetime) -> x509.Certificate:
    name = _name("open-avatars cluster authority")
    return (
        _builder(name, name, key, until)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(key_cert_sign=True), critical=True)
        .sign(key, hashes.SHA256())
    )


def _certificate(
    key: ec.EllipticCurvePrivateKey,
    authority: x509.Certificate,
    authority_key: ec.EllipticCurvePrivateKey,
    until: datetime,
) -> x509.Certificate:
    # The same certificate calls and answers.
    purposes = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
    issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key())
    return (
        _builder(_name("open-avatars cluster machine"), authority.subject, key, until)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(key_cert_sign=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
        .add_extension(issuer, critical=False)
        .sign(authority_key, hashes.SHA256())
    )


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, until: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime.now(UTC) - _CLOCKS)
        .not_valid_after(until)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _usage(*, key_cert_sign: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not key_cert_sign,
        key_cert_sign=key_cert_sign,
        crl_sign=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _write(path: Path, content: bytes, mode: int) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(content)
