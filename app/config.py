"""Every setting an operator can make, with its unit. Read from `ZEROTEN_…` in the environment."""

import ipaddress
from pathlib import Path
from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from app.smtp_server import SmtpServer, is_here

NAME_SERVICE_PORT = 53


class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="ZEROTEN_", extra="ignore", hide_input_in_errors=True)

    # where things are
    database_url: SecretStr | None = None  # postgresql://…; none means the embedded PostgreSQL
    data_directory: Path | None = None  # of the embedded PostgreSQL; none means a fitting place for this user
    postgres_bindir: Path | None = None  # binaries for the embedded PostgreSQL; none means: look for them
    host: str = "127.0.0.1"
    port: int = Field(default=8010, ge=0, le=65535)

    # secrets: comma-separated, each 32 bytes in base64; the first encrypts, all decrypt
    secret_keys: SecretStr | None = None
    metrics_token: SecretStr | None = None  # bearer token for /metrics; none means loopback callers only

    # recording
    pool_size: int = Field(default=10, ge=1)  # database connections of one process, beside the recording lane's two
    record_queue_limit: int = Field(default=20_000, ge=2_000)  # answers waiting for a commit before we say 503
    body_limit_bytes: int = Field(default=1_000_000, ge=10_000)
    import_limit_bytes: int = Field(default=2_000_000_000, ge=10_000)  # an uploaded file of recipients
    rate_limit_per_second: int = Field(default=0, ge=0)  # requests per key and process; 0 means unlimited
    public_rate_limit_per_second: int = Field(default=50, ge=0)  # the same, for publishable keys

    # delivering
    lease_seconds: float = Field(default=25.0, gt=0)  # how long a claimed delivery belongs to its worker
    attempt_deadline_seconds: float = Field(default=15.0, gt=0)  # one HTTP attempt, everything included
    least_lease_seconds: float = Field(default=16.0, gt=0)  # that an attempt must have left to begin
    poll_seconds: float = Field(default=1.0, gt=0)  # LISTEN is only a hint; this is the truth
    in_flight_per_endpoint: int = Field(default=64, ge=1)  # of all workers together; few once an endpoint fails
    in_flight: int = Field(default=128, ge=1)  # concurrent attempts of one worker process
    receivers_allow_loopback: bool = False  # `--dev`
    receivers_allow_cidrs: str = ""  # comma-separated networks that webhooks may reach although they are private
    outbound_proxy: SecretStr | None = None  # http://user:password@host:3128, for what is not allowed above
    delivery_log_days: int = Field(default=90, ge=1)  # how long finished deliveries and their attempts are kept

    # mail
    public_url: str = ""  # how people reach us, https://…; links in mails begin with it. None: this machine
    smtp_url: SecretStr | None = None  # smtp://host:25, smtps://user:password@host, …?starttls; none captures all mail
    nameservers: str = ""  # comma-separated addresses, 192.0.2.53 or [2001:db8::53]:5353; none means the machine's own

    # answering through personal links
    answer_change_days: int = Field(default=14, ge=0)  # how long somebody may change what they answered
    link_rate_limit_per_second: int = Field(default=10, ge=0)  # of one link, and of links that are none from one place
    scanner_window_seconds: float = Field(default=60.0, gt=0)  # in which the next two are counted
    scanner_link_scores: int = Field(default=2, ge=2)  # different ones followed: nobody does that but a scanner
    scanner_sent_scores: int = Field(default=3, ge=2)  # different ones sent without anybody moving
    scanner_soonest_seconds: float = Field(default=10.0, ge=0)  # after the mail; before that nobody has read it
    scanner_honeypot_link: bool = False  # a link in mails that nobody sees; filters of junk mail may dislike it
    scanner_log_only_days: int = Field(default=7, ge=0)  # in a new workspace, what is flagged counts all the same

    # speaking
    log_format: Literal["console", "json"] = "console"
    access_log: Literal["all", "failures"] = "failures"

    @property
    def secret_keys_text(self) -> str | None:
        """As `Vault.read` takes it."""
        return self.secret_keys.get_secret_value() if self.secret_keys else None

    @property
    def public_address(self) -> str:
        here = "127.0.0.1" if self.host in {"0.0.0.0", "::"} else self.host  # noqa: S104 - read, not bound to
        return self.public_url.rstrip("/") or f"http://{here}:{self.port}"

    @property
    def has_dead_links(self) -> bool:
        """Whether mails would go out with links that work on this machine only. Who tries things out here, with a mail
        server of this machine, says so by setting the public URL."""
        if self.smtp_url is None or not is_here(urlsplit(self.public_address).hostname or ""):
            return False
        return not self.public_url or not is_here(SmtpServer.read(self.smtp_url.get_secret_value()).host)

    @field_validator("public_url")
    @classmethod
    def _check_public_url(cls, url: str) -> str:
        parts = urlsplit(url)
        is_right = parts.scheme in {"http", "https"} and parts.hostname and not (parts.query or parts.fragment)
        if url and not is_right:
            raise ValueError("ZEROTEN_PUBLIC_URL reads https://surveys.example.com")
        return url

    @field_validator("smtp_url")
    @classmethod
    def _check_smtp_url(cls, url: SecretStr | None) -> SecretStr | None:
        if url is not None:
            SmtpServer.read(url.get_secret_value())
        return url

    @property
    def nameserver_places(self) -> list[tuple[str, int]]:
        """Address and port of each."""
        return [_nameserver(text.strip()) for text in self.nameservers.split(",") if text.strip()]

    @field_validator("nameservers")
    @classmethod
    def _check_nameservers(cls, texts: str) -> str:
        for text in filter(None, map(str.strip, texts.split(","))):
            _nameserver(text)
        return texts

    @field_validator("outbound_proxy")
    @classmethod
    def _check_outbound_proxy(cls, url: SecretStr | None) -> SecretStr | None:
        if url and not _is_proxy(url.get_secret_value()):
            raise ValueError("ZEROTEN_OUTBOUND_PROXY reads http://proxy.example.com:3128")
        return url

    @model_validator(mode="after")
    def _check_lease(self) -> Self:
        if not self.attempt_deadline_seconds < self.least_lease_seconds <= self.lease_seconds:
            raise ValueError("attempt_deadline_seconds < least_lease_seconds <= lease_seconds must hold")
        return self


def _is_proxy(url: str) -> bool:
    """What cannot be taken apart is none; the error would tell the password."""
    try:
        parts = urlsplit(url)
        return parts.scheme == "http" and bool(parts.hostname) and parts.path in {"", "/"} and not parts.query
    except ValueError:
        return False


def _nameserver(text: str) -> tuple[str, int]:
    try:
        if text.count(":") > 1 and not text.startswith("["):  # a bare IPv6 address
            address, port = text, None
        else:
            parts = urlsplit(f"//{text}")
            address, port = parts.hostname or "", parts.port
        return str(ipaddress.ip_address(address)), port or NAME_SERVICE_PORT
    except ValueError:
        raise ValueError("ZEROTEN_NAMESERVERS reads 192.0.2.53,[2001:db8::53]:5353") from None
