"""Made-up people, companies and addresses, drawn from the locales' word lists."""

from dataclasses import dataclass
from itertools import accumulate

from sample_crm.countries import COUNTRIES
from sample_crm.dice import Dice
from sample_crm.locales import LOCALES, Locale, Place

_MAIL_DOMAINS = ("example.com", "example.org", "example.net", "mail.example")
_TITLES = ("CEO", "Accounts Payable", "Purchasing Manager", "Office Manager", "CFO", "Founder", "Project Lead", None)
_COUNTRY_BY_CODE = {country.iso2: country for country in COUNTRIES}
_CUMULATIVE = tuple(accumulate(locale.weight for locale in LOCALES))
_CURRENCY_BY_CODE = {
    "GB": "GBP",
    "AE": "AED",
    "SA": "SAR",
    "JP": "JPY",
    "IN": "INR",
    "CA": "CAD",
    "AU": "AUD",
    "CH": "CHF",
    "EG": "EGP",
} | dict.fromkeys(("FR", "BE", "DE", "AT", "ES", "PT", "GR", "CY", "IE"), "EUR")


@dataclass(frozen=True, slots=True)
class Person:
    """A name, its ASCII form and a working title."""

    first: str
    last: str
    ascii: str
    title: str | None

    @property
    def full(self) -> str:
        """First and last name."""
        return f"{self.first} {self.last}"


@dataclass(frozen=True, slots=True)
class Company:
    """A company with the address it has everywhere in the CRM."""

    name: str
    domain: str
    locale: Locale
    place: Place
    street: str
    phone: str
    vat: str

    @property
    def country_id(self) -> int:
        """The row of the company's country."""
        return _COUNTRY_BY_CODE[self.place.iso2].id

    @property
    def currency(self) -> str:
        """The currency its customers are billed in."""
        return _CURRENCY_BY_CODE.get(self.place.iso2, "USD")


def pick_locale(dice: Dice) -> Locale:
    """Return a locale, in proportion to the locales' weights."""
    mark = dice.below(_CUMULATIVE[-1])
    return next(locale for locale, upto in zip(LOCALES, _CUMULATIVE, strict=True) if mark < upto)


def make_person(dice: Dice, locale: Locale) -> Person:
    """Return a person of the locale."""
    first, last = dice.pick(locale.firsts), dice.pick(locale.lasts)
    return Person(first.native, last.native, f"{first.ascii}.{last.ascii}", dice.pick(_TITLES))


def make_company(dice: Dice, locale: Locale) -> Company:
    """Return a company of the locale, in one of its places."""
    one, two = dice.pick(locale.nouns), dice.pick(locale.lasts)
    number = dice.between(2, 99)
    name = f"{one.native} {two.native} {dice.pick(locale.suffixes)}"
    place = dice.pick(locale.places)
    street = f"{number} {dice.pick(locale.streets)}"
    if dice.chance(0.3):
        street += f"<br />\nSuite {dice.between(1, 40)}"
    vat = f"{place.iso2}{dice.between(100000000, 999999999)}"
    return Company(name, f"{one.ascii}-{two.ascii}.example", locale, place, street, make_phone(dice, place), vat)


def make_phone(dice: Dice, place: Place) -> str:
    """Return a phone number with the country's calling code."""
    digits = dice.between(2000000, 9999999)
    return f"+{_COUNTRY_BY_CODE[place.iso2].calling} {dice.between(10, 99)} {digits // 10000} {digits % 10000:04d}"


def make_email(dice: Dice, person: Person, number: int) -> str:
    """Return an address that no other number yields."""
    return f"{person.ascii}.{number}@{dice.pick(_MAIL_DOMAINS)}"
