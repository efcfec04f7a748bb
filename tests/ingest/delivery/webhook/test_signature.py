from __future__ import annotations

import base64
import datetime as dt
import time

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from ingest.delivery.webhook.signature import decode_secret, decode_signing_key, signed_headers

KEY = bytes(range(32))
SECRET = "whsec_" + base64.b64encode(KEY).decode()
BODY = '{"alarm":"结晶器"}'.encode()


def test_the_reference_library_accepts_our_signature() -> None:
    Webhook(SECRET).verify(BODY, signed_headers([decode_secret(SECRET)], "id-1", int(time.time()), BODY))


def test_our_signature_is_the_one_the_reference_library_makes() -> None:
    at = dt.datetime(2025, 11, 23, 8, tzinfo=dt.UTC)
    ours = signed_headers([KEY], "id-1", int(at.timestamp()), BODY)
    assert ours["webhook-signature"] == Webhook(SECRET).sign("id-1", at, BODY.decode())


def test_while_a_secret_is_replaced_whoever_has_either_accepts() -> None:
    """As the standard has it: one signature a key, with a blank between them."""
    other = bytes(range(1, 33))
    headers = signed_headers([KEY, other], "id-1", int(time.time()), BODY)
    for secret in (KEY, other):
        Webhook(secret).verify(BODY, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(bytes(32)).verify(BODY, headers)


@pytest.mark.parametrize("part", ["body", "webhook-id", "webhook-timestamp", "key"])
def test_whatever_is_changed_the_signature_no_longer_fits(part: str) -> None:
    now = int(time.time())
    headers = signed_headers([KEY], "id-1", now, BODY)
    body, verifier = BODY, Webhook(SECRET)
    if part == "body":
        body = BODY.replace("结".encode(), "果".encode())
    elif part == "webhook-id":
        headers[part] = "id-2"
    elif part == "webhook-timestamp":
        headers[part] = str(now + 1)
    else:
        verifier = Webhook(bytes(32))
    with pytest.raises(WebhookVerificationError):
        verifier.verify(body, headers)


def test_an_old_message_played_again_is_refused_by_the_receiver() -> None:
    with pytest.raises(WebhookVerificationError, match="too old"):
        Webhook(SECRET).verify(BODY, signed_headers([KEY], "id-1", int(time.time()) - 600, BODY))


def test_a_secret_is_base64_after_its_prefix_or_plain_characters() -> None:
    assert decode_secret(SECRET) == KEY
    assert decode_secret("a-plain-secret-of-30-characters") == b"a-plain-secret-of-30-characters"


@pytest.mark.parametrize(
    "text",
    [
        "short",
        "x" * 65,
        "whsec_" + base64.b64encode(bytes(23)).decode(),
        "whsec_" + base64.b64encode(bytes(65)).decode(),
        "whsec_not base64!",
        "whsk_" + base64.b64encode(bytes(32)).decode(),  # a private key, of which receivers hold the public one alone
        "whpk_" + base64.b64encode(bytes(32)).decode(),
    ],
)
def test_a_weak_or_malformed_secret_is_refused_and_not_quoted(text: str) -> None:
    with pytest.raises(ValueError, match=r"a key of 24 to 64 bytes|base64 after whsec_|Ed25519") as caught:
        decode_secret(text)
    assert text not in str(caught.value)


SIGNING_KEY = (  # of the reference's own test, which makes these bytes the published example of v1a
    "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg=="
)


def test_a_signature_by_a_private_key_is_that_of_the_published_example() -> None:
    """Svix's `test_asymmetric_key_signing`, as the specification's header has it; its public part may lack."""
    seed_alone = "whsk_" + base64.b64encode(base64.b64decode(SIGNING_KEY.removeprefix("whsk_"))[:32]).decode()
    for text in (SIGNING_KEY, seed_alone):
        headers = signed_headers(
            [KEY], "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}', decode_signing_key(text)
        )
        symmetric, asymmetric = headers["webhook-signature"].split(" ")
        assert symmetric.startswith("v1,")
        assert asymmetric == (
            "v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg=="
        )


def test_a_signing_key_that_is_none_or_bears_another_public_key_is_refused_and_not_quoted() -> None:
    raw = base64.b64decode(SIGNING_KEY.removeprefix("whsk_"))
    for text in (
        SECRET,
        SIGNING_KEY.removeprefix("whsk_"),
        "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=",
        "whsk_" + base64.b64encode(raw[:31]).decode(),
        "whsk_" + base64.b64encode(raw[:32] + bytes(32)).decode(),
        "whsk_not base64!",
    ):
        with pytest.raises(ValueError, match="an Ed25519 private key") as caught:
            decode_signing_key(text)
        assert text not in str(caught.value)
