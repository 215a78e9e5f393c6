"""Tokens are random, recognisable and checked before anything is looked up."""

from __future__ import annotations

import hashlib
import hmac
import re

from hypothesis import given
from hypothesis import strategies as st

from gateway.security.tokens import PREFIX, TOKEN_LENGTH, digest_of, digests_of, looks_like_token, new_token, token_of

SECRETS = st.binary(min_size=32, max_size=32)
LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def test_tokens_have_one_form() -> None:
    """A prefix that secret scanners know, then letters and digits only, so that a double click selects all of it."""
    assert re.fullmatch(r"gw_live_[0-9A-Za-z]{49}", new_token().text)


def test_tokens_differ() -> None:
    """Each is 256 new random bits."""
    assert len({new_token().text for _ in range(100)}) == 100


@given(SECRETS, SECRETS)
def test_no_two_secrets_share_a_token(one: bytes, other: bytes) -> None:
    """No bit of the secret is lost in the spelling."""
    assert (token_of(one) == token_of(other)) == (one == other)


@given(SECRETS)
def test_every_token_has_the_form_that_is_looked_up(secret: bytes) -> None:
    """Leading zero bytes do not make it shorter."""
    token = token_of(secret)

    assert len(token) == TOKEN_LENGTH
    assert looks_like_token(token.encode())


@given(SECRETS, st.integers(0, TOKEN_LENGTH - 1), st.sampled_from(LETTERS + "_- é"))
def test_one_wrong_character_is_caught(secret: bytes, place: int, letter: str) -> None:
    """A typo costs no look at the store."""
    token = token_of(secret)
    typo = token[:place] + letter + token[place + 1 :]

    assert looks_like_token(typo.encode()) == (typo == token)


@given(SECRETS, st.integers(0, TOKEN_LENGTH - 2))
def test_two_swapped_neighbours_are_caught(secret: bytes, place: int) -> None:
    """The other common slip."""
    token = token_of(secret)
    slip = token[:place] + token[place + 1] + token[place] + token[place + 2 :]

    assert looks_like_token(slip.encode()) == (slip == token)


@given(st.binary(max_size=200))
def test_garbage_is_no_token(presented: bytes) -> None:
    """Whatever the bytes, the answer is no and never an exception."""
    assert not looks_like_token(presented)


@given(st.binary(min_size=49, max_size=49))
def test_garbage_behind_the_prefix_is_no_token(presented: bytes) -> None:
    """The right start and length are not enough."""
    assert not looks_like_token(PREFIX.encode() + presented)


def test_what_is_kept_is_the_digest_and_a_shown_part() -> None:
    """The stored parts do not contain the secret; neither does the printed form."""
    issued = new_token()

    assert issued.digest == digest_of(issued.text.encode()) == hashlib.sha256(issued.text.encode()).digest()
    assert issued.text.startswith(issued.prefix)
    assert len(issued.prefix) == len(PREFIX) + 4
    assert issued.text not in repr(issued)


def test_a_pepper_keys_the_digest_and_changes_nothing_else() -> None:
    """The store alone is then of no use; the token looks like any other."""
    issued = new_token("a pepper")
    token = issued.text.encode()

    assert issued.digest == digest_of(token, "a pepper") == hmac.new(b"a pepper", token, "sha256").digest()
    assert looks_like_token(token)
    assert issued.digest not in (digest_of(token), digest_of(token, "another"))


def test_a_token_may_be_stored_from_before_there_was_a_pepper() -> None:
    """Today's digest comes first."""
    assert digests_of(b"x", "a pepper") == (digest_of(b"x", "a pepper"), digest_of(b"x"))
    assert digests_of(b"x") == (digest_of(b"x"),)
