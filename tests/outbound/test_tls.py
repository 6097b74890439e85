import socket
import ssl
from datetime import timedelta
from ipaddress import ip_address

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from app.clock import utc_now
from app.domain.webhooks.attempts import Failure
from app.outbound.http import GuardedClient
from tests.outbound.receivers import LOOPBACK, a_client, answer, answering, post, receiver


@pytest.fixture
def certificate(tmp_path):
    """A self-signed certificate for localhost and 127.0.0.1, with its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "receiver")])
    now = utc_now()
    names = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))])
    signed = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file = tmp_path / "receiver.pem"
    file.write_bytes(private + signed.public_bytes(serialization.Encoding.PEM))
    return file


@pytest.fixture
def served(certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


def trusting(certificate) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=certificate)


async def test_the_guard_leaves_the_server_name_of_tls_alone(served, certificate):
    asked_for = []
    served.sni_callback = lambda _, name, __: asked_for.append(name)

    async with receiver(answering(answer("200 OK")), tls=served) as here, a_client(tls=trusting(certificate)) as client:
        outcome = await post(client, f"https://localhost:{here.port}/")

    assert (outcome.status, asked_for) == (200, ["localhost"])
    assert f"Host: localhost:{here.port}".encode() in here.requests[0]


async def test_a_certificate_that_nobody_vouches_for_is_a_tls_failure(served):
    async with receiver(answering(answer("200 OK")), tls=served) as here, a_client() as client:
        outcome = await post(client, f"https://localhost:{here.port}/")

    assert (outcome.failure, outcome.sent, here.requests) == (Failure.TLS_FAILED, False, [])


async def test_a_certificate_for_another_host_is_a_tls_failure(served, certificate):
    def lookup(_, port, *__, **___):
        return [(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", ("127.0.0.1", port))]

    client = GuardedClient(LOOPBACK, user_agent="Zeroten/test", tls=trusting(certificate), lookup=lookup)
    async with receiver(answering(answer("200 OK")), tls=served) as here, client:
        outcome = await post(client, f"https://other.example:{here.port}/")

    assert (outcome.failure, here.requests) == (Failure.TLS_FAILED, [])


async def test_tls_towards_a_server_that_speaks_plain_http_is_a_tls_failure():
    async with receiver(greeted_with(answer("400 Bad request"))) as here, a_client() as client:
        outcome = await post(client, here.url.replace("http:", "https:"))

    assert (outcome.failure, outcome.sent) == (Failure.TLS_FAILED, False)


async def test_hanging_up_in_the_handshake_is_a_reset():
    async with receiver(greeted_with(b"")) as here, a_client() as client:
        outcome = await post(client, here.url.replace("http:", "https:"))

    assert (outcome.failure, outcome.sent) == (Failure.RESET, False)


def greeted_with(reply: bytes):
    """Whatever comes first gets this reply, then the line is dead."""

    def script(_):
        async def converse(reader, writer):
            await reader.read(1_000)
            writer.write(reply)
            await writer.drain()

        return converse

    return script
